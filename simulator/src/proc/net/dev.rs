//! Packets: /proc/net/dev by device, softnet_stat by CPU

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table =
    &[&of_process(&[("dev", Content::File(dev)), ("softnet_stat", Content::File(softnet_stat))])];

const HEADER: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed";

fn dev(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{HEADER}");
    for interface in &moment.machine.interfaces {
        let s = moment.link_statistics(interface);
        put_line!(
            into,
            "{:>6}: {:>7} {:>7} {:>4} {:>4} {:>4} {:>5} {:>10} {:>9} {:>8} {:>7} {:>4} {:>4} {:>4} {:>5} {:>7} {:>10}",
            interface.name,
            s.rx_bytes,
            s.rx_packets,
            s.rx_errors,
            s.rx_dropped + s.rx_missed_errors,
            s.rx_fifo_errors,
            s.rx_length_errors + s.rx_over_errors + s.rx_crc_errors + s.rx_frame_errors,
            s.rx_compressed,
            s.multicast,
            s.tx_bytes,
            s.tx_packets,
            s.tx_errors,
            s.tx_dropped,
            s.tx_fifo_errors,
            s.collisions,
            s.tx_carrier_errors + s.tx_aborted_errors + s.tx_window_errors + s.tx_heartbeat_errors,
            s.tx_compressed
        );
    }
}

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
