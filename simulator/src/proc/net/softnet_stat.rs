//! /proc/net/softnet_stat

use super::own;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) static GROUPS: [Group; 1] =
    [Group { under: "", each: own, entries: &[("softnet_stat", What::File(softnet_stat))] }];

fn softnet_stat(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for cpu in 0..moment.machine.processor.cpus {
        let (processed, squeezed) = moment.packets_processed(cpu);
        // Counters of 32 bits, which wrap.
        put!(into, "{:08x} {:08x} {:08x}", processed & 0xffff_ffff, 0, squeezed & 0xffff_ffff);
        put_line!(
            into,
            " 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 {cpu:08x} 00000000 00000000"
        );
    }
}
