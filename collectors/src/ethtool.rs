//! Drivers of network devices, by the ioctls of ethtool: information, link settings and statistics.

mod link_modes;
mod names;

use crate::declare;
use crate::host::errno::Errno;
use crate::host::kernel::KernelError;
use crate::host::root::{Kind, Names};
use crate::kit::attribute;
use crate::kit::filter::{self, Filter};
use crate::kit::prelude::*;
use names::{StatisticNames, Target};

/// The ethtool collector.
#[derive(Debug)]
pub struct Ethtool {
    devices: Filter,
    found: Names,
    names: StatisticNames,
    statistics: Vec<Statistic>,
}

declare! {
    Ethtool: "ethtool", off, "Drivers of network devices: information, link settings and statistics.";
    labels {
        InfoLabels { bus_info, device, driver, expansion_rom_version, firmware_version, version }
        PerDevice { device }
        PortLabels { device, r#type }
        SpeedLabels { device, duplex, mode }
    }
    reads {
        CLASS: Directory Sys "class/net";
    }
    flags {
        INCLUDE: Text "collector.ethtool.device-include" = "", "Regexp of devices to include.";
        EXCLUDE: Text "collector.ethtool.device-exclude" = "", "Regexp of devices to exclude.";
        METRICS: Text "collector.ethtool.metrics-include" = ".*", "Regexp of driver statistics to include.";
    }
    families {
        INFO: Gauge "node_ethtool_info" InfoLabels "Driver, firmware and bus address of a device; always 1.";
        ADVERTISED_SPEED: Gauge "node_network_advertised_speed_bytes" SpeedLabels "Advertised link mode: its speed in bytes per second.";
        ASYMMETRIC_PAUSE_ADVERTISED: Gauge "node_network_asymmetricpause_advertised" PerDevice "1 if asymmetric pause frames are advertised.";
        ASYMMETRIC_PAUSE_SUPPORTED: Gauge "node_network_asymmetricpause_supported" PerDevice "1 if asymmetric pause frames are supported.";
        AUTONEGOTIATE: Gauge "node_network_autonegotiate" PerDevice "1 if autonegotiation of the link is enabled.";
        AUTONEGOTIATE_ADVERTISED: Gauge "node_network_autonegotiate_advertised" PerDevice "1 if autonegotiation is advertised.";
        AUTONEGOTIATE_SUPPORTED: Gauge "node_network_autonegotiate_supported" PerDevice "1 if autonegotiation is supported.";
        PAUSE_ADVERTISED: Gauge "node_network_pause_advertised" PerDevice "1 if pause frames are advertised.";
        PAUSE_SUPPORTED: Gauge "node_network_pause_supported" PerDevice "1 if pause frames are supported.";
        SUPPORTED_PORT: Gauge "node_network_supported_port_info" PortLabels "Supported port type; always 1.";
        SUPPORTED_SPEED: Gauge "node_network_supported_speed_bytes" SpeedLabels "Supported link mode: its speed in bytes per second.";
    }
    table COMMON: &'static str => PerDevice {
        "rx_bytes" => kept Untyped "node_ethtool_received_bytes_total" "Bytes received, as the driver counts them.";
        "rx_dropped" => kept Untyped "node_ethtool_received_dropped_total" "Received packets dropped, as the driver counts them.";
        "rx_errors" => kept Untyped "node_ethtool_received_errors_total" "Receive errors, as the driver counts them.";
        "rx_packets" => kept Untyped "node_ethtool_received_packets_total" "Packets received, as the driver counts them.";
        "tx_bytes" => kept Untyped "node_ethtool_transmitted_bytes_total" "Bytes transmitted, as the driver counts them.";
        "tx_errors" => kept Untyped "node_ethtool_transmitted_errors_total" "Transmit errors, as the driver counts them.";
        "tx_packets" => kept Untyped "node_ethtool_transmitted_packets_total" "Packets transmitted, as the driver counts them.";
    }
    prefixes {
        STATISTIC: Untyped "node_ethtool_" PerDevice "Driver statistic {} of a network device.";
    }
}

/// A statistic of the current device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Statistic {
    /// Equal for statistics whose metric names are.
    metric: usize,
    /// Equal for statistics whose names are.
    name: usize,
    /// Its place in the driver's list.
    place: usize,
    value: u64,
}

