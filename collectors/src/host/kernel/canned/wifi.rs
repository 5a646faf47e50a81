//! Wireless interfaces, networks and stations.

use std::collections::BTreeMap;

use super::Canned;
use super::line::{CannedError, Line, write_seconds};
use super::parse::{DEVICE, error, named};
use super::write::Text;
use crate::host::errno::Errno;
use crate::host::kernel::{WifiInterface, WifiNetwork, WifiStation};

/// Devices and the network of each, or a refusal.
pub(super) type Networks = BTreeMap<Vec<u8>, Refusable<OwnedNetwork>>;

/// Devices and what they talk with, or a refusal.
pub(super) type Stations = Vec<(Vec<u8>, Refusable<OwnedStation>)>;

/// An answer, or a refusal.
pub(super) type Refusable<T> = Result<T, Errno>;

/// A [`WifiInterface`] that keeps its own bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedInterface {
    name: Vec<u8>,
    index: u32,
    frequency_megahertz: u32,
}

impl OwnedInterface {
    pub(super) fn borrow(&self) -> WifiInterface<'_> {
        let Self { name, index, frequency_megahertz } = self;
        WifiInterface { name, index: *index, frequency_megahertz: *frequency_megahertz }
    }
}

/// A [`WifiNetwork`] that keeps its own bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedNetwork {
    bssid: Vec<u8>,
    ssid: Vec<u8>,
    status: u32,
}

/// A [`WifiStation`] that keeps its own bytes; those of `numbers` are empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedStation {
    address: Vec<u8>,
    numbers: WifiStation<'static>,
}

impl OwnedStation {
    pub(super) fn borrow(&self) -> WifiStation<'_> {
        WifiStation { address: &self.address, ..self.numbers }
    }
}

impl From<&WifiStation<'_>> for OwnedStation {
    fn from(station: &WifiStation<'_>) -> Self {
        let numbers = WifiStation {
            address: b"",
            connected: station.connected,
            inactive: station.inactive,
            receive_bits_per_second: station.receive_bits_per_second,
            transmit_bits_per_second: station.transmit_bits_per_second,
            signal_dbm: station.signal_dbm,
            received_bytes: station.received_bytes,
            transmitted_bytes: station.transmitted_bytes,
            received_packets: station.received_packets,
            transmitted_packets: station.transmitted_packets,
            transmit_retries: station.transmit_retries,
            transmit_failures: station.transmit_failures,
            beacon_losses: station.beacon_losses,
        };
        Self { address: station.address.to_vec(), numbers }
    }
}

impl From<&WifiInterface<'_>> for OwnedInterface {
    fn from(interface: &WifiInterface<'_>) -> Self {
        let WifiInterface { name, index, frequency_megahertz } = *interface;
        Self { name: name.to_vec(), index, frequency_megahertz }
    }
}

impl From<&WifiNetwork<'_>> for OwnedNetwork {
    fn from(network: &WifiNetwork<'_>) -> Self {
        let WifiNetwork { bssid, ssid, status } = *network;
        Self { bssid: bssid.to_vec(), ssid: ssid.to_vec(), status }
    }
}

impl Canned {
    /// Adds a wireless interface.
    #[must_use]
    pub fn with_wifi_interface(mut self, interface: &WifiInterface<'_>) -> Self {
        let WifiInterface { name, index, frequency_megahertz } = *interface;
        let owned = OwnedInterface { name: name.to_vec(), index, frequency_megahertz };
        self.answers.wifi_interfaces.get_or_insert_default().push(owned);
        self
    }

    /// Sets the network that a wireless interface belongs to.
    #[must_use]
    pub fn with_wifi_network(mut self, device: impl AsRef<[u8]>, network: &WifiNetwork<'_>) -> Self {
        let WifiNetwork { bssid, ssid, status } = *network;
        let known = self.answers.wifi_networks.get_or_insert_default();
        known.insert(device.as_ref().to_vec(), Ok(OwnedNetwork { bssid: bssid.to_vec(), ssid: ssid.to_vec(), status }));
        self
    }

    /// Adds a station that a wireless interface talks with.
    #[must_use]
    pub fn with_wifi_station(mut self, device: impl AsRef<[u8]>, station: &WifiStation<'_>) -> Self {
        let known = self.answers.wifi_stations.get_or_insert_default();
        known.push((device.as_ref().to_vec(), Ok(OwnedStation::from(station))));
        self
    }
}

