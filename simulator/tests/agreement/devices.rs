//! PCI bus, fabrics, graphics cards, load balancer, containers.

use std::collections::{BTreeMap, BTreeSet};

use collectors::host::root::tree::What;

use super::{Frozen, network};

pub(crate) fn agree(host: &Frozen) {
    devices_are_on_the_bus(host);
    ports_agree(host);
    cards_agree(host);
    servers_are_neighbours(host);
    containers_agree(host);
    wireless_is_what_went_through(host);
}

fn devices_are_on_the_bus(host: &Frozen) {
    let places: BTreeSet<String> = host.names("sys/bus/pci/devices").into_iter().collect();
    let folders =
        host.tree.iter().filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix("sys/devices/pci"));
    for path in folders {
        for place in path.split('/').filter(|part| part.len() == 12 && part.get(10..11) == Some(".")) {
            assert!(places.contains(place), "{place} of {path}");
        }
    }
    for place in &places {
        let folder = format!("sys/bus/pci/devices/{place}");
        let class = host.text(&format!("{folder}/class"));
        assert!(class.len() == 9 && class.starts_with("0x"), "{place} is of class {class}");
        let node: i64 = host.text(&format!("{folder}/numa_node")).trim().parse().unwrap();
        assert!(node == -1 || host.tree.get(format!("sys/devices/system/node/node{node}/cpulist")).is_some());
    }
}

fn ports_agree(host: &Frozen) {
    for adapter in host.names("sys/class/infiniband") {
        let port = format!("sys/class/infiniband/{adapter}/ports/1");
        let is_up = host.text(&format!("{port}/state")).starts_with("4:");
        assert_eq!(host.text(&format!("{port}/phys_state")).starts_with("5:"), is_up, "{adapter}");
        assert!(host.text(&format!("{port}/rate")).contains(" Gb/sec ("));
        // The adapter is also a network device.
        let What::Link(own) = host.tree.get(format!("sys/class/infiniband/{adapter}")).unwrap().what() else {
            panic!()
        };
        let own = std::str::from_utf8(own).unwrap().split("/infiniband/").next().unwrap().trim_start_matches("../");
        let is_there = host
            .names("sys/class/net")
            .iter()
            .any(|name| name != "bonding_masters" && network::folder(host, name).contains(&format!("{own}/net/")));
        assert!(is_there, "{adapter} passes on IP");
        let counter =
            |folder: &str, name: &str| host.text(&format!("{port}/{folder}/{name}")).trim().parse::<u64>().ok();
        let is_old =
            host.tree.get(format!("sys/{own}/infiniband/{adapter}/ports/1/counters/unicast_rcv_packets")).is_none();
        if let (false, Some(packets)) = (is_old, counter("counters", "port_rcv_packets")) {
            let parts = ["unicast_rcv_packets", "multicast_rcv_packets"].map(|name| counter("counters", name).unwrap());
            assert_eq!(packets, parts.iter().sum::<u64>(), "{adapter}");
            assert!(packets == 0 || is_up, "{adapter} is down and counts");
        }
        if let (true, Some(words)) = (is_old, counter("counters", "port_rcv_data")) {
            assert_eq!(words, counter("counters_ext", "port_rcv_data_64").unwrap().min(0xffff_ffff), "{adapter}");
        }
    }
}

fn cards_agree(host: &Frozen) {
    for card in host.names("sys/class/drm").iter().filter(|name| name.starts_with("card")) {
        let folder = format!("sys/class/drm/{card}/device");
        if !host.text(&format!("{folder}/uevent")).starts_with("DRIVER=amdgpu") {
            continue;
        }
        let number = |file: &str| host.numbers(&format!("{folder}/{file}"))[0];
        assert!(number("gpu_busy_percent") <= 100);
        for kind in ["vram", "vis_vram", "gtt"] {
            assert!(
                number(&format!("mem_info_{kind}_used")) <= number(&format!("mem_info_{kind}_total")),
                "{card} {kind}"
            );
        }
    }
}

