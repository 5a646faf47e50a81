//! /proc/net/sockstat and sockstat6

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::proc) const GROUPS: Table =
    &[&of_process(&[("sockstat", Content::File(sockstat)), ("sockstat6", Content::File(sockstat6))])];

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
