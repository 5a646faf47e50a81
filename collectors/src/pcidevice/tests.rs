use super::*;
use crate::kit::testing::given;
use proptest::prelude::*;

const PLACE: &str = "{bus=\"00\",device=\"1f\",function=\"6\",segment=\"0000\"}";

/// A device below the bus, with these files beside those that each has.
fn host(files: &str) -> String {
    let folder = "sys/devices/pci0000:00/0000:00:1f.6";
    let file = |(name, content): (&str, &str)| format!("== {folder}/{name}\n{content}\n");
    let own = [
        ("class", "0x020000"),
        ("device", "0x1521"),
        ("revision", "0x01"),
        ("subsystem_device", "0x00a3"),
        ("subsystem_vendor", "0x17aa"),
        ("vendor", "0x8086"),
    ];
    let own: String = own.into_iter().map(file).collect();
    let files = files.replace("== +", &format!("== {folder}/"));
    format!("== sys/bus/pci/devices/0000:00:1f.6 -> ../../../devices/pci0000:00/0000:00:1f.6\n{own}{files}")
}

const INFO_LINE: &str = "node_pcidevice_info{bus=\"00\",class_id=\"0x020000\",device=\"1f\",device_id=\"0x1521\",function=\"6\",\
    parent_bus=\"*\",parent_device=\"*\",parent_function=\"*\",parent_segment=\"*\",revision=\"0x01\",segment=\"0000\",\
    subsystem_device_id=\"0x00a3\",subsystem_vendor_id=\"0x17aa\",vendor_id=\"0x8086\"} 1\n";

/// The samples of a device, with these values in place of those that are shown of what it does not have.
fn samples(others: &[(&str, &str)]) -> String {
    let value = |name: &str, absent: &'static str| {
        let other = others.iter().find(|(other, _)| *other == name);
        let value = other.map_or(absent, |(_, value)| value);
        if value.is_empty() { String::new() } else { format!("node_pcidevice_{name}{PLACE} {value}\n") }
    };
    let state = others.iter().find(|(name, _)| *name == "power_state").map(|(_, state)| *state);
    let states = state.into_iter().flat_map(|state| {
        POWER_STATES.map(|known| {
            let place = PLACE.replace('}', &format!(",state=\"{known}\"}}"));
            format!("node_pcidevice_power_state{place} {}\n", u8::from(known == state))
        })
    });
    [
        value("current_link_transfers_per_second", "-1"),
        value("current_link_width", "-1"),
        value("d3cold_allowed", "0"),
        if others.contains(&("info", "")) { String::new() } else { INFO_LINE.to_owned() },
        value("max_link_transfers_per_second", "-1"),
        value("max_link_width", "-1"),
        value("numa_node", ""),
        states.collect(),
        value("sriov_drivers_autoprobe", "0"),
        value("sriov_numvfs", "0"),
        value("sriov_totalvfs", "0"),
        value("sriov_vf_total_msix", "0"),
    ]
    .concat()
}

#[test]
fn what_a_device_does_not_have_is_shown_as_such() {
    given(&host("")).emits::<Pcidevice>(&samples(&[]));
    let unknown = "== +current_link_speed\nUnknown\n== +max_link_speed\nUnknown speed\n== +numa_node\n-1\n\
        == +power_state\n\n== +sriov_numvfs\n\n";
    given(&host(unknown)).emits::<Pcidevice>(&samples(&[]));
}

#[test]
fn what_a_device_has_is_shown() {
    let files = "== +current_link_speed\n8.0 GT/s PCIe\n== +current_link_width\n4\n== +d3cold_allowed\n1\n\
        == +max_link_speed\n16.0 GT/s PCIe\n== +max_link_width\n8\n== +numa_node\n1\n== +power_state\nD3hot\n\
        == +sriov_drivers_autoprobe\n1\n== +sriov_numvfs\n4\n== +sriov_totalvfs\n7\n== +sriov_vf_total_msix\n64\n";
    given(&host(files)).emits::<Pcidevice>(&samples(&[
        ("current_link_transfers_per_second", "8e+09"),
        ("current_link_width", "4"),
        ("d3cold_allowed", "1"),
        ("max_link_transfers_per_second", "1.6e+10"),
        ("max_link_width", "8"),
        ("numa_node", "1"),
        ("power_state", "D3hot"),
        ("sriov_drivers_autoprobe", "1"),
        ("sriov_numvfs", "4"),
        ("sriov_totalvfs", "7"),
        ("sriov_vf_total_msix", "64"),
    ]));
}

#[test]
fn a_device_below_another_tells_which() {
    let below = host("").replace("pci0000:00/0000:00:1f.6", "pci0000:00/0001:02:03.4/0000:00:1f.6");
    let info = INFO_LINE
        .replace("parent_bus=\"*\",parent_device=\"*\"", "parent_bus=\"02\",parent_device=\"03\"")
        .replace("parent_function=\"*\",parent_segment=\"*\"", "parent_function=\"4\",parent_segment=\"0001\"");
    given(&below).emits::<Pcidevice>(&samples(&[]).replace(INFO_LINE, &info));
}

