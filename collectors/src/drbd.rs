//! Replicated block devices from /proc/drbd.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::label::Joined;
use crate::kit::page::PageOf;
use crate::kit::parse::Wide;
use crate::kit::prelude::*;
use crate::kit::table;

/// The drbd collector.
#[derive(Debug)]
pub struct Drbd;

declare! {
    Drbd: "drbd", off, "Replication state and traffic of DRBD devices.";
    labels {
        PerDevice { device }
        PerNode { device, node }
    }
    reads {
        DRBD: File Proc "drbd";
    }
    families {
        CONNECTED: Gauge "node_drbd_connected" PerDevice "1 for a device connected to its peer.";
    }
    /// Values by key, with their unit.
    table VALUES: (&'static str, f64) => PerDevice {
        ("ns", KIBIBYTE) => Counter "node_drbd_network_sent_bytes_total" "Bytes sent to the peer.";
        ("nr", 1.0) => Counter "node_drbd_network_received_bytes_total" "Data received from the peer, in the unit of /proc/drbd.";
        ("dw", KIBIBYTE) => Counter "node_drbd_disk_written_bytes_total" "Bytes written to the local disk.";
        ("dr", KIBIBYTE) => Counter "node_drbd_disk_read_bytes_total" "Bytes read from the local disk.";
        ("al", 1.0) => Counter "node_drbd_activitylog_writes_total" "Updates of the activity log.";
        ("bm", 1.0) => Counter "node_drbd_bitmap_writes_total" "Updates of the bitmap.";
        ("lo", 1.0) => Gauge "node_drbd_local_pending" "Requests to the local disk without an answer.";
        ("pe", 1.0) => Gauge "node_drbd_remote_pending" "Requests to the peer without an answer.";
        ("ua", 1.0) => Gauge "node_drbd_remote_unacknowledged" "Requests of the peer without an answer.";
        ("ap", 1.0) => Gauge "node_drbd_application_pending" "Application requests without an answer.";
        ("ep", 1.0) => Gauge "node_drbd_epochs" "Epochs in flight.";
        ("oos", KIBIBYTE) => Gauge "node_drbd_out_of_sync_bytes" "Storage out of sync with the peer, in bytes.";
    }
    /// States of this node and the peer by key, with the state that is exported as 1.
    table STATES: (&'static str, &'static [u8]) => PerNode {
        ("ro", b"Primary") => Gauge "node_drbd_node_role_is_primary" "1 for a node in the primary role.";
        ("ds", b"UpToDate") => Gauge "node_drbd_disk_state_is_up_to_date" "1 for a node whose disk is up to date.";
    }
}

const KIBIBYTE: f64 = 1024.0;

impl Collect for Drbd {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        // A host without the module lacks the file.
        let text = cx.files.read(DRBD, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        let text = table::filled(text, cx.problems);
        let mut has_content = text.bytes.is_empty();
        let mut device: Option<&[u8]> = Some(b"");
        for line in text.lines() {
            for (key, value) in line.fields().filter_map(pair) {
                has_content |= key == b"version";
                if value.is_empty() && key.first().is_some_and(|first| matches!(first, b'0'..=b'9' | b'-' | b'+')) {
                    // Values after a device without a number have no device.
                    device = cx.problems.value(line.number::<u64>("device", key)).map(|_| key);
                } else if let Some(device) = device {
                    let emitted = emit(&mut cx.page, device, line, key, value);
                    has_content |= cx.problems.value(emitted) != Some(false);
                }
            }
        }
        if !has_content {
            cx.problems.report(text.error("the file", "a line of `version:`", text.first_line()));
        }
        Ok(())
    }
}

/// Splits a word at its only colon.
fn pair(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, value) = word.split_at(memchr::memchr(b':', word)?);
    let value = value.get(1..)?;
    (!value.contains(&b':')).then_some((key, value))
}

