//! The handler of all paths, independent of sockets.

pub mod answer;
pub mod batch;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::kit::failure::Failure;
use collectors::kit::page::foreign::ForeignPage;
use collectors::kit::page::{Finished, Format};
use collectors::kit::scraper::{Report, Round, Scraper, Selection};

use self::answer::{Answer, Handle};
use self::batch::{Batches, Encoded, Kind};
use super::compress::{Coding, EncoderPool};
use super::deadline::Deadlines;
use super::history::{History, Overload};
use super::request::{Method, Request, Response};
use super::status::{About, PushedTargets, Status};
use super::{negotiate, query};
use crate::instruments::{ErrorCause, Instruments};
use crate::log::{Field, Level, Log};

const HTML: &str = "text/html; charset=utf-8";

/// Paths of the liveness and readiness checks, which do not scrape.
const HEALTHY: &[u8] = b"/-/healthy";
const READY: &[u8] = b"/-/ready";

/// Path of the documentation of the collectors.
const DOCS: &[u8] = b"/-/docs";
const DOCUMENTATION: &str = include_str!("../../docs/COLLECTORS.md");

/// Time of refused or waiting scrapes after which the exporter is not ready.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// The handler of all paths.
pub struct Handler {
    scraper: Arc<Scraper>,
    instruments: Instruments,
    log: Arc<Log>,
    telemetry_path: String,
    requests_max: Option<NonZeroUsize>,
    in_flight: AtomicUsize,
    encoders: EncoderPool,
    batches: Batches,
    has_openmetrics: bool,
    deadlines: Deadlines,
    about: About,
    targets: Option<PushedTargets>,
    begun: Duration,
    history: Mutex<History>,
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handler").field("scraper", &self.scraper).finish_non_exhaustive()
    }
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
        if let Some(address) = query::cleaned(request.target()) {
            return Answer::Ready(redirect(request.method(), address));
        }
        let sentence = |status, sentence: &str| Response::plain(status, sentence.to_owned());
        Answer::Ready(match &*target.path {
            b"/" => response(200, HTML, self.status().into_bytes()),
            DOCS => Response::plain(200, DOCUMENTATION.to_owned()),
            HEALTHY => sentence(200, "The exporter is healthy."),
            READY => match self.stall() {
                None => sentence(200, "The exporter is ready."),
                Some(reason) => sentence(503, reason),
            },
            _ => sentence(404, "Page not found; / links to all pages."),
        })
    }
}

impl Handler {
    /// A handler that serves pages of this scraper.
    pub fn new(
        scraper: Arc<Scraper>,
        instruments: Instruments,
        log: Arc<Log>,
        telemetry_path: &str,
        requests_max: Option<NonZeroUsize>,
    ) -> Self {
        let history = Mutex::new(History::new(scraper.declarations()));
        Self {
            scraper,
            instruments,
            log,
            telemetry_path: telemetry_path.to_owned(),
            requests_max,
            in_flight: AtomicUsize::new(0),
            encoders: EncoderPool::default(),
            batches: Batches::default(),
            has_openmetrics: false,
            deadlines: Deadlines::default(),
            about: About::default(),
            targets: None,
            begun: clock::monotonic(),
            history,
        }
    }

    /// Sets whether OpenMetrics is offered.
    #[must_use]
    pub fn with_openmetrics(self, is_offered: bool) -> Self {
        Self { has_openmetrics: is_offered, ..self }
    }

    /// Sets the deadlines.
    #[must_use]
    pub fn with_deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// Sets the constant part of the status page.
    #[must_use]
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Sets what the status page tells of push.
    #[must_use]
    pub fn with_targets(self, targets: Option<PushedTargets>) -> Self {
        Self { targets, ..self }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn batches(&self) -> &Batches {
        &self.batches
    }

    fn status(&self) -> String {
        let now = clock::monotonic();
        let uptime = now.saturating_sub(self.begun);
        let (about, telemetry_path) = (&self.about, self.telemetry_path.as_str());
        let targets = self.targets.as_ref().map(|targets| (targets.0)()).unwrap_or_default();
        Status { about, history: &self.history(), telemetry_path, uptime, now, targets: &targets }.page()
    }

    /// Reason why scrapes fail at the moment; `None` if the exporter is ready.
    fn stall(&self) -> Option<&'static str> {
        let now = clock::monotonic();
        let is_long = |since: Duration| now.saturating_sub(since) >= STALLED_AFTER;
        if self.batches.waiting_since().is_some_and(is_long) {
            return Some("Not ready: scrapes wait for a thread.");
        }
        let history = self.history();
        let is_full = self.requests_max.is_some_and(|max| self.in_flight.load(Ordering::SeqCst) >= max.get());
        if is_full && history.full_since.is_some_and(is_long) {
            return Some("Not ready: the limit of concurrent scrapes is reached.");
        }
        // By itself it becomes ready again, without a scrape.
        let is_stuck = history.is_empty_page && self.scraper.has_stuck_collector();
        is_stuck.then_some("Not ready: no collector answered the last scrape in time.")
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
        let Some(coding) = negotiate::coding(request.headers_named("Accept-Encoding")) else {
            let names: Vec<_> = Coding::OFFERED.iter().map(|coding| coding.name()).collect();
            let sentence = format!("Accept-Encoding must allow one of {}.", names.join(", "));
            return Answer::Ready(Response::plain(406, sentence));
        };
        self.admit(Kind { selection, format, coding }, clock::monotonic() + time)
    }