fn servers_are_neighbours(host: &Frozen) {
    let own = |file: &str| format!("{}/net/{file}", own_folder(host));
    if host.tree.get(own("ip_vs")).is_none() {
        return;
    }
    let neighbours: BTreeSet<String> =
        host.text("proc/net/arp").lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let mut addresses = BTreeSet::new();
    host.kernel().addresses(&mut |address| _ = addresses.insert(address.network.address.to_string())).unwrap();
    let dotted = |word: &str| {
        let (address, _) = word.split_once(':').unwrap();
        std::net::Ipv4Addr::from_bits(u32::from_str_radix(address, 16).unwrap()).to_string()
    };
    for line in host.text("proc/net/ip_vs").lines().skip(3) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "->" => assert!(neighbours.contains(&dotted(words[1])), "{line}"),
            _ => assert!(addresses.contains(&dotted(words[1])), "{line}"),
        }
    }
}

fn own_folder(host: &Frozen) -> String {
    match host.tree.get("proc/self").unwrap().what() {
        What::Link(process) => format!("proc/{}", std::str::from_utf8(process).unwrap()),
        other => panic!("proc/self is {other:?}"),
    }
}

/// Pods have cgroups, volumes, file systems and network namespaces.
fn containers_agree(host: &Frozen) {
    let mounts: Vec<Vec<&str>> = host.text("proc/mounts").lines().map(|line| line.split(' ').collect()).collect();
    let of_type = |fs_type: &str| mounts.iter().filter(|mount| mount[2] == fs_type).count();
    let has_one_hierarchy = of_type("cgroup2") > 0;
    let folder = if host.tree.get("sys/fs/cgroup/pids").is_some() { "sys/fs/cgroup/pids/" } else { "sys/fs/cgroup/" };
    let counts = host
        .tree
        .iter()
        .filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix(folder)?.strip_suffix("/pids.current"));
    let groups: BTreeSet<&str> = counts.collect();
    let scopes = groups.iter().filter(|group| group.strip_suffix(".scope").is_some()).count();
    assert_eq!(of_type("overlay"), scopes, "a file system for each container");
    let controllers: BTreeMap<&str, u64> = host
        .text("proc/cgroups")
        .lines()
        .skip(1)
        .map(|line| (line.split('\t').next().unwrap(), line.split('\t').nth(2).unwrap().parse().unwrap()))
        .collect();
    assert!(controllers["memory"] > groups.len() as u64 && (has_one_hierarchy || controllers["cpuset"] > 0));
    let uids = |text: &str| -> Option<String> {
        let uid = text.split("/pods/").nth(1)?.split('/').next()?;
        Some(uid.to_owned())
    };
    let with_volumes: BTreeSet<String> = mounts.iter().filter_map(|mount| uids(mount[1])).collect();
    let pods: BTreeSet<String> = groups
        .iter()
        .filter_map(|group| group.rsplit('/').next()?.strip_suffix(".slice")?.split_once("-pod"))
        .map(|(_, uid)| uid.replace('_', "-"))
        .collect();
    assert_eq!(pods, with_volumes);
    let veths = host.names("sys/class/net").into_iter().filter(|name| name.starts_with("veth")).count();
    if !pods.is_empty() {
        assert_eq!(of_type("nsfs"), veths, "a namespace for each network of a pod");
    }
}

fn wireless_is_what_went_through(host: &Frozen) {
    let kernel = host.kernel();
    let mut found = Vec::new();
    let _ = kernel.wifi_interfaces(&mut |interface| {
        let name = std::str::from_utf8(interface.name).unwrap().to_owned();
        let _ = kernel.wifi_stations(interface, &mut |station| found.push((name.clone(), station.received_bytes)));
    });
    for (name, bytes) in found {
        assert_eq!(host.numbers(&format!("sys/class/net/{name}/statistics/rx_bytes")), [bytes]);
    }
}
