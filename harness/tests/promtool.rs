//! promtool, Prometheus and our linter on the same pages: what either of them refuses, ours refuses too.
#![expect(clippy::disallowed_methods, reason = "the test starts servers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use collectors::kit::scraper::Selection;
use harness::exposition::{self, Format, Severity};
use harness::fetch::Url;
use harness::needs::{self, Need};
use harness::{host, load};
use serde_json::Value;
use simulator::Host;

fn main() -> ExitCode {
    needs::run(&[
        ("promtool_finds_no_error_of_form_in_golden_pages", &[Need::Promtool], golden_pages),
        ("promtool_finds_no_error_of_form_in_pages_of_simulated_hosts", &[Need::Promtool], simulated_pages),
        ("we_find_what_promtool_finds_and_more", &[Need::Promtool], table),
        ("we_refuse_the_openmetrics_that_prometheus_refuses", &[Need::Prometheus], openmetrics),
    ])
}

/// Verdict of promtool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    Nothing,
    Lint,
    Error,
}

use Said::{Error, Lint, Nothing};

impl Said {
    /// promtool's exit status: 0 valid, 3 lints, other values errors.
    fn of(status: i32) -> Self {
        match status {
            0 => Nothing,
            3 => Lint,
            _ => Error,
        }
    }

    /// The lowest severity that ours must report.
    fn least(self) -> Option<Severity> {
        match self {
            Nothing => None,
            Lint => Some(Severity::Lint),
            Error => Some(Severity::Error),
        }
    }
}

fn promtool(page: &[u8]) -> (Said, String) {
    let mut promtool = Command::new(Need::Promtool.path())
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut input = promtool.stdin.take().expect("a pipe");
    input.write_all(page).expect("promtool reads");
    drop(input);
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (Said::of(output.status.code().unwrap_or(-1)), said)
}

/// Golden pages have lints only, because node_exporter's names are kept; ours reports every name that promtool reports.
fn golden_pages() {
    for host in load::hosts().expect("fixtures/hosts") {
        let page = load::bytes(&load::workspace().join(format!("fixtures/hosts/{host}.prom"))).expect("a golden page");
        let (said, lines) = promtool(&page);
        println!("{host}.prom: promtool says {said:?}");
        assert_ne!(said, Error, "{host}.prom: {lines}");
        let judged = exposition::judge(&page, Format::Text);
        let ours: Vec<&str> = judged.defects.iter().map(|defect| defect.problem.as_str()).collect();
        let theirs: BTreeSet<&str> = lines.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(theirs.len() > 5, "{host}.prom: promtool has something to say of node_exporter's names: {lines}");
        for name in theirs {
            let named = format!("`{name}`");
            assert!(
                ours.iter().any(|problem| problem.contains(&named)),
                "{host}.prom: nothing said of {name}: {lines}"
            );
        }
    }
}

fn simulated_pages() {
    for profile in simulator::profiles() {
        let machine = profile.machine(1, profile.small).expect("settings of the profile");
        let tree = Host::new(machine, || Duration::ZERO).tree_at(1_700_000_000);
        let page = host::scrape(&host::scraper(tree, |roots| roots), &Selection::ALL).page;
        exposition::parse(page.as_bytes()).unwrap_or_else(|defects| panic!("{}: {defects:?}", profile.name));
        let (said, lines) = promtool(page.as_bytes());
        println!("{}: promtool says {said:?}", profile.name);
        assert_ne!(said, Error, "{}: {lines}", profile.name);
    }
}

