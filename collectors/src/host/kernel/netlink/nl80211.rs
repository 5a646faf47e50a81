//! Requests of nl80211, the family of wireless devices: interfaces, the network of an interface, its stations.
//!
//! The numbers are those of include/uapi/linux/nl80211.h.

use std::time::Duration;

use super::generic::{self, BODY_BYTES};
use super::{Builder, FLAG_DUMP, FLAG_REQUEST, Malformed, attributes, text, u16_at, u32_at, u64_at};
use crate::host::errno::Errno;
use crate::host::kernel::{WifiInterface, WifiNetwork, WifiStation};

/// The family's name.
pub const FAMILY: &[u8] = b"nl80211\0";

const COMMAND_GET_INTERFACE: u8 = 5;
const COMMAND_GET_STATION: u8 = 17;
const COMMAND_GET_SCAN: u8 = 32;

/// `NL80211_ATTR_IFINDEX`.
const INTERFACE_INDEX: u16 = 3;
/// `NL80211_ATTR_IFNAME`.
const INTERFACE_NAME: u16 = 4;
/// `NL80211_ATTR_MAC`.
const ADDRESS: u16 = 6;
/// `NL80211_ATTR_STA_INFO`.
const STATION: u16 = 21;
/// `NL80211_ATTR_WIPHY_FREQ`.
const FREQUENCY: u16 = 38;
/// `NL80211_ATTR_BSS`.
const NETWORK: u16 = 47;

/// `NL80211_BSS_BSSID`.
const NETWORK_ADDRESS: u16 = 1;
/// `NL80211_BSS_INFORMATION_ELEMENTS`.
const NETWORK_ELEMENTS: u16 = 6;
/// `NL80211_BSS_STATUS`: exists only for the network of the interface, not for other networks of a scan.
const NETWORK_STATUS: u16 = 9;
/// The beacon element with the name of the network.
const ELEMENT_SSID: u8 = 0;

/// `NL80211_RATE_INFO_BITRATE`: 16 bits.
const RATE: u16 = 1;
/// `NL80211_RATE_INFO_BITRATE32`.
const RATE_32: u16 = 5;
/// The unit of a rate.
const RATE_BITS_PER_SECOND: u64 = 100_000;

/// Writes a request for all wireless interfaces.
pub fn request_interfaces(into: &mut Vec<u8>, sequence: u32, family: u16) -> Result<(), Errno> {
    dump(into, sequence, family, COMMAND_GET_INTERFACE, None)
}

/// Writes a request for all networks that an interface has found.
pub fn request_networks(into: &mut Vec<u8>, sequence: u32, family: u16, index: u32) -> Result<(), Errno> {
    dump(into, sequence, family, COMMAND_GET_SCAN, Some(index))
}

/// Writes a request for all stations of an interface.
pub fn request_stations(into: &mut Vec<u8>, sequence: u32, family: u16, index: u32) -> Result<(), Errno> {
    dump(into, sequence, family, COMMAND_GET_STATION, Some(index))
}

fn dump(into: &mut Vec<u8>, sequence: u32, family: u16, command: u8, index: Option<u32>) -> Result<(), Errno> {
    let mut request = Builder::new(into, family, FLAG_REQUEST | FLAG_DUMP, sequence);
    request.body(&generic::body(command));
    if let Some(index) = index {
        request.attribute(INTERFACE_INDEX, &index.to_ne_bytes());
    }
    request.finish()
}

/// Parses an answer to [`request_interfaces`]; `None` for an interface without a name.
pub fn interface(payload: &[u8]) -> Result<Option<WifiInterface<'_>>, Malformed> {
    let mut found = WifiInterface::default();
    for attribute in attributes(payload, BODY_BYTES) {
        match attribute? {
            (INTERFACE_INDEX, value) => found.index = u32_at(value, 0).unwrap_or(0),
            (INTERFACE_NAME, value) => found.name = text(value),
            (FREQUENCY, value) => found.frequency_megahertz = u32_at(value, 0).unwrap_or(0),
            _ => {}
        }
    }
    Ok((!found.name.is_empty()).then_some(found))
}

