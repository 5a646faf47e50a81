//! Conversion of our page to families of the `prometheus` crate.
//!
//! Expects the form that [`collectors::kit::page`] writes: HELP and TYPE before every family, the lines of a histogram or
//! summary adjacent, and `_count` last. Other lines are skipped.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile, Summary,
};

/// Parses a page.
pub(super) fn families(page: &str) -> Vec<MetricFamily> {
    let mut families: Vec<MetricFamily> = Vec::new();
    let mut parts = Parts::default();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap_or((help, ""));
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(unescape(help));
            families.push(family);
            parts = Parts::default();
        } else if let Some(family) = families.last_mut() {
            if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|kind| kind.split_once(' ')) {
                family.set_field_type(kind_of(kind));
            } else if let Some(sample) = Sample::parse(line) {
                let metric = metric(family, sample, &mut parts);
                family.mut_metric().extend(metric);
            }
        }
    }
    families
}

fn kind_of(word: &str) -> MetricType {
    match word {
        "counter" => MetricType::COUNTER,
        "histogram" => MetricType::HISTOGRAM,
        "summary" => MetricType::SUMMARY,
        _ => MetricType::GAUGE,
    }
}

/// A sample line.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (rest, value) = line.rsplit_once(' ')?;
        let (name, mut rest) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        let mut labels = Vec::new();
        while let Some((label, value)) = rest.get(1..).and_then(|rest| rest.split_once("=\"")) {
            let end = end_of(value)?;
            labels.push((label, unescape(&value[..end])));
            rest = &value[end + 1..];
        }
        Some(Self { name, labels, value: value.parse().ok()? })
    }

    /// Removes the label that distinguishes the lines of a histogram or summary.
    fn take(&mut self, label: &str) -> Option<f64> {
        let at = self.labels.iter().position(|(name, _)| *name == label)?;
        self.labels.remove(at).1.parse().ok()
    }
}

/// The end of the quoted value of a label.
fn end_of(value: &str) -> Option<usize> {
    let mut is_escaped = false;
    value.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

fn unescape(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        unescaped.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some(c) => c,
                None => '\\',
            },
            c => c,
        });
    }
    unescaped
}

/// Lines of an incomplete histogram or summary.
#[derive(Default)]
struct Parts {
    buckets: Vec<Bucket>,
    quantiles: Vec<Quantile>,
    sum: f64,
}

/// The metric that the line completes.
fn metric(family: &MetricFamily, mut sample: Sample<'_>, parts: &mut Parts) -> Option<Metric> {
    let suffix = sample.name.strip_prefix(family.name())?;
    let mut metric = Metric::default();
    match (family.get_field_type(), suffix) {
        (MetricType::COUNTER, "") => {
            let mut counter = Counter::default();
            counter.set_value(sample.value);
            metric.set_counter(counter);
        }
        (MetricType::HISTOGRAM, "_bucket") => {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(sample.take("le")?);
            bucket.set_cumulative_count(whole(sample.value));
            parts.buckets.push(bucket);
            return None;
        }
        (MetricType::SUMMARY, "") => {
            let mut quantile = Quantile::default();
            quantile.set_quantile(sample.take("quantile")?);
            quantile.set_value(sample.value);
            parts.quantiles.push(quantile);
            return None;
        }
        (MetricType::HISTOGRAM | MetricType::SUMMARY, "_sum") => {
            parts.sum = sample.value;
            return None;
        }
        (MetricType::HISTOGRAM, "_count") => {
            let Parts { buckets, sum, .. } = std::mem::take(parts);
            let mut histogram = Histogram::default();
            histogram.set_bucket(buckets);
            histogram.set_sample_sum(sum);
            histogram.set_sample_count(whole(sample.value));
            metric.set_histogram(histogram);
        }
        (MetricType::SUMMARY, "_count") => {
            let Parts { quantiles, sum, .. } = std::mem::take(parts);
            let mut summary = Summary::default();
            summary.set_quantile(quantiles);
            summary.set_sample_sum(sum);
            summary.set_sample_count(whole(sample.value));
            metric.set_summary(summary);
        }
        (_, "") => {
            let mut gauge = Gauge::default();
            gauge.set_value(sample.value);
            metric.set_gauge(gauge);
        }
        _ => return None,
    }
    metric.set_label(sample.labels.into_iter().map(pair).collect());
    Some(metric)
}

fn pair((name, value): (&str, String)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value);
    pair
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and counts are whole")]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments;
    use collectors::host::kernel::canned::Canned;
    use collectors::host::root::tree::Tree;
    use collectors::kit::family::Kind;
    use collectors::kit::number::Number;
    use collectors::kit::options::FlagValues;
    use collectors::kit::page::foreign::{ForeignFamily, ForeignMetric, ForeignValue};
    use collectors::kit::scraper::{Scraper, Selection};
    use proptest::prelude::*;
    use std::sync::Arc;

    /// The page of a scraper with one family.
    fn written(family: ForeignFamily) -> String {
        let values = FlagValues::default();
        let scraper = Scraper::build(&[], &values, Arc::new(Tree::new()).roots(), Arc::new(Canned::default())).unwrap();
        let mut page = Vec::new();
        scraper.scrape(&Selection::ALL, |foreign| foreign.add(family).unwrap(), |_| (), &mut page);
        String::from_utf8(page).unwrap()
    }

    fn family(kind: Kind, label: &str, value: ForeignValue) -> ForeignFamily {
        let labels = vec![("a".to_owned(), label.to_owned()), ("b".to_owned(), "x y".to_owned())];
        let metrics = vec![ForeignMetric { labels, value }];
        ForeignFamily { name: "node_x".into(), help: "An \\ x\nof two lines.".into(), kind, metrics }
    }

    #[track_caller]
    fn check(kind: Kind, label: &str, value: ForeignValue, expected: Kind) {
        let family = family(kind, label, value);
        let read = families(&written(family.clone()));
        let [read] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(instruments::family(read), ForeignFamily { kind: expected, ..family });
    }

    fn number(value: f64) -> Number {
        Number::from(value)
    }

    #[test]
    fn written_pages_are_parsed() {
        let single = || ForeignValue::Single(number(0.25));
        check(Kind::Counter, "1", single(), Kind::Counter);
        check(Kind::Gauge, "1", ForeignValue::Single(number(f64::INFINITY)), Kind::Gauge);
        check(Kind::Untyped, "1", single(), Kind::Gauge);
        let count = Number::from(3_u64);
        let buckets = vec![(0.5, Number::from(1_u64)), (f64::INFINITY, count)];
        check(Kind::Histogram, "1", ForeignValue::Histogram { buckets, sum: number(1.5), count }, Kind::Histogram);
        let quantiles = vec![(0.5, number(7.0)), (0.9, number(8.0))];
        check(Kind::Summary, "1", ForeignValue::Summary { quantiles, sum: number(1.5), count }, Kind::Summary);
    }

    proptest! {
        #[test]
        fn labels_come_back(label: String) {
            check(Kind::Gauge, &label, ForeignValue::Single(number(1.0)), Kind::Gauge);
        }

        #[test]
        fn arbitrary_text_does_not_panic(page in "(# (HELP|TYPE) x [a-z]{0,9}\n|x(_count|_sum|_bucket)?(\\{[a-z=\",]{0,9}\\})? 1\n|\\PC{0,9}\n){0,9}") {
            families(&page);
        }
    }
}
