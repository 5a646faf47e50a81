//! `nodelab accept`.

use std::process::{Command as Process, ExitCode, Stdio};

use harness::{generated, load, snapshots};

use super::{Arguments, Command, Failure, Flag, gates};

const TABLES_ONLY: Flag =
    Flag::switch("tables-only", "Update tables, golden pages and fingerprints only; the rest takes minutes.");

/// The test targets of this package that write snapshots.
const SNAPSHOT_TESTS: &[&str] =
    &["--test=hosts", "--test=faults", "--test=scenarios", "--test=simulated", "--example=own_exporter"];

pub(super) const COMMAND: Command = Command {
    name: "accept",
    arguments: "",
    about: "update every file that is derived from declarations and fixtures",
    details: "Tables in README.md and docs/, golden pages of fixtures/hosts, snapshots of the tests, the budget\n\
              and the fingerprints of simulated hosts. Review the diff before you commit it: these files describe\n\
              what the collectors do.\n",
    flags: &[TABLES_ONLY],
    exits: &[],
    run,
};

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    given.words([])?;
    for file in generated::all()? {
        if !file.is_up_to_date() {
            load::write(&file.full_path(), file.content.as_bytes())?;
            say!("wrote {}", file.path);
        }
    }
    if given.has(TABLES_ONLY.name) {
        return Ok(ExitCode::SUCCESS);
    }
    // First, because it counts the costs of this program, which the build of the tests may replace.
    if gates::accept()? {
        say!("wrote harness/budget.txt");
    }
    accept_snapshots()?;
    say!("updated snapshots");
    Ok(ExitCode::SUCCESS)
}

/// Runs the tests that write snapshots, with permission to update them.
fn accept_snapshots() -> Result<(), Failure> {
    let mut command = Process::new("cargo");
    command.args(["test", "--quiet", "--package=harness"]).args(SNAPSHOT_TESTS).current_dir(load::workspace());
    command.env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1").env(snapshots::ACCEPT_VARIABLE, "1");
    let status = command.stdout(Stdio::null()).status().map_err(|error| Failure::of("cargo test", error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::of("cargo test", format!("{status}; fix the failing tests above")))
    }
}