    fn admit(self: Arc<Self>, kind: Kind, until: Duration) -> Answer {
        let before = self.in_flight.fetch_add(1, Ordering::SeqCst);
        if let Some(max) = self.requests_max {
            if before >= max.get() {
                self.in_flight.fetch_sub(1, Ordering::SeqCst);
                self.instruments.answered(503);
                let sentence = format!("Limit of concurrent requests reached ({max}), try again later.");
                return Answer::Ready(Response::plain(503, sentence));
            }
            if before + 1 == max.get() {
                self.history().full_since = Some(clock::monotonic());
            }
        }
        self.instruments.begun();
        let handler = Arc::clone(&self);
        Answer::Scrape(self.batches.join(handler, kind, until))
    }

    /// Records the end of an admitted request, answered or not.
    pub(super) fn leave(&self) {
        self.instruments.ended();
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// Counts the response to an admitted request.
    pub(super) fn answered(&self, response: &Response) {
        self.instruments.answered(response.status);
    }

    pub(super) fn begin(&self, selection: &Selection, until: Duration) -> Round {
        self.scraper.begin(selection, until)
    }

    /// Ends the round, and encodes the page of the collectors that have returned; `None` if another thread has ended it.
    pub(super) fn finish(&self, round: &Round, kind: &Kind, begun: Duration) -> Option<Encoded> {
        let page = self.page(kind.coding, |own, observe, out| round.finish(kind.format, own, observe, out))?;
        self.history().scraped(begun, clock::monotonic());
        Some(page)
    }

    /// Encodes the page of the collectors that have returned so far.
    pub(super) fn copy(&self, round: &Round, kind: &Kind) -> Option<Encoded> {
        self.page(kind.coding, |own, observe, out| round.copy(kind.format, own, observe, out))
    }

    fn page(
        &self,
        coding: Coding,
        bind: impl FnOnce(&mut dyn FnMut(&mut ForeignPage), &mut dyn FnMut(&Report<'_>), &mut Vec<u8>) -> Option<Finished>,
    ) -> Option<Encoded> {
        let mut encoder = self.encoders.take();
        encoder.page.clear();
        let mut clashes = Vec::new();
        let (mut late, mut late_count, mut reported) = (Vec::new(), 0, 0);
        let finished = bind(
            &mut |foreign| {
                for family in self.instruments.families() {
                    let name = family.name.clone();
                    if foreign.add(family).is_err() {
                        clashes.push(name);
                    }
                }
            },
            &mut |report| {
                reported += 1;
                let overload = self.history().note(report, clock::monotonic());
                self.note_overload(report, overload);
                late_count += usize::from(report.is_late);
                match (overload, report.is_late) {
                    // It is logged once.
                    (Overload::Known, _) => {}
                    (_, true) => late.push(report.collector),
                    (_, false) => log_report(&self.log, report),
                }
            },
            &mut encoder.page,
        );
        let page = finished.map(|finished| {
            self.note(&finished, &clashes);
            self.note_late(&late, late_count, reported);
            let (coding, body) = encoder.encode(coding);
            Encoded { coding, body }
        });
        self.encoders.keep(encoder);
        page
    }

    /// Counts and logs omitted duplicates and clashing families as gathering errors.
    fn note(&self, finished: &Finished, clashes: &[String]) {
        if finished.duplicates > 0 {
            self.instruments.failed(ErrorCause::Gathering);
            let count = Field::Text(&finished.duplicates);
            self.log.error("duplicate samples are omitted", &[("samples", count)]);
        }
        for name in finished.clashes.iter().chain(clashes) {
            self.instruments.failed(ErrorCause::Gathering);
            self.log.error("a family with several sources is omitted", &[("family", Field::Text(name))]);
        }
    }

    /// Reports once that the input of a collector is always too large, and once that it no longer is.
    fn note_overload(&self, report: &Report<'_>, overload: Overload) {
        let name = ("name", Field::Text(&report.collector));
        match overload {
            Overload::None | Overload::Known => {}
            Overload::New => {
                self.instruments.set_overloaded(report.collector, true);
                let message = "collector is overloaded: its input exceeds a limit or every deadline; logged once";
                self.log.error(message, &[name]);
            }
            Overload::Over => {
                self.instruments.set_overloaded(report.collector, false);
                self.log.info("collector is no longer overloaded", &[name]);
            }
        }
    }

    /// Counts the late collectors of a page, and logs one line for those that are not known to be overloaded.
    fn note_late(&self, late: &[&str], late_count: usize, reported: usize) {
        // A page of few collectors says nothing about the others.
        if reported == self.scraper.enabled().len() {
            self.history().is_empty_page = late_count == reported;
        }
        self.instruments.late(late_count);
        if late.is_empty() {
            return;
        }
        let (count, of, names) = (late.len(), reported, late.join(","));
        let fields = [("late", Field::Text(&count)), ("of", Field::Text(&of)), ("names", Field::Text(&names))];
        self.log.error("scrape ended without its late collectors", &fields);
    }

    pub(super) fn page_response(format: Format, page: Encoded) -> Response {
        let mut response = response(200, content_type(format), page.body);
        response.headers.push(("Vary", "Accept, Accept-Encoding".to_owned()));
        if page.coding != Coding::Identity {
            response.headers.push(("Content-Encoding", page.coding.name().to_owned()));
        }
        response
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

/// A redirection as Go sends it: with a link for readers, except after POST.
fn redirect(method: Method, address: String) -> Response {
    let mut redirection = match method {
        Method::Post => Response { status: 301, headers: Vec::new(), body: Vec::new() },
        Method::Get | Method::Head => {
            let escaped = address.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let escaped = escaped.replace('"', "&#34;").replace('\'', "&#39;");
            response(301, HTML, format!("<a href=\"{escaped}\">Moved Permanently</a>.\n\n").into_bytes())
        }
    };
    redirection.headers.push(("Location", address));
    redirection
}

/// Logs a line for a collector, and one for each further problem.
fn log_report(log: &Log, report: &Report<'_>) {
    let seconds = report.duration.as_secs_f64();
    let is_success = report.is_success();
    let line = |failure: &Failure| {
        let (level, message) = match failure {
            Failure::NoData(_) => (Level::Debug, "collector returned no data"),
            Failure::Error(_) if is_success => (Level::Error, "collector reported a problem"),
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
    use crate::serve::request::Peer;
    use crate::serve::request::tests::get;
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
    fn pages_have_their_paths() {
        check("/metrics", 200, METRICS, "node_example 1\n");
        check("/metrics?x=y", 200, METRICS, "node_exporter_build_info{");
        check("/-/healthy", 200, TEXT, "The exporter is healthy.\n");
        check("/-/ready?x", 200, TEXT, "The exporter is ready.\n");
        check("/-/docs", 200, TEXT, "# Collectors");
        check("/", 200, HTML, "<a class=\"first\" href=\"/metrics\">");
        check("/metrics/", 404, TEXT, "Page not found");
        check("/Metrics", 404, TEXT, "Page not found");
        check("", 404, TEXT, "Page not found");
    }

    #[test]
    fn unclean_paths_are_redirected() {
        let ask = |method, url| {
            let response = Arc::clone(&handler(40).0).answer(Request::new(method, url, &[], Peer::Unix)).wait();
            let location = headers(&response, "Location");
            (response.status, location.unwrap_or_default(), String::from_utf8(response.body).unwrap())
        };
        let expected = |address: &str, body: &str| (301, address.to_owned(), body.to_owned());
        let link = "<a href=\"/metrics\">Moved Permanently</a>.\n\n";
        assert_eq!(ask(Method::Get, "//metrics"), expected("/metrics", link));
        assert_eq!(ask(Method::Post, "/x/../metrics"), expected("/metrics", ""));
        let link = "<a href=\"/?a=&lt;&#34;&amp;&#39;&gt;\">Moved Permanently</a>.\n\n";
        assert_eq!(ask(Method::Get, "//?a=<\"&'>"), expected("/?a=<\"&'>", link));
    }

    #[test]
    fn text_that_may_quote_the_request_is_not_sniffed() {
        for url in ["/metrics?collect[]=<x", "/nothing", "/metrics?collect[]=%"] {
            let response = Arc::clone(&handler(40).0).answer(get(url)).wait();
            assert_eq!(headers(&response, "X-Content-Type-Options").as_deref(), Some("nosniff"), "{url}");
        }
    }

    #[test]
    fn filters_select_collectors() {
        let success = "node_scrape_collector_success{collector=\"example\"} 1\n";
        check("/metrics?collect[]=example", 200, METRICS, success);
        check("/metrics?collect%5b%5d=ex%61mple&collect[]=example", 200, METRICS, success);
    }

    #[test]
    fn a_page_without_collectors_has_own_metrics_only() {
        let (status, _, body) = ask(&handler(40).0, "/metrics?exclude[]=example");
        assert_eq!(status, 200);
        assert!(!body.contains("node_example") && body.contains("promhttp_"), "{body}");
    }

    #[test]
    fn invalid_filters_are_refused_with_a_sentence() {
        check("/metrics?collect[]=example&exclude[]=example", 400, TEXT, "collect[] and exclude[] cannot be combined");
        check("/metrics?collect[]=nothing", 400, TEXT, "There is no collector `nothing`");
        check("/metrics?exclude[]=nothing", 400, TEXT, "There is no collector `nothing`");
        check("/metrics?collect[]=", 400, TEXT, "There is no collector ``");
        check("/metrics?collect[]=quiet", 400, TEXT, "The collector `quiet` is disabled here");
        check("/metrics?exclude[]=quiet", 400, TEXT, "The collector `quiet` is disabled here");
        check("/metrics?exclude[]=%", 400, TEXT, "The percent-encoding of the parameter");
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
    fn without_a_limit_all_scrapes_are_admitted() {
        let (handler, _) = handler(0);
        let scrapes: Vec<_> = (0..100).map(|_| Arc::clone(&handler).answer(get("/metrics"))).collect();
        assert!(scrapes.iter().all(|answer| matches!(answer, Answer::Scrape(_))));
    }

    #[test]
    fn success_of_a_collector_is_logged_at_debug_level() {
        let (handler, written) = handler(1);
        ask(&handler, "/metrics");
        let text = written.text();
        assert!(text.ends_with(" level=DEBUG msg=\"collector succeeded\" name=example duration_seconds=0\n"), "{text}");
    }

    #[test]
    fn missing_data_is_logged_at_debug_level_and_failures_as_errors() {
        let (log, written) = make_log(Level::Debug, log::Format::Logfmt);
        let mut problems = collectors::kit::failure::Problems::default();
        for _ in 0..18 {
            problems.report(Failure::error("bad line"));
        }
        let failure = Failure::no_data("no such device");
        let duration = std::time::Duration::from_millis(1500);
        log_report(
            &log,
            &Report {
                collector: "example",
                duration,
                failure: Some(&failure),
                problems: &problems,
                samples: 0,
                is_late: false,
            },
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
    fn a_problem_of_a_successful_collector_is_not_logged_as_a_failure() {
        let (log, written) = make_log(Level::Info, log::Format::Logfmt);
        let mut problems = collectors::kit::failure::Problems::default();
        problems.note(Failure::error("a.prom: no regular file"));
        let duration = std::time::Duration::from_secs(1);
        log_report(
            &log,
            &Report { collector: "example", duration, failure: None, problems: &problems, samples: 0, is_late: false },
        );
        let text = written.text();
        let expected = "level=ERROR msg=\"collector reported a problem\" name=example duration_seconds=1 err=\"a.prom: no regular file\"\n";
        assert!(text.ends_with(expected), "{text}");
    }

    fn headers(response: &Response, name: &str) -> Option<String> {
        response.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn pages_have_the_coding_that_the_client_accepts() {
        let ask = |accepted: &str| {
            let request = Request::new(Method::Get, "/metrics", &[("Accept-Encoding", accepted)], Peer::Unix);
            handler(1).0.answer(request).wait()
        };
        for coding in Coding::OFFERED {
            let response = ask(coding.name());
            let expected = Some(coding.name().to_owned()).filter(|word| word != "identity");
            assert_eq!((response.status, headers(&response, "Content-Encoding")), (200, expected));
            assert_eq!(headers(&response, "Vary").as_deref(), Some("Accept, Accept-Encoding"));
            assert_eq!(response.body.starts_with(b"# HELP "), *coding == Coding::Identity);
        }
        let refused = ask("identity;q=0");
        assert_eq!(refused.status, 406);
        assert!(String::from_utf8(refused.body).unwrap().contains("must allow one of "));
    }

    #[test]
    fn openmetrics_is_sent_if_offered_and_accepted() {
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
    fn the_status_page_shows_scrapes() {
        let (handler, _) = handler(1);
        assert!(ask(&handler, "/").2.contains("No scrape yet"));
        ask(&handler, "/metrics");
        let page = ask(&handler, "/").2;
        assert!(page.contains("All collectors succeeded") && page.contains("<dt>Scrapes</dt><dd>1</dd>"), "{page}");
    }

    #[test]
    fn omitted_samples_count_as_gathering_errors() {
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
