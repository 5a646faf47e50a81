//! /proc/net/unix: a row for each Unix socket

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::moment::sockets::LOCAL_SOCKETS;
use crate::text::{put_hex, put_line, put_right};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[("unix", Content::File(table))])];

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
fn table(_: &Machine, _: &Moment<'_>, into: &mut Vec<u8>) {
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
