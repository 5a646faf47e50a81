//! Network protocol statistics, from /proc/net/netstat, snmp and snmp6.

use crate::declare;
use crate::kit::filter::{self, Pattern};
use crate::kit::page::PageOf;
use crate::kit::prelude::*;
use crate::kit::table;

/// The netstat collector.
#[derive(Debug)]
pub struct Netstat {
    fields: Option<Pattern>,
    name: Vec<u8>,
}

declare! {
    Netstat: "netstat", on, "Network protocol statistics: packets, errors and connections.";
    reads {
        NETSTAT: File Proc "net/netstat";
        SNMP: File Proc "net/snmp";
        SNMP6: File Proc "net/snmp6";
    }
    flags {
        FIELDS: Text "collector.netstat.fields" = "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
            "Regexp of the fields to export, as protocol, `_` and field name.";
    }
    prefixes {
        FIELD: Untyped "node_netstat_" () "Field {} of /proc/net/netstat, snmp or snmp6.";
    }
}

impl Collect for Netstat {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { fields: filter::pattern_of(options, FIELDS)?, name: Vec::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for file in [NETSTAT, SNMP] {
            let Some(text) = cx.problems.value(cx.files.read(file, [])) else { continue };
            let text = table::filled(text, cx.problems);
            let mut lines = text.lines().peekable();
            while let Some(names) = lines.next() {
                // Lines come in pairs. A line without its pair must not shift the following ones.
                let Some(values) = lines.next_if(|values| protocol(*values) == protocol(names)) else {
                    cx.problems.report(names.error("next line", "the values of these names", names.bytes));
                    continue;
                };
                let Some(pair) = cx.problems.value(pair(names, values)) else { continue };
                for (name, value) in pair {
                    self.emit(&mut cx.page, cx.problems, values, [protocol(names), name], value);
                }
            }
        }
        // A host without IPv6 does not have the file.
        let Some(text) = cx.files.read_if_present(SNMP6, [])? else { return Ok(()) };
        let text = table::filled(text, cx.problems);
        let mut has_fields = text.bytes.is_empty();
        for line in text.lines() {
            let mut fields = line.fields();
            let Some((name, value)) = fields.next().zip(fields.next()) else { continue };
            // The protocol ends with 6: Ip6, Icmp6, Udp6, UdpLite6.
            let Some(end) = memchr::memchr(b'6', name) else { continue };
            let (protocol, name) = name.split_at(end + 1);
            has_fields = true;
            self.emit(&mut cx.page, cx.problems, line, [protocol, name], value);
        }
        if !has_fields {
            cx.problems.report(text.error(
                "the file",
                "names such as Ip6InReceives and their values",
                text.first_line(),
            ));
        }
        Ok(())
    }
}

impl Netstat {
    fn emit<'a>(
        &mut self,
        page: &mut PageOf<'_, Self>,
        problems: &mut Problems,
        line: Line<'a>,
        [protocol, name]: [&'a [u8]; 2],
        value: &'a [u8],
    ) {
        self.name.clear();
        for piece in [protocol, b"_", name] {
            self.name.extend_from_slice(piece);
        }
        if self.fields.as_ref().is_some_and(|fields| !fields.is_match(&self.name)) {
            return;
        }
        if let Some(value) = problems.value(line.number::<f64>(name, value)) {
            page.named(FIELD, &[&self.name], (), value);
        }
    }
}

/// The protocol of a line.
fn protocol(line: Line<'_>) -> &[u8] {
    let first = line.fields().next().unwrap_or_default();
    first.strip_suffix(b":").unwrap_or(first)
}

