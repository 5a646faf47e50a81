//! `nodelab gates`.

use std::fmt::Write as _;
use std::process::ExitCode;

use harness::gates::{self, Measured, Verdict, budget, outside};
use harness::load;

use super::{Arguments, Command, Failure, Flag, print};

const ACCEPT: Flag = Flag::switch("accept", "Write the measured figures to harness/budget.txt. Review the diff.");
const HOST: Flag = Flag::value("host", "PREFIX", "Show only hosts whose name begins with PREFIX.");

/// Exit status if a figure differs from its budget.
const OFF_STATUS: u8 = 3;

pub(super) const COMMAND: Command = Command {
    name: "gates",
    arguments: "",
    about: "count the cost of scrapes and compare it with the budget",
    details: "Counted are file accesses, bytes, memory, samples, and latency on a virtual clock, for every profile\n\
              and fixture host; system calls if strace is installed, instructions if valgrind is. Each figure is\n\
              compared with harness/budget.txt; a lower one is reported too.\n",
    flags: &[HOST, ACCEPT],
    exits: &[(OFF_STATUS, "a figure differs from harness/budget.txt")],
    run,
};

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    given.words([])?;
    let (measured, budget) = measured(given.has(ACCEPT.name))?;
    let lines = gates::compare(&measured, &budget);
    let prefix = given.texts(HOST.name)?.first().copied().unwrap_or_default();
    let mut text = String::new();
    for line in lines.iter().filter(|line| line.key.0.starts_with(prefix)) {
        let _ = writeln!(text, "{line}");
    }
    for (figure, reason) in &measured.skipped {
        let _ = writeln!(text, "left out: {figure}: {reason}");
    }
    print(&text);
    if given.has(ACCEPT.name) {
        write(&measured, &budget)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(complaint) = gates::complaint(&lines) {
        eprint!("{complaint}");
        return Ok(ExitCode::from(OFF_STATUS));
    }
    let kept = lines.iter().filter(|line| line.standing == Verdict::Kept).count();
    Ok(print(&format!("{kept} figures equal harness/budget.txt\n")))
}

/// The measured figures and the budget, which may be missing if a new one is to be written.
fn measured(may_be_missing: bool) -> Result<(Measured, budget::Figures), Failure> {
    let nodelab = std::env::current_exe()?;
    let mut measured = gates::counted()?;
    outside::syscalls(&nodelab, &mut measured)?;
    outside::instructions(&nodelab, &mut measured)?;
    let budget =
        if may_be_missing && !load::exists(&budget::path()) { budget::Figures::new() } else { budget::read()? };
    Ok((measured, budget))
}

/// Writes the measured figures; returns whether the budget changed.
fn write(measured: &Measured, budget: &budget::Figures) -> Result<bool, Failure> {
    let accepted = gates::accepted(measured, budget);
    load::write(&budget::path(), budget::write(&accepted).as_bytes())?;
    Ok(accepted != *budget)
}

/// Measures and updates the budget; returns whether it changed.
pub(super) fn accept() -> Result<bool, Failure> {
    let (measured, budget) = measured(true)?;
    write(&measured, &budget)
}