/// Parses an answer to [`request_networks`]; `None` for a network to which the interface does not belong.
pub fn network(payload: &[u8]) -> Result<Option<WifiNetwork<'_>>, Malformed> {
    let mut found = WifiNetwork::default();
    let mut status = None;
    for attribute in attributes(payload, BODY_BYTES) {
        let (NETWORK, nested) = attribute? else { continue };
        for attribute in attributes(nested, 0) {
            match attribute? {
                (NETWORK_ADDRESS, value) => found.bssid = value,
                (NETWORK_ELEMENTS, value) => found.ssid = ssid(value),
                (NETWORK_STATUS, value) => status = u32_at(value, 0),
                _ => {}
            }
        }
    }
    Ok(status.map(|status| WifiNetwork { status, ..found }))
}

/// The name in the elements of a beacon, which consist of number, length and value.
fn ssid(elements: &[u8]) -> &[u8] {
    let mut rest = elements;
    while let [number, length, after @ ..] = rest {
        let Some((value, after)) = after.split_at_checked((*length).into()) else { break };
        if *number == ELEMENT_SSID {
            return value;
        }
        rest = after;
    }
    &[]
}

/// Parses an answer to [`request_stations`]; `None` without information about the station.
pub fn station(payload: &[u8]) -> Result<Option<WifiStation<'_>>, Malformed> {
    let mut found = WifiStation::default();
    let mut is_told = false;
    for attribute in attributes(payload, BODY_BYTES) {
        match attribute? {
            (ADDRESS, value) => found.address = value,
            (STATION, nested) => {
                read_station(nested, &mut found)?;
                is_told = true;
            }
            _ => {}
        }
    }
    Ok(is_told.then_some(found))
}

fn read_station(nested: &[u8], into: &mut WifiStation<'_>) -> Result<(), Malformed> {
    let (mut received_64, mut transmitted_64) = (None, None);
    for attribute in attributes(nested, 0) {
        let (kind, value) = attribute?;
        let number = u32_at(value, 0).unwrap_or(0);
        // The numbers are NL80211_STA_INFO_INACTIVE_TIME, NL80211_STA_INFO_RX_BYTES, ….
        match kind {
            1 => into.inactive = Duration::from_millis(number.into()),
            2 => into.received_bytes = number.into(),
            3 => into.transmitted_bytes = number.into(),
            7 => into.signal_dbm = value.first().map_or(0, |byte| byte.cast_signed()),
            8 => into.transmit_bits_per_second = rate(value)?,
            9 => into.received_packets = number,
            10 => into.transmitted_packets = number,
            11 => into.transmit_retries = number,
            12 => into.transmit_failures = number,
            14 => into.receive_bits_per_second = rate(value)?,
            16 => into.connected = Duration::from_secs(number.into()),
            18 => into.beacon_losses = number,
            23 => received_64 = u64_at(value, 0),
            24 => transmitted_64 = u64_at(value, 0),
            _ => {}
        }
    }
    into.received_bytes = received_64.unwrap_or(into.received_bytes);
    into.transmitted_bytes = transmitted_64.unwrap_or(into.transmitted_bytes);
    Ok(())
}

