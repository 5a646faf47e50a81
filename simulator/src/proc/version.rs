//! /proc/version

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("version", Content::File(version))])];

fn version(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let system = &moment.machine.system;
    put_line!(into, "Linux version {} {} {}", system.release, system.build, system.version);
}
