//! Network traffic by device, by netlink or from /proc/net/dev.

mod address;
pub(crate) mod link_counters;
mod table;

use crate::declare;
use crate::host::kernel::{KernelError, LinkStatistics};
use crate::host::root::Mount;
use crate::kit;
use crate::kit::attribute;
use crate::kit::family::{Counter, Family};
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use link_counters::LinkCounters;

/// The netdev collector.
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
    Netdev: "netdev", on, "Network traffic and errors by device.";
    labels {
        AddressLabels { address, device, netmask, scope }
        PerDevice { device, ifalias }
    }
    reads {
        TABLE: File Proc "net/dev";
        DEVICE: Directory Sys "class/net/*";
        ALIAS: File Sys "class/net/*/ifalias";
    }
    flags {
        INCLUDE: Text "collector.netdev.device-include" = "", "Regexp of devices to include; not together with device-exclude.",
            or(&["collector.netdev.device-whitelist"]);
        EXCLUDE: Text "collector.netdev.device-exclude" = "", "Regexp of devices to exclude; not together with device-include.",
            or(&["collector.netdev.device-blacklist"]);
        ADDRESSES: Switch "collector.netdev.address-info" = "false", "Export the addresses of every device.";
        DETAILED: Switch "collector.netdev.enable-detailed-metrics" = "false", "Export the kernel's counters one by one, instead of the sums of /proc/net/dev.";
        NETLINK: Switch "collector.netdev.netlink" = "true", "Query devices by netlink instead of /proc/net/dev.";
        WITH_ALIAS: Switch "collector.netdev.label-ifalias" = "false", "Add the device's alias as a label to every counter.";
    }
    families {
        ADDRESS_INFO: Gauge "node_network_address_info" AddressLabels "Address of a device and its prefix length; always 1.";
        RECEIVE_DROP: Counter "node_network_receive_drop_total" PerDevice "Received packets dropped or missed.";
        RECEIVE_ERRS: Counter "node_network_receive_errs_total" PerDevice "Receive errors (name of /proc/net/dev).";
        RECEIVE_FIFO: Counter "node_network_receive_fifo_total" PerDevice "Receive FIFO overruns (name of /proc/net/dev).";
        RECEIVE_FRAME: Counter "node_network_receive_frame_total" PerDevice "Receive errors of alignment, length, CRC and ring buffer.";
        RECEIVE_MULTICAST: Counter "node_network_receive_multicast_total" PerDevice "Multicast packets received (name of /proc/net/dev).";
        TRANSMIT_CARRIER: Counter "node_network_transmit_carrier_total" PerDevice "Transmit errors of carrier, abortion, heartbeat and late collision.";
        TRANSMIT_COLLS: Counter "node_network_transmit_colls_total" PerDevice "Collisions during transmission (name of /proc/net/dev).";
        TRANSMIT_DROP: Counter "node_network_transmit_drop_total" PerDevice "Packets dropped before transmission (name of /proc/net/dev).";
        TRANSMIT_ERRS: Counter "node_network_transmit_errs_total" PerDevice "Transmit errors (name of /proc/net/dev).";
        TRANSMIT_FIFO: Counter "node_network_transmit_fifo_total" PerDevice "Transmit FIFO underruns (name of /proc/net/dev).";
    }
    shared LINK_COUNTERS: LinkCounters, new Counter => PerDevice;
}

type Total = Family<Netdev, Counter, PerDevice<'static>>;

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
        if !self.asks_kernel || !self.emit_links(cx)? {
            self.emit_table(cx)?;
        }
        if self.has_addresses {
            address::emit(cx, &self.devices)?;
        }
        Ok(())
    }
}

impl Netdev {
    /// Queries devices by netlink; `false` if the kernel does not support the query.
    fn emit_links(&mut self, cx: &mut Cx<'_, Self>) -> Result<bool, Failure> {
        let Self { is_detailed, has_alias, devices, alias, .. } = self;
        let answer = cx.kernel.links(&mut |link| {
            let Some(statistics) = link.statistics.filter(|_| !devices.ignores(link.name)) else { return };
            let alias = if *has_alias { alias_of(cx, link.name, alias) } else { None };
            if *is_detailed {
                emit(cx, link.name, alias, LINK_COUNTERS.with(&statistics));
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

    fn emit_table(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { is_detailed, has_alias, devices, table, alias, .. } = self;
        cx.files.read_into(TABLE, [], table)?;
        let text = Text::new(Mount::Proc, TABLE.info().pattern.as_bytes(), table);
        for line in kit::table::rows(text, cx.problems).skip(table::HEADER_LINES) {
            let Some((device, rest)) = cx.problems.value(table::device(line)) else { continue };
            if devices.ignores(device) {
                continue;
            }
            let Some(counters) = cx.problems.value(table::counters(line, rest)) else { continue };
            let alias = if *has_alias { alias_of(cx, device, alias) } else { None };
            let families = if *is_detailed { table::DETAILED_FAMILIES } else { table::SUMMED_FAMILIES };
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
        cx.page.counter(family, PerDevice { device: &device, ifalias: &alias }, value);
    }
}

/// The counters summed as in /proc/net/dev, and the one that is missing there.
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
        (LINK_COUNTERS.rx_bytes, statistics.rx_bytes),
        (LINK_COUNTERS.rx_compressed, statistics.rx_compressed),
        (RECEIVE_DROP, sum(&[rx_dropped, rx_missed_errors])),
        (RECEIVE_ERRS, statistics.rx_errors),
        (RECEIVE_FIFO, statistics.rx_fifo_errors),
        (RECEIVE_FRAME, sum(&[rx_frame_errors, rx_length_errors, rx_over_errors, rx_crc_errors])),
        (RECEIVE_MULTICAST, statistics.multicast),
        (LINK_COUNTERS.rx_nohandler, statistics.rx_nohandler),
        (LINK_COUNTERS.rx_packets, statistics.rx_packets),
        (LINK_COUNTERS.tx_bytes, statistics.tx_bytes),
        (TRANSMIT_CARRIER, sum(&[tx_carrier_errors, tx_aborted_errors, tx_heartbeat_errors, tx_window_errors])),
        (TRANSMIT_COLLS, statistics.collisions),
        (LINK_COUNTERS.tx_compressed, statistics.tx_compressed),
        (TRANSMIT_DROP, statistics.tx_dropped),
        (TRANSMIT_ERRS, statistics.tx_errors),
        (TRANSMIT_FIFO, statistics.tx_fifo_errors),
        (LINK_COUNTERS.tx_packets, statistics.tx_packets),
    ]
}

/// The device's alias in sysfs, empty without one; `None` for a device that sysfs does not have.
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
