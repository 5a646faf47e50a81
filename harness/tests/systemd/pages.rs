//! What exporters say of one systemd.

use std::collections::BTreeSet;

use harness::peer::Peer;
use harness::requirements::Requirement;

use crate::instance::Instance;

const FLAGS: [&str; 3] = [
    "--collector.systemd.enable-restarts-metrics",
    "--collector.systemd.enable-start-time-metrics",
    "--collector.systemd.enable-task-metrics",
];
/// node_exporter has excluded targets until 1.6, and shown no virtualization until 1.9.
const SAME_UNITS: &str = r"--collector.systemd.unit-exclude=.+\.(automount|device|scope|slice)";
const SINCE: &str = "node_systemd_virtualization_info";

fn page(exporter: &Peer) -> String {
    String::from_utf8(exporter.get("/metrics").expect("a page")).expect("UTF-8")
}

fn samples(exporter: &Peer) -> BTreeSet<String> {
    let page = page(exporter);
    let lines = page.lines().filter(|line| line.starts_with("node_systemd_"));
    lines.filter(|line| !line.starts_with(SINCE)).map(str::to_owned).collect()
}

/// The value of the sample that begins like this.
fn value(samples: &BTreeSet<String>, series: &str) -> f64 {
    let found: Vec<&str> = samples.iter().filter_map(|line| line.strip_prefix(series)).collect();
    let [value] = found[..] else { panic!("{series}: {found:?}") };
    value.trim().parse().expect("a number")
}

pub(super) fn the_peer_agrees_about_systemd() {
    let systemd = Instance::start(3);
    let flags = [&FLAGS[..], &[SAME_UNITS]].concat();
    let ours = systemd.exporter(&Requirement::Exporter.path(), "systemd", &flags);
    let theirs = systemd.exporter(&Requirement::Peer.path(), "systemd", &flags);
    let (own, other) = (samples(&ours), samples(&theirs));
    assert_eq!(own.difference(&other).collect::<Vec<_>>(), <[&String; 0]>::default(), "samples that only we have");
    assert_eq!(other.difference(&own).collect::<Vec<_>>(), <[&String; 0]>::default(), "samples that only the peer has");
    for sample in [
        "node_systemd_unit_state{name=\"fails.service\",state=\"failed\",type=\"oneshot\"} 1",
        "node_systemd_unit_state{name=\"run.service\",state=\"active\",type=\"simple\"} 1",
        "node_systemd_unit_state{name=\"many@3.service\",state=\"active\",type=\"oneshot\"} 1",
        "node_systemd_unit_tasks_current{name=\"run.service\"} 1",
        "node_systemd_socket_accepted_connections_total{name=\"accepts.socket\"} 0",
        "node_systemd_system_running 0",
    ] {
        assert!(own.contains(sample), "{sample}");
    }
    assert!(value(&own, "node_systemd_timer_last_trigger_seconds{name=\"tick.timer\"}") > 1.7e9);

    // What changes between two scrapes of the same connection is seen.
    let _client = systemd.connect();
    let changed = (0..100).map(|_| samples(&ours)).find(|samples| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        value(samples, "node_systemd_socket_current_connections{name=\"accepts.socket\"}") > 0.0
    });
    let changed = changed.expect("a connection that systemd counts");
    assert!(changed.contains("node_systemd_socket_accepted_connections_total{name=\"accepts.socket\"} 1"));
    assert!(page(&ours).contains(SINCE));
}

pub(super) fn the_peer_agrees_about_logins() {
    let systemd = Instance::start(0);
    let programs =
        [Requirement::Exporter, Requirement::Peer].map(|program| systemd.exporter(&program.path(), "logind", &[]));
    let samples = || {
        let pages = programs.each_ref().map(page);
        pages.map(|page| {
            let lines = page.lines().filter(|line| line.starts_with("node_logind_") || line.contains("_success{"));
            lines.map(str::to_owned).collect::<BTreeSet<_>>()
        })
    };
    let [ours, theirs] = samples();
    assert_eq!(ours, theirs);
    let total = |samples: &BTreeSet<String>| {
        let values = samples.iter().filter_map(|line| line.strip_prefix("node_logind_sessions")?.rsplit(' ').next());
        values.map(|value| value.parse::<u32>().expect("a number")).sum::<u32>()
    };
    assert_eq!(total(&ours), 0, "{ours:#?}");

    // User, process, service, type, class, desktop, seat, virtual terminal, terminal, display, is remote, host, properties.
    let process = systemd.process_of_a_service();
    let session = |kind, class, remote| {
        let of = [
            "uusssssussbssa(sv)",
            "0",
            process.as_str(),
            "test",
            kind,
            class,
            "",
            "",
            "0",
            "",
            "",
            remote,
            "",
            "",
            "0",
        ];
        systemd.call_login_manager("CreateSession", &of);
    };
    session("tty", "user", "true");
    let [ours, theirs] = samples();
    assert_eq!(ours, theirs);
    let remote = "node_logind_sessions{class=\"user\",remote=\"true\",seat=\"\",type=\"tty\"} 1";
    assert!(ours.contains(remote), "{ours:#?}");
}

/// Each scrape, by the exporter's own measure. The limit is far above what is usual (20 ms), for busy machines; the
/// types of a thousand services alone take the peer more than that.
pub(super) fn a_thousand_units_are_soon_read() {
    const LIMIT_SECONDS: f64 = 0.2;
    const UNITS: f64 = 1_000.0;
    let systemd = Instance::start(1_000);
    let ours = systemd.exporter(&Requirement::Exporter.path(), "systemd", &[]);
    let seconds = |_| {
        let page = page(&ours);
        let lines: BTreeSet<String> = page.lines().map(str::to_owned).collect();
        assert!(value(&lines, "node_systemd_units{state=\"active\"}") > UNITS);
        value(&lines, "node_scrape_collector_duration_seconds{collector=\"systemd\"}")
    };
    let all: Vec<f64> = (0..12).map(seconds).collect();
    println!("1,000 services, seconds of each scrape: {all:.4?}");
    let mut later: Vec<f64> = all[1..].to_vec();
    later.sort_by(f64::total_cmp);
    assert!(later[0] < LIMIT_SECONDS, "{all:?}");
}
