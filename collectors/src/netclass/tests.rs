#![cfg(test)]
use proptest::prelude::*;

use super::*;
use crate::kit::testing::given;

const ETH0: &[(&str, &str)] = &[
    ("addr_assign_type", "3"),
    ("addr_len", "6"),
    ("address", "02:00:5e:00:53:01"),
    ("broadcast", "ff:ff:ff:ff:ff:ff"),
    ("carrier", "1"),
    ("carrier_changes", "5"),
    ("carrier_down_count", "2"),
    ("carrier_up_count", "3"),
    ("dev_id", "0x20"),
    ("dormant", "0"),
    ("duplex", "full"),
    ("flags", "0x1003"),
    ("ifalias", "up link"),
    ("ifindex", "2"),
    ("iflink", "7"),
    ("link_mode", "1"),
    ("mtu", "1500"),
    ("name_assign_type", "4"),
    ("netdev_group", "8"),
    ("operstate", "up"),
    ("phys_port_id", "x"),
    ("speed", "1000"),
    ("tx_queue_len", "1000"),
    ("type", "1"),
];
const ETH0_EMITTED: &str = "address_assign_type 3, carrier 1, carrier_changes_total 5, carrier_down_changes_total 2, \
    carrier_up_changes_total 3, device_id 32, dormant 0, flags 4099, iface_id 2, iface_link 7, iface_link_mode 1, \
    info, mtu_bytes 1500, name_assign_type 4, net_dev_group 8, protocol_type 1, speed_bytes 1.25e+08, \
    transmit_queue_length 1000, up 1";
const ETH0_INFO: &str = "{address=\"02:00:5e:00:53:01\",adminstate=\"up\",broadcast=\"ff:ff:ff:ff:ff:ff\",device=\"eth0\",\
    duplex=\"full\",ifalias=\"up link\",operstate=\"up\"}";
const BARE_INFO: &str =
    "{address=\"\",adminstate=\"unknown\",broadcast=\"\",device=\"eth0\",duplex=\"\",ifalias=\"\",operstate=\"\"}";

/// A device with these attributes; a value that begins with `error=` is an error.
fn device(name: &str, attributes: &[(&str, &str)]) -> String {
    let entry = |(attribute, value): &(&str, &str)| {
        let (error, content) = if value.starts_with("error=") { (*value, "") } else { ("", *value) };
        format!("== sys/class/net/{name}/{attribute} {error}\n{content}\n").replace(" \n", "\n").replace("\n\n", "\n")
    };
    attributes.iter().map(entry).collect()
}

/// [`ETH0`] with some attributes changed.
fn eth0_but(changed: &[(&str, &str)]) -> String {
    let changed_to = |name: &str| changed.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
    let attributes: Vec<_> = ETH0.iter().map(|&(name, value)| (name, changed_to(name).unwrap_or(value))).collect();
    device("eth0", &attributes)
}

/// A sample line for each `name value` of the text; `info` has labels of its own.
fn lines(counters: &str, info: &str) -> String {
    let line = |counter: &str| match counter.split_once(' ') {
        Some((name, value)) => format!("node_network_{name}{{device=\"eth0\"}} {value}\n"),
        None => format!("node_network_info{info} 1\n"),
    };
    counters.split(", ").map(line).collect()
}

#[test]
fn every_attribute_is_exported() {
    given(&eth0_but(&[])).emits::<Netclass>(&lines(ETH0_EMITTED, ETH0_INFO));
}

#[test]
fn files_of_modules_are_not_devices() {
    let tree = format!("== sys/class/net/bonding_masters\nbond0\n{}", eth0_but(&[]));
    given(&tree).emits::<Netclass>(&lines(ETH0_EMITTED, ETH0_INFO));
}

#[test]
fn devices_may_be_symbolic_links() {
    let tree = eth0_but(&[]).replace("sys/class/net/eth0", "sys/devices/pci0/net/eth0");
    given(&format!("== sys/class/net/eth0 -> ../../devices/pci0/net/eth0\n{tree}"))
        .emits::<Netclass>(&lines(ETH0_EMITTED, ETH0_INFO));
    given("== sys/class/net/gone -> ../../devices/gone\n").fails::<Netclass>("", "sys/class/net/gone: no such file");
}

#[test]
fn missing_attributes_are_left_out() {
    given("== sys/class/net/eth0/\n").emits::<Netclass>(&lines("info, up 0", BARE_INFO));
    for error in ["EINVAL", "EOPNOTSUPP", "EACCES", "EPERM", "ENOENT"] {
        let error = format!("error={error}");
        let all: Vec<_> = ETH0.iter().map(|(name, _)| (*name, error.as_str())).collect();
        given(&eth0_but(&all)).emits::<Netclass>(&lines("info, up 0", BARE_INFO));
    }
}

