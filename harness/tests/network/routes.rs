//! Routes of every kind, and many of them.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use harness::load;
use harness::peer::Peer;
use harness::requirements::Requirement;

use crate::inside::{agreed, assert_has, exporter, ip, page, samples};

const NAMES: &[&str] = &["node_network_route"];

/// Two devices that are up, with an address.
const DEVICES: &[&str] = &[
    "link add v0 type veth peer name v1",
    "link set v0 up",
    "link set v1 up",
    "addr add 192.0.2.7/24 dev v0",
    "-6 addr add 2001:db8::7/64 dev v0 nodad",
];

pub(super) fn the_peer_agrees_about_routes() {
    ip(DEVICES);
    ip(&[
        "route add default via 192.0.2.1 proto dhcp metric 100",
        "route add 10.0.0.0/8 via 192.0.2.2 src 192.0.2.7 proto bird",
        "route add 10.1.0.0/16 dev v1 proto 99",
        "route add 10.2.0.0/16 nexthop via 192.0.2.3 nexthop via 192.0.2.4 weight 256",
        "route add 10.3.0.0/16 via inet6 fe80::1 dev v0",
        "route add 10.4.0.0/16 dev v0 table 77",
        // Other types are left out.
        "route add blackhole 10.5.0.0/16",
        "route add unreachable 10.6.0.0/16",
        "-6 route add 2001:db8:1::/48 via fe80::2 dev v0 proto static",
        "-6 route add 2001:db8:2::/48 nexthop via fe80::3 dev v0 weight 2 nexthop via fe80::4 dev v1",
        "-6 route add default via fe80::5 dev v1 metric 512",
    ]);
    let found = agreed("network_route", &[], NAMES);
    assert_has(
        &found,
        &[
            "node_network_route_info{dest=\"10.1.0.0/16\",device=\"v1\",gw=\"\",priority=\"0\",proto=\"unknown\",src=\"\",weight=\"\"} 1",
            "node_network_route_info{dest=\"10.2.0.0/16\",device=\"v0\",gw=\"192.0.2.4\",priority=\"0\",proto=\"boot\",src=\"\",weight=\"256\"} 1",
            "node_network_route_info{dest=\"10.3.0.0/16\",device=\"v0\",gw=\"\",priority=\"0\",proto=\"boot\",src=\"\",weight=\"\"} 1",
            "node_network_route_info{dest=\"10.4.0.0/16\",device=\"v0\",gw=\"\",priority=\"0\",proto=\"boot\",src=\"\",weight=\"\"} 1",
            "node_network_route_info{dest=\"default\",device=\"v0\",gw=\"192.0.2.1\",priority=\"100\",proto=\"dhcp\",src=\"\",weight=\"\"} 1",
            "node_network_route_info{dest=\"default\",device=\"v1\",gw=\"fe80::5\",priority=\"512\",proto=\"boot\",src=\"\",weight=\"\"} 1",
            "node_scrape_collector_success{collector=\"network_route\"} 1",
        ],
    );
    assert!(!found.iter().any(|line| line.contains("10.5.0.0/16") || line.contains("10.6.0.0/16")), "{found:#?}");
}

/// Routes of the test; the kernel takes more.
const MANY: usize = 100_000;

/// The duration of the collector by the exporter's own measure.
fn seconds(page: &str) -> f64 {
    let series = "node_scrape_collector_duration_seconds{collector=\"network_route\"} ";
    let value = page.lines().find_map(|line| line.strip_prefix(series)).expect("the duration");
    value.parse().expect("a number")
}

/// Peak memory of a process in KiB.
fn peak_kibibytes(process: &Peer) -> u64 {
    let status = load::text(Path::new(&format!("/proc/{}/status", process.id()))).expect("a running process");
    let row = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    row.trim().trim_end_matches(" kB").parse().expect("a number")
}

pub(super) fn a_hundred_thousand_routes_are_exported() {
    ip(DEVICES);
    let mut batch = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("ip runs");
    let mut input = BufWriter::new(batch.stdin.take().expect("its input"));
    for number in 0..MANY {
        let [_, high, middle, low] = u32::try_from(number).expect("a small number").to_be_bytes();
        let row = format_args!("route add 172.{}.{middle}.{low}/32 dev v{} proto bgp", 16 + high, number % 2);
        writeln!(input, "{row}").expect("ip reads");
    }
    drop(input);
    assert!(batch.wait().expect("ip ends").success());
    let pages = [Requirement::Exporter, Requirement::Peer].map(|program| {
        let exporter = exporter(program, "network_route", &[]);
        let [first, again] = [(); 2].map(|()| page(&exporter));
        let [first_seconds, again_seconds] = [&first, &again].map(|page| seconds(page));
        // The standard output of the namespace is closed.
        eprintln!(
            "{program:?}: {first_seconds:.3} s and {again_seconds:.3} s, {} KiB at most",
            peak_kibibytes(&exporter)
        );
        samples(&again, NAMES)
    });
    let [ours, theirs] = pages;
    assert!(ours.len() > MANY, "{}", ours.len());
    assert!(ours == theirs, "{} and {} lines", ours.len(), theirs.len());
    assert_has(&ours, &["node_network_routes{device=\"v1\"} 50001"]);
}
