//! A family while its file is being parsed.

use std::collections::{BTreeSet, HashMap};

use super::cursor::Cursor;
use super::{Parsed, Part};
use crate::kit::failure::ParseError;
use crate::kit::family::Kind;
use crate::kit::number::Number;
use crate::kit::page::foreign::{ForeignFamily, ForeignMetric, ForeignValue};

/// The labels of a sample.
pub(super) struct Sample {
    /// Labels except `le` of a histogram and `quantile` of a summary.
    pub(super) labels: Vec<(String, String)>,
    /// The value of `le` or `quantile`; NaN without one.
    pub(super) bound: f64,
    pub(super) part: Part,
}

/// A family under construction.
pub(super) struct Draft<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Option<Kind>,
    help: Option<String>,
    metrics: Vec<ForeignMetric>,
    /// Index in `metrics` of each histogram or summary. Its key is the labels, sorted by label name.
    by_labels: HashMap<Vec<(String, String)>, usize>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self { name, kind: None, help: None, metrics: Vec::new(), by_labels: HashMap::new() }
    }

    pub(super) fn set_help(&mut self, cursor: &Cursor<'a>) -> Result<(), ParseError<'a>> {
        if self.help.is_some() {
            return Err(cursor.error(self.name, "one HELP line for each name", cursor.rest()));
        }
        self.help = Some(cursor.help()?);
        Ok(())
    }

    pub(super) fn set_kind(&mut self, cursor: &Cursor<'a>) -> Result<(), ParseError<'a>> {
        if self.kind.is_some() {
            return Err(cursor.error(self.name, "one TYPE line for each name, before its samples", cursor.rest()));
        }
        let kinds = [Kind::Counter, Kind::Gauge, Kind::Untyped, Kind::Histogram, Kind::Summary];
        let found = kinds.into_iter().find(|kind| kind.word().as_bytes().eq_ignore_ascii_case(cursor.rest()));
        let expected = "counter, gauge, untyped, histogram or summary";
        self.kind = Some(found.ok_or_else(|| cursor.error(self.name, expected, cursor.rest()))?);
        Ok(())
    }

    pub(super) fn add(&mut self, sample: Sample, value: f64) {
        let Sample { labels, bound, part } = sample;
        let nothing = || (Vec::new(), Number::Float(0.0), Number::Unsigned(0));
        let new = match self.kind {
            Some(Kind::Histogram) => {
                let (buckets, sum, count) = nothing();
                ForeignValue::Histogram { buckets, sum, count }
            }
            Some(Kind::Summary) => {
                let (quantiles, sum, count) = nothing();
                ForeignValue::Summary { quantiles, sum, count }
            }
            _ => {
                let value = ForeignValue::Single(Number::Float(value));
                return self.metrics.push(ForeignMetric { labels, value });
            }
        };
        let mut key = labels.clone();
        key.sort_unstable();
        let at = *self.by_labels.entry(key).or_insert_with(|| {
            self.metrics.push(ForeignMetric { labels, value: new });
            self.metrics.len() - 1
        });
        match self.metrics.get_mut(at).map(|metric| &mut metric.value) {
            Some(ForeignValue::Histogram { buckets, sum, count }) => match part {
                Part::Sum => *sum = Number::Float(value),
                Part::Count => *count = whole(value),
                Part::Value => put(buckets, bound, whole(value)),
            },
            Some(ForeignValue::Summary { quantiles, sum, count }) => match part {
                Part::Sum => *sum = Number::Float(value),
                Part::Count => *count = whole(value),
                Part::Value => put(quantiles, bound, Number::Float(value)),
            },
            _ => {}
        }
    }

    /// The finished family; `None` without samples. Labels missing from some of its metrics are empty there.
    pub(super) fn finish(self) -> Option<Parsed> {
        let Self { name, kind, help, mut metrics, .. } = self;
        let kind = kind.filter(|_| !metrics.is_empty())?;
        fill_in(&mut metrics);
        let has_help = help.is_some();
        let family = ForeignFamily { name: name.to_owned(), help: help.unwrap_or_default(), kind, metrics };
        Some(Parsed { family, has_help })
    }
}

/// Gives every metric the labels that any of them has.
fn fill_in(metrics: &mut [ForeignMetric]) {
    let names = |metric: &ForeignMetric| metric.labels.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
    let is_like_first = |metric: &ForeignMetric| {
        let pairs = metrics.first().map(|first| first.labels.iter().zip(&metric.labels)).into_iter().flatten();
        metrics.first().is_some_and(|first| first.labels.len() == metric.labels.len())
            && pairs.into_iter().all(|((a, _), (b, _))| a == b)
    };
    if metrics.iter().all(is_like_first) {
        return;
    }
    let all: BTreeSet<String> = metrics.iter().flat_map(names).collect();
    for metric in metrics {
        let has: BTreeSet<String> = names(metric);
        metric.labels.extend(all.difference(&has).map(|name| (name.clone(), String::new())));
    }
}

/// Inserts a value at its bound, in ascending order. Duplicates replace; samples without a bound are ignored.
fn put(values: &mut Vec<(f64, Number)>, bound: f64, value: Number) {
    if bound.is_nan() {
        return;
    }
    let at = values.partition_point(|(known, _)| *known < bound);
    match values.get_mut(at).filter(|(known, _)| *known <= bound) {
        Some(known) => known.1 = value,
        None => values.insert(at, (bound, value)),
    }
}

/// Converts a count, discarding the fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are non-negative integers; other values saturate"
)]
fn whole(value: f64) -> Number {
    Number::Unsigned(value as u64)
}
