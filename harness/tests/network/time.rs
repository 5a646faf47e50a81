//! chrony as an NTP server on the loopback device.

#![expect(clippy::disallowed_methods, reason = "the test starts a server in its namespace")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::requirements::Requirement;

use crate::inside::{agreed_without, assert_has, exporter, page, samples};

const NAMES: &[&str] = &["node_ntp_"];

/// Families whose values differ between two requests.
const MOVING: [&str; 4] = ["offset_seconds", "reference_timestamp_seconds", "root_dispersion_seconds", "rtt_seconds"];

/// A server that takes its own clock as reference, and does not set it. It is ended on drop.
struct Server {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let configuration = "local stratum 7\nallow 127.0.0.1\nbindaddress 127.0.0.1\ncmdport 0\nbindcmdaddress /\n";
        let place = folder.path().join("chrony.conf");
        let text = format!("{configuration}pidfile {}\n", folder.path().join("pid").display());
        std::fs::write(&place, text).expect("a configuration");
        let mut command = Command::new(Requirement::Chrony.path());
        // -d: in the foreground; -x: without control of the clock; -u: as the user that it runs as.
        command.args(["-d", "-x", "-u", "root", "-f"]).arg(&place);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { process: process.expect("chronyd runs"), _folder: folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn the_peer_agrees_about_ntp() {
    let closed = samples(&page(&exporter(Requirement::Exporter, "ntp", &[])), NAMES);
    assert_has(&closed, &["node_scrape_collector_success{collector=\"ntp\"} 0"]);

    let _server = Server::start();
    let answers = || {
        std::thread::sleep(Duration::from_millis(20));
        samples(&page(&exporter(Requirement::Exporter, "ntp", &[])), NAMES).len() > 1
    };
    assert!((0..500).any(|_| answers()), "chronyd answers");
    for flags in [&[][..], &["--collector.ntp.protocol-version=3"], &["--collector.ntp.max-distance=1ns"]] {
        let found = agreed_without("ntp", flags, NAMES, |sample| Some(without_value(sample)));
        let is_sane = u8::from(!flags.contains(&"--collector.ntp.max-distance=1ns"));
        assert_has(
            &found,
            &[
                "node_ntp_leap 0",
                "node_ntp_stratum 7",
                &format!("node_ntp_sanity {is_sane}"),
                "node_scrape_collector_success{collector=\"ntp\"} 1",
            ],
        );
        let value = |family: &str| {
            let prefix = format!("node_ntp_{family} ");
            let line = found.iter().find_map(|line| line.strip_prefix(&prefix)).expect("a sample");
            line.parse::<f64>().expect("a number")
        };
        // Client and server have the same clock.
        assert!(value("offset_seconds").abs() <= value("rtt_seconds") / 2.0 + 1e-6, "{found:#?}");
        assert!(value("reference_timestamp_seconds") > 1.7e9, "{found:#?}");
    }
}

/// The sample, without its value if that moves.
fn without_value(sample: &str) -> String {
    let moving = MOVING.iter().find(|family| sample.starts_with(&format!("node_ntp_{family} ")));
    moving.map_or_else(|| sample.to_owned(), |family| format!("node_ntp_{family}"))
}
