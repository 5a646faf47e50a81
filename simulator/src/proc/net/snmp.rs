//! /proc/net/netstat, snmp and snmp6: what the protocols of the network counted

use super::own;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) static GROUPS: [Group; 1] = [Group {
    under: "",
    each: own,
    entries: &[("netstat", What::File(netstat)), ("snmp", What::File(snmp)), ("snmp6", What::File(snmp6))],
}];

/// Where a number comes from.
enum Count {
    /// It is always this.
    Always(u64),
    /// It happens so many times in a thousand seconds.
    Rate(u64),
    /// Connections that are open now.
    Established,
}

use Count::{Always, Established, Rate};

impl Count {
    fn at(&self, moment: &Moment<'_>) -> u64 {
        match self {
            Always(value) => *value,
            Rate(milli) => moment.counter(&moment.machine.load, *milli),
            Established => moment.sockets().established,
        }
    }
}

type Protocol = (&'static str, &'static [(&'static str, Count)]);

const NETSTAT: &[Protocol] = &[
    (
        "TcpExt",
        &[
            ("SyncookiesSent", Always(0)),
            ("SyncookiesRecv", Always(0)),
            ("SyncookiesFailed", Rate(2)),
            ("TW", Rate(410)),
            ("DelayedACKs", Rate(1_900)),
            ("ListenOverflows", Always(0)),
            ("ListenDrops", Always(0)),
            ("TCPHPHits", Rate(210_000)),
            ("TCPPureAcks", Rate(88_000)),
            ("TCPTimeouts", Rate(31)),
            ("TCPRcvQDrop", Always(0)),
            ("TCPOFOQueue", Rate(140)),
            ("TCPSynRetrans", Rate(24)),
        ],
    ),
    (
        "IpExt",
        &[
            ("InNoRoutes", Always(0)),
            ("InMcastPkts", Rate(33)),
            ("InOctets", Rate(310_000_000)),
            ("OutOctets", Rate(240_000_000)),
        ],
    ),
];

const SNMP: &[Protocol] = &[
    (
        "Ip",
        &[
            ("Forwarding", Always(1)),
            ("DefaultTTL", Always(64)),
            ("InReceives", Rate(420_000)),
            ("InHdrErrors", Always(0)),
            ("InAddrErrors", Rate(3)),
            ("ForwDatagrams", Rate(9_000)),
            ("InDelivers", Rate(411_000)),
            ("OutRequests", Rate(352_000)),
        ],
    ),
    (
        "Icmp",
        &[
            ("InMsgs", Rate(120)),
            ("InErrors", Rate(2)),
            ("InCsumErrors", Always(0)),
            ("OutMsgs", Rate(118)),
            ("OutErrors", Always(0)),
        ],
    ),
    (
        "Tcp",
        &[
            ("RtoAlgorithm", Always(1)),
            ("RtoMin", Always(200)),
            ("RtoMax", Always(120_000)),
            ("ActiveOpens", Rate(900)),
            ("PassiveOpens", Rate(1_400)),
            ("AttemptFails", Rate(11)),
            ("EstabResets", Rate(40)),
            ("CurrEstab", Established),
            ("InSegs", Rate(398_000)),
            ("OutSegs", Rate(340_000)),
            ("RetransSegs", Rate(96)),
            ("InErrs", Rate(1)),
            ("OutRsts", Rate(70)),
            ("InCsumErrors", Always(0)),
        ],
    ),
    (
        "Udp",
        &[
            ("InDatagrams", Rate(12_000)),
            ("NoPorts", Rate(4)),
            ("InErrors", Rate(1)),
            ("OutDatagrams", Rate(11_800)),
            ("RcvbufErrors", Rate(1)),
            ("SndbufErrors", Always(0)),
        ],
    ),
];

const SNMP6: &[(&str, Count)] = &[
    ("Ip6InReceives", Rate(1_100)),
    ("Ip6InDelivers", Rate(1_050)),
    ("Ip6OutRequests", Rate(900)),
    ("Ip6InOctets", Rate(140_000)),
    ("Ip6OutOctets", Rate(98_000)),
    ("Icmp6InMsgs", Rate(210)),
    ("Icmp6InErrors", Always(0)),
    ("Icmp6OutMsgs", Rate(60)),
    ("Udp6InDatagrams", Rate(80)),
    ("Udp6NoPorts", Always(0)),
    ("Udp6InErrors", Always(0)),
    ("Udp6OutDatagrams", Rate(82)),
    ("Udp6RcvbufErrors", Always(0)),
    ("Udp6SndbufErrors", Always(0)),
    ("UdpLite6InErrors", Always(0)),
];

fn netstat(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    pairs(NETSTAT, moment, into);
}

fn snmp(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    pairs(SNMP, moment, into);
}

/// A line of names and a line of values for each protocol.
fn pairs(protocols: &[Protocol], moment: &Moment<'_>, into: &mut Vec<u8>) {
    for (protocol, counts) in protocols {
        put!(into, "{protocol}:");
        for (name, _) in *counts {
            put!(into, " {name}");
        }
        put!(into, "\n{protocol}:");
        for (_, count) in *counts {
            put!(into, " {}", count.at(moment));
        }
        put_line!(into, "");
    }
}

fn snmp6(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for (name, count) in SNMP6 {
        put_line!(into, "{name:<32}\t{}", count.at(moment));
    }
}