/// A page, promtool's verdict, and our rules of severity error or lint that it breaks.
const PAGES: &[(&str, Said, &str)] = &[
    ("# HELP a x\n# TYPE a gauge\na 1\n", Nothing, ""),
    ("# HELP a x\n# TYPE a gauge\na{x=\"1\",} 1\n", Nothing, ""),
    ("# HELP a x\n# TYPE a gauge\n a\t1\n", Nothing, ""),
    ("# HELP a x\n# TYPE a gauge\na 1 -15\n", Nothing, ""),
    ("a 1\n", Lint, "no-help"),
    ("# HELP a x\na 1\n", Nothing, ""),
    ("", Nothing, "empty-page"),
    ("\n", Nothing, "empty-page"),
    ("# HELP a x\n# TYPE a gauge\na 1", Error, "final-newline"),
    ("# HELP a x\n# TYPE a gauge\na 1\r\n", Error, "carriage-return"),
    ("# HELP a x\n# TYPE a gauge\na inf\n", Nothing, "value"),
    ("# HELP a x\n# TYPE a gauge\na 1_0\n", Error, "value"),
    ("# HELP a x\n# TYPE a gauge\na 1,5\n", Error, "value"),
    ("# HELP a x\n# TYPE a gauge\na 1e999\n", Error, "value"),
    ("# HELP a x\n# TYPE a gauge\na\n", Error, "value"),
    ("# HELP a x\n# TYPE a gauge\na 1 \n", Error, "value"),
    ("# HELP a x\n# TYPE a gauge\na 1 1.5\n", Error, "value"),
    ("# HELP a x\n# TYPE a gauge\na 1 5 6\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\n1a 1\n", Error, "syntax"),
    ("# HELP 1a x\n", Error, "syntax"),
    ("{x=\"1\"} 1\n", Error, "syntax"),
    ("\0\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\na{,} 1\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\na{x=\"1\" y=\"2\"} 1\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n", Error, "label-twice"),
    ("# HELP a x\n# TYPE a gauge\na{__name__=\"1\"} 1\n", Error, "name-label"),
    ("# HELP a x\n# TYPE a gauge\na{a:b=\"1\"} 1\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\na{x=1} 1\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\na{x=\"1\n", Error, "syntax"),
    ("# HELP a x\n# TYPE a gauge\na{x=\"\\t\"} 1\n", Error, "escape"),
    ("# HELP a \\y\n# TYPE a gauge\na 1\n", Error, "escape"),
    ("# HELP a x\n# HELP a x\n# TYPE a gauge\na 1\n", Error, "metadata-twice"),
    ("# HELP a x\n# TYPE a gauge\n# TYPE a gauge\na 1\n", Error, "metadata-twice"),
    ("a 1\n# TYPE a gauge\n", Error, "no-help late-metadata"),
    ("a 1\n# HELP a x\n", Nothing, "no-help late-metadata"),
    ("# HELP a x\n# TYPE a gouge\na 1\n", Error, "unknown-type"),
    ("# HELP a x\n# TYPE a gauge \na 1\n", Error, "unknown-type"),
    ("# HELP a x\n# TYPE a\na 1\n", Nothing, "unknown-type"),
    ("# HELP a x\n# TYPE a gauge\na 1\na 1\n", Nothing, "duplicate-sample"),
    ("# HELP a x\n# TYPE a gauge\na{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n", Nothing, "duplicate-sample"),
    ("# HELP a x\n# TYPE a gauge\na 1 5\na 1 4\n", Nothing, "timestamp-falls"),
    ("# HELP a x\n# TYPE a gauge\na 1\n# HELP b x\n# TYPE b gauge\nb 1\na{x=\"1\"} 1\n", Nothing, "split-family"),
    ("# HELP h x\n# TYPE h histogram\nh 1\n", Nothing, "stray-sample"),
    (
        "# HELP h x\n# TYPE h histogram\nh_bucket 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        Nothing,
        "bucket-label",
    ),
    ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"x\"} 1\n", Error, "bucket-label no-infinity missing-part"),
    ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n", Nothing, "no-infinity"),
    (
        "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        Nothing,
        "bucket-falls",
    ),
    (
        "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        Nothing,
        "bucket-order",
    ),
    ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n", Nothing, "count-mismatch"),
    ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n", Nothing, "missing-part"),
    ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} -1\nh_sum 1\nh_count -1\n", Nothing, "count-value"),
    (
        "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n# TYPE h_count counter\n",
        Error,
        "name-clash",
    ),
    ("# HELP s x\n# TYPE s summary\ns 1\ns_sum 1\ns_count 1\n", Nothing, "quantile-label"),
    ("# HELP s x\n# TYPE s summary\ns{quantile=\"x\"} 1\n", Error, "missing-part quantile-label"),
    ("# HELP s x\n# TYPE s summary\ns{quantile=\"2\"} 1\ns_sum 1\ns_count 1\n", Nothing, "quantile-label"),
    (
        "# HELP s x\n# TYPE s summary\ns{quantile=\"0.9\"} 1\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n",
        Nothing,
        "quantile-order",
    ),
    ("# HELP s x\n# TYPE s summary\ns_sum 1\n", Nothing, "missing-part"),
    ("# HELP c_total x\n# TYPE c_total counter\nc_total -1\n", Nothing, "counter-value"),
    ("# HELP c_total x\n# TYPE c_total counter\nc_total NaN\n", Nothing, "counter-value"),
    ("# HELP a x\n# TYPE a counter\na 1\n", Lint, "counter-name"),
    ("# HELP a_total x\n# TYPE a_total gauge\na_total 1\n", Lint, "counter-name"),
    ("# HELP a_total x\n# TYPE a_total untyped\na_total 1\n", Nothing, ""),
    ("# HELP a_hours x\n# TYPE a_hours gauge\na_hours 1\n", Lint, "base-unit"),
    ("# HELP a_kilobytes_free x\n# TYPE a_kilobytes_free gauge\na_kilobytes_free 1\n", Lint, "base-unit"),
    ("# HELP a_percent x\n# TYPE a_percent gauge\na_percent 1\n", Nothing, "base-unit"),
    ("# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n", Lint, "short-unit"),
    ("# HELP a_gauge x\n# TYPE a_gauge gauge\na_gauge 1\n", Lint, "type-in-name"),
    ("# HELP a_bucket x\n# TYPE a_bucket gauge\na_bucket 1\n", Lint, "reserved-suffix"),
    ("# HELP a_count x\n# TYPE a_count gauge\na_count 1\n", Lint, "reserved-suffix"),
    ("# HELP a_sum x\n# TYPE a_sum summary\na_sum_sum 1\na_sum_count 1\n", Nothing, ""),
    ("# HELP aB x\n# TYPE aB gauge\naB 1\n", Lint, "camel-case"),
    ("# HELP a:b x\n# TYPE a:b gauge\na:b 1\n", Lint, "colon"),
    ("# HELP a x\n# TYPE a gauge\na{le=\"1\"} 1\n", Lint, "reserved-label"),
    ("# HELP a x\n# TYPE a gauge\na{quantile=\"1\"} 1\n", Lint, "reserved-label"),
    ("# HELP a x\n# TYPE a gauge\na{bC=\"1\"} 1\n", Lint, "camel-case"),
    ("# HELP a x\n# TYPE a gauge\na{__b=\"1\"} 1\n", Nothing, "reserved-label"),
    ("# HELP a x\n# TYPE a gauge\na 1 # {x=\"1\"} 2\n", Error, "value"),
    ("# HELP a x\n# TYPE a unknown\na 1\n# EOF\n", Error, "unknown-type"),
];

