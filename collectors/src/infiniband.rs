//! InfiniBand and RoCE ports from /sys/class/infiniband.

mod counters;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::filter::Filter;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use counters::Unit;

/// The infiniband collector.
#[derive(Default, Debug)]
pub struct Infiniband {
    devices: Filter,
    entries: Names,
    ports: Names,
    counters: Names,
    words: [Vec<u8>; 3],
}

declare! {
    Infiniband: "infiniband", on, "InfiniBand and RoCE port state, traffic and errors.";
    labels {
        AdapterInfo { board_id, device, firmware_version, hca_type }
        PerPort { device, port }
    }
    reads {
        CLASS: Directory Sys "class/infiniband";
        BOARD: File Sys "class/infiniband/*/board_id";
        FIRMWARE: File Sys "class/infiniband/*/fw_ver";
        ADAPTER: File Sys "class/infiniband/*/hca_type";
        PORTS: Directory Sys "class/infiniband/*/ports";
        STATE: File Sys "class/infiniband/*/ports/*/state";
        PHYSICAL_STATE: File Sys "class/infiniband/*/ports/*/phys_state";
        RATE: File Sys "class/infiniband/*/ports/*/rate";
        COUNTERS: Directory Sys "class/infiniband/*/ports/*/counters";
        COUNTER: File Sys "class/infiniband/*/ports/*/counters/*";
        LEGACY_COUNTERS: Directory Sys "class/infiniband/*/ports/*/counters_ext";
        LEGACY_COUNTER: File Sys "class/infiniband/*/ports/*/counters_ext/*";
        HARDWARE_COUNTERS: Directory Sys "class/infiniband/*/ports/*/hw_counters";
        HARDWARE_COUNTER: File Sys "class/infiniband/*/ports/*/hw_counters/*";
    }
    flags {
        INCLUDE: Text "collector.infiniband.device-include" = "",
            "Regexp of devices to include; not together with device-exclude.";
        EXCLUDE: Text "collector.infiniband.device-exclude" = "",
            "Regexp of devices to exclude; not together with device-include.";
    }
    families {
        INFO: Gauge "node_infiniband_info" AdapterInfo "Board, firmware and type of an adapter, always 1.";
        STATE_ID: Gauge "node_infiniband_state_id" PerPort "Port state: 1 down, 2 init, 3 armed, 4 active.";
        PHYSICAL_STATE_ID: Gauge "node_infiniband_physical_state_id" PerPort "Physical port state: 1 sleep, 2 polling, 3 disabled, 5 link up.";
        RATE_BYTES: Gauge "node_infiniband_rate_bytes_per_second" PerPort "Maximum transfer rate of a port, in bytes per second.";
        LIFESPAN: Gauge "node_infiniband_lifespan_seconds" PerPort "Maximum age of cached hardware counters, in seconds.";
    }
    /// Counters of a port, by file.
    table COUNTER_FILES: (&'static [u8], Unit) => PerPort {
        (b"VL15_dropped", Unit::Plain) => Counter "node_infiniband_vl15_dropped_total" "Management packets (VL15) dropped for lack of buffers.";
        (b"excessive_buffer_overrun_errors", Unit::Plain) => Counter "node_infiniband_excessive_buffer_overrun_errors_total" "Buffer overruns longer than the configured threshold.";
        (b"link_downed", Unit::Plain) => Counter "node_infiniband_link_downed_total" "Failed link error recoveries that took the link down.";
        (b"link_error_recovery", Unit::Plain) => Counter "node_infiniband_link_error_recovery_total" "Successful link error recoveries.";
        (b"local_link_integrity_errors", Unit::Plain) => Counter "node_infiniband_local_link_integrity_errors_total" "Local physical errors above the configured threshold.";
        (b"multicast_rcv_packets", Unit::Plain) => Counter "node_infiniband_multicast_packets_received_total" "Multicast packets received, including errors.";
        (b"multicast_xmit_packets", Unit::Plain) => Counter "node_infiniband_multicast_packets_transmitted_total" "Multicast packets sent, including errors.";
        (b"port_rcv_constraint_errors", Unit::Plain) => Counter "node_infiniband_port_constraint_errors_received_total" "Packets received by a switch port and discarded by constraint checks.";
        (b"port_rcv_data", Unit::Words) => Counter "node_infiniband_port_data_received_bytes_total" "Bytes received on all lanes.";
        (b"port_rcv_discards", Unit::Plain) => Counter "node_infiniband_port_discards_received_total" "Inbound packets discarded by a down or congested port.";
        (b"port_rcv_errors", Unit::Plain) => Counter "node_infiniband_port_errors_received_total" "Packets received with errors.";
        (b"port_rcv_packets", Unit::Plain) => Counter "node_infiniband_port_packets_received_total" "Packets received, including errors.";
        (b"port_rcv_remote_physical_errors", Unit::Plain) => Counter "node_infiniband_port_receive_remote_physical_errors_total" "Packets received with the bad-packet delimiter.";
        (b"port_rcv_switch_relay_errors", Unit::Plain) => Counter "node_infiniband_port_receive_switch_relay_errors_total" "Packets received that the switch could not forward.";
        (b"port_xmit_constraint_errors", Unit::Plain) => Counter "node_infiniband_port_constraint_errors_transmitted_total" "Packets not sent by a switch port because of constraint checks.";
        (b"port_xmit_data", Unit::Words) => Counter "node_infiniband_port_data_transmitted_bytes_total" "Bytes sent on all lanes.";
        (b"port_xmit_discards", Unit::Plain) => Counter "node_infiniband_port_discards_transmitted_total" "Outbound packets discarded by a down or congested port.";
        (b"port_xmit_packets", Unit::Plain) => Counter "node_infiniband_port_packets_transmitted_total" "Packets sent, including errors.";
        (b"port_xmit_wait", Unit::Plain) => Counter "node_infiniband_port_transmit_wait_total" "Ticks with data to send and no transmission.";
        (b"symbol_error", Unit::Plain) => Counter "node_infiniband_symbol_error_total" "Minor link errors on one or more lanes.";
        (b"unicast_rcv_packets", Unit::Plain) => Counter "node_infiniband_unicast_packets_received_total" "Unicast packets received, including errors.";
        (b"unicast_xmit_packets", Unit::Plain) => Counter "node_infiniband_unicast_packets_transmitted_total" "Unicast packets sent, including errors.";
    }
    /// Counters of a port on kernels before 4.5, by file.
    table LEGACY_FILES: (&'static [u8], Unit) => PerPort {
        (b"port_multicast_rcv_packets", Unit::Plain) => Counter "node_infiniband_legacy_multicast_packets_received_total" "Multicast packets received, from the legacy extended counters.";
        (b"port_multicast_xmit_packets", Unit::Plain) => Counter "node_infiniband_legacy_multicast_packets_transmitted_total" "Multicast packets sent, from the legacy extended counters.";
        (b"port_rcv_data_64", Unit::Words) => Counter "node_infiniband_legacy_data_received_bytes_total" "Bytes received, from the legacy extended counters.";
        (b"port_rcv_packets_64", Unit::Plain) => Counter "node_infiniband_legacy_packets_received_total" "Packets received, from the legacy extended counters.";
        (b"port_unicast_rcv_packets", Unit::Plain) => Counter "node_infiniband_legacy_unicast_packets_received_total" "Unicast packets received, from the legacy extended counters.";
        (b"port_unicast_xmit_packets", Unit::Plain) => Counter "node_infiniband_legacy_unicast_packets_transmitted_total" "Unicast packets sent, from the legacy extended counters.";
        (b"port_xmit_data_64", Unit::Words) => Counter "node_infiniband_legacy_data_transmitted_bytes_total" "Bytes sent, from the legacy extended counters.";
        (b"port_xmit_packets_64", Unit::Plain) => Counter "node_infiniband_legacy_packets_transmitted_total" "Packets sent, from the legacy extended counters.";
    }
    /// Counters of the hardware, by file.
    table HARDWARE_FILES: (&'static [u8], Unit) => PerPort {
        (b"duplicate_request", Unit::Plain) => Counter "node_infiniband_duplicate_requests_packets_total" "Duplicate request packets received.";
        (b"implied_nak_seq_err", Unit::Plain) => Counter "node_infiniband_implied_nak_seq_errors_total" "Acknowledgements with an unexpectedly high sequence number.";
        (b"local_ack_timeout_err", Unit::Plain) => Counter "node_infiniband_local_ack_timeout_errors_total" "Acknowledgement timeouts of the sender, without the last retry.";
        (b"np_cnp_sent", Unit::Plain) => Counter "node_infiniband_np_cnp_packets_sent_total" "Congestion notification packets sent.";
        (b"np_ecn_marked_roce_packets", Unit::Plain) => Counter "node_infiniband_np_ecn_marked_roce_packets_received_total" "RoCEv2 packets received with a congestion mark.";
        (b"out_of_buffer", Unit::Plain) => Counter "node_infiniband_out_of_buffer_drops_total" "Packets dropped for lack of receive requests.";
        (b"out_of_sequence", Unit::Plain) => Counter "node_infiniband_out_of_sequence_packets_received_total" "Packets received out of sequence.";
        (b"packet_seq_err", Unit::Plain) => Counter "node_infiniband_packet_sequence_errors_total" "Sequence error NAKs received, within the retry limit.";
        (b"req_cqe_error", Unit::Plain) => Counter "node_infiniband_req_cqes_errors_total" "Requester completions with an error.";
        (b"req_cqe_flush_error", Unit::Plain) => Counter "node_infiniband_req_cqes_flush_errors_total" "Requester completions flushed with an error.";
        (b"req_remote_access_errors", Unit::Plain) => Counter "node_infiniband_req_remote_access_errors_total" "Requests refused by the remote side for access rights.";
        (b"req_remote_invalid_request", Unit::Plain) => Counter "node_infiniband_req_remote_invalid_request_errors_total" "Requests refused by the remote side as invalid.";
        (b"resp_cqe_error", Unit::Plain) => Counter "node_infiniband_resp_cqes_errors_total" "Responder completions with an error.";
        (b"resp_cqe_flush_error", Unit::Plain) => Counter "node_infiniband_resp_cqes_flush_errors_total" "Responder completions flushed with an error.";
        (b"resp_local_length_error", Unit::Plain) => Counter "node_infiniband_resp_local_length_errors_total" "Requests received that exceed the local buffer length.";
        (b"resp_remote_access_errors", Unit::Plain) => Counter "node_infiniband_resp_remote_access_errors_total" "Requests received without the required access rights.";
        (b"rnr_nak_retry_err", Unit::Plain) => Counter "node_infiniband_rnr_nak_retry_packets_received_total" "Receiver-not-ready NAKs received.";
        (b"roce_adp_retrans", Unit::Plain) => Counter "node_infiniband_roce_adp_retransmits_total" "Adaptive RoCE retransmissions.";
        (b"roce_adp_retrans_to", Unit::Plain) => Counter "node_infiniband_roce_adp_retransmits_timeout_total" "Adaptive RoCE retransmissions that timed out.";
        (b"roce_slow_restart", Unit::Plain) => Counter "node_infiniband_roce_slow_restart_used_total" "Uses of RoCE slow restart.";
        (b"roce_slow_restart_cnps", Unit::Plain) => Counter "node_infiniband_roce_slow_restart_cnps_total" "Congestion notifications generated by RoCE slow restart.";
        (b"roce_slow_restart_trans", Unit::Plain) => Counter "node_infiniband_roce_slow_restart_total" "State changes to RoCE slow restart.";
        (b"rp_cnp_handled", Unit::Plain) => Counter "node_infiniband_rp_cnp_packets_handled_total" "Congestion notification packets that throttled the sender.";
        (b"rp_cnp_ignored", Unit::Plain) => Counter "node_infiniband_rp_cnp_ignored_packets_received_total" "Congestion notification packets received and ignored.";
        (b"rx_atomic_requests", Unit::Plain) => Counter "node_infiniband_rx_atomic_requests_total" "Atomic requests received.";
        (b"rx_dct_connect", Unit::Plain) => Counter "node_infiniband_rx_dct_connect_requests_total" "Connection requests for dynamically connected transports received.";
        (b"rx_icrc_encapsulated", Unit::Plain) => Counter "node_infiniband_rx_icrc_encapsulated_errors_total" "RoCE packets received with an invalid ICRC.";
        (b"rx_read_requests", Unit::Plain) => Counter "node_infiniband_rx_read_requests_total" "Read requests received.";
        (b"rx_write_requests", Unit::Plain) => Counter "node_infiniband_rx_write_requests_total" "Write requests received.";
    }
}

