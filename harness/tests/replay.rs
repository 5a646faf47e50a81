//! A failing test prints how to run it again: these tests run themselves and fail there on purpose. Also: `nodelab`
//! accepts a closed output pipe.
#![expect(clippy::disallowed_methods, reason = "an environment variable marks the run that fails on purpose")]

use std::process::{Command, ExitCode, Stdio};

use harness::needs;

/// Set in the run that fails on purpose.
const FAILS: &str = "NODELAB_FAILS_ON_PURPOSE";

fn main() -> ExitCode {
    if std::env::var_os(FAILS).is_some() {
        return needs::run(&[("one_that_fails", &[], || panic!("on purpose")), ("one_that_passes", &[], || ())]);
    }
    needs::run(&[
        ("a_test_that_fails_says_how_to_run_it_again", &[], prints_the_command),
        ("a_reader_that_has_seen_enough_is_no_mistake", &[], accepts_a_closed_pipe),
    ])
}

/// Output of the run that fails, with these arguments, and whether it passed.
fn run(arguments: &[&str]) -> (String, bool) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let output = command.args(arguments).env(FAILS, "1").output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

fn prints_the_command() {
    let (text, is_passed) = run(&[]);
    assert!(!is_passed && text.contains("on purpose"), "{text}");
    let command = "cargo test -p harness --test replay -- ";
    let again = text.lines().find_map(|line| line.split_once("to run it again: ")?.1.strip_prefix(command));
    let again = again.unwrap_or_else(|| panic!("no such line:\n{text}"));
    // The printed command runs that test only.
    let (text, is_passed) = run(&again.split(' ').collect::<Vec<_>>());
    assert!(!is_passed && text.contains("running 1 test") && text.contains("on purpose"), "{text}");
    let (text, is_passed) = run(&["--exact", "one_that_passes"]);
    assert!(is_passed && text.contains("running 1 test"), "{text}");
}

fn accepts_a_closed_pipe() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodelab"));
    let mut child =
        command.args(["fuzz", "--list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
