//! Drivers of virtual devices, which have statistics and link settings.

use harness::requirements::Requirement;

use crate::inside::{agreed, assert_has, exporter, ip, page, samples};

const NAMES: &[&str] = &[
    "node_ethtool_",
    "node_network_advertised_",
    "node_network_asymmetricpause_",
    "node_network_autonegotiate",
    "node_network_pause_",
    "node_network_supported_",
];

pub(super) fn the_peer_agrees_about_drivers() {
    ip(&["link add v0 type veth peer name v1", "link set v0 up", "link set v1 up", "link add br0 type bridge"]);
    let found = agreed("ethtool", &[], NAMES);
    assert_has(
        &found,
        &[
            "node_network_autonegotiate{device=\"v0\"} 0",
            "node_network_pause_supported{device=\"v1\"} 0",
            "node_scrape_collector_success{collector=\"ethtool\"} 1",
        ],
    );
    for beginning in
        ["node_ethtool_info{bus_info=\"\",device=\"v0\",driver=\"veth\"", "node_ethtool_peer_ifindex{device=\"v1\"} "]
    {
        assert!(found.iter().any(|line| line.starts_with(beginning)), "{beginning} is not in {found:#?}");
    }
    for flags in [
        &["--collector.ethtool.device-include=^v", "--collector.ethtool.device-exclude=1$"][..],
        &["--collector.ethtool.metrics-include=^rx_"],
        &["--collector.ethtool.device-exclude=.*"],
    ] {
        agreed("ethtool", flags, NAMES);
    }
    let gone = exporter(Requirement::Exporter, "ethtool", &[]);
    ip(&["link del v0"]);
    let found = samples(&page(&gone), NAMES);
    assert!(!found.iter().any(|line| line.contains("device=\"v")), "{found:#?}");
    assert_has(&found, &["node_scrape_collector_success{collector=\"ethtool\"} 1"]);
}
