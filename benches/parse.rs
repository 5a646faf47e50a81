//! Cost of one large file: read from memory, parsed and encoded by its collector.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use collectors::ALL;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::Tree;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// /proc/stat of a host with this many CPUs.
fn stat(cpus: u64) -> String {
    let mut text = String::from("cpu  1 2 3 4 5 6 7 8 9 10\n");
    for cpu in 0..cpus {
        let _ = writeln!(text, "cpu{cpu} {} 1286 4084041 101223443 4011 0 96410 0 0 0", 10_107_200 + cpu * 977);
    }
    text + "intr 8885917 17 0 0\nctxt 38014093\nbtime 1418183276\nprocesses 26442\nprocs_running 2\nprocs_blocked 1\n"
}

/// /proc/net/dev of a host with this many devices.
fn net_dev(devices: u64) -> String {
    let mut text = String::from(
        "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo \
         frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
    );
    for device in 0..devices {
        let bytes = 68_210_035_552_u64 + device;
        let _ = writeln!(text, "veth{device:04}: {bytes} 520993275 0 12 0 0 0 4711 9315587528 43451486 0 0 0 0 0 0");
    }
    text
}

/// /proc/diskstats of a host with this many disks.
fn diskstats(disks: u64) -> String {
    (0..disks).fold(String::new(), |mut text, disk| {
        let row =
            "25354637 34367663 1003346126 18492372 28444756 11134226 505697032 63877960 0 9653880 82621804 1 2 3 4 5 6";
        let _ = writeln!(text, " 259 {disk:7} nvme{disk}n1 {row}");
        text
    })
}

/// A collector, its file, the number of items, and the function that makes the file.
type Case = (&'static str, &'static str, u64, fn(u64) -> String);

const CASES: &[Case] = &[
    ("cpu", "proc/stat", 256, stat),
    ("netdev", "proc/net/dev", 100, net_dev),
    ("netdev", "proc/net/dev", 1_000, net_dev),
    ("diskstats", "proc/diskstats", 200, diskstats),
];

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for &(collector, path, rows, content) in CASES {
        let content = content(rows);
        group.throughput(Throughput::Bytes(content.len() as u64));
        let tree = Arc::new(Tree::new().with_file(path, content));
        let values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
        let scraper = Scraper::build(ALL, &values, tree.roots(), Arc::new(Canned::default())).expect("default flags");
        let only: Selection = scraper.only(&[collector]).expect("a collector that is on by default");
        let mut page = Vec::new();
        group.bench_function(BenchmarkId::new(collector, rows), |bencher| {
            bencher.iter(|| {
                page.clear();
                scraper.scrape(&only, |_| (), |_| (), &mut page);
                black_box(page.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