pub(super) fn visit_network(
    networks: &Networks,
    device: &[u8],
    visit: &mut dyn FnMut(&WifiNetwork<'_>),
) -> Result<(), Errno> {
    match networks.get(device) {
        Some(Ok(OwnedNetwork { bssid, ssid, status })) => visit(&WifiNetwork { bssid, ssid, status: *status }),
        Some(Err(errno)) => return Err(*errno),
        None => {}
    }
    Ok(())
}

pub(super) fn visit_stations(
    stations: &Stations,
    device: &[u8],
    visit: &mut dyn FnMut(&WifiStation<'_>),
) -> Result<(), Errno> {
    for (_, station) in stations.iter().filter(|(own, _)| own == device) {
        visit(&station.as_ref().map_err(|errno| *errno)?.borrow());
    }
    Ok(())
}

pub(super) fn parse_interface(mut line: Line<'_>) -> Result<OwnedInterface, CannedError> {
    let name = named(&mut line, DEVICE)?;
    let (mut index, mut frequency_megahertz) = (None, 0);
    while let Some((key, value)) = line.pair()? {
        match key {
            b"index" => index = Some(line.number(key, value)?),
            b"frequency_megahertz" => frequency_megahertz = line.number(key, value)?,
            other => return Err(line.error("the key", Some(other), "use index and frequency_megahertz")),
        }
    }
    let index = index.ok_or_else(|| line.error("index", None, "give the device's index"))?;
    Ok(OwnedInterface { name, index, frequency_megahertz })
}

pub(super) fn parse_network(mut line: Line<'_>) -> Result<Refusable<OwnedNetwork>, CannedError> {
    let (mut bssid, mut ssid, mut status) = (Vec::new(), Vec::new(), None);
    while let Some((key, value)) = line.pair()? {
        match key {
            b"error" => {
                let refusal = error(&line, value)?;
                return line.end().map(|()| Err(refusal));
            }
            b"bssid" => bssid = line.hardware_address("bssid", value)?,
            b"ssid" => ssid = line.unescaped("ssid", value)?,
            b"status" => status = Some(line.number(key, value)?),
            other => return Err(line.error("the key", Some(other), "use bssid, ssid and status, or error alone")),
        }
    }
    let advice = "give 0 for authenticated, 1 for associated, 2 for joined";
    let status = status.ok_or_else(|| line.error("status", None, advice))?;
    Ok(Ok(OwnedNetwork { bssid, ssid, status }))
}

pub(super) fn parse_station(mut line: Line<'_>) -> Result<(Vec<u8>, Refusable<OwnedStation>), CannedError> {
    let device = named(&mut line, DEVICE)?;
    let mut address = None;
    let mut found = WifiStation::default();
    while let Some((key, value)) = line.pair()? {
        match key {
            b"error" => {
                let refusal = error(&line, value)?;
                return line.end().map(|()| (device, Err(refusal)));
            }
            b"address" => address = Some(line.hardware_address("address", value)?),
            b"connected_seconds" => found.connected = line.seconds("connected_seconds", value)?,
            b"inactive_seconds" => found.inactive = line.seconds("inactive_seconds", value)?,
            b"receive_bits_per_second" => found.receive_bits_per_second = line.number(key, value)?,
            b"transmit_bits_per_second" => found.transmit_bits_per_second = line.number(key, value)?,
            b"signal_dbm" => found.signal_dbm = signal(&line, value)?,
            b"received_bytes" => found.received_bytes = line.number(key, value)?,
            b"transmitted_bytes" => found.transmitted_bytes = line.number(key, value)?,
            b"received_packets" => found.received_packets = line.number(key, value)?,
            b"transmitted_packets" => found.transmitted_packets = line.number(key, value)?,
            b"transmit_retries" => found.transmit_retries = line.number(key, value)?,
            b"transmit_failures" => found.transmit_failures = line.number(key, value)?,
            b"beacon_losses" => found.beacon_losses = line.number(key, value)?,
            other => {
                return Err(line.error("the key", Some(other), "use a field of `WifiStation`, or error alone"));
            }
        }
    }
    let address = address.ok_or_else(|| line.error("address", None, "give the station's hardware address"))?;
    found.address = &address;
    Ok((device, Ok(OwnedStation::from(&found))))
}

fn signal(line: &Line<'_>, value: &[u8]) -> Result<i8, CannedError> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| line.error("signal_dbm", Some(value), "give a whole number from -128 to 127"))
}

pub(super) fn write_interfaces(interfaces: &[OwnedInterface]) -> Text {
    let mut text = Text::default();
    for interface in interfaces {
        text.escaped(&interface.name)
            .pair("index", interface.index)
            .pair("frequency_megahertz", interface.frequency_megahertz)
            .raw('\n');
    }
    text
}

pub(super) fn write_networks(networks: &Networks) -> Text {
    let mut text = Text::default();
    for (device, network) in networks {
        text.escaped(device);
        match network {
            Ok(OwnedNetwork { bssid, ssid, status }) => {
                text.hardware_address("bssid", bssid).raw(" ssid=").escaped(ssid).pair("status", status)
            }
            Err(errno) => text.error(*errno),
        };
        text.raw('\n');
    }
    text
}

pub(super) fn write_stations(stations: &Stations) -> Text {
    let mut text = Text::default();
    for (device, station) in stations {
        text.escaped(device);
        match station {
            Ok(station) => write_station(&station.borrow(), &mut text),
            Err(errno) => {
                text.error(*errno);
            }
        }
        text.raw('\n');
    }
    text
}

fn write_station(station: &WifiStation<'_>, text: &mut Text) {
    text.hardware_address("address", station.address);
    for (key, time) in [("connected_seconds", station.connected), ("inactive_seconds", station.inactive)] {
        text.raw(format_args!(" {key}="));
        write_seconds(time, &mut text.0);
    }
    text.pair("receive_bits_per_second", station.receive_bits_per_second)
        .pair("transmit_bits_per_second", station.transmit_bits_per_second)
        .pair("signal_dbm", station.signal_dbm)
        .pair("received_bytes", station.received_bytes)
        .pair("transmitted_bytes", station.transmitted_bytes)
        .pair("received_packets", station.received_packets)
        .pair("transmitted_packets", station.transmitted_packets)
        .pair("transmit_retries", station.transmit_retries)
        .pair("transmit_failures", station.transmit_failures)
        .pair("beacon_losses", station.beacon_losses);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use std::time::Duration;

    fn name() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 1..9)
    }

    fn refused<T: std::fmt::Debug>(sound: impl Strategy<Value = T>) -> impl Strategy<Value = Result<T, Errno>> {
        prop_oneof![4 => sound.prop_map(Ok), 1 => (1_i32..70_000).prop_map(|number| Err(Errno::from_number(number)))]
    }

    prop_compose! {
        pub(in super::super) fn interface()(name in name(), index: u32, frequency_megahertz: u32) -> OwnedInterface {
            OwnedInterface { name, index, frequency_megahertz }
        }
    }

    pub(in super::super) fn networks() -> impl Strategy<Value = Networks> {
        let network = (vec(any::<u8>(), 0..7), vec(any::<u8>(), 0..9), any::<u32>());
        btree_map(name(), refused(network.prop_map(|(bssid, ssid, status)| OwnedNetwork { bssid, ssid, status })), 0..4)
    }

    prop_compose! {
        fn station()(
            address: Vec<u8>, times: [(u32, u16); 2], wide: [u64; 4], signal_dbm: i8, narrow: [u32; 5],
        ) -> OwnedStation {
            let [connected, inactive] =
                times.map(|(seconds, millis)| Duration::from_secs(seconds.into()) + Duration::from_millis(millis.into()));
            let [receive_bits_per_second, transmit_bits_per_second, received_bytes, transmitted_bytes] = wide;
            let [received_packets, transmitted_packets, transmit_retries, transmit_failures, beacon_losses] = narrow;
            OwnedStation::from(&WifiStation {
                address: &address, connected, inactive, receive_bits_per_second, transmit_bits_per_second, signal_dbm,
                received_bytes, transmitted_bytes, received_packets, transmitted_packets, transmit_retries,
                transmit_failures, beacon_losses,
            })
        }
    }

    pub(in super::super) fn stations() -> impl Strategy<Value = Stations> {
        vec((name(), refused(station())), 0..4)
    }

    #[track_caller]
    fn check<T: std::fmt::Debug>(text: &str, parse: fn(Line<'_>) -> Result<T, CannedError>, expected: &str) {
        let error = parse(Line::all("kernel/x", text.as_bytes()).next().expect("a line")).unwrap_err();
        assert_eq!(error.to_string(), format!("kernel/x, line 1: {expected}"));
    }

    #[test]
    fn a_bad_line_is_refused_with_place_and_advice() {
        check("wlan0", parse_interface, "index is missing; give the device's index");
        check("wlan0 index=1 type=2", parse_interface, "the key is `type`; use index and frequency_megahertz");
        check("bssid=2", parse_network, "bssid is `2`; write it as 02:00:00:00:00:01");
        check("ssid=a", parse_network, "status is missing; give 0 for authenticated, 1 for associated, 2 for joined");
        check("name=a", parse_network, "the key is `name`; use bssid, ssid and status, or error alone");
        check("error=EIO status=1", parse_network, "the end of the line is `status=1`; take it out");
        check("wlan0", parse_station, "address is missing; give the station's hardware address");
        check("wlan0 signal_dbm=-129", parse_station, "signal_dbm is `-129`; give a whole number from -128 to 127");
        check("wlan0 rate=1", parse_station, "the key is `rate`; use a field of `WifiStation`, or error alone");
        check("wlan0 error=EIO address=02", parse_station, "the end of the line is `address=02`; take it out");
    }

    #[test]
    fn limits_are_allowed_themselves() {
        let line = |text: &'static str| Line::all("kernel/x", text.as_bytes()).next().expect("a line");
        let (_, found) = parse_station(line("wlan0 address=02 signal_dbm=-128")).unwrap();
        assert_eq!(found.unwrap().borrow().signal_dbm, -128);
        assert_eq!(parse_network(line("status=4294967295")).unwrap().unwrap().status, u32::MAX);
    }
}
