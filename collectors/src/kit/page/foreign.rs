//! Families without a declaration: those of textfiles, and the exporter's own metrics.

use std::collections::BTreeMap;

use super::Format;
use super::header::Header;
use crate::kit::family::Kind;
use crate::kit::label::Label;
use crate::kit::number::Number;

/// Marks a collector that may export families of other sources.
pub trait PassesOn {}

/// Foreign families by name.
#[derive(Default, Debug)]
pub struct ForeignPage {
    families: BTreeMap<String, ForeignFamily>,
}

/// A family of another source.
#[derive(Clone, PartialEq, Debug)]
pub struct ForeignFamily {
    /// The name.
    pub name: String,
    /// The HELP text.
    pub help: String,
    /// The type.
    pub kind: Kind,
    /// The metrics, in any order.
    pub metrics: Vec<ForeignMetric>,
}

/// A metric: labels and a value.
#[derive(Clone, PartialEq, Debug)]
pub struct ForeignMetric {
    /// Label names and values, sorted by name by [`ForeignPage::add`].
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: ForeignValue,
}

/// The value of a metric, by type.
#[derive(Clone, PartialEq, Debug)]
pub enum ForeignValue {
    /// The number of a counter, a gauge or an untyped metric.
    Single(Number),
    /// A histogram.
    Histogram {
        /// Ascending upper bounds with their cumulative counts. A missing `+Inf` is added.
        buckets: Vec<(f64, Number)>,
        /// The sum of all observations.
        sum: Number,
        /// The number of observations.
        count: Number,
    },
    /// A summary.
    Summary {
        /// Ascending quantiles with their values.
        quantiles: Vec<(f64, Number)>,
        /// The sum of all observations.
        sum: Number,
        /// The number of observations.
        count: Number,
    },
}

/// Error of adding a family whose name exists with another type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindClash {
    /// The type of the existing family.
    pub there: Kind,
    /// The type of the added family.
    pub added: Kind,
}

impl ForeignPage {
    /// Removes all families.
    pub fn clear(&mut self) {
        self.families.clear();
    }

    /// Adds a family. If one with its name and type exists, its metrics are added to that one, whose HELP text stays.
    pub fn add(&mut self, mut family: ForeignFamily) -> Result<(), KindClash> {
        for metric in &mut family.metrics {
            metric.labels.sort();
        }
        match self.families.get_mut(&family.name) {
            None => {
                self.families.insert(family.name.clone(), family);
            }
            Some(there) if there.kind == family.kind => there.metrics.append(&mut family.metrics),
            Some(there) => return Err(KindClash { there: there.kind, added: family.kind }),
        }
        Ok(())
    }

    /// Moves all families of another page here. Returns the names of those that exist here with another type.
    pub(crate) fn take(&mut self, other: &mut Self) -> Vec<String> {
        if self.families.is_empty() {
            std::mem::swap(self, other);
            return Vec::new();
        }
        let others = std::mem::take(&mut other.families);
        others.into_iter().filter_map(|(name, family)| self.add(family).is_err().then_some(name)).collect()
    }

    /// The number of metrics.
    pub(super) fn samples(&self) -> usize {
        self.families.values().map(|family| family.metrics.len()).sum()
    }

    pub(super) fn has(&self, name: &[u8]) -> bool {
        let name = std::str::from_utf8(name).ok();
        name.and_then(|name| self.families.get(name)).is_some_and(|family| !family.metrics.is_empty())
    }

    /// Sorts the metrics by their labels.
    pub(super) fn sort(&mut self) {
        for family in self.families.values_mut() {
            family.metrics.sort_by(|a, b| order(a).cmp(&order(b)));
        }
    }

    /// The families, sorted by name.
    pub(crate) fn families(&self) -> impl Iterator<Item = (&str, &ForeignFamily)> {
        self.families.iter().map(|(name, family)| (name.as_str(), family))
    }
}

