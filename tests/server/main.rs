//! The binary as a process: start, requests over TCP, end by signals.
#![cfg(any(target_os = "linux", feature = "simulator"))]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the test starts clients")]

mod exporter;
#[cfg(target_os = "linux")]
mod listening;
#[cfg(target_os = "linux")]
mod shutdown;
#[cfg(target_os = "linux")]
mod stuck_collectors;

use std::process::Command;
use std::time::{Duration, Instant};

use exporter::Exporter;

#[test]
fn pages_are_served() {
    let exporter = Exporter::simulated(&[]);
    exporter.check("/metrics", 200, "\nnode_load1 ");
    exporter.check("/metrics?collect[]=loadavg", 200, "node_scrape_collector_success{collector=\"loadavg\"} 1\n");
    exporter.check("/metrics?exclude[]=loadavg", 200, "node_scrape_collector_success{collector=\"vmstat\"}");
    exporter.check("/metrics?collect[]=nothing", 400, "There is no collector `nothing`");
    exporter.check("/metrics?collect[]=loadavg&exclude[]=loadavg", 400, "cannot be combined");
    exporter.check("/", 200, "href=\"/metrics\"");
    exporter.check("/nothing", 404, "Page not found");
    let answer = exporter.get("/metrics");
    assert!(answer.head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{}", answer.head);
    assert!(answer.body.contains("\npromhttp_metric_handler_requests_total{code=\"200\"} 3\n"), "{}", answer.body);
    assert!(answer.body.contains("\nnode_exporter_build_info{"), "{}", answer.body);
    assert_eq!(answer.body.contains("\nprocess_resident_memory_bytes "), cfg!(target_os = "linux"));
}

#[test]
fn the_log_describes_what_is_served() {
    let exporter = Exporter::simulated(&["--collector.disable-defaults", "--collector.loadavg"]);
    for expected in
        ["msg=\"Starting node_exporter\" version=\"(version=", "msg=\"Enabled collectors\"\n", "msg=loadavg\n"]
    {
        assert!(exporter.start.contains(expected), "{expected}\nis not in\n{}", exporter.start);
    }
    assert_eq!(exporter.start.contains("Serving a simulated host"), cfg!(feature = "simulator"), "{}", exporter.start);
    assert!(!exporter.start.contains("msg=vmstat"), "{}", exporter.start);
}

#[test]
fn flags_change_what_is_served() {
    let arguments = ["--web.telemetry-path=/m", "--web.disable-exporter-metrics", "--no-collector.loadavg"];
    let exporter = Exporter::simulated(&arguments);
    exporter.check("/metrics", 404, "");
    exporter.check("/m?collect[]=loadavg", 400, "disabled");
    let page = exporter.get("/m").body;
    assert!(page.contains("node_exporter_build_info{") && page.contains("node_scrape_collector_success{"), "{page}");
    assert!(!page.contains("promhttp_") && !page.contains("process_") && !page.contains("node_load1"), "{page}");
}

#[test]
fn a_request_on_a_kept_connection_has_no_delay() {
    // A delayed ACK comes after 40 ms on Linux, later elsewhere.
    const MEDIAN_MAX: Duration = Duration::from_millis(25);
    let exporter = Exporter::simulated(&[]);
    // A cheap page, so that the delay dominates.
    let median = median(&mut exporter.connect(), "/metrics?collect[]=loadavg");
    println!("median request on a kept connection: {median:?}");
    assert!(median < MEDIAN_MAX, "{median:?}");
}

#[test]
fn a_response_to_head_has_no_body() {
    let exporter = Exporter::simulated(&[]);
    let mut connection = exporter.connect();
    let head = connection.ask("HEAD", "/metrics");
    assert_eq!(head.status, 200);
    // The next bytes are the next response, not a body.
    assert_eq!(connection.ask("GET", "/").status, 200);
    // Without a body, POST is answered as GET.
    let page = connection.ask("POST", "/metrics");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("\nnode_load1 "), "{}", page.body);
    assert_eq!(connection.ask("PUT", "/metrics").status, 405);
}

/// Output, errors and exit status of a command.
fn run(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_node_exporter")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn help_and_version_are_printed() {
    let (help, errors, status) = run(&["--help"]);
    assert!(help.starts_with("usage: node_exporter [<flags>]\n") && help.contains("\n      --[no-]collector.loadavg "));
    assert_eq!((errors.as_str(), status), ("", Some(0)));
    let (version, errors, status) = run(&["--version"]);
    assert!(version.starts_with("node_exporter, version "), "{version}");
    assert_eq!((errors.as_str(), status), ("", Some(0)));
}

