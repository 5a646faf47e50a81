//! Memory: totals, NUMA nodes, zones and huge pages.

use std::collections::BTreeMap;

use collectors::host::kernel::Kernel;

use super::Frozen;

pub(crate) fn agree(host: &Frozen) {
    memory_adds_up(host);
    memory_is_vmstat(host);
    memory_of_nodes_and_zones_adds_up(host);
    huge_pages_agree(host);
}

fn memory_adds_up(host: &Frozen) {
    let memory = host.table("proc/meminfo");
    let total = memory["MemTotal"];
    let parts =
        ["MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "Slab", "KernelStack", "PageTables", "Percpu"];
    // Old kernels have no `Percpu`.
    let told = parts.iter().filter_map(|name| memory.get(name)).sum::<u64>() + memory["Hugetlb"];
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
    // tmpfs counts as shared memory.
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

fn huge_pages_agree(host: &Frozen) {
    let memory = host.table("proc/meminfo");
    let pool = ["Total", "Free", "Rsvd", "Surp"].map(|name| memory[&*format!("HugePages_{name}")]);
    let [total, free, promised, surplus] = pool;
    assert!(promised <= free && free <= total && surplus == 0, "{pool:?}");
    let size = memory["Hugepagesize"];
    assert_eq!(memory["Hugetlb"], total * size);
    assert_eq!(host.table("proc/vmstat")["nr_hugetlb"] * host.kernel().page_size_bytes() / 1_024, total * size);
    // Other sizes have no huge pages.
    let of_size = |folder: &str| -> BTreeMap<String, Vec<u64>> {
        let sizes = host.names(folder).into_iter();
        sizes.map(|size| (size.clone(), pool_of(host, &format!("{folder}/{size}")))).collect()
    };
    let whole = of_size("sys/kernel/mm/hugepages");
    assert_eq!(whole[&format!("hugepages-{size}kB")], [total, free, surplus, promised]);
    assert!(whole.len() > 1 && whole.values().flatten().sum::<u64>() == total + free + promised, "{whole:?}");
    let is_node = |name: &String| name.strip_prefix("node").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let nodes: Vec<String> = host.names("sys/devices/system/node").into_iter().filter(is_node).collect();
    let mut of_nodes = BTreeMap::new();
    for node in &nodes {
        let folder = format!("sys/devices/system/node/{node}");
        let sizes = of_size(&format!("{folder}/hugepages"));
        assert!(sizes.keys().eq(whole.keys()));
        let own = &sizes[&format!("hugepages-{size}kB")];
        for (name, count) in ["Total", "Free", "Surp"].iter().zip(own) {
            let line = format!(" HugePages_{name}: {count:>5}\n");
            assert!(host.text(&format!("{folder}/meminfo")).contains(&line), "{node}: {line}");
            *of_nodes.entry(*name).or_insert(0) += count;
        }
    }
    assert_eq!(of_nodes, BTreeMap::from([("Total", total), ("Free", free), ("Surp", surplus)]));
}

/// Huge pages of a size: total, free, reserved and surplus.
fn pool_of(host: &Frozen, folder: &str) -> Vec<u64> {
    let files = ["nr_hugepages", "free_hugepages", "surplus_hugepages", "resv_hugepages"];
    let paths = files.iter().map(|file| format!("{folder}/{file}"));
    paths.filter(|path| host.tree.get(path).is_some()).map(|path| host.numbers(&path)[0]).collect()
}
