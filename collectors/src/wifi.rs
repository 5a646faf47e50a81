//! Wireless interfaces and their stations, by nl80211.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::kernel::wifi::{STATUS_ASSOCIATED, STATUS_AUTHENTICATED, STATUS_JOINED};
use crate::host::kernel::{Kernel, KernelError, WifiInterface, WifiStation};
use crate::kit::label::HardwareAddress;
use crate::kit::options::FlagInfo;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;

/// The wifi collector.
#[derive(Debug)]
pub struct Wifi;

declare! {
    Wifi: "wifi", off, "Wireless interfaces: frequency, network and stations.";
    labels {
        InfoLabels { bssid, device, mode, ssid }
        PerDevice { device }
        PerStation { device, mac_address }
    }
    flags {
        FIXTURES: Text "collector.wifi.fixtures" = "", "Directory of recorded netlink answers to use instead of the kernel's, for tests.";
    }
    families {
        FREQUENCY: Gauge "node_wifi_interface_frequency_hertz" PerDevice "Center frequency of the interface in hertz; 0 without a channel.";
        BEACON_LOSS: Counter "node_wifi_station_beacon_loss_total" PerStation "Beacon losses of a station.";
        CONNECTED: Counter "node_wifi_station_connected_seconds_total" PerStation "Connection time of a station in seconds.";
        INACTIVE: Gauge "node_wifi_station_inactive_seconds" PerStation "Time since the last activity of a station in seconds.";
        INFO: Gauge "node_wifi_station_info" InfoLabels "Network of an interface; always 1.";
        RECEIVE_RATE: Gauge "node_wifi_station_receive_bits_per_second" PerStation "Receive bit rate of a station in bits per second.";
        RECEIVE_BYTES: Counter "node_wifi_station_receive_bytes_total" PerStation "Bytes received from a station.";
        RECEIVED_PACKETS: Counter "node_wifi_station_received_packets_total" PerStation "Packets received from a station.";
        SIGNAL: Gauge "node_wifi_station_signal_dbm" PerStation "Signal strength of a station in dBm.";
        TRANSMIT_RATE: Gauge "node_wifi_station_transmit_bits_per_second" PerStation "Transmit bit rate of a station in bits per second.";
        TRANSMIT_BYTES: Counter "node_wifi_station_transmit_bytes_total" PerStation "Bytes transmitted to a station.";
        TRANSMIT_FAILED: Counter "node_wifi_station_transmit_failed_total" PerStation "Failed transmissions to a station.";
        TRANSMIT_RETRIES: Counter "node_wifi_station_transmit_retries_total" PerStation "Transmission retries to a station.";
        TRANSMITTED_PACKETS: Counter "node_wifi_station_transmitted_packets_total" PerStation "Packets transmitted to a station.";
    }
}

const HERTZ_PER_MEGAHERTZ: u64 = 1_000_000;

/// The flag of recorded answers, for code that makes the kernel: the collector asks that.
pub const FIXTURES_FLAG: FlagInfo = FIXTURES.info();

impl Collect for Wifi {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Cx { page, kernel, problems, .. } = cx;
        let answer = kernel.wifi_interfaces(&mut |interface| emit_interface(interface, &***kernel, page, problems));
        match answer {
            Ok(()) => Ok(()),
            Err(KernelError::Unsupported) => Err(Failure::no_data("nl80211 query: not supported by this host")),
            Err(error @ KernelError::Errno(Errno::EPERM | Errno::EACCES)) => {
                Err(Failure::no_data(format_args!("nl80211 query: {error}")))
            }
            Err(error) => Err(Failure::error(format_args!("nl80211 query: {error}"))),
        }
    }
}

fn emit_interface(
    interface: &WifiInterface<'_>,
    kernel: &dyn Kernel,
    page: &mut PageOf<'_, Wifi>,
    problems: &mut Problems,
) {
    let device = &interface.name;
    page.gauge(FREQUENCY, PerDevice { device }, u64::from(interface.frequency_megahertz) * HERTZ_PER_MEGAHERTZ);
    let answer = kernel.wifi_network(interface, &mut |network| {
        page.gauge(
            INFO,
            InfoLabels {
                bssid: &HardwareAddress(network.bssid),
                device,
                mode: &mode(network.status),
                ssid: &network.ssid,
            },
            1_u64,
        );
    });
    report(answer, "network", device, problems);
    let answer = kernel.wifi_stations(interface, &mut |station| emit_station(device, station, page));
    report(answer, "stations", device, problems);
}

/// Reports an error, unless the interface has no such data or was removed during the scrape.
fn report(answer: Result<(), KernelError>, what: &str, device: &[u8], problems: &mut Problems) {
    match answer {
        Ok(()) | Err(KernelError::Unsupported | KernelError::Errno(Errno::ENOENT | Errno::ENODEV)) => {}
        Err(error) => {
            problems
                .report(Failure::error(format_args!("nl80211 query: {what} of {}: {error}", device.escape_ascii())));
        }
    }
}

