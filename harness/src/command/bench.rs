//! `nodelab bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use harness::bench::history::{self, Entry};
use harness::bench::{self, Effort, Plan};
use harness::load;

use super::progress::Progress;
use super::{Command, Failure, Flag, Given, print};

const AGAINST: Flag =
    Flag::value("against", "PROGRAM", "Exporter to compare with; it must take node_exporter's flags.");
const EXPORTER: Flag = Flag::value("exporter", "PROGRAM", "Our exporter. Default: the node_exporter beside nodelab.");
const INSTRUCTIONS: Flag =
    Flag::switch("instructions", "Count the instructions of every collector with valgrind; takes minutes.");
const QUICK: Flag = Flag::switch("quick", "Smoke test: short measurements, one run. The figures mean nothing.");
const HTML: Flag = Flag::value("html", "FILE", "Write a self-contained page with plots.");
const HISTORY: Flag =
    Flag::value("history", "FILE", "Append the figures with goals to this file, and plot its earlier runs.");
const JSON: Flag = Flag::value("json", "FILE", "Write all results as JSON.");
const MARKDOWN: Flag = Flag::value("markdown", "FILE", "Write the figures with goals as a Markdown table.");

pub(super) const COMMAND: Command = Command {
    name: "bench",
    arguments: "",
    about: "measure scrapes beside plain reads of the same files and another exporter",
    details: "Plain reads open, read and close the files of a scrape once without parsing them. Measured hosts are\n\
              this machine, node_exporter's test tree as a directory (a fixture host without\n\
              ../shared/conformance), and simulated hosts of growing size. Servers run on loopback and are stopped\n\
              at the end.\n\
              \nEvery figure is the median of several runs; what is compared is measured in turns. Build nodelab and\n\
              node_exporter with --release.\n",
    flags: &[AGAINST, EXPORTER, INSTRUCTIONS, QUICK, HTML, HISTORY, MARKDOWN, JSON],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    given.words([])?;
    let nodelab = std::env::current_exe()?;
    let beside = || nodelab.with_file_name(format!("node_exporter{}", std::env::consts::EXE_SUFFIX));
    let exporter = given.path(EXPORTER.name).map_or_else(beside, PathBuf::from);
    if !load::exists(&exporter) {
        let problem = "no such file; run cargo build --release, or give the path with --exporter";
        return Err(Failure::of(exporter.display(), problem));
    }
    let peer = given.path(AGAINST.name).map(PathBuf::from);
    if let Some(missing) = peer.as_ref().filter(|peer| !load::exists(peer)) {
        return Err(Failure::of(missing.display(), "no such file; --against takes the path of an exporter"));
    }
    let effort = if given.has(QUICK.name) { Effort::QUICK } else { Effort::FULL };
    let is_counted = given.has(INSTRUCTIONS.name);
    let plan = Plan { exporter, peer, nodelab: is_counted.then_some(nodelab), effort };
    let progress = Progress::new("measuring");
    let report = bench::run(&plan, &mut |what| progress.now(what))?;
    drop(progress);
    let history = match given.path(HISTORY.name) {
        Some(path) => history::append(path, &Entry::of(&report))?,
        None => Vec::new(),
    };
    if let Some(path) = given.path(HTML.name) {
        load::write(path, bench::html(&report, &history).as_bytes())?;
    }
    if let Some(path) = given.path(JSON.name) {
        load::write(path, format!("{:#}\n", report.json()).as_bytes())?;
    }
    if let Some(path) = given.path(MARKDOWN.name) {
        load::write(path, report.markdown().as_bytes())?;
    }
    Ok(print(&report.text()))
}
