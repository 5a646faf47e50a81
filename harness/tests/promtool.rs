//! Prometheus' own judge of pages finds no error of form in any golden page.

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use harness::load;
use harness::needs::{self, Need};

/// promtool's exit codes: 0 all is well, 3 names that break today's naming rules (node_exporter's own do), else an
/// error of form.
const NAMING_ONLY: i32 = 3;

fn main() -> ExitCode {
    needs::run(&[
        ("promtool_finds_no_error_of_form_in_golden_pages", &[Need::Promtool], golden_pages),
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
