//! What a sample costs on its way onto the page, at two sizes of page.

use std::hint::black_box;
use std::sync::Arc;

use collectors::declare;
use collectors::kit::declare::Registration;
use collectors::kit::kernel::canned::Canned;
use collectors::kit::options::FlagValues;
use collectors::kit::prelude::*;
use collectors::kit::root::tree::Tree;
use collectors::kit::scraper::{Scraper, Selection};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Emits as many samples as it is told.
struct Emitter {
    count: u64,
}

declare! {
    Emitter: "emitter", on, "Emits samples.";
    flags {
        COUNT: Whole "collector.emitter.count" = "0", "How many.";
    }
    families {
        WHOLE: Counter "node_whole_total" ["cpu", "mode"] "Whole numbers.";
        FRACTION: Gauge "node_fraction_ratio" ["cpu", "mode"] "Fractions.";
    }
}

impl Collect for Emitter {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { count: options.get(COUNT) })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for index in 0..self.count / 2 {
            // Names of one length come in order, as most of the kernel's do.
            let cpu = 1_000_000 + index;
            cx.page.counter(WHOLE, [&cpu, &"user"], index * 7919);
            cx.page.gauge(FRACTION, [&cpu, &"idle"], index as f64 / 100.0);
        }
        Ok(())
    }
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for count in [3_000_u64, 1_000_000] {
        let registration = Registration::of::<Emitter>();
        let mut values = FlagValues::defaults([registration.declaration]);
        values.give(&registration.declaration.flags[0], &count.to_string()).expect("a number");
        let roots = Arc::new(Tree::new()).roots();
        let scraper = Scraper::build(&[registration], &values, roots, Arc::new(Canned::default())).expect("flags");
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
