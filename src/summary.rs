//! A summary for the `prometheus` crate, which has none: quantiles of recent observations with a bounded error.
//!
//! ```
//! use node_exporter::summary::{Summary, SummaryOpts};
//! use prometheus::{Encoder, Registry, TextEncoder};
//!
//! let registry = Registry::new();
//! let summary = Summary::with_opts(SummaryOpts::new("query_seconds", "How long queries take.")).unwrap();
//! registry.register(Box::new(summary.clone())).unwrap();
//! summary.observe(0.25);
//!
//! let mut page = Vec::new();
//! TextEncoder::new().encode(&registry.gather(), &mut page).unwrap();
//! assert!(String::from_utf8(page).unwrap().contains("query_seconds_count 1\n"));
//! ```
//!
//! # What a quantile means
//!
//! The value of `quantile="0.9"` is the smallest observation of the window that is not below 90 % of the observations (the
//! nearest rank), with a relative error of at most [`SummaryOpts::relative_error`], 1 % by default. Without observations
//! in the window it is NaN. Count and sum include all observations since the start, as Prometheus expects.
//!
//! The window slides in steps of one part ([`SummaryOpts::window_parts`]): an observation is included for the whole window,
//! less one part at most. Memory is limited to [`BUCKETS_MAX`] buckets per part.

mod opts;
mod sketch;
mod window;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::Error;
use prometheus::core::{Collector, Desc, Describer, Metric, MetricVec, MetricVecBuilder};
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};

pub use opts::{
    Clock, QUANTILES, RELATIVE_ERROR, RELATIVE_ERROR_LIMITS, SummaryOpts, WINDOW, WINDOW_PARTS, WINDOW_PARTS_MAX,
};
pub use sketch::BUCKETS_MAX;
use sketch::Precision;
use window::Window;

/// A summary: quantiles of recent observations, and count and sum of all. Clones share their observations.
#[derive(Clone)]
pub struct Summary {
    core: Arc<Core>,
}

struct Core {
    description: Desc,
    labels: Vec<LabelPair>,
    quantiles: Vec<f64>,
    clock: Clock,
    observed: Mutex<Observed>,
}

struct Observed {
    count: u64,
    sum: f64,
    window: Window,
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Summary({})", self.core.description.fq_name)
    }
}

impl Summary {
    /// A summary with these options.
    #[expect(clippy::needless_pass_by_value, reason = "constructors of that crate take options by value")]
    pub fn with_opts(opts: SummaryOpts) -> prometheus::Result<Self> {
        Self::with_labels(&opts, &[])
    }

    fn with_labels(opts: &SummaryOpts, values: &[&str]) -> prometheus::Result<Self> {
        let variable = &opts.common_opts.variable_labels;
        let names: Vec<&str> = opts.common_opts.const_labels.keys().chain(variable).map(String::as_str).collect();
        opts.check(&names)?;
        let description = opts.describe()?;
        if variable.len() != values.len() {
            return Err(Error::InconsistentCardinality { expect: variable.len(), got: values.len() });
        }
        let pair = |(name, value): (&String, &str)| {
            let mut label = LabelPair::default();
            label.set_name(name.clone());
            label.set_value(value.to_owned());
            label
        };
        let varying = variable.iter().zip(values.iter().copied()).map(pair);
        let mut labels: Vec<LabelPair> = description.const_label_pairs.iter().cloned().chain(varying).collect();
        labels.sort_by(|a, b| a.name().cmp(b.name()));
        let window = Window::new(Precision::of(opts.relative_error), opts.window, opts.window_parts);
        let observed = Mutex::new(Observed { count: 0, sum: 0.0, window });
        let (quantiles, clock) = (opts.quantiles.clone(), Arc::clone(&opts.clock));
        Ok(Self { core: Arc::new(Core { description, labels, quantiles, clock, observed }) })
    }

    /// Adds an observation. NaN is ignored.
    pub fn observe(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let now = (self.core.clock)();
        let mut observed = self.observed();
        observed.count += 1;
        observed.sum += value;
        observed.window.observe(now, value);
    }

    /// Number of observations since the start.
    pub fn sample_count(&self) -> u64 {
        self.observed().count
    }

    /// Sum of all observations.
    pub fn sample_sum(&self) -> f64 {
        self.observed().sum
    }

    /// A quantile, from 0 to 1, of the observations in the window; NaN without any.
    pub fn quantile(&self, quantile: f64) -> f64 {
        let now = (self.core.clock)();
        self.observed().window.quantiles(now, &[quantile])[0]
    }

    fn observed(&self) -> MutexGuard<'_, Observed> {
        self.core.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metric for Summary {
    fn metric(&self) -> proto::Metric {
        let now = (self.core.clock)();
        let mut summary = proto::Summary::default();
        let mut observed = self.observed();
        let values = observed.window.quantiles(now, &self.core.quantiles);
        let quantiles = self.core.quantiles.iter().zip(values).map(|(&of, value)| {
            let mut quantile = proto::Quantile::default();
            quantile.set_quantile(of);
            quantile.set_value(value);
            quantile
        });
        summary.set_quantile(quantiles.collect());
        summary.set_sample_count(observed.count);
        summary.set_sample_sum(observed.sum);
        drop(observed);
        let mut metric = proto::Metric::from_label(self.core.labels.clone());
        metric.set_summary(summary);
        metric
    }
}

impl Collector for Summary {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.core.description]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.core.description.fq_name.clone());
        family.set_help(self.core.description.help.clone());
        family.set_field_type(MetricType::SUMMARY);
        family.set_metric(vec![self.metric()]);
        vec![family]
    }
}

/// Builder of the summaries of a [`SummaryVec`].
#[derive(Clone, Debug)]
pub struct SummaryVecBuilder;

impl MetricVecBuilder for SummaryVecBuilder {
    type M = Summary;
    type P = SummaryOpts;

    fn build<V: AsRef<str>>(&self, opts: &SummaryOpts, values: &[V]) -> prometheus::Result<Summary> {
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        Summary::with_labels(opts, &values)
    }
}

/// Summaries of one name, distinguished by labels.
pub type SummaryVec = MetricVec<SummaryVecBuilder>;

/// Registers summaries of one name with these labels.
pub fn summary_vec(opts: SummaryOpts, labels: &[&str]) -> prometheus::Result<SummaryVec> {
    opts.check(labels)?;
    let common_opts = opts.common_opts.clone().variable_labels(labels.iter().map(ToString::to_string).collect());
    MetricVec::create(MetricType::SUMMARY, SummaryVecBuilder, SummaryOpts { common_opts, ..opts })
}

#[cfg(test)]
mod tests;
