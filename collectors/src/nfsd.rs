//! NFS server statistics, from /proc/net/rpc/nfsd.

use crate::declare;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;
use crate::kit::rows::Row;
use crate::nfs::statistics::{self, Columns, StatisticsRows};

/// The nfsd collector.
#[derive(Debug)]
pub struct Nfsd;

declare! {
    Nfsd: "nfsd", on, "NFS server requests, threads, caches and connections.";
    labels {
        PerError { error }
        PerMethod { method, proto }
        PerProtocol { proto }
    }
    reads {
        SERVER: File Proc "net/rpc/nfsd";
    }
    families {
        CONNECTIONS: Counter "node_nfsd_connections_total" () "TCP connections accepted by the NFS server.";
        BYTES_READ: Counter "node_nfsd_disk_bytes_read_total" () "Bytes read by the NFS server for clients.";
        BYTES_WRITTEN: Counter "node_nfsd_disk_bytes_written_total" () "Bytes written by the NFS server for clients.";
        STALE_HANDLES: Counter "node_nfsd_file_handles_stale_total" () "Stale file handles sent by clients.";
        PACKETS: Counter "node_nfsd_packets_total" PerProtocol "Packets of the NFS server by transport protocol.";
        READ_AHEAD_MISSES: Counter "node_nfsd_read_ahead_cache_not_found_total" () "Lookups that missed the read-ahead cache.";
        READ_AHEAD_SIZE: Gauge "node_nfsd_read_ahead_cache_size_blocks" () "Size of the read-ahead cache in blocks.";
        REPLY_HITS: Counter "node_nfsd_reply_cache_hits_total" () "Retransmitted requests answered from the reply cache.";
        REPLY_MISSES: Counter "node_nfsd_reply_cache_misses_total" () "Requests whose reply was added to the reply cache.";
        REPLY_UNCACHED: Counter "node_nfsd_reply_cache_nocache_total" () "Requests that bypass the reply cache.";
        REQUESTS: Counter "node_nfsd_requests_total" PerMethod "NFS server requests by procedure and protocol version.";
        RPC_ERRORS: Counter "node_nfsd_rpc_errors_total" PerError "RPC calls refused by the NFS server, by error.";
        RPCS: Counter "node_nfsd_server_rpcs_total" () "RPC calls received by the NFS server.";
        THREADS: kept Gauge "node_nfsd_server_threads" () "Threads of the NFS server.";
    }
}

const ROWS: StatisticsRows<Nfsd, 12> = StatisticsRows {
    names: ["rc", "fh", "io", "th", "ra", "net", "rpc", "proc2", "proc3", "proc4", "proc4ops", "wdeleg_getattr"],
    expected: "a row name such as rc, io or proc4ops",
    parse,
    emit,
};

impl Collect for Nfsd {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        ROWS.collect(cx, SERVER)
    }
}

fn parse<'a>(name: &str, row: Row<'a>) -> Result<Columns, ParseError<'a>> {
    match name {
        "rc" => statistics::exactly(row, 3, "3 numbers"),
        "fh" | "rpc" => statistics::exactly(row, 5, "5 numbers"),
        "io" => statistics::exactly(row, 2, "2 numbers"),
        "ra" => statistics::exactly(row, 12, "12 numbers"),
        "net" => statistics::exactly(row, 4, "4 numbers"),
        "th" => threads(row),
        "proc2" => statistics::version_2(row),
        "proc3" => statistics::version_3(row),
        // Kernels before 5.17 do not have the last operation.
        "proc4ops" => row.counted(39, "a count of 39 or more and as many numbers"),
        "proc4" => statistics::exactly(row, 3, "a count of 2 and 2 numbers"),
        _ => statistics::exactly(row, 1, "a number"),
    }
}

