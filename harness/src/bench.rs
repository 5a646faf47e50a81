//! Cost of scrapes: beside a plain read of the same files, beside another exporter, and against goals.
//!
//! Every figure is a count, or a ratio of measurements taken in turns in one run; each is the median of several runs.
//! Times are CPU times, so that other load on the machine changes them little; instructions are counted where perf can.

mod against;
mod bench_host;
mod client;
pub mod history;
mod html;
mod inner;
mod measure;
mod plot;
mod process;
pub mod report;
mod served;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::host::root::tree::Tree;

pub use html::page as html;

use crate::gates::outside;
use crate::requirements::Requirement;
use crate::{conformance, load as files};
use bench_host::BenchHost;
use report::{BenchRow, Bound, CollectorCost, Report, Unit};

/// Extent of a bench run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Number of runs; figures are their medians.
    pub runs: usize,
    /// Duration of one measurement in one run.
    pub time: Duration,
    /// Duration of one measurement where a run has many of them.
    pub short: Duration,
    /// Scrapes of a server in one run.
    pub scrapes: u32,
    /// Scrapes after which memory must not have grown.
    pub many_scrapes: u32,
    /// Duration of the measurement with parallel clients.
    pub parallel_time: Duration,
    /// Whether large hosts are left out.
    pub is_quick: bool,
}

impl Effort {
    /// For published figures.
    pub const FULL: Self = Self {
        runs: 5,
        time: Duration::from_millis(200),
        short: Duration::from_millis(20),
        scrapes: 60,
        many_scrapes: 10_000,
        parallel_time: Duration::from_secs(10),
        is_quick: false,
    };
    /// For a smoke test.
    pub const QUICK: Self = Self {
        runs: 1,
        time: Duration::from_millis(5),
        short: Duration::from_millis(1),
        scrapes: 3,
        many_scrapes: 20,
        parallel_time: Duration::from_millis(300),
        is_quick: true,
    };
}

/// Configuration of a bench run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Path of our exporter.
    pub exporter: PathBuf,
    /// Path of the exporter to compare with.
    pub peer: Option<PathBuf>,
    /// Path of this program, if the instructions of every collector are to be counted.
    pub nodelab: Option<PathBuf>,
    /// Extent of the run.
    pub effort: Effort,
}

/// Runs all measurements. A figure that cannot be measured is in the report with the reason. `tell` receives the
/// progress.
pub fn run(plan: &Plan, tell: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let effort = plan.effort;
    let mut report = Report { unix_seconds: clock::now().as_secs(), about: about(plan), ..Report::default() };
    let live = BenchHost::live();
    let (tree_name, tree) = tree()?;
    let tree = BenchHost::unpacked(tree_name, tree)?;
    if let Some(peer) = &plan.peer {
        report.rows.extend(against::costs(plan, peer, &live, &tree, tell));
    }
    tell("scrapes beside plain reads");
    report.rows.push(inner::against_plain_reads(
        "a live scrape without HTTP and gzip, beside plain reads",
        0.7,
        &live,
        effort,
    ));
    report.rows.push(inner::against_plain_reads("a scrape of a directory, beside plain reads", 1.0, &tree, effort));
    tell("samples encoded");
    report.rows.extend(inner::encoding(effort));
    report.rows.push(inner::allocating("heap allocations of a steady live scrape without textfile", &live));
    report.rows.push(inner::allocating("heap allocations of a steady scrape of a directory", &tree));
    tell("hosts of growing size");
    report.sizes = inner::sizes(effort)?;
    report.rows.push(inner::linearity(&report.sizes));
    report.rows.extend(served::rows(plan, &live, &tree, tell));
    if let Some(peer) = &plan.peer {
        report.rows.extend(against::parallel_clients(plan, peer, &live, tell));
    }
    tell("collectors one by one");
    report.collectors = collectors(plan, &tree).unwrap_or_else(|error| {
        report.about.push(("collectors one by one", format!("not measured: {error}")));
        Vec::new()
    });
    Ok(report)
}

/// The directory to measure: node_exporter's own test tree where available.
fn tree() -> io::Result<(&'static str, Tree)> {
    if Requirement::ConformanceData.is_available() {
        return Ok(("node_exporter's test tree", conformance::tree(&Requirement::ConformanceData.path())?));
    }
    Ok(("fixtures/hosts/laptop.tree", files::host("laptop")?))
}

fn collectors(plan: &Plan, tree: &BenchHost) -> io::Result<Vec<CollectorCost>> {
    let mut costs = inner::collectors(tree, plan.effort)?;
    if let Some(peer) = &plan.peer {
        let theirs = against::durations(plan, peer, tree)?;
        for cost in &mut costs {
            cost.peer_nanoseconds = theirs.get(cost.name).map(|seconds| seconds * 1e9);
        }
    }
    if let Some(nodelab) = plan.nodelab.as_ref().filter(|_| Requirement::Valgrind.is_available()) {
        for cost in &mut costs {
            let only = [format!("--collector={}", cost.name)];
            cost.instructions = outside::instructions_of(nodelab, "laptop.tree", &only).ok();
        }
    }
    Ok(costs)
}

fn about(plan: &Plan) -> Vec<(&'static str, String)> {
    let build =
        if cfg!(debug_assertions) { "dev: times are not representative, build with --release" } else { "release" };
    let mut about = vec![
        ("system", format!("{}/{}", node_exporter::version::system(), node_exporter::version::architecture())),
        ("build", format!("{build}, {}", node_exporter::version::COMPILER)),
        ("medians of", format!("{} runs", plan.effort.runs)),
    ];
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    about.push(("processors", processors.to_string()));
    about.extend(plan.peer.as_ref().map(|peer| ("peer", peer.display().to_string())));
    about
}

/// A measured figure with its details; an error is shown as its value.
fn row(
    figure: &'static str,
    unit: Unit,
    bound: Bound,
    measure: impl FnOnce() -> io::Result<(f64, String)>,
) -> BenchRow {
    let (value, details) = match measure() {
        Ok((value, details)) => (Ok(value), details),
        Err(error) => (Err(error.to_string()), String::new()),
    };
    BenchRow { figure, unit, bound, value, details }
}