#[test]
fn a_bad_attribute_costs_only_its_own_samples() {
    for (bad, complaint) in [
        ("error=EIO", "sys/class/net/eth0/mtu: input/output error (EIO)"),
        ("error=ENODEV", "sys/class/net/eth0/mtu: no such device (ENODEV)"),
        ("many", "sys/class/net/eth0/mtu: value: expected an integer in decimal"),
        ("", "found nothing"),
        ("9223372036854775808", "value: expected"),
    ] {
        given(&eth0_but(&[("mtu", bad)]))
            .fails::<Netclass>(&lines(&ETH0_EMITTED.replace("mtu_bytes 1500, ", ""), ETH0_INFO), complaint);
    }
    let down = ETH0_EMITTED.replace("up 1", "up 0");
    given(&eth0_but(&[("operstate", "error=EIO")]))
        .fails::<Netclass>(&lines(&down, &ETH0_INFO.replace("operstate=\"up\"", "operstate=\"\"")), "eth0/operstate");
}

#[test]
fn a_bad_number_is_not_a_failure_and_an_unreadable_one_is() {
    for (mtu, success) in [("many", 1), ("error=EIO", 0)] {
        let scraped = given(&eth0_but(&[("mtu", mtu)])).scrape::<Netclass>();
        let line = format!("node_scrape_collector_success{{collector=\"netclass\"}} {success}\n");
        assert!(scraped.page.contains(&line), "{mtu}: {}", scraped.page);
    }
}

#[test]
fn negative_speeds_may_be_left_out() {
    let slow = |speed: &str| lines(&ETH0_EMITTED.replace("1.25e+08", speed), ETH0_INFO);
    let none = lines(&ETH0_EMITTED.replace("speed_bytes 1.25e+08, ", ""), ETH0_INFO);
    let flag = "--collector.netclass.ignore-invalid-speed";
    given(&eth0_but(&[("speed", "-1")])).emits::<Netclass>(&slow("-125000"));
    given(&eth0_but(&[("speed", "-1")])).flags(&[flag]).emits::<Netclass>(&none);
    given(&eth0_but(&[("speed", "0")])).flags(&[flag]).emits::<Netclass>(&slow("0"));
    // The largest speed that fits into 64 bits, and the next one.
    given(&eth0_but(&[("speed", "9223372036854")])).emits::<Netclass>(&slow("1.15292150460675e+18"));
    given(&eth0_but(&[("speed", "9223372036855")]))
        .fails::<Netclass>(&none, "expected a speed below 2^63 bits per second, in megabits");
}

#[test]
fn the_admin_state_is_a_flag_bit() {
    let expected =
        lines(&ETH0_EMITTED.replace("4099", "4098"), &ETH0_INFO.replace("adminstate=\"up\"", "adminstate=\"down\""));
    given(&eth0_but(&[("flags", "0x1002")])).emits::<Netclass>(&expected);
}

#[test]
fn devices_are_excluded_by_name() {
    let tree = eth0_but(&[]) + &device("dmz", ETH0);
    given(&tree)
        .flags(&["--collector.netclass.ignored-devices=^(dmz|int)$"])
        .emits::<Netclass>(&lines(ETH0_EMITTED, ETH0_INFO));
    // An empty pattern matches every name.
    given(&tree).flags(&["--collector.netclass.ignored-devices="]).emits::<Netclass>("");
    given("")
        .flags(&["--collector.netclass.ignored-devices=["])
        .is_refused::<Netclass>("ignored-devices: expected a regular expression, found `[`");
}

#[test]
fn a_host_without_the_class_has_no_data() {
    given("").fails::<Netclass>("", "sys/class/net: no such file");
    given("== sys/class/net/ mode=0000\n").fails::<Netclass>("", "sys/class/net: permission denied");
    given("== sys/class/net/\n").emits::<Netclass>("");
}

const LINK: &str = "== kernel/links\neth0 index=2 protocol_type=1 flags=0x1003 address=02:00:5e:00:53:01 \
    broadcast=ff:ff:ff:ff:ff:ff alias=up\\040link mtu=1500 link=7 transmit_queue_length=1000 operstate=6 link_mode=1 \
    group=8 carrier=1 carrier_changes=5 carrier_up_changes=3 carrier_down_changes=2 rx_packets=1 tx_packets=2\n";