impl Collect for Infiniband {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { devices: Filter::from_flags(options, INCLUDE, EXCLUDE)?, ..Self::default() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { devices, entries, ports, counters, words } = self;
        cx.files.list(CLASS, [], entries).map_err(|error| error.or_no_data(RootError::is_missing))?;
        for device in entries.iter().filter(|device| !devices.ignores(device)) {
            emit_info(cx, device, words);
            let listed = cx.files.list(PORTS, [device], ports).map_err(Failure::from);
            if cx.problems.value(listed).is_some() {
                for port in ports.iter() {
                    emit_port(cx, device, port, counters);
                }
            }
        }
        Ok(())
    }
}

/// Emits the info of an adapter. Only the firmware version exists for every driver.
fn emit_info(cx: &mut Cx<'_, Infiniband>, device: &[u8], words: &mut [Vec<u8>; 3]) {
    let problems = cx.problems.count();
    let [board, firmware, adapter] = words;
    attribute::word(cx, FIRMWARE, [device], attribute::never, firmware);
    for (file, word) in [(BOARD, &mut *board), (ADAPTER, adapter)] {
        attribute::word(cx, file, [device], RootError::is_missing, word);
    }
    // A missing label would make another series.
    if cx.problems.count() == problems {
        cx.page.gauge(
            INFO,
            AdapterInfo { board_id: board, device: &device, firmware_version: firmware, hca_type: adapter },
            true,
        );
    }
}

