//! Traffic of network devices, from the kernel's answer or from /proc/net/dev.

mod address;
mod table;

use crate::declare;
use crate::host::kernel::{KernelError, LinkStatistics};
use crate::host::root::Mount;
use crate::kit;
use crate::kit::attribute;
use crate::kit::family::{Counter, Family};
use crate::kit::filter::Filter;
use crate::kit::prelude::*;

/// What went through each network device.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug)]
pub struct Netdev {
    asks_kernel: bool,
    is_detailed: bool,
    has_addresses: bool,
    has_alias: bool,
    devices: Filter,
    table: Vec<u8>,
    alias: Vec<u8>,
}

declare! {
    Netdev: "netdev", on, "What each network device received and sent, and what went wrong with it.";
    reads {
        TABLE: File Proc "net/dev";
        DEVICE: Directory Sys "class/net/*";
        ALIAS: File Sys "class/net/*/ifalias";
    }
    flags {
        INCLUDE: Text "collector.netdev.device-include" = "", "Regexp of devices to pass on; not together with device-exclude.",
            or(&["collector.netdev.device-whitelist"]);
        EXCLUDE: Text "collector.netdev.device-exclude" = "", "Regexp of devices to leave out; not together with device-include.",
            or(&["collector.netdev.device-blacklist"]);
        ADDRESSES: Switch "collector.netdev.address-info" = "false", "Tell the addresses of every device.";
        DETAILED: Switch "collector.netdev.enable-detailed-metrics" = "false", "Pass on the kernel's counters under their own names, instead of the sums of /proc/net/dev.";
        NETLINK: Switch "collector.netdev.netlink" = "true", "Ask the kernel by netlink; without it /proc/net/dev is read.";
        WITH_ALIAS: Switch "collector.netdev.label-ifalias" = "false", "Label every counter with the device's alias.";
    }
    families {
        ADDRESS_INFO: Gauge "node_network_address_info" ["address", "device", "netmask", "scope"] "Always 1: an address of a device, with the length of its network's prefix.";
        COLLISIONS: Counter "node_network_collisions_total" ["device", "ifalias"] "Collisions while sending.";
        MULTICAST: Counter "node_network_multicast_total" ["device", "ifalias"] "Multicast packets received.";
        RECEIVE_BYTES: Counter "node_network_receive_bytes_total" ["device", "ifalias"] "Bytes received.";
        RECEIVE_COMPRESSED: Counter "node_network_receive_compressed_total" ["device", "ifalias"] "Compressed packets received.";
        RECEIVE_CRC_ERRORS: Counter "node_network_receive_crc_errors_total" ["device", "ifalias"] "Packets received with a wrong checksum.";
        RECEIVE_DROP: Counter "node_network_receive_drop_total" ["device", "ifalias"] "Packets received and dropped, or missed for want of room.";
        RECEIVE_DROPPED: Counter "node_network_receive_dropped_total" ["device", "ifalias"] "Packets received and dropped.";
        RECEIVE_ERRORS: Counter "node_network_receive_errors_total" ["device", "ifalias"] "Bad packets received.";
        RECEIVE_ERRS: Counter "node_network_receive_errs_total" ["device", "ifalias"] "Bad packets received, under the older name.";
        RECEIVE_FIFO: Counter "node_network_receive_fifo_total" ["device", "ifalias"] "Overruns of the receiving queue, under the older name.";
        RECEIVE_FIFO_ERRORS: Counter "node_network_receive_fifo_errors_total" ["device", "ifalias"] "Overruns of the receiving queue.";
        RECEIVE_FRAME: Counter "node_network_receive_frame_total" ["device", "ifalias"] "Packets received with an error of frame, length, checksum or ring.";
        RECEIVE_FRAME_ERRORS: Counter "node_network_receive_frame_errors_total" ["device", "ifalias"] "Packets received with a frame error.";
        RECEIVE_LENGTH_ERRORS: Counter "node_network_receive_length_errors_total" ["device", "ifalias"] "Packets received of a wrong length.";
        RECEIVE_MISSED_ERRORS: Counter "node_network_receive_missed_errors_total" ["device", "ifalias"] "Packets missed for want of room.";
        RECEIVE_MULTICAST: Counter "node_network_receive_multicast_total" ["device", "ifalias"] "Multicast packets received, under the older name.";
        RECEIVE_NOHANDLER: Counter "node_network_receive_nohandler_total" ["device", "ifalias"] "Packets received for which nothing was listening.";
        RECEIVE_OVER_ERRORS: Counter "node_network_receive_over_errors_total" ["device", "ifalias"] "Overruns of the receiving ring.";
        RECEIVE_PACKETS: Counter "node_network_receive_packets_total" ["device", "ifalias"] "Packets received.";
        TRANSMIT_ABORTED_ERRORS: Counter "node_network_transmit_aborted_errors_total" ["device", "ifalias"] "Packets whose sending was broken off.";
        TRANSMIT_BYTES: Counter "node_network_transmit_bytes_total" ["device", "ifalias"] "Bytes sent.";
        TRANSMIT_CARRIER: Counter "node_network_transmit_carrier_total" ["device", "ifalias"] "Packets not sent for want of carrier, or broken off, late or without heartbeat.";
        TRANSMIT_CARRIER_ERRORS: Counter "node_network_transmit_carrier_errors_total" ["device", "ifalias"] "Packets not sent for want of carrier.";
        TRANSMIT_COLLS: Counter "node_network_transmit_colls_total" ["device", "ifalias"] "Collisions while sending, under the older name.";
        TRANSMIT_COMPRESSED: Counter "node_network_transmit_compressed_total" ["device", "ifalias"] "Compressed packets sent.";
        TRANSMIT_DROP: Counter "node_network_transmit_drop_total" ["device", "ifalias"] "Packets dropped before they were sent, under the older name.";
        TRANSMIT_DROPPED: Counter "node_network_transmit_dropped_total" ["device", "ifalias"] "Packets dropped before they were sent.";
        TRANSMIT_ERRORS: Counter "node_network_transmit_errors_total" ["device", "ifalias"] "Packets that could not be sent.";
        TRANSMIT_ERRS: Counter "node_network_transmit_errs_total" ["device", "ifalias"] "Packets that could not be sent, under the older name.";
        TRANSMIT_FIFO: Counter "node_network_transmit_fifo_total" ["device", "ifalias"] "Underruns of the sending queue, under the older name.";
        TRANSMIT_FIFO_ERRORS: Counter "node_network_transmit_fifo_errors_total" ["device", "ifalias"] "Underruns of the sending queue.";
        TRANSMIT_HEARTBEAT_ERRORS: Counter "node_network_transmit_heartbeat_errors_total" ["device", "ifalias"] "Packets sent without a heartbeat.";
        TRANSMIT_PACKETS: Counter "node_network_transmit_packets_total" ["device", "ifalias"] "Packets sent.";
        TRANSMIT_WINDOW_ERRORS: Counter "node_network_transmit_window_errors_total" ["device", "ifalias"] "Packets that collided too late.";
    }
}

