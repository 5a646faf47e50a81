//! Name, quantiles and accuracy of a summary.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use prometheus::core::{Desc, Describer};
use prometheus::{Error, Opts};

/// The quantiles of a summary that is not told which.
pub const QUANTILES: &[f64] = &[0.5, 0.9, 0.99];
/// How far quantiles may be off, unless told otherwise: as a part of their value.
pub const RELATIVE_ERROR: f64 = 0.01;
/// How long an observation counts towards the quantiles, unless told otherwise.
pub const WINDOW: Duration = Duration::from_secs(600);
/// In how many parts the window moves on, unless told otherwise.
pub const WINDOW_PARTS: u32 = 5;
/// More parts than this would cost more than they tell.
pub const WINDOW_PARTS_MAX: u32 = 100;
/// Errors below this need more buckets than are kept, and above the other a quantile says nothing.
pub const RELATIVE_ERROR_LIMITS: [f64; 2] = [0.000_1, 0.5];

/// Tells time from any moment on; it must never go back.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Name and quantiles of a summary.
#[derive(Clone)]
pub struct SummaryOpts {
    /// Name, help and labels.
    pub common_opts: Opts,
    /// Which quantiles, each from 0 to 1, rising.
    pub quantiles: Vec<f64>,
    /// How far they may be off, as a part of their value.
    pub relative_error: f64,
    /// How long an observation counts towards them.
    pub window: Duration,
    /// In how many parts the window moves on.
    pub window_parts: u32,
    /// Who tells the time; the clock of the machine, unless a test has its own.
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
    /// A summary of this name with everything else as usual.
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

    /// Other quantiles.
    #[must_use]
    pub fn quantiles(self, quantiles: impl Into<Vec<f64>>) -> Self {
        Self { quantiles: quantiles.into(), ..self }
    }

    /// Another error.
    #[must_use]
    pub fn relative_error(self, relative_error: f64) -> Self {
        Self { relative_error, ..self }
    }

    /// Another window, which moves on in so many parts.
    #[must_use]
    pub fn window(self, window: Duration, parts: u32) -> Self {
        Self { window, window_parts: parts, ..self }
    }

    /// Another clock.
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
            return refuse(format!(
                "label `{QUANTILE_LABEL}`: the quantiles themselves are told by it; choose another"
            ));
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
