//! /proc/version

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("version", What::File(version))] }];

fn version(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let system = &moment.machine.system;
    put_line!(into, "Linux version {} {} {}", system.release, system.build, system.version);
}
