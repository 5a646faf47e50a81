//! `--collector.qdisc.fixtures` and `--collector.wifi.fixtures`: recorded netlink answers in the form of node_exporter's
//! test data, JSON that Go printed, in place of the kernel's. They are read once, at the start.

#![expect(clippy::disallowed_methods, reason = "the files that an operator names for this")]

mod json;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{Kernel, KernelError, Qdisc, Question, WifiInterface, WifiNetwork, WifiStation};
use collectors::kit::options::{FlagInfo, FlagValue, FlagValues};

use json::Json;

/// The kernel of these flags: `kernel`, but for the answers of fixtures.
pub(super) fn kernel(values: &FlagValues, kernel: Arc<dyn Kernel>) -> Result<Arc<dyn Kernel>, String> {
    let folder = |flag: &FlagInfo| match values.value(flag) {
        Some(FlagValue::Text(folder)) if !folder.is_empty() => Some(folder.clone()),
        _ => None,
    };
    let (qdisc, wifi) = (collectors::qdisc::FIXTURES_FLAG, collectors::wifi::FIXTURES_FLAG);
    let (qdiscs, interfaces) = (folder(&qdisc), folder(&wifi));
    if qdiscs.is_none() && interfaces.is_none() {
        return Ok(kernel);
    }
    let mut answers = Canned::default();
    if let Some(folder) = &qdiscs {
        answers = with_qdiscs(Path::new(folder), answers).map_err(|error| format!("--{}: {error}", qdisc.name))?;
    }
    if let Some(folder) = &interfaces {
        answers = with_wifi(Path::new(folder), answers).map_err(|error| format!("--{}: {error}", wifi.name))?;
    }
    Ok(Arc::new(Recorded { kernel, answers, has_qdiscs: qdiscs.is_some(), has_wifi: interfaces.is_some() }))
}

/// A kernel, some of whose answers are recorded.
#[derive(Debug)]
struct Recorded {
    kernel: Arc<dyn Kernel>,
    answers: Canned,
    has_qdiscs: bool,
    has_wifi: bool,
}

impl Kernel for Recorded {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        let is_recorded = match question {
            Question::Qdiscs(_) => self.has_qdiscs,
            Question::WifiInterfaces(_) | Question::WifiNetwork(..) | Question::WifiStations(..) => self.has_wifi,
            _ => false,
        };
        if is_recorded { self.answers.ask(question) } else { self.kernel.ask(question) }
    }
}

/// Adds the queueing disciplines of `results.json` in a folder.
pub fn with_qdiscs(folder: &Path, kernel: Canned) -> Result<Canned, String> {
    read(&folder.join("results.json"), |found| {
        items(found)?.iter().try_fold(kernel, |kernel, item| {
            Ok(kernel.with_qdisc(&Qdisc {
                device: text(item, "IfaceName")?.as_bytes(),
                kind: text(item, "Kind")?.as_bytes(),
                parent: number(item, "Parent")?,
                bytes: number(item, "Bytes")?,
                packets: number(item, "Packets")?,
                drops: number(item, "Drops")?,
                requeues: number(item, "Requeues")?,
                overlimits: number(item, "Overlimits")?,
                queue_length: number(item, "Qlen")?,
                backlog_bytes: number(item, "Backlog")?,
            }))
        })
    })
}

/// Adds the wireless interfaces of `interfaces.json` in a folder, and of each what its own folder has.
pub fn with_wifi(folder: &Path, kernel: Canned) -> Result<Canned, String> {
    let mut names: Vec<String> = Vec::new();
    let kernel = read(&folder.join("interfaces.json"), |found| {
        items(found)?.iter().try_fold(kernel, |kernel, item| {
            let name = text(item, "name")?;
            // node_exporter leaves out an interface without a name.
            if name.is_empty() {
                return Ok(kernel);
            }
            names.push(name.to_owned());
            Ok(kernel.with_wifi_interface(&WifiInterface {
                name: name.as_bytes(),
                index: number(item, "index")?,
                frequency_megahertz: number(item, "frequency")?,
            }))
        })
    })?;
    names.iter().try_fold(kernel, |kernel, name| with_interface(&folder.join(name), name, kernel))
}

fn with_interface(folder: &Path, name: &str, mut kernel: Canned) -> Result<Canned, String> {
    let network = folder.join("bss.json");
    if network.exists() {
        kernel = read(&network, |found| {
            let (bssid, ssid) = (bytes(found, "bssid")?, text(found, "ssid")?.as_bytes());
            let status = number(found, "status")?;
            Ok(kernel.with_wifi_network(name, &WifiNetwork { bssid: &bssid, ssid, status }))
        })?;
    }
    let stations = folder.join("stationinfo.json");
    if stations.exists() {
        kernel = read(&stations, |found| {
            items(found)?.iter().try_fold(kernel, |kernel, item| with_station(kernel, name, item))
        })?;
    }
    Ok(kernel)
}

fn with_station(kernel: Canned, device: &str, item: &Json<'_>) -> Result<Canned, String> {
    let station = WifiStation {
        address: &bytes(item, "hardwareaddr")?,
        connected: Duration::from_nanos(number(item, "connected")?),
        inactive: Duration::from_nanos(number(item, "inactive")?),
        receive_bits_per_second: number(item, "receivebitrate")?,
        transmit_bits_per_second: number(item, "transmitbitrate")?,
        signal_dbm: number(item, "signal")?,
        received_bytes: number(item, "receivedbytes")?,
        transmitted_bytes: number(item, "transmittedbytes")?,
        received_packets: number(item, "receivedpackets")?,
        transmitted_packets: number(item, "transmittedpackets")?,
        transmit_retries: number(item, "transmitretries")?,
        transmit_failures: number(item, "transmitfailed")?,
        beacon_losses: number(item, "beaconloss")?,
    };
    Ok(kernel.with_wifi_station(device, &station))
}

