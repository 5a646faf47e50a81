//! Files that tell of the same thing tell the same.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

#[path = "agreement/devices.rs"]
mod devices;
#[path = "agreement/events.rs"]
mod events;
#[path = "agreement/network.rs"]
mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use collectors::kit::kernel::canned::Canned;
use collectors::kit::kernel::{Kernel, LinkStatistics};
use collectors::kit::root::Kind;
use collectors::kit::root::resolve::{Last, PathBuffer, resolve};
use collectors::kit::root::tree::{Tree, What};
use proptest::prelude::*;
use simulator::{Host, Machine, profiles};

#[path = "agreement/storage.rs"]
mod storage;

/// A frozen host, its clock, and the kinds of events that happen to it at any time.
struct Frozen {
    tree: Tree,
    seconds: u64,
    events: BTreeSet<&'static str>,
}

impl Frozen {
    fn new(machine: Machine, seconds: u64) -> Self {
        let events = machine.events().iter().map(|event| event.kind().name).collect();
        Self { tree: Host::new(machine, || Duration::ZERO).tree_at(seconds), seconds, events }
    }

    /// Whether one of these events happens to it at some time, so that what it says may not hold.
    fn may(&self, events: &[&str]) -> bool {
        events.iter().any(|event| self.events.contains(event))
    }

    /// A list of CPUs.
    fn cpu_list(&self, path: &str) -> BTreeSet<usize> {
        let ranges = self.text(path).trim().split(',').filter(|range| !range.is_empty());
        let number = |word: &str| word.parse::<usize>().unwrap();
        let ends = ranges.map(|range| range.split_once('-').unwrap_or((range, range)));
        ends.flat_map(|(first, last)| number(first)..=number(last)).collect()
    }

    /// A file by its path, links followed.
    #[track_caller]
    fn text(&self, path: &str) -> &str {
        let mut resolved = PathBuffer::new();
        let (mount, rest) = path.split_once('/').expect("a path below a mount");
        resolved.append(mount.as_bytes()).unwrap();
        let found = resolve(&self.tree, rest.as_bytes(), Last::Followed, &mut resolved);
        assert_eq!(found, Ok(Kind::File), "{path}");
        std::str::from_utf8(self.tree.content(resolved.as_bytes()).unwrap()).unwrap()
    }

    #[track_caller]
    fn numbers(&self, path: &str) -> Vec<u64> {
        numbers(self.text(path))
    }

