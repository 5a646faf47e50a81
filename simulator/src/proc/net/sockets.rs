//! Sockets: /proc/net/tcp, tcp6, udp, udp6 and unix with a row for each socket, and the counts of sockstat and sockstat6

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::moment::sockets::{Family, LOCAL_SOCKETS, Socket, State};
use crate::text::{put, put_hex, put_left, put_line, put_numbers, put_right};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[
    ("tcp", Content::File(|_, moment, into| tcp(moment, Family::V4, into))),
    ("tcp6", Content::File(|_, moment, into| tcp(moment, Family::V6, into))),
    ("udp", Content::File(|_, moment, into| udp(moment, Family::V4, into))),
    ("udp6", Content::File(|_, moment, into| udp(moment, Family::V6, into))),
    ("sockstat", Content::File(sockstat)),
    ("sockstat6", Content::File(sockstat6)),
    ("unix", Content::File(unix)),
])];

const TCP_HEADER: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const TCP6_HEADER: &str = "  sl  local_address                         remote_address                        \
                       st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
/// The width to which rows of IPv4 are padded.
const ROW_WIDTH: usize = 149;
/// The user of all sockets.
const USER: u64 = 101;

fn tcp(moment: &Moment<'_>, family: Family, into: &mut Vec<u8>) {
    match family {
        Family::V4 => put_line!(into, "{TCP_HEADER:<ROW_WIDTH$}"),
        Family::V6 => put_line!(into, "{TCP6_HEADER}"),
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
fn endpoints(moment: &Moment<'_>, family: Family, socket: &Socket, into: &mut Vec<u8>) {
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

const UDP_HEADER: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";

fn udp(moment: &Moment<'_>, family: Family, into: &mut Vec<u8>) {
    put_line!(into, "{UDP_HEADER}");
    for (row, socket) in moment.udp(family).iter().enumerate() {
        let inode = 18_000 + row * 17;
        put!(into, "{row:5}: ");
        endpoints(moment, family, socket, into);
        put_line!(
            into,
            // 07 is the state of an unconnected socket.
            " 07 {:08X}:{:08X} 00:00000000 00000000     0        0 {inode} 2 0000000000000000 0",
            socket.transmit_queue_bytes,
            socket.receive_queue_bytes
        );
    }
}

fn sockstat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let s = moment.sockets();
    put_line!(into, "sockets: used {}", s.used);
    put_line!(
        into,
        "TCP: inuse {} orphan {} tw {} alloc {} mem {}",
        s.tcp,
        s.orphaned,
        s.time_wait,
        s.allocated,
        s.tcp_pages
    );
    put_line!(into, "UDP: inuse {} mem {}", s.udp, s.udp_pages);
    put_line!(into, "UDPLITE: inuse 0");
    put_line!(into, "RAW: inuse 0");
    put_line!(into, "FRAG: inuse 0 memory 0");
}

fn sockstat6(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let s = moment.sockets();
    put_line!(into, "TCP6: inuse {}", s.tcp6);
    put_line!(into, "UDP6: inuse {}", s.udp6);
    put_line!(into, "UDPLITE6: inuse 0");
    put_line!(into, "RAW6: inuse 0");
    put_line!(into, "FRAG6: inuse 0 memory 0");
}

const STREAM: u16 = 1;
const DATAGRAM: u16 = 2;
const IN_ORDER: u16 = 5;

/// Listening sockets of systemd and its services, with their types.
const LISTENING: [(&str, u16); 10] = [
    ("/run/systemd/private", STREAM),
    ("/run/systemd/journal/stdout", STREAM),
    ("/run/systemd/journal/dev-log", DATAGRAM),
    ("/run/systemd/journal/socket", DATAGRAM),
    ("/run/systemd/notify", DATAGRAM),
    ("/run/udev/control", IN_ORDER),
    ("/run/dbus/system_bus_socket", STREAM),
    ("/run/systemd/io.systemd.Resolve", STREAM),
    ("/run/containerd/containerd.sock", STREAM),
    ("@/org/kernel/linux/storage/multipathd", STREAM),
];

/// Writes the rows of sockets with hidden addresses. One socket of a connected pair has no path.
fn unix(_: &Machine, _: &Moment<'_>, into: &mut Vec<u8>) {
    const ACCEPTS: u32 = 0x10000;
    const UNCONNECTED: u8 = 1;
    const CONNECTED: u8 = 3;
    put_line!(into, "Num       RefCount Protocol Flags    Type St Inode Path");
    let mut row = |(users, flags): (u32, u32), (kind, state): (u16, u8), number: u64, path: &str| {
        let inode = 11_000 + number * 13;
        into.extend_from_slice(b"0000000000000000: ");
        put_hex(users.into(), 8, into);
        into.extend_from_slice(b" 00000000 ");
        for (value, digits) in [(flags.into(), 8), (kind.into(), 4), (state.into(), 2)] {
            put_hex(value, digits, into);
            into.push(b' ');
        }
        put_right(inode, 5, into);
        if !path.is_empty() {
            into.push(b' ');
            into.extend_from_slice(path.as_bytes());
        }
        into.push(b'\n');
    };
    for (number, (path, kind)) in (0..).zip(LISTENING) {
        row((2, if kind == DATAGRAM { 0 } else { ACCEPTS }), (kind, UNCONNECTED), number, path);
    }
    for number in LISTENING.len() as u64..LOCAL_SOCKETS {
        let path = if number.is_multiple_of(2) { "" } else { LISTENING[usize::from(number % 4 == 1)].0 };
        row((3, 0), (STREAM, CONNECTED), number, path);
    }
}