fn emit_port(cx: &mut Cx<'_, Infiniband>, device: &[u8], port: &[u8], names: &mut Names) {
    let Some(number) = u32::from_text(port) else {
        cx.problems.report(Failure::error(format_args!(
            "sys/class/infiniband/{}/ports: a port: expected a number, found \"{}\"",
            device.escape_ascii(),
            port.escape_ascii()
        )));
        return;
    };
    for (file, family) in [(STATE, STATE_ID), (PHYSICAL_STATE, PHYSICAL_STATE_ID)] {
        if let Some(StateId(state)) = attribute::number(cx, file, [device, port], attribute::never) {
            cx.page.gauge(family, PerPort { device: &device, port: &number }, state);
        }
    }
    if let Some(Rate(bytes)) = attribute::number(cx, RATE, [device, port], attribute::never) {
        cx.page.gauge(RATE_BYTES, PerPort { device: &device, port: &number }, bytes);
    }
    counters::emit(cx, Port { device, name: port, number }, names);
}

/// A port.
#[derive(Clone, Copy, Debug)]
struct Port<'a> {
    device: &'a [u8],
    /// The name of its directory.
    name: &'a [u8],
    number: u32,
}

/// The number of a state `4: ACTIVE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct StateId(u32);

impl FromText for StateId {
    const EXPECTED: &'static str = "a number, a colon and a name";

