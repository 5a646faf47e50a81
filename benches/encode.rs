//! Cost of encoding a sample on a small and a large page; it must not depend on the size.

use std::hint::black_box;

use collectors::kit::scraper::Selection;
use collectors::kit::testing::emitter;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for count in [3_000_u64, 1_000_000] {
        let scraper = emitter::scraper(count);
        let mut page = Vec::new();
        group.throughput(Throughput::Elements(count));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                page.clear();
                scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
                black_box(page.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