/// Reads a file. The error names it.
fn read<T>(path: &Path, parse: impl FnOnce(&Json<'_>) -> Result<T, String>) -> Result<T, String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read(path).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    let text = text.map_err(|error| fail(&error))?;
    let json = Json::parse(&text).map_err(|error| format!("{}:{error}", path.display()))?;
    parse(&json).map_err(|error| fail(&error))
}

fn items<'j, 'a>(value: &'j Json<'a>) -> Result<&'j [Json<'a>], String> {
    match value {
        Json::List(items) => Ok(items),
        Json::Null => Ok(&[]),
        _ => Err("expected a list".to_owned()),
    }
}

/// The text of a field; empty if the object does not have it.
fn text<'j>(item: &'j Json<'_>, name: &str) -> Result<&'j str, String> {
    match item.field(name) {
        None => Ok(""),
        Some(Json::Text(text)) => Ok(text),
        Some(_) => Err(format!("{name}: expected a string")),
    }
}

/// The number of a field; 0 if the object does not have it.
fn number<T: std::str::FromStr + Default>(item: &Json<'_>, name: &str) -> Result<T, String> {
    match item.field(name) {
        None => Ok(T::default()),
        Some(Json::Number(text)) => text
            .parse()
            .map_err(|_| format!("{name}: expected an integer of {} bits, found `{text}`", 8 * size_of::<T>())),
        Some(_) => Err(format!("{name}: expected a number")),
    }
}

/// The bytes of a field in base64.
fn bytes(item: &Json<'_>, name: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text(item, name)?).map_err(|error| format!("{name}: expected base64: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{Command, parse};
    use std::cell::RefCell;
    use std::ffi::OsString;

    /// Answers of the kernel of a command line with both flags, for a folder of these files.
    fn answers(files: &[(&str, &str)]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let flags = ["qdisc", "wifi"].map(|name| format!("--collector.{name}.fixtures={}", folder.path().display()));
        let Ok(Command::Serve(settings)) = parse(collectors::ALL, flags.iter().map(OsString::from)) else { panic!() };
        let own: Arc<dyn Kernel> = Arc::new(Canned::default().at(7));
        let kernel = kernel(&settings.values, own).map_err(|error| {
            error.replace(&folder.path().display().to_string(), "").replace(std::path::MAIN_SEPARATOR, "/")
        })?;
        assert_eq!(kernel.now().as_secs(), 7, "other questions are for the kernel");
        let found = RefCell::new(String::new());
        let add = |answer: &dyn std::fmt::Debug| found.borrow_mut().push_str(&[&format!("{answer:?}"), "\n"].concat());
        kernel.qdiscs(&mut |qdisc| add(qdisc)).unwrap();
        kernel
            .wifi_interfaces(&mut |interface| {
                add(interface);
                // An interface without a network or stations is none of both.
                let _ = kernel.wifi_network(interface, &mut |network| add(network));
                let _ = kernel.wifi_stations(interface, &mut |station| add(station));
            })
            .unwrap();
        Ok(found.into_inner())
    }

    const QDISCS: (&str, &str) =
        ("results.json", "[{\"IfaceName\": \"lan0\", \"Kind\": \"fq\", \"Bytes\": 83, \"Qlen\": 2}]");
    const INTERFACES: (&str, &str) =
        ("interfaces.json", "[{\"name\": \"\"}, {\"name\": \"air0\", \"frequency\": 2412}]");

    #[test]
    fn fixtures_answer_in_place_of_the_kernel() {
        let network = ("air0/bss.json", "{\"ssid\": \"Home\", \"bssid\": \"AQI=\", \"status\": 1}");
        let stations = ("air0/stationinfo.json", "[{\"hardwareaddr\": \"qrvM\", \"connected\": 30, \"signal\": -52}]");
        let found = answers(&[QDISCS, INTERFACES, network, stations]).unwrap();
        for expected in [
            "bytes: 83",
            "queue_length: 2",
            "frequency_megahertz: 2412",
            "bssid: [1, 2]",
            "30ns",
            "signal_dbm: -52",
            "address: [170, 187, 204]",
        ] {
            assert!(found.contains(expected), "{expected} is not in {found}");
        }
        assert_eq!(answers(&[QDISCS, INTERFACES]).unwrap().lines().count(), 2, "a network and stations may be missing");
    }

    #[test]
    fn a_bad_fixture_is_refused_with_its_flag_and_file() {
        for (name, content, expected) in [
            ("results.json", "{", "--collector.qdisc.fixtures: /results.json:1: expected a string, found ``"),
            ("results.json", "{}", "/results.json: expected a list"),
            ("results.json", "[{\"Bytes\": -1}]", "/results.json: Bytes: expected an integer of 64 bits, found `-1`"),
            ("results.json", "[{\"Kind\": 1}]", "/results.json: Kind: expected a string"),
            ("interfaces.json", "[{\"name\": \"x\", \"index\": \"1\"}]", ": index: expected a number"),
            (
                "air0/bss.json",
                "{\"bssid\": \"*\"}",
                "--collector.wifi.fixtures: /air0/bss.json: bssid: expected base64: ",
            ),
            ("air0/stationinfo.json", "", "/air0/stationinfo.json:1: expected a value, found ``"),
        ] {
            let error = answers(&[QDISCS, INTERFACES, (name, content)]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(answers(&[INTERFACES]).unwrap_err().contains("/results.json: "), "a missing file");
    }
}
