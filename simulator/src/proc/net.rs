//! /proc/net: a link to the folder of the reading process

pub(super) mod bonding;
pub(super) mod dev;
pub(super) mod neighbours;
pub(super) mod netfilter;
pub(super) mod route;
pub(super) mod rpc;
pub(super) mod snmp;
pub(super) mod sockets;

use std::borrow::Cow;

use super::mounts::own_process;
use crate::layout::{Content, ContentOf, Group, Table, each};
use crate::machine::Machine;
use crate::text::put;

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("net", Content::Link(|_, _, into| put!(into, "self/net")))])];

/// The folder that the link leads to.
fn folder(machine: &Machine) -> Cow<'_, str> {
    format!("{}/net", own_process(machine)).into()
}

/// Files of the host as a whole in that folder.
const fn of_process(entries: &'static [(&'static str, ContentOf<Machine>)]) -> Group<Machine> {
    Group { under: "", parts: |machine| each([machine]), path: |_, machine| folder(machine), entries }
}
