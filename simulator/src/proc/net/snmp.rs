//! /proc/net/netstat, snmp and snmp6: counters of network protocols

mod extended;
mod version_6;

use extended::NETSTAT;
use version_6::SNMP6;

use super::{folder, of_process};
use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::moment::protocols::Protocols;
use crate::text::{put_left, put_line, put_right};

pub(in crate::proc) const GROUPS: Table = &[
    &of_process(&[("netstat", Content::File(netstat)), ("snmp", Content::File(snmp)), ("snmp6", Content::File(snmp6))]),
    &Group::<Machine> {
        under: "",
        parts: |machine| each_with([machine], |machine| machine.ipsec.is_some()),
        path: |_, machine| folder(machine),
        entries: &[("xfrm_stat", Content::File(xfrm_stat))],
    },
];

/// The source of a value.
enum Count {
    /// A constant.
    Always(u64),
    /// A counter with a rate in thousandths per second.
    Rate(u64),
    /// The number of established connections.
    Established,
    /// -1, for unlimited.
    Unlimited,
    /// 1 if the host forwards packets, 2 if not.
    Router,
    /// A value derived from the traffic of devices.
    Through(fn(&Protocols) -> u64),
}

use Count::{Always, Established, Rate, Router, Through, Unlimited};

impl Count {
    fn put(&self, moment: &Moment<'_>, protocols: &Protocols, into: &mut Vec<u8>) {
        let value = match self {
            Always(value) => *value,
            Rate(milli) => moment.counter(&moment.machine.load, *milli),
            Established => moment.sockets().established,
            Unlimited => return into.extend_from_slice(b"-1"),
            Router => 2 - u64::from(moment.is_router()),
            Through(count) => count(protocols),
        };
        put_right(value, 0, into);
    }
}

