//! `nodelab conformance`.

use std::process::ExitCode;

use harness::conformance;

use super::{Command, Failure, Given};

pub(super) const COMMAND: Command = Command {
    name: "conformance",
    arguments: "DIR",
    about: "compare our collectors with node_exporter's end-to-end test data",
    details: "DIR holds the data: proc/, sys.ttar, udev.ttar, FLAGS.md and e2e-output.txt. Printed are, for each\n\
              collector, how many of the expected sample lines are there, and every difference.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [folder] = given.words(["DIR"])?;
    let report = conformance::run(folder.as_ref())?;
    for (collector, tally) in &report.collectors {
        println!("{:>5} of {:<5} {collector}", tally.matched, tally.expected);
        tally.differences.iter().for_each(|line| println!("        {line}"));
    }
    let (matched, expected) = report.totals();
    println!("{matched:>5} of {expected:<5} all collectors that exist here");
    println!("{} families of the expected page have no collector yet", report.unowned.len());
    report.complaints.iter().for_each(|complaint| println!("complaint: {complaint}"));
    let is_equal = report.collectors.values().all(|tally| tally.differences.is_empty());
    Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
