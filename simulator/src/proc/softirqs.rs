//! /proc/softirqs

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::moment::kernel::SOFT_INTERRUPTS;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 1] =
    [Group { under: "", each: once, entries: &[("softirqs", What::File(softirqs))] }];

fn softirqs(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    // Alone among the tables, this one has a column for those that are away, too.
    let cpus = moment.machine.processor.cpus;
    put!(into, "                    ");
    for cpu in 0..cpus {
        put!(into, "CPU{cpu:<8}");
    }
    put_line!(into, "");
    for ((name, _), kind) in SOFT_INTERRUPTS.iter().zip(moment.soft_interrupts()) {
        put!(into, "{name:>12}:");
        for cpu in 0..cpus {
            put!(into, " {:>10}", moment.part_of_cpu(&kind, cpu));
        }
        put_line!(into, "");
    }
}
