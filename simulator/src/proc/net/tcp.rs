//! /proc/net/tcp and tcp6: a row for each socket

use super::of_process;
use crate::layout::{Content, Table};
use crate::moment::Moment;
use crate::moment::sockets::{Family, Socket, State};
use crate::text::{put_hex, put_left, put_line, put_numbers, put_right};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[
    ("tcp", Content::File(|_, moment, into| table(moment, Family::V4, into))),
    ("tcp6", Content::File(|_, moment, into| table(moment, Family::V6, into))),
])];

const HEADER: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const HEADER6: &str = "  sl  local_address                         remote_address                        \
                       st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
/// The width to which rows of IPv4 are padded.
const ROW_WIDTH: usize = 149;
/// The user of all sockets.
const USER: u64 = 101;

fn table(moment: &Moment<'_>, family: Family, into: &mut Vec<u8>) {
    match family {
        Family::V4 => put_line!(into, "{HEADER:<ROW_WIDTH$}"),
        Family::V6 => put_line!(into, "{HEADER6}"),
    }
    for (number, socket) in moment.tcp(family).iter().enumerate() {
        let start = into.len();
        put_right(number as u64, 4, into);
        into.extend_from_slice(b": ");
        endpoints(moment, family, socket, into);
        into.push(b' ');
        put_hex(socket.state as u64, 2, into);
        into.push(b' ');
        put_hex(socket.transmit_queue_bytes, 8, into);
        into.push(b':');
        put_hex(socket.receive_queue_bytes, 8, into);
        into.push(b' ');
        if socket.state == State::TimeWait {
            into.extend_from_slice(b"03:");
            put_hex(1_500 + number as u64 % 4_500, 8, into);
            into.extend_from_slice(b" 00000000     0        0 0 3 0000000000000000");
        } else {
            let is_waiting = u64::from(socket.transmit_queue_bytes > 0);
            let inode = 20_000 + 17 * number as u64 + 7 * family as u64;
            put_hex(is_waiting, 2, into);
            into.push(b':');
            put_hex(20 * is_waiting, 8, into);
            into.extend_from_slice(b" 00000000 ");
            put_right(USER, 5, into);
            into.extend_from_slice(b"        0");
            put_numbers(&[inode, 1], into);
            into.extend_from_slice(b" 0000000000000000");
            put_numbers(&[if socket.state == State::Listen { 100 } else { 20 }, 0, 0, 10, 0], into);
        }
        let width = into.len() - start;
        let fill = if family == Family::V4 { ROW_WIDTH.saturating_sub(width) } else { 0 };
        put_left("", fill, into);
        into.push(b'\n');
    }
}

/// Writes both addresses; IPv4 addresses of an IPv6 socket are mapped.
pub(super) fn endpoints(moment: &Moment<'_>, family: Family, socket: &Socket, into: &mut Vec<u8>) {
    for (place, (address, port)) in [socket.local, socket.remote].into_iter().enumerate() {
        let octets = address.octets();
        // The kernel prints words in memory order.
        let in_memory = |octets| moment.machine.system.architecture.word(octets);
        if place > 0 {
            into.push(b' ');
        }
        if family == Family::V6 {
            let mapped = if address.is_unspecified() { [0; 4] } else { [0, 0, 0xff, 0xff] };
            put_hex(0, 16, into);
            put_hex(in_memory(mapped).into(), 8, into);
        }
        put_hex(in_memory(octets).into(), 8, into);
        into.push(b':');
        put_hex(port.into(), 4, into);
    }
}
