//! Simulated hosts have the size of real hosts of their kind.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::Kind;
use collectors::host::root::tree::{Tree, What};
use collectors::kit::files::FILE_CAP_BYTES;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use harness::{exposition, host};
use simulator::{Host, Profile, profiles};

const SEED: u64 = 1;
const AT: Duration = Duration::from_secs(1_700_000_000);

/// A column of the table.
type Column = (&'static str, fn(&Measured) -> usize);

const COLUMNS: &[Column] = &[
    ("cpus", |m| lines(m, "proc/stat", |line| line.starts_with("cpu")) - 1),
    ("nodes", |m| entries(m, "sys/devices/system/node/", |name| name.starts_with("node"))),
    ("files", |m| m.files("")),
    ("proc", |m| m.files("proc/")),
    ("sys", |m| m.files("sys/")),
    ("bytes", |m| m.bytes),
    ("mounts", |m| lines(m, "proc/1/mountinfo", |_| true)),
    ("mountinfo_bytes", |m| size(m, "proc/1/mountinfo")),
    ("disks", |m| lines(m, "proc/diskstats", |_| true)),
    ("arrays", |m| lines(m, "proc/mdstat", |line| line.starts_with("md"))),
    ("links", |m| entries(m, "sys/class/net/", |name| name != "bonding_masters")),
    ("veths", |m| entries(m, "sys/class/net/", |name| name.starts_with("veth") || name.starts_with("cali"))),
    ("adapters", |m| entries(m, "sys/class/infiniband/", |_| true)),
    ("interrupts", |m| lines(m, "proc/interrupts", |line| line.contains(':'))),
    ("interrupts_bytes", |m| size(m, "proc/interrupts")),
    ("interrupts_width", |m| width(m, "proc/interrupts")),
    ("softirqs_bytes", |m| size(m, "proc/softirqs")),
    ("cpuinfo_bytes", |m| size(m, "proc/cpuinfo")),
    ("processes", |m| entries(m, "proc/", |name| name.bytes().all(|byte| byte.is_ascii_digit()))),
    ("pods", |m| m.pods()),
    ("samples", |m| m.samples),
    ("page_bytes", |m| m.page_bytes),
    ("samples_with_interrupts", |m| m.samples_with_interrupts),
];

/// Columns with their least and greatest value.
type Shape = &'static [(&'static str, usize, usize)];

/// Size of each kind of host.
const SHAPES: &[(&str, Shape)] = &[
    ("pi4", &[("cpus", 4, 4), ("samples", 400, 900), ("page_bytes", 35_000, 100_000)]),
    ("vm", &[("cpus", 4, 4), ("files", 1_000, 3_000), ("samples", 600, 1_200)]),
    ("laptop", &[("cpus", 8, 8), ("files", 2_000, 5_000), ("samples", 700, 1_500)]),
    ("s390x", &[("cpus", 16, 16)]),
    (
        "epyc256",
        &[
            ("cpus", 256, 256),
            ("nodes", 8, 8),
            ("sys", 32_000, 38_000),
            ("cpuinfo_bytes", 320_000, 420_000),
            ("samples", 5_000, 10_000),
            ("interrupts", 450, 750),
            ("samples_with_interrupts", 110_000, 200_000),
        ],
    ),
    (
        "k8s-dense",
        &[
            ("cpus", 64, 64),
            ("mounts", 3_000, 3_000),
            ("mountinfo_bytes", 400_000, 2_500_000),
            ("veths", 250, 250),
            ("pods", 380, 380),
            ("samples", 25_000, 45_000),
        ],
    ),
    ("jbod60", &[("disks", 68, 160), ("arrays", 6, 6), ("samples", 2_500, 8_000)]),
    (
        "ib-hpc",
        &[
            ("cpus", 192, 192),
            ("adapters", 10, 10),
            ("interrupts", 1_000, 1_100),
            ("samples", 4_000, 9_000),
            ("samples_with_interrupts", 190_000, 230_000),
        ],
    ),
    (
        "absurd1152",
        &[
            ("cpus", 1_152, 1_152),
            ("interrupts", 1_000, 1_100),
            ("interrupts_bytes", 12_500_000, 14_000_000),
            ("interrupts_width", 12_000, 14_000),
            ("softirqs_bytes", 110_000, 170_000),
            ("samples_with_interrupts", 1_150_000, 1_300_000),
        ],
    ),
];

