//! A collector that emits a given number of samples, to measure the cost of a sample.

use std::sync::Arc;

use crate::host::kernel::canned::Canned;
use crate::host::root::tree::Tree;
use crate::kit::declare::Registration;
use crate::kit::options::FlagValues;
use crate::kit::prelude::*;
use crate::kit::scraper::Scraper;

/// Emits `count` samples.
struct Emitter {
    count: u64,
}

crate::declare! {
    Emitter: "emitter", on, "Emits samples.";
    labels {
        PerMode { cpu, mode }
    }
    flags {
        COUNT: Whole "collector.emitter.count" = "0", "Number of samples.";
    }
    families {
        WHOLE: Counter "node_whole_total" PerMode "Integers.";
        FRACTION: Gauge "node_fraction_ratio" PerMode "Fractions.";
    }
}

impl Collect for Emitter {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { count: options.get(COUNT) })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for index in 0..self.count / 2 {
            // Numbers of one length are in page order, as most kernel names are.
            let cpu = 1_000_000 + index;
            cx.page.counter(WHOLE, PerMode { cpu: &cpu, mode: &"user" }, index * 7919);
            cx.page.gauge(FRACTION, PerMode { cpu: &cpu, mode: &"idle" }, index as f64 / 100.0);
        }
        Ok(())
    }
}

/// A scraper of `count` samples, half of them integers and half of them fractions.
///
/// # Panics
/// Never: the flags are its own.
pub fn scraper(count: u64) -> Scraper {
    let registration = Registration::of::<Emitter>();
    let mut values = FlagValues::defaults([registration.declaration]);
    values.give(&COUNT.info(), &count.to_string()).expect("a number");
    let roots = Arc::new(Tree::new()).roots();
    Scraper::build(&[registration], &values, roots, Arc::new(Canned::default())).expect("flags")
}

#[cfg(test)]
mod tests {
    use crate::kit::testing::scrape;

    #[test]
    fn the_given_number_of_samples_is_emitted() {
        assert_eq!(scrape(&super::scraper(3_000)).samples().lines().count(), 3_000);
        assert_eq!(scrape(&super::scraper(0)).samples(), "");
    }
}
