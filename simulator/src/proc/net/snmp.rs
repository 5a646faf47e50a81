//! /proc/net/netstat, snmp and snmp6: what the protocols of the network counted

use super::own;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::moment::protocols::Protocols;
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
    /// There is no limit, which is told as -1.
    Unlimited,
    /// 1 where packets are passed on, 2 where they are not.
    Router,
    /// It is part of what went through the devices.
    Through(fn(&Protocols) -> u64),
}

use Count::{Always, Established, Rate, Router, Through, Unlimited};

impl Count {
    fn put(&self, moment: &Moment<'_>, protocols: &Protocols, into: &mut Vec<u8>) {
        match self {
            Always(value) => put!(into, "{value}"),
            Rate(milli) => put!(into, "{}", moment.counter(&moment.machine.load, *milli)),
            Established => put!(into, "{}", moment.sockets().established),
            Unlimited => put!(into, "-1"),
            Router => put!(into, "{}", if moment.is_router() { 1 } else { 2 }),
            Through(count) => put!(into, "{}", count(protocols)),
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
            ("EmbryonicRsts", Rate(3)),
            ("PruneCalled", Always(0)),
            ("RcvPruned", Always(0)),
            ("OfoPruned", Always(0)),
            ("OutOfWindowIcmps", Rate(1)),
            ("LockDroppedIcmps", Always(0)),
            ("ArpFilter", Always(0)),
            ("TW", Rate(410)),
            ("TWRecycled", Always(0)),
            ("TWKilled", Always(0)),
            ("PAWSActive", Always(0)),
            ("PAWSEstab", Rate(4)),
            ("DelayedACKs", Rate(1_900)),
            ("DelayedACKLocked", Rate(11)),
            ("DelayedACKLost", Rate(36)),
            ("ListenOverflows", Always(0)),
            ("ListenDrops", Always(0)),
            ("TCPHPHits", Through(|p| p.received.tcp[0] / 2)),
            ("TCPPureAcks", Through(|p| p.received.tcp[0] / 5)),
            ("TCPHPAcks", Through(|p| p.received.tcp[0] / 4)),
            ("TCPRenoRecovery", Always(0)),
            ("TCPSackRecovery", Rate(14)),
            ("TCPSACKReneging", Always(0)),
            ("TCPSACKReorder", Rate(21)),
            ("TCPRenoReorder", Always(0)),
            ("TCPTSReorder", Rate(2)),
            ("TCPFullUndo", Rate(1)),
            ("TCPPartialUndo", Always(0)),
            ("TCPDSACKUndo", Rate(3)),
            ("TCPLossUndo", Rate(2)),
            ("TCPLostRetransmit", Rate(12)),
            ("TCPRenoFailures", Always(0)),
            ("TCPSackFailures", Always(0)),
            ("TCPLossFailures", Always(0)),
            ("TCPFastRetrans", Rate(31)),
            ("TCPSlowStartRetrans", Rate(4)),
            ("TCPTimeouts", Rate(31)),
            ("TCPLossProbes", Rate(39)),
            ("TCPLossProbeRecovery", Rate(6)),
            ("TCPRenoRecoveryFail", Always(0)),
            ("TCPSackRecoveryFail", Always(0)),
            ("TCPRcvCollapsed", Always(0)),
            ("TCPBacklogCoalesce", Rate(910)),
            ("TCPDSACKOldSent", Rate(35)),
            ("TCPDSACKOfoSent", Rate(1)),
            ("TCPDSACKRecv", Rate(28)),
            ("TCPDSACKOfoRecv", Always(0)),
            ("TCPAbortOnData", Rate(61)),
            ("TCPAbortOnClose", Rate(22)),
            ("TCPAbortOnMemory", Always(0)),
            ("TCPAbortOnTimeout", Rate(5)),
            ("TCPAbortOnLinger", Always(0)),
            ("TCPAbortFailed", Always(0)),
            ("TCPMemoryPressures", Always(0)),
            ("TCPMemoryPressuresChrono", Always(0)),
            ("TCPSACKDiscard", Always(0)),
            ("TCPDSACKIgnoredOld", Always(0)),
            ("TCPDSACKIgnoredNoUndo", Rate(11)),
            ("TCPSpuriousRTOs", Always(0)),
            ("TCPMD5NotFound", Always(0)),
            ("TCPMD5Unexpected", Always(0)),
            ("TCPMD5Failure", Always(0)),
            ("TCPSackShifted", Rate(9)),
            ("TCPSackMerged", Rate(14)),
            ("TCPSackShiftFallback", Rate(58)),
            ("TCPBacklogDrop", Always(0)),
            ("PFMemallocDrop", Always(0)),
            ("TCPMinTTLDrop", Always(0)),
            ("TCPDeferAcceptDrop", Always(0)),
            ("IPReversePathFilter", Rate(1)),
            ("TCPTimeWaitOverflow", Always(0)),
            ("TCPReqQFullDoCookies", Always(0)),
            ("TCPReqQFullDrop", Always(0)),
            ("TCPRetransFail", Always(0)),
            ("TCPRcvCoalesce", Through(|p| p.received.tcp[0] / 3)),
            ("TCPOFOQueue", Rate(140)),
            ("TCPOFODrop", Always(0)),
            ("TCPOFOMerge", Rate(1)),
            ("TCPChallengeACK", Rate(2)),
            ("TCPSYNChallenge", Always(0)),
            ("TCPFastOpenActive", Always(0)),
            ("TCPFastOpenActiveFail", Always(0)),
            ("TCPFastOpenPassive", Always(0)),
            ("TCPFastOpenPassiveFail", Always(0)),
            ("TCPFastOpenListenOverflow", Always(0)),
            ("TCPFastOpenCookieReqd", Always(0)),
            ("TCPFastOpenBlackhole", Always(0)),
            ("TCPSpuriousRtxHostQueues", Always(0)),
            ("BusyPollRxPackets", Always(0)),
            ("TCPAutoCorking", Rate(3_900)),
            ("TCPFromZeroWindowAdv", Rate(2)),
            ("TCPToZeroWindowAdv", Rate(2)),
            ("TCPWantZeroWindowAdv", Rate(5)),
            ("TCPSynRetrans", Rate(24)),
            ("TCPOrigDataSent", Through(|p| p.sent.tcp[0] / 2)),
            ("TCPHystartTrainDetect", Rate(7)),
            ("TCPHystartTrainCwnd", Rate(190)),
            ("TCPHystartDelayDetect", Always(0)),
            ("TCPHystartDelayCwnd", Always(0)),
            ("TCPACKSkippedSynRecv", Always(0)),
            ("TCPACKSkippedPAWS", Always(0)),
            ("TCPACKSkippedSeq", Always(0)),
            ("TCPACKSkippedFinWait2", Always(0)),
            ("TCPACKSkippedTimeWait", Always(0)),
            ("TCPACKSkippedChallenge", Always(0)),
            ("TCPWinProbe", Rate(1)),
            ("TCPKeepAlive", Rate(2_400)),
            ("TCPMTUPFail", Always(0)),
            ("TCPMTUPSuccess", Always(0)),
            ("TCPDelivered", Through(|p| p.sent.tcp[0] / 2)),
            ("TCPDeliveredCE", Always(0)),
            ("TCPAckCompressed", Rate(33)),
            ("TCPZeroWindowDrop", Always(0)),
            ("TCPRcvQDrop", Always(0)),
            ("TCPWqueueTooBig", Always(0)),
            ("TCPFastOpenPassiveAltKey", Always(0)),
            ("TcpTimeoutRehash", Rate(29)),
            ("TcpDuplicateDataRehash", Always(0)),
            ("TCPDSACKRecvSegs", Rate(30)),
            ("TCPDSACKIgnoredDubious", Always(0)),
        ],
    ),
    (
        "IpExt",
        &[
            ("InNoRoutes", Always(0)),
            ("InTruncatedPkts", Always(0)),
            ("InMcastPkts", Rate(33)),
            ("OutMcastPkts", Rate(12)),
            ("InBcastPkts", Rate(61)),
            ("OutBcastPkts", Always(0)),
            ("InOctets", Through(|p| p.received.bytes[0])),
            ("OutOctets", Through(|p| p.sent.bytes[0])),
            ("InMcastOctets", Rate(3_400)),
            ("OutMcastOctets", Rate(1_100)),
            ("InBcastOctets", Rate(9_300)),
            ("OutBcastOctets", Always(0)),
            ("InCsumErrors", Always(0)),
            ("InNoECTPkts", Through(|p| p.received.packets[0] - p.received.packets[0] / 400)),
            ("InECT1Pkts", Always(0)),
            ("InECT0Pkts", Through(|p| p.received.packets[0] / 400)),
            ("InCEPkts", Always(0)),
            ("ReasmOverlaps", Always(0)),
        ],
    ),
];

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

