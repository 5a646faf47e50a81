//! /proc/net/tcp and tcp6: a row for each socket

use super::own;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::moment::sockets::{Family, Socket, State};
use crate::text::{put, put_line};

pub(in crate::proc) static GROUPS: [Group; 1] = [Group {
    under: "",
    each: own,
    entries: &[
        ("tcp", What::File(|moment, _, into| table(moment, Family::V4, into))),
        ("tcp6", What::File(|moment, _, into| table(moment, Family::V6, into))),
    ],
}];

const HEADER: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const HEADER6: &str = "  sl  local_address                         remote_address                        \
                       st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
/// Rows of version 4 are filled up to here.
const ROW_WIDTH: usize = 149;
/// Whose the servers are: an ordinary system user.
const USER: u32 = 101;

fn table(moment: &Moment<'_>, family: Family, into: &mut Vec<u8>) {
    match family {
        Family::V4 => put_line!(into, "{HEADER:<ROW_WIDTH$}"),
        Family::V6 => put_line!(into, "{HEADER6}"),
    }
    for (number, socket) in moment.tcp(family).iter().enumerate() {
        let start = into.len();
        put!(into, "{number:4}: ");
        endpoints(moment, family, socket, into);
        put!(
            into,
            " {:02X} {:08X}:{:08X} ",
            socket.state as u8,
            socket.transmit_queue_bytes,
            socket.receive_queue_bytes
        );
        if socket.state == State::TimeWait {
            put!(into, "03:{:08X} 00000000     0        0 0 3 {:016x}", 1_500 + number % 4_500, 0);
        } else {
            let is_waiting = u8::from(socket.transmit_queue_bytes > 0);
            let inode = 20_000 + 17 * number + 7 * family as usize;
            put!(into, "{is_waiting:02X}:{:08X} 00000000 {USER:5} {:8} {inode} 1 {:016x}", 20 * is_waiting, 0, 0);
            put!(into, " {} 0 0 10 0", if socket.state == State::Listen { 100 } else { 20 });
        }
        let width = into.len() - start;
        let fill = if family == Family::V4 { ROW_WIDTH.saturating_sub(width) } else { 0 };
        put_line!(into, "{:fill$}", "");
    }
}

/// Both ends; connections of version 4 to a socket of version 6 have their addresses mapped.
pub(super) fn endpoints(moment: &Moment<'_>, family: Family, socket: &Socket, into: &mut Vec<u8>) {
    for (place, (address, port)) in [socket.local, socket.remote].into_iter().enumerate() {
        let octets = address.octets();
        // The kernel prints words as they are in memory.
        let in_memory = |octets| moment.machine.system.architecture.word(octets);
        let separator = if place > 0 { " " } else { "" };
        match family {
            Family::V4 => put!(into, "{separator}{:08X}:{port:04X}", in_memory(octets)),
            Family::V6 => {
                let mapped = if address.is_unspecified() { [0; 4] } else { [0, 0, 0xff, 0xff] };
                let [mapped, last] = [mapped, octets].map(in_memory);
                put!(into, "{separator}{:016X}{mapped:08X}{last:08X}:{port:04X}", 0);
            }
        }
    }
}