#[test]
fn a_host_without_the_bus_has_no_data() {
    given("").fails::<Pcidevice>("", "sys/bus/pci/devices: no such file");
    given("== sys/bus/pci/devices/\n").emits::<Pcidevice>("");
}

#[test]
fn what_cannot_be_read_costs_itself_alone() {
    for (file, family, bad) in [
        ("current_link_speed", "current_link_transfers_per_second", "8.0"),
        ("max_link_width", "max_link_width", "wide"),
        ("sriov_numvfs", "sriov_numvfs", "-1"),
        ("sriov_vf_total_msix", "sriov_vf_total_msix", "18446744073709551616"),
    ] {
        given(&host(&format!("== +{file}\n{bad}\n")))
            .fails::<Pcidevice>(&samples(&[(family, "")]), &format!("0000:00:1f.6/{file}: value: expected"));
        given(&host(&format!("== +{file} error=EIO\n")))
            .fails::<Pcidevice>(&samples(&[(family, "")]), &format!("0000:00:1f.6/{file}: input/output error"));
    }
    let without_info = samples(&[("info", "")]);
    for bad in ["0x80000000", "x", "", "-1"] {
        given(&host("").replace("0x8086", bad))
            .fails::<Pcidevice>(&without_info, "1f.6/vendor: value: expected a number");
    }
    given(&host("").replace("/revision", "/rev")).fails::<Pcidevice>(&without_info, "1f.6/revision: no such file");
    given(&host("").replace("pci0000:00/", "platform/")).fails::<Pcidevice>(&without_info, "found \"platform\"");
}

#[test]
fn a_device_without_a_place_is_left_out() {
    let stray = "== sys/bus/pci/devices/0000:00:01.0/class\n0x060400\n";
    given(&host(stray)).fails::<Pcidevice>(&samples(&[]), "sys/bus/pci/devices/0000:00:01.0: ");
    let stray = "== sys/bus/pci/devices/0000:00:01.0 -> ../../../devices/pci0000:00/0000:00\n";
    given(&host(stray)).fails::<Pcidevice>(&samples(&[]), "expected a place such as 0000:00:1f.6, found \"0000:00\"");
}

const IDS_CONTENT: &str =
    "17aa  Lenovo\n8086  Intel\n\t1521  I350\n\t\t17aa 00a3  OEM I350\nC 02  Network controller\n";

/// The names in the line of a device's labels, in their order: class, device, built-in device, its vendor, vendor.
#[track_caller]
fn check_names(entries: &str, flags: &[&str], expected: [&str; 5], complaint: Option<&str>) {
    let all = [&["--collector.pcidevice.names"], flags].concat();
    let scraped = given(&format!("{}{entries}", host(""))).flags(&all).scrape::<Pcidevice>();
    let samples = scraped.samples();
    let info = samples.lines().find(|line| line.contains("_info{")).expect("what it is");
    let found: Vec<&str> =
        info.split("_name=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect();
    assert_eq!(found, expected, "{info}");
    assert!(scraped.page.contains("_success{collector=\"pcidevice\"} 1\n"), "{}", scraped.page);
    match complaint {
        Some(complaint) => assert!(scraped.complaints[0].contains(complaint), "{:?}", scraped.complaints),
        None => assert_eq!(scraped.complaints, <[String; 0]>::default()),
    }
}

#[test]
fn names_come_from_the_first_file_there_is() {
    let known = ["Network controller", "I350", "OEM I350", "Lenovo", "Intel"];
    for path in ["misc", "hwdata"] {
        check_names(&format!("== host/usr/share/{path}/pci.ids\n{IDS_CONTENT}"), &[], known, None);
    }
    let both =
        format!("== host/usr/share/hwdata/pci.ids\n8086  Another\n== host/usr/share/misc/pci.ids\n{IDS_CONTENT}");
    check_names(&both, &[], known, None);
    let own = format!("{both}== host/srv/own.ids\n8086  Own\n");
    let named = ["Unknown class (020000)", "1521", "00a3", "17aa", "Own"];
    check_names(&own, &["--collector.pcidevice.idsfile=/srv/own.ids"], named, None);
}

#[test]
fn what_has_no_name_is_shown_by_its_number() {
    let unknown = ["Unknown class (020000)", "1521", "00a3", "17aa", "8086"];
    check_names("", &[], unknown, None);
    check_names("", &["--collector.pcidevice.idsfile=/srv/own.ids"], unknown, Some("/srv/own.ids: no such file"));
    let empty = "== host/srv/own.ids\nnothing\n";
    let flags = ["--collector.pcidevice.idsfile=/srv/own.ids"];
    check_names(empty, &flags, unknown, Some("/srv/own.ids: the names: expected lines of an id"));
    given(&host("")).flags(&flags).emits::<Pcidevice>(&samples(&[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn numbers_come_back(lanes: i32) {
        let samples = given(&host(&format!("== +max_link_width\n{lanes}\n"))).scrape::<Pcidevice>().samples();
        let line = samples.lines().find(|line| line.contains("_max_link_width{")).expect("a width");
        let found: f64 = line.rsplit(' ').next().expect("a value").parse().expect("a number");
        prop_assert!((found - f64::from(lanes)).abs() < 0.5, "{line}");
    }
}
