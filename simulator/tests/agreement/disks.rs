//! Block devices and mounts.

use std::collections::BTreeMap;

use collectors::host::kernel::Kernel;

use super::{Frozen, numbers};

pub(crate) fn agree(host: &Frozen) {
    disks_agree(host);
    mounts_agree(host);
}

fn disks_agree(host: &Frozen) {
    let rows: BTreeMap<&str, Vec<u64>> = host
        .text("proc/diskstats")
        .lines()
        .map(|line| (line.split_whitespace().nth(2).unwrap(), numbers(line)))
        .collect();
    let mut whole = [0, 0];
    for (name, row) in &rows {
        let folder = format!("sys/class/block/{name}");
        assert_eq!(host.numbers(&format!("{folder}/stat")), row[2..], "{name}");
        assert_eq!(host.text(&format!("{folder}/dev")), format!("{}:{}\n", row[0], row[1]));
        assert!(host.tree.get(format!("udev/b{}:{}", row[0], row[1])).is_some(), "{name} is known to udev");
        let has = |file: &str| host.tree.get(format!("{}/{file}", host.device(name))).is_some();
        if !has("partition") && !host.device(name).contains("/virtual/") {
            whole = [whole[0] + row[4], whole[1] + row[8]];
        }
        traffic_comes_down(host, &rows, name);
        let blocks = host.text("proc/partitions").lines().find(|line| line.ends_with(&format!(" {name}"))).map(numbers);
        assert_eq!(blocks.unwrap()[2] * 2, host.numbers(&format!("{folder}/size"))[0]);
    }
    let names: Vec<_> = rows.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(names, host.names("sys/class/block"));
    let vmstat = host.table("proc/vmstat");
    let told = [vmstat["pgpgin"], vmstat["pgpgout"]];
    let may_be_more = host.may(&["counter-wrap", "disk-hotplug", "usb-disk"]);
    assert!(told == whole.map(|sectors| sectors / 2) || may_be_more, "{told:?} of {whole:?}");
}

/// Requests of a partition or volume reach the disk below, if it has no other users.
fn traffic_comes_down(host: &Frozen, rows: &BTreeMap<&str, Vec<u64>>, name: &str) {
    let folder = host.device(name);
    let partitions = host.names(&folder).into_iter().filter(|below| rows.contains_key(below.as_str()));
    let holders = host.names(&format!("{folder}/holders"));
    let are_all_single = holders.iter().all(|holder| host.names(&format!("{}/slaves", host.device(holder))).len() == 1);
    let above: Vec<String> = partitions.chain(holders).collect();
    if above.is_empty() || !are_all_single {
        return;
    }
    let of_above = |column: usize| above.iter().map(|above| rows[above.as_str()][column]).sum::<u64>();
    // Kernels before 4.18 do not count discards.
    for column in [4, 8, 15].into_iter().filter(|&column| column < rows[name].len() && !host.may(&["counter-wrap"])) {
        assert_eq!(rows[name][column], of_above(column), "{name} and {above:?}");
    }
    // A request is passed on or merged.
    assert_eq!(rows[name][2] + rows[name][3], of_above(2) + of_above(3), "{name} and {above:?}");
}

fn mounts_agree(host: &Frozen) {
    let info = host.text("proc/self/mountinfo");
    assert_eq!(info, host.text("proc/1/mountinfo"));
    let kernel = host.kernel();
    assert_eq!(info.lines().count(), host.text("proc/mounts").lines().count());
    for (info, mount) in info.lines().zip(host.text("proc/mounts").lines()) {
        let (front, back) = info.split_once(" - ").unwrap();
        let (front, back): (Vec<_>, Vec<_>) = (front.split(' ').collect(), back.split(' ').collect());
        let mount: Vec<_> = mount.split(' ').collect();
        assert_eq!([mount[0], mount[1], mount[2]], [back[1], front[4], back[0]]);
        let space = kernel.statfs(front[4].as_bytes()).unwrap();
        assert!(space.blocks_available <= space.blocks_free && space.blocks_free <= space.blocks);
        assert!(space.files_free <= space.files);
        if front[2].split(':').next() != Some("0") {
            let sectors = host.numbers(&format!("sys/dev/block/{}/size", front[2]))[0];
            assert!(space.blocks * space.block_size <= sectors * 512, "{} fits on its device", front[4]);
        }
        let size = back[2].split(',').find_map(|option| option.strip_prefix("size=")?.strip_suffix('k'));
        if let Some(size) = size {
            assert_eq!(space.blocks * space.block_size / 1024, size.parse::<u64>().unwrap(), "{}", front[4]);
        }
        let parent_is_there =
            host.text("proc/mounts").lines().count() > 0 && (front[1] == "1" || info_has(host, front[1]));
        assert!(parent_is_there, "{} has a parent", front[4]);
    }
}

fn info_has(host: &Frozen, id: &str) -> bool {
    host.text("proc/self/mountinfo").lines().any(|line| line.split(' ').next() == Some(id))
}
