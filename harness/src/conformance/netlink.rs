//! The recorded netlink answers of the test data, JSON printed by Go, as answers of a kernel.

use std::io;
use std::path::Path;
use std::time::Duration;

use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{Qdisc, WifiInterface, WifiNetwork, WifiStation};
use serde_json::Value;

use crate::load;

/// Adds the answers in `qdisc/` and `wifi/`.
pub(super) fn answers(folder: &Path, kernel: Canned) -> io::Result<Canned> {
    // Older versions have only some of them.
    let (qdisc, wifi_folder) = (folder.join("qdisc/results.json"), folder.join("wifi"));
    let kernel = if load::exists(&qdisc) { qdiscs(&qdisc, kernel)? } else { kernel };
    if load::exists(&wifi_folder.join("interfaces.json")) { wifi(&wifi_folder, kernel) } else { Ok(kernel) }
}

fn json(path: &Path) -> io::Result<Value> {
    serde_json::from_slice(&load::bytes(path)?)
        .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn qdiscs(path: &Path, kernel: Canned) -> io::Result<Canned> {
    Ok(items(&json(path)?).fold(kernel, |kernel, item| {
        kernel.with_qdisc(&Qdisc {
            device: text(item, "IfaceName").as_bytes(),
            kind: text(item, "Kind").as_bytes(),
            parent: whole(item, "Parent"),
            bytes: number(item, "Bytes"),
            packets: number(item, "Packets"),
            drops: whole(item, "Drops"),
            requeues: whole(item, "Requeues"),
            overlimits: whole(item, "Overlimits"),
            queue_length: whole(item, "Qlen"),
            backlog_bytes: whole(item, "Backlog"),
        })
    }))
}

/// An interface without a name is not reported.
fn wifi(folder: &Path, mut kernel: Canned) -> io::Result<Canned> {
    for item in items(&json(&folder.join("interfaces.json"))?) {
        let name = text(item, "name");
        if name.is_empty() {
            continue;
        }
        let interface = WifiInterface {
            name: name.as_bytes(),
            index: whole(item, "index"),
            frequency_megahertz: whole(item, "frequency"),
        };
        kernel = kernel.with_wifi_interface(&interface);
        let own = folder.join(name);
        if load::exists(&own.join("bss.json")) {
            let bss = json(&own.join("bss.json"))?;
            let (bssid, ssid) = (bytes(&bss, "bssid"), text(&bss, "ssid").as_bytes());
            kernel =
                kernel.with_wifi_network(name, &WifiNetwork { bssid: &bssid, ssid, status: whole(&bss, "status") });
        }
        if load::exists(&own.join("stationinfo.json")) {
            let stations = json(&own.join("stationinfo.json"))?;
            kernel = items(&stations).fold(kernel, |kernel, item| with_station(kernel, name, item));
        }
    }
    Ok(kernel)
}

fn with_station(kernel: Canned, device: &str, item: &Value) -> Canned {
    let station = WifiStation {
        address: &bytes(item, "hardwareaddr"),
        connected: Duration::from_nanos(number(item, "connected")),
        inactive: Duration::from_nanos(number(item, "inactive")),
        receive_bits_per_second: number(item, "receivebitrate"),
        transmit_bits_per_second: number(item, "transmitbitrate"),
        signal_dbm: item["signal"].as_i64().and_then(|signal| signal.try_into().ok()).unwrap_or(0),
        received_bytes: number(item, "receivedbytes"),
        transmitted_bytes: number(item, "transmittedbytes"),
        received_packets: whole(item, "receivedpackets"),
        transmitted_packets: whole(item, "transmittedpackets"),
        transmit_retries: whole(item, "transmitretries"),
        transmit_failures: whole(item, "transmitfailed"),
        beacon_losses: whole(item, "beaconloss"),
    };
    kernel.with_wifi_station(device, &station)
}

fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item[key].as_str().unwrap_or_default()
}

fn number(item: &Value, key: &str) -> u64 {
    item[key].as_u64().unwrap_or(0)
}

fn whole(item: &Value, key: &str) -> u32 {
    number(item, key).try_into().unwrap_or(u32::MAX)
}

fn bytes(item: &Value, key: &str) -> Vec<u8> {
    base64(text(item, key))
}

/// Decodes base64 up to the padding.
fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut held, mut held_bits) = (0_u32, 0);
    for character in text.bytes() {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        held = held << 6 | u32::from(six);
        held_bits += 6;
        if held_bits >= 8 {
            held_bits -= 8;
            bytes.extend((held >> held_bits).to_le_bytes().first());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_decoded() {
        assert_eq!(base64("ABEiM0RV"), [0x00, 0x11, 0x22, 0x33, 0x44, 0x55]);
        assert_eq!(base64("qrvM3e7/"), [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]);
        assert_eq!(base64("+w=="), [0xfb]);
        assert_eq!(base64("AQI="), [1, 2]);
        assert!(base64("").is_empty());
    }
}
