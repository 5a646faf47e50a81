//! Sockets, protocols and network devices.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use collectors::host::kernel::IpNetwork;

use super::Frozen;

pub(crate) fn agree(host: &Frozen) {
    sockets_agree(host);
    queues_fit(host);
    protocols_are_parts_of_devices(host);
    cpus_took_what_devices_received(host);
    virtual_networks_are_parts(host);
    caches_know_the_neighbours(host);
    routes_agree(host);
    drivers_count_what_devices_count(host);
}

/// The number after the word `name` in the first line that begins with `line`.
#[track_caller]
fn value(host: &Frozen, path: &str, line: &str, name: &str) -> u64 {
    let text = host.text(path).lines().find(|text| text.starts_with(line));
    let mut words =
        text.unwrap_or_else(|| panic!("{path}: {line}")).split_whitespace().skip_while(|word| *word != name);
    words.nth(1).unwrap_or_else(|| panic!("{path}: {line} {name}")).parse().unwrap()
}

/// Value of a column in a pair of header and value lines.
#[track_caller]
fn below(host: &Frozen, path: &str, protocol: &str, name: &str) -> u64 {
    let lines: Vec<&str> = host.text(path).lines().filter(|line| line.starts_with(protocol)).collect();
    let place = lines[0].split_whitespace().position(|word| word == name).unwrap();
    lines[1].split_whitespace().nth(place).unwrap().parse().unwrap()
}

/// State and queues of each socket.
fn rows(host: &Frozen, path: &str) -> Vec<(u64, [u64; 2])> {
    let hexadecimal = |word: &str| u64::from_str_radix(word, 16).unwrap();
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (transmit, receive) = words[4].split_once(':').unwrap();
        (hexadecimal(words[3]), [hexadecimal(transmit), hexadecimal(receive)])
    };
    host.text(path).lines().skip(1).map(row).collect()
}

const ESTABLISHED: u64 = 1;
const SYN_RECEIVED: u64 = 3;
const FIN_WAIT_1: u64 = 4;
const TIME_WAIT: u64 = 6;
const CLOSE_WAIT: u64 = 8;

fn sockets_agree(host: &Frozen) {
    let [tcp, tcp6] = ["proc/net/tcp", "proc/net/tcp6"].map(|path| rows(host, path));
    let in_use = |rows: &[(u64, [u64; 2])]| {
        rows.iter().filter(|(state, _)| !matches!(*state, TIME_WAIT | SYN_RECEIVED)).count() as u64
    };
    let sockstat = |line, name| value(host, "proc/net/sockstat", line, name);
    let sockstat6 = |line, name| value(host, "proc/net/sockstat6", line, name);
    assert_eq!(sockstat("TCP:", "inuse"), in_use(&tcp));
    assert_eq!(sockstat6("TCP6:", "inuse"), in_use(&tcp6));
    let of_both = |states: &[u64]| tcp.iter().chain(&tcp6).filter(|(state, _)| states.contains(state)).count() as u64;
    assert_eq!(sockstat("TCP:", "tw"), of_both(&[TIME_WAIT]));
    assert_eq!(sockstat("TCP:", "orphan"), of_both(&[FIN_WAIT_1]));
    assert!(sockstat("TCP:", "alloc") >= in_use(&tcp) + in_use(&tcp6));
    assert_eq!(below(host, "proc/net/snmp", "Tcp:", "CurrEstab"), of_both(&[ESTABLISHED, CLOSE_WAIT]));
    assert_eq!(sockstat("UDP:", "inuse"), rows(host, "proc/net/udp").len() as u64);
    assert_eq!(sockstat6("UDP6:", "inuse"), rows(host, "proc/net/udp6").len() as u64);
    let in_all = sockstat("TCP:", "inuse") + sockstat("UDP:", "inuse");
    assert!(sockstat("sockets:", "used") >= in_all + sockstat6("TCP6:", "inuse") + sockstat6("UDP6:", "inuse"));
}

fn queues_fit(host: &Frozen) {
    let page = host.kernel().page_size_bytes();
    for (line, files) in [("TCP:", ["proc/net/tcp", "proc/net/tcp6"]), ("UDP:", ["proc/net/udp", "proc/net/udp6"])] {
        let queued = files.iter().flat_map(|file| rows(host, file)).flat_map(|(_, queues)| queues).sum::<u64>();
        let pages = value(host, "proc/net/sockstat", line, "mem");
        assert!(queued <= pages * page, "{line} {queued} bytes wait in {pages} pages");
    }
}

