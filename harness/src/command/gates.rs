//! `nodelab gates`.

use std::fmt::Write as _;
use std::process::ExitCode;

use harness::gates::{self, Standing, budget, outside};
use harness::load;

use super::{Command, Failure, Flag, Given, print};

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

fn run(given: &Given) -> Result<ExitCode, Failure> {
    given.words([])?;
    let nodelab = std::env::current_exe()?;
    let mut measured = gates::counted()?;
    outside::syscalls(&nodelab, &mut measured)?;
    outside::instructions(&nodelab, &mut measured)?;
    let budget = match budget::read() {
        // There is no budget yet at the first run.
        Err(_) if given.has(ACCEPT.name) && !load::exists(&budget::path()) => budget::Figures::new(),
        budget => budget?,
    };
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
        load::write(&budget::path(), budget::write(&gates::accepted(&measured, &budget)).as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(complaint) = gates::complaint(&lines) {
        eprint!("{complaint}");
        return Ok(ExitCode::from(OFF_STATUS));
    }
    let kept = lines.iter().filter(|line| line.standing == Standing::Kept).count();
    Ok(print(&format!("{kept} figures equal harness/budget.txt\n")))
}
