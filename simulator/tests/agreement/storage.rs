//! Disks, arrays, pools and file systems.

use std::collections::BTreeSet;

use collectors::host::kernel::Kernel;

use super::{Frozen, numbers};

pub(super) fn agree(host: &Frozen) {
    swap_is_on_what_is_there(host);
    mounted_devices_are_there(host);
    arrays_agree(host);
    controllers_lead_to_namespaces(host);
    file_systems_that_count_are_mounted(host);
    tapes_agree(host);
    replicas_agree(host);
    pools_agree(host);
    btrfs_agrees(host);
    caches_agree(host);
    ways_agree(host);
    calls_agree(host);
}

impl Frozen {
    fn has(&self, path: &str) -> bool {
        self.tree.get(path).is_some()
    }

    fn sectors(&self, name: &str) -> u64 {
        self.numbers(&format!("sys/class/block/{name}/size"))[0]
    }

    /// Columns of a device in diskstats.
    fn disk(&self, name: &str) -> Vec<u64> {
        let rows = self.text("proc/diskstats").lines();
        let row = rows.into_iter().find(|row| row.split_whitespace().nth(2) == Some(name)).unwrap();
        row.split_whitespace().skip(3).map(|word| word.parse().unwrap()).collect()
    }

    /// Names of the entries of a directory.
    fn folders(&self, directory: &str) -> BTreeSet<String> {
        let below = format!("{directory}/");
        let paths = self.tree.iter().filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix(&below));
        paths.filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect()
    }

    /// Mounts: source, mount point, type.
    fn mounts(&self) -> Vec<[&str; 3]> {
        let rows = self.text("proc/mounts").lines().map(|line| line.split(' '));
        rows.map(|mut words| [(); 3].map(|()| words.next().unwrap())).collect()
    }

    /// Device of a device node; device mapper nodes have other names.
    fn by_node(&self, node: &str) -> Option<String> {
        let all = self.names("sys/class/block");
        match node.strip_prefix("/dev/mapper/") {
            None => node.strip_prefix("/dev/").map(str::to_owned).filter(|name| all.contains(name)),
            Some(mapped) => all.into_iter().find(|name| {
                let path = format!("{}/dm/name", self.device(name));
                self.has(&path) && self.text(&path).trim() == mapped
            }),
        }
    }
}

fn swap_is_on_what_is_there(host: &Frozen) {
    for line in host.text("proc/swaps").lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [path, kind, size, ..] = words[..] else { panic!("{line}") };
        let size: u64 = size.parse().unwrap();
        if kind == "partition" {
            let device = host.by_node(path).unwrap_or_else(|| panic!("{path} is there"));
            let sectors = host.sectors(&device);
            assert!(
                size * 2 < sectors && sectors <= size * 2 + 2 * 128,
                "{path} has {sectors} sectors, not {size} KiB"
            );
        } else {
            assert!(host.mounts().iter().any(|[_, point, _]| *point == "/"), "{path} is on a file system");
        }
    }
}

fn mounted_devices_are_there(host: &Frozen) {
    let kernel = host.kernel();
    for [source, point, kind] in host.mounts().into_iter().filter(|[source, ..]| source.starts_with("/dev/")) {
        let device = host.by_node(source).unwrap_or_else(|| panic!("{source} on {point} is there"));
        let space = kernel.statfs(point.as_bytes()).unwrap();
        assert!(space.blocks * space.block_size <= host.sectors(&device) * 512, "{point} fits on {device}");
        let [major, minor, ..] = numbers(&host.text(&format!("sys/class/block/{device}/dev")).replace(':', " "))[..]
        else {
            panic!("{device}")
        };
        let known = host.text(&format!("udev/b{major}:{minor}"));
        let is_known = known.contains(&format!("E:ID_FS_TYPE={kind}\n")) || device.starts_with("loop");
        assert!(is_known, "udev knows {device} as {kind}: {known}");
    }
}

