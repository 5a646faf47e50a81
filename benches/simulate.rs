//! Cost of simulated hosts: a whole host as a tree, one file, and a scrape.

use std::hint::black_box;
use std::time::Duration;

use collectors::ALL;
use collectors::host::root::Mount;
use collectors::kit::files::FILE_CAP_BYTES;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use simulator::{Machine, profiles};

const SEED: u64 = 1;
/// The largest hosts take a second, so few samples are taken.
const TIME: Duration = Duration::from_secs(2);
const AT: Duration = Duration::from_secs(1_700_000_000);

fn simulate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulate");
    group.warm_up_time(TIME / 4).measurement_time(TIME);
    for profile in profiles() {
        let host = simulator::embedded(profile.machine(SEED, &[]).expect("a profile as it is"), || AT);
        let name = profile.name;
        // The cost per entry must not grow with the host.
        let entries = host.tree_at(AT.as_secs()).iter().count();
        group.throughput(Throughput::Elements(entries as u64));
        group.sample_size(10);
        group.bench_function(format!("{name} as a tree"), |bencher| {
            bencher.iter_with_large_drop(|| host.tree_at(AT.as_secs()));
        });
        group.throughput(Throughput::Elements(1));
        let (roots, mut content) = (host.roots(), Vec::new());
        for path in ["devices/system/cpu/cpu0/topology/core_id", "class/net/lo/mtu"] {
            group.bench_function(format!("{name} sys/{path}"), |bencher| {
                bencher.iter(|| roots.get(Mount::Sys).read(path.as_bytes(), &mut content, FILE_CAP_BYTES));
            });
        }
    }
    let host = simulator::embedded(Machine::vm(SEED), || AT);
    let roots = host.roots();
    let mut content = Vec::new();
    for (mount, path) in [(Mount::Proc, "stat"), (Mount::Proc, "net/dev"), (Mount::Sys, "class/net/eth0/mtu")] {
        group.bench_function(format!("{}/{path}", mount.name()), |bencher| {
            bencher.iter(|| roots.get(mount).read(path.as_bytes(), &mut content, FILE_CAP_BYTES));
        });
    }
    let values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    let scraper = Scraper::build(ALL, &values, host.roots(), host.kernel()).expect("default flags");
    let mut page = Vec::new();
    group.bench_function("scrape of a live vm", |bencher| {
        bencher.iter(|| {
            page.clear();
            scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
            black_box(page.len())
        });
    });
    group.finish();
}

criterion_group!(benches, simulate);
criterion_main!(benches);
