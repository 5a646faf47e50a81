//! Families of a device's traffic counters: counters in netdev, gauges in netclass, as in node_exporter.

use crate::host::kernel::LinkStatistics;
use crate::kit::declare::shared_families;

shared_families! {
    /// A family for each counter of [`LinkStatistics`].
    pub(crate) LinkCounters {
        collisions: "node_network_collisions_total" "Collisions during transmission.";
        multicast: "node_network_multicast_total" "Multicast packets received.";
        rx_bytes: "node_network_receive_bytes_total" "Bytes received.";
        rx_compressed: "node_network_receive_compressed_total" "Compressed packets received.";
        rx_crc_errors: "node_network_receive_crc_errors_total" "Packets received with a CRC error.";
        rx_dropped: "node_network_receive_dropped_total" "Received packets dropped.";
        rx_errors: "node_network_receive_errors_total" "Receive errors.";
        rx_fifo_errors: "node_network_receive_fifo_errors_total" "Receive FIFO overruns.";
        rx_frame_errors: "node_network_receive_frame_errors_total" "Packets received with an alignment error.";
        rx_length_errors: "node_network_receive_length_errors_total" "Packets received with an invalid length.";
        rx_missed_errors: "node_network_receive_missed_errors_total" "Packets missed by the device for lack of buffers.";
        rx_nohandler: "node_network_receive_nohandler_total" "Packets dropped for lack of a protocol handler.";
        rx_over_errors: "node_network_receive_over_errors_total" "Receive ring buffer overruns.";
        rx_packets: "node_network_receive_packets_total" "Packets received.";
        tx_aborted_errors: "node_network_transmit_aborted_errors_total" "Aborted transmissions.";
        tx_bytes: "node_network_transmit_bytes_total" "Bytes transmitted.";
        tx_carrier_errors: "node_network_transmit_carrier_errors_total" "Transmissions that lost the carrier.";
        tx_compressed: "node_network_transmit_compressed_total" "Compressed packets transmitted.";
        tx_dropped: "node_network_transmit_dropped_total" "Packets dropped before transmission.";
        tx_errors: "node_network_transmit_errors_total" "Transmit errors.";
        tx_fifo_errors: "node_network_transmit_fifo_errors_total" "Transmit FIFO underruns.";
        tx_heartbeat_errors: "node_network_transmit_heartbeat_errors_total" "Heartbeat errors during transmission.";
        tx_packets: "node_network_transmit_packets_total" "Packets transmitted.";
        tx_window_errors: "node_network_transmit_window_errors_total" "Late collisions during transmission.";
    }
    /// Each family with its counter.
    of LinkStatistics: u64;
}