fn arrays_agree(host: &Frozen) {
    if !host.has("proc/mdstat") {
        assert!(!host.names("sys/class/block").iter().any(|name| name.starts_with("md")));
        return;
    }
    let mdstat = host.text("proc/mdstat");
    let mut in_mdstat = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for (name, after) in mdstat.lines().zip(mdstat.lines().skip(1)).filter_map(|(l, n)| Some((l.split_once(" : ")?, n)))
    {
        let (name, members) = name;
        if name == "Personalities" {
            continue;
        }
        in_mdstat.insert(name.to_owned());
        let folder = format!("sys/class/block/{name}");
        let sectors = host.sectors(name);
        assert_eq!(numbers(after)[0] * 2, sectors, "{name}");
        let members: BTreeSet<String> =
            members.split(' ').filter_map(|word| Some(word.split_once('[')?.0.to_owned())).collect();
        let slaves: BTreeSet<String> = host.names(&format!("{}/slaves", host.device(name))).into_iter().collect();
        assert_eq!(members, slaves, "{name} is made of what it holds");
        let level = host.text(&format!("{folder}/md/level")).trim();
        let width = host.numbers(&format!("{folder}/md/raid_disks"))[0];
        let size = host.numbers(&format!("{folder}/md/component_size"))[0] * 2;
        let data = match level {
            "raid0" => width,
            "raid1" => 1,
            "raid5" => width - 1,
            "raid6" => width - 2,
            "raid10" => width / 2,
            other => panic!("{other}"),
        };
        assert_eq!(sectors, data * size, "{name}");
        let (mut written, mut active) = (0, 0);
        for member in &members {
            assert!(taken.insert(member.clone()), "{member} is in one array");
            assert!(host.sectors(member) > size, "{member} has room for its part of {name}");
            let state = host.text(&format!("{folder}/md/dev-{member}/state")).trim();
            if state == "in_sync" {
                written += host.disk(member)[6];
                active += 1;
            }
        }
        assert_eq!(active, width - host.numbers(&format!("{folder}/md/degraded")).first().copied().unwrap_or(0));
        // Data and parity; each member truncates to whole units.
        let (to_array, per_data) = (host.disk(name)[6], if level == "raid1" { width * data } else { width });
        let was_less = host.may(&["disk-failing"]);
        let was_more = host.may(&["md-rebuild"]);
        assert!(written * data <= to_array * per_data || was_more, "{name}: {written}");
        assert!(written >= to_array * 99 / 100 || was_less, "{name}: {written}");
    }
    let in_sys: BTreeSet<String> =
        host.names("sys/class/block").into_iter().filter(|name| name.starts_with("md")).collect();
    assert_eq!(in_mdstat, in_sys);
}

fn controllers_lead_to_namespaces(host: &Frozen) {
    let namespaces: Vec<String> = host
        .names("sys/class/block")
        .into_iter()
        .filter(|name| name.starts_with("nvme") && !host.has(&format!("{}/partition", host.device(name))))
        .collect();
    assert_eq!(namespaces.len(), host.names("sys/class/nvme").len());
    for namespace in namespaces {
        let controller = namespace.rsplit_once('n').unwrap().0;
        let folder = format!("sys/class/nvme/{controller}/{namespace}");
        assert_eq!(host.numbers(&format!("{folder}/size"))[0], host.sectors(&namespace));
        let model = host.text(&format!("sys/class/nvme/{controller}/model")).trim().to_owned();
        let [major, minor, ..] = numbers(&host.text(&format!("{folder}/dev")).replace(':', " "))[..] else { panic!() };
        assert!(
            host.text(&format!("udev/b{major}:{minor}")).contains(&format!("E:ID_MODEL={}\n", model.replace(' ', "_")))
        );
        let used = format!("{}/nuse", host.device(&namespace));
        assert!(!host.has(&used) || host.numbers(&used)[0] <= host.sectors(&namespace));
    }
}

/// /sys/fs has exactly one directory for each file system.
fn file_systems_that_count_are_mounted(host: &Frozen) {
    let counting: BTreeSet<String> = host.names("sys/fs/xfs").into_iter().collect();
    if !counting.is_empty() {
        let mounted = host.mounts().into_iter().filter(|[_, _, kind]| *kind == "xfs");
        assert_eq!(counting, mounted.map(|[source, ..]| host.by_node(source).unwrap()).collect());
    }
}