    fn from_text(text: &[u8]) -> Option<Self> {
        let mut pieces = text.split(|&byte| byte == b':');
        let (id, _name, None) = (pieces.next()?, pieces.next()?, pieces.next()) else { return None };
        u32::from_text(id.trim_ascii()).map(Self)
    }
}

/// Bytes per second, from `100 Gb/sec (4X EDR)`.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Rate(f64);

impl FromText for Rate {
    const EXPECTED: &'static str = "a number of gigabits per second, a space and their unit";

    fn from_text(text: &[u8]) -> Option<Self> {
        let at = text.iter().position(|&byte| byte == b' ')?;
        let bytes = f64::from_text(&text[..at])? * GIGABIT_BYTES;
        (0.0..RATE_END_BYTES).contains(&bytes).then_some(Self(bytes.trunc()))
    }
}

/// No port is as fast as 2^64 bytes per second.
const RATE_END_BYTES: f64 = u64::MAX as f64;

const GIGABIT_BYTES: f64 = 125e6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/class/infiniband/mlx5_0/fw_ver\n16.35.2000\n== sys/class/infiniband/mlx5_0/hca_type\nMT4119\n\
        == sys/class/infiniband/mlx5_0/ports/1/phys_state\n5: LinkUp\n== sys/class/infiniband/mlx5_0/ports/1/rate\n2.5 Gb/sec (1X SDR)\n\
        == sys/class/infiniband/mlx5_0/ports/1/state\n4: ACTIVE\n";
    const INFO_LINE: &str =
        "node_infiniband_info{board_id=\"\",device=\"mlx5_0\",firmware_version=\"16.35.2000\",hca_type=\"MT4119\"} 1\n";
    const PHYSICAL: &str = "node_infiniband_physical_state_id{device=\"mlx5_0\",port=\"1\"} 5\n";
    const RATE_LINE: &str = "node_infiniband_rate_bytes_per_second{device=\"mlx5_0\",port=\"1\"} 3.125e+08\n";
    const STATE_LINE: &str = "node_infiniband_state_id{device=\"mlx5_0\",port=\"1\"} 4\n";

    #[test]
    fn states_and_rate_of_a_port_are_exported() {
        given(HOST).emits::<Infiniband>(&[INFO_LINE, PHYSICAL, RATE_LINE, STATE_LINE].concat());
        let board = "== sys/class/infiniband/mlx5_0/board_id\nMT_8\n";
        let info = INFO_LINE.replace("board_id=\"\"", "board_id=\"MT_8\"");
        given(&format!("{HOST}{board}")).emits::<Infiniband>(&[&info, PHYSICAL, RATE_LINE, STATE_LINE].concat());
    }

    #[test]
    fn a_host_without_adapters_has_no_data() {
        given("").fails::<Infiniband>("", "sys/class/infiniband: no such file");
        given("== sys/class/infiniband/\n").emits::<Infiniband>("");
    }

    #[test]
    fn devices_are_excluded_by_name() {
        let other =
            HOST.replace("mlx5_0", "irdma0").replace("fw_ver\n", "fw_ver error=EIO\n").replace("16.35.2000\n", "");
        let host = format!("{HOST}{other}");
        let expected = [INFO_LINE, PHYSICAL, RATE_LINE, STATE_LINE].concat();
        for flag in ["--collector.infiniband.device-include=^mlx", "--collector.infiniband.device-exclude=^irdma"] {
            given(&host).flags(&[flag]).emits::<Infiniband>(&expected);
        }
        given("")
            .flags(&["--collector.infiniband.device-include=a", "--collector.infiniband.device-exclude=b"])
            .is_refused::<Infiniband>("mutually exclusive");
        given("")
            .flags(&["--collector.infiniband.device-exclude=("])
            .is_refused::<Infiniband>("device-exclude: expected a regular expression");
    }

    #[test]
    fn an_unreadable_file_costs_only_its_own_samples() {
        for bad in ["ACTIVE", "4", "x: ACTIVE", "4: ACTIVE: 5", "-4: ACTIVE", "4294967296: ACTIVE", ""] {
            given(&HOST.replace("4: ACTIVE", bad)).fails::<Infiniband>(
                &[INFO_LINE, PHYSICAL, RATE_LINE].concat(),
                "ports/1/state: value: expected a number",
            );
        }
        for bad in ["2.5", "fast Gb/sec", "-1 Gb/sec", "inf Gb/sec", "nan Gb/sec", "147573952590 Gb/sec", ""] {
            given(&HOST.replace("2.5 Gb/sec (1X SDR)", bad))
                .fails::<Infiniband>(&[INFO_LINE, PHYSICAL, STATE_LINE].concat(), "ports/1/rate: value: expected");
        }
        given(&HOST.replace("fw_ver", "fw_version"))
            .fails::<Infiniband>(&[PHYSICAL, RATE_LINE, STATE_LINE].concat(), "mlx5_0/fw_ver: no such file");
        let expected = [INFO_LINE, PHYSICAL, RATE_LINE, STATE_LINE].concat();
        given(&format!("{HOST}== sys/class/infiniband/mlx5_0/ports/x/state\n1: DOWN\n"))
            .fails::<Infiniband>(&expected, "mlx5_0/ports: a port: expected a number, found \"x\"");
        given("== sys/class/infiniband/mlx5_0/fw_ver\n16.35.2000\n== sys/class/infiniband/mlx5_0/hca_type\nMT4119\n")
            .fails::<Infiniband>(INFO_LINE, "mlx5_0/ports: no such file");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn states_and_rates_come_back(id: u32, halves in 1_u32..4000) {
            prop_assert_eq!(StateId::from_text(format!("{id}: X").as_bytes()), Some(StateId(id)));
            let gigabits = f64::from(halves) / 2.0;
            let rate = Rate::from_text(format!("{gigabits} Gb/sec (4X NDR)").as_bytes());
            prop_assert_eq!(rate, Some(Rate(f64::from(halves) * 62_500_000.0)));
        }

        #[test]
        fn any_bytes_are_a_value_or_none(bytes: Vec<u8>) {
            let _ = (StateId::from_text(&bytes), Rate::from_text(&bytes));
        }
    }
}
