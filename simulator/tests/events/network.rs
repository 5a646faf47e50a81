//! Links, network cards and counters.

use collectors::host::kernel::Kernel;

use super::{Scene, Story};

fn bytes(scene: &Scene, name: &str) -> u64 {
    scene.text(&format!("sys/class/net/{name}/statistics/rx_bytes")).trim().parse().unwrap()
}

#[test]
fn a_bond_fails_over_and_loses_nothing() {
    let story = Story::of("vm", &[], "bond-failover", &[("seconds", "60")]);
    let [before, at, down, back] = [-1, 0, 59, 60].map(|after| story.after(after));
    let active = |scene: &Scene| scene.text("sys/class/net/bond0/bonding/active_slave").trim().to_owned();
    assert_eq!([&before, &at, &down, &back].map(active), ["eth1", "eth2", "eth2", "eth2"]);
    let state = |scene: &Scene| scene.text("sys/class/net/eth1/operstate").trim().to_owned();
    assert_eq!([&before, &at, &down, &back].map(state), ["up", "down", "down", "up"]);
    for (scene, failures) in [(&before, "1"), (&down, "2"), (&back, "2")] {
        let of_eth1 = scene.text("proc/net/bonding/bond0").split("Slave Interface: eth1").nth(1).unwrap();
        let of_eth1 = of_eth1.split("\n\n").next().unwrap();
        assert!(of_eth1.contains(&format!("Link Failure Count: {failures}\n")), "{of_eth1}");
        let is_down = scene.text("sys/class/net/eth1/operstate") == "down\n";
        assert_eq!(of_eth1.contains("MII Status: down"), is_down, "{of_eth1}");
    }
    let changes = |scene: &Scene| {
        let count = |name: &str| scene.text(&format!("sys/class/net/eth1/{name}")).trim().parse::<u32>().unwrap();
        ["carrier_changes", "carrier_up_count", "carrier_down_count"].map(count)
    };
    assert_eq!([&before, &down, &back].map(changes), [[2, 1, 1], [3, 1, 2], [4, 2, 2]]);
    assert_eq!(bytes(&down, "eth1"), bytes(&at, "eth1"));
    // The active slave receives much more than the backup.
    assert!(bytes(&down, "eth2") - bytes(&at, "eth2") > 20 * (bytes(&at, "eth2") - bytes(&before, "eth2")));
    for (from, to) in [(&before, &at), (&at, &down), (&down, &back)] {
        assert!(bytes(to, "bond0") > bytes(from, "bond0"));
        assert_eq!(bytes(to, "bond0"), bytes(to, "eth1") + bytes(to, "eth2"));
    }
}

#[test]
fn a_card_goes_with_all_that_is_on_it_and_comes_back_as_a_new_one() {
    let story = Story::of("vm", &[], "nic-hotplug", &[("device", "eth0"), ("seconds", "60")]);
    let [before, away, back] = [-1, 59, 65].map(|after| story.after(after));
    let index = |scene: &Scene| scene.find("sys/class/net/eth0/ifindex").map(str::to_owned);
    assert_eq!([index(&before), index(&away)], [Some("2\n".to_owned()), None]);
    assert!(index(&back).is_some_and(|index| index != "2\n"));
    assert!(!away.text("proc/net/dev").contains("eth0:") && !away.text("proc/net/arp").contains(" eth0\n"));
    assert!(back.text("proc/net/arp").contains(" eth0\n"));
    assert!(bytes(&back, "eth0") * 1_000 < bytes(&before, "eth0"));
    let received =
        |scene: &Scene| scene.text("proc/net/snmp").lines().nth(1).unwrap().split(' ').nth(3).unwrap().to_owned();
    let received = [&before, &away, &back].map(|scene| received(scene).parse::<u64>().unwrap());
    assert!(received.is_sorted(), "what was received is not forgotten: {received:?}");
}

