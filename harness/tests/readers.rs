//! Consumers of our pages: Prometheus for OpenMetrics, Chromium for the status page and the report of `nodelab bench`.
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the test starts servers and clients")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use collectors::host::root::tree::Node;
use collectors::kit::scraper::Scraper;
use harness::bench::history::RunRecord;
use harness::bench::{self, Effort, Plan};
use harness::fetch::Url;
use harness::peer::{Peer, free_address};
use harness::requirements::{self, Requirement};
use harness::{exposition, host, load};
use node_exporter::instruments::Instruments;
use node_exporter::log::{Format, Level, Log};
use node_exporter::serve::front::{Front, Stopper};
use node_exporter::serve::handler::Handler;
use node_exporter::serve::handler::answer::Handle;
use node_exporter::serve::listen;
use node_exporter::serve::status::About;

/// Timeout for starting and scraping, for a busy machine.
const UP_MAX: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    requirements::run(&[
        ("prometheus_reads_openmetrics", &[Requirement::Prometheus], prometheus),
        ("chromium_shows_the_status_page_and_asks_for_nothing_else", &[Requirement::Chromium], chromium),
        ("the_status_page_is_readable_on_a_phone_by_day_and_by_night", &[Requirement::Chromium], phone),
        ("chromium_shows_the_report_of_a_bench_run_and_asks_for_nothing", &[Requirement::Chromium], report),
    ])
}

/// An exporter of a fixture host.
struct Server {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let log = Arc::new(Log::new(Level::Error, Format::Logfmt, || Duration::ZERO, std::io::sink()));
        let mut tree = load::host("laptop").expect("a fixture host");
        tree.insert("proc/vmstat", Node::file("pgpgin x\n")).expect("a collector that fails");
        let scraper: Scraper = host::scraper(tree, |roots| roots);
        let about = About { host: "laptop <1>".to_owned(), ..About::default() };
        let handler =
            Handler::new(Arc::new(scraper), Instruments::new(true).unwrap(), Arc::clone(&log), "/metrics", None);
        let handler: Arc<dyn Handle> = Arc::new(handler.with_openmetrics(true).with_about(about));
        let address = free_address().unwrap();
        let front = Front::new(vec![listen::listen(&address.to_string()).unwrap()], None).unwrap();
        let stopper = front.stopper();
        let thread = thread::spawn(move || front.run(&handler, &log).unwrap());
        Self { address, stopper, thread: Some(thread) }
    }

    fn page(&self) -> Url {
        Url { authority: self.address.to_string(), path: "/metrics".to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        self.thread.take().map(thread::JoinHandle::join).unwrap().unwrap();
    }
}

fn prometheus() {
    let server = Server::start();
    let page = server.page().get(exposition::Format::OpenMetrics).unwrap();
    assert!(page.content_type.contains("application/openmetrics-text; version=1.0.0"), "{}", page.content_type);
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.ends_with("\n# EOF\n"), "{page}");
    assert!(page.contains("\n# TYPE node_context_switches counter\nnode_context_switches_total "), "{page}");
    let is_sample = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let samples = page.lines().filter(is_sample).count();
    let folder = tempfile::tempdir().unwrap();
    let configuration = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: node, static_configs: [{{targets: ['{}']}}]}}]\n",
        server.address
    );
    fs::write(folder.path().join("prometheus.yml"), configuration).unwrap();
    let arguments = [
        format!("--config.file={}", folder.path().join("prometheus.yml").display()),
        format!("--storage.tsdb.path={}", folder.path().join("data").display()),
        "--log.level=error".to_owned(),
    ];
    let prometheus = Peer::start(&Requirement::Prometheus.path(), &arguments).expect("Prometheus starts");
    let begin = Instant::now();
    // Empty until Prometheus is ready.
    let get = |path: &str| String::from_utf8(prometheus.get(path).unwrap_or_default()).unwrap();
    let query = |query: &str| get(&format!("/api/v1/query?query={query}"));
    while !query("up").contains(",\"1\"]") {
        assert!(begin.elapsed() < UP_MAX, "{}", query("up"));
        thread::sleep(Duration::from_millis(200));
    }
    let scraped = query("scrape_samples_scraped");
    assert!(scraped.contains(&format!(",\"{samples}\"]")), "{samples} samples, and not {scraped}");
    let metadata = get("/api/v1/metadata?metric=node_context_switches");
    assert!(metadata.contains("\"type\":\"counter\""), "it was not read as OpenMetrics: {metadata}");
}

/// Path of the recording proxy's own page, with frames that contain the status page and a script that measures it.
const FRAMES: &str = "/frames";
const FRAMES_PAGE: &str = include_str!("readers/frames.html");