type Protocol = (&'static str, &'static [(&'static str, Count)]);

const SNMP: &[Protocol] = &[
    (
        "Ip",
        &[
            ("Forwarding", Router),
            ("DefaultTTL", Always(64)),
            ("InReceives", Through(|p| p.received.packets[0])),
            ("InHdrErrors", Always(0)),
            ("InAddrErrors", Always(0)),
            ("ForwDatagrams", Through(|p| p.forwarded)),
            ("InUnknownProtos", Always(0)),
            ("InDiscards", Always(0)),
            ("InDelivers", Through(|p| p.received.packets[0] - p.forwarded)),
            ("OutRequests", Through(|p| p.sent.packets[0])),
            ("OutDiscards", Rate(1)),
            ("OutNoRoutes", Rate(2)),
            ("ReasmTimeout", Always(0)),
            ("ReasmReqds", Always(0)),
            ("ReasmOKs", Always(0)),
            ("ReasmFails", Always(0)),
            ("FragOKs", Always(0)),
            ("FragFails", Always(0)),
            ("FragCreates", Always(0)),
        ],
    ),
    (
        "Icmp",
        &[
            ("InMsgs", Through(|p| p.received.icmp[0])),
            ("InErrors", Rate(2)),
            ("InCsumErrors", Always(0)),
            ("InDestUnreachs", Through(|p| p.received.icmp[0] / 4)),
            ("InTimeExcds", Always(0)),
            ("InParmProbs", Always(0)),
            ("InSrcQuenchs", Always(0)),
            ("InRedirects", Always(0)),
            ("InEchos", Through(|p| p.received.icmp[0] - p.received.icmp[0] / 4)),
            ("InEchoReps", Always(0)),
            ("InTimestamps", Always(0)),
            ("InTimestampReps", Always(0)),
            ("InAddrMasks", Always(0)),
            ("InAddrMaskReps", Always(0)),
            ("OutMsgs", Through(|p| p.sent.icmp[0])),
            ("OutErrors", Always(0)),
            ("OutDestUnreachs", Through(|p| p.sent.icmp[0] / 3)),
            ("OutTimeExcds", Always(0)),
            ("OutParmProbs", Always(0)),
            ("OutSrcQuenchs", Always(0)),
            ("OutRedirects", Always(0)),
            ("OutEchos", Always(0)),
            ("OutEchoReps", Through(|p| p.sent.icmp[0] - p.sent.icmp[0] / 3)),
            ("OutTimestamps", Always(0)),
            ("OutTimestampReps", Always(0)),
            ("OutAddrMasks", Always(0)),
            ("OutAddrMaskReps", Always(0)),
        ],
    ),
    (
        "IcmpMsg",
        &[
            ("InType3", Through(|p| p.received.icmp[0] / 4)),
            ("InType8", Through(|p| p.received.icmp[0] - p.received.icmp[0] / 4)),
            ("OutType0", Through(|p| p.sent.icmp[0] - p.sent.icmp[0] / 3)),
            ("OutType3", Through(|p| p.sent.icmp[0] / 3)),
        ],
    ),
    (
        "Tcp",
        &[
            ("RtoAlgorithm", Always(1)),
            ("RtoMin", Always(200)),
            ("RtoMax", Always(120_000)),
            ("MaxConn", Unlimited),
            ("ActiveOpens", Rate(900)),
            ("PassiveOpens", Rate(1_400)),
            ("AttemptFails", Rate(11)),
            ("EstabResets", Rate(40)),
            ("CurrEstab", Established),
            ("InSegs", Through(|p| p.received.tcp.iter().sum())),
            ("OutSegs", Through(|p| p.sent.tcp.iter().sum())),
            ("RetransSegs", Rate(96)),
            ("InErrs", Rate(1)),
            ("OutRsts", Rate(70)),
            ("InCsumErrors", Always(0)),
        ],
    ),
    (
        "Udp",
        &[
            ("InDatagrams", Through(|p| p.received.udp[0])),
            ("NoPorts", Rate(4)),
            ("InErrors", Rate(1)),
            ("OutDatagrams", Through(|p| p.sent.udp[0])),
            ("RcvbufErrors", Rate(1)),
            ("SndbufErrors", Always(0)),
            ("InCsumErrors", Always(0)),
            ("IgnoredMulti", Rate(61)),
            ("MemErrors", Always(0)),
        ],
    ),
    (
        "UdpLite",
        &[
            ("InDatagrams", Always(0)),
            ("NoPorts", Always(0)),
            ("InErrors", Always(0)),
            ("OutDatagrams", Always(0)),
            ("RcvbufErrors", Always(0)),
            ("SndbufErrors", Always(0)),
            ("InCsumErrors", Always(0)),
            ("IgnoredMulti", Always(0)),
            ("MemErrors", Always(0)),
        ],
    ),
];

fn netstat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    pairs(NETSTAT, moment, into);
}

fn snmp(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    pairs(SNMP, moment, into);
}

/// Writes a line of names and a line of values for each protocol.
fn pairs(protocols: &[Protocol], moment: &Moment<'_>, into: &mut Vec<u8>) {
    let through = moment.protocols();
    for (protocol, counts) in protocols {
        into.extend_from_slice(protocol.as_bytes());
        into.push(b':');
        for (name, _) in *counts {
            into.push(b' ');
            into.extend_from_slice(name.as_bytes());
        }
        into.push(b'\n');
        into.extend_from_slice(protocol.as_bytes());
        into.push(b':');
        for (_, count) in *counts {
            into.push(b' ');
            count.put(moment, &through, into);
        }
        into.push(b'\n');
    }
}

fn snmp6(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let through = moment.protocols();
    for (name, count) in SNMP6 {
        put_left(name, 32, into);
        into.push(b'\t');
        count.put(moment, &through, into);
        into.push(b'\n');
    }
}

/// Errors, with rates in millionths per second.
const REASONS: [(&str, u64); 30] = [
    ("InError", 0),
    ("InBufferError", 0),
    ("InHdrError", 2),
    ("InNoStates", 1_900),
    ("InStateProtoError", 31),
    ("InStateModeError", 0),
    ("InStateSeqError", 640),
    ("InStateExpired", 3),
    ("InStateMismatch", 0),
    ("InStateInvalid", 1),
    ("InTmplMismatch", 88),
    ("InNoPols", 12),
    ("InPolBlock", 0),
    ("InPolError", 0),
    ("OutError", 0),
    ("OutBundleGenError", 0),
    ("OutBundleCheckError", 0),
    ("OutNoStates", 2_300),
    ("OutStateProtoError", 4),
    ("OutStateModeError", 0),
    ("OutStateSeqError", 0),
    ("OutStateExpired", 9),
    ("OutPolBlock", 0),
    ("OutPolDead", 0),
    ("OutPolError", 0),
    ("FwdHdrError", 0),
    ("OutStateInvalid", 2),
    ("AcquireError", 140),
    ("OutStateDirError", 0),
    ("InStateDirError", 0),
];
/// The version that added the last two errors.
const DIRECTIONS_SINCE: KernelVersion = KernelVersion::new(6, 10);

fn xfrm_stat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let Some(wave) = &moment.machine.ipsec else { return };
    let knows_directions = moment.kernel() >= DIRECTIONS_SINCE;
    for (name, micro) in REASONS.iter().filter(|(name, _)| knows_directions || !name.ends_with("DirError")) {
        put_line!(into, "{:<24}\t{}", format!("Xfrm{name}"), moment.counter(wave, *micro) / 1_000);
    }
}