/// A whole host, and the page with default collectors.
struct Measured {
    tree: Arc<Tree>,
    bytes: usize,
    samples: usize,
    page_bytes: usize,
    samples_with_interrupts: usize,
}

impl Measured {
    fn new(profile: &'static Profile) -> Self {
        let host = Host::new(profile.machine(SEED, &[]).expect("a profile as it is"), || AT);
        let tree = Arc::new(host.tree_at(AT.as_secs()));
        let kernel: Arc<dyn Kernel> = Arc::new(Canned::parse(|path| tree.content(path)).expect("kernel entries"));
        let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
        let scraper = |values: &FlagValues| {
            Scraper::build(ALL, values, tree.roots(), Arc::clone(&kernel)).expect("default flags")
        };
        let default = host::scrape(&scraper(&values), &Selection::ALL).page;
        values.enable("interrupts", true);
        let scraper = scraper(&values);
        let only = scraper.only(&["interrupts"]).expect("it is on");
        let interrupts = host::scrape(&scraper, &only).page;
        let samples = |page: &str| page.lines().filter(|line| !line.starts_with('#')).count();
        exposition::parse(default.as_bytes()).unwrap_or_else(|defects| panic!("{}: {defects:?}", profile.name));
        let content = |what: &What| if let What::File(content) = what { content.len() } else { 0 };
        Self {
            bytes: tree.iter().map(|(_, node)| content(node.what())).sum(),
            samples: samples(&default),
            page_bytes: default.len(),
            samples_with_interrupts: samples(&default) + samples(&interrupts),
            tree,
        }
    }

    fn files(&self, below: &str) -> usize {
        let files = self.tree.iter().filter(|(_, node)| matches!(node.kind(), Kind::File | Kind::Link));
        files.filter(|(path, _)| path.starts_with(below.as_bytes())).count()
    }

    /// Slices of pods, each counted once.
    fn pods(&self) -> usize {
        let is_pod = |path: &[u8]| {
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            path.starts_with(b"sys/fs/cgroup/")
                && name.windows(4).any(|part| part == b"-pod")
                && name.ends_with(b".slice")
        };
        self.tree.iter().filter(|(path, node)| node.kind() == Kind::Directory && is_pod(path)).count()
    }
}

fn text<'a>(measured: &'a Measured, path: &str) -> &'a [u8] {
    measured.tree.content(path).unwrap_or_default()
}

fn size(measured: &Measured, path: &str) -> usize {
    text(measured, path).len()
}

fn lines(measured: &Measured, path: &str, is_meant: fn(&str) -> bool) -> usize {
    String::from_utf8_lossy(text(measured, path)).lines().filter(|line| is_meant(line)).count()
}

fn width(measured: &Measured, path: &str) -> usize {
    text(measured, path).split(|&byte| byte == b'\n').map(<[u8]>::len).max().unwrap_or_default()
}

fn entries(measured: &Measured, below: &str, is_meant: fn(&str) -> bool) -> usize {
    let names = measured.tree.iter().filter_map(|(path, _)| path.strip_prefix(below.as_bytes()));
    let names = names.filter_map(|name| std::str::from_utf8(name).ok());
    names.filter(|name| !name.contains('/') && is_meant(name)).count()
}

#[test]
fn simulated_hosts_have_realistic_sizes() {
    let mut wrong = Vec::new();
    for profile in profiles() {
        let measured = Measured::new(profile);
        let shape = SHAPES.iter().find(|(name, _)| *name == profile.name).map_or(&[][..], |(_, shape)| shape);
        let mut row = String::new();
        for (name, measure) in COLUMNS {
            let found = measure(&measured);
            if found > 0 {
                write!(row, ", {name} {found}").expect("memory takes every byte");
            }
            for (_, least, most) in shape.iter().filter(|(column, ..)| column == name) {
                if !(*least..=*most).contains(&found) {
                    wrong.push(format!("{}: {name} is {found}; expected {least} to {most}", profile.name));
                }
            }
        }
        println!("{}: {}", profile.name, row.trim_start_matches(", "));
        let is_column = |name: &str| COLUMNS.iter().any(|(column, _)| *column == name);
        assert!(shape.iter().all(|(name, ..)| is_column(name)), "{}: {shape:?}", profile.name);
        let large = measured.tree.iter().find(|(_, node)| node.size_bytes() > FILE_CAP_BYTES as u64);
        assert_eq!(large.map(|(path, _)| path), None, "{}: larger than the limit of collectors", profile.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
