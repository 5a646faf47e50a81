//! A live host equals its frozen snapshot of the same time.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{Kernel, Uname};
use collectors::host::root::tree::{Node, Tree, What};
use collectors::host::root::{Kind, Mount, Names, Root};
use simulator::{Host, Machine, TEXTFILE_DIRECTORY, fingerprint, profiles};

const T: u64 = 1_700_000_000;
const CAP_BYTES: usize = 1 << 20;

fn host_at(seconds: u64) -> Host {
    host_of(Machine::vm(1), seconds)
}

fn host_of(machine: Machine, seconds: u64) -> Host {
    Host::new(machine, move || Duration::from_secs(seconds))
}

/// Every path of a root except links, with its kind, by listing.
fn walk(root: &dyn Root, path: &str, found: &mut Vec<(String, Kind)>) {
    let mut names = Names::new();
    root.list(path.as_bytes(), &mut names).unwrap();
    for (name, kind) in names.iter_kinds() {
        let name = std::str::from_utf8(name).unwrap();
        let below = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        found.push((below.clone(), kind));
        if kind == Kind::Directory {
            walk(root, &below, found);
        }
    }
}

#[test]
fn listings_and_contents_are_those_of_the_tree() {
    for profile in profiles() {
        let read = check_tree(&host_of(profile.machine(1, profile.small).unwrap(), T));
        assert!(read > 300, "{}: {read} files", profile.name);
    }
}

fn check_tree(host: &Host) -> usize {
    let (roots, tree) = (host.roots(), host.tree_at(T));
    let mut read = 0;
    // Tree assembled from single reads.
    let mut copy = Tree::new();
    for (path, node) in tree.iter().filter(|(path, _)| path.starts_with(b"kernel/")) {
        copy.insert(path, node.clone()).unwrap();
    }
    for mount in Mount::ALL {
        let root = roots.get(mount);
        let mut found = Vec::new();
        walk(root, "", &mut found);
        let prefix = format!("{}/", mount.name());
        let expected = tree.iter().filter_map(|(path, node)| {
            Some((std::str::from_utf8(path).unwrap().strip_prefix(&prefix)?.to_owned(), node.kind()))
        });
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let mut expected: Vec<_> = expected.collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected, "{mount:?}");
        let mut bytes = Vec::new();
        for (path, _) in &found {
            let node = tree.get(format!("{prefix}{path}")).unwrap();
            match node.what() {
                What::File(content) => {
                    let result = root.read(path.as_bytes(), &mut bytes, CAP_BYTES);
                    assert_eq!(result, node.error().map_or(Ok(()), |error| Err(error.into())), "{path}");
                    assert_eq!(&bytes, content, "{path}");
                    let modified = root.metadata(path.as_bytes()).map_or(0, |metadata| metadata.modified.as_secs());
                    let file = Node::file(bytes.as_slice()).with_modified_seconds(modified);
                    let file = node.error().map_or(file.clone(), |error| file.with_error(error));
                    copy.insert(format!("{prefix}{path}"), file).unwrap();
                    read += 1;
                }
                What::Link(target) => {
                    root.read_link(path.as_bytes(), &mut bytes).unwrap();
                    assert_eq!(&bytes, target, "{path}");
                    copy.insert(format!("{prefix}{path}"), Node::link(bytes.as_slice())).unwrap();
                }
                _ => copy.insert(format!("{prefix}{path}"), Node::directory()).unwrap(),
            }
        }
    }
    assert_eq!(fingerprint(&copy), fingerprint(&tree), "read file by file or frozen, it is one host");
    read
}

#[test]
fn kernel_answers_are_those_of_the_tree() {
    for profile in profiles() {
        check_kernel(&host_of(profile.machine(1, profile.small).unwrap(), T));
    }
}

fn check_kernel(host: &Host) {
    let (kernel, tree) = (host.kernel(), host.tree_at(T));
    let canned = Canned::parse(|entry| tree.content(entry)).unwrap();
    let say = |kernel: &dyn Kernel| {
        let mut said = vec![format!("{:?}", kernel.now())];
        let mut uname = Uname::default();
        kernel.uname(&mut uname).unwrap();
        said.push(format!("{uname:?}"));
        kernel.links(&mut |link| said.push(format!("{link:?} {:?}", kernel.link_modes(link.name)))).unwrap();
        kernel.addresses(&mut |address| said.push(format!("{address:?}"))).unwrap();
        kernel.neighbours(&mut |neighbour| said.push(format!("{neighbour:?}"))).unwrap();
        said.push(format!("{:?} {:?}", kernel.statfs(b"/"), kernel.statfs(b"/none")));
        said.push(format!("{} {}", kernel.page_size_bytes(), kernel.ticks_per_second()));
        said
    };
    let (live, frozen) = (say(&*kernel), say(&canned));
    assert_eq!(live, frozen);
}

#[test]
fn a_live_host_follows_its_clock() {
    let seconds = Arc::new(AtomicU64::new(T));
    let clock = Arc::clone(&seconds);
    let host = Host::new(Machine::vm(1), move || Duration::from_secs(clock.load(Ordering::Relaxed)));
    let roots = host.roots();
    let read = || {
        let mut bytes = Vec::new();
        roots.get(Mount::Proc).read(b"uptime", &mut bytes, CAP_BYTES).unwrap();
        bytes
    };
    let (first, again) = (read(), read());
    assert_eq!(first, again, "the same moment gives the same bytes");
    seconds.store(T + 1, Ordering::Relaxed);
    assert_ne!(first, read());
    seconds.store(T, Ordering::Relaxed);
    assert_eq!(first, read(), "any moment can be asked for again");
    assert_eq!(host.kernel().now(), Duration::from_secs(T));
}

#[test]
fn sizes_and_times_are_those_of_real_mounts() {
    let roots = host_at(T).roots();
    let size = |mount, path: &str| roots.get(mount).metadata(path.as_bytes()).unwrap().size_bytes;
    assert_eq!(size(Mount::Proc, "meminfo"), 0);
    assert_eq!(size(Mount::Sys, "class/net/eth0/mtu"), 4096);
    assert!(size(Mount::Rootfs, "etc/os-release") > 100);
    let textfile = format!("{TEXTFILE_DIRECTORY}/backup.prom");
    let modified = roots.get(Mount::Host).metadata(textfile.as_bytes()).unwrap().modified;
    assert_eq!(modified, Duration::from_secs(T - T % 900));
}

#[test]
fn an_embedded_host_has_been_up_for_days_and_survives_restarts() {
    let started = |seconds: u64| {
        let mut bytes = Vec::new();
        let roots = simulator::embedded(Machine::vm(1), move || Duration::from_secs(seconds)).roots();
        roots.get(Mount::Proc).read(b"stat", &mut bytes, CAP_BYTES).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(started(T), started(T + 3_600));
    let uptime = T - started(T);
    assert!((2 * 86_400..32 * 86_400).contains(&uptime), "{uptime}");
    assert_eq!(started(0), 0);
}
