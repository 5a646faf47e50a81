//! `nodelab conformance`.

use std::process::ExitCode;

use harness::conformance;

use super::{Command, Failure, Given};

pub(super) const COMMAND: Command = Command {
    name: "conformance",
    arguments: "DIR",
    about: "compare our collectors with node_exporter's end-to-end test data",
    details: "DIR is a checkout of node_exporter of any version, its folder collector/fixtures, or a folder with\n\
              that data and its flags in FLAGS.md. Archives are read in place. Printed are, per collector, the\n\
              number of matching sample lines and every difference.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [folder] = given.words(["DIR"])?;
    let report = conformance::run(folder.as_ref())?;
    for (collector, tally) in &report.collectors {
        say!("{:>5} of {:<5} {collector}", tally.matched, tally.expected);
        tally.differences.iter().for_each(|line| say!("        {line}"));
    }
    let (matched, expected) = report.totals();
    say!("{matched:>5} of {expected:<5} all collectors");
    say!("{} families of the expected page belong to no collector", report.unowned.len());
    report.unknown_flags.iter().for_each(|flag| say!("unknown flag of the run: {flag}"));
    report.complaints.iter().for_each(|complaint| say!("complaint: {complaint}"));
    let is_equal = report.collectors.values().all(|tally| tally.differences.is_empty());
    Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
