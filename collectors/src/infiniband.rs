//! Ports of InfiniBand and RoCE adapters from /sys/class/infiniband.

mod counters;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::filter::Filter;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;

/// What the ports of InfiniBand and RoCE adapters do, and what went through them.
#[derive(Default, Debug)]
pub struct Infiniband {
    devices: Filter,
    entries: Names,
    ports: Names,
    counters: Names,
    words: [Vec<u8>; 3],
}

declare! {
    Infiniband: "infiniband", on, "What the ports of InfiniBand and RoCE adapters do, what went through them and what went wrong.";
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
            "Regexp of devices to show; not together with device-exclude.";
        EXCLUDE: Text "collector.infiniband.device-exclude" = "",
            "Regexp of devices to leave out; not together with device-include.";
    }
    families {
        INFO: Gauge "node_infiniband_info" ["board_id", "device", "firmware_version", "hca_type"] "Always 1: what is known of an adapter beside numbers.";
        STATE_ID: Gauge "node_infiniband_state_id" ["device", "port"] "State of a port: 0 is no change, 1 down, 2 being set up, 3 armed, 4 active, 5 active with errors.";
        PHYSICAL_STATE_ID: Gauge "node_infiniband_physical_state_id" ["device", "port"] "State of a port's link: 0 is no change, 1 sleeps, 2 polls, 3 disabled, 4 being trained, 5 up, 6 recovers, 7 is tested.";
        RATE_BYTES: Gauge "node_infiniband_rate_bytes_per_second" ["device", "port"] "How many bytes a port could pass in a second.";
        LIFESPAN: Gauge "node_infiniband_lifespan_seconds" ["device", "port"] "For so long the counters of the hardware may be told as they were before.";
        BUFFER_OVERRUNS: Counter "node_infiniband_excessive_buffer_overrun_errors_total" ["device", "port"] "How often buffers overran for longer than is allowed.";
        LINK_DOWNED: Counter "node_infiniband_link_downed_total" ["device", "port"] "How often the link did not recover from an error and went down.";
        LINK_RECOVERED: Counter "node_infiniband_link_error_recovery_total" ["device", "port"] "How often the link recovered from an error.";
        LINK_INTEGRITY: Counter "node_infiniband_local_link_integrity_errors_total" ["device", "port"] "How often there were more local errors than is allowed.";
        MULTICAST_RECEIVED: Counter "node_infiniband_multicast_packets_received_total" ["device", "port"] "Multicast packets received, with those in error.";
        MULTICAST_TRANSMITTED: Counter "node_infiniband_multicast_packets_transmitted_total" ["device", "port"] "Multicast packets sent, with those in error.";
        CONSTRAINT_RECEIVED: Counter "node_infiniband_port_constraint_errors_received_total" ["device", "port"] "Packets that a switch's port received and was not allowed to take.";
        CONSTRAINT_TRANSMITTED: Counter "node_infiniband_port_constraint_errors_transmitted_total" ["device", "port"] "Packets that a switch's port was not allowed to send.";
        DATA_RECEIVED: Counter "node_infiniband_port_data_received_bytes_total" ["device", "port"] "Bytes received on all lanes.";
        DATA_TRANSMITTED: Counter "node_infiniband_port_data_transmitted_bytes_total" ["device", "port"] "Bytes sent on all lanes.";
        DISCARDS_RECEIVED: Counter "node_infiniband_port_discards_received_total" ["device", "port"] "Packets received and thrown away, because the port was down or full.";
        DISCARDS_TRANSMITTED: Counter "node_infiniband_port_discards_transmitted_total" ["device", "port"] "Packets to be sent and thrown away, because the port was down or full.";
        ERRORS_RECEIVED: Counter "node_infiniband_port_errors_received_total" ["device", "port"] "Packets received with an error.";
        PACKETS_RECEIVED: Counter "node_infiniband_port_packets_received_total" ["device", "port"] "Packets received, with those in error.";
        PACKETS_TRANSMITTED: Counter "node_infiniband_port_packets_transmitted_total" ["device", "port"] "Packets sent, with those in error.";
        REMOTE_PHYSICAL: Counter "node_infiniband_port_receive_remote_physical_errors_total" ["device", "port"] "Packets received that somebody on the way had marked as bad.";
        SWITCH_RELAY: Counter "node_infiniband_port_receive_switch_relay_errors_total" ["device", "port"] "Packets received that the switch could not pass on.";
        TRANSMIT_WAIT: Counter "node_infiniband_port_transmit_wait_total" ["device", "port"] "Ticks in which there was something to send and nothing was sent.";
        SYMBOL_ERRORS: Counter "node_infiniband_symbol_error_total" ["device", "port"] "Small errors on one or several lanes.";
        UNICAST_RECEIVED: Counter "node_infiniband_unicast_packets_received_total" ["device", "port"] "Unicast packets received, with those in error.";
        UNICAST_TRANSMITTED: Counter "node_infiniband_unicast_packets_transmitted_total" ["device", "port"] "Unicast packets sent, with those in error.";
        VL15_DROPPED: Counter "node_infiniband_vl15_dropped_total" ["device", "port"] "Packets of management that were dropped for lack of room.";
        LEGACY_DATA_RECEIVED: Counter "node_infiniband_legacy_data_received_bytes_total" ["device", "port"] "Bytes received on all lanes, as kernels before 4.5 count them.";
        LEGACY_DATA_TRANSMITTED: Counter "node_infiniband_legacy_data_transmitted_bytes_total" ["device", "port"] "Bytes sent on all lanes, as kernels before 4.5 count them.";
        LEGACY_MULTICAST_RECEIVED: Counter "node_infiniband_legacy_multicast_packets_received_total" ["device", "port"] "Multicast packets received, as kernels before 4.5 count them.";
        LEGACY_MULTICAST_TRANSMITTED: Counter "node_infiniband_legacy_multicast_packets_transmitted_total" ["device", "port"] "Multicast packets sent, as kernels before 4.5 count them.";
        LEGACY_PACKETS_RECEIVED: Counter "node_infiniband_legacy_packets_received_total" ["device", "port"] "Packets received, as kernels before 4.5 count them.";
        LEGACY_PACKETS_TRANSMITTED: Counter "node_infiniband_legacy_packets_transmitted_total" ["device", "port"] "Packets sent, as kernels before 4.5 count them.";
        LEGACY_UNICAST_RECEIVED: Counter "node_infiniband_legacy_unicast_packets_received_total" ["device", "port"] "Unicast packets received, as kernels before 4.5 count them.";
        LEGACY_UNICAST_TRANSMITTED: Counter "node_infiniband_legacy_unicast_packets_transmitted_total" ["device", "port"] "Unicast packets sent, as kernels before 4.5 count them.";
        DUPLICATE_REQUESTS: Counter "node_infiniband_duplicate_requests_packets_total" ["device", "port"] "Packets received of requests that had been done before.";
        IMPLIED_NAK: Counter "node_infiniband_implied_nak_seq_errors_total" ["device", "port"] "Acknowledgements of a later packet than the read or response that was waited for.";
        ACK_TIMEOUTS: Counter "node_infiniband_local_ack_timeout_errors_total" ["device", "port"] "How often the sender waited too long for an acknowledgement and could still try again.";
        NOTIFICATIONS_SENT: Counter "node_infiniband_np_cnp_packets_sent_total" ["device", "port"] "Notifications of congestion that the port sent as a receiver.";
        MARKED_RECEIVED: Counter "node_infiniband_np_ecn_marked_roce_packets_received_total" ["device", "port"] "RoCEv2 packets received that were marked for congestion on the way.";
        OUT_OF_BUFFER: Counter "node_infiniband_out_of_buffer_drops_total" ["device", "port"] "Packets dropped because a queue had no receive requests left.";
        OUT_OF_SEQUENCE: Counter "node_infiniband_out_of_sequence_packets_received_total" ["device", "port"] "Packets received out of order.";
        SEQUENCE_ERRORS: Counter "node_infiniband_packet_sequence_errors_total" ["device", "port"] "Refusals received for packets out of order that could still be sent again.";
        REQUESTER_ERRORS: Counter "node_infiniband_req_cqes_errors_total" ["device", "port"] "Requests of ours that ended with an error.";
        REQUESTER_FLUSHED: Counter "node_infiniband_req_cqes_flush_errors_total" ["device", "port"] "Requests of ours that ended because their queue was flushed.";
        REQUESTER_ACCESS: Counter "node_infiniband_req_remote_access_errors_total" ["device", "port"] "Requests of ours that the other side did not allow.";
        REQUESTER_INVALID: Counter "node_infiniband_req_remote_invalid_request_errors_total" ["device", "port"] "Requests of ours that the other side took for invalid.";
        RESPONDER_ERRORS: Counter "node_infiniband_resp_cqes_errors_total" ["device", "port"] "Answers of ours that ended with an error.";
        RESPONDER_FLUSHED: Counter "node_infiniband_resp_cqes_flush_errors_total" ["device", "port"] "Answers of ours that ended because their queue was flushed.";
        RESPONDER_LENGTH: Counter "node_infiniband_resp_local_length_errors_total" ["device", "port"] "Requests received that were longer than what waited for them.";
        RESPONDER_ACCESS: Counter "node_infiniband_resp_remote_access_errors_total" ["device", "port"] "Requests received that were not allowed.";
        NOT_READY: Counter "node_infiniband_rnr_nak_retry_packets_received_total" ["device", "port"] "Answers received that the other side was not ready.";
        ADAPTIVE_TIMEOUTS: Counter "node_infiniband_roce_adp_retransmits_timeout_total" ["device", "port"] "How often adaptive retransmission over RoCE came to its time limit.";
        ADAPTIVE_RETRANSMITS: Counter "node_infiniband_roce_adp_retransmits_total" ["device", "port"] "Adaptive retransmissions over RoCE.";
        SLOW_RESTART_NOTIFIED: Counter "node_infiniband_roce_slow_restart_cnps_total" ["device", "port"] "Notifications of congestion that a slow restart over RoCE made.";
        SLOW_RESTARTS: Counter "node_infiniband_roce_slow_restart_total" ["device", "port"] "How often RoCE went over to a slow restart.";
        SLOW_RESTART_USED: Counter "node_infiniband_roce_slow_restart_used_total" ["device", "port"] "How often a slow restart was used over RoCE.";
        NOTIFICATIONS_IGNORED: Counter "node_infiniband_rp_cnp_ignored_packets_received_total" ["device", "port"] "Notifications of congestion that the port received and ignored.";
        NOTIFICATIONS_HANDLED: Counter "node_infiniband_rp_cnp_packets_handled_total" ["device", "port"] "Notifications of congestion that made the port send more slowly.";
        ATOMIC_REQUESTS: Counter "node_infiniband_rx_atomic_requests_total" ["device", "port"] "Atomic requests received.";
        CONNECT_REQUESTS: Counter "node_infiniband_rx_dct_connect_requests_total" ["device", "port"] "Requests received to connect to dynamically connected queues.";
        CHECKSUM_ERRORS: Counter "node_infiniband_rx_icrc_encapsulated_errors_total" ["device", "port"] "RoCE packets received with a wrong invariant checksum.";
        READ_REQUESTS: Counter "node_infiniband_rx_read_requests_total" ["device", "port"] "Read requests received.";
        WRITE_REQUESTS: Counter "node_infiniband_rx_write_requests_total" ["device", "port"] "Write requests received.";
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

/// Every driver tells the firmware's version, not every one the rest.
fn emit_info(cx: &mut Cx<'_, Infiniband>, device: &[u8], words: &mut [Vec<u8>; 3]) {
    let problems = cx.problems.count();
    let [board, firmware, adapter] = words;
    attribute::word(cx, FIRMWARE, [device], attribute::never, firmware);
    for (file, word) in [(BOARD, &mut *board), (ADAPTER, adapter)] {
        attribute::word(cx, file, [device], RootError::is_missing, word);
    }
    // Without one of its labels it would be another series.
    if cx.problems.count() == problems {
        cx.page.gauge(INFO, [board, &device, firmware, adapter], true);
    }
}

fn emit_port(cx: &mut Cx<'_, Infiniband>, device: &[u8], port: &[u8], names: &mut Names) {
    let Some(number) = u32::from_text(port) else {
        cx.problems.report(Failure::error(format_args!(
            "sys/class/infiniband/{}/ports: a port: expected a number, found `{}`",
            device.escape_ascii(),
            port.escape_ascii()
        )));
        return;
    };
    for (file, family) in [(STATE, STATE_ID), (PHYSICAL_STATE, PHYSICAL_STATE_ID)] {
        if let Some(StateId(state)) = attribute::number(cx, file, [device, port], attribute::never) {
            cx.page.gauge(family, [&device, &number], state);
        }
    }
    if let Some(Rate(bytes)) = attribute::number(cx, RATE, [device, port], attribute::never) {
        cx.page.gauge(RATE_BYTES, [&device, &number], bytes);
    }
    counters::emit(cx, Port { device, name: port, number }, names);
}

/// One port.
#[derive(Clone, Copy, Debug)]
struct Port<'a> {
    device: &'a [u8],
    /// Its folder.
    name: &'a [u8],
    number: u32,
}

/// The number of a state, before its name: `4: ACTIVE`.
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
    fn a_port_shows_its_states_and_its_rate() {
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
    fn devices_are_left_out_by_name() {
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
        given("").flags(&["--collector.infiniband.device-exclude=("]).is_refused::<Infiniband>("no regular expression");
    }

    #[test]
    fn what_cannot_be_read_costs_itself_alone() {
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
            .fails::<Infiniband>(&expected, "mlx5_0/ports: a port: expected a number, found `x`");
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