/// Sum of a counter over selected devices.
fn sum_over(host: &Frozen, counter: &str, is_meant: impl Fn(&str) -> bool) -> u64 {
    let names = host.names("sys/class/net").into_iter().filter(|name| name != "bonding_masters" && is_meant(name));
    names.map(|name| host.numbers(&format!("sys/class/net/{name}/statistics/{counter}"))[0]).sum()
}

fn has(host: &Frozen, name: &str, file: &str) -> bool {
    host.names(&format!("{}/{name}", "sys/class/net")).iter().any(|found| found == file)
        || host.tree.get(format!("{}/{file}", folder(host, name))).is_some()
}

/// Directory of a device.
pub(crate) fn folder(host: &Frozen, name: &str) -> String {
    let path = format!("sys/class/net/{name}");
    let Some(node) = host.tree.get(&path) else { panic!("{path}") };
    let collectors::host::root::tree::What::Link(target) = node.what() else { panic!("{path} is a link") };
    format!("sys/{}", std::str::from_utf8(target).unwrap().trim_start_matches("../"))
}

fn is_virtual_network(name: &str) -> bool {
    name.contains('.')
}

fn protocols_are_parts_of_devices(host: &Frozen) {
    let is_top = |name: &str| !has(host, name, "master") && !is_virtual_network(name);
    let snmp = |protocol, name| below(host, "proc/net/snmp", protocol, name);
    let snmp6 = |name| value(host, "proc/net/snmp6", name, name);
    // Totals include removed devices, and do not wrap with device counters.
    let may_be_more = host.may(&["nic-hotplug", "usb-nic", "counter-wrap"]);
    let received = snmp("Ip:", "InReceives") + snmp6("Ip6InReceives");
    assert!(received <= sum_over(host, "rx_packets", is_top) || may_be_more);
    let bytes = below(host, "proc/net/netstat", "IpExt:", "InOctets") + snmp6("Ip6InOctets");
    assert!(may_be_more || bytes <= sum_over(host, "rx_bytes", is_top));
    let delivered = snmp("Ip:", "InDelivers") + snmp6("Ip6InDelivers");
    assert_eq!(snmp("Ip:", "InReceives"), snmp("Ip:", "InDelivers") + snmp("Ip:", "ForwDatagrams"));
    assert!(snmp("Tcp:", "InSegs") + snmp("Udp:", "InDatagrams") + snmp("Icmp:", "InMsgs") <= delivered);
}

fn cpus_took_what_devices_received(host: &Frozen) {
    let processed = host.text("proc/net/softnet_stat").lines().map(|line| {
        let word = line.split(' ').next().unwrap();
        u32::from_str_radix(word, 16).unwrap()
    });
    let is_source = |name: &str| {
        let is_made_of_others = ["bonding", "bridge", "brif"].iter().any(|part| has_folder(host, name, part));
        !is_made_of_others && !is_virtual_network(name) && !is_bridge(host, name)
    };
    let received = sum_over(host, "rx_packets", is_source);
    // 32-bit counters that wrap.
    let processed = u64::from(processed.fold(0, u32::wrapping_add));
    // An offline CPU has no row.
    let is_whole = host.cpu_list("sys/devices/system/cpu/offline").is_empty();
    let may_be_more = !is_whole || host.may(&["nic-hotplug", "usb-nic", "pod-churn"]);
    assert!(processed == received & u64::from(u32::MAX) || may_be_more, "{processed} of {received}");
}

fn has_folder(host: &Frozen, name: &str, part: &str) -> bool {
    !host.names(&format!("{}/{part}", folder(host, name))).is_empty()
}

fn is_bridge(host: &Frozen, name: &str) -> bool {
    host.numbers(&format!("sys/class/net/{name}/tx_queue_len")) == [0]
}

fn virtual_networks_are_parts(host: &Frozen) {
    for name in host.names("sys/class/net").iter().filter(|name| is_virtual_network(name)) {
        let (lower, _) = name.split_once('.').unwrap();
        let of = |name: &str, file: &str| host.numbers(&format!("sys/class/net/{name}/{file}"));
        assert_eq!(of(name, "iflink"), of(lower, "ifindex"));
        for counter in ["rx_bytes", "rx_packets", "tx_bytes", "tx_packets"] {
            let counter = format!("statistics/{counter}");
            assert!(of(name, &counter) <= of(lower, &counter), "{name} {counter}");
        }
    }
}