fn tapes_agree(host: &Frozen) {
    let names = host.names("sys/class/scsi_tape");
    let drives: Vec<&String> =
        names.iter().filter(|name| name.trim_start_matches("st").parse::<u32>().is_ok()).collect();
    assert_eq!(names.len(), drives.len() * 8);
    for drive in drives {
        let count = |mode: &str, file: &str| host.numbers(&format!("sys/class/scsi_tape/{mode}/stats/{file}"))[0];
        for file in ["read_byte_cnt", "write_byte_cnt", "other_cnt", "io_ns"] {
            assert_eq!(count(drive, file), count(&format!("n{drive}"), file), "{drive} {file}");
        }
        assert!(count(drive, "io_ns") >= count(drive, "read_ns") + count(drive, "write_ns"));
        assert_eq!(host.text(&format!("sys/class/scsi_tape/{drive}/../../type")).trim(), "1");
    }
}

fn replicas_agree(host: &Frozen) {
    if !host.has("proc/drbd") {
        return;
    }
    let mut lines = host.text("proc/drbd").lines().skip(2);
    while let (Some(device), Some(counts)) = (lines.next(), lines.next()) {
        let name = format!("drbd{}", device.trim().split(':').next().unwrap());
        let count = |key: &str| -> u64 {
            counts.split_whitespace().find_map(|word| word.strip_prefix(key)).unwrap().parse().unwrap()
        };
        let row = host.disk(&name);
        assert_eq!([count("dr:") * 2, count("dw:") * 2], [row[2], row[6]], "{name}");
    }
}

/// Rows of a ZFS table.
fn kstat<'a>(host: &'a Frozen, path: &str) -> Vec<(&'a str, &'a str)> {
    let rows = host.text(path).lines().skip(2).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0], words[2])
    });
    rows.collect()
}

fn pools_agree(host: &Frozen) {
    let folder = "proc/spl/kstat/zfs";
    let pools: BTreeSet<&str> = host
        .mounts()
        .iter()
        .filter(|[_, _, kind]| *kind == "zfs")
        .map(|[source, ..]| source.split('/').next().unwrap())
        .collect();
    let is_pool = |name: &String| host.has(&format!("{folder}/{name}/state"));
    let told: Vec<String> = host.names(folder).into_iter().chain(host.folders(folder)).filter(is_pool).collect();
    assert_eq!(pools, told.iter().map(String::as_str).collect());
    for pool in pools {
        let label = format!("E:ID_FS_LABEL={pool}\n");
        let is_part = |name: &String| {
            let path = host.device(name);
            let numbers = host.text(&format!("{path}/dev")).trim();
            host.has(&format!("{path}/partition")) && host.text(&format!("udev/b{numbers}")).contains(&label)
        };
        let parts: Vec<String> = host.names("sys/class/block").into_iter().filter(is_part).collect();
        let bytes: u64 = parts.iter().map(|part| host.sectors(part) * 512).sum();
        let mut sets = BTreeSet::new();
        let mut written = 0;
        for file in host.names(&format!("{folder}/{pool}")).iter().filter(|name| name.starts_with("objset-")) {
            let rows = kstat(host, &format!("{folder}/{pool}/{file}"));
            let of = |name: &str| rows.iter().find(|row| row.0 == name).unwrap().1;
            sets.insert(of("dataset_name"));
            written += of("nwritten").parse::<u64>().unwrap();
        }
        let kernel = host.kernel();
        let (mut used, mut free) = (0, BTreeSet::new());
        for [source, point, kind] in host.mounts() {
            if kind == "zfs" && source.split('/').next() == Some(pool) {
                assert!(sets.remove(source), "{source} has a set of objects");
                let space = kernel.statfs(point.as_bytes()).unwrap();
                used += (space.blocks - space.blocks_free) * space.block_size;
                free.insert(space.blocks_free * space.block_size);
            }
        }
        assert!(sets.is_empty(), "{sets:?} are mounted");
        assert_eq!(free.len(), 1, "what is free in {pool} is free to all of it");
        assert!(used + free.first().unwrap() < bytes, "{pool} fits on {parts:?}");
        let to_disks: u64 = parts.iter().map(|part| host.disk(part)[6] * 512).sum();
        // Each disk truncates to whole blocks.
        assert!(to_disks + parts.len() as u64 * 4_096 >= written, "{pool}: {to_disks} of {written}");
    }
    if host.has(&format!("{folder}/arcstats")) {
        let rows = kstat(host, &format!("{folder}/arcstats"));
        let of = |name: &str| rows.iter().find(|row| row.0 == name).unwrap().1.parse::<u64>().unwrap();
        let sum = |end: &str| {
            let kinds = ["demand_data", "demand_metadata", "prefetch_data", "prefetch_metadata"];
            kinds.iter().map(|kind| of(&format!("{kind}_{end}"))).sum::<u64>()
        };
        assert_eq!([of("hits"), of("misses")], [sum("hits"), sum("misses")]);
        assert!(of("size") <= of("c_max") && of("c_min") < of("c_max"));
        assert!(of("memory_all_bytes") == host.table("proc/meminfo")["MemTotal"] * 1_024);
    }
}

