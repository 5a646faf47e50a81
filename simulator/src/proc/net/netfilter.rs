//! Netfilter: /proc/net/stat/nf_conntrack with a row of hexadecimal numbers for each CPU; /proc/net/ip_vs and ip_vs_stats, the load balancer

use super::{folder, of_process};
use crate::layout::{Content, Group, Table, each};
use crate::machine::{Balancer, Machine};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[
    &Group::<Balancer> {
        under: "",
        parts: |machine| each(&machine.balancer),
        path: |_, machine| folder(machine),
        entries: &[("ip_vs", Content::File(ip_vs)), ("ip_vs_stats", Content::File(ip_vs_stats))],
    },
    &of_process(&[("stat/nf_conntrack", Content::File(nf_conntrack))]),
];

fn ip_vs(balancer: &Balancer, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "IP Virtual Server version 1.2.1 (size=4096)");
    put_line!(into, "Prot LocalAddress:Port Scheduler Flags");
    put_line!(into, "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn");
    for (number, service) in balancer.services.iter().enumerate() {
        let address = service.address.to_bits();
        put_line!(into, "{}  {address:08X}:{:04X} rr  ", service.protocol, service.port);
        for (place, (server, port)) in service.servers.iter().enumerate() {
            let (active, inactive) = moment.balanced_server(balancer, number, place);
            let server = server.to_bits();
            put_line!(into, "  -> {server:08X}:{port:04X}      Masq    1      {active:<10} {inactive:<10}");
        }
    }
}

fn ip_vs_stats(balancer: &Balancer, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let now = moment.balanced(balancer);
    let per_second = |milli: u64| moment.recent(&balancer.wave, 2) * milli / 1_000_000;
    put_line!(into, "   Total Incoming Outgoing         Incoming         Outgoing");
    put_line!(into, "   Conns  Packets  Packets            Bytes            Bytes");
    put_line!(
        into,
        "{:8X} {:8X} {:8X} {:16X} {:16X}\n",
        now.connections,
        now.received_packets,
        now.sent_packets,
        now.received_bytes,
        now.sent_bytes
    );
    let rate = balancer.connections_milli;
    put_line!(into, " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s");
    put_line!(
        into,
        "{:8X} {:8X} {:8X} {:16X} {:16X}",
        per_second(rate),
        per_second(rate * 14),
        per_second(rate * 11),
        per_second(rate * 2_100),
        per_second(rate * 38_400)
    );
}

const CONNTRACK_HEADER: &str = "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop \
                      early_drop icmp_error  expect_new expect_create expect_delete search_restart";

fn nf_conntrack(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{CONNTRACK_HEADER}");
    // Every row has the total number of entries.
    let entries = moment.tracked_connections();
    for cpu in moment.machine.processor.all() {
        let count = |micro| moment.counter_of_cpu(cpu, micro);
        // Rates in thousandths per second.
        let columns: [u64; 17] = [
            entries,
            count(2),
            count(140),
            0,
            count(31),
            0,
            0,
            count(9),
            0,
            0,
            count(1),
            0,
            count(4),
            0,
            0,
            0,
            count(1),
        ];
        for (position, column) in columns.into_iter().enumerate() {
            let separator = match position {
                0 => "",
                1 | 13 => "  ",
                _ => " ",
            };
            // These counters have 32 bits.
            put!(into, "{separator}{:08x}", column & 0xffff_ffff);
        }
        put_line!(into, "");
    }
}
