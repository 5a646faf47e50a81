//! Name, quantiles and accuracy of a summary.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use prometheus::core::{Desc, Describer};
use prometheus::{Error, Opts};

/// Default quantiles.
pub const QUANTILES: &[f64] = &[0.5, 0.9, 0.99];
/// Default relative error of quantiles.
pub const RELATIVE_ERROR: f64 = 0.01;
/// Default length of the window.
pub const WINDOW: Duration = Duration::from_secs(600);
/// Default number of parts of the window.
pub const WINDOW_PARTS: u32 = 5;
/// Maximum number of parts of the window.
pub const WINDOW_PARTS_MAX: u32 = 100;
/// Valid relative errors. Smaller ones need more buckets than the limit; larger ones are useless.
pub const RELATIVE_ERROR_LIMITS: [f64; 2] = [0.000_1, 0.5];

/// A monotonic clock with an arbitrary start.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Name and quantiles of a summary.
#[derive(Clone)]
pub struct SummaryOpts {
    /// Name, help and labels.
    pub common_opts: Opts,
    /// Quantiles from 0 to 1, ascending.
    pub quantiles: Vec<f64>,
    /// Maximum relative error.
    pub relative_error: f64,
    /// Length of the window.
    pub window: Duration,
    /// Number of parts of the window.
    pub window_parts: u32,
    /// Clock; tests replace it.
    pub clock: Clock,
}

impl fmt::Debug for SummaryOpts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { common_opts, quantiles, relative_error, window, window_parts, clock: _ } = self;
        f.debug_struct("SummaryOpts")
            .field("common_opts", common_opts)
            .field("quantiles", quantiles)
            .field("relative_error", relative_error)
            .field("window", window)
            .field("window_parts", window_parts)
            .finish_non_exhaustive()
    }
}

impl SummaryOpts {
    /// Options with this name and the defaults.
    pub fn new(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            common_opts: Opts::new(name, help),
            quantiles: QUANTILES.to_vec(),
            relative_error: RELATIVE_ERROR,
            window: WINDOW,
            window_parts: WINDOW_PARTS,
            clock: Arc::new(clock::monotonic),
        }
    }

    /// Sets the quantiles.
    #[must_use]
    pub fn quantiles(self, quantiles: impl Into<Vec<f64>>) -> Self {
        Self { quantiles: quantiles.into(), ..self }
    }

    /// Sets the relative error.
    #[must_use]
    pub fn relative_error(self, relative_error: f64) -> Self {
        Self { relative_error, ..self }
    }

    /// Sets the length of the window and the number of its parts.
    #[must_use]
    pub fn window(self, window: Duration, parts: u32) -> Self {
        Self { window, window_parts: parts, ..self }
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    pub(super) fn check(&self, labels: &[&str]) -> Result<(), Error> {
        let refuse = |problem: String| Err(Error::Msg(format!("summary {}: {problem}", self.common_opts.name)));
        if let Some(quantile) = self.quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
            return refuse(format!("quantile {quantile}: expected a number from 0 to 1"));
        }
        let does_rise = |pair: &&[f64]| matches!(pair, [before, after] if before < after);
        if let Some([before, after]) = self.quantiles.windows(2).find(|pair| !does_rise(pair)) {
            return refuse(format!("quantile {after} after {before}: expected rising quantiles"));
        }
        let [least, most] = RELATIVE_ERROR_LIMITS;
        if !(least..=most).contains(&self.relative_error) {
            return refuse(format!("relative error {}: expected a number from {least} to {most}", self.relative_error));
        }
        if !(1..=WINDOW_PARTS_MAX).contains(&self.window_parts) {
            return refuse(format!("{} window parts: expected 1 to {WINDOW_PARTS_MAX}", self.window_parts));
        }
        if self.window / self.window_parts == Duration::ZERO {
            return refuse(format!("window {:?}: expected at least one nanosecond for each part", self.window));
        }
        if labels.contains(&QUANTILE_LABEL) {
            return refuse(format!("label `{QUANTILE_LABEL}`: reserved for quantiles; choose another name"));
        }
        Ok(())
    }
}

const QUANTILE_LABEL: &str = "quantile";

impl Describer for SummaryOpts {
    fn describe(&self) -> prometheus::Result<Desc> {
        self.common_opts.describe()
    }
}
