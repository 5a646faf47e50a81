//! The counters of a port: those of the standard, those of kernels before 4.5 and those of the hardware.

use super::{
    ACK_TIMEOUTS, ADAPTIVE_RETRANSMITS, ADAPTIVE_TIMEOUTS, ATOMIC_REQUESTS, BUFFER_OVERRUNS, CHECKSUM_ERRORS,
    CONNECT_REQUESTS, CONSTRAINT_RECEIVED, CONSTRAINT_TRANSMITTED, COUNTER, COUNTERS, DATA_RECEIVED, DATA_TRANSMITTED,
    DISCARDS_RECEIVED, DISCARDS_TRANSMITTED, DUPLICATE_REQUESTS, ERRORS_RECEIVED, HARDWARE_COUNTER, HARDWARE_COUNTERS,
    IMPLIED_NAK, Infiniband, LEGACY_COUNTER, LEGACY_COUNTERS, LEGACY_DATA_RECEIVED, LEGACY_DATA_TRANSMITTED,
    LEGACY_MULTICAST_RECEIVED, LEGACY_MULTICAST_TRANSMITTED, LEGACY_PACKETS_RECEIVED, LEGACY_PACKETS_TRANSMITTED,
    LEGACY_UNICAST_RECEIVED, LEGACY_UNICAST_TRANSMITTED, LIFESPAN, LINK_DOWNED, LINK_INTEGRITY, LINK_RECOVERED,
    MARKED_RECEIVED, MULTICAST_RECEIVED, MULTICAST_TRANSMITTED, NOT_READY, NOTIFICATIONS_HANDLED,
    NOTIFICATIONS_IGNORED, NOTIFICATIONS_SENT, OUT_OF_BUFFER, OUT_OF_SEQUENCE, PACKETS_RECEIVED, PACKETS_TRANSMITTED,
    Port, READ_REQUESTS, REMOTE_PHYSICAL, REQUESTER_ACCESS, REQUESTER_ERRORS, REQUESTER_FLUSHED, REQUESTER_INVALID,
    RESPONDER_ACCESS, RESPONDER_ERRORS, RESPONDER_FLUSHED, RESPONDER_LENGTH, SEQUENCE_ERRORS, SLOW_RESTART_NOTIFIED,
    SLOW_RESTART_USED, SLOW_RESTARTS, SWITCH_RELAY, SYMBOL_ERRORS, TRANSMIT_WAIT, UNICAST_RECEIVED,
    UNICAST_TRANSMITTED, VL15_DROPPED, WRITE_REQUESTS,
};
use crate::host::root::{Kind, Names};
use crate::kit::attribute;
use crate::kit::family::{Counter, Family};
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::read::{Directory, File, Read};

/// What a file counts in.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Plain,
    /// Four bytes, whatever the number of lanes.
    Words,
}

