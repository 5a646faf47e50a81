use super::*;
use crate::host::kernel::{DriverStatistic, Kernel, Question};
use crate::kit::testing::{given, scrape};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Two devices and a file that is none.
const CLASS_NET: &str =
    "== sys/class/net/bonding_masters\n\n== sys/class/net/eth0/mtu\n1500\n== sys/class/net/lo/mtu\n1\n";

const KERNEL: &str = "== kernel/drivers\n\
    eth0 name=e1000e version=6.1.0 firmware_version=0.5-4 bus_info=0000:00:1f.6\n\
    == kernel/link_settings\n\
    eth0 supported=0x20ef advertised=0x40c1 autonegotiation=1\n\
    == kernel/driver_statistics\n\
    eth0 rx_packets 1260062\neth0 port.rx_dropped 12028\neth0 align_errors 0\n";

const INFO_LINE: &str = "node_ethtool_info{bus_info=\"0000:00:1f.6\",device=\"eth0\",driver=\"e1000e\",expansion_rom_version=\"\",firmware_version=\"0.5-4\",version=\"6.1.0\"} 1\n";

/// A host whose device eth0 has these statistics.
fn statistics(rows: &str) -> String {
    let rows: Vec<String> = rows.lines().map(|row| format!("eth0 {row}\n")).collect();
    format!("== sys/class/net/eth0/mtu\n1500\n== kernel/driver_statistics\n{}", rows.concat())
}

#[test]
fn driver_settings_and_statistics_are_exported() {
    let expected = format!(
        "node_ethtool_align_errors{{device=\"eth0\"}} 0\n{INFO_LINE}\
         node_ethtool_port_received_dropped{{device=\"eth0\"}} 12028\n\
         node_ethtool_received_packets_total{{device=\"eth0\"}} 1.260062e+06\n\
         node_network_advertised_speed_bytes{{device=\"eth0\",duplex=\"half\",mode=\"10baseT\"}} 1.25e+06\n\
         node_network_asymmetricpause_advertised{{device=\"eth0\"}} 1\n\
         node_network_asymmetricpause_supported{{device=\"eth0\"}} 0\n\
         node_network_autonegotiate{{device=\"eth0\"}} 1\n\
         node_network_autonegotiate_advertised{{device=\"eth0\"}} 1\n\
         node_network_autonegotiate_supported{{device=\"eth0\"}} 1\n\
         node_network_pause_advertised{{device=\"eth0\"}} 0\n\
         node_network_pause_supported{{device=\"eth0\"}} 1\n\
         node_network_supported_port_info{{device=\"eth0\",type=\"TP\"}} 1\n\
         node_network_supported_speed_bytes{{device=\"eth0\",duplex=\"full\",mode=\"1000baseT\"}} 1.25e+08\n\
         node_network_supported_speed_bytes{{device=\"eth0\",duplex=\"full\",mode=\"100baseT\"}} 1.25e+07\n\
         node_network_supported_speed_bytes{{device=\"eth0\",duplex=\"full\",mode=\"10baseT\"}} 1.25e+06\n\
         node_network_supported_speed_bytes{{device=\"eth0\",duplex=\"half\",mode=\"100baseT\"}} 1.25e+07\n\
         node_network_supported_speed_bytes{{device=\"eth0\",duplex=\"half\",mode=\"10baseT\"}} 1.25e+06\n"
    );
    given(&format!("{CLASS_NET}{KERNEL}")).emits::<Ethtool>(&expected);
}

