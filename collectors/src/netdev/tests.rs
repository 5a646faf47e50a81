#![cfg(test)]
use super::*;
use crate::kit::testing::given;

const HEADER_LINES: &str = "Inter-|   Receive                                                |  Transmit\n \
    face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";
const ROW: &str = "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";

fn table(rows: &str) -> String {
    format!("== proc/net/dev\n{HEADER_LINES}{rows}")
}

/// A sample line of `device` for each `name value` of the text.
fn lines(device: &str, counters: &str) -> String {
    let line = |counter: &str| {
        let (name, value) = counter.split_once(' ').expect("a name and a value");
        format!("node_network_{name}_total{{device=\"{device}\"}} {value}\n")
    };
    counters.split(", ").map(line).collect()
}

const SUMMED_LINES: &str = "receive_bytes 1, receive_compressed 7, receive_drop 4, receive_errs 3, receive_fifo 5, receive_frame 6, \
    receive_multicast 8, receive_packets 2, transmit_bytes 9, transmit_carrier 15, transmit_colls 14, \
    transmit_compressed 16, transmit_drop 12, transmit_errs 11, transmit_fifo 13, transmit_packets 10";
const DETAILED_LINES: &str = "receive_bytes 1, receive_compressed 7, receive_dropped 4, receive_errors 3, receive_fifo 5, receive_frame 6, \
    receive_multicast 8, receive_packets 2, transmit_bytes 9, transmit_carrier 15, transmit_colls 14, \
    transmit_compressed 16, transmit_dropped 12, transmit_errors 11, transmit_fifo 13, transmit_packets 10";

/// Every counter is a power of two, so that each sum shows its summands.
fn links() -> String {
    let counter = |(position, name): (usize, &&str)| format!(" {name}={}", 1 << position);
    let counters: String = LinkStatistics::NAMES.iter().enumerate().map(counter).collect();
    format!("== kernel/links\neth0 index=2{counters}\nbare index=3 mtu=1500\n")
}

const SUMMED: &str = "receive_bytes 4, receive_compressed 2.097152e+06, receive_drop 32832, receive_errs 16, receive_fifo 16384, \
    receive_frame 15360, receive_multicast 256, receive_nohandler 8.388608e+06, receive_packets 1, transmit_bytes 8, \
    transmit_carrier 1.769472e+06, transmit_colls 512, transmit_compressed 4.194304e+06, transmit_drop 128, \
    transmit_errs 32, transmit_fifo 262144, transmit_packets 2";

#[test]
fn netlink_is_tried_first() {
    given(&(links() + &table(ROW))).emits::<Netdev>(&lines("eth0", SUMMED));
    given(&format!("== kernel/links\n{}", table(ROW))).emits::<Netdev>("");
}

#[test]
fn detailed_metrics_have_names_of_their_own() {
    let detailed = "collisions 512, multicast 256, receive_bytes 4, receive_compressed 2.097152e+06, receive_crc_errors 4096, \
        receive_dropped 64, receive_errors 16, receive_fifo_errors 16384, receive_frame_errors 8192, \
        receive_length_errors 1024, receive_missed_errors 32768, receive_nohandler 8.388608e+06, \
        receive_over_errors 2048, receive_packets 1, transmit_aborted_errors 65536, transmit_bytes 8, \
        transmit_carrier_errors 131072, transmit_compressed 4.194304e+06, transmit_dropped 128, transmit_errors 32, \
        transmit_fifo_errors 262144, transmit_heartbeat_errors 524288, transmit_packets 2, \
        transmit_window_errors 1.048576e+06";
    let flag = "--collector.netdev.enable-detailed-metrics";
    given(&links()).flags(&[flag]).emits::<Netdev>(&lines("eth0", detailed));
    given(&table(ROW)).flags(&[flag]).emits::<Netdev>(&lines("eth0", DETAILED_LINES));
}

#[test]
fn the_file_is_read_without_netlink() {
    given(&table(ROW)).emits::<Netdev>(&lines("eth0", SUMMED_LINES));
    given(&(links() + &table(ROW)))
        .flags(&["--no-collector.netdev.netlink"])
        .emits::<Netdev>(&lines("eth0", SUMMED_LINES));
    given("").fails::<Netdev>("", "proc/net/dev: no such file");
    given(&table("")).emits::<Netdev>("");
}

