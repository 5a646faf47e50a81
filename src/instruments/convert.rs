//! Conversion of families of the `prometheus` crate to those of our page.

use collectors::kit::family::Kind;
use collectors::kit::number::Number;
use collectors::kit::page::foreign::{ForeignFamily, ForeignMetric, ForeignValue};
use prometheus::proto::{Histogram, Metric, MetricFamily, MetricType, Summary};

/// Converts a family of the `prometheus` crate.
pub fn family(family: &MetricFamily) -> ForeignFamily {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::UNTYPED => Kind::Untyped,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => Kind::Summary,
    };
    let metrics = family.get_metric().iter().map(|metric| ForeignMetric {
        labels: metric.get_label().iter().map(|label| (label.name().to_owned(), label.value().to_owned())).collect(),
        value: value(kind, metric),
    });
    ForeignFamily { name: family.name().to_owned(), help: family.help().to_owned(), kind, metrics: metrics.collect() }
}

fn value(kind: Kind, metric: &Metric) -> ForeignValue {
    match kind {
        Kind::Counter => ForeignValue::Single(Number::from(metric.get_counter().get_value())),
        Kind::Gauge => ForeignValue::Single(Number::from(metric.get_gauge().get_value())),
        Kind::Untyped => ForeignValue::Single(Number::from(untyped(metric))),
        Kind::Histogram => histogram(metric.get_histogram()),
        Kind::Summary => summary(metric.get_summary()),
    }
}

#[expect(deprecated, reason = "the only access to untyped values")]
fn untyped(metric: &Metric) -> f64 {
    metric.get_untyped().get_value()
}

fn histogram(histogram: &Histogram) -> ForeignValue {
    let buckets = histogram.get_bucket().iter();
    ForeignValue::Histogram {
        buckets: buckets.map(|bucket| (bucket.upper_bound(), Number::from(bucket.cumulative_count()))).collect(),
        sum: Number::from(histogram.get_sample_sum()),
        count: Number::from(histogram.get_sample_count()),
    }
}

fn summary(summary: &Summary) -> ForeignValue {
    let quantiles = summary.get_quantile().iter();
    ForeignValue::Summary {
        quantiles: quantiles.map(|quantile| (quantile.quantile(), Number::from(quantile.value()))).collect(),
        sum: Number::from(summary.sample_sum()),
        count: Number::from(summary.sample_count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::core::Collector;
    use prometheus::proto::{LabelPair, Quantile};
    use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntGauge};

    #[track_caller]
    fn check(gathered: &MetricFamily, kind: Kind, labels: &[(&str, &str)], value: &ForeignValue) {
        let family = family(gathered);
        assert_eq!((family.name.as_str(), family.help.as_str(), family.kind), ("x", "An x.", kind));
        let labels: Vec<_> = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        assert_eq!(family.metrics, [ForeignMetric { labels, value: value.clone() }]);
    }

    fn single(value: f64) -> ForeignValue {
        ForeignValue::Single(Number::from(value))
    }

    #[test]
    fn counters_and_gauges_are_single_numbers() {
        let counter = IntCounter::new("x", "An x.").unwrap();
        counter.inc_by(3);
        check(&counter.collect()[0], Kind::Counter, &[], &single(3.0));
        let gauge = IntGauge::new("x", "An x.").unwrap();
        gauge.set(-3);
        check(&gauge.collect()[0], Kind::Gauge, &[], &single(-3.0));
    }

    #[test]
    fn histograms_keep_their_buckets() {
        let options = HistogramOpts::new("x", "An x.").buckets(vec![0.5, 1.0]);
        let histogram = HistogramVec::new(options, &["b", "a"]).unwrap();
        for value in [0.25, 0.75, 2.0] {
            histogram.with_label_values(&["1", "2"]).observe(value);
        }
        let number = |value: u64| Number::from(value);
        let expected = ForeignValue::Histogram {
            buckets: vec![(0.5, number(1)), (1.0, number(2))],
            sum: Number::from(3.0),
            count: number(3),
        };
        check(&histogram.collect()[0], Kind::Histogram, &[("a", "2"), ("b", "1")], &expected);
    }

    fn made(kind: MetricType, fill: impl FnOnce(&mut Metric)) -> MetricFamily {
        let mut label = LabelPair::default();
        label.set_name("a".into());
        label.set_value("1".into());
        let mut metric = Metric::from_label(vec![label]);
        fill(&mut metric);
        let mut family = MetricFamily::default();
        family.set_name("x".into());
        family.set_help("An x.".into());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        family
    }

    #[test]
    fn summaries_and_untyped_metrics_are_converted() {
        let summary = made(MetricType::SUMMARY, |metric| {
            let (mut summary, mut quantile) = (Summary::default(), Quantile::default());
            quantile.set_quantile(0.5);
            quantile.set_value(7.0);
            summary.set_quantile(vec![quantile]);
            summary.set_sample_count(2);
            summary.set_sample_sum(14.0);
            metric.set_summary(summary);
        });
        let expected = ForeignValue::Summary {
            quantiles: vec![(0.5, Number::from(7.0))],
            sum: Number::from(14.0),
            count: Number::from(2_u64),
        };
        check(&summary, Kind::Summary, &[("a", "1")], &expected);
        let untyped = made(MetricType::UNTYPED, |_| ());
        check(&untyped, Kind::Untyped, &[("a", "1")], &single(0.0));
    }
}