#[test]
fn every_bit_of_link_settings_has_one_meaning() {
    let settings = "== sys/class/net/eth0/mtu\n1\n== kernel/link_settings\neth0 supported=0xffffffff\n";
    let scraped = given(settings).scrape::<Ethtool>();
    let samples = scraped.samples();
    let count = |name: &str| samples.lines().filter(|line| line.starts_with(name)).count();
    // Of 32 bits, one has no name: 2500baseX.
    assert_eq!(count("node_network_supported_speed_bytes{"), 22);
    assert_eq!(count("node_network_supported_port_info{"), 6);
    assert_eq!(count("node_network_advertised_speed_bytes{"), 0);
    for feature in ["autonegotiate", "pause", "asymmetricpause"] {
        assert!(samples.contains(&format!("node_network_{feature}_supported{{device=\"eth0\"}} 1\n")), "{feature}");
        assert!(samples.contains(&format!("node_network_{feature}_advertised{{device=\"eth0\"}} 0\n")), "{feature}");
    }
    assert_eq!((scraped.duplicates, &*scraped.complaints), (0, &[][..]));
}

#[test]
fn statistics_of_one_metric_name_are_omitted() {
    given(&statistics("duplicate.metric 1\nduplicate_metric 2\nDuplicate-Metric 3\nother 4\n"))
        .emits::<Ethtool>("node_ethtool_other{device=\"eth0\"} 4\n");
    // The declared family of `rx_bytes` does not save it.
    given(&statistics("rx_bytes 1\nRX_BYTES 2\n")).emits::<Ethtool>("");
    given(&statistics("RX_BYTES 2\n")).emits::<Ethtool>("node_ethtool_received_bytes{device=\"eth0\"} 2\n");
    // One name twice is no clash: its last value counts.
    given(&statistics("same 9\nother 1\nsame 3\n"))
        .emits::<Ethtool>("node_ethtool_other{device=\"eth0\"} 1\nnode_ethtool_same{device=\"eth0\"} 3\n");
}

#[test]
fn a_statistic_of_the_name_of_another_family_is_a_clash() {
    let scraped = given(&statistics("rx_bytes 1\nrx_bytes_total 2\n")).scrape::<Ethtool>();
    assert_eq!(scraped.samples(), "node_ethtool_received_bytes_total{device=\"eth0\"} 1\n");
}

#[test]
fn a_statistic_without_a_letter_is_noted() {
    let scraped = given(&statistics("--- 1\nx 2\n")).scrape::<Ethtool>();
    assert_eq!(scraped.samples(), "node_ethtool_x{device=\"eth0\"} 2\n");
    assert_eq!(scraped.complaints, ["ethtool query: statistic of eth0: no letter in its name"]);
    assert!(scraped.page.contains("node_scrape_collector_success{collector=\"ethtool\"} 1\n"));
}

#[test]
fn the_pattern_is_compared_with_sanitized_names() {
    let host = statistics("port.rx_dropped 1\nrx_bytes 2\nTx\\040Errors 3\n");
    let check = |pattern: &str, expected: &str| {
        given(&host).flags(&[&format!("--collector.ethtool.metrics-include={pattern}")]).emits::<Ethtool>(expected);
    };
    check("^rx_", "node_ethtool_received_bytes_total{device=\"eth0\"} 2\n");
    check("port_rx", "node_ethtool_port_received_dropped{device=\"eth0\"} 1\n");
    check("^Tx_E", "node_ethtool_transmitted_errors{device=\"eth0\"} 3\n");
    check("received", "");
    // A statistic that the pattern excludes cannot clash.
    let clash = statistics("a.b 1\na_B 2\n");
    given(&clash)
        .flags(&["--collector.ethtool.metrics-include=^a_b$"])
        .emits::<Ethtool>("node_ethtool_a_b{device=\"eth0\"} 1\n");
    given("")
        .flags(&["--collector.ethtool.metrics-include=("])
        .is_refused::<Ethtool>("--collector.ethtool.metrics-include: expected a regular expression, found `(`");
}