type Total = Family<Netdev, Counter, crate::kit::family::Unnamed<2>>;

/// Where the kernel's counters go, in the order of [`LinkStatistics::NAMES`].
const OWN_NAMES: [Total; LinkStatistics::NAMES.len()] = crate::host::kernel::in_counter_order!();

impl Collect for Netdev {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            asks_kernel: options.get(NETLINK),
            is_detailed: options.get(DETAILED),
            has_addresses: options.get(ADDRESSES),
            has_alias: options.get(WITH_ALIAS),
            devices: Filter::from_flags(options, INCLUDE, EXCLUDE)?,
            table: Vec::new(),
            alias: Vec::new(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        if !self.asks_kernel || !self.ask(cx)? {
            self.read_table(cx)?;
        }
        if self.has_addresses {
            address::emit(cx, &self.devices)?;
        }
        Ok(())
    }
}

impl Netdev {
    /// Asks the kernel; `false` where it does not know that question.
    fn ask(&mut self, cx: &mut Cx<'_, Self>) -> Result<bool, Failure> {
        let Self { is_detailed, has_alias, devices, alias, .. } = self;
        let answer = cx.kernel.links(&mut |link| {
            let Some(statistics) = link.statistics.filter(|_| !devices.ignores(link.name)) else { return };
            let alias = if *has_alias { alias_of(cx, link.name, alias) } else { None };
            if *is_detailed {
                emit(cx, link.name, alias, OWN_NAMES.into_iter().zip(statistics.counters()));
            } else {
                emit(cx, link.name, alias, summed(&statistics));
            }
        });
        match answer {
            Ok(()) => Ok(true),
            Err(KernelError::Unsupported) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read_table(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { is_detailed, has_alias, devices, table, alias, .. } = self;
        cx.files.read_into(TABLE, [], table)?;
        let text = Text::new(Mount::Proc, TABLE.info().pattern.as_bytes(), table);
        for line in kit::table::rows(text, cx.problems).skip(table::HEADLINES) {
            let Some((device, rest)) = cx.problems.value(table::device(line)) else { continue };
            if devices.ignores(device) {
                continue;
            }
            let Some(counters) = cx.problems.value(table::counters(line, rest)) else { continue };
            let alias = if *has_alias { alias_of(cx, device, alias) } else { None };
            let families = if *is_detailed { table::OWN_NAMES } else { table::OLDER_NAMES };
            emit(cx, device, alias, families.into_iter().zip(counters));
        }
        Ok(())
    }
}

fn emit(
    cx: &mut Cx<'_, Netdev>,
    device: &[u8],
    alias: Option<&[u8]>,
    counters: impl IntoIterator<Item = (Total, u64)>,
) {
    for (family, value) in counters {
        cx.page.counter(family, [&device, &alias], value);
    }
}

/// The counters as the kernel sums them up for /proc/net/dev, and the one that is missing there.
fn summed(statistics: &LinkStatistics) -> [(Total, u64); 17] {
    let LinkStatistics {
        rx_dropped,
        rx_missed_errors,
        rx_frame_errors,
        rx_length_errors,
        rx_over_errors,
        rx_crc_errors,
        tx_carrier_errors,
        tx_aborted_errors,
        tx_heartbeat_errors,
        tx_window_errors,
        ..
    } = *statistics;
    let sum = |counters: &[u64]| counters.iter().fold(0, |sum: u64, &counter| sum.wrapping_add(counter));
    [
        (RECEIVE_BYTES, statistics.rx_bytes),
        (RECEIVE_COMPRESSED, statistics.rx_compressed),
        (RECEIVE_DROP, sum(&[rx_dropped, rx_missed_errors])),
        (RECEIVE_ERRS, statistics.rx_errors),
        (RECEIVE_FIFO, statistics.rx_fifo_errors),
        (RECEIVE_FRAME, sum(&[rx_frame_errors, rx_length_errors, rx_over_errors, rx_crc_errors])),
        (RECEIVE_MULTICAST, statistics.multicast),
        (RECEIVE_NOHANDLER, statistics.rx_nohandler),
        (RECEIVE_PACKETS, statistics.rx_packets),
        (TRANSMIT_BYTES, statistics.tx_bytes),
        (TRANSMIT_CARRIER, sum(&[tx_carrier_errors, tx_aborted_errors, tx_heartbeat_errors, tx_window_errors])),
        (TRANSMIT_COLLS, statistics.collisions),
        (TRANSMIT_COMPRESSED, statistics.tx_compressed),
        (TRANSMIT_DROP, statistics.tx_dropped),
        (TRANSMIT_ERRS, statistics.tx_errors),
        (TRANSMIT_FIFO, statistics.tx_fifo_errors),
        (TRANSMIT_PACKETS, statistics.tx_packets),
    ]
}

/// The alias that sysfs tells of a device, empty where it has none; nothing for a device that sysfs does not know.
fn alias_of<'a>(cx: &mut Cx<'_, Netdev>, device: &[u8], into: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    into.clear();
    match cx.files.read(ALIAS, [device]) {
        Ok(text) => into.extend_from_slice(attribute::value(&text)),
        Err(error) if attribute::is_unavailable(error.error) => {
            cx.files.metadata(DEVICE, [device]).ok()?;
        }
        Err(error) => {
            cx.problems.report(error);
            return None;
        }
    }
    Some(into)
}

#[cfg(test)]
mod tests;
