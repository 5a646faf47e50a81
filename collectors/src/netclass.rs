//! Properties of network devices, from /sys/class/net or from the kernel's answer.

mod attributes;
mod links;

use crate::declare;
use crate::host::kernel::LinkStatistics;
use crate::host::root::Names;
use crate::kit::family::{Family, Gauge};
use crate::kit::filter::{self, Pattern};
use crate::kit::prelude::*;

/// What each network device is and how it is set.
#[derive(Debug)]
pub struct Netclass {
    ignored: Pattern,
    ignores_invalid_speed: bool,
    asks_kernel: bool,
    has_statistics: bool,
    names: Names,
    words: attributes::Words,
}

declare! {
    Netclass: "netclass", on, "What each network device is, how it is set, and whether it has a link.";
    reads {
        CLASS: Directory Sys "class/net";
        DEVICE: Directory Sys "class/net/*";
        ADDR_ASSIGN_TYPE: File Sys "class/net/*/addr_assign_type";
        ADDRESS: File Sys "class/net/*/address";
        BROADCAST: File Sys "class/net/*/broadcast";
        CARRIER_STATE: File Sys "class/net/*/carrier";
        CARRIER_CHANGES: File Sys "class/net/*/carrier_changes";
        CARRIER_DOWN_COUNT: File Sys "class/net/*/carrier_down_count";
        CARRIER_UP_COUNT: File Sys "class/net/*/carrier_up_count";
        DEV_ID: File Sys "class/net/*/dev_id";
        DORMANT_STATE: File Sys "class/net/*/dormant";
        DUPLEX: File Sys "class/net/*/duplex";
        FLAG_BITS: File Sys "class/net/*/flags";
        IFALIAS: File Sys "class/net/*/ifalias";
        IFINDEX: File Sys "class/net/*/ifindex";
        IFLINK: File Sys "class/net/*/iflink";
        LINK_MODE: File Sys "class/net/*/link_mode";
        MTU: File Sys "class/net/*/mtu";
        NAME_ASSIGN: File Sys "class/net/*/name_assign_type";
        NETDEV_GROUP: File Sys "class/net/*/netdev_group";
        OPERSTATE: File Sys "class/net/*/operstate";
        SPEED_MEGABITS: File Sys "class/net/*/speed";
        TX_QUEUE_LEN: File Sys "class/net/*/tx_queue_len";
        TYPE: File Sys "class/net/*/type";
    }
    flags {
        IGNORED: Text "collector.netclass.ignored-devices" = "^$", "Regexp of devices to leave out.";
        INVALID_SPEED: Switch "collector.netclass.ignore-invalid-speed" = "false", "Leave out speeds below 0, which some devices have without a link.";
        NETLINK: Switch "collector.netclass.netlink" = "false", "Ask the kernel by netlink for what it tells; without it everything is read from /sys/class/net.";
        WITH_STATISTICS: Switch "collector.netclass_rtnl.with-stats" = "false", "With netlink, pass on the counters of traffic as well, in place of the collector netdev.";
    }
    families {
        ADDRESS_ASSIGN_TYPE: Gauge "node_network_address_assign_type" ["device"] "Where the device's address is from, as in addr_assign_type.";
        ALTNAMES_INFO: Gauge "node_network_altnames_info" ["altname", "device"] "Always 1: a further name of a device.";
        CARRIER: Gauge "node_network_carrier" ["device"] "1 when the device has a link.";
        CARRIER_CHANGES_TOTAL: Counter "node_network_carrier_changes_total" ["device"] "How often the link came or went.";
        CARRIER_DOWN_TOTAL: Counter "node_network_carrier_down_changes_total" ["device"] "How often the link went.";
        CARRIER_UP_TOTAL: Counter "node_network_carrier_up_changes_total" ["device"] "How often the link came.";
        DEVICE_ID: Gauge "node_network_device_id" ["device"] "Which of the devices behind one address this is, as in dev_id.";
        DORMANT: Gauge "node_network_dormant" ["device"] "1 when the device has a link and cannot use it yet.";
        FLAGS: Gauge "node_network_flags" ["device"] "The IFF_ bits of the device.";
        IFACE_ID: Gauge "node_network_iface_id" ["device"] "The number of the device.";
        IFACE_LINK: Gauge "node_network_iface_link" ["device"] "The number of the device below, or its own.";
        IFACE_LINK_MODE: Gauge "node_network_iface_link_mode" ["device"] "1 when a link alone does not make the device usable.";
        INFO: Gauge "node_network_info" ["address", "adminstate", "broadcast", "device", "duplex", "ifalias", "operstate"] "Always 1: what is known of a device beside numbers.";
        MTU_BYTES: Gauge "node_network_mtu_bytes" ["device"] "The largest packet that the device sends.";
        NAME_ASSIGN_TYPE: Gauge "node_network_name_assign_type" ["device"] "Where the device's name is from, as in name_assign_type.";
        NET_DEV_GROUP: Gauge "node_network_net_dev_group" ["device"] "The group that the device was put in.";
        PROTOCOL_TYPE: Gauge "node_network_protocol_type" ["device"] "What kind of device it is, an ARPHRD_ number.";
        SPEED_BYTES: Gauge "node_network_speed_bytes" ["device"] "Bytes that the link carries in a second; below 0 when the device does not know.";
        TRANSMIT_QUEUE_LENGTH: Gauge "node_network_transmit_queue_length" ["device"] "Packets that may wait to be sent.";
        UP: Gauge "node_network_up" ["device"] "1 when the device is up and usable.";
        COLLISIONS: kept Gauge "node_network_collisions_total" ["device"] "Collisions while sending.";
        MULTICAST: kept Gauge "node_network_multicast_total" ["device"] "Multicast packets received.";
        RECEIVE_BYTES: kept Gauge "node_network_receive_bytes_total" ["device"] "Bytes received.";
        RECEIVE_COMPRESSED: kept Gauge "node_network_receive_compressed_total" ["device"] "Compressed packets received.";
        RECEIVE_CRC_ERRORS: kept Gauge "node_network_receive_crc_errors_total" ["device"] "Packets received with a wrong checksum.";
        RECEIVE_DROPPED: kept Gauge "node_network_receive_dropped_total" ["device"] "Packets received and dropped.";
        RECEIVE_ERRORS: kept Gauge "node_network_receive_errors_total" ["device"] "Bad packets received.";
        RECEIVE_FIFO_ERRORS: kept Gauge "node_network_receive_fifo_errors_total" ["device"] "Overruns of the receiving queue.";
        RECEIVE_FRAME_ERRORS: kept Gauge "node_network_receive_frame_errors_total" ["device"] "Packets received with a frame error.";
        RECEIVE_LENGTH_ERRORS: kept Gauge "node_network_receive_length_errors_total" ["device"] "Packets received of a wrong length.";
        RECEIVE_MISSED_ERRORS: kept Gauge "node_network_receive_missed_errors_total" ["device"] "Packets missed for want of room.";
        RECEIVE_NOHANDLER: kept Gauge "node_network_receive_nohandler_total" ["device"] "Packets received for which nothing was listening.";
        RECEIVE_OVER_ERRORS: kept Gauge "node_network_receive_over_errors_total" ["device"] "Overruns of the receiving ring.";
        RECEIVE_PACKETS: kept Gauge "node_network_receive_packets_total" ["device"] "Packets received.";
        TRANSMIT_ABORTED_ERRORS: kept Gauge "node_network_transmit_aborted_errors_total" ["device"] "Packets whose sending was broken off.";
        TRANSMIT_BYTES: kept Gauge "node_network_transmit_bytes_total" ["device"] "Bytes sent.";
        TRANSMIT_CARRIER_ERRORS: kept Gauge "node_network_transmit_carrier_errors_total" ["device"] "Packets not sent for want of carrier.";
        TRANSMIT_COMPRESSED: kept Gauge "node_network_transmit_compressed_total" ["device"] "Compressed packets sent.";
        TRANSMIT_DROPPED: kept Gauge "node_network_transmit_dropped_total" ["device"] "Packets dropped before they were sent.";
        TRANSMIT_ERRORS: kept Gauge "node_network_transmit_errors_total" ["device"] "Packets that could not be sent.";
        TRANSMIT_FIFO_ERRORS: kept Gauge "node_network_transmit_fifo_errors_total" ["device"] "Underruns of the sending queue.";
        TRANSMIT_HEARTBEAT_ERRORS: kept Gauge "node_network_transmit_heartbeat_errors_total" ["device"] "Packets sent without a heartbeat.";
        TRANSMIT_PACKETS: kept Gauge "node_network_transmit_packets_total" ["device"] "Packets sent.";
        TRANSMIT_WINDOW_ERRORS: kept Gauge "node_network_transmit_window_errors_total" ["device"] "Packets that collided too late.";
    }
}

/// Where the kernel's counters go, in the order of [`LinkStatistics::NAMES`]. They have the names that netdev's have
/// with details, but are gauges here.
const STATISTICS: [Family<Netclass, Gauge, crate::kit::family::Unnamed<1>>; LinkStatistics::NAMES.len()] =
    crate::host::kernel::in_counter_order!();

impl Collect for Netclass {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            ignored: filter::strict_pattern_of(options, IGNORED)?,
            ignores_invalid_speed: options.get(INVALID_SPEED),
            asks_kernel: options.get(NETLINK),
            has_statistics: options.get(WITH_STATISTICS),
            names: Names::new(),
            words: attributes::Words::default(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        if self.asks_kernel && links::emit(self, cx)? {
            return Ok(());
        }
        attributes::emit(self, cx)
    }
}

#[cfg(test)]
mod tests;
