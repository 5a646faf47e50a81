use super::*;
use crate::host::root::Mount;
use crate::kit::parse::FromText;
use crate::kit::testing::given;
use proptest::prelude::*;

const STATS_FILE: &str = "== proc/net/ip_vs_stats\n   Total Incoming Outgoing         Incoming         Outgoing\n   \
    Conns  Packets  Packets            Bytes            Bytes\n      1A       FF        0              100                0\n\n";
const HEADLINES: &str = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  \
    -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";
const TOTALS_EMITTED: &str = "node_ipvs_connections_total 26\nnode_ipvs_incoming_bytes_total 256\nnode_ipvs_incoming_packets_total 255\n\
    node_ipvs_outgoing_bytes_total 0\nnode_ipvs_outgoing_packets_total 0\n";

fn with_rows(rows: &str) -> String {
    format!("== proc/net/ip_vs\n{HEADLINES}{rows}{STATS_FILE}")
}

/// The samples of the weights; the other two families have the same labels.
#[track_caller]
fn check_weights(rows: &str, flag: &str, expected: &str, complaint: &str) {
    let flags = [flag];
    let flags = if flag.is_empty() { &[][..] } else { &flags[..] };
    let scraped = given(&with_rows(rows)).flags(flags).scrape::<Ipvs>();
    let samples = scraped.samples();
    let weights = samples.lines().filter_map(|line| line.strip_prefix("node_ipvs_backend_weight"));
    let weights = weights.map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    assert_eq!(weights, expected);
    assert!(samples.ends_with(TOTALS_EMITTED), "{samples}");
    assert_eq!(scraped.complaints.is_empty(), complaint.is_empty(), "{:?}", scraped.complaints);
    assert!(scraped.complaints.iter().all(|found| found.contains(complaint)), "{:?}", scraped.complaints);
}

const ROWS: &str = "TCP  C0A80016:0CEA wlc  \n  -> C0A85216:0CEA      Tunnel  100    248        2         \n  \
    -> C0A85318:0CEB      Tunnel  50     7          1         \nFWM  10001000 wlc   \n  -> C0A8321A:0050      Route   20     64         1\n";

#[test]
fn totals_and_backends_are_exported() {
    let labels = "{local_address=\"192.168.0.22\",local_mark=\"\",local_port=\"3306\",proto=\"TCP\",remote_address=\"192.168.82.22\",remote_port=\"3306\"}";
    let row = "TCP  C0A80016:0CEA wlc  \n  -> C0A85216:0CEA      Tunnel  100    248        2         \n";
    given(&with_rows(row)).emits::<Ipvs>(&format!(
        "node_ipvs_backend_connections_active{labels} 248\nnode_ipvs_backend_connections_inactive{labels} 2\n\
         node_ipvs_backend_weight{labels} 100\n{TOTALS_EMITTED}"
    ));
    given(&with_rows("")).emits::<Ipvs>(TOTALS_EMITTED);
}

#[test]
fn services_are_of_several_kinds() {
    check_weights(
        &format!(
            "{ROWS}UDP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0035 rr\n  -> [0000:0000:0000:0000:0000:ffff:c000:0201]:0035 Masq 1 2 3\n\
             SCTP 0A000001:0050 rr\n  -> 0A000002:0050 Masq 9 0 0\n"
        ),
        "",
        "{local_address=\"\",local_mark=\"10001000\",local_port=\"0\",proto=\"FWM\",remote_address=\"192.168.50.26\",remote_port=\"80\"} 20\n\
         {local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"SCTP\",remote_address=\"10.0.0.2\",remote_port=\"80\"} 9\n\
         {local_address=\"192.168.0.22\",local_mark=\"\",local_port=\"3306\",proto=\"TCP\",remote_address=\"192.168.82.22\",remote_port=\"3306\"} 100\n\
         {local_address=\"192.168.0.22\",local_mark=\"\",local_port=\"3306\",proto=\"TCP\",remote_address=\"192.168.83.24\",remote_port=\"3307\"} 50\n\
         {local_address=\"2001:db8::1\",local_mark=\"\",local_port=\"53\",proto=\"UDP\",remote_address=\"192.0.2.1\",remote_port=\"53\"} 1\n",
        "",
    );
}

#[test]
fn backends_are_summed_over_excluded_labels() {
    check_weights(ROWS, "--collector.ipvs.backend-labels=", " 170\n", "");
    check_weights(
        ROWS,
        "--collector.ipvs.backend-labels=local_port",
        "{local_port=\"0\"} 20\n{local_port=\"3306\"} 150\n",
        "",
    );
    check_weights(
        ROWS,
        "--collector.ipvs.backend-labels=proto,,local_address,proto",
        "{local_address=\"\",proto=\"FWM\"} 20\n{local_address=\"192.168.0.22\",proto=\"TCP\"} 150\n",
        "",
    );
    given("")
        .flags(&["--collector.ipvs.backend-labels=local_port,port"])
        .is_refused::<Ipvs>("--collector.ipvs.backend-labels: `port` is not a label of a backend; use local_address");
}