const SNMP6: &[(&str, Count)] = &[
    ("Ip6InReceives", Through(|p| p.received.packets[1])),
    ("Ip6InHdrErrors", Always(0)),
    ("Ip6InTooBigErrors", Always(0)),
    ("Ip6InNoRoutes", Always(0)),
    ("Ip6InAddrErrors", Always(0)),
    ("Ip6InUnknownProtos", Always(0)),
    ("Ip6InTruncatedPkts", Always(0)),
    ("Ip6InDiscards", Always(0)),
    ("Ip6InDelivers", Through(|p| p.received.packets[1])),
    ("Ip6OutForwDatagrams", Always(0)),
    ("Ip6OutRequests", Through(|p| p.sent.packets[1])),
    ("Ip6OutDiscards", Always(0)),
    ("Ip6OutNoRoutes", Always(0)),
    ("Ip6ReasmTimeout", Always(0)),
    ("Ip6ReasmReqds", Always(0)),
    ("Ip6ReasmOKs", Always(0)),
    ("Ip6ReasmFails", Always(0)),
    ("Ip6FragOKs", Always(0)),
    ("Ip6FragFails", Always(0)),
    ("Ip6FragCreates", Always(0)),
    ("Ip6InMcastPkts", Through(|p| p.received.icmp[1] / 2)),
    ("Ip6OutMcastPkts", Always(0)),
    ("Ip6InOctets", Through(|p| p.received.bytes[1])),
    ("Ip6OutOctets", Through(|p| p.sent.bytes[1])),
    ("Ip6InMcastOctets", Through(|p| p.received.icmp[1] / 2 * 112)),
    ("Ip6OutMcastOctets", Always(0)),
    ("Ip6InBcastOctets", Always(0)),
    ("Ip6OutBcastOctets", Always(0)),
    ("Ip6InNoECTPkts", Through(|p| p.received.packets[1])),
    ("Ip6InECT1Pkts", Always(0)),
    ("Ip6InECT0Pkts", Always(0)),
    ("Ip6InCEPkts", Always(0)),
    ("Icmp6InMsgs", Through(|p| p.received.icmp[1])),
    ("Icmp6InErrors", Always(0)),
    ("Icmp6OutMsgs", Through(|p| p.sent.icmp[1])),
    ("Icmp6OutErrors", Always(0)),
    ("Icmp6InCsumErrors", Always(0)),
    ("Icmp6InDestUnreachs", Always(0)),
    ("Icmp6InPktTooBigs", Always(0)),
    ("Icmp6InTimeExcds", Always(0)),
    ("Icmp6InParmProblems", Always(0)),
    ("Icmp6InEchos", Always(0)),
    ("Icmp6InEchoReplies", Always(0)),
    ("Icmp6InGroupMembQueries", Always(0)),
    ("Icmp6InGroupMembResponses", Always(0)),
    ("Icmp6InGroupMembReductions", Always(0)),
    ("Icmp6InRouterSolicits", Always(0)),
    ("Icmp6InRouterAdvertisements", Through(|p| p.received.icmp[1] / 2)),
    ("Icmp6InNeighborSolicits", Through(|p| p.received.icmp[1] - p.received.icmp[1] / 2)),
    ("Icmp6InNeighborAdvertisements", Always(0)),
    ("Icmp6InRedirects", Always(0)),
    ("Icmp6InMLDv2Reports", Always(0)),
    ("Icmp6OutDestUnreachs", Always(0)),
    ("Icmp6OutPktTooBigs", Always(0)),
    ("Icmp6OutTimeExcds", Always(0)),
    ("Icmp6OutParmProblems", Always(0)),
    ("Icmp6OutEchos", Always(0)),
    ("Icmp6OutEchoReplies", Always(0)),
    ("Icmp6OutGroupMembQueries", Always(0)),
    ("Icmp6OutGroupMembResponses", Always(0)),
    ("Icmp6OutGroupMembReductions", Always(0)),
    ("Icmp6OutRouterSolicits", Through(|p| p.sent.icmp[1] / 9)),
    ("Icmp6OutRouterAdvertisements", Always(0)),
    ("Icmp6OutNeighborSolicits", Always(0)),
    ("Icmp6OutNeighborAdvertisements", Through(|p| p.sent.icmp[1] - p.sent.icmp[1] / 9)),
    ("Icmp6OutRedirects", Always(0)),
    ("Icmp6OutMLDv2Reports", Always(0)),
    ("Icmp6InType134", Through(|p| p.received.icmp[1] / 2)),
    ("Icmp6InType135", Through(|p| p.received.icmp[1] - p.received.icmp[1] / 2)),
    ("Icmp6OutType133", Through(|p| p.sent.icmp[1] / 9)),
    ("Icmp6OutType136", Through(|p| p.sent.icmp[1] - p.sent.icmp[1] / 9)),
    ("Udp6InDatagrams", Through(|p| p.received.udp[1])),
    ("Udp6NoPorts", Always(0)),
    ("Udp6InErrors", Always(0)),
    ("Udp6OutDatagrams", Through(|p| p.sent.udp[1])),
    ("Udp6RcvbufErrors", Always(0)),
    ("Udp6SndbufErrors", Always(0)),
    ("Udp6InCsumErrors", Always(0)),
    ("Udp6IgnoredMulti", Always(0)),
    ("Udp6MemErrors", Always(0)),
    ("UdpLite6InDatagrams", Always(0)),
    ("UdpLite6NoPorts", Always(0)),
    ("UdpLite6InErrors", Always(0)),
    ("UdpLite6OutDatagrams", Always(0)),
    ("UdpLite6RcvbufErrors", Always(0)),
    ("UdpLite6SndbufErrors", Always(0)),
    ("UdpLite6InCsumErrors", Always(0)),
    ("UdpLite6IgnoredMulti", Always(0)),
    ("UdpLite6MemErrors", Always(0)),
];

fn netstat(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    pairs(NETSTAT, moment, into);
}

fn snmp(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    pairs(SNMP, moment, into);
}

/// A line of names and a line of values for each protocol.
fn pairs(protocols: &[Protocol], moment: &Moment<'_>, into: &mut Vec<u8>) {
    let through = moment.protocols();
    for (protocol, counts) in protocols {
        put!(into, "{protocol}:");
        for (name, _) in *counts {
            put!(into, " {name}");
        }
        put!(into, "\n{protocol}:");
        for (_, count) in *counts {
            put!(into, " ");
            count.put(moment, &through, into);
        }
        put_line!(into, "");
    }
}

fn snmp6(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let through = moment.protocols();
    for (name, count) in SNMP6 {
        put!(into, "{name:<32}\t");
        count.put(moment, &through, into);
        put_line!(into, "");
    }
}
