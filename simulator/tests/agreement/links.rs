//! Network devices, bonds and neighbours.

use std::collections::BTreeMap;

use collectors::host::kernel::{Kernel, LinkStatistics};

use super::{Frozen, network, numbers};

pub(crate) fn agree(host: &Frozen) {
    links_agree(host);
    bonds_agree(host);
    neighbours_agree(host);
}

fn links_agree(host: &Frozen) {
    let mut seen = Vec::new();
    let dev: BTreeMap<&str, Vec<u64>> = host
        .text("proc/net/dev")
        .lines()
        .skip(2)
        .map(|line| {
            let (name, counts) = line.split_once(':').unwrap();
            (name.trim(), numbers(counts))
        })
        .collect();
    host.kernel()
        .links(&mut |link| {
            let name = std::str::from_utf8(link.name).unwrap();
            let folder = format!("sys/class/net/{name}");
            let statistics = link.statistics.unwrap();
            for (counter, count) in LinkStatistics::NAMES.iter().zip(statistics.counters()) {
                assert_eq!(host.numbers(&format!("{folder}/statistics/{counter}")), [count], "{name} {counter}");
            }
            let row = &dev[name];
            let expected = [statistics.rx_bytes, statistics.rx_packets, statistics.tx_bytes, statistics.tx_packets];
            assert_eq!([row[0], row[1], row[8], row[9]], expected, "{name}");
            assert_eq!(host.numbers(&format!("{folder}/ifindex")), [u64::from(link.index)]);
            assert_eq!(host.numbers(&format!("{folder}/mtu")), [u64::from(link.mtu.unwrap())]);
            let address =
                link.address.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
            assert_eq!(host.text(&format!("{folder}/address")), format!("{address}\n"));
            let states = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];
            assert_eq!(host.text(&format!("{folder}/operstate")).trim(), states[usize::from(link.operstate.unwrap())]);
            if let Ok(modes) = host.kernel().link_modes(link.name) {
                let speed = modes.speed_megabits.map_or("-1".to_owned(), |speed| speed.to_string());
                assert_eq!(host.text(&format!("{folder}/speed")).trim(), speed);
            }
            seen.push(name.to_owned());
        })
        .unwrap();
    seen.sort();
    assert_eq!(seen, dev.keys().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let in_sys: Vec<_> = host.names("sys/class/net").into_iter().filter(|name| name != "bonding_masters").collect();
    assert_eq!(seen, in_sys);
}

fn bonds_agree(host: &Frozen) {
    let bonds = host.text("sys/class/net/bonding_masters").split_whitespace();
    for bond in bonds {
        let folder = format!("sys/class/net/{bond}");
        let slaves: Vec<_> = host.text(&format!("{folder}/bonding/slaves")).split_whitespace().collect();
        let active = host.text(&format!("{folder}/bonding/active_slave")).trim();
        assert!(slaves.len() == 2 || host.may(&["nic-hotplug"]), "{slaves:?}");
        assert!(slaves.contains(&active));
        let mut received = 0_u64;
        for slave in &slaves {
            // The key differs on old kernels.
            let is_slave = host.tree.get(format!("{}/slave_{slave}", network::folder(host, bond))).is_some();
            let lower = format!("{folder}/{}_{slave}", if is_slave { "slave" } else { "lower" });
            let state = host.text(&format!("{lower}/operstate")).trim();
            assert_eq!(host.text(&format!("{lower}/bonding_slave/mii_status")).trim(), state);
            let is_active = host.text(&format!("sys/class/net/{slave}/bonding_slave/state")).trim() == "active";
            assert_eq!(is_active, *slave == active);
            assert_eq!(
                host.text(&format!("sys/class/net/{slave}/master/ifindex")),
                host.text(&format!("{folder}/ifindex"))
            );
            received = received.wrapping_add(host.numbers(&format!("sys/class/net/{slave}/statistics/rx_bytes"))[0]);
            assert!(host.text(&format!("proc/net/bonding/{bond}")).contains(&format!("\nSlave Interface: {slave}\n")));
        }
        // A bond keeps the counters of removed slaves.
        let of_bond = host.numbers(&format!("{folder}/statistics/rx_bytes"))[0];
        assert!(of_bond == received || host.may(&["nic-hotplug"]) && of_bond > received, "{of_bond} {received}");
    }
}

fn neighbours_agree(host: &Frozen) {
    let mut from_kernel = Vec::new();
    host.kernel()
        .neighbours(&mut |neighbour| {
            from_kernel.push((neighbour.address.to_string(), String::from_utf8_lossy(neighbour.device).into_owned()));
        })
        // A tree does not distinguish an empty answer from none.
        .unwrap_or_default();
    let devices = host.names("sys/class/net");
    let rows = host.text("proc/net/arp").lines().skip(1).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        assert!(devices.iter().any(|device| device == words[5]), "{} exists", words[5]);
        (words[0].to_owned(), words[5].to_owned())
    });
    assert_eq!(rows.collect::<Vec<_>>(), from_kernel);
}
