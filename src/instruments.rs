//! The exporter's own metrics, and how those of the `prometheus` crate get onto our page.

mod convert;
#[cfg(target_os = "linux")]
mod process;

use collectors::kit::page::foreign::ForeignFamily;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

pub use convert::family;

use crate::version;

/// Why a page is not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCause {
    /// It could not be written down.
    Encoding,
    /// Something was left out.
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

/// Statuses that are on the page from the start, so that rates of them begin at zero.
const STATUSES: [&str; 3] = ["200", "500", "503"];

/// What the names of families begin with whose values, or labels, differ from one exporter or scrape to the next though
/// they read the same host: whoever compares pages leaves them out.
pub const VOLATILE: [&str; 3] = ["node_exporter_", "process_", "promhttp_"];

/// The exporter's own metrics.
#[derive(Clone, Debug)]
pub struct Instruments {
    /// Families of every page.
    always: Registry,
    /// Families that `--web.disable-exporter-metrics` leaves out.
    own: Option<Registry>,
    requests: IntCounterVec,
    in_flight: IntGauge,
    errors: IntCounterVec,
    late: IntCounter,
}

impl Instruments {
    /// Counts from zero. Without `has_own_metrics` they tell of the build alone.
    pub fn new(has_own_metrics: bool) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new("promhttp_metric_handler_requests_total", "Scrapes answered, by HTTP status."),
            &["code"],
        )?;
        let in_flight = IntGauge::new(
            "promhttp_metric_handler_requests_in_flight",
            "Scrapes that are being served, this one included.",
        )?;
        let errors = IntCounterVec::new(
            Opts::new("promhttp_metric_handler_errors_total", "Pages that something is missing from, by cause."),
            &["cause"],
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
            #[cfg(target_os = "linux")]
            own.register(Box::new(process::Process::new()?))?;
        }
        Ok(Self { always, own, requests, in_flight, errors, late })
    }

    /// Puts more of the exporter's own metrics on the page.
    pub fn add(&self, metrics: Box<dyn prometheus::core::Collector>) -> Result<(), prometheus::Error> {
        self.own.as_ref().map_or(Ok(()), |own| own.register(metrics))
    }

    /// A scrape has begun.
    pub fn begun(&self) {
        self.in_flight.inc();
    }

    /// A scrape has ended.
    pub fn ended(&self) {
        self.in_flight.dec();
    }

    /// A scrape was answered, or refused.
    pub fn answered(&self, status: u16) {
        self.requests.with_label_values(&[status.to_string().as_str()]).inc();
    }

    /// Something was left out of a page.
    pub fn failed(&self, cause: ErrorCause) {
        self.errors.with_label_values(&[cause.word()]).inc();
    }

    /// Collectors were left out of a page because they were late.
    pub fn late(&self, count: usize) {
        self.late.inc_by(count as u64);
    }

    /// Everything as it stands.
    pub fn families(&self) -> impl Iterator<Item = ForeignFamily> {
        let own = self.own.iter().flat_map(Registry::gather);
        self.always.gather().into_iter().chain(own).map(|gathered| family(&gathered))
    }
}

/// Always 1; the labels tell. The names are node_exporter's, where `goversion` is what compiled it.
fn build_info() -> Result<Gauge, prometheus::Error> {
    let options = Opts::new("node_exporter_build_info", "1, with labels that tell how this exporter was built.")
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
    fn statuses_and_causes_are_there_from_the_start() {
        let instruments = Instruments::new(true).unwrap();
        for status in STATUSES {
            check(&instruments, "promhttp_metric_handler_requests_total", status);
        }
        for cause in ErrorCause::ALL {
            check(&instruments, "promhttp_metric_handler_errors_total", cause.word());
        }
    }

    #[test]
    fn what_happens_is_counted() {
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
    fn what_is_volatile_is_among_them() {
        let names: Vec<String> = Instruments::new(true).unwrap().families().map(|family| family.name).collect();
        for volatile in VOLATILE.iter().filter(|start| cfg!(target_os = "linux") || **start != "process_") {
            assert!(names.iter().any(|name| name.starts_with(volatile)), "{volatile}: {names:?}");
        }
    }

    #[test]
    fn without_its_own_metrics_the_build_alone_is_told() {
        let names =
            |has_own| -> Vec<_> { Instruments::new(has_own).unwrap().families().map(|family| family.name).collect() };
        assert_eq!(names(false), ["node_exporter_build_info"]);
        assert!(names(true).contains(&"node_exporter_build_info".to_owned()));
        assert_eq!(names(true).contains(&"process_open_fds".to_owned()), cfg!(target_os = "linux"));
    }
}