    /// The files of one name below a directory's entries: `sys/class/net`, `mtu`.
    fn names(&self, directory: &str) -> Vec<String> {
        let below = format!("{directory}/");
        let paths = self.tree.iter().filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix(&below));
        paths.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }

    /// `Name: 12 kB` and `name 12` alike.
    fn table(&self, path: &str) -> BTreeMap<&str, u64> {
        let lines = self.text(path).lines();
        let pairs = lines.map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap().trim_end_matches(':'), words.next().unwrap().parse().unwrap())
        });
        pairs.collect()
    }

    fn is_mainframe(&self) -> bool {
        self.text("proc/cpuinfo").starts_with("vendor_id       : IBM/S390")
    }

    /// The folder of a block device.
    fn device(&self, name: &str) -> String {
        let mut resolved = PathBuffer::new();
        resolved.append(b"sys").unwrap();
        resolve(&self.tree, format!("class/block/{name}").as_bytes(), Last::Followed, &mut resolved).unwrap();
        String::from_utf8(resolved.as_bytes().to_vec()).unwrap()
    }

    fn kernel(&self) -> Canned {
        Canned::parse(|entry| self.tree.content(entry)).unwrap()
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Every law, at one moment of every profile.
fn laws(seed: u64, seconds: u64) {
    for profile in profiles() {
        laws_of(profile.machine(seed, profile.small).unwrap(), seconds);
    }
}

fn laws_of(machine: Machine, seconds: u64) {
    let host = Frozen::new(machine, seconds);
    cpus_add_up(&host);
    cpu_counts_agree(&host);
    memory_adds_up(&host);
    memory_is_vmstat(&host);
    memory_of_nodes_and_zones_adds_up(&host);
    disks_agree(&host);
    mounts_agree(&host);
    storage::laws(&host);
    links_agree(&host);
    bonds_agree(&host);
    neighbours_agree(&host);
    network::agree(&host);
    devices::agree(&host);
    names_agree(&host);
    no_link_dangles(&host);
    processes_agree(&host);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn laws_hold_for_every_seed_at_every_moment(seed: u64, seconds in 1_680_000_000_u64..1_900_000_000) {
        laws(seed, seconds);
    }
}

#[test]
fn laws_hold_at_the_start_and_at_the_end_of_time() {
    for seconds in [
        0,
        1_690_000_000,
        Machine::vm(1).booted_seconds(),
        Machine::vm(1).booted_seconds() + 1,
        9_999_999_999,
        u64::MAX,
    ] {
        laws(1, seconds);
    }
}

#[test]
fn laws_hold_for_hosts_of_full_size_and_of_other_shapes() {
    for profile in profiles() {
        laws_of(profile.machine(1, &[]).unwrap(), 1_700_000_000);
    }
    let shapes: [(&str, &[(&str, &str)]); 18] = [
        ("vm", &[("cpus", "1"), ("memory_gib", "2"), ("containers", "0")]),
        ("vm", &[("cpus", "7"), ("containers", "40"), ("kernel", "3.10")]),
        ("vm", &[("kernel", "4.18")]),
        ("k8s-dense", &[("pods", "9"), ("veths", "9"), ("mounts", "0"), ("kernel", "4.18")]),
        ("k8s-dense", &[("pods", "0"), ("kernel", "3.10")]),
        ("ib-hpc", &[("adapters", "1"), ("kernel", "3.10")]),
        ("epyc256", &[("cpus", "9"), ("sockets", "2"), ("nodes", "3"), ("kernel", "5.14")]),
        ("epyc256", &[("cpus", "4"), ("nodes", "1"), ("disks", "1"), ("kernel", "3.10")]),
        ("epyc256", &[("cpus", "4"), ("nodes", "1"), ("disks", "7"), ("kernel", "4.18")]),
        ("pi4", &[("memory_gib", "1"), ("watchdog", "aspeed")]),
        ("laptop", &[("kernel", "6.18")]),
        ("vm", &[("architecture", "aarch64")]),
        ("vm", &[("architecture", "aarch64-64k"), ("kernel", "5.14")]),
        ("vm", &[("architecture", "ppc64le"), ("cpus", "16")]),
        ("vm", &[("architecture", "s390x"), ("cpus", "3")]),
        ("jbod60", &[("disks", "41"), ("failed", "2"), ("kernel", "6.12")]),
        ("jbod60", &[("disks", "36"), ("kernel", "5.14")]),
        ("jbod60", &[("disks", "240"), ("kernel", "3.10")]),
    ];
    for (profile, overrides) in shapes {
        laws_of(Machine::of(profile, 2, overrides).unwrap(), 1_710_000_000);
    }
}

fn cpus_add_up(host: &Frozen) {
    let stat = host.text("proc/stat");
    let rows: Vec<Vec<u64>> = stat.lines().filter(|line| line.starts_with("cpu")).map(numbers).collect();
    let (all, each) = rows.split_first().unwrap();
    // The sum is over those that are away, too, which have no rows.
    let is_whole = host.cpu_list("sys/devices/system/cpu/offline").is_empty();
    for (column, sum) in all.iter().enumerate() {
        let of_rows = each.iter().map(|row| row[column]).sum::<u64>();
        assert!(of_rows == *sum || !is_whole && of_rows < *sum, "column {column}: {of_rows} of {sum}");
    }
    let uptime = host.text("proc/uptime").replace('.', "");
    let [up, idle] = numbers(&uptime)[..] else { panic!("{uptime}") };
    assert_eq!(idle, all[3]);
    for row in each {
        // Each column is cut to whole ticks.
        let spent: u64 = row.iter().take(8).sum();
        assert!(spent <= up && (up - spent <= 8 || host.may(&["cpu-hotplug"])), "{spent} ticks of {up}");
    }
    for line in stat.lines().filter(|line| line.starts_with("softirq")) {
        let counts = numbers(line);
        assert_eq!(counts[0], counts[1..].iter().sum::<u64>());
    }
    let of_all = stat.lines().find(|line| line.starts_with("softirq")).map(numbers).unwrap();
    for (line, sum) in host.text("proc/softirqs").lines().skip(1).zip(&of_all[1..]) {
        let (_, counts) = line.split_once(':').unwrap();
        assert_eq!(numbers(counts).iter().sum::<u64>(), *sum, "{line}");
    }
    for line in stat.lines().filter(|line| line.starts_with("intr")) {
        let counts = numbers(line);
        assert!(counts[0] >= counts[1..].iter().sum::<u64>());
    }
}

fn cpu_counts_agree(host: &Frozen) {
    let in_stat = host.text("proc/stat").lines().filter(|line| line.starts_with("cpu")).count() - 1;
    let cpuinfo = host.text("proc/cpuinfo");
    let of_field = |name: &str| -> Vec<u64> {
        let lines = cpuinfo.lines().filter(|line| line.split(':').next().unwrap().trim() == name);
        lines.flat_map(numbers).collect()
    };
    // A mainframe calls it otherwise.
    assert_eq!(of_field("processor").len() + of_field("cpu number").len(), in_stat);
    let columns = |path: &str| -> Vec<String> {
        host.text(path).lines().next().unwrap().split_whitespace().map(str::to_lowercase).collect()
    };
    let rows = |path: &str| -> Vec<&str> {
        let names = host.text(path).lines().filter_map(|line| line.split(' ').next());
        names.filter(|name| name.starts_with("cpu") && *name != "cpu").collect()
    };
    assert_eq!(columns("proc/interrupts"), rows("proc/stat"));
    interrupts_add_up(host, in_stat);
    let is_cpu = |name: &&String| name.strip_prefix("cpu").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let folders = host.names("sys/devices/system/cpu").iter().filter(is_cpu).count();
    let list = |name: &str| host.cpu_list(&format!("sys/devices/system/cpu/{name}"));
    let (online, offline) = (list("online"), list("offline"));
    assert_eq!(online.len(), in_stat);
    assert_eq!(online.union(&offline).copied().collect::<Vec<_>>(), (0..folders).collect::<Vec<_>>());
    assert_eq!([list("present"), list("possible")].map(|cpus| cpus.len()), [folders; 2]);
    assert_eq!(columns("proc/softirqs").len(), folders, "alone with a column for those that are away");
    assert_eq!(host.text("proc/net/softnet_stat").lines().count(), in_stat);
    assert_eq!(rows("proc/schedstat"), rows("proc/stat"));
    for cpu in 0..folders {
        let folder = format!("sys/devices/system/cpu/cpu{cpu}");
        let switch = format!("{folder}/online");
        assert!(host.tree.get(&switch).is_none() || host.numbers(&switch) == [u64::from(online.contains(&cpu))]);
        assert_eq!(host.tree.get(format!("{folder}/topology/core_id")).is_some(), online.contains(&cpu), "{cpu}");
    }
    let (cores, sockets) = (of_field("core id"), of_field("physical id"));
    assert_eq!(host.text("proc/net/stat/nf_conntrack").lines().count() - 1, folders);
    for (place, &cpu) in online.iter().enumerate() {
        let topology = |name: &str| host.numbers(&format!("sys/devices/system/cpu/cpu{cpu}/topology/{name}"))[0];
        // Only x86 tells of them in cpuinfo.
        assert!(cores.is_empty() || cores[place] == topology("core_id"), "core of {cpu}");
        assert!(sockets.is_empty() || sockets[place] == topology("physical_package_id"), "socket of {cpu}");
        let siblings = host.text(&format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"));
        let first = siblings.split(['-', ',', '\n']).next().unwrap();
        let same = format!("sys/devices/system/cpu/cpu{first}/topology/thread_siblings_list");
        assert_eq!(siblings, host.text(&same), "threads of one core name the same threads");
    }
}

fn interrupts_add_up(host: &Frozen, cpus: usize) {
    let (mut sum, mut by_number) = (0, BTreeMap::new());
    for line in host.text("proc/interrupts").lines().skip(1) {
        let (name, rest) = line.split_once(':').unwrap();
        let counts: Vec<u64> = rest.split_whitespace().take(cpus).filter_map(|word| word.parse().ok()).collect();
        let is_class = matches!(name, "EXT" | "I/O" | "AIO");
        if counts.len() == cpus && !matches!(name.trim(), "ERR" | "MIS" | "Err" | "NMI" | "RST")
            || name.trim() == "NMI" && !host.is_mainframe()
        {
            let of_line = counts.iter().sum::<u64>();
            // On a mainframe the classes come first, and all others are parts of them.
            sum += if host.is_mainframe() && !is_class { 0 } else { of_line };
            if let Ok(number) = name.trim().parse::<usize>() {
                by_number.insert(number, of_line);
            }
        }
    }
    let stat = host.text("proc/stat").lines().find(|line| line.starts_with("intr ")).map(numbers).unwrap();
    // What came to a CPU that is away has no column.
    let is_whole = host.cpu_list("sys/devices/system/cpu/offline").is_empty();
    let agrees = |all: u64, told: u64| all == told || !is_whole && told < all;
    let has_wrapped = host.may(&["interrupts-beyond-32-bits"]) && sum % (1 << 32) == stat[0];
    assert!(agrees(stat[0], sum) || has_wrapped, "the interrupts of all lines and CPUs: {sum} of {}", stat[0]);
    for (number, of_line) in by_number {
        assert!(agrees(stat[number + 1], of_line), "line {number}");
    }
}

fn memory_adds_up(host: &Frozen) {
    let memory = host.table("proc/meminfo");
    let total = memory["MemTotal"];
    let parts =
        ["MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "Slab", "KernelStack", "PageTables", "Percpu"];
    // Old kernels do not tell of `Percpu`.
    let told: u64 = parts.iter().filter_map(|name| memory.get(name)).sum();
    assert!(told < total && total - told < total / 20, "{told} kB of {total} are told");
    for part in parts.iter().filter(|part| memory.contains_key(**part)).chain(&[
        "MemAvailable",
        "Active",
        "Inactive",
        "Mapped",
        "Shmem",
        "Dirty",
    ]) {
        assert!(memory[part] <= total, "{part}");
    }
    assert!(memory["MemFree"] > 0 && memory["MemAvailable"] >= memory["MemFree"]);
    assert_eq!(memory["Active"], memory["Active(anon)"] + memory["Active(file)"]);
    assert_eq!(memory["Inactive"], memory["Inactive(anon)"] + memory["Inactive(file)"]);
    assert_eq!(memory["Slab"], memory["SReclaimable"] + memory["SUnreclaim"]);
    assert!(memory.get("KReclaimable").is_none_or(|told| *told == memory["SReclaimable"]));
    let lists = memory["Active"] + memory["Inactive"] + memory["Unevictable"];
    let on_lists = memory["Buffers"] + memory["Cached"] + memory["AnonPages"] + memory["SwapCached"];
    assert_eq!(lists, on_lists, "every page of programs and files is on a list");
    assert!(memory["Shmem"] < memory["Cached"] && memory["SwapFree"] <= memory["SwapTotal"]);
    let swaps = host.text("proc/swaps").lines().skip(1).map(|line| {
        let words: Vec<u64> = line.split_whitespace().skip(2).filter_map(|word| word.parse().ok()).collect();
        [words[0], words[0] - words[1]]
    });
    let swaps = swaps.fold([0, 0], |[total, free], [more, rest]| [total + more, free + rest]);
    assert_eq!(swaps, [memory["SwapTotal"], memory["SwapFree"]]);
    // What is in tmpfs is shared memory.
    let kernel = host.kernel();
    let tmpfs = host.text("proc/mounts").lines().filter(|line| line.starts_with("tmpfs "));
    let used = tmpfs.map(|line| {
        let space = kernel.statfs(line.split(' ').nth(1).unwrap().as_bytes()).unwrap();
        (space.blocks - space.blocks_free) * space.block_size / 1024
    });
    assert!(used.sum::<u64>() <= memory["Shmem"]);
}

fn memory_is_vmstat(host: &Frozen) {
    let (memory, vmstat) = (host.table("proc/meminfo"), host.table("proc/vmstat"));
    let page = host.kernel().page_size_bytes() / 1_024;
    for (kilobytes, pages) in [
        ("MemFree", "nr_free_pages"),
        ("Active(anon)", "nr_active_anon"),
        ("Inactive(anon)", "nr_inactive_anon"),
        ("Active(file)", "nr_active_file"),
        ("Inactive(file)", "nr_inactive_file"),
        ("Unevictable", "nr_unevictable"),
        ("AnonPages", "nr_anon_pages"),
        ("Mapped", "nr_mapped"),
        ("Dirty", "nr_dirty"),
        ("Shmem", "nr_shmem"),
        ("PageTables", "nr_page_table_pages"),
        ("SReclaimable", "nr_slab_reclaimable"),
        ("SUnreclaim", "nr_slab_unreclaimable"),
    ] {
        assert_eq!(memory[kilobytes], vmstat[pages] * page, "{kilobytes} and {pages}");
    }
    assert_eq!(memory["KernelStack"], vmstat["nr_kernel_stack"]);
    assert_eq!(memory["AnonHugePages"], vmstat["nr_anon_transparent_hugepages"] * memory["Hugepagesize"]);
    assert_eq!(memory["Cached"] + memory["Buffers"] + memory["SwapCached"], vmstat["nr_file_pages"] * page);
}

fn memory_of_nodes_and_zones_adds_up(host: &Frozen) {
    let memory = host.table("proc/meminfo");
    let is_node = |name: &String| name.strip_prefix("node").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let nodes: Vec<String> = host.names("sys/devices/system/node").into_iter().filter(is_node).collect();
    let of_nodes = |wanted: &str| -> u64 {
        let files = nodes.iter().map(|node| host.text(&format!("sys/devices/system/node/{node}/meminfo")));
        let lines = files.flat_map(str::lines).filter(|line| line.split_whitespace().nth(2) == Some(wanted));
        lines.map(|line| line.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap()).sum()
    };
    for name in ["MemTotal", "MemFree", "AnonPages", "Active(file)", "Slab", "Dirty", "Shmem"] {
        assert_eq!(of_nodes(&format!("{name}:")), memory[name], "{name} of all nodes");
    }
    let page = host.kernel().page_size_bytes() / 1_024;
    let free = |line: &str| -> u64 {
        let blocks = line.split_whitespace().skip(4).map(|blocks| blocks.parse::<u64>().unwrap());
        blocks.enumerate().map(|(order, blocks)| blocks << order).sum()
    };
    let buddies: u64 = host.text("proc/buddyinfo").lines().map(free).sum();
    assert_eq!(buddies * page, memory["MemFree"], "free blocks of all zones");
    let of_zones = |wanted: &str| -> u64 {
        let lines = host.text("proc/zoneinfo").lines().filter(|line| line.trim_start().starts_with(wanted));
        lines.map(|line| line.split_whitespace().next_back().unwrap().parse::<u64>().unwrap()).sum()
    };
    assert_eq!(of_zones("pages free ") * page, memory["MemFree"]);
    assert_eq!(of_zones("managed ") * page, memory["MemTotal"]);
    assert_eq!(of_zones("nr_zone_active_file ") * page, memory["Active(file)"]);
    let slabs = host.text("proc/slabinfo").lines().skip(2).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        number(14) * number(5) * page
    });
    assert!(slabs.sum::<u64>() <= memory["Slab"]);
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

/// What goes to a partition or a volume goes to the disk below, if that has no other users.
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
    // Kernels before 4.18 tell of no discards.
    for column in [4, 8, 15].into_iter().filter(|&column| column < rows[name].len() && !host.may(&["counter-wrap"])) {
        assert_eq!(rows[name][column], of_above(column), "{name} and {above:?}");
    }
    // A request is passed on or merged into another.
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
            // Old kernels call it otherwise.
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
        // A bond remembers what went through slaves that are gone.
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
        // A tree does not tell an empty answer from none.
        .unwrap_or_default();
    let devices = host.names("sys/class/net");
    let rows = host.text("proc/net/arp").lines().skip(1).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        assert!(devices.iter().any(|device| device == words[5]), "{} exists", words[5]);
        (words[0].to_owned(), words[5].to_owned())
    });
    assert_eq!(rows.collect::<Vec<_>>(), from_kernel);
}