/// The rules above severity note, each once, in order of position.
fn rules(page: &[u8], format: Format) -> (Option<Severity>, String) {
    let judged = exposition::judge(page, format);
    let mut rules: Vec<&str> = Vec::new();
    for rule in judged.defects.iter().map(|defect| defect.rule).filter(|rule| rule.severity() > Severity::Note) {
        if !rules.contains(&rule.name()) {
            rules.push(rule.name());
        }
    }
    (judged.worst(), rules.join(" "))
}

fn table() {
    for &(page, expected, ours) in PAGES {
        let (said, lines) = promtool(page.as_bytes());
        assert_eq!(said, expected, "promtool on {page:?}: {lines}");
        let (worst, found) = rules(page.as_bytes(), Format::Text);
        assert_eq!(found, ours, "{page:?}");
        assert!(worst >= said.least(), "{page:?}: promtool says {said:?}, we say {worst:?}");
    }
    let stricter = PAGES.iter().filter(|(_, said, ours)| *said == Nothing && !ours.is_empty()).count();
    println!("{} pages; {stricter} of them have defects that promtool lets pass", PAGES.len());
}

/// An OpenMetrics page, whether Prometheus accepts it, and our rules of severity error or lint that it breaks.
const OPENMETRICS: &[(&str, bool, &str)] = &[
    ("a 1\n# EOF\n", true, "no-help"),
    ("a 1\n", false, "no-help no-end"),
    ("a 1\n# EOF", true, "no-help"),
    ("a 1\n# EOF\na 2\n", false, "no-help no-end"),
    ("a 1\n# EOF\n\n", false, "no-help no-end"),
    ("", false, "empty-page"),
    ("# EOF\n", true, ""),
    (" a 1\n# EOF\n", false, "syntax"),
    ("a  1\n# EOF\n", false, "value"),
    ("a\t1\n# EOF\n", false, "syntax"),
    ("a{x=\"1\"}1\n# EOF\n", false, "syntax"),
    ("a{x=\"1\",} 1\n# EOF\n", false, "syntax"),
    ("a{ x=\"1\"} 1\n# EOF\n", false, "syntax"),
    ("\na 1\n# EOF\n", false, "syntax no-help"),
    ("# words\na 1\n# EOF\n", false, "syntax no-help"),
    ("#TYPE a gauge\na 1\n# EOF\n", false, "syntax no-help"),
    ("a 1 x\n# EOF\n", false, "value"),
    ("a 1 NaN\n# EOF\n", false, "value"),
    ("a one\n# EOF\n", false, "value"),
    ("a 0x1\n# EOF\n", false, "value"),
    ("a 1_0\n# EOF\n", false, "value"),
    ("a 1,5\n# EOF\n", false, "value"),
    ("a 1e999\n# EOF\n", false, "value"),
    ("a inf\n# EOF\n", true, "no-help"),
    ("# TYPE a untyped\na 1\n# EOF\n", false, "unknown-type no-help"),
    ("# TYPE a gouge\na 1\n# EOF\n", false, "unknown-type no-help"),
    ("# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n", true, "no-help metadata-twice"),
    ("a 1\n# TYPE a gauge\n# EOF\n", true, "no-help late-metadata"),
    ("# TYPE a counter\na 1\n# EOF\n", true, "stray-sample"),
    ("# TYPE a counter\na_total -1\n# EOF\n", true, "no-help counter-value"),
    ("# TYPE a_x gauge\n# UNIT a_x seconds\na_x 1\n# EOF\n", false, "unit no-help"),
    ("# UNIT a_seconds seconds\na_seconds 1\n# EOF\n", true, "no-help"),
    ("# TYPE a_s info\n# UNIT a_s s\na_s_info 1\n# EOF\n", true, "unit no-help short-unit"),
    ("# TYPE a info\na_info 2\n# EOF\n", true, "no-help state"),
    ("# TYPE a stateset\na 2\n# EOF\n", true, "no-help state"),
    ("# TYPE a gauge\na 1 # {x=\"1\"} 1\n# EOF\n", false, "no-help exemplar-place"),
    ("# TYPE a counter\na_total 1 # {x=\"1\"}\n# EOF\n", false, "syntax"),
    ("# TYPE a counter\na_total 1 # x=\"1\" 1\n# EOF\n", false, "syntax"),
    ("# TYPE a counter\na_total 1 # {x=\"1\"} 1 x\n# EOF\n", false, "value"),
    ("# TYPE a counter\na_total 1 # {x=\"1\"} x\n# EOF\n", false, "value"),
    ("a{x=1} 1\n# EOF\n", false, "syntax"),
    ("a{x=\"1} 1\n# EOF\n", false, "syntax"),
    ("a{x=\"\\t\"} 1\n# EOF\n", true, "no-help spare-escape"),
    ("a{x=\"1\",x=\"2\"} 1\n# EOF\n", false, "label-twice"),
    ("a{__name__=\"2\"} 1\n# EOF\n", false, "name-label"),
    ("a{x=\"1\" y=\"2\"} 1\n# EOF\n", false, "syntax"),
    ("1a 1\n# EOF\n", false, "syntax"),
    ("a 1\r\n# EOF\n", false, "no-help carriage-return"),
    ("a 1\na 1\n# EOF\n", true, "no-help duplicate-sample"),
    ("a 1\na 2\n# EOF\n", true, "no-help duplicate-sample"),
    ("a 1 5\na 2 5\n# EOF\n", true, "no-help duplicate-sample"),
    ("a 1 5\na 2 4\n# EOF\n", true, "no-help timestamp-falls"),
    ("# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# EOF\n", true, "no-help no-infinity"),
    ("# TYPE h histogram\nh_bucket 1\n# EOF\n", true, "no-help bucket-label no-infinity"),
    ("a 1\nb 1\na{x=\"1\"} 1\n# EOF\n", true, "no-help split-family"),
    ("# HELP a x\\y\na 1\n# EOF\n", true, ""),
    ("a\n# EOF\n", false, "syntax"),
    ("# TYPE a\na 1\n# EOF\n", false, "syntax no-help"),
    ("# HELP a\na 1\n# EOF\n", false, "syntax no-help"),
    ("# EOF \n", false, "syntax no-end"),
    ("{x=\"1\"} 1\n# EOF\n", false, "syntax"),
    ("# TYPE a gauge\na 1 2 3\n# EOF\n", false, "syntax"),
];