/// A file, what it is on the page, and what it counts in.
type Row = (&'static [u8], Family<Infiniband, Counter, crate::kit::family::Unnamed<2>>, Unit);

const COUNTER_ROWS: &[Row] = &[
    (b"VL15_dropped", VL15_DROPPED, Unit::Plain),
    (b"excessive_buffer_overrun_errors", BUFFER_OVERRUNS, Unit::Plain),
    (b"link_downed", LINK_DOWNED, Unit::Plain),
    (b"link_error_recovery", LINK_RECOVERED, Unit::Plain),
    (b"local_link_integrity_errors", LINK_INTEGRITY, Unit::Plain),
    (b"multicast_rcv_packets", MULTICAST_RECEIVED, Unit::Plain),
    (b"multicast_xmit_packets", MULTICAST_TRANSMITTED, Unit::Plain),
    (b"port_rcv_constraint_errors", CONSTRAINT_RECEIVED, Unit::Plain),
    (b"port_rcv_data", DATA_RECEIVED, Unit::Words),
    (b"port_rcv_discards", DISCARDS_RECEIVED, Unit::Plain),
    (b"port_rcv_errors", ERRORS_RECEIVED, Unit::Plain),
    (b"port_rcv_packets", PACKETS_RECEIVED, Unit::Plain),
    (b"port_rcv_remote_physical_errors", REMOTE_PHYSICAL, Unit::Plain),
    (b"port_rcv_switch_relay_errors", SWITCH_RELAY, Unit::Plain),
    (b"port_xmit_constraint_errors", CONSTRAINT_TRANSMITTED, Unit::Plain),
    (b"port_xmit_data", DATA_TRANSMITTED, Unit::Words),
    (b"port_xmit_discards", DISCARDS_TRANSMITTED, Unit::Plain),
    (b"port_xmit_packets", PACKETS_TRANSMITTED, Unit::Plain),
    (b"port_xmit_wait", TRANSMIT_WAIT, Unit::Plain),
    (b"symbol_error", SYMBOL_ERRORS, Unit::Plain),
    (b"unicast_rcv_packets", UNICAST_RECEIVED, Unit::Plain),
    (b"unicast_xmit_packets", UNICAST_TRANSMITTED, Unit::Plain),
];

const LEGACY_ROWS: &[Row] = &[
    (b"port_multicast_rcv_packets", LEGACY_MULTICAST_RECEIVED, Unit::Plain),
    (b"port_multicast_xmit_packets", LEGACY_MULTICAST_TRANSMITTED, Unit::Plain),
    (b"port_rcv_data_64", LEGACY_DATA_RECEIVED, Unit::Words),
    (b"port_rcv_packets_64", LEGACY_PACKETS_RECEIVED, Unit::Plain),
    (b"port_unicast_rcv_packets", LEGACY_UNICAST_RECEIVED, Unit::Plain),
    (b"port_unicast_xmit_packets", LEGACY_UNICAST_TRANSMITTED, Unit::Plain),
    (b"port_xmit_data_64", LEGACY_DATA_TRANSMITTED, Unit::Words),
    (b"port_xmit_packets_64", LEGACY_PACKETS_TRANSMITTED, Unit::Plain),
];

const HARDWARE_ROWS: &[Row] = &[
    (b"duplicate_request", DUPLICATE_REQUESTS, Unit::Plain),
    (b"implied_nak_seq_err", IMPLIED_NAK, Unit::Plain),
    (b"local_ack_timeout_err", ACK_TIMEOUTS, Unit::Plain),
    (b"np_cnp_sent", NOTIFICATIONS_SENT, Unit::Plain),
    (b"np_ecn_marked_roce_packets", MARKED_RECEIVED, Unit::Plain),
    (b"out_of_buffer", OUT_OF_BUFFER, Unit::Plain),
    (b"out_of_sequence", OUT_OF_SEQUENCE, Unit::Plain),
    (b"packet_seq_err", SEQUENCE_ERRORS, Unit::Plain),
    (b"req_cqe_error", REQUESTER_ERRORS, Unit::Plain),
    (b"req_cqe_flush_error", REQUESTER_FLUSHED, Unit::Plain),
    (b"req_remote_access_errors", REQUESTER_ACCESS, Unit::Plain),
    (b"req_remote_invalid_request", REQUESTER_INVALID, Unit::Plain),
    (b"resp_cqe_error", RESPONDER_ERRORS, Unit::Plain),
    (b"resp_cqe_flush_error", RESPONDER_FLUSHED, Unit::Plain),
    (b"resp_local_length_error", RESPONDER_LENGTH, Unit::Plain),
    (b"resp_remote_access_errors", RESPONDER_ACCESS, Unit::Plain),
    (b"rnr_nak_retry_err", NOT_READY, Unit::Plain),
    (b"roce_adp_retrans", ADAPTIVE_RETRANSMITS, Unit::Plain),
    (b"roce_adp_retrans_to", ADAPTIVE_TIMEOUTS, Unit::Plain),
    (b"roce_slow_restart", SLOW_RESTART_USED, Unit::Plain),
    (b"roce_slow_restart_cnps", SLOW_RESTART_NOTIFIED, Unit::Plain),
    (b"roce_slow_restart_trans", SLOW_RESTARTS, Unit::Plain),
    (b"rp_cnp_handled", NOTIFICATIONS_HANDLED, Unit::Plain),
    (b"rp_cnp_ignored", NOTIFICATIONS_IGNORED, Unit::Plain),
    (b"rx_atomic_requests", ATOMIC_REQUESTS, Unit::Plain),
    (b"rx_dct_connect", CONNECT_REQUESTS, Unit::Plain),
    (b"rx_icrc_encapsulated", CHECKSUM_ERRORS, Unit::Plain),
    (b"rx_read_requests", READ_REQUESTS, Unit::Plain),
    (b"rx_write_requests", WRITE_REQUESTS, Unit::Plain),
];

/// Emits what a port counts. Drivers have one folder of counters, or two, or all of them.
pub(super) fn emit(cx: &mut Cx<'_, Infiniband>, port: Port<'_>, names: &mut Names) {
    if list(cx, COUNTERS, port, names) {
        emit_rows(cx, COUNTER, COUNTER_ROWS, port, names);
        if list(cx, LEGACY_COUNTERS, port, names) {
            emit_rows(cx, LEGACY_COUNTER, LEGACY_ROWS, port, names);
        }
    }
    if list(cx, HARDWARE_COUNTERS, port, names) {
        emit_rows(cx, HARDWARE_COUNTER, HARDWARE_ROWS, port, names);
        if let Some(milliseconds) = count(cx, HARDWARE_COUNTER, port, names, b"lifespan") {
            cx.page.gauge(LIFESPAN, [&port.device, &port.number], milliseconds / 1000);
        }
    }
}

/// Lists a folder of counters; `false` where there is none.
fn list(
    cx: &mut Cx<'_, Infiniband>,
    folder: Read<Infiniband, Directory, 2>,
    port: Port<'_>,
    names: &mut Names,
) -> bool {
    match cx.files.list(folder, [port.device, port.name], names) {
        Ok(()) => true,
        Err(error) => {
            if !error.is_missing() {
                cx.problems.report(error);
            }
            false
        }
    }
}

fn emit_rows(
    cx: &mut Cx<'_, Infiniband>,
    file: Read<Infiniband, File, 3>,
    rows: &[Row],
    port: Port<'_>,
    names: &Names,
) {
    for &(name, family, unit) in rows {
        let Some(count) = count(cx, file, port, names, name) else { continue };
        match unit {
            Unit::Plain => cx.page.counter(family, [&port.device, &port.number], count),
            Unit::Words => cx.page.counter(family, [&port.device, &port.number], count as f64 * WORD_BYTES),
        }
    }
}

/// Data is counted in words of so many bytes, each of which is one on each of four lanes.
const WORD_BYTES: f64 = 4.0;

/// What one file of the folder with these `names` counts, where it does.
fn count(
    cx: &mut Cx<'_, Infiniband>,
    file: Read<Infiniband, File, 3>,
    port: Port<'_>,
    names: &Names,
    name: &[u8],
) -> Option<u64> {
    if !names.iter_kinds().any(|(entry, kind)| entry == name && kind == Kind::File) {
        return None;
    }
    let found = attribute::number(cx, file, [port.device, port.name, name], attribute::is_unavailable);
    found.and_then(|Count(count)| count)
}

/// A count, or the words by which some drivers say that the port has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Count(Option<u64>);

impl FromText for Count {
    const EXPECTED: &'static str = u64::EXPECTED;

    fn from_text(text: &[u8]) -> Option<Self> {
        if memchr::memmem::find(text, b"N/A (no PMA)").is_some() {
            return Some(Self(None));
        }
        u64::from_text(text).map(|count| Self(Some(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    /// A port with these files, and the samples that they give beside those of the port itself.
    fn host(files: &[(&str, &str)]) -> String {
        let port = "sys/class/infiniband/mlx4_0/ports/1";
        let file = |(name, content): &(&str, &str)| format!("== {port}/{name}{content}");
        let files: Vec<_> = files.iter().map(file).collect();
        format!(
            "== sys/class/infiniband/mlx4_0/fw_ver\n2.31\n{}== {port}/phys_state\n5: LinkUp\n\
             == {port}/rate\n40 Gb/sec (4X QDR)\n== {port}/state\n4: ACTIVE\n",
            files.concat()
        )
    }

    fn is_counted(line: &&str) -> bool {
        !["info{", "physical_state_id{", "rate_bytes_per_second{", "state_id{"]
            .iter()
            .any(|own| line.starts_with(&format!("node_infiniband_{own}")))
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[(&str, &str)], complaint: Option<&str>) {
        let scraped = given(&host(files)).scrape::<Infiniband>();
        let samples = scraped.samples();
        let found: Vec<&str> = samples.lines().filter(is_counted).collect();
        let line =
            |(name, value): &(&str, &str)| format!("node_infiniband_{name}{{device=\"mlx4_0\",port=\"1\"}} {value}");
        assert_eq!(found, expected.iter().map(line).collect::<Vec<_>>());
        assert_eq!(samples.lines().count(), found.len() + 4, "the port's own samples");
        let complaints = scraped.complaints;
        assert_eq!(complaints.len(), usize::from(complaint.is_some()), "{complaints:?}");
        assert!(complaint.is_none_or(|complaint| complaints[0].contains(complaint)), "{complaints:?}");
    }

    #[test]
    fn each_kind_of_counters_is_shown() {
        check(
            &[
                ("counters/VL15_dropped", "\n3\n"),
                ("counters/port_rcv_data", "\n9223372036854775808\n"),
                ("counters/unknown", "\nx\n"),
                ("counters_ext/port_xmit_data_64", "\n10\n"),
                ("hw_counters/lifespan", "\n12999\n"),
                ("hw_counters/np_cnp_sent", "\n7\n"),
            ],
            &[
                ("legacy_data_transmitted_bytes_total", "40"),
                ("lifespan_seconds", "12"),
                ("np_cnp_packets_sent_total", "7"),
                ("port_data_received_bytes_total", "3.6893488147419103e+19"),
                ("vl15_dropped_total", "3"),
            ],
            None,
        );
    }

    #[test]
    fn what_the_port_does_not_count_is_left_out() {
        for refused in [
            "\nN/A (no PMA)\n",
            " error=EINVAL\n",
            " error=EOPNOTSUPP\n",
            " error=EACCES\n",
            " error=EPERM\n",
            " -> nowhere\n",
            "/file\n1\n",
        ] {
            for folder in ["counters/symbol_error", "hw_counters/out_of_buffer"] {
                check(&[("counters/link_downed", "\n1\n"), (folder, refused)], &[("link_downed_total", "1")], None);
            }
        }
        check(&[("counters_ext/port_xmit_data_64", "\n10\n")], &[], None);
    }

    #[test]
    fn a_bad_counter_costs_itself_alone() {
        for bad in ["", "-1", "N/A", "many", "18446744073709551616"] {
            let bad = format!("\n{bad}\n");
            let files = [("counters/link_downed", "\n1\n"), ("counters/symbol_error", bad.as_str())];
            check(&files, &[("link_downed_total", "1")], Some("counters/symbol_error: value: expected a whole number"));
        }
        let files = [("counters/link_downed", "\n1\n"), ("hw_counters/lifespan", " error=EIO\n")];
        check(&files, &[("link_downed_total", "1")], Some("hw_counters/lifespan: input/output error"));
        let files = [("counters/link_downed", "\n1\n"), ("hw_counters/", " error=EIO\n")];
        check(&files, &[("link_downed_total", "1")], Some("ports/1/hw_counters: input/output error"));
    }

    #[test]
    fn every_file_has_a_family_of_its_own() {
        let rows = [COUNTER_ROWS, LEGACY_ROWS, HARDWARE_ROWS].concat();
        let names: std::collections::BTreeSet<_> = rows.iter().map(|(_, family, _)| family.info().name).collect();
        assert_eq!((rows.len(), names.len()), (59, 59));
        for table in [COUNTER_ROWS, LEGACY_ROWS, HARDWARE_ROWS] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_come_back(count: u64) {
            prop_assert_eq!(Count::from_text(count.to_string().as_bytes()), Some(Count(Some(count))));
        }

        #[test]
        fn any_bytes_are_a_count_or_none(bytes: Vec<u8>) {
            let _ = Count::from_text(&bytes);
        }
    }
}
