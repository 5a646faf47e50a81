//! /proc/net/ip_vs and ip_vs_stats: the kernel's load balancer

use super::folder;
use crate::layout::{Content, Group, Table, each};
use crate::machine::Balancer;
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::proc) const GROUPS: Table = &[&Group::<Balancer> {
    under: "",
    parts: |machine| each(&machine.balancer),
    path: |_, machine| folder(machine),
    entries: &[("ip_vs", Content::File(ip_vs)), ("ip_vs_stats", Content::File(ip_vs_stats))],
}];

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
