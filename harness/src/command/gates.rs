//! `nodelab gates`.

use std::fmt::Write as _;
use std::process::ExitCode;

use harness::gates::{self, Standing, budget, outside};
use harness::load;

use super::{Command, Failure, Flag, Given, print};

const ACCEPT: Flag = Flag::switch("accept", "Write what was found to harness/budget.txt. Look at the difference.");
const HOST: Flag = Flag::value("host", "PREFIX", "Show only the hosts whose names begin so.");

/// The status where a figure is not as written down.
const OFF_STATUS: u8 = 3;

pub(super) const COMMAND: Command = Command {
    name: "gates",
    arguments: "",
    about: "count what scrapes cost, beside what they may cost",
    details: "Counted are questions to files, bytes, memory, samples, and latency on a virtual clock, for every profile and\n\
              fixture host; system calls where strace is, instructions where valgrind is. Each is compared with\n\
              harness/budget.txt, and what costs less than written there is told as well.\n",
    flags: &[HOST, ACCEPT],
    exits: &[(OFF_STATUS, "a figure is not as harness/budget.txt has it")],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    given.words([])?;
    let nodelab = std::env::current_exe()?;
    let mut measured = gates::counted()?;
    outside::syscalls(&nodelab, &mut measured)?;
    outside::instructions(&nodelab, &mut measured)?;
    let budget = match budget::read() {
        // The first time there is none.
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
    Ok(print(&format!("{kept} figures are as harness/budget.txt has them\n")))
}
