//! The exporter's own metrics, and conversion of metrics of the `prometheus` crate.

mod convert;
#[cfg(target_os = "linux")]
mod process;

use collectors::kit::page::foreign::ForeignFamily;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

pub use convert::family;

use crate::version;

/// Causes of incomplete pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCause {
    /// Encoding failed.
    Encoding,
    /// Samples or families were omitted.
    Gathering,
}

impl ErrorCause {
    const ALL: [Self; 2] = [Self::Encoding, Self::Gathering];

    const fn word(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::Gathering => "gathering",
        }
    }
}

/// Statuses that are exported from the start with 0, so that their rates are complete.
const STATUSES: [&str; 3] = ["200", "500", "503"];

/// Name prefixes of families whose values or labels depend on the exporter or the scrape, and not on the host.
/// Comparisons of pages exclude them.
pub const VOLATILE: [&str; 3] = ["node_exporter_", "process_", "promhttp_"];

/// The exporter's own metrics.
#[derive(Clone, Debug)]
pub struct Instruments {
    /// Families that are always exported.
    always: Registry,
    /// Families that `--web.disable-exporter-metrics` omits.
    own: Option<Registry>,
    requests: IntCounterVec,
    in_flight: IntGauge,
    errors: IntCounterVec,
    late: IntCounter,
    overloaded: IntGaugeVec,
}

impl Instruments {
    /// New metrics. Without `has_own_metrics` only the build info is exported.
    pub fn new(has_own_metrics: bool) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new("promhttp_metric_handler_requests_total", "Scrapes answered, by HTTP status."),
            &["code"],
        )?;
        let in_flight =
            IntGauge::new("promhttp_metric_handler_requests_in_flight", "Scrapes in progress, including this one.")?;
        let errors = IntCounterVec::new(
            Opts::new("promhttp_metric_handler_errors_total", "Incomplete pages by cause."),
            &["cause"],
        )?;
        let overloaded = IntGaugeVec::new(
            Opts::new(
                "node_exporter_collector_overloaded",
                "1 while the input of a collector exceeds its limits or every deadline, 0 afterwards.",
            ),
            &["collector"],
        )?;
        let late = IntCounter::new(
            "node_exporter_late_collectors_total",
            "Collectors omitted from a page because they missed its deadline.",
        )?;
        for status in STATUSES {
            requests.with_label_values(&[status]);
        }
        for cause in ErrorCause::ALL {
            errors.with_label_values(&[cause.word()]);
        }
        let always = Registry::new();
        always.register(Box::new(build_info()?))?;
        let own = if has_own_metrics { Some(Registry::new()) } else { None };
        if let Some(own) = &own {
            own.register(Box::new(requests.clone()))?;
            own.register(Box::new(in_flight.clone()))?;
            own.register(Box::new(errors.clone()))?;
            own.register(Box::new(late.clone()))?;
            own.register(Box::new(overloaded.clone()))?;
            #[cfg(target_os = "linux")]
            own.register(Box::new(process::Process::new()?))?;
        }
        Ok(Self { always, own, requests, in_flight, errors, late, overloaded })
    }

    /// Registers further metrics of the exporter.
    pub fn add(&self, metrics: Box<dyn prometheus::core::Collector>) -> Result<(), prometheus::Error> {
        self.own.as_ref().map_or(Ok(()), |own| own.register(metrics))
    }

    /// Records the start of a scrape.
    pub fn begun(&self) {
        self.in_flight.inc();
    }

    /// Records the end of a scrape.
    pub fn ended(&self) {
        self.in_flight.dec();
    }

    /// Counts a response or a refusal.
    pub fn answered(&self, status: u16) {
        self.requests.with_label_values(&[status.to_string().as_str()]).inc();
    }

    /// Counts an incomplete page.
    pub fn failed(&self, cause: ErrorCause) {
        self.errors.with_label_values(&[cause.word()]).inc();
    }

    /// Counts late collectors.
    pub fn late(&self, count: usize) {
        self.late.inc_by(count as u64);
    }

    /// The input of this collector is always too large, or no longer.
    pub fn set_overloaded(&self, collector: &str, is_overloaded: bool) {
        self.overloaded.with_label_values(&[collector]).set(i64::from(is_overloaded));
    }

    /// All families with their current values.
    pub fn families(&self) -> impl Iterator<Item = ForeignFamily> {
        let own = self.own.iter().flat_map(Registry::gather);
        self.always.gather().into_iter().chain(own).map(|gathered| family(&gathered))
    }
}

/// The build info, always 1. The labels are those of node_exporter, in which `goversion` is the compiler.
fn build_info() -> Result<Gauge, prometheus::Error> {
    let options = Opts::new("node_exporter_build_info", "Version, revision and compiler of the exporter; always 1.")
        .const_label("branch", version::BRANCH)
        .const_label("goarch", version::architecture())
        .const_label("goos", version::system())
        .const_label("goversion", version::COMPILER)
        .const_label("revision", version::REVISION)
        .const_label("tags", version::features())
        .const_label("version", version::VERSION);
    let info = Gauge::with_opts(options)?;
    info.set(1.0);
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(instruments: &Instruments, name: &str, expected: &str) {
        let family = instruments.families().find(|family| family.name == name).unwrap_or_else(|| panic!("no {name}"));
        let told: Vec<_> =
            family.metrics.iter().map(|metric| format!("{:?}={:?}", metric.labels, metric.value)).collect();
        assert!(told.join("\n").contains(expected), "{told:#?}");
    }

    #[test]
    fn statuses_and_causes_are_exported_from_the_start() {
        let instruments = Instruments::new(true).unwrap();
        for status in STATUSES {
            check(&instruments, "promhttp_metric_handler_requests_total", status);
        }
        for cause in ErrorCause::ALL {
            check(&instruments, "promhttp_metric_handler_errors_total", cause.word());
        }
    }

    #[test]
    fn scrapes_and_errors_are_counted() {
        let instruments = Instruments::new(true).unwrap();
        instruments.begun();
        instruments.answered(503);
        instruments.failed(ErrorCause::Gathering);
        let one = "Single(Float(1.0))";
        check(&instruments, "promhttp_metric_handler_requests_in_flight", one);
        check(&instruments, "promhttp_metric_handler_requests_total", &format!("[(\"code\", \"503\")]={one}"));
        check(&instruments, "promhttp_metric_handler_errors_total", &format!("[(\"cause\", \"gathering\")]={one}"));
        instruments.ended();
        check(&instruments, "promhttp_metric_handler_requests_in_flight", "Single(Float(0.0))");
    }

    #[test]
    fn volatile_prefixes_match_exported_families() {
        let names: Vec<String> = Instruments::new(true).unwrap().families().map(|family| family.name).collect();
        for volatile in VOLATILE.iter().filter(|start| cfg!(target_os = "linux") || **start != "process_") {
            assert!(names.iter().any(|name| name.starts_with(volatile)), "{volatile}: {names:?}");
        }
    }

    #[test]
    fn only_the_build_info_is_exported_if_own_metrics_are_disabled() {
        let names =
            |has_own| -> Vec<_> { Instruments::new(has_own).unwrap().families().map(|family| family.name).collect() };
        assert_eq!(names(false), ["node_exporter_build_info"]);
        assert!(names(true).contains(&"node_exporter_build_info".to_owned()));
        assert_eq!(names(true).contains(&"process_open_fds".to_owned()), cfg!(target_os = "linux"));
    }
}
