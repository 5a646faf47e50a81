//! Neighbours in every state, devices with further names and aliases, and their addresses.

use crate::inside::{agreed, agreed_without, assert_has, ip};

/// Two devices that are up, with addresses.
const DEVICES: &[&str] = &[
    "link add v0 address 02:00:5e:00:53:01 type veth peer name v1",
    "link set v0 alias to-the-rack",
    "link set v0 mtu 1400 txqueuelen 77 group 5 promisc on",
    "link set v0 up",
    "link set v1 up",
    "link add br0 type bridge",
    "link property add dev v0 altname enp9s0f0np0",
    "link property add dev v0 altname a-name-of-more-than-sixteen-bytes",
    "addr add 192.0.2.7/24 dev v0",
    "addr add 192.0.2.8/32 dev v0",
    "addr add 169.254.3.4/16 dev v1",
    "-6 addr add 2001:db8::7/64 dev v0 nodad",
];

/// Permanent, stale, failed and incomplete neighbours are counted; those that need no ARP are not.
pub(super) fn the_peer_agrees_about_neighbours() {
    ip(DEVICES);
    ip(&[
        "neigh add 192.0.2.20 lladdr 02:00:5e:00:53:20 nud permanent dev v0",
        "neigh add 192.0.2.21 lladdr 02:00:5e:00:53:21 nud stale dev v0",
        "neigh add 192.0.2.22 lladdr 02:00:5e:00:53:22 nud noarp dev v0",
        "neigh add 192.0.2.23 nud failed dev v0",
        "neigh add 192.0.2.24 nud incomplete dev v0",
        "neigh add 169.254.3.20 lladdr 02:00:5e:00:53:20 nud noarp dev v1",
        "-6 neigh add 2001:db8::20 lladdr 02:00:5e:00:53:20 nud permanent dev v0",
    ]);
    let found = agreed("arp", &[], &["node_arp_"]);
    assert_has(&found, &["node_arp_entries{device=\"v0\"} 4", "node_scrape_collector_success{collector=\"arp\"} 1"]);
    assert!(!found.iter().any(|line| line.contains("device=\"v1\"")), "{found:#?}");
    agreed("arp", &["--collector.arp.device-exclude=^v0$"], &["node_arp_"]);
}

pub(super) fn the_peer_agrees_about_devices() {
    ip(DEVICES);
    let found = agreed(
        "netdev",
        &["--collector.netdev.address-info", "--collector.netdev.device-exclude=^$"],
        &["node_network_address_info"],
    );
    assert_has(
        &found,
        &[
            "node_network_address_info{address=\"192.0.2.8\",device=\"v0\",netmask=\"32\",scope=\"global\"} 1",
            "node_network_address_info{address=\"169.254.3.4\",device=\"v1\",netmask=\"16\",scope=\"link-local\"} 1",
            "node_network_address_info{address=\"2001:db8::7\",device=\"v0\",netmask=\"64\",scope=\"global\"} 1",
        ],
    );
    let by_netlink = netclass(&["--collector.netclass.netlink"], |sample| {
        let is_new = SINCE.iter().any(|family| sample.starts_with(family));
        (!is_new).then(|| sample.to_owned())
    });
    assert_has(
        &by_netlink,
        &[
            "node_network_address_assign_type{device=\"v0\"} 3",
            "node_network_altnames_info{altname=\"a-name-of-more-than-sixteen-bytes\",device=\"v0\"} 1",
            "node_network_altnames_info{altname=\"enp9s0f0np0\",device=\"v0\"} 1",
        ],
    );
    netclass(&[], |sample| match sample.split_once("adminstate=\"") {
        Some((before, after)) => after.split_once("\",").map(|(_, after)| format!("{before}{after}")),
        None => Some(sample.to_owned()),
    });
}

/// Families that 1.5.0 does not export by netlink.
const SINCE: [&str; 4] = [
    "node_network_address_assign_type{",
    "node_network_altnames_info{",
    "node_network_device_id{",
    "node_network_name_assign_type{",
];

#[track_caller]
fn netclass(flags: &[&str], common: fn(&str) -> Option<String>) -> std::collections::BTreeSet<String> {
    let found = agreed_without("netclass", flags, &["node_network_"], common);
    assert_has(
        &found,
        &[
            "node_network_mtu_bytes{device=\"v0\"} 1400",
            "node_network_net_dev_group{device=\"v0\"} 5",
            "node_network_transmit_queue_length{device=\"v0\"} 77",
            "node_network_up{device=\"v1\"} 1",
            "node_scrape_collector_success{collector=\"netclass\"} 1",
        ],
    );
    found
}
