//! From what was asked to what is answered, without a socket.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::kit::failure::Failure;
use collectors::kit::page::{Finished, Format};
use collectors::kit::scraper::{Report, Scraper, Selection, Wanted};

use super::answer::{Answer, Handle, Response};
use super::compress::{Coding, Packers};
use super::deadline::Deadlines;
use super::flight::Flights;
use super::ledger::Ledger;
use super::request::Request;
use super::status::{About, Status};
use super::{negotiate, query};
use crate::instruments::{ErrorCause, Instruments};
use crate::log::{Field, Level, Log};

const HTML: &str = "text/html; charset=utf-8";

/// Who asks here learns that requests are answered, and costs no scrape.
const HEALTHY: &[u8] = b"/-/healthy";
const READY: &[u8] = b"/-/ready";

/// What every collector reads and emits.
const DOCS: &[u8] = b"/-/docs";
const DOCUMENTATION: &str = include_str!("../../docs/COLLECTORS.md");

/// What the handler does, and for whom.
pub struct Handler {
    scraper: Arc<Scraper>,
    instruments: Instruments,
    log: Arc<Log>,
    telemetry_path: String,
    requests_max: Option<NonZeroUsize>,
    in_flight: AtomicUsize,
    packers: Packers,
    flights: Flights<Kind, Page>,
    has_openmetrics: bool,
    deadlines: Deadlines,
    about: About,
    begun: Duration,
    ledger: Mutex<Ledger>,
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handler").field("scraper", &self.scraper).finish_non_exhaustive()
    }
}

/// What kind of page is wanted.
type Kind = (Selection, Format, Coding);

/// A page, as it is coded.
type Page = (Coding, Vec<u8>);

/// A scrape that was let in. It counts as in flight until it is dropped.
#[derive(Debug)]
struct Scrape {
    handler: Arc<Handler>,
    wanted: Wanted,
    coding: Coding,
}

impl Handle for Handler {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        let target = match query::parse(request.target()) {
            Ok(target) => target,
            Err(sentence) => return Answer::Ready(Response::plain(400, sentence)),
        };
        if target.path == self.telemetry_path.as_bytes() {
            return self.metrics(&request, &target);
        }
        let sentence = |status, sentence: &str| Response::plain(status, sentence.to_owned());
        Answer::Ready(match &*target.path {
            b"/" => response(200, HTML, self.status().into_bytes()),
            DOCS => Response::plain(200, DOCUMENTATION.to_owned()),
            HEALTHY => sentence(200, "The exporter is healthy."),
            READY => sentence(200, "The exporter is ready."),
            _ => sentence(404, "There is no such page; / has links to those that are."),
        })
    }
}

impl Handler {
    /// Answers with the pages of this scraper.
    pub fn new(
        scraper: Arc<Scraper>,
        instruments: Instruments,
        log: Arc<Log>,
        telemetry_path: &str,
        requests_max: Option<NonZeroUsize>,
    ) -> Self {
        let ledger = Mutex::new(Ledger::new(scraper.declarations()));
        Self {
            scraper,
            instruments,
            log,
            telemetry_path: telemetry_path.to_owned(),
            requests_max,
            in_flight: AtomicUsize::new(0),
            packers: Packers::default(),
            flights: Flights::default(),
            has_openmetrics: false,
            deadlines: Deadlines::default(),
            about: About::default(),
            begun: clock::monotonic(),
            ledger,
        }
    }

    /// The same, which offers OpenMetrics or not.
    #[must_use]
    pub fn with_openmetrics(self, is_offered: bool) -> Self {
        Self { has_openmetrics: is_offered, ..self }
    }

    /// The same with these deadlines.
    #[must_use]
    pub fn with_deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// The same, whose status page says this of it.
    #[must_use]
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> String {
        let now = clock::monotonic();
        let uptime = now.saturating_sub(self.begun);
        let (about, telemetry_path) = (&self.about, self.telemetry_path.as_str());
        Status { about, ledger: &self.ledger(), telemetry_path, uptime, now }.page()
    }