#[test]
fn the_last_colon_ends_a_name() {
    for (row, device) in [
        ("eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "eth0"),
        ("eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "eth0:1"),
        (" ibr10:30:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "ibr10:30"),
        ("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "eth0"),
    ] {
        given(&table(row)).emits::<Netdev>(&lines(device, SUMMED_LINES));
    }
}

#[test]
fn devices_are_included_and_excluded_by_name() {
    let rows = format!("{ROW}{}{}", ROW.replace("eth0", "veth1"), ROW.replace("eth0", "lo"));
    for (flag, device) in [("include=^eth", "eth0"), ("exclude=^(lo|eth0)$", "veth1")] {
        let flag = format!("--collector.netdev.device-{flag}");
        given(&table(&rows)).flags(&[&flag]).emits::<Netdev>(&lines(device, SUMMED_LINES));
    }
    given(&links()).flags(&["--collector.netdev.device-exclude=eth"]).emits::<Netdev>("");
    given("")
        .flags(&["--collector.netdev.device-include=a", "--collector.netdev.device-exclude=b"])
        .is_refused::<Netdev>("mutually exclusive");
    given("")
        .flags(&["--collector.netdev.device-include=("])
        .is_refused::<Netdev>("--collector.netdev.device-include: expected a regular expression, found `(`");
}

#[test]
fn a_bad_row_costs_only_its_own_samples() {
    for (row, complaint) in [
        ("eth1 1 2", "proc/net/dev:3: device: expected a name and a colon, found \"eth1 1 2\""),
        (" : 1 2", "3: device: "),
        ("", "3: device: "),
        (
            "eth1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
            "proc/net/dev:3: transmit compressed: expected an unsigned integer",
        ),
        ("eth1: -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "receive bytes: expected an unsigned integer"),
        (
            "eth1: 1 18446744073709551616 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
            "receive packets: expected an unsigned integer",
        ),
    ] {
        given(&table(&format!("{row}\n{ROW}"))).fails::<Netdev>(&lines("eth0", SUMMED_LINES), complaint);
    }
}

#[test]
fn rows_of_excluded_devices_are_not_parsed() {
    given(&table(&format!("bad: x\n{ROW}")))
        .flags(&["--collector.netdev.device-exclude=bad"])
        .emits::<Netdev>(&lines("eth0", SUMMED_LINES));
}

#[test]
fn the_alias_is_a_label_if_the_flag_is_set() {
    let rows =
        ROW.to_owned() + &ROW.replace("eth0", "lo") + &ROW.replace("eth0", "gone") + &ROW.replace("eth0", "sick");
    let sys = "== sys/class/net/eth0/ifalias\nup \"link\"\n== sys/class/net/lo/mtu\n65536\n== sys/class/net/sick/ifalias error=EIO\n";
    let scraped = given(&(table(&rows) + sys)).flags(&["--collector.netdev.label-ifalias"]).scrape::<Netdev>();
    let bytes = "node_network_receive_bytes_total";
    for line in [
        "{device=\"eth0\",ifalias=\"up \\\"link\\\"\"} 1\n",
        "{device=\"lo\",ifalias=\"\"} 1\n",
        "{device=\"gone\"} 1\n",
        "{device=\"sick\"} 1\n",
    ] {
        assert!(scraped.page.contains(&format!("{bytes}{line}")), "{line} is not in {}", scraped.page);
    }
    assert_eq!(scraped.complaints, ["sys/class/net/sick/ifalias: input/output error (EIO)"]);
}

#[test]
fn addresses_are_exported_if_the_flag_is_set() {
    let kernel =
        "== kernel/links\n== kernel/addresses\nlo ::1/128\neth0 192.0.2.57/24\neth0 fe80::1/64\nveth0 10.0.0.1/8\n";
    given(kernel)
        .flags(&["--collector.netdev.address-info", "--collector.netdev.device-exclude=^veth"])
        .emits::<Netdev>(
            "node_network_address_info{address=\"192.0.2.57\",device=\"eth0\",netmask=\"24\",scope=\"global\"} 1\n\
             node_network_address_info{address=\"::1\",device=\"lo\",netmask=\"128\",scope=\"link-local\"} 1\n\
             node_network_address_info{address=\"fe80::1\",device=\"eth0\",netmask=\"64\",scope=\"link-local\"} 1\n",
        );
    given(kernel).emits::<Netdev>("");
    given("== kernel/links\n").flags(&["--collector.netdev.address-info"]).fails::<Netdev>("", "no answer");
}