/// The bit rate. One that exceeds 16 bits is in the 32-bit attribute only.
fn rate(nested: &[u8]) -> Result<u64, Malformed> {
    let (mut narrow, mut wide) = (None, None);
    for attribute in attributes(nested, 0) {
        match attribute? {
            (RATE, value) => narrow = u16_at(value, 0),
            (RATE_32, value) => wide = u32_at(value, 0),
            _ => {}
        }
    }
    Ok(wide.or(narrow.map(u32::from)).map_or(0, u64::from) * RATE_BITS_PER_SECOND)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::host::kernel::netlink::messages;
    use proptest::prelude::*;

    /// Every decoder of this file, for the property that none panics.
    pub(in super::super) fn decode_all(bytes: &[u8]) {
        let _ = (interface(bytes), network(bytes), station(bytes), ssid(bytes), rate(bytes));
    }

    fn payload(fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, 28, 2, 1);
        builder.body(&[7, 1, 0, 0]);
        fill(&mut builder);
        builder.finish().unwrap();
        messages(&bytes).next().unwrap().unwrap().payload.to_vec()
    }

    #[test]
    fn requests_have_the_documented_layout() {
        #[track_caller]
        fn check(bytes: &[u8], command: u8, expected: &[Result<(u16, &[u8]), Malformed>]) {
            let message = messages(bytes).next().unwrap().unwrap();
            assert_eq!((message.kind, message.flags, message.sequence), (28, 0x301, 5));
            assert_eq!(message.payload[..4], [command, 1, 0, 0]);
            assert_eq!(attributes(message.payload, 4).collect::<Vec<_>>(), expected);
        }
        let (mut bytes, index) = (Vec::new(), 3_u32.to_ne_bytes());
        request_interfaces(&mut bytes, 5, 28).unwrap();
        check(&bytes, 5, &[]);
        bytes.clear();
        request_networks(&mut bytes, 5, 28, 3).unwrap();
        check(&bytes, 32, &[Ok((3, &index))]);
        bytes.clear();
        request_stations(&mut bytes, 5, 28, 3).unwrap();
        check(&bytes, 17, &[Ok((3, &index))]);
    }

    #[test]
    fn an_interface_without_a_name_is_none() {
        let bytes = payload(|builder| {
            builder.attribute(5, &10_u32.to_ne_bytes());
            builder.attribute(153, &1_u64.to_ne_bytes());
        });
        assert_eq!(interface(&bytes), Ok(None));
        let bytes = payload(|builder| {
            builder.attribute(3, &3_u32.to_ne_bytes());
            builder.attribute(4, b"wlan0\0");
        });
        assert_eq!(interface(&bytes), Ok(Some(WifiInterface { name: b"wlan0", index: 3, frequency_megahertz: 0 })));
        assert_eq!(interface(&bytes[..bytes.len() - 4]), Err(Malformed));
    }

    #[test]
    fn a_network_of_a_scan_is_none() {
        let bytes = payload(|builder| {
            builder.nested(47, |builder| {
                builder.attribute(1, &[2, 0, 0, 0, 0, 1]);
                builder.attribute(6, b"\0\x03abc");
            });
        });
        assert_eq!(network(&bytes), Ok(None));
        assert_eq!(network(&payload(|_| ())), Ok(None));
    }

    #[test]
    fn the_name_of_a_network_is_found_in_its_elements() {
        assert_eq!(ssid(b"\x01\x02xx\0\x03abc\0\x01z"), b"abc");
        assert_eq!(ssid(b"\0\0"), b"");
        assert_eq!(ssid(b"\0\x04abc"), b"");
        assert_eq!(ssid(b"\x01\x09xx"), b"");
        assert_eq!(ssid(b"\0"), b"");
    }

    fn station_of(attributes: &[(u16, &[u8])]) -> WifiStation<'static> {
        let bytes = payload(|builder| {
            builder.nested(21, |builder| attributes.iter().for_each(|(kind, value)| builder.attribute(*kind, value)));
        });
        WifiStation { address: &[], ..station(&bytes).unwrap().unwrap() }
    }

    #[test]
    fn wide_counters_take_precedence() {
        let (narrow, wide) = (7_u32.to_ne_bytes(), 0x1_0000_0007_u64.to_ne_bytes());
        let both =
            WifiStation { received_bytes: 0x1_0000_0007, transmitted_bytes: 0x1_0000_0007, ..Default::default() };
        assert_eq!(station_of(&[(2, &narrow), (3, &narrow), (23, &wide), (24, &wide)]), both);
        assert_eq!(station_of(&[(23, &wide), (24, &wide), (2, &narrow), (3, &narrow)]), both);
        let few = WifiStation { received_bytes: 7, transmitted_bytes: 7, ..Default::default() };
        assert_eq!(station_of(&[(2, &narrow), (3, &narrow)]), few);
    }

    #[test]
    fn a_station_without_information_is_none() {
        let bytes = payload(|builder| builder.attribute(6, &[2, 0, 0, 0, 0, 1]));
        assert_eq!(station(&bytes), Ok(None));
        assert_eq!(station_of(&[(7, &[]), (1, &[1])]), WifiStation::default());
        assert_eq!(station_of(&[(7, &[0xcc])]).signal_dbm, -52);
    }

    #[test]
    fn rates_are_told_in_16_bits_or_in_32() {
        let of = |attributes: &[(u16, &[u8])]| {
            let bytes = payload(|builder| {
                for (kind, value) in attributes {
                    builder.attribute(*kind, value);
                }
            });
            rate(&bytes[4..]).unwrap()
        };
        let (narrow, wide) = (540_u16.to_ne_bytes(), 70_000_u32.to_ne_bytes());
        assert_eq!(of(&[(1, &narrow)]), 54_000_000);
        assert_eq!(of(&[(1, &narrow), (5, &wide)]), 7_000_000_000);
        assert_eq!(of(&[(5, &wide), (1, &narrow)]), 7_000_000_000);
        assert_eq!(of(&[(5, &u32::MAX.to_ne_bytes())]), 429_496_729_500_000);
        assert_eq!(of(&[]), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn interfaces_and_networks_are_read_as_they_are_sent(
            name in "[a-z0-9]{1,15}", index: u32, frequency_megahertz: u32, bssid: [u8; 6], status: u32,
            ssid in prop::collection::vec(any::<u8>(), 0..33), before in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let bytes = payload(|builder| {
                builder.attribute(3, &index.to_ne_bytes());
                builder.attribute(4, format!("{name}\0").as_bytes());
                builder.attribute(5, &2_u32.to_ne_bytes());
                builder.attribute(38, &frequency_megahertz.to_ne_bytes());
            });
            let expected = WifiInterface { name: name.as_bytes(), index, frequency_megahertz };
            prop_assert_eq!(interface(&bytes), Ok(Some(expected)));
            let length = |value: &[u8]| u8::try_from(value.len()).expect("a short value");
            let elements = [&[1, length(&before)], &before[..], &[0, length(&ssid)], &ssid].concat();
            let bytes = payload(|builder| {
                builder.attribute(46, &[0; 4]);
                builder.nested(47, |builder| {
                    builder.attribute(1, &bssid);
                    builder.attribute(9, &status.to_ne_bytes());
                    builder.attribute(6, &elements);
                });
            });
            prop_assert_eq!(network(&bytes), Ok(Some(WifiNetwork { bssid: &bssid, ssid: &ssid, status })));
        }

        #[test]
        fn stations_are_read_as_they_are_sent(
            address: [u8; 6], times: [u32; 2], rates: [u32; 2], signal_dbm: i8, bytes: [u64; 2], counts: [u32; 5],
        ) {
            let encoded = payload(|builder| {
                builder.attribute(3, &[3, 0, 0, 0]);
                builder.attribute(6, &address);
                builder.nested(21, |builder| {
                    let [connected, inactive] = times;
                    builder.attribute(16, &connected.to_ne_bytes());
                    builder.attribute(1, &inactive.to_ne_bytes());
                    for (kind, rate) in [14, 8].into_iter().zip(rates) {
                        builder.nested(kind, |builder| builder.attribute(5, &rate.to_ne_bytes()));
                    }
                    builder.attribute(7, &signal_dbm.to_ne_bytes());
                    for (kind, value) in [23, 24].into_iter().zip(bytes) {
                        builder.attribute(kind, &value.to_ne_bytes());
                    }
                    for (kind, value) in [9, 10, 11, 12, 18].into_iter().zip(counts) {
                        builder.attribute(kind, &value.to_ne_bytes());
                    }
                });
            });
            let [received_packets, transmitted_packets, transmit_retries, transmit_failures, beacon_losses] = counts;
            let expected = WifiStation {
                address: &address,
                connected: Duration::from_secs(times[0].into()),
                inactive: Duration::from_millis(times[1].into()),
                receive_bits_per_second: u64::from(rates[0]) * 100_000,
                transmit_bits_per_second: u64::from(rates[1]) * 100_000,
                signal_dbm,
                received_bytes: bytes[0],
                transmitted_bytes: bytes[1],
                received_packets, transmitted_packets, transmit_retries, transmit_failures, beacon_losses,
            };
            prop_assert_eq!(station(&encoded), Ok(Some(expected)));
        }
    }
}
