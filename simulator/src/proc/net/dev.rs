//! /proc/net/dev

use super::own;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::proc) static GROUPS: [Group; 1] = [Group { under: "", each: own, entries: &[("dev", What::File(dev))] }];

const HEADER: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed";

fn dev(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    put_line!(into, "{HEADER}");
    for (index, interface) in moment.machine.interfaces.iter().enumerate() {
        let s = moment.link_statistics(index);
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
