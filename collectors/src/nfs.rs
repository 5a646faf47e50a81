//! NFS client statistics, from /proc/net/rpc/nfs.

pub(crate) mod statistics;

use crate::declare;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;
use crate::kit::rows::Row;
use statistics::{Columns, StatisticsRows};

/// The nfs collector.
#[derive(Debug)]
pub struct Nfs;

declare! {
    Nfs: "nfs", on, "NFS client requests by procedure.";
    labels {
        PerMethod { method, proto }
        PerProtocol { protocol }
    }
    reads {
        CLIENT: File Proc "net/rpc/nfs";
    }
    families {
        CONNECTIONS: Counter "node_nfs_connections_total" () "TCP connections made by the NFS client.";
        PACKETS: Counter "node_nfs_packets_total" PerProtocol "Packets of the NFS client by transport protocol.";
        REQUESTS: Counter "node_nfs_requests_total" PerMethod "NFS client requests by procedure and protocol version.";
        REFRESHES: Counter "node_nfs_rpc_authentication_refreshes_total" () "Credential refreshes of the NFS client.";
        RETRANSMISSIONS: Counter "node_nfs_rpc_retransmissions_total" () "RPC calls retransmitted by the NFS client.";
        RPCS: Counter "node_nfs_rpcs_total" () "RPC calls made by the NFS client.";
    }
}

/// A kernel without a version of NFS omits its row.
const ROWS: StatisticsRows<Nfs, 5> = StatisticsRows {
    names: ["net", "rpc", "proc2", "proc3", "proc4"],
    expected: "net, rpc, proc2, proc3 or proc4",
    parse,
    emit,
};

impl Collect for Nfs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        ROWS.collect(cx, CLIENT)
    }
}

fn parse<'a>(name: &str, row: Row<'a>) -> Result<Columns, ParseError<'a>> {
    match name {
        "net" => statistics::exactly(row, 4, "4 numbers"),
        "rpc" => statistics::exactly(row, 3, "3 numbers"),
        "proc2" => statistics::version_2(row),
        "proc3" => statistics::version_3(row),
        _ => row.counted(0, "a count and as many numbers"),
    }
}

fn emit(page: &mut PageOf<'_, Nfs>, name: &str, columns: &Columns) {
    let [first, second, third, fourth, ..] = *columns;
    let (version, methods): (_, &[&str]) = match name {
        "net" => {
            page.counter(PACKETS, PerProtocol { protocol: &"tcp" }, third);
            page.counter(PACKETS, PerProtocol { protocol: &"udp" }, second);
            return page.counter(CONNECTIONS, (), fourth);
        }
        "rpc" => {
            page.counter(RPCS, (), first);
            page.counter(RETRANSMISSIONS, (), second);
            return page.counter(REFRESHES, (), third);
        }
        "proc2" => ("2", &statistics::VERSION_2),
        "proc3" => ("3", &statistics::VERSION_3),
        _ => ("4", &statistics::CLIENT_VERSION_4),
    };
    for (method, &count) in methods.iter().zip(columns) {
        page.counter(REQUESTS, PerMethod { method, proto: &version }, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const V2: &str = "proc2 18 0 1 0 0 2 0 3 0 0 0 0 0 0 0 0 0 0 17\n";
    const V3: &str = "proc3 22 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 21\n";

    #[track_caller]
    fn check(content: &str, count: usize, expected: &str, complaint: &str) {
        statistics::testing::check::<Nfs>("proc/net/rpc/nfs", content, count, expected, complaint);
    }

    const ALL: usize = 6 + 18 + 22 + 59;

    #[test]
    fn rows_are_counters_by_version_and_method() {
        check(
            &format!("net 70 71 69 45\nrpc 12 3 4\n{V2}{V3}proc4 3 0 7 8\n"),
            ALL,
            "node_nfs_connections_total 45\nnode_nfs_packets_total{protocol=\"tcp\"} 69\nnode_nfs_packets_total{protocol=\"udp\"} 71\n\
             node_nfs_requests_total{method=\"Commit\",proto=\"3\"} 21\nnode_nfs_requests_total{method=\"FsStat\",proto=\"2\"} 17\n\
             node_nfs_requests_total{method=\"GetAttr\",proto=\"2\"} 1\nnode_nfs_requests_total{method=\"GetAttr\",proto=\"3\"} 5\n\
             node_nfs_requests_total{method=\"Lookup\",proto=\"2\"} 2\nnode_nfs_requests_total{method=\"Read\",proto=\"2\"} 3\n\
             node_nfs_requests_total{method=\"Read\",proto=\"4\"} 7\nnode_nfs_requests_total{method=\"Write\",proto=\"4\"} 8\n\
             node_nfs_rpc_authentication_refreshes_total 4\nnode_nfs_rpc_retransmissions_total 3\nnode_nfs_rpcs_total 12\n",
            "",
        );
    }

    #[test]
    fn missing_rows_are_zeros() {
        check("rpc 1 0 0\n", ALL, "node_nfs_rpcs_total 1\n", "");
    }

    #[test]
    fn unknown_operations_are_ignored() {
        let zeros = " 0".repeat(70);
        check(&format!("proc4 71{zeros} 5\n"), ALL, "", "");
    }

    #[test]
    fn an_empty_file_has_zeros_in_every_row() {
        check("", ALL, "", "the file: expected at least one line, found nothing");
    }

    #[test]
    fn a_host_without_the_client_has_no_data() {
        given("").fails::<Nfs>("", "proc/net/rpc/nfs: no such file");
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let emitted = "node_nfs_rpcs_total 1\n";
        check("rpc 1 0 0\nnet 1 2 3\n", ALL - 3, emitted, "proc/net/rpc/nfs:2: row: expected 4 numbers");
        check("rpc 1 0 0\nproc2 17 0\n", ALL - 18, emitted, "expected a count of 18 or more");
        check("rpc 1 0 0\nproc3 22 x\n", ALL - 22, emitted, "a column: expected an unsigned integer");
        check("rpc 1 0 0\nproc4 2 0\n", ALL - 59, emitted, "expected a count and as many numbers");
        check("rpc 1 0 0\nproc4 2 0 18446744073709551616\n", ALL - 59, emitted, "a column: expected");
    }

    #[test]
    fn missing_rows_are_not_zeros_if_a_row_is_unknown() {
        check("rpc 1 0 0\nproc5 1 2\n", 3, "node_nfs_rpcs_total 1\n", "expected net, rpc, proc2, proc3 or proc4");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn counts_round_trip(counts in prop::array::uniform22(1_u32..)) {
            let rendered = counts.iter().map(|count| format!(" {count}")).collect::<Vec<_>>().concat();
            let samples = given(&format!("== proc/net/rpc/nfs\nproc3 22{rendered}\n")).scrape::<Nfs>().samples();
            for (method, count) in statistics::VERSION_3.iter().zip(counts) {
                let name = format!("node_nfs_requests_total{{method=\"{method}\",proto=\"3\"}} ");
                let line = samples.lines().find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok());
                prop_assert_eq!(line, Some(f64::from(count)));
            }
        }
    }
}