#[test]
fn a_bad_backend_costs_only_its_samples_or_their_sums() {
    let rows = "TCP  0A000001:0050 wlc\n  -> 0A000002:0050 Masq 1 x 3\n  -> 0A000003:0050 Masq 4 5 6\n";
    let fine = "{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.3\",remote_port=\"80\"} 4\n";
    check_weights(rows, "", fine, "ip_vs:5: active connections: expected an unsigned integer");
    check_weights(rows, "--collector.ipvs.backend-labels=local_port", "", "active connections");
    let after = "TCP 0A000001:0050 wlc\n  -> 0A000003:0050 Masq 4 5 6\n";
    for (bad, complaint) in [
        ("  -> 0A00002:0050 Masq 1 2 3\n", "remote address: expected an address and a port"),
        ("  -> 0A000002 Masq 1 2 3\n", "remote address: expected"),
        ("  -> [::1:0050 Masq 1 2 3\n", "remote address: expected"),
        ("  -> 0A000002:00500 Masq 1 2 3\n", "remote address: expected"),
        ("  -> 0A000002:0050 Masq 1 2\n", "inactive connections: expected"),
        ("  -> 0A000002:0050 Masq 1 2 3 4\n", "row: expected 6 columns"),
        ("  -> 0A000002:0050 Masq -1 2 3\n", "weight: expected"),
    ] {
        check_weights(&format!("TCP 0A000001:0050 wlc\n{bad}{after}"), "", fine, complaint);
    }
}

#[test]
fn backends_of_a_bad_service_are_skipped() {
    let fine = "TCP 0A000001:0050 wlc\n  -> 0A000003:0050 Masq 4 5 6\n";
    let emitted = "{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.3\",remote_port=\"80\"} 4\n";
    for (service, complaint) in [
        ("TCP x wlc", "local address: expected an address"),
        ("TCP", "local address: expected"),
        ("FWM", "firewall mark: expected a field"),
        ("DCCP 0A000001:0050 wlc", "protocol: expected TCP, UDP, SCTP, FWM or ->"),
    ] {
        check_weights(&format!("{fine}{service}\n  -> 0A000002:0050 Masq 1 2 3\n"), "", emitted, complaint);
    }
}

#[test]
fn without_the_module_there_is_no_data() {
    given("").fails::<Ipvs>("", "proc/net/ip_vs_stats: no such file");
    given(STATS_FILE).fails::<Ipvs>(TOTALS_EMITTED, "proc/net/ip_vs: no such file");
}

#[test]
fn bad_totals_cost_only_their_own_samples() {
    let backends = format!("== proc/net/ip_vs\n{HEADLINES}");
    for (stats, emitted, complaint) in [
        ("a\nb\n1 2 3 4\n", "", "ip_vs_stats:3: totals: expected 5 columns"),
        ("a\nb\n", "", "ip_vs_stats: totals: expected a third line"),
        (
            "a\nb\n1 2 x 4 10000000000000000\n",
            "node_ipvs_connections_total 1\nnode_ipvs_incoming_bytes_total 4\nnode_ipvs_incoming_packets_total 2\n",
            "ip_vs_stats:3: outgoing packets: expected a hexadecimal number",
        ),
    ] {
        given(&format!("{backends}== proc/net/ip_vs_stats\n{stats}")).fails::<Ipvs>(emitted, complaint);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn endpoints_come_back(v4: u32, v6: u128, port: u16) {
        let short = format!("{v4:08X}:{port:04X}");
        let endpoint = table::Endpoint::from_text(short.as_bytes()).expect("an endpoint");
        prop_assert_eq!((endpoint.ip, endpoint.port), (std::net::Ipv4Addr::from_bits(v4).into(), port));
        let long = format!("[{}]:{port:04X}", std::net::Ipv6Addr::from_bits(v6));
        let endpoint = table::Endpoint::from_text(long.as_bytes()).expect("an endpoint");
        prop_assert_eq!((endpoint.ip, endpoint.port), (std::net::Ipv6Addr::from_bits(v6).into(), port));
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
        let text = Text::new(Mount::Proc, b"x", &bytes);
        let _ = (totals(text).is_ok(), table::backends(text).count());
        let _ = table::Endpoint::from_text(&bytes);
    }
}