/// The sort key of a metric in client_golang: the number of labels, then the values in the order of the names.
fn order(metric: &ForeignMetric) -> (usize, impl Ord + '_) {
    (metric.labels.len(), metric.labels.iter().map(|(_, value)| value).collect::<Vec<_>>())
}

impl ForeignFamily {
    /// The HELP and TYPE lines.
    pub(super) fn header(&self) -> Header {
        Header::new(self.name.as_bytes(), &self.help, self.kind)
    }

    /// Appends the family. Returns the number of duplicates, which are omitted.
    pub(super) fn write_to(&self, header: &Header, format: Format, has_short_name: bool, out: &mut Vec<u8>) -> usize {
        if self.metrics.is_empty() {
            return 0;
        }
        header.write_to(format, has_short_name, out);
        let mut duplicates = 0;
        let mut last: Option<&ForeignMetric> = None;
        for metric in &self.metrics {
            if last.is_some_and(|last| last.labels == metric.labels) {
                duplicates += 1;
                continue;
            }
            metric.write_to(&self.name, format, out);
            last = Some(metric);
        }
        duplicates
    }
}

impl ForeignMetric {
    fn write_to(&self, name: &str, format: Format, out: &mut Vec<u8>) {
        let bound_of = |label, bound| Some((label, bound, format));
        match &self.value {
            ForeignValue::Single(value) => self.line(name, "", None, *value, out),
            ForeignValue::Histogram { buckets, sum, count } => {
                for (bound, value) in buckets {
                    self.line(name, "_bucket", bound_of("le", *bound), *value, out);
                }
                if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
                    self.line(name, "_bucket", bound_of("le", f64::INFINITY), *count, out);
                }
                self.line(name, "_sum", None, *sum, out);
                self.line(name, "_count", None, *count, out);
            }
            ForeignValue::Summary { quantiles, sum, count } => {
                for (quantile, value) in quantiles {
                    self.line(name, "", bound_of("quantile", *quantile), *value, out);
                }
                self.line(name, "_sum", None, *sum, out);
                self.line(name, "_count", None, *count, out);
            }
        }
    }

    /// Appends a line. The label of this line alone, `le` or `quantile`, comes last, as in Go's expfmt.
    fn line(&self, name: &str, suffix: &str, last: Option<(&str, f64, Format)>, value: Number, out: &mut Vec<u8>) {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        let mut separator = b'{';
        for (label, text) in &self.labels {
            out.push(separator);
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(b"=\"");
            text.as_str().write_to(out);
            out.push(b'"');
            separator = b',';
        }
        if let Some((label, bound, format)) = last {
            out.push(separator);
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(b"=\"");
            let start = out.len();
            Number::Float(bound).write_to(out);
            // In OpenMetrics these are floats even if the value is an integer.
            let is_whole = out.iter().skip(start).all(|byte| byte.is_ascii_digit() || *byte == b'-');
            if format == Format::OpenMetrics && is_whole {
                out.extend_from_slice(b".0");
            }
            out.push(b'"');
            separator = b',';
        }
        if separator == b',' {
            out.push(b'}');
        }
        out.push(b' ');
        value.write_to(out);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, kind: Kind, metrics: Vec<(&str, ForeignValue)>) -> ForeignFamily {
        let metrics = metrics.into_iter().map(|(label, value)| ForeignMetric {
            labels: if label.is_empty() {
                Vec::new()
            } else {
                vec![("z".into(), "9".into()), ("a".into(), label.into())]
            },
            value,
        });
        ForeignFamily { name: name.into(), help: "Help\n.".into(), kind, metrics: metrics.collect() }
    }

    fn single(value: u64) -> ForeignValue {
        ForeignValue::Single(value.into())
    }

    #[track_caller]
    fn check(families: Vec<ForeignFamily>, expected: &str) {
        let mut page = ForeignPage::default();
        for family in families {
            page.add(family).expect("one type");
        }
        page.sort();
        assert_eq!(written(&page, Format::Text), expected);
    }

    fn written(page: &ForeignPage, format: Format) -> String {
        let mut out = Vec::new();
        for (_, family) in page.families() {
            family.write_to(&family.header(), format, true, &mut out);
        }
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn metrics_are_sorted_by_labels() {
        check(
            vec![family("x", Kind::Gauge, vec![("b", single(2)), ("a", single(1)), ("", single(0))])],
            "# HELP x Help\\n.\n# TYPE x gauge\nx 0\nx{a=\"a\",z=\"9\"} 1\nx{a=\"b\",z=\"9\"} 2\n",
        );
    }

    #[test]
    fn families_of_one_name_are_merged() {
        check(
            vec![family("x", Kind::Gauge, vec![("b", single(2))]), family("x", Kind::Gauge, vec![("", single(0))])],
            "# HELP x Help\\n.\n# TYPE x gauge\nx 0\nx{a=\"b\",z=\"9\"} 2\n",
        );
    }

    #[test]
    fn a_clash_of_types_is_refused() {
        let mut page = ForeignPage::default();
        page.add(family("x", Kind::Gauge, vec![("", single(0))])).expect("the first");
        let clash = page.add(family("x", Kind::Counter, vec![("", single(0))])).expect_err("another type");
        assert_eq!(clash, KindClash { there: Kind::Gauge, added: Kind::Counter });
    }

    #[test]
    fn bounds_are_floats_in_openmetrics() {
        let bounds = [-1.0, 0.5, 1.0, 1e6, f64::INFINITY];
        let buckets = bounds.map(|bound| (bound, Number::from(1_u64))).to_vec();
        let value = ForeignValue::Histogram { buckets, sum: Number::from(1.0), count: Number::from(1_u64) };
        let mut page = ForeignPage::default();
        page.add(family("h", Kind::Histogram, vec![("", value)])).expect("one type");
        let text = written(&page, Format::OpenMetrics);
        let found: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("h_bucket{le=\"")).collect();
        assert_eq!(found, ["-1.0\"} 1", "0.5\"} 1", "1.0\"} 1", "1e+06\"} 1", "+Inf\"} 1"]);
        assert!(text.ends_with("h_sum 1\nh_count 1\n"), "{text}");
    }

    #[test]
    fn families_of_another_page_are_moved() {
        let page = |kind| {
            let mut page = ForeignPage::default();
            page.add(family("x", kind, vec![("", single(1))])).expect("the first");
            page
        };
        let mut taken = ForeignPage::default();
        assert!(taken.take(&mut page(Kind::Gauge)).is_empty());
        assert!(taken.take(&mut page(Kind::Gauge)).is_empty());
        assert_eq!(taken.take(&mut page(Kind::Counter)), ["x"]);
        assert_eq!(taken.samples(), 2);
    }

    #[test]
    fn histograms_and_summaries_are_written() {
        let histogram = ForeignValue::Histogram {
            buckets: vec![(0.5, Number::from(1_u64)), (1.0, Number::from(2_u64))],
            sum: Number::from(1.25),
            count: Number::from(3_u64),
        };
        let summary = ForeignValue::Summary {
            quantiles: vec![(0.5, Number::from(f64::NAN))],
            sum: Number::from(1.5),
            count: Number::from(3_u64),
        };
        check(
            vec![family("h", Kind::Histogram, vec![("a", histogram)]), family("s", Kind::Summary, vec![("", summary)])],
            "# HELP h Help\\n.\n# TYPE h histogram\nh_bucket{a=\"a\",z=\"9\",le=\"0.5\"} 1\nh_bucket{a=\"a\",z=\"9\",le=\"1\"} 2\n\
             h_bucket{a=\"a\",z=\"9\",le=\"+Inf\"} 3\nh_sum{a=\"a\",z=\"9\"} 1.25\nh_count{a=\"a\",z=\"9\"} 3\n\
             # HELP s Help\\n.\n# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 1.5\ns_count 3\n",
        );
    }
}