/// Whether the key is a known one, whose value is emitted then.
fn emit<'a>(
    page: &mut PageOf<'_, Drbd>,
    device: &[u8],
    line: Line<'a>,
    key: &'a [u8],
    value: &'a [u8],
) -> Result<bool, ParseError<'a>> {
    let name: &[&[u8]] = if device.is_empty() { &[b"unknown"] } else { &[b"drbd", device] };
    let device = Joined(name);
    if let Some(((_, unit), family)) = VALUES.into_iter().find(|((known, _), _)| known.as_bytes() == key) {
        page.tabled(family, PerDevice { device: &device }, line.number::<Wide>(key, value)?.0 * unit);
    } else if let Some(((_, wanted), family)) = STATES.into_iter().find(|((known, _), _)| known.as_bytes() == key) {
        let mut states = value.split(|&byte| byte == b'/');
        let (Some(local), Some(remote)) = (states.next(), states.next()) else {
            return Err(line.error(key, "the states of both nodes", value));
        };
        page.tabled(family, PerNode { device: &device, node: &"local" }, u64::from(local == wanted));
        page.tabled(family, PerNode { device: &device, node: &"remote" }, u64::from(remote == wanted));
    } else if key == b"cs" {
        page.gauge(CONNECTED, PerDevice { device: &device }, u64::from(value == b"Connected"));
    } else {
        return Ok(false);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const VERSION: &str = "== proc/drbd\nversion: 8.4.6 (api:1/proto:86-101)\nsrcversion: 1A9F77B1CA5FF92235C2213 \n\n";

    #[test]
    fn devices_are_labelled_by_number() {
        given(&format!(
            "{VERSION} 0: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----\n    \
             ns:2 nr:3 dw:4 dr:5 al:6 bm:7 lo:8 pe:9 ua:10 ap:11 ep:12 wo:f oos:13\n\t\
             [==>.................] sync'ed: 14.2% (12345/23456)K\n\tfinish: 0:05:20 speed: 4,120 (4,120) K/sec\n\
             10: cs:Unconfigured\n"
        ))
        .emits::<Drbd>(
            "node_drbd_activitylog_writes_total{device=\"drbd0\"} 6\nnode_drbd_application_pending{device=\"drbd0\"} 11\n\
             node_drbd_bitmap_writes_total{device=\"drbd0\"} 7\nnode_drbd_connected{device=\"drbd0\"} 0\nnode_drbd_connected{device=\"drbd10\"} 0\n\
             node_drbd_disk_read_bytes_total{device=\"drbd0\"} 5120\n\
             node_drbd_disk_state_is_up_to_date{device=\"drbd0\",node=\"local\"} 1\nnode_drbd_disk_state_is_up_to_date{device=\"drbd0\",node=\"remote\"} 0\n\
             node_drbd_disk_written_bytes_total{device=\"drbd0\"} 4096\nnode_drbd_epochs{device=\"drbd0\"} 12\nnode_drbd_local_pending{device=\"drbd0\"} 8\n\
             node_drbd_network_received_bytes_total{device=\"drbd0\"} 3\nnode_drbd_network_sent_bytes_total{device=\"drbd0\"} 2048\n\
             node_drbd_node_role_is_primary{device=\"drbd0\",node=\"local\"} 1\nnode_drbd_node_role_is_primary{device=\"drbd0\",node=\"remote\"} 0\n\
             node_drbd_out_of_sync_bytes{device=\"drbd0\"} 13312\nnode_drbd_remote_pending{device=\"drbd0\"} 9\n\
             node_drbd_remote_unacknowledged{device=\"drbd0\"} 10\n",
        );
    }

    #[test]
    fn values_before_the_first_device_have_an_unknown_one() {
        given("== proc/drbd\ncs:Connected\n").emits::<Drbd>("node_drbd_connected{device=\"unknown\"} 1\n");
    }

    #[test]
    fn without_the_module_there_is_no_data() {
        given("").fails::<Drbd>("", "proc/drbd: no such file");
        given(VERSION).emits::<Drbd>("");
    }

    #[test]
    fn a_bad_value_costs_only_its_own_samples() {
        for (value, complaint) in [
            ("ns:x", "proc/drbd:4: ns: expected an unsigned integer"),
            ("lo:-1", "lo: expected an unsigned integer"),
            ("oos:18446744073709551616", "oos: expected"),
            ("ro:Primary", "ro: expected the states of both nodes, found \"Primary\""),
        ] {
            given(&format!("{VERSION} 1: cs:Connected {value} ep:1\n")).fails::<Drbd>(
                "node_drbd_connected{device=\"drbd1\"} 1\nnode_drbd_epochs{device=\"drbd1\"} 1\n",
                complaint,
            );
        }
    }

    #[test]
    fn a_file_without_its_version_is_reported() {
        given("== proc/drbd\nx\n").fails::<Drbd>("", "proc/drbd: the file: expected a line of `version:`");
    }

    #[test]
    fn values_of_a_device_without_a_number_are_dropped() {
        given(&format!(
            "{VERSION} 1: cs:Connected\n -1: cs:Connected\n    ep:2\n 18446744073709551616: ep:3\n 2: ep:4\n"
        ))
        .fails::<Drbd>(
            "node_drbd_connected{device=\"drbd1\"} 1\nnode_drbd_epochs{device=\"drbd2\"} 4\n",
            "proc/drbd:5: device: expected an unsigned integer",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_come_back(device: u16, count: u32) {
            let samples = given(&format!("{VERSION} {device}: al:{count}\n")).scrape::<Drbd>().samples();
            let name = format!("node_drbd_activitylog_writes_total{{device=\"drbd{device}\"}} ");
            let found = samples.strip_prefix(&name).and_then(|found| found.trim().parse().ok());
            prop_assert_eq!(found, Some(f64::from(count)));
        }

        #[test]
        fn any_word_is_a_pair_or_not(word: Vec<u8>) {
            let pieces = word.split(|&byte| byte == b':').count();
            prop_assert_eq!(pair(&word).is_some(), pieces == 2);
        }
    }
}