    fn select(&self, target: &query::Target) -> Result<Selection, String> {
        match (target.collect.as_slice(), target.exclude.as_slice()) {
            ([], []) => Ok(Selection::ALL),
            (collect, []) => self.scraper.only(collect),
            ([], exclude) => self.scraper.all_but(exclude),
            _ => Err("collect[] and exclude[] cannot be combined; use one of them.".to_owned()),
        }
    }

    fn metrics(self: Arc<Self>, request: &Request, target: &query::Target) -> Answer {
        let selection = match self.select(target) {
            Ok(selection) => selection,
            Err(sentence) => return Answer::Ready(Response::plain(400, sentence)),
        };
        let format = negotiate::format(request.headers_named("Accept"), self.has_openmetrics);
        let time = self.deadlines.time(request.header("X-Prometheus-Scrape-Timeout-Seconds"));
        let wanted = Wanted { selection, format, until: Some(clock::monotonic() + time) };
        let Some(coding) = negotiate::coding(request.headers_named("Accept-Encoding")) else {
            let words: Vec<_> = Coding::OFFERED.iter().map(|coding| coding.word()).collect();
            let sentence = format!("Accept-Encoding has to allow one of {}.", words.join(", "));
            return Answer::Ready(Response::plain(406, sentence));
        };
        self.let_in(wanted, coding)
    }

    fn let_in(self: Arc<Self>, wanted: Wanted, coding: Coding) -> Answer {
        let before = self.in_flight.fetch_add(1, Ordering::SeqCst);
        if let Some(most) = self.requests_max.filter(|most| before >= most.get()) {
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            self.instruments.answered(503);
            let sentence = format!("Limit of concurrent requests reached ({most}), try again later.");
            return Answer::Ready(Response::plain(503, sentence));
        }
        self.instruments.begun();
        let scrape = Scrape { handler: self, wanted, coding };
        Answer::Job(Box::new(move || scrape.run()))
    }

    fn response(&self, wanted: &Wanted, coding: Coding) -> Response {
        let kind = (wanted.selection.clone(), wanted.format, coding);
        let until = wanted.until.unwrap_or(Duration::MAX);
        let (coding, body) = self.flights.share(&kind, until, || self.page(wanted, coding));
        let mut response = response(200, content_type(wanted.format), body);
        response.headers.push(("Vary", "Accept, Accept-Encoding".to_owned()));
        if coding != Coding::Identity {
            response.headers.push(("Content-Encoding", coding.word().to_owned()));
        }
        response
    }

    fn page(&self, wanted: &Wanted, coding: Coding) -> Page {
        let begin = clock::monotonic();
        let mut packer = self.packers.take();
        packer.page.clear();
        let mut clashes = Vec::new();
        let finished = self.scraper.scrape_as(
            wanted,
            |foreign| {
                for family in self.instruments.families() {
                    let name = family.name.clone();
                    if foreign.add(family).is_err() {
                        clashes.push(name);
                    }
                }
            },
            |report| {
                log_report(&self.log, report);
                self.ledger().note(report);
            },
            &mut packer.page,
        );
        let end = clock::monotonic();
        self.ledger().scraped(begin, end);
        self.note(&finished, &clashes);
        let page = packer.pack(coding);
        self.packers.keep(packer);
        page
    }

    /// What was left out of the page counts as a failure to gather.
    fn note(&self, finished: &Finished, clashes: &[String]) {
        if finished.duplicates > 0 {
            self.instruments.failed(ErrorCause::Gathering);
            let count = Field::Text(&finished.duplicates);
            self.log.error("samples that were there already are left out", &[("samples", count)]);
        }
        for name in finished.clashes.iter().chain(clashes) {
            self.instruments.failed(ErrorCause::Gathering);
            self.log.error("a family that another source has as well is left out", &[("family", Field::Text(name))]);
        }
    }
}