#[test]
fn a_device_of_usb_is_there_for_a_while() {
    let story = Story::of("vm", &[], "usb-nic", &[("seconds", "60")]);
    let names = |after| story.after(after).names("sys/class/net");
    let [before, there, gone] = [-1, 30, 60].map(names);
    let new: Vec<&String> = there.iter().filter(|name| !before.contains(name)).collect();
    assert!(matches!(new[..], [name] if name.starts_with("enx")), "{new:?}");
    assert_eq!(before, gone);
    assert!(bytes(&story.after(30), new[0]) > 0);
}

#[test]
fn counters_wrap_at_the_time_of_the_event() {
    for (bits, device) in [(32, "eth0"), (64, "eth1")] {
        let story = Story::of("vm", &[], "counter-wrap", &[("device", device), ("bits", &bits.to_string())]);
        let [before, at, after] = [-1, 0, 1].map(|seconds| bytes(&story.after(seconds), device));
        let near = (1_u128 << bits) - u128::from(before);
        assert!(near < 10_000_000 && at == 0 && after > 0 && after < 10_000_000, "{bits}: {before} {at} {after}");
    }
    let story = Story::of("vm", &[], "counter-wrap", &[("device", "vda")]);
    let sectors =
        |after| story.after(after).text("sys/block/vda/stat").split_whitespace().nth(2).unwrap().parse::<u64>();
    assert!(sectors(-1).unwrap() > (1 << 32) - 1_000_000 && sectors(0) == Ok(0));
}

#[test]
fn reading_an_unknown_speed_fails() {
    let story = Story::of("vm", &[], "attributes-refused", &[("device", "eth0"), ("seconds", "60")]);
    let speed = |after| story.after(after).find("sys/class/net/eth0/speed").map(str::to_owned);
    // A tree holds the error of a failing file and no content.
    assert_eq!([speed(-1), speed(0), speed(60)].map(Option::unwrap), ["10000\n", "", "10000\n"]);
    assert!(
        story.after(0).kernel().link_modes(b"eth0").is_err() && story.after(60).kernel().link_modes(b"eth0").is_ok()
    );
}

#[test]
fn a_fabric_port_loses_its_counters() {
    let story =
        Story::of("ib-hpc", &[("cpus", "4"), ("adapters", "1")], "fabric-counters-missing", &[("seconds", "60")]);
    let adapter = story.after(0).names("sys/class/infiniband")[0].clone();
    let path = format!("sys/class/infiniband/{adapter}/ports/1/counters/port_rcv_data");
    let [before, at, back] = [-1, 0, 60].map(|after| story.after(after).text(&path).to_owned());
    assert_eq!(at, "N/A (no PMA)\n");
    assert!(before.trim().parse::<u64>().unwrap() < back.trim().parse().unwrap());
}

#[test]
fn pods_are_replaced() {
    let small = [("cpus", "4"), ("memory_gib", "16"), ("pods", "7"), ("veths", "4"), ("mounts", "60")];
    let story = Story::of("k8s-dense", &small, "pod-churn", &[("per_hour", "60")]);
    let [before, later, much_later] = [-1, 130, 3_600].map(|after| story.after(after));
    let all = |scene: &Scene| -> Vec<String> {
        let links = scene.names("sys/class/net").into_iter().filter(|name| name.starts_with("veth"));
        let words = scene.text("proc/mounts").lines().map(|line| line.split(' ').nth(1).unwrap().to_owned());
        links.chain(words).collect()
    };
    let gone = |from: &Scene, to: &Scene| {
        let to = all(to);
        all(from).into_iter().filter(|name| !to.contains(name)).count()
    };
    assert_eq!(all(&before).len(), all(&later).len());
    // Two pods are replaced in two minutes, with some mounts each; in an hour every pod is, eight times.
    assert!((2..=40).contains(&gone(&before, &later)), "{}", gone(&before, &later));
    let of_pods = all(&before).iter().filter(|name| name.contains("/pods/") || name.starts_with("veth")).count();
    assert!(gone(&before, &much_later) >= of_pods, "{} of {of_pods}", gone(&before, &much_later));
    let young = |scene: &Scene| {
        let links = scene.names("sys/class/net").into_iter().filter(|name| name.starts_with("veth"));
        links.map(|link| bytes(scene, &link)).max().unwrap()
    };
    assert!(young(&much_later) * 100 < young(&before));
}