fn names_agree(host: &Frozen) {
    let mut uname = collectors::kit::kernel::Uname::default();
    host.kernel().uname(&mut uname).unwrap();
    let is = |path: &str, value: &[u8]| assert_eq!(host.text(path).trim_end().as_bytes(), value, "{path}");
    is("proc/sys/kernel/osrelease", &uname.release);
    is("proc/sys/kernel/version", &uname.version);
    is("proc/sys/kernel/hostname", &uname.nodename);
    is("rootfs/etc/hostname", &uname.nodename);
    assert!(host.text("proc/version").contains(&format!(" {} ", String::from_utf8_lossy(&uname.release))));
    let now = host.kernel().now().as_secs();
    let btime =
        host.text("proc/stat").lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse::<u64>().unwrap();
    assert!(now == host.seconds.clamp(btime, 10_000_000_000) || host.may(&["clock-step"]));
    let uptime = host.text("proc/uptime").split('.').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(btime + uptime, now);
}

fn processes_agree(host: &Frozen) {
    let is_number = |name: &&String| name.bytes().all(|byte| byte.is_ascii_digit());
    let (mut threads, mut running, mut blocked) = (0, 0, 0);
    // Looked for once, as there are thousands.
    let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, _) in host.tree.iter() {
        if let ["proc", process, "task", _] = std::str::from_utf8(path).unwrap().split('/').collect::<Vec<_>>()[..] {
            *tasks.entry(process).or_default() += 1;
        }
    }
    for process in host.names("proc").iter().filter(is_number) {
        let stat = host.text(&format!("proc/{process}/stat"));
        let name = host.text(&format!("proc/{process}/comm")).trim_end();
        assert!(stat.starts_with(&format!("{process} ({name}) ")), "{stat}");
        let words: Vec<&str> = stat.rsplit(") ").next().unwrap().split_whitespace().collect();
        assert_eq!(words.len(), 50, "{stat}");
        let of_process = tasks[process.as_str()];
        assert_eq!(of_process, words[17].parse::<usize>().unwrap(), "threads of {process}");
        threads += of_process;
        running += usize::from(words[0] == "R");
        blocked += usize::from(words[0] == "D");
        let status = host.text(&format!("proc/{process}/status"));
        assert!(
            status.contains(&format!("\nState:\t{} (", words[0]))
                && status.contains(&format!("\nPPid:\t{}\n", words[1]))
        );
    }
    let of_stat = |name: &str| {
        let line = host.text("proc/stat").lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<usize>().unwrap()
    };
    assert_eq!((running, blocked), (of_stat("procs_running"), of_stat("procs_blocked")));
    assert!(host.text("proc/loadavg").contains(&format!(" {running}/{threads} ")), "{}", host.text("proc/loadavg"));
}

fn no_link_dangles(host: &Frozen) {
    for (path, node) in host.tree.iter().filter(|(_, node)| matches!(node.what(), What::Link(_))) {
        let slash = path.iter().position(|&byte| byte == b'/').unwrap();
        let mut resolved = PathBuffer::new();
        resolved.append(&path[..slash]).unwrap();
        let found = resolve(&host.tree, &path[slash + 1..], Last::Followed, &mut resolved);
        // Links into the bus and the class lead to folders.
        let ends_at_missing_folder = path.ends_with(b"/device") || path.ends_with(b"/subsystem");
        assert!(found.is_ok() || ends_at_missing_folder, "{} -> {:?}", path.escape_ascii(), node.what());
    }
}
