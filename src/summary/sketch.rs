//! A quantile sketch: counts of values in buckets whose width grows by a constant factor, so that the error of a quantile
//! is at most half of its bucket.

use std::collections::BTreeMap;

/// Maximum number of buckets of each sign: 35 orders of magnitude at an error of 1 %. Beyond it the smallest magnitudes
/// share a bucket.
pub const BUCKETS_MAX: usize = 4_096;

/// The width of buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Precision {
    growth: f64,
}

/// The bucket of infinities, above those of all finite numbers.
const INFINITE: i32 = i32::MAX;

impl Precision {
    /// Buckets in which the relative difference to the representative value is at most this.
    pub(super) fn of(relative_error: f64) -> Self {
        Self { growth: (1.0 + relative_error) / (1.0 - relative_error) }
    }

    /// The bucket of a positive magnitude.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a magnitude's logarithm is below ten million at any precision"
    )]
    fn bucket(self, magnitude: f64) -> i32 {
        if magnitude.is_infinite() {
            return INFINITE;
        }
        (magnitude.ln() / self.growth.ln()).ceil() as i32
    }

    /// The representative value of a bucket: with equal relative differences to both bounds.
    fn value(self, bucket: i32) -> f64 {
        if bucket == INFINITE {
            return f64::INFINITY;
        }
        // In two steps, because the smallest numbers have no reciprocal.
        let half = (bucket - 1) / 2;
        let below = power(self.growth, half) * power(self.growth, bucket - 1 - half);
        // The upper bound may exceed the largest float, but the representative value must not.
        (below * (2.0 * self.growth / (self.growth + 1.0))).min(f64::MAX)
    }
}

/// Number of values in each bucket.
#[derive(Clone, Default, Debug)]
pub(super) struct Sketch {
    negative: BTreeMap<i32, u64>,
    zeros: u64,
    positive: BTreeMap<i32, u64>,
}

impl Sketch {
    /// Counts a value other than NaN.
    pub(super) fn observe(&mut self, precision: Precision, value: f64) {
        let buckets = if value > 0.0 {
            &mut self.positive
        } else if value < 0.0 {
            &mut self.negative
        } else {
            self.zeros += 1;
            return;
        };
        add(buckets, precision.bucket(value.abs()), 1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        for (into, from) in [(&mut self.negative, &other.negative), (&mut self.positive, &other.positive)] {
            for (&bucket, &count) in from {
                add(into, bucket, count);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.zeros = 0;
        self.negative.clear();
        self.positive.clear();
    }

    /// The value of the nearest rank: the smallest value that is not below this share of all values.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a count is within the count, and not negative"
    )]
    pub(super) fn quantile(&self, precision: Precision, quantile: f64) -> f64 {
        let total = self.zeros + self.negative.values().sum::<u64>() + self.positive.values().sum::<u64>();
        let rank = ((quantile * total as f64).ceil() as u64).clamp(1, total.max(1));
        let negative = self.negative.iter().rev().map(|(&bucket, &count)| (-precision.value(bucket), count));
        let positive = self.positive.iter().map(|(&bucket, &count)| (precision.value(bucket), count));
        let mut seen = 0;
        let mut all = negative.chain([(0.0, self.zeros)]).chain(positive);
        let found = all.find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        found.map_or(f64::NAN, |(value, _)| value)
    }
}

/// Adds to a bucket. Beyond [`BUCKETS_MAX`] the two smallest buckets are merged.
fn add(buckets: &mut BTreeMap<i32, u64>, bucket: i32, count: u64) {
    *buckets.entry(bucket).or_default() += count;
    if buckets.len() > BUCKETS_MAX
        && let Some((_, smallest)) = buckets.pop_first()
        && let Some(mut next) = buckets.first_entry()
    {
        *next.get_mut() += smallest;
    }
}

/// A power by multiplications, which have identical results on every system, unlike `exp` and `powi`.
fn power(base: f64, exponent: i32) -> f64 {
    let (mut square, mut rest, mut product) = (base, exponent.unsigned_abs(), 1.0);
    while rest > 0 {
        if rest % 2 == 1 {
            product *= square;
        }
        square *= square;
        rest /= 2;
    }
    if exponent < 0 { 1.0 / product } else { product }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ERROR: f64 = 0.01;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        for &value in values {
            sketch.observe(Precision::of(ERROR), value);
        }
        sketch
    }

    /// The nearest rank, computed by sorting.
    fn exact(values: &[f64], quantile: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = (quantile * sorted.len() as f64).ceil().max(1.0);
        let at = sorted.iter().zip(1_u32..).find(|&(_, position)| f64::from(position) >= rank);
        *at.expect("a rank within the values").0
    }

    #[track_caller]
    fn check(values: &[f64], quantile: f64) {
        let (found, exact) = (sketch(values).quantile(Precision::of(ERROR), quantile), exact(values, quantile));
        // Rounding of the logarithm may assign a bound to the neighbouring bucket.
        let off = (found - exact).abs();
        assert!(
            found.total_cmp(&exact).is_eq() || off <= (ERROR + 1e-9) * exact.abs(),
            "{found} for {exact}, {quantile} of {values:?}"
        );
    }

    #[test]
    fn extreme_values_have_buckets() {
        check(&[f64::NEG_INFINITY, -1.0, 0.0, 1.0, f64::INFINITY], 0.0);
        check(&[f64::NEG_INFINITY, -1.0, 0.0, 1.0, f64::INFINITY], 1.0);
        check(&[f64::MAX, -f64::MAX], 1.0);
        check(&[f64::MAX, -f64::MAX], 0.5);
        check(&[f64::MIN_POSITIVE, 0.0, -0.0], 1.0);
        assert!(sketch(&[]).quantile(Precision::of(ERROR), 0.5).is_nan());
    }

    #[test]
    fn the_number_of_buckets_is_limited_by_merging_the_smallest() {
        let growth = Precision::of(ERROR).growth;
        let values: Vec<f64> = (0_u16..5_000).map(|step| growth.powi(i32::from(step) - 2_500)).collect();
        let sketch = sketch(&values);
        assert_eq!(sketch.positive.len(), BUCKETS_MAX);
        assert_eq!(sketch.positive.values().sum::<u64>(), 5_000);
        for quantile in [0.5, 0.9, 0.999, 1.0] {
            check(&values, quantile);
        }
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_stated_error(
            values in proptest::collection::vec(prop_oneof![-1e12..1e12, -1e-9..1e-9, Just(0.0)], 1..200),
            quantile in 0.0..=1.0,
        ) {
            check(&values, quantile);
        }

        #[test]
        fn merged_sketches_are_those_of_all_values(
            first in proptest::collection::vec(-1e6..1e6, 0..50),
            second in proptest::collection::vec(-1e6..1e6, 1..50),
            quantile in 0.0..=1.0,
        ) {
            let mut merged = sketch(&first);
            merged.merge(&sketch(&second));
            let precision = Precision::of(ERROR);
            let all = sketch(&[first, second].concat());
            prop_assert_eq!(merged.quantile(precision, quantile).to_bits(), all.quantile(precision, quantile).to_bits());
        }
    }
}