fn btrfs_agrees(host: &Frozen) {
    let kernel = host.kernel();
    for [source, point, _] in host.mounts().into_iter().filter(|[_, _, kind]| *kind == "btrfs") {
        let mut seen = 0;
        kernel
            .btrfs(point.as_bytes(), &mut |device| {
                let uuid = String::from_utf8(device.file_system.text().to_vec()).unwrap();
                let folder = format!("sys/fs/btrfs/{uuid}");
                let name = host.by_node(source).unwrap();
                assert_eq!(host.numbers(&format!("{folder}/devices/{name}/size"))[0] * 512, device.size_bytes);
                assert!(device.used_bytes <= device.size_bytes);
                let space = kernel.statfs(point.as_bytes()).unwrap();
                let used = host.numbers(&format!("{folder}/allocation/data/bytes_used"))[0];
                let total = host.numbers(&format!("{folder}/allocation/data/total_bytes"))[0];
                assert_eq!(used, (space.blocks - space.blocks_free) * space.block_size, "{point}");
                assert!(used < total && total < device.used_bytes, "{used} of {total}");
                seen += 1;
            })
            .unwrap();
        assert_eq!(seen, 1, "{point}");
    }
}

fn caches_agree(host: &Frozen) {
    for set in host.folders("sys/fs/bcache") {
        let folder = format!("sys/fs/bcache/{set}");
        let holds = host.numbers(&format!("{folder}/bdev0/stats_total/cache_hits"))[0];
        let slaves = host.names(&format!("{}/slaves", host.device("bcache0")));
        assert_eq!(slaves.len(), 2);
        assert!(holds <= host.disk("bcache0")[0]);
    }
}

/// All paths of a multipath device have its size.
fn ways_agree(host: &Frozen) {
    for name in host.names("sys/class/block") {
        let folder = host.device(&name);
        let uuid = format!("{folder}/dm/uuid");
        if !host.has(&uuid) || !host.text(&uuid).starts_with("mpath-") {
            continue;
        }
        let ways = host.names(&format!("{folder}/slaves"));
        assert!(ways.len() > 1);
        let identities: BTreeSet<&str> =
            ways.iter().map(|way| host.text(&format!("sys/class/block/{way}/device/wwid")).trim()).collect();
        let expected = host.text(&uuid).trim().replacen("mpath-3", "naa.", 1);
        assert_eq!(identities, BTreeSet::from([expected.as_str()]));
        assert!(ways.iter().all(|way| host.sectors(way) == host.sectors(&name)));
    }
}

/// Calls of NFS mounts add up to those of the client.
fn calls_agree(host: &Frozen) {
    let mountstats = host.text("proc/self/mountstats");
    assert_eq!(mountstats.lines().filter(|line| line.starts_with("device ")).count(), host.mounts().len());
    let calls = |name: &str| -> u64 {
        let is_row = |line: &&str| line.trim_start().starts_with(&format!("{name}:"));
        mountstats.lines().filter(is_row).map(|line| numbers(line)[0]).sum()
    };
    if !mountstats.contains("per-op statistics") {
        return;
    }
    let client = host.text("proc/net/rpc/nfs");
    let row = |name: &str| numbers(client.lines().find(|line| line.starts_with(name)).unwrap());
    let (third, fourth) = (row("proc3"), row("proc4"));
    // The first number is the count of columns.
    assert_eq!(calls("READ"), third[1 + 6] + fourth[1 + 1]);
    assert_eq!(calls("WRITE"), third[1 + 7] + fourth[1 + 2]);
    assert_eq!(calls("GETATTR"), third[1 + 1] + fourth[1 + 18]);
    assert_eq!(row("rpc")[0], third[1..].iter().chain(&fourth[1..]).sum::<u64>());
}