/// The response to a forwarded request, all headers included.
fn forwarded(to: SocketAddr, url: &str) -> String {
    let (mut stream, mut answer) = (TcpStream::connect(to).unwrap(), String::new());
    write!(stream, "GET {url} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A proxy that records the requests.
fn recording_proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&asked);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, noted) = (client.unwrap(), Arc::clone(&noted));
            thread::spawn(move || {
                let mut line = String::new();
                // A browser opens connections that it may not use.
                if BufReader::new(&client).read_line(&mut line).is_ok_and(|length| length > 0) {
                    let url = line.split(' ').nth(1).unwrap_or_default().to_owned();
                    noted.lock().unwrap().push(line.trim().to_owned());
                    let own = || format!("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{FRAMES_PAGE}");
                    let answer = if url == FRAMES { own() } else { forwarded(to, &url) };
                    let _ = client.write_all(answer.as_bytes());
                }
            });
        }
    });
    (address, asked)
}

/// The DOM of a page in Chromium, and its console output.
fn dump(url: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(Requirement::Chromium.path())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"])
        .args(["--virtual-time-budget=2000", "--dump-dom"])
        // Requests to other hosts fail, which the console reports; Chromium's own requests are switched off.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .expect("Chromium starts");
    let [page, log] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(!log.contains("CONSOLE"), "{log}");
    (page, log)
}

fn chromium() {
    let server = Server::start();
    server.page().get(exposition::Format::Text).unwrap();
    let (address, asked) = recording_proxy(server.address);
    let (page, log) = dump(&format!("http://{address}/"));
    assert!(page.contains("<h1>laptop &lt;1&gt;</h1>") && page.contains(">loadavg</a>"), "{page}\n{log}");
    let failed = "<tr class=\"failed\"><th scope=\"row\"><a href=\"/metrics?collect[]=vmstat\"";
    assert!(page.contains(failed), "{page}");
    assert_eq!(*asked.lock().unwrap(), ["GET / HTTP/1.1"], "{log}");
}

fn report() {
    let plan = Plan { exporter: "/missing/exporter".into(), peer: None, nodelab: None, effort: Effort::QUICK };
    let report = bench::run(&plan, &mut |_| ()).expect("a run");
    let of = |part: &str| report.rows.iter().find(|row| row.figure.contains(part)).expect("a row");
    assert!(of("encoding a sample, 3,000").value.is_ok(), "{}", report.text());
    assert!(of("start to first").value.is_err(), "an exporter that is not there cannot start");
    let (folder, history) = (tempfile::tempdir().unwrap(), [RunRecord::of(&report), RunRecord::of(&report)]);
    let file = folder.path().join("report.html");
    fs::write(&file, bench::html(&report, &history)).unwrap();
    let (page, _) = dump(&format!("file://{}", file.display()));
    let (collectors, sizes) = (report.collectors.len(), report.sizes.len());
    assert!(collectors > 20 && sizes > 1, "{collectors} collectors and {sizes} sizes");
    // Every collector has a labelled dot in the plot, and a row in the table.
    for cost in &report.collectors {
        // A logarithmic plot has no position for zero.
        let is_drawn = page.contains(&format!("<title>{}, ours: ", cost.name));
        assert!(is_drawn || cost.nanoseconds <= 0.0, "{}: {} ns", cost.name, cost.nanoseconds);
        assert!(page.contains(&format!("<tr><td>{}</td>", cost.name)), "{}: {page}", cost.name);
    }
    assert_eq!(page.matches("<li class=").count(), report.rows.len());
    assert!(page.contains("<h2>History</h2>") && page.trim_end().ends_with("</html>"), "{page}");
}

/// At two phone widths and one desktop width.
fn phone() {
    /// Minimum contrast of the accessibility guidelines.
    const CONTRAST_MIN: f64 = 4.5;
    const LETTERS_MIN_PX: f64 = 12.0;
    let server = Server::start();
    server.page().get(exposition::Format::Text).unwrap();
    let (address, _) = recording_proxy(server.address);
    let (page, log) = dump(&format!("http://{address}{FRAMES}"));
    let told =
        page.split_once("<pre id=\"told\">").and_then(|(_, rest)| rest.split_once("</pre>")).map(|(told, _)| told);
    let mut lines: Vec<&str> = told.unwrap_or_else(|| panic!("{page}\n{log}")).lines().collect();
    lines.sort_unstable();
    println!("{}", lines.join("\n"));
    let names: Vec<String> = lines.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(names, ["1280 dark", "1280 light", "320 dark", "320 light", "390 dark", "390 light"], "{log}");
    for line in lines {
        let number = |name: &str| -> f64 {
            let mut words = line.split(' ').skip_while(|word| *word != name).skip(1);
            words.next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{name} is not in {line}"))
        };
        assert_eq!(line.contains(" light "), number("ground") > 0.5, "{line}");
        assert!(number("contrast") >= CONTRAST_MIN, "{line}");
        assert!(number("letters") >= LETTERS_MIN_PX, "{line}");
        assert!(number("beyond") <= 0.0, "the page scrolls horizontally: {line}");
        assert!(number("heading") < 1.0, "the heading is not aligned with its column: {line}");
    }
}