fn openmetrics() {
    let pages: Vec<&'static str> = OPENMETRICS.iter().map(|(page, _, _)| *page).collect();
    let prometheus = Prometheus::start(serve(pages), OPENMETRICS.len());
    let errors = prometheus.errors(OPENMETRICS.len());
    for (at, &(page, is_taken, ours)) in OPENMETRICS.iter().enumerate() {
        let error = errors.get(&at.to_string()).expect("each page was scraped");
        assert_eq!(error.is_empty(), is_taken, "Prometheus on {page:?}: {error}");
        let (worst, found) = rules(page.as_bytes(), Format::OpenMetrics);
        assert_eq!(found, ours, "{page:?}");
        assert!(is_taken || worst == Some(Severity::Error), "{page:?}: {error}, and we say {worst:?}");
    }
}

/// Serves each page at the path that is its index.
fn serve(pages: Vec<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client: TcpStream = client.expect("a client");
            let mut request = [0; 1 << 12];
            let length = client.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
            let page = path.parse().ok().and_then(|at: usize| pages.get(at)).copied().unwrap_or_default();
            let head =
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/openmetrics-text; version=1.0.0";
            // A closed connection is ignored.
            let _ = write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    address
}

/// A running Prometheus; it is killed on drop.
struct Prometheus {
    process: Child,
    address: SocketAddr,
    /// Configuration and data.
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts Prometheus, which scrapes this many numbered paths.
    fn start(target: SocketAddr, paths: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut configuration = "global: {scrape_interval: 1s}\nscrape_configs:\n".to_owned();
        let scraped = |path| {
            format!("- {{job_name: '{path}', metrics_path: '/{path}', static_configs: [{{targets: ['{target}']}}]}}\n")
        };
        configuration.extend((0..paths).map(scraped));
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, configuration).expect("a configuration");
        let address = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address");
        let process = Command::new(Need::Prometheus.path())
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .args([&format!("--web.listen-address={address}"), "--log.level=error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Prometheus starts");
        Self { process, address, _folder: folder }
    }

    /// The error of the last scrape of each path, once all were scraped.
    fn errors(&self, paths: usize) -> BTreeMap<String, String> {
        let url = Url::parse(&format!("http://{}/api/v1/targets", self.address)).expect("a URL");
        let begin = Instant::now();
        loop {
            assert!(begin.elapsed() < UP_MAX, "Prometheus does not scrape");
            thread::sleep(Duration::from_millis(200));
            let Ok(answer) = url.get(Format::Text) else { continue };
            let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
            let targets = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
            let told = targets.iter().filter(|target| target["health"] != "unknown");
            let told: BTreeMap<String, String> = told
                .map(|target| (&target["scrapePool"], &target["lastError"]))
                .map(|(path, error)| (path.as_str().unwrap_or_default(), error.as_str().unwrap_or_default()))
                .map(|(path, error)| (path.to_owned(), error.to_owned()))
                .collect();
            if told.len() == paths {
                return told;
            }
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Timeout for starting and scraping, for a busy machine.
const UP_MAX: Duration = Duration::from_secs(60);
