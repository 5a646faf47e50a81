//! Replicated block devices from /proc/drbd.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::family::{Counter, Family, Gauge};
use crate::kit::label::Joined;
use crate::kit::page::PageOf;
use crate::kit::parse::Wide;
use crate::kit::prelude::*;
use crate::kit::table;

/// How replicated block devices fare.
#[derive(Debug)]
pub struct Drbd;

declare! {
    Drbd: "drbd", off, "How far the block devices that DRBD replicates agree with their peers, and what went through them.";
    reads {
        DRBD: File Proc "drbd";
    }
    families {
        ACTIVITY_LOG_WRITES: Counter "node_drbd_activitylog_writes_total" ["device"] "Updates of the activity log.";
        APPLICATION_PENDING: Gauge "node_drbd_application_pending" ["device"] "Requests of this host that have no answer yet.";
        BITMAP_WRITES: Counter "node_drbd_bitmap_writes_total" ["device"] "Updates of the bitmap.";
        CONNECTED: Gauge "node_drbd_connected" ["device"] "Whether the device is connected to its peer.";
        DISK_READ: Counter "node_drbd_disk_read_bytes_total" ["device"] "Bytes read from the local disk.";
        UP_TO_DATE: Gauge "node_drbd_disk_state_is_up_to_date" ["device", "node"] "Whether a node's disk is up to date.";
        DISK_WRITTEN: Counter "node_drbd_disk_written_bytes_total" ["device"] "Bytes written to the local disk.";
        EPOCHS: Gauge "node_drbd_epochs" ["device"] "Epochs that are under way.";
        LOCAL_PENDING: Gauge "node_drbd_local_pending" ["device"] "Requests to the local disk that have no answer yet.";
        RECEIVED: Counter "node_drbd_network_received_bytes_total" ["device"] "What came from the peer, in the unit of /proc/drbd.";
        SENT: Counter "node_drbd_network_sent_bytes_total" ["device"] "Bytes sent to the peer.";
        PRIMARY: Gauge "node_drbd_node_role_is_primary" ["device", "node"] "Whether a node has the primary role.";
        OUT_OF_SYNC: Gauge "node_drbd_out_of_sync_bytes" ["device"] "Bytes that are known to differ from the peer's.";
        REMOTE_PENDING: Gauge "node_drbd_remote_pending" ["device"] "Requests to the peer that it has not answered yet.";
        REMOTE_UNACKNOWLEDGED: Gauge "node_drbd_remote_unacknowledged" ["device"] "Requests of the peer that were not answered yet.";
    }
}

type Total = Family<Drbd, Counter, crate::kit::family::Unnamed<1>>;
type Level = Family<Drbd, Gauge, crate::kit::family::Unnamed<1>>;
type LevelOf2 = Family<Drbd, Gauge, crate::kit::family::Unnamed<2>>;

const KIBIBYTE: f64 = 1024.0;

/// The counters: key, family, unit. What was received is passed on as it stands, as node_exporter does, though it is
/// told in KiB like the others.
const COUNTERS: [(&str, Total, f64); 6] = [
    ("ns", SENT, KIBIBYTE),
    ("nr", RECEIVED, 1.0),
    ("dw", DISK_WRITTEN, KIBIBYTE),
    ("dr", DISK_READ, KIBIBYTE),
    ("al", ACTIVITY_LOG_WRITES, 1.0),
    ("bm", BITMAP_WRITES, 1.0),
];
const GAUGES: [(&str, Level, f64); 6] = [
    ("lo", LOCAL_PENDING, 1.0),
    ("pe", REMOTE_PENDING, 1.0),
    ("ua", REMOTE_UNACKNOWLEDGED, 1.0),
    ("ap", APPLICATION_PENDING, 1.0),
    ("ep", EPOCHS, 1.0),
    ("oos", OUT_OF_SYNC, KIBIBYTE),
];
/// Pairs of this node and the peer: key, family, the word that counts as 1.
const PAIRS: [(&str, LevelOf2, &[u8]); 2] = [("ro", PRIMARY, b"Primary"), ("ds", UP_TO_DATE, b"UpToDate")];

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
                    // What follows a device without a number belongs to nobody.
                    device = cx.problems.value(line.number::<u64>("the device", key)).map(|_| key);
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

/// A word with one colon in it.
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
    if let Some((_, family, unit)) = COUNTERS.into_iter().find(|(known, ..)| known.as_bytes() == key) {
        page.counter(family, [&device], line.number::<Wide>(key, value)?.0 * unit);
    } else if let Some((_, family, unit)) = GAUGES.into_iter().find(|(known, ..)| known.as_bytes() == key) {
        page.gauge(family, [&device], line.number::<Wide>(key, value)?.0 * unit);
    } else if let Some((_, family, wanted)) = PAIRS.into_iter().find(|(known, ..)| known.as_bytes() == key) {
        let mut states = value.split(|&byte| byte == b'/');
        let (Some(local), Some(remote)) = (states.next(), states.next()) else {
            return Err(line.error(key, "the states of both nodes", value));
        };
        page.gauge(family, [&device, &"local"], u64::from(local == wanted));
        page.gauge(family, [&device, &"remote"], u64::from(remote == wanted));
    } else if key == b"cs" {
        page.gauge(CONNECTED, [&device], u64::from(value == b"Connected"));
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
    fn devices_are_told_by_their_number() {
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
    fn before_the_first_device_there_is_an_unknown_one() {
        given("== proc/drbd\ncs:Connected\n").emits::<Drbd>("node_drbd_connected{device=\"unknown\"} 1\n");
    }

    #[test]
    fn without_the_module_there_is_no_data() {
        given("").fails::<Drbd>("", "proc/drbd: no such file");
        given(VERSION).emits::<Drbd>("");
    }

    #[test]
    fn a_bad_value_costs_itself_alone() {
        for (value, complaint) in [
            ("ns:x", "proc/drbd:4: ns: expected a whole number"),
            ("lo:-1", "lo: expected a whole number"),
            ("oos:18446744073709551616", "oos: expected"),
            ("ro:Primary", "ro: expected the states of both nodes, found `Primary`"),
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
    fn values_of_a_device_without_a_number_belong_to_nobody() {
        given(&format!(
            "{VERSION} 1: cs:Connected\n -1: cs:Connected\n    ep:2\n 18446744073709551616: ep:3\n 2: ep:4\n"
        ))
        .fails::<Drbd>(
            "node_drbd_connected{device=\"drbd1\"} 1\nnode_drbd_epochs{device=\"drbd2\"} 4\n",
            "proc/drbd:5: the device: expected a whole number",
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
