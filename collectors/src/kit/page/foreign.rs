//! Families that no declaration knows: those of textfiles, and the exporter's own instruments.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use crate::kit::family::Kind;
use crate::kit::label::Label;
use crate::kit::number::Number;

/// Marks a collector that passes on families of other sources.
pub trait PassesOn {}

/// Foreign families by name.
#[derive(Default, Debug)]
pub struct ForeignPage {
    families: BTreeMap<String, ForeignFamily>,
}

/// One foreign family.
#[derive(Clone, PartialEq, Debug)]
pub struct ForeignFamily {
    /// Its name.
    pub name: String,
    /// Its HELP text.
    pub help: String,
    /// Its type.
    pub kind: Kind,
    /// Its metrics, in any order.
    pub metrics: Vec<ForeignMetric>,
}

/// One metric: labels and what was measured under them.
#[derive(Clone, PartialEq, Debug)]
pub struct ForeignMetric {
    /// Label names and values, sorted by name by [`ForeignPage::add`].
    pub labels: Vec<(String, String)>,
    /// What was measured.
    pub value: ForeignValue,
}

/// What was measured.
#[derive(Clone, PartialEq, Debug)]
pub enum ForeignValue {
    /// One number: a counter, a gauge, or untyped.
    Single(Number),
    /// A histogram.
    Histogram {
        /// Upper bounds, ascending, with the cumulative count of each. `+Inf` is added where it is missing.
        buckets: Vec<(f64, Number)>,
        /// The sum of all observations.
        sum: Number,
        /// How many there were.
        count: Number,
    },
    /// A summary.
    Summary {
        /// Quantiles, ascending, with the value of each.
        quantiles: Vec<(f64, Number)>,
        /// The sum of all observations.
        sum: Number,
        /// How many there were.
        count: Number,
    },
}

/// Why a family was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindClash {
    /// The type of the family that is there.
    pub there: Kind,
    /// The type of the one that was to be added.
    pub added: Kind,
}

impl ForeignPage {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.families.clear();
    }

    /// Adds a family, or its metrics to the family of that name, if both have one type. The first HELP text stays.
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

    /// Its families in order of their names, their metrics in order of their labels.
    pub(super) fn families(&mut self) -> impl Iterator<Item = (&str, &ForeignFamily)> {
        for family in self.families.values_mut() {
            family.metrics.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        self.families.iter().map(|(name, family)| (name.borrow(), family))
    }
}

/// client_golang compares the number of labels, then the values in the order of the names.
fn order(metric: &ForeignMetric) -> (usize, impl Ord + '_) {
    (metric.labels.len(), metric.labels.iter().map(|(_, value)| value).collect::<Vec<_>>())
}

impl ForeignFamily {
    /// Appends the family; gives how many metrics were left out because their labels were there already.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) -> usize {
        if self.metrics.is_empty() {
            return 0;
        }
        out.extend_from_slice(&super::header(self.name.as_bytes(), &self.help, self.kind));
        let mut duplicates = 0;
        let mut last: Option<&ForeignMetric> = None;
        for metric in &self.metrics {
            if last.is_some_and(|last| last.labels == metric.labels) {
                duplicates += 1;
                continue;
            }
            metric.write_to(&self.name, out);
            last = Some(metric);
        }
        duplicates
    }
}

impl ForeignMetric {
    fn write_to(&self, name: &str, out: &mut Vec<u8>) {
        match &self.value {
            ForeignValue::Single(value) => self.line(name, "", None, *value, out),
            ForeignValue::Histogram { buckets, sum, count } => {
                for (bound, value) in buckets {
                    self.line(name, "_bucket", Some(("le", *bound)), *value, out);
                }
                if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
                    self.line(name, "_bucket", Some(("le", f64::INFINITY)), *count, out);
                }
                self.line(name, "_sum", None, *sum, out);
                self.line(name, "_count", None, *count, out);
            }
            ForeignValue::Summary { quantiles, sum, count } => {
                for (quantile, value) in quantiles {
                    self.line(name, "", Some(("quantile", *quantile)), *value, out);
                }
                self.line(name, "_sum", None, *sum, out);
                self.line(name, "_count", None, *count, out);
            }
        }
    }

    /// One line. The label that only this line has, `le` or `quantile`, comes last, as expfmt writes it.
    fn line(&self, name: &str, suffix: &str, last: Option<(&str, f64)>, value: Number, out: &mut Vec<u8>) {
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
        if let Some((label, bound)) = last {
            out.push(separator);
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(b"=\"");
            Number::Float(bound).write_to(out);
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
        let mut out = Vec::new();
        for (_, family) in page.families() {
            family.write_to(&mut out);
        }
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn metrics_stand_by_their_labels() {
        check(
            vec![family("x", Kind::Gauge, vec![("b", single(2)), ("a", single(1)), ("", single(0))])],
            "# HELP x Help\\n.\n# TYPE x gauge\nx 0\nx{a=\"a\",z=\"9\"} 1\nx{a=\"b\",z=\"9\"} 2\n",
        );
    }

    #[test]
    fn families_of_one_name_become_one() {
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
    fn histograms_and_summaries_are_written_whole() {
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
