//! Simulated hosts at two times, on disk for the peer and live for ours.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use collectors::ALL;
use collectors::host::root::tree::{Node, Tree, What};
use collectors::kit::scraper::{Scraper, Selection};
use collectors::textfile::DIRECTORY_FLAG;
use harness::difference::folder::{FOR_BOTH, FOR_THEIRS, mounts, name_of, values};
use harness::difference::known::Knowledge;
use harness::difference::{self, Difference};
use harness::exposition::Format;
use harness::exposition::{self, Exposition};
use harness::peer::{Peer, Program};
use harness::{host, load};
use simulator::{Host, Machine, Profile, TEXTFILE_DIRECTORY, profiles};

use super::agreement::{FULL_SIZE, SIMULATED, knowledge, program};

const SEED: u64 = 1;

/// Two times of a day, in seconds since 1970.
const MOMENTS: [u64; 2] = [1_700_000_000, 1_700_031_417];

/// Timeout of the peer: the page of 1,152 CPUs has more than a million lines, which it sorts.
const PEER_TIMEOUT: Duration = Duration::from_secs(600);

/// Collectors of the peer that read no files, or ignore the given root.
const NOT_OF_FILES: &[(&str, &str)] = &[
    ("ethtool", "ioctl"),
    ("logind", "D-Bus"),
    ("network_route", "netlink"),
    ("ntp", "a server of time"),
    ("perf", "perf_event_open"),
    ("qdisc", "netlink"),
    ("selinux", "the type of a file system"),
    ("supervisord", "HTTP"),
    ("systemd", "D-Bus"),
    ("tcpstat", "netlink"),
    ("timex", "adjtimex"),
    ("uname", "uname"),
    ("wifi", "netlink"),
];

/// Additional sysctls for both exporters, of every form.
const SYSCTLS: &[&str] = &[
    "--collector.sysctl.include=vm.swappiness",
    "--collector.sysctl.include=net.ipv4.ip_local_port_range:first,last",
    "--collector.sysctl.include=kernel.printk",
    "--collector.sysctl.include-info=net.core.default_qdisc",
];

/// The runit directory of a simulated host.
const SERVICES: (&str, &str) = ("collector.runit.servicedir", "/etc/service");

/// Families about the disk of the temporary folder; only their mount points are compared.
const OF_THE_DISK: &str = "node_filesystem_";
/// Exceptions, derived from the mount table.
const OF_THE_TABLE: [&str; 2] = ["node_filesystem_device_error", "node_filesystem_readonly"];

/// Families that come from the machine or from the exporter itself.
const LEFT_OUT: &[&str] =
    &["node_scrape_collector_duration_seconds", "node_time_seconds", "node_time_zone_offset_seconds"];

/// Collectors of the peer that fail, with hosts and reasons.
const FAILS: &[(&str, &[&str], &str)] = &[
    ("cpu", &["s390x"], "it was compiled for x86-64, and takes no other form of /proc/cpuinfo"),
    ("dmi", &["pi4", "s390x"], "their firmware has no such tables"),
    ("drbd", &["absurd1152", "ib-hpc", "jbod60", "k8s-dense", "laptop", "pi4", "s390x", "vm"], "nothing is replicated"),
    (
        "fibrechannel",
        &["absurd1152", "epyc256", "ib-hpc", "k8s-dense", "laptop", "pi4", "s390x", "vm"],
        "there is no adapter",
    ),
    ("hwmon", &["s390x", "vm"], "a hypervisor shows no sensors"),
    ("infiniband", &["absurd1152", "epyc256", "jbod60", "k8s-dense", "laptop", "pi4", "s390x", "vm"], "no adapter"),
    ("infiniband", &["ib-hpc"], "1.5.0 gives up on an adapter whose driver names no board"),
    ("ipvs", &["absurd1152", "epyc256", "ib-hpc", "jbod60", "laptop", "pi4", "s390x", "vm"], "nothing is balanced"),
    ("mdadm", &["absurd1152", "ib-hpc", "k8s-dense", "laptop", "pi4", "s390x", "vm"], "the module is not loaded"),
    (
        "nfs",
        &["absurd1152", "ib-hpc", "jbod60", "k8s-dense", "laptop", "pi4", "s390x", "vm"],
        "nothing is mounted by it",
    ),
    (
        "nfsd",
        &["absurd1152", "epyc256", "ib-hpc", "k8s-dense", "laptop", "pi4", "s390x", "vm"],
        "nothing is served by it",
    ),
    ("nvme", &["jbod60", "pi4", "s390x", "vm"], "there is no such disk"),
    (
        "powersupplyclass",
        &["absurd1152", "epyc256", "ib-hpc", "jbod60", "k8s-dense", "pi4", "s390x", "vm"],
        "only a laptop has a battery",
    ),
    ("pressure", &["jbod60"], "its kernel has it switched off"),
    ("rapl", &["jbod60", "pi4", "s390x", "vm"], "no meters of energy that the kernel has a driver for"),
    (
        "runit",
        &["absurd1152", "epyc256", "ib-hpc", "jbod60", "k8s-dense", "laptop", "s390x", "vm"],
        "systemd runs everything",
    ),
    (
        "tapestats",
        &["absurd1152", "epyc256", "ib-hpc", "k8s-dense", "laptop", "pi4", "s390x", "vm"],
        "there is no drive",
    ),
    (
        "zfs",
        &["absurd1152", "epyc256", "ib-hpc", "k8s-dense", "laptop", "pi4", "s390x", "vm"],
        "the module is not loaded",
    ),
];