fn emit_station(device: &[u8], station: &WifiStation<'_>, page: &mut PageOf<'_, Wifi>) {
    let (device, address) = (&device, &HardwareAddress(station.address));
    page.counter(BEACON_LOSS, PerStation { device, mac_address: address }, station.beacon_losses);
    page.counter(CONNECTED, PerStation { device, mac_address: address }, station.connected.as_secs_f64());
    page.gauge(INACTIVE, PerStation { device, mac_address: address }, station.inactive.as_secs_f64());
    page.gauge(RECEIVE_RATE, PerStation { device, mac_address: address }, station.receive_bits_per_second);
    page.counter(RECEIVE_BYTES, PerStation { device, mac_address: address }, station.received_bytes);
    page.counter(RECEIVED_PACKETS, PerStation { device, mac_address: address }, station.received_packets);
    page.gauge(SIGNAL, PerStation { device, mac_address: address }, i32::from(station.signal_dbm));
    page.gauge(TRANSMIT_RATE, PerStation { device, mac_address: address }, station.transmit_bits_per_second);
    page.counter(TRANSMIT_BYTES, PerStation { device, mac_address: address }, station.transmitted_bytes);
    page.counter(TRANSMIT_FAILED, PerStation { device, mac_address: address }, station.transmit_failures);
    page.counter(TRANSMIT_RETRIES, PerStation { device, mac_address: address }, station.transmit_retries);
    page.counter(TRANSMITTED_PACKETS, PerStation { device, mac_address: address }, station.transmitted_packets);
}

fn mode(status: u32) -> &'static str {
    match status {
        STATUS_AUTHENTICATED | STATUS_ASSOCIATED => "client",
        STATUS_JOINED => "ad-hoc",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const INTERFACES: &str = "== kernel/wifi_interfaces\nwlan0 index=3 frequency_megahertz=5180\nwlan1 index=4\n";
    const FREQUENCIES: &str = "node_wifi_interface_frequency_hertz{device=\"wlan0\"} 5.18e+09\n\
        node_wifi_interface_frequency_hertz{device=\"wlan1\"} 0\n";
    const STATION: &str = "address=02:00:5e:00:53:0a connected_seconds=61 inactive_seconds=0.016 \
        receive_bits_per_second=866700000 transmit_bits_per_second=780000000 signal_dbm=-52 received_bytes=1 \
        transmitted_bytes=2 received_packets=3 transmitted_packets=4 transmit_retries=5 transmit_failures=6 \
        beacon_losses=7\n";

    fn station(device: &str) -> String {
        let labels = format!("{{device=\"{device}\",mac_address=\"02:00:5e:00:53:0a\"}}");
        [
            ("beacon_loss_total", "7"),
            ("connected_seconds_total", "61"),
            ("inactive_seconds", "0.016"),
            ("receive_bits_per_second", "8.667e+08"),
            ("receive_bytes_total", "1"),
            ("received_packets_total", "3"),
            ("signal_dbm", "-52"),
            ("transmit_bits_per_second", "7.8e+08"),
            ("transmit_bytes_total", "2"),
            ("transmit_failed_total", "6"),
            ("transmit_retries_total", "5"),
            ("transmitted_packets_total", "4"),
        ]
        .map(|(name, value)| format!("node_wifi_station_{name}{labels} {value}\n"))
        .concat()
    }

    #[test]
    fn interfaces_have_frequencies() {
        given(INTERFACES).emits::<Wifi>(FREQUENCIES);
        given("== kernel/wifi_interfaces\n").emits::<Wifi>("");
    }

    #[test]
    fn a_host_without_nl80211_has_no_data() {
        given("").fails::<Wifi>("", "nl80211 query: not supported by this host");
    }

    #[test]
    fn the_network_is_exported_as_labels() {
        for (status, mode) in [(0, "client"), (1, "client"), (2, "ad-hoc"), (3, "unknown")] {
            let network =
                format!("== kernel/wifi_networks\nwlan0 bssid=02:00:5e:00:53:0a ssid=my\\040net status={status}\n");
            given(&(INTERFACES.to_owned() + &network)).emits::<Wifi>(&format!(
                "{FREQUENCIES}node_wifi_station_info\
                 {{bssid=\"02:00:5e:00:53:0a\",device=\"wlan0\",mode=\"{mode}\",ssid=\"my net\"}} 1\n"
            ));
        }
        given(&format!("{INTERFACES}== kernel/wifi_networks\nwlan0 ssid=\\377 status=1\n")).emits::<Wifi>(&format!(
            "{FREQUENCIES}node_wifi_station_info{{bssid=\"\",device=\"wlan0\",mode=\"client\",ssid=\"\u{fffd}\"}} 1\n"
        ));
    }

    #[test]
    fn stations_are_labelled_by_interface() {
        let stations = format!("== kernel/wifi_stations\nwlan1 {STATION}");
        given(&(INTERFACES.to_owned() + &stations)).emits::<Wifi>(&(FREQUENCIES.to_owned() + &station("wlan1")));
    }

    #[test]
    fn missing_networks_and_stations_are_not_failures() {
        let answers = "== kernel/wifi_networks\nwlan0 error=ENOENT\n== kernel/wifi_stations\nwlan0 error=ENODEV\n";
        given(&(INTERFACES.to_owned() + answers)).emits::<Wifi>(FREQUENCIES);
    }

    #[test]
    fn a_refused_query_costs_only_its_own_samples() {
        let stations = format!("== kernel/wifi_stations\nwlan0 error=EOPNOTSUPP\nwlan1 {STATION}");
        given(&(INTERFACES.to_owned() + &stations))
            .fails::<Wifi>(&(FREQUENCIES.to_owned() + &station("wlan1")), "stations of wlan0: operation not supported");
        given(&format!("{INTERFACES}== kernel/wifi_networks\nwlan0 error=EBUSY\n"))
            .fails::<Wifi>(FREQUENCIES, "network of wlan0: device or resource busy (EBUSY)");
    }
}
