//! /proc/net/dev

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[("dev", Content::File(dev))])];

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