/// Like `node_exporter --help | head -n 1`.
#[cfg(unix)]
#[test]
fn a_closed_output_pipe_is_no_error() {
    for argument in ["--help", "--version"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let command = &mut Command::new(env!("CARGO_BIN_EXE_node_exporter"));
        let output = command.arg(argument).stdout(writer).output().unwrap();
        assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()), ("", Some(0)));
    }
}

#[track_caller]
fn fails(arguments: &[&str], expected: &str) {
    let (output, errors, status) = run(arguments);
    assert!(errors.contains(expected), "{expected}\nis not in\n{errors}");
    assert_eq!((output.as_str(), status), ("", Some(1)));
}

#[test]
fn invalid_flags_end_it_with_an_error() {
    fails(
        &["--collector.loadvag"],
        "node_exporter: error: unknown flag --collector.loadvag (did you mean --collector.loadavg?), try --help\n",
    );
    fails(&["@missing"], "node_exporter: error: arguments file `missing`: ");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--web.listen-address={}", taken.local_addr().unwrap());
    fails(
        &["--simulate", &address],
        &if cfg!(feature = "simulator") { address.clone() } else { "feature `simulator`".to_owned() },
    );
    if cfg!(target_os = "linux") {
        fails(&["--path.procfs=/missing"], "--path.procfs: /missing: no such file or directory");
    }
}

/// A running `minimal` exporter and its address.
fn minimal() -> (std::process::Child, std::net::SocketAddr) {
    use std::io::BufRead;
    let mut command = Command::new(env!("CARGO_BIN_EXE_minimal"));
    let mut child = command.arg("0").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/metrics"));
    (child, address.expect("an address").parse().unwrap())
}

/// Median time of a request on a kept connection.
fn median(connection: &mut exporter::Connection, url: &str) -> Duration {
    const REQUESTS: usize = 41;
    let ask = |_| {
        let begin = Instant::now();
        assert_eq!(connection.ask("GET", url).status, 200);
        begin.elapsed()
    };
    let mut times: Vec<_> = (0..REQUESTS).map(ask).collect();
    times.sort();
    times[REQUESTS / 2]
}

#[test]
fn the_minimal_exporter_serves_the_same_collectors_without_delay() {
    // A delayed ACK costs 40 ms; a page of this machine takes a few.
    const MEDIAN_MAX: Duration = Duration::from_millis(35);
    let lines = include_str!("../../src/bin/minimal.rs").lines().count();
    assert!(lines <= 60, "the smallest exporter has {lines} lines");
    let (mut child, address) = minimal();
    assert!(address.ip().is_loopback(), "{address}");
    let connect = || exporter::Connection::new(std::net::TcpStream::connect(address).unwrap());
    let (page, other) = (connect().ask("GET", "/metrics?"), connect().ask("GET", "/metrics"));
    let median = median(&mut connect(), "/metrics");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((page.status, other.status), (404, 200));
    assert!(other.body.contains("\nnode_load1 "), "{}", other.body);
    println!("median page of the minimal exporter: {median:?}");
    assert!(median < MEDIAN_MAX, "{median:?}");
}

#[test]
fn arguments_come_from_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags");
    std::fs::write(&path, "# what to do\n\n--version\n").unwrap();
    let (version, _, status) = run(&[&format!("@{}", path.display())]);
    assert!(version.starts_with("node_exporter, version ") && status == Some(0), "{version}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_status_page_shows_no_content_of_files() {
    use std::io::BufRead;
    let [textfiles, secret] = [0; 2].map(|_| tempfile::tempdir().unwrap());
    let file = secret.path().join("shadow");
    std::fs::write(&file, format!("root:SECRET{}\n", "S".repeat(4_000))).unwrap();
    std::os::unix::fs::symlink(&file, textfiles.path().join("a.prom")).unwrap();
    let directory = format!("--collector.textfile.directory={}", textfiles.path().display());
    let mut exporter = Exporter::start(&[&directory, "--collector.disable-defaults", "--collector.textfile"]);
    let metrics = exporter.get("/metrics").body;
    let status = exporter.get("/").body;
    for page in [&metrics, &status] {
        assert!(!page.contains("SECRET"), "{page}");
    }
    assert!(status.contains("a.prom:1: "), "{status}");
    let mut line = String::new();
    while !line.contains("a.prom") {
        line.clear();
        assert_ne!(exporter.log.read_line(&mut line).unwrap(), 0);
    }
    assert!(line.len() < 1_000, "{line}");
}