pub(crate) fn the_peer_agrees_on_every_simulated_host() {
    agrees(SIMULATED, |profile| profile.small);
}

pub(crate) fn the_peer_agrees_on_every_simulated_host_of_full_size() {
    agrees(FULL_SIZE, |_| &[]);
}

fn agrees(place: &str, overrides: impl Fn(&Profile) -> &'static [(&'static str, &'static str)]) {
    let program = program();
    let knowledge = knowledge(&program);
    let mut found = Found { program, knowledge, differences: Vec::new(), failed: BTreeSet::new(), wrong: Vec::new() };
    for profile in profiles() {
        found.compare(profile, overrides(profile));
    }
    let declared: BTreeSet<(&str, &str)> =
        FAILS.iter().flat_map(|(collector, hosts, _)| hosts.iter().map(move |host| (*host, *collector))).collect();
    let Found { knowledge, differences, failed, mut wrong, .. } = found;
    let failed: BTreeSet<(&str, &str)> = failed.iter().map(|(host, collector)| (*host, &**collector)).collect();
    wrong.extend(failed.difference(&declared).map(|(host, collector)| format!("{host}: the peer's {collector} fails")));
    wrong.extend(
        declared.difference(&failed).map(|(host, collector)| format!("{host}: {collector} is listed, and succeeds")),
    );
    let (hosts, lines): (Vec<&str>, Vec<Difference>) = differences.into_iter().unzip();
    let own = knowledge.sort(place, lines.clone());
    wrong.extend(own.stale.iter().map(|row| format!("listed, but matches nothing: `{}`", row.pattern)));
    // Differences known of fixture hosts may occur here but need not.
    for (host, line) in hosts.iter().zip(&lines).filter(|(_, line)| own.unknown.contains(line)) {
        if !knowledge.known.iter().any(|row| row.pattern.is_match(&line.line)) {
            wrong.push(format!("{host}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Result over all hosts.
struct Found {
    program: Program,
    knowledge: Knowledge,
    /// Differences, with their hosts.
    differences: Vec<(&'static str, Difference)>,
    /// Hosts and failed collectors of the peer.
    failed: BTreeSet<(&'static str, String)>,
    wrong: Vec<String>,
}

impl Found {
    fn compare(&mut self, profile: &'static Profile, overrides: &[(&str, &str)]) {
        let machine = profile.machine(SEED, overrides).expect("settings of the profile");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut on_disk = written(&machine, MOMENTS[0]);
        load::unpack(&on_disk, folder.path()).expect("a tree on disk");
        let (peer, ours) = (theirs(&self.program, folder.path()), Ours::new(&self.program, machine.clone()));
        for seconds in MOMENTS {
            on_disk = renew(&on_disk, written(&machine, seconds), folder.path());
            let page = match their_page(&peer, folder.path()) {
                Ok(page) => comparable(&page),
                Err(error) => {
                    self.wrong.push(format!("{} at {seconds}: the peer's page: {error}", profile.name));
                    continue;
                }
            };
            let ours = comparable(&ours.page(seconds));
            let theirs = exposition::parse(page.as_bytes()).expect("the peer's page is well formed");
            let ours = exposition::parse(ours.as_bytes()).expect("our page is well formed");
            self.failed.extend(failures(&theirs).map(|collector| (profile.name, collector)));
            let names: BTreeSet<&str> = ours.families.iter().map(|family| family.name).collect();
            let families = theirs.families.iter().filter(|family| names.contains(family.name)).count();
            let differences = difference::between(&ours, &theirs, &self.knowledge.added);
            let samples: usize = theirs.families.iter().map(|family| family.samples.len()).sum();
            println!(
                "{} at {seconds}: {families} families, {samples} samples, {} lines differ",
                profile.name,
                differences.len()
            );
            assert!(families > 100, "{}: the two pages have {families} families in common only", profile.name);
            let counted = differences.into_iter().filter(|found| !LEFT_OUT.contains(&found.family.as_str()));
            self.differences.extend(counted.map(|found| (profile.name, found)));
        }
    }
}

/// The host on disk, with a folder for each mount point.
fn written(machine: &Machine, seconds: u64) -> Tree {
    let mut tree = Host::new(machine.clone(), || Duration::ZERO).tree_at(seconds);
    mounts(&mut tree).expect("a place for the table of mounts");
    tree
}

/// Writes the changed files, and returns the tree on disk.
fn renew(before: &Tree, after: Tree, folder: &Path) -> Tree {
    assert!(before.iter().map(|(path, _)| path).eq(after.iter().map(|(path, _)| path)), "files come or go");
    let mut changed = Tree::new();
    for ((path, before), (_, after)) in before.iter().zip(after.iter()) {
        if let (What::File(_), true) = (after.what(), before != after) {
            changed.insert(path, Node::clone(after)).expect("a path of a tree");
        }
    }
    load::unpack(&changed, folder).expect("a tree on disk");
    after
}

/// Our collectors on a live simulated host.
struct Ours {
    seconds: Arc<AtomicU64>,
    scraper: Scraper,
}

impl Ours {
    fn new(program: &Program, machine: Machine) -> Self {
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&seconds);
        let host = Host::new(machine, move || Duration::from_secs(clock.load(Ordering::Relaxed)));
        let known: BTreeSet<&str> = ALL.iter().map(|registration| registration.declaration.name).collect();
        let of_files = of_files(program);
        let enabled = of_files.iter().map(String::as_str).filter(|name| known.contains(name)).collect();
        let services = format!("--{}={}", SERVICES.0, SERVICES.1);
        let textfiles = format!("--{}={TEXTFILE_DIRECTORY}", DIRECTORY_FLAG.name);
        let arguments = FOR_BOTH.iter().chain(SYSCTLS).copied().chain([&*services, &*textfiles]);
        let arguments: Vec<String> = arguments.map(str::to_owned).collect();
        let values = values(&enabled, &arguments).expect("flags of ours");
        let scraper = Scraper::build(ALL, &values, host.roots(), host.kernel()).expect("our collectors");
        Self { seconds, scraper }
    }

    fn page(&self, seconds: u64) -> String {
        self.seconds.store(seconds, Ordering::Relaxed);
        host::scrape(&self.scraper, &Selection::ALL).page
    }
}

/// Collectors of the peer that read files.
fn of_files(program: &Program) -> Vec<String> {
    let names = program.collectors();
    let asking: BTreeSet<&str> = NOT_OF_FILES.iter().map(|(name, _)| *name).collect();
    assert!(asking.is_subset(&names), "the peer has no collector {:?}", asking.difference(&names));
    names.difference(&asking).map(|name| (*name).to_owned()).collect()
}

fn theirs(program: &Program, folder: &Path) -> Peer {
    let path = |flag: &str, name: &str| format!("--path.{flag}={}", folder.join(name).display());
    let below = |path: &str| format!("{}{path}", folder.join("host").display());
    let mut arguments = vec![
        path("procfs", "proc"),
        path("sysfs", "sys"),
        path("rootfs", "rootfs"),
        path("udev.data", "udev"),
        "--collector.disable-defaults".to_owned(),
        format!("--{}={}", DIRECTORY_FLAG.name, below(TEXTFILE_DIRECTORY)),
        format!("--{}={}", SERVICES.0, below(SERVICES.1)),
    ];
    let flags = FOR_BOTH.iter().chain(FOR_THEIRS).chain(SYSCTLS).filter(|flag| program.takes(name_of(flag)));
    arguments.extend(flags.map(|&flag| flag.to_owned()));
    arguments.extend(of_files(program).into_iter().map(|name| format!("--collector.{name}")));
    Peer::start(&program.path, &arguments).expect("the peer starts")
}

/// The peer's page with paths as on the host.
fn their_page(peer: &Peer, folder: &Path) -> io::Result<String> {
    let answer = peer.url().get_with_timeout(Format::Text, PEER_TIMEOUT)?;
    let page = String::from_utf8(answer.body).expect("pages are text");
    let place = |mount: &str| folder.join(mount).display().to_string();
    Ok(page.replace(&place("host"), "").replace(&place("sys"), "/sys").replace(&place("rootfs"), ""))
}

/// The page without the values that the peer takes from the disk of the temporary folder.
fn comparable(page: &str) -> String {
    let mut lines = String::with_capacity(page.len());
    for line in page.lines() {
        let is_of_the_disk =
            line.starts_with(OF_THE_DISK) && !OF_THE_TABLE.iter().any(|family| line.starts_with(family));
        match line.rsplit_once(' ') {
            Some((series, _)) if is_of_the_disk => lines.extend([series, " 0"]),
            _ => lines.push_str(line),
        }
        lines.push('\n');
    }
    lines
}

fn failures(page: &Exposition<'_>) -> impl Iterator<Item = String> {
    let families = page.families.iter().filter(|family| family.name == "node_scrape_collector_success");
    let samples = families.flat_map(|family| &family.samples).filter(|sample| sample.value == "0");
    samples.filter_map(|sample| Some(sample.labels.first()?.1.clone()))
}
