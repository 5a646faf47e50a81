//! /proc/softirqs

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::moment::kernel::SOFT_INTERRUPTS;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("softirqs", Content::File(softirqs))])];

fn softirqs(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    // Unlike other tables, this one has columns for offline CPUs.
    let cpus = || moment.machine.processor.all();
    put!(into, "                    ");
    for cpu in cpus() {
        put!(into, "CPU{cpu:<8}");
    }
    put_line!(into, "");
    for ((name, _), kind) in SOFT_INTERRUPTS.iter().zip(moment.soft_interrupts()) {
        put!(into, "{name:>12}:");
        for cpu in cpus() {
            put!(into, " {:>10}", moment.part_of_cpu(&kind, cpu));
        }
        put_line!(into, "");
    }
}