#[test]
fn devices_pass_both_patterns() {
    let host = "== sys/class/net/eth0/mtu\n1\n== sys/class/net/eth1/mtu\n1\n== sys/class/net/wlan0/mtu\n1\n\
        == kernel/driver_statistics\neth0 x 1\neth1 x 2\nwlan0 x 3\n";
    let (include, exclude) = ("--collector.ethtool.device-include=^eth", "--collector.ethtool.device-exclude=1$");
    let line = |device: &str, value: u64| format!("node_ethtool_x{{device=\"{device}\"}} {value}\n");
    given(host).flags(&[include]).emits::<Ethtool>(&(line("eth0", 1) + &line("eth1", 2)));
    given(host).flags(&[exclude]).emits::<Ethtool>(&(line("eth0", 1) + &line("wlan0", 3)));
    given(host).flags(&[include, exclude]).emits::<Ethtool>(&line("eth0", 1));
    given(host).flags(&["--collector.ethtool.device-include=^none$"]).emits::<Ethtool>("");
}

#[test]
fn a_driver_that_refuses_is_noted_unless_it_lacks_the_query() {
    let kernel = "== kernel/drivers\neth0 error=EPERM\n== kernel/link_settings\neth0 error=EOPNOTSUPP\n\
        == kernel/driver_statistics\neth0 error=ENODEV\nlo x 7\n";
    let scraped = given(&format!("{CLASS_NET}{kernel}")).scrape::<Ethtool>();
    assert_eq!(scraped.samples(), "node_ethtool_x{device=\"lo\"} 7\n");
    let expected = [
        "ethtool query: driver of eth0: operation not permitted (EPERM)",
        "ethtool query: statistics of eth0: no such device (ENODEV)",
    ];
    assert_eq!(scraped.complaints, expected);
    assert!(scraped.page.contains("node_scrape_collector_success{collector=\"ethtool\"} 1\n"), "as in node_exporter");
}

#[test]
fn a_host_without_devices_or_the_query_has_no_data() {
    given("").fails::<Ethtool>("", "sys/class/net: no such file or directory");
    given("== sys/class/net/bonding_masters\n\n")
        .fails::<Ethtool>("", "sys/class/net: expected at least one network device, found none");
    given(CLASS_NET).fails::<Ethtool>("", "ethtool query: not supported by this host");
}

/// A driver with this many statistics for each of its queues.
#[derive(Debug)]
struct Queues(usize);

impl Kernel for Queues {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        let Question::DriverStatistics(_, visit) = question else { return Err(Errno::EOPNOTSUPP.into()) };
        let mut name = String::new();
        for number in 0..self.0 {
            name.clear();
            let _ = write!(name, "rx_queue_{number}_packets");
            visit(&DriverStatistic { name: name.as_bytes(), value: number as u64 });
        }
        Ok(())
    }
}

#[test]
fn the_statistics_of_large_drivers_are_exported_in_every_scrape() {
    const COUNT: usize = 674;
    let scraper = given("== sys/class/net/eth0/mtu\n1\n").kernel(Queues(COUNT)).scraper::<Ethtool>().expect("no flags");
    for _ in 0..2 {
        let scraped = scrape(&scraper);
        assert_eq!((scraped.samples().lines().count(), &*scraped.complaints), (COUNT, &[][..]));
        assert!(scraped.samples().contains("node_ethtool_received_queue_673_packets{device=\"eth0\"} 673\n"));
    }
}

proptest! {
    #[test]
    fn statistics_round_trip(values in prop::collection::btree_map("[a-z][a-z0-9]{0,8}", any::<u32>(), 1..9)) {
        let rows: Vec<String> = values.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
        let scraped = given(&statistics(&rows.concat())).scrape::<Ethtool>();
        let written_out = |name: &str| match name {
            "rx" => "received".to_owned(),
            "tx" => "transmitted".to_owned(),
            other => other.to_owned(),
        };
        let expected: BTreeMap<String, f64> =
            values.iter().map(|(name, value)| (written_out(name), f64::from(*value))).collect();
        let samples = scraped.samples();
        let found: BTreeMap<String, f64> = samples.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("node_ethtool_")?.split_once("{device=\"eth0\"} ")?;
            Some((name.to_owned(), value.parse().ok()?))
        }).collect();
        prop_assert_eq!(found, expected);
    }
}
