//! Network device properties, from /sys/class/net or by netlink.

mod attributes;
mod links;
mod shown;

use crate::declare;
use crate::host::root::Names;
use crate::kit::filter::{self, Pattern};
use crate::kit::prelude::*;
use crate::netdev::link_counters::LinkCounters;

/// The netclass collector.
#[derive(Debug)]
pub struct Netclass {
    ignored: Pattern,
    ignores_invalid_speed: bool,
    asks_kernel: bool,
    has_statistics: bool,
    names: Names,
    words: shown::Words,
    shown: shown::Shown,
}

declare! {
    Netclass: "netclass", on, "Network device properties: addresses, link state, speed and MTU.";
    labels {
        AltnameLabels { altname, device }
        InfoLabels { address, adminstate, broadcast, device, duplex, ifalias, operstate }
        PerDevice { device }
    }
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
        IGNORED: Text "collector.netclass.ignored-devices" = "^$", "Regexp of devices to exclude.";
        INVALID_SPEED: Switch "collector.netclass.ignore-invalid-speed" = "false", "Leave out negative speeds, which some drivers report without a link.";
        NETLINK: Switch "collector.netclass.netlink" = "false", "Query devices by netlink instead of /sys/class/net.";
        WITH_STATISTICS: Switch "collector.netclass_rtnl.with-stats" = "false", "With netlink, also export traffic counters, in place of the netdev collector.";
    }
    families {
        ADDRESS_ASSIGN_TYPE: Gauge "node_network_address_assign_type" PerDevice "Origin of the hardware address, as in addr_assign_type.";
        ALTNAMES_INFO: Gauge "node_network_altnames_info" AltnameLabels "Alternative name of a device; always 1.";
        CARRIER: Gauge "node_network_carrier" PerDevice "Physical link state: 1 for up.";
        CARRIER_CHANGES_TOTAL: Counter "node_network_carrier_changes_total" PerDevice "Changes of the physical link state.";
        CARRIER_DOWN_TOTAL: Counter "node_network_carrier_down_changes_total" PerDevice "Changes of the physical link state to down.";
        CARRIER_UP_TOTAL: Counter "node_network_carrier_up_changes_total" PerDevice "Changes of the physical link state to up.";
        DEVICE_ID: Gauge "node_network_device_id" PerDevice "Identifier among devices that share one address, as in dev_id.";
        DORMANT: Gauge "node_network_dormant" PerDevice "1 if the link is up but waits for an external event.";
        FLAGS: Gauge "node_network_flags" PerDevice "Device flags as the bits of IFF_.";
        IFACE_ID: Gauge "node_network_iface_id" PerDevice "Interface index of the device.";
        IFACE_LINK: Gauge "node_network_iface_link" PerDevice "Interface index of the underlying device, or its own.";
        IFACE_LINK_MODE: Gauge "node_network_iface_link_mode" PerDevice "Link mode: 0 for default, 1 for dormant.";
        INFO: Gauge "node_network_info" InfoLabels "Addresses, state, duplex and alias of a device; always 1.";
        MTU_BYTES: Gauge "node_network_mtu_bytes" PerDevice "Maximum transmission unit in bytes.";
        NAME_ASSIGN_TYPE: Gauge "node_network_name_assign_type" PerDevice "Origin of the device name, as in name_assign_type.";
        NET_DEV_GROUP: Gauge "node_network_net_dev_group" PerDevice "Group of the device.";
        PROTOCOL_TYPE: Gauge "node_network_protocol_type" PerDevice "Hardware type of the device as an ARPHRD_ number.";
        SPEED_BYTES: Gauge "node_network_speed_bytes" PerDevice "Link speed in bytes per second; negative if unknown.";
        TRANSMIT_QUEUE_LENGTH: Gauge "node_network_transmit_queue_length" PerDevice "Maximum length of the transmit queue in packets.";
        UP: Gauge "node_network_up" PerDevice "1 if the operational state is up.";
    }
    shared LINK_COUNTERS: LinkCounters, kept Gauge => PerDevice;
}

impl Collect for Netclass {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            ignored: filter::strict_pattern_of(options, IGNORED)?,
            ignores_invalid_speed: options.get(INVALID_SPEED),
            asks_kernel: options.get(NETLINK),
            has_statistics: options.get(WITH_STATISTICS),
            names: Names::new(),
            words: shown::Words::default(),
            shown: shown::Shown::default(),
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