impl Collect for Ethtool {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            devices: Filter::from_both(options, INCLUDE, EXCLUDE)?,
            found: Names::new(),
            names: StatisticNames::new(filter::strict_pattern_of(options, METRICS)?),
            statistics: Vec::new(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { devices, found, names, statistics } = self;
        cx.files.list(CLASS, [], found).map_err(|error| error.or_no_data(attribute::is_hidden))?;
        let (mut is_empty, mut is_asked, mut is_supported) = (true, false, false);
        for (device, kind) in found.iter_kinds() {
            // Files in the class directory are module settings, such as bonding_masters.
            if kind == Kind::File {
                continue;
            }
            is_empty = false;
            if !devices.ignores(device) {
                is_asked = true;
                for answer in [
                    ("link settings", link_modes::emit(cx, device)),
                    ("driver", emit_driver(cx, device)),
                    ("statistics", emit_statistics(cx, device, names, statistics)),
                ] {
                    is_supported |= is_answered(cx.problems, device, answer);
                }
            }
        }
        if is_empty {
            return Err(Failure::error("sys/class/net: expected at least one network device, found none"));
        }
        if is_asked && !is_supported {
            return Err(Failure::no_data("ethtool query: not supported by this host"));
        }
        Ok(())
    }
}

/// Whether the host supports the query. Errors of drivers are noted, because most drivers lack some of the answers.
fn is_answered(problems: &mut Problems, device: &[u8], (what, answer): (&str, Result<(), KernelError>)) -> bool {
    match answer {
        Ok(()) | Err(KernelError::Errno(Errno::EOPNOTSUPP)) => true,
        Err(KernelError::Unsupported) => false,
        Err(error) => {
            let device = device.escape_ascii();
            problems.note(Failure::error(format_args!("ethtool query: {what} of {device}: {error}")));
            true
        }
    }
}

fn emit_driver(cx: &mut Cx<'_, Ethtool>, device: &[u8]) -> Result<(), KernelError> {
    let Cx { page, kernel, .. } = cx;
    kernel.driver(device, &mut |found| {
        let labels = InfoLabels {
            bus_info: &found.bus_info,
            device: &device,
            driver: &found.name,
            expansion_rom_version: &found.expansion_rom_version,
            firmware_version: &found.firmware_version,
            version: &found.version,
        };
        page.gauge(INFO, labels, true);
    })
}

/// Statistics whose names become one metric name are omitted, because none of them can be told from the other ones.
fn emit_statistics(
    cx: &mut Cx<'_, Ethtool>,
    device: &[u8],
    names: &mut StatisticNames,
    statistics: &mut Vec<Statistic>,
) -> Result<(), KernelError> {
    statistics.clear();
    names.begin_device();
    let mut place = 0;
    let answer = cx.kernel.driver_statistics(device, &mut |found| {
        if let Some((metric, name)) = names.metric_and_name(found.name) {
            statistics.push(Statistic { metric, name, place, value: found.value });
        }
        place += 1;
    });
    statistics.sort_unstable();
    for group in statistics.chunk_by(|one, other| one.metric == other.metric) {
        // The last of several values of one name counts, as in node_exporter.
        if let (Some(first), Some(last)) = (group.first(), group.last())
            && first.name == last.name
        {
            emit_statistic(cx, device, names, last);
        }
    }
    answer
}

fn emit_statistic(cx: &mut Cx<'_, Ethtool>, device: &[u8], names: &StatisticNames, statistic: &Statistic) {
    match names.target(statistic.name) {
        Target::Common(family) => {
            if let Some((_, family)) = COMMON.get(*family) {
                cx.page.tabled(*family, PerDevice { device: &device }, statistic.value);
            }
        }
        Target::Named(rest) => {
            cx.page.named(STATISTIC, &[rest], PerDevice { device: &device }, statistic.value);
        }
        // node_exporter exits on such a name.
        Target::Nameless => {
            let device = device.escape_ascii();
            cx.problems
                .note(Failure::error(format_args!("ethtool query: statistic of {device}: no letter in its name")));
        }
    }
}

#[cfg(test)]
mod tests;