/// Parses the number of threads. The histogram after it is no longer updated by the kernel.
fn threads(row: Row<'_>) -> Result<Columns, ParseError<'_>> {
    let mut fields = row.line.fields().skip(1);
    let mut values = [0; _];
    for place in values.iter_mut().take(2) {
        *place = row.line.number("th", fields.next().unwrap_or_default())?;
    }
    Ok(values)
}

fn emit(page: &mut PageOf<'_, Nfsd>, name: &str, columns: &Columns) {
    let [first, second, third, fourth, fifth, _, _, _, _, _, _, last, ..] = *columns;
    let (version, methods): (_, &[&str]) = match name {
        "rc" => {
            page.counter(REPLY_HITS, (), first);
            page.counter(REPLY_MISSES, (), second);
            return page.counter(REPLY_UNCACHED, (), third);
        }
        "fh" => return page.counter(STALE_HANDLES, (), first),
        "io" => {
            page.counter(BYTES_READ, (), first);
            return page.counter(BYTES_WRITTEN, (), second);
        }
        "th" => return page.gauge(THREADS, (), first),
        "ra" => {
            page.gauge(READ_AHEAD_SIZE, (), first);
            return page.counter(READ_AHEAD_MISSES, (), last);
        }
        "net" => {
            page.counter(PACKETS, PerProtocol { proto: &"tcp" }, third);
            page.counter(PACKETS, PerProtocol { proto: &"udp" }, second);
            return page.counter(CONNECTIONS, (), fourth);
        }
        "rpc" => {
            page.counter(RPCS, (), first);
            page.counter(RPC_ERRORS, PerError { error: &"auth" }, fourth);
            page.counter(RPC_ERRORS, PerError { error: &"cInt" }, fifth);
            return page.counter(RPC_ERRORS, PerError { error: &"fmt" }, third);
        }
        "wdeleg_getattr" => return page.counter(REQUESTS, PerMethod { method: &"WdelegGetattr", proto: &"4" }, first),
        // The null procedure is not exported, as in node_exporter.
        "proc2" => ("2", &statistics::VERSION_2),
        "proc3" => ("3", &statistics::VERSION_3),
        "proc4ops" => ("4", &statistics::SERVER_VERSION_4),
        _ => return,
    };
    for (method, &count) in methods.iter().zip(columns).filter(|(method, _)| !matches!(**method, "" | "Null")) {
        page.counter(REQUESTS, PerMethod { method, proto: &version }, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[track_caller]
    fn check(content: &str, count: usize, expected: &str, complaint: &str) {
        statistics::testing::check::<Nfsd>("proc/net/rpc/nfsd", content, count, expected, complaint);
    }

    const ALL: usize = 16 + 17 + 21 + 35 + 1;

    #[test]
    fn rows_are_exported_as_counters() {
        check(
            "rc 1 6 18622\nfh 9 0 0 0 0\nio 157286400 72864\nth 8 0 0.000 0.000\nra 32 0 0 0 0 0 0 0 0 0 0 77\n\
             net 972 55 917 1\nrpc 18628 5 1 2 3\nproc4 2 2 10853\nwdeleg_getattr 15\n",
            ALL,
            "node_nfsd_connections_total 1\nnode_nfsd_disk_bytes_read_total 1.572864e+08\nnode_nfsd_disk_bytes_written_total 72864\n\
             node_nfsd_file_handles_stale_total 9\nnode_nfsd_packets_total{proto=\"tcp\"} 917\nnode_nfsd_packets_total{proto=\"udp\"} 55\n\
             node_nfsd_read_ahead_cache_not_found_total 77\nnode_nfsd_read_ahead_cache_size_blocks 32\n\
             node_nfsd_reply_cache_hits_total 1\nnode_nfsd_reply_cache_misses_total 6\nnode_nfsd_reply_cache_nocache_total 18622\n\
             node_nfsd_requests_total{method=\"WdelegGetattr\",proto=\"4\"} 15\nnode_nfsd_rpc_errors_total{error=\"auth\"} 2\n\
             node_nfsd_rpc_errors_total{error=\"cInt\"} 3\nnode_nfsd_rpc_errors_total{error=\"fmt\"} 1\n\
             node_nfsd_server_rpcs_total 18628\nnode_nfsd_server_threads 8\n",
            "",
        );
    }

    #[test]
    fn operations_have_a_version_label() {
        let zeros = |count| " 0".repeat(count);
        check(
            &format!("proc2 18 7 1{}\nproc3 22 7 2{}\nproc4ops 39 7 7 7 3{} 4\n", zeros(16), zeros(20), zeros(34)),
            ALL,
            "node_nfsd_requests_total{method=\"Access\",proto=\"4\"} 3\nnode_nfsd_requests_total{method=\"GetAttr\",proto=\"2\"} 1\n\
             node_nfsd_requests_total{method=\"GetAttr\",proto=\"3\"} 2\nnode_nfsd_requests_total{method=\"Write\",proto=\"4\"} 4\n",
            "",
        );
        check(
            &format!("proc4ops 72{} 5{}\n", zeros(39), zeros(32)),
            ALL,
            "node_nfsd_requests_total{method=\"RelLockOwner\",proto=\"4\"} 5\n",
            "",
        );
    }

    #[test]
    fn an_empty_file_has_zeros_in_every_row() {
        check("", ALL, "", "the file: expected at least one line, found nothing");
    }

    #[test]
    fn a_host_without_the_server_has_no_data() {
        given("").fails::<Nfsd>("", "proc/net/rpc/nfsd: no such file");
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let emitted = "node_nfsd_file_handles_stale_total 1\n";
        for (row, cost, complaint) in [
            ("rc 1 2", 3, "proc/net/rpc/nfsd:2: row: expected 3 numbers"),
            ("io 1 2 3", 2, "expected 2 numbers"),
            ("th 8", 1, "th: expected an unsigned integer"),
            ("th x 0", 1, "th: expected an unsigned integer"),
            ("ra 1 2 3", 2, "expected 12 numbers"),
            ("net 1 2 3 -4", 3, "a column: expected an unsigned integer"),
            ("rpc", 4, "expected 5 numbers"),
            ("proc2 17", 17, "a count of 18 or more"),
            ("proc3 22 1", 21, "a count of 22 or more"),
            ("proc4ops 38", 35, "a count of 39 or more"),
            ("proc4 1 2", 0, "a count of 2 and 2 numbers"),
            ("wdeleg_getattr", 1, "a number"),
        ] {
            check(&format!("fh 1 0 0 0 0\n{row}\n"), ALL - cost, emitted, complaint);
        }
    }

    #[test]
    fn missing_rows_are_not_zeros_if_a_row_is_unknown() {
        check(
            "fh 1 0 0 0 0\nfuture 1\n",
            1,
            "node_nfsd_file_handles_stale_total 1\n",
            "expected a row name such as rc",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn counts_round_trip(counts in prop::array::uniform18(1_u32..)) {
            let rendered = counts.iter().map(|count| format!(" {count}")).collect::<Vec<_>>().concat();
            let samples = given(&format!("== proc/net/rpc/nfsd\nproc2 18{rendered}\n")).scrape::<Nfsd>().samples();
            for (method, count) in statistics::VERSION_2.iter().zip(counts).skip(1) {
                let name = format!("node_nfsd_requests_total{{method=\"{method}\",proto=\"2\"}} ");
                let line = samples.lines().find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok());
                prop_assert_eq!(line, Some(f64::from(count)));
            }
        }
    }
}