const MODES: &str = "== kernel/link_modes\neth0 speed_megabits=1000 duplex=1\n";
const NETLINK: &str = "--collector.netclass.netlink";

/// By netlink `dormant` is the link mode, the admin state is unknown and duplex is capitalized.
fn link_emitted() -> String {
    let info = ETH0_INFO.replace("adminstate=\"up\",", "").replace("\"full\"", "\"Full\"");
    lines(&ETH0_EMITTED.replace("dormant 0", "dormant 1"), &info)
}

#[test]
fn netlink_is_used_if_the_flag_is_set() {
    let sys = device("eth0", &[("addr_assign_type", "3"), ("dev_id", "0x20"), ("name_assign_type", "4"), ("mtu", "9")]);
    let tree = format!("{LINK}{MODES}{sys}");
    given(&tree).flags(&[NETLINK]).emits::<Netclass>(&link_emitted());
    given(&tree).flags(&[NETLINK, "--collector.netclass.ignored-devices=eth"]).emits::<Netclass>("");
    given(&eth0_but(&[])).flags(&[NETLINK]).emits::<Netclass>(&lines(ETH0_EMITTED, ETH0_INFO));
}

#[test]
fn alternative_names_are_labels() {
    let names = "== kernel/alternative_names\neth0 enp0s3\neth0 enx02005e005301\nlo loop\n";
    given(&format!("== kernel/links\n{names}"))
        .flags(&[NETLINK, "--collector.netclass.ignored-devices=lo"])
        .emits::<Netclass>(
            "node_network_altnames_info{altname=\"enp0s3\",device=\"eth0\"} 1\n\
         node_network_altnames_info{altname=\"enx02005e005301\",device=\"eth0\"} 1\n",
        );
    given(&format!("== sys/class/net/\n{names}")).emits::<Netclass>("");
}

#[test]
fn attributes_missing_in_netlink_are_left_out() {
    let info = "{address=\"\",broadcast=\"\",device=\"eth0\",duplex=\"\",ifalias=\"\",operstate=\"unknown\"}";
    let bare = "flags 0, iface_id 3, iface_link 3, info, mtu_bytes 0, protocol_type 0, up 0";
    given("== kernel/links\neth0 index=3\n").flags(&[NETLINK]).emits::<Netclass>(&lines(bare, info));
    given("== kernel/links\neth0 index=3 operstate=7 link=0\n== kernel/link_modes\n")
        .flags(&[NETLINK])
        .emits::<Netclass>(&lines(bare, info));
    // Like node_exporter, an unknown speed is exported as the largest 32-bit number.
    given("== kernel/links\neth0 index=3\n== kernel/link_modes\neth0 duplex=255\n")
        .flags(&[NETLINK])
        .emits::<Netclass>(&lines(
            &bare.replace("up 0", "speed_bytes 5.36870911875e+14, up 0"),
            &info.replace("duplex=\"\"", "duplex=\"Unknown\""),
        ));
}

#[test]
fn traffic_counters_are_exported_if_the_flag_is_set() {
    let flags = [NETLINK, "--collector.netclass_rtnl.with-stats"];
    let scraped = given("== kernel/links\neth0 index=2 rx_packets=7 tx_window_errors=3\nlo index=1\n")
        .flags(&flags)
        .scrape::<Netclass>();
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    for line in [
        "# TYPE node_network_receive_packets_total gauge\nnode_network_receive_packets_total{device=\"eth0\"} 7\n",
        "node_network_transmit_window_errors_total{device=\"eth0\"} 3\n",
    ] {
        assert!(scraped.page.contains(line), "{line} is not in {}", scraped.page);
    }
    assert_eq!(scraped.samples().matches("_errors_total{device=\"eth0\"}").count(), 13);
    assert_eq!(scraped.samples().matches("_errors_total{device=\"lo\"}").count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn numbers_round_trip(value: i64) {
        let scraped = given(&device("eth0", &[("mtu", &value.to_string())])).scrape::<Netclass>();
        let number = scraped.page.split("node_network_mtu_bytes{device=\"eth0\"} ").nth(1).expect("a sample");
        let number: f64 = number.lines().next().expect("a line").parse().expect("a number");
        prop_assert_eq!(number.to_bits(), (value as f64).to_bits());
    }

    #[test]
    fn any_attribute_is_parsed_or_refused(text in "[ -\\[\\]-~]{0,150}") {
        let all: Vec<_> = ETH0.iter().map(|(name, _)| (*name, text.trim())).filter(|(_, text)| !text.starts_with("==")).collect();
        given(&device("eth0", &all)).scrape::<Netclass>();
    }
}