impl Scrape {
    fn run(&self) -> Response {
        let handler = &self.handler;
        // Collectors that panic are caught one by one; this is for what remains.
        let page = catch_unwind(AssertUnwindSafe(|| handler.response(&self.wanted, self.coding)));
        let response = page.unwrap_or_else(|_| {
            Response::plain(500, "The scrape failed; the exporter's error output says why.".to_owned())
        });
        handler.instruments.answered(response.status);
        response
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        self.handler.instruments.ended();
        self.handler.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

const fn content_type(format: Format) -> &'static str {
    match format {
        Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    }
}

fn response(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    Response { status, headers: vec![("Content-Type", content_type.to_owned())], body }
}

/// One line for a collector, with the reason where there is one; and one for each further problem.
fn log_report(log: &Log, report: &Report<'_>) {
    let seconds = report.duration.as_secs_f64();
    let is_success = report.is_success();
    let line = |failure: &Failure| {
        let (level, message) = match failure {
            Failure::NoData(_) => (Level::Debug, "collector returned no data"),
            Failure::Error(_) if is_success => (Level::Error, "collector left something out"),
            Failure::Error(_) => (Level::Error, "collector failed"),
        };
        let fields = [
            ("name", Field::Text(&report.collector)),
            ("duration_seconds", Field::Number(seconds)),
            ("err", Field::Text(failure.reason())),
        ];
        log.write(level, message, &fields);
    };
    report.problems.shown().iter().chain(report.failure).for_each(line);
    let hidden = report.problems.count() - report.problems.shown().len();
    if hidden > 0 {
        let fields = [("name", Field::Text(&report.collector)), ("problems", Field::Text(&hidden))];
        log.error("collector had more problems than are shown", &fields);
    }
    if is_success && log.is_on(Level::Debug) {
        let fields = [("name", Field::Text(&report.collector)), ("duration_seconds", Field::Number(seconds))];
        log.debug("collector succeeded", &fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;
    use crate::log;
    use crate::log::tests::{Written, log as make_log};
    use crate::serve::request::tests::get;
    use crate::serve::request::{Method, Peer};
    use collectors::host::kernel::canned::Canned;
    use collectors::host::root::tree::Tree;
    use collectors::kit::options::FlagValues;

    const METRICS: &str = content_type(Format::Text);
    const TEXT: &str = "text/plain; charset=utf-8";

    fn handler(requests_max: usize) -> (Arc<Handler>, Written) {
        let values = FlagValues::defaults(REGISTRATIONS.iter().map(|registration| registration.declaration));
        let roots = Arc::new(Tree::new()).roots();
        let scraper = Scraper::build(REGISTRATIONS, &values, roots, Arc::new(Canned::default())).unwrap();
        let (log, written) = make_log(Level::Debug, log::Format::Logfmt);
        let instruments = Instruments::new(true).unwrap();
        let requests_max = NonZeroUsize::new(requests_max);
        let handler = Handler::new(Arc::new(scraper), instruments, Arc::new(log), "/metrics", requests_max);
        (Arc::new(handler), written)
    }

    fn ask(handler: &Arc<Handler>, url: &str) -> (u16, String, String) {
        let response = Arc::clone(handler).answer(get(url)).wait();
        let kind = response.headers.iter().find(|(name, _)| *name == "Content-Type").unwrap().1.clone();
        (response.status, kind, String::from_utf8(response.body).unwrap())
    }

    #[track_caller]
    fn check(url: &str, status: u16, content_type: &str, expected: &str) {
        let (found_status, found_type, body) = ask(&handler(40).0, url);
        assert_eq!((found_status, found_type.as_str()), (status, content_type), "{body}");
        assert!(body.contains(expected), "{expected}\nis not in\n{body}");
    }

    #[test]
    fn pages_are_found_by_their_path() {
        check("/metrics", 200, METRICS, "node_example 1\n");
        check("/metrics?x=y", 200, METRICS, "node_exporter_build_info{");
        check("/-/healthy", 200, TEXT, "The exporter is healthy.\n");
        check("/-/ready?x", 200, TEXT, "The exporter is ready.\n");
        check("/-/docs", 200, TEXT, "# Collectors");
        check("/", 200, HTML, "<a class=\"first\" href=\"/metrics\">");
        check("/metrics/", 404, TEXT, "There is no such page");
        check("/Metrics", 404, TEXT, "There is no such page");
        check("", 404, TEXT, "There is no such page");
    }

    #[test]
    fn filters_choose_collectors() {
        let success = "node_scrape_collector_success{collector=\"example\"} 1\n";
        check("/metrics?collect[]=example", 200, METRICS, success);
        check("/metrics?collect%5b%5d=ex%61mple&collect[]=example", 200, METRICS, success);
    }

    #[test]
    fn a_page_without_any_collector_has_none() {
        let (status, _, body) = ask(&handler(40).0, "/metrics?exclude[]=example");
        assert_eq!(status, 200);
        assert!(!body.contains("node_example") && body.contains("promhttp_"), "{body}");
    }

    #[test]
    fn filters_that_make_no_sense_are_refused_in_a_sentence() {
        check("/metrics?collect[]=example&exclude[]=example", 400, TEXT, "collect[] and exclude[] cannot be combined");
        check("/metrics?collect[]=nothing", 400, TEXT, "There is no collector `nothing`");
        check("/metrics?exclude[]=nothing", 400, TEXT, "There is no collector `nothing`");
        check("/metrics?collect[]=", 400, TEXT, "There is no collector ``");
        check("/metrics?collect[]=quiet", 400, TEXT, "The collector `quiet` is disabled here");
        check("/metrics?exclude[]=quiet", 400, TEXT, "The collector `quiet` is disabled here");
        check("/metrics?exclude[]=%", 400, TEXT, "not percent-encoded properly");
    }

    #[test]
    fn beyond_the_limit_scrapes_are_refused_and_counted() {
        let (handler, _) = handler(2);
        let [first, second] = [0; 2].map(|_| Arc::clone(&handler).answer(get("/metrics")));
        for url in ["/metrics", "/metrics?collect[]=example"] {
            let (status, kind, body) = ask(&handler, url);
            let expected = "Limit of concurrent requests reached (2), try again later.\n";
            assert_eq!((status, kind.as_str(), body.as_str()), (503, TEXT, expected));
        }
        assert_eq!(ask(&handler, "/").0, 200);
        drop(first);
        let (status, _, body) = ask(&handler, "/metrics");
        assert_eq!(status, 200);
        assert!(body.contains("promhttp_metric_handler_requests_total{code=\"503\"} 2\n"), "{body}");
        assert!(body.contains("promhttp_metric_handler_requests_in_flight 2\n"), "{body}");
        drop(second);
        let (_, _, body) = ask(&handler, "/metrics");
        assert!(body.contains("promhttp_metric_handler_requests_total{code=\"200\"} 1\n"), "{body}");
        assert!(body.contains("promhttp_metric_handler_requests_in_flight 1\n"), "{body}");
    }

    #[test]
    fn without_a_limit_everything_is_let_in() {
        let (handler, _) = handler(0);
        let scrapes: Vec<_> = (0..100).map(|_| Arc::clone(&handler).answer(get("/metrics"))).collect();
        assert!(scrapes.iter().all(|answer| matches!(answer, Answer::Job(_))));
    }

    #[test]
    fn a_collector_that_succeeds_is_logged_for_who_wants_to_know() {
        let (handler, written) = handler(1);
        ask(&handler, "/metrics");
        let text = written.text();
        assert!(text.ends_with(" level=DEBUG msg=\"collector succeeded\" name=example duration_seconds=0\n"), "{text}");
    }

    #[test]
    fn what_is_missing_is_logged_and_what_is_broken_is_an_error() {
        let (log, written) = make_log(Level::Debug, log::Format::Logfmt);
        let mut problems = collectors::kit::failure::Problems::default();
        for _ in 0..18 {
            problems.report(Failure::error("bad line"));
        }
        let failure = Failure::no_data("no such device");
        let duration = std::time::Duration::from_millis(1500);
        log_report(
            &log,
            &Report { collector: "example", duration, failure: Some(&failure), problems: &problems, samples: 0 },
        );
        let text = written.text();
        let bad = "level=ERROR msg=\"collector failed\" name=example duration_seconds=1.5 err=\"bad line\"\n";
        assert_eq!(text.matches(bad).count(), 16, "{text}");
        let missing =
            "level=DEBUG msg=\"collector returned no data\" name=example duration_seconds=1.5 err=\"no such device\"\n";
        assert!(text.contains(missing), "{text}");
        assert!(
            text.contains("msg=\"collector had more problems than are shown\" name=example problems=2\n"),
            "{text}"
        );
    }

    #[test]
    fn what_costs_no_success_is_not_logged_as_a_failure() {
        let (log, written) = make_log(Level::Info, log::Format::Logfmt);
        let mut problems = collectors::kit::failure::Problems::default();
        problems.note(Failure::error("a.prom: no regular file"));
        let duration = std::time::Duration::from_secs(1);
        log_report(&log, &Report { collector: "example", duration, failure: None, problems: &problems, samples: 0 });
        let text = written.text();
        let expected = "level=ERROR msg=\"collector left something out\" name=example duration_seconds=1 err=\"a.prom: no regular file\"\n";
        assert!(text.ends_with(expected), "{text}");
    }

    fn headers(response: &Response, name: &str) -> Option<String> {
        response.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn pages_come_as_the_client_likes_them() {
        let ask = |accepted: &str| {
            let request = Request::new(Method::Get, "/metrics", &[("Accept-Encoding", accepted)], Peer::Unix);
            handler(1).0.answer(request).wait()
        };
        for coding in Coding::OFFERED {
            let response = ask(coding.word());
            let expected = Some(coding.word().to_owned()).filter(|word| word != "identity");
            assert_eq!((response.status, headers(&response, "Content-Encoding")), (200, expected));
            assert_eq!(headers(&response, "Vary").as_deref(), Some("Accept, Accept-Encoding"));
            assert_eq!(response.body.starts_with(b"# HELP "), *coding == Coding::Identity);
        }
        let refused = ask("identity;q=0");
        assert_eq!(refused.status, 406);
        assert!(String::from_utf8(refused.body).unwrap().contains("has to allow one of "));
    }

    #[test]
    fn openmetrics_is_for_those_who_ask_where_it_is_offered() {
        for is_offered in [false, true] {
            let handler = Arc::into_inner(handler(1).0).unwrap().with_openmetrics(is_offered);
            let accept = [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
            let response = Arc::new(handler).answer(Request::new(Method::Get, "/metrics", &accept, Peer::Unix)).wait();
            let format = if is_offered { Format::OpenMetrics } else { Format::Text };
            assert_eq!(headers(&response, "Content-Type").as_deref(), Some(content_type(format)));
            assert_eq!(response.body.ends_with(b"# EOF\n"), is_offered);
        }
    }

    #[test]
    fn the_status_page_tells_of_the_scrapes() {
        let (handler, _) = handler(1);
        assert!(ask(&handler, "/").2.contains("Nobody has scraped yet"));
        ask(&handler, "/metrics");
        let page = ask(&handler, "/").2;
        assert!(page.contains("All collectors are well") && page.contains("<dt>Scrapes</dt><dd>1</dd>"), "{page}");
    }

    #[test]
    fn what_is_left_out_counts_as_a_failure_to_gather() {
        let (handler, written) = handler(1);
        let finished = Finished { duplicates: 3, clashes: vec!["node_x".to_owned()] };
        handler.note(&finished, &["process_y".to_owned()]);
        let (_, _, body) = ask(&handler, "/metrics");
        assert!(body.contains("promhttp_metric_handler_errors_total{cause=\"gathering\"} 3\n"), "{body}");
        let text = written.text();
        assert!(
            text.contains("samples=3\n") && text.contains("family=node_x\n") && text.contains("family=process_y\n")
        );
    }
}
