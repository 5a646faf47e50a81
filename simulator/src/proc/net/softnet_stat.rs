//! /proc/net/softnet_stat

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[("softnet_stat", Content::File(softnet_stat))])];

/// The version that added the backlog length and the number of the CPU.
const NUMBERED_SINCE: KernelVersion = KernelVersion::new(5, 10);
/// The version that split the backlog into two queues.
const QUEUES_SINCE: KernelVersion = KernelVersion::new(6, 4);

fn softnet_stat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let counts = moment.packets_processed();
    for cpu in moment.machine.processor.online() {
        let [processed, squeezed] = counts.each_ref().map(|count| moment.part_of_cpu(count, cpu));
        // Counters of 32 bits, which wrap.
        put!(into, "{:08x} {:08x} {:08x}", processed & 0xffff_ffff, 0, squeezed & 0xffff_ffff);
        put!(into, " 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000");
        if moment.kernel() >= NUMBERED_SINCE {
            put!(into, " 00000000 {:08x}", cpu.number());
        }
        if moment.kernel() >= QUEUES_SINCE {
            put!(into, " 00000000 00000000");
        }
        put_line!(into, "");
    }
}
