//! Prometheus' own judge of pages finds no error of form in any golden page.

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use collectors::kit::scraper::Selection;
use harness::needs::{self, Need};
use harness::{exposition, host, load};
use simulator::Host;

/// promtool's exit codes: 0 all is well, 3 names that break today's naming rules (node_exporter's own do), else an
/// error of form.
const NAMING_ONLY: i32 = 3;

fn main() -> ExitCode {
    needs::run(&[
        ("promtool_finds_no_error_of_form_in_golden_pages", &[Need::Promtool], golden_pages),
        ("promtool_finds_no_error_of_form_in_pages_of_simulated_hosts", &[Need::Promtool], simulated_pages),
        ("promtool_does_find_errors_of_form", &[Need::Promtool], broken_page),
    ])
}

fn golden_pages() {
    for host in load::hosts().expect("fixtures/hosts") {
        let page = load::bytes(&load::workspace().join(format!("fixtures/hosts/{host}.prom"))).expect("a golden page");
        let (code, said) = check(&page);
        println!("{host}.prom: promtool exits {code}");
        assert!(code == 0 || code == NAMING_ONLY, "{host}.prom: promtool exits {code}: {said}");
    }
}

fn simulated_pages() {
    for profile in simulator::profiles() {
        let machine = profile.machine(1, profile.small).expect("settings of the profile");
        let tree = Host::new(machine, || Duration::ZERO).tree_at(1_700_000_000);
        let page = host::scrape(&host::scraper(tree, |roots| roots), &Selection::ALL).page;
        exposition::parse(page.as_bytes()).unwrap_or_else(|defects| panic!("{}: {defects:?}", profile.name));
        let (code, said) = check(page.as_bytes());
        println!("{}: promtool exits {code}", profile.name);
        assert!(code == 0 || code == NAMING_ONLY, "{}: promtool exits {code}: {said}", profile.name);
    }
}

/// The check above can fail.
fn broken_page() {
    let (code, _) = check(b"# TYPE a gauge\n# TYPE a gauge\na 1\n");
    assert!(code != 0 && code != NAMING_ONLY, "promtool accepts a second TYPE line");
}

fn check(page: &[u8]) -> (i32, String) {
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
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}