fn caches_know_the_neighbours(host: &Frozen) {
    let neighbours = host.text("proc/net/arp").lines().count() - 1;
    let rows = host.text("proc/net/stat/arp_cache").lines().skip(1);
    for row in rows {
        let entries = row.split_whitespace().next().unwrap();
        assert_eq!(usize::from_str_radix(entries, 16), Ok(neighbours));
    }
    let count = host.numbers("proc/sys/net/netfilter/nf_conntrack_count")[0];
    let entries = host.text("proc/net/stat/nf_conntrack").lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(u64::from_str_radix(&entries, 16), Ok(count));
    assert!(count <= host.numbers("proc/sys/net/netfilter/nf_conntrack_max")[0]);
}

/// The rows of /proc/net/route are the IPv4 routes of the kernel, and every network of an address has one.
fn routes_agree(host: &Frozen) {
    let (mut by_kernel, mut networks) = (Vec::new(), BTreeSet::new());
    let word = |address: Ipv4Addr| {
        let is_big = host.is_mainframe();
        format!("{:08X}", if is_big { address.to_bits() } else { address.to_bits().swap_bytes() })
    };
    host.kernel()
        .routes(&mut |route| {
            let device = String::from_utf8(route.device.to_vec()).unwrap();
            networks.extend(route.destination.map(|found| (device.clone(), found.address, found.prefix_length)));
            let (destination, prefix_length) = match route.destination.map(|found| (found.address, found.prefix_length))
            {
                Some((IpAddr::V4(address), prefix_length)) => (address, prefix_length),
                None => (Ipv4Addr::UNSPECIFIED, 0),
                Some((IpAddr::V6(_), _)) => return,
            };
            let gateway = match route.gateway {
                Some(IpAddr::V4(gateway)) => gateway,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix_length)).unwrap_or_default());
            by_kernel.push(vec![device, word(destination), word(gateway), word(mask)]);
        })
        .unwrap();
    let rows = host.text("proc/net/route").lines().skip(1).map(|row| {
        let words: Vec<&str> = row.split_whitespace().collect();
        [words[0], words[1], words[2], words[7]].map(str::to_owned).to_vec()
    });
    assert_eq!(rows.collect::<Vec<_>>(), by_kernel);
    host.kernel()
        .addresses(&mut |found| {
            let device = String::from_utf8(found.device.to_vec()).unwrap();
            let (length, bits) = (found.network.prefix_length, u32::from(IpNetwork::bits(found.network.address)));
            let is_there = |(name, address, prefix_length): &(String, IpAddr, u8)| {
                let number = |address: IpAddr| match address {
                    IpAddr::V4(address) => address.to_bits().into(),
                    IpAddr::V6(address) => address.to_bits(),
                };
                let host_bits = bits - u32::from(length);
                let upper = |address| number(address).checked_shr(host_bits).unwrap_or_default();
                *name == device
                    && *prefix_length == length
                    && address.is_ipv4() == found.network.address.is_ipv4()
                    && upper(*address) == upper(found.network.address)
            };
            // Single addresses of IPv4 and those of the loopback device have local routes only.
            let is_local = device == "lo" || length == 32;
            assert!(networks.iter().any(is_there) || is_local, "{found:?} is in no network of {networks:?}");
        })
        .unwrap();
}

/// Counters of the queues of a driver sum up to those of the device.
fn drivers_count_what_devices_count(host: &Frozen) {
    let kernel = host.kernel();
    kernel
        .links(&mut |link| {
            let statistics = link.statistics.unwrap();
            let (mut totals, mut of_queues) = (BTreeMap::new(), BTreeMap::<(&str, &str), u64>::new());
            let answer = kernel.driver_statistics(link.name, &mut |found| {
                let name = std::str::from_utf8(found.name).unwrap();
                let direction = if name.starts_with("rx") { "rx" } else { "tx" };
                let what = if name.ends_with("packets") { "packets" } else { "bytes" };
                if name.chars().any(|letter| letter.is_ascii_digit()) {
                    *of_queues.entry((direction, what)).or_default() += found.value;
                }
                assert!(totals.insert(name.to_owned(), found.value).is_none(), "{name} is there twice");
            });
            if answer.is_err() {
                return;
            }
            kernel.driver(link.name, &mut |driver| assert!(!driver.name.is_empty())).unwrap();
            for (name, value) in [
                ("rx_packets", statistics.rx_packets),
                ("tx_packets", statistics.tx_packets),
                ("rx_bytes", statistics.rx_bytes),
                ("tx_bytes", statistics.tx_bytes),
            ] {
                let (direction, what) = name.split_once('_').unwrap();
                let name_of_link = link.name.escape_ascii();
                assert!(totals.get(name).is_none_or(|found| *found == value), "{name} of {name_of_link}");
                let queues = of_queues.get(&(direction, what));
                assert!(queues.is_none_or(|found| *found == value), "{name} of the queues of {name_of_link}");
            }
        })
        .unwrap();
}
