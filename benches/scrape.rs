//! Cost of a whole scrape: every fixture host and profile in memory, and this machine if it has /proc. The cost per
//! sample must not grow with the host.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::Tree;
use collectors::host::tree_text;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use simulator::profiles;

const SEED: u64 = 1;
const AT_SECONDS: u64 = 1_700_000_000;
/// Large hosts take a quarter of a second per scrape, so few samples are taken.
const SAMPLES: usize = 10;
const TIME: Duration = Duration::from_secs(2);

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
    group.sample_size(SAMPLES).warm_up_time(TIME / 4).measurement_time(TIME);
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

fn of_tree(criterion: &mut Criterion, name: &str, tree: Tree, with_interrupts: bool) {
    let tree = Arc::new(tree);
    let kernel = Arc::new(Canned::parse(|path| tree.content(path)).expect("kernel entries"));
    let mut values = defaults();
    values.enable("interrupts", with_interrupts);
    let scraper = Scraper::build(ALL, &values, tree.roots(), kernel).expect("default flags");
    bench(criterion, name, &scraper);
}

fn defaults() -> FlagValues {
    FlagValues::defaults(ALL.iter().map(|registration| registration.declaration))
}

fn scrape(criterion: &mut Criterion) {
    for (name, text) in HOSTS {
        let tree = tree_text::parse(text.as_bytes()).expect("a fixture host");
        of_tree(criterion, &format!("fixtures/{name}"), tree, false);
    }
    for profile in profiles() {
        let machine = profile.machine(SEED, &[]).expect("a profile as it is");
        let tree = simulator::embedded(machine, || Duration::from_secs(AT_SECONDS)).tree_at(AT_SECONDS);
        if profile.name == "epyc256" {
            of_tree(criterion, "epyc256 with interrupts", tree.clone(), true);
        }
        of_tree(criterion, profile.name, tree, false);
    }
    #[cfg(target_os = "linux")]
    live(criterion);
}

#[cfg(target_os = "linux")]
fn live(criterion: &mut Criterion) {
    use collectors::host::kernel::linux::Linux;
    use collectors::host::root::host::Host;
    use collectors::host::root::kept::Kept;
    use collectors::host::root::{Mount, Root, Roots};

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