/// Pairs the names of one line with the values of the next.
fn pair<'a>(names: Line<'a>, values: Line<'a>) -> Result<impl Iterator<Item = (&'a [u8], &'a [u8])>, ParseError<'a>> {
    if names.fields().count() != values.fields().count() {
        return Err(values.error(protocol(values), "one value for each name of the previous line", values.bytes));
    }
    Ok(names.fields().skip(1).zip(values.fields().skip(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const NETSTAT_FILE: &str = "== proc/net/netstat\nTcpExt: SyncookiesSent ArpFilter TCPTimeouts\nTcpExt: 3 4 115\nIpExt: InNoRoutes InOctets\nIpExt: 1 6286396970\n";
    const SNMP_FILE: &str = "== proc/net/snmp\nIp: Forwarding DefaultTTL\nIp: 2 64\nTcp: MaxConn InErrs\nTcp: -1 5\n";
    const EMITTED: &str = "node_netstat_IpExt_InOctets 6.28639697e+09\nnode_netstat_Ip_Forwarding 2\n\
        node_netstat_TcpExt_SyncookiesSent 3\nnode_netstat_TcpExt_TCPTimeouts 115\nnode_netstat_Tcp_InErrs 5\n";

    #[test]
    fn selected_fields_of_all_three_files_are_exported() {
        let tree = format!(
            "{NETSTAT_FILE}{SNMP_FILE}== proc/net/snmp6\nIp6InOctets  460\nIp6InNoRoutes 5\nUdp6InErrors 0\nUdpLite6InErrors 1\nother 7\n"
        );
        given(&tree).emits::<Netstat>(
            "node_netstat_Ip6_InOctets 460\nnode_netstat_IpExt_InOctets 6.28639697e+09\nnode_netstat_Ip_Forwarding 2\n\
             node_netstat_TcpExt_SyncookiesSent 3\nnode_netstat_TcpExt_TCPTimeouts 115\nnode_netstat_Tcp_InErrs 5\n\
             node_netstat_Udp6_InErrors 0\nnode_netstat_UdpLite6_InErrors 1\n",
        );
        given(&tree)
            .flags(&["--collector.netstat.fields=^(Tcp_MaxConn|Ip6_InNo.*)$"])
            .emits::<Netstat>("node_netstat_Ip6_InNoRoutes 5\nnode_netstat_Tcp_MaxConn -1\n");
        given(&tree)
            .flags(&["--collector.netstat.fields=("])
            .is_refused::<Netstat>("--collector.netstat.fields: expected a regular expression, found `(`");
    }

    #[test]
    fn a_host_without_ipv6_has_no_snmp6() {
        given(&format!("{NETSTAT_FILE}{SNMP_FILE}")).emits::<Netstat>(EMITTED);
    }

    #[test]
    fn a_missing_file_costs_only_its_own_samples() {
        given(NETSTAT_FILE).fails::<Netstat>(
            "node_netstat_IpExt_InOctets 6.28639697e+09\nnode_netstat_TcpExt_SyncookiesSent 3\nnode_netstat_TcpExt_TCPTimeouts 115\n",
            "proc/net/snmp: no such file",
        );
        given(SNMP_FILE).fails::<Netstat>(
            "node_netstat_Ip_Forwarding 2\nnode_netstat_Tcp_InErrs 5\n",
            "proc/net/netstat: no such file",
        );
        given(&format!("{NETSTAT_FILE}{SNMP_FILE}== proc/net/snmp6 error=EIO\n"))
            .fails::<Netstat>(EMITTED, "proc/net/snmp6: ");
    }

    #[test]
    fn a_bad_pair_costs_only_its_own_samples() {
        let check = |bad: &str, complaint: &str| {
            given(&format!("{NETSTAT_FILE}== proc/net/snmp\n{bad}Ip: Forwarding\nIp: 2\nTcp: InErrs\nTcp: 5\n"))
                .fails::<Netstat>(EMITTED, complaint);
        };
        check("Udp: InErrors OutDatagrams\nUdp: 1\n", "proc/net/snmp:2: Udp: expected one value for each name");
        check("Udp: InErrors\nUdp: 1 2\n", "one value for each name");
        check("Udp: InErrors\nUdp: x\n", "proc/net/snmp:2: InErrors: expected a number, found \"x\"");
        check("Udp: InErrors\n", "proc/net/snmp:1: next line: expected the values of these names");
        check("\n", "proc/net/snmp:1: next line");
    }

    #[test]
    fn an_snmp6_file_without_counters_is_reported() {
        given("== proc/net/netstat\n== proc/net/snmp\nIp: Forwarding\nIp: 2\n== proc/net/snmp6\nx\n")
            .fails::<Netstat>("node_netstat_Ip_Forwarding 2\n", "proc/net/snmp6: the file: expected names such as");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn values_round_trip(values in prop::collection::vec(any::<u32>(), 1..9)) {
            let names = (0..values.len()).map(|at| format!(" Name{at}")).collect::<Vec<_>>().concat();
            let rendered = values.iter().map(|value| format!(" {value}")).collect::<Vec<_>>().concat();
            let text = format!("P:{names}\nP:{rendered}\n");
            let text = Text::new(Mount::Proc, b"x", text.as_bytes());
            let mut lines = text.lines();
            let (first, second) = (lines.next().expect("names"), lines.next().expect("values"));
            let found: Vec<u32> = pair(first, second).expect("a pair").filter_map(|(_, value)| second.number("x", value).ok()).collect();
            prop_assert_eq!(found, values);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let text = Text::new(Mount::Proc, b"x", &bytes);
            for (names, values) in text.lines().zip(text.lines().skip(1)) {
                if let Ok(pair) = pair(names, values) {
                    let _ = pair.count();
                }
            }
        }
    }
}
