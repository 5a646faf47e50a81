//! What a whole scrape costs: each fixture host in memory, and the machine itself where it has /proc.

use std::hint::black_box;
use std::sync::Arc;

use collectors::ALL;
use collectors::kit::kernel::canned::Canned;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use collectors::kit::tree_text;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const HOSTS: &[(&str, &str)] = &[
    ("laptop", include_str!("../fixtures/hosts/laptop.tree")),
    ("bonded", include_str!("../fixtures/hosts/bonded.tree")),
    ("old310", include_str!("../fixtures/hosts/old310.tree")),
];

fn bench(criterion: &mut Criterion, name: &str, scraper: &Scraper) {
    let mut page = Vec::new();
    scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
    let samples = page.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"#")).count();
    let mut group = criterion.benchmark_group("scrape");
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            page.clear();
            scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
            black_box(page.len())
        });
    });
    group.finish();
}

fn defaults() -> FlagValues {
    FlagValues::defaults(ALL.iter().map(|registration| registration.declaration))
}

fn scrape(criterion: &mut Criterion) {
    for (name, text) in HOSTS {
        let tree = Arc::new(tree_text::parse(text.as_bytes()).expect("a fixture host"));
        let kernel = Arc::new(Canned::parse(|path| tree.content(path)).expect("kernel entries"));
        let scraper = Scraper::build(ALL, &defaults(), tree.roots(), kernel).expect("default flags");
        bench(criterion, name, &scraper);
    }
    #[cfg(target_os = "linux")]
    live(criterion);
}

#[cfg(target_os = "linux")]
fn live(criterion: &mut Criterion) {
    use collectors::kit::kernel::linux::Linux;
    use collectors::kit::root::host::Host;
    use collectors::kit::root::kept::Kept;
    use collectors::kit::root::{Mount, Root, Roots};

    let roots = Roots::new(|mount| -> Arc<dyn Root> {
        let path = match mount {
            Mount::Proc => "/proc",
            Mount::Sys => "/sys",
            Mount::Rootfs => "/",
            Mount::Udev | Mount::Host => return Arc::new(Host),
        };
        Arc::new(Kept::open(path).expect("a running Linux"))
    });
    let kernel = Arc::new(Linux::new("/".as_ref()));
    let scraper = Scraper::build(ALL, &defaults(), roots, kernel).expect("default flags");
    bench(criterion, "live", &scraper);
}

criterion_group!(benches, scrape);
criterion_main!(benches);
