//! /proc/net, a link into the folder of the process that asks

pub(super) mod arp;
pub(super) mod bonding;
pub(super) mod conntrack;
pub(super) mod dev;
pub(super) mod ip_vs;
pub(super) mod neighbours;
pub(super) mod route;
pub(super) mod rpc;
pub(super) mod snmp;
pub(super) mod sockstat;
pub(super) mod softnet_stat;
pub(super) mod tcp;
pub(super) mod udp;
pub(super) mod unix;
pub(super) mod xfrm_stat;

use super::mounts::own_process;
use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put;

pub(super) static GROUPS: [Group; 1] =
    [Group { under: "", each: once, entries: &[("net", What::Link(|_, _, into| put!(into, "self/net")))] }];

/// The folder that the link leads to.
fn own(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    visit(0, format!("{}/net", own_process(moment)).as_bytes());
}
