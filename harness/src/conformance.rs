//! Conformance: node_exporter's own end-to-end test data, read in place, against our collectors.
//!
//! Its folder holds the input (a `proc` folder, `sys.ttar`, `udev.ttar`, …), the flags of the run and the expected
//! page. Comparison are the families of our collectors: every sample line, the order of samples and families, and each
//! TYPE line. HELP texts are not compared.

mod compare;
#[cfg(target_os = "linux")]
pub mod directory;
mod layout;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use collectors::ALL;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::{Node, Tree};
use collectors::kit::scraper::{Scraper, Selection};
use collectors::kit::testing::Scraped;
use node_exporter::flags::Command;
use node_exporter::host::fixtures;
use node_exporter::instruments::Instruments;
use simulator::recording::archive::ttar;

use crate::exposition::{self, Exposition};
use crate::load;
use layout::Layout;

pub use compare::{SERVER, Tally};

/// Result of the comparison.
#[derive(Default, Debug)]
pub struct Report {
    /// Result of each collector, by name; [`SERVER`] stands for the exporter's own families.
    pub collectors: BTreeMap<&'static str, Tally>,
    /// Families of the expected page that belong to no collector.
    pub unowned: Vec<String>,
    /// Families of both pages that are at another position in ours.
    pub misplaced: Vec<String>,
    /// Problems that the collectors reported.
    pub complaints: Vec<String>,
    /// Flags of the run that our exporter does not have.
    pub unknown_flags: Vec<String>,
}

impl Report {
    /// Matched and expected sample lines of all collectors.
    pub fn totals(&self) -> (usize, usize) {
        let tallies = self.collectors.values();
        tallies.fold((0, 0), |(matched, expected), tally| (matched + tally.matched, expected + tally.expected))
    }
}

/// Runs our collectors on the test data of a node_exporter checkout, or on that data alone, and compares the page.
pub fn run(folder: &Path) -> io::Result<Report> {
    let layout = Layout::find(folder)?;
    let (arguments, unknown_flags) = arguments(&layout);
    let scraper = scraper(&arguments, tree(&layout.folder)?).map_err(io::Error::other)?;
    let scraped = scrape(&scraper)?;
    let enabled: Vec<&str> = scraper.enabled().collect();
    let report = Report { complaints: scraped.complaints, unknown_flags, ..Report::default() };
    judge(&layout, &scraped.page, &enabled, report)
}

/// The flags of the run that our exporter has, and those that it does not have.
fn arguments(layout: &Layout) -> (Vec<&str>, Vec<String>) {
    let (arguments, unknown): (Vec<&str>, Vec<&str>) =
        layout.flags.arguments.iter().map(String::as_str).partition(is_known);
    (arguments, unknown.into_iter().map(str::to_owned).collect())
}

/// Compares a page with the expected one.
fn judge(layout: &Layout, page: &str, enabled: &[&str], mut report: Report) -> io::Result<Report> {
    let expected = text(&layout.folder.join(layout::PAGE))?;
    let ours = parse("our page", page)?;
    let expected = parse(layout::PAGE, &expected)?;
    compare::compare(&ours, &expected, &layout.flags.left_out, enabled, &mut report);
    Ok(report)
}

/// The scraper of an exporter that is started with these arguments on this host.
fn scraper(arguments: &[&str], tree: Tree) -> Result<Scraper, String> {
    let settings = match node_exporter::flags::parse(ALL, arguments.iter().map(Into::into))? {
        Command::Serve(settings) => settings,
        other => return Err(format!("the command line asks for {other:?}")),
    };
    let tree = Arc::new(tree);
    let kernel = Canned::parse(|path| tree.content(path)).map_err(|error| error.to_string())?;
    Scraper::build(ALL, &settings.values, tree.roots().with_sys_place(SYS_PLACE), Arc::new(kernel))
}

/// The first page of an exporter, with its own metrics.
fn scrape(scraper: &Scraper) -> io::Result<Scraped> {
    let instruments = Instruments::new(true).map_err(io::Error::other)?;
    instruments.begun();
    let (mut page, mut complaints, mut clashes) = (Vec::new(), Vec::new(), 0);
    let finished = scraper.scrape(
        &Selection::ALL,
        |foreign| clashes = instruments.families().filter_map(|family| foreign.add(family).err()).count(),
        |report| {
            let all = report.problems.shown().iter().chain(report.failure);
            complaints.extend(all.map(|failure| failure.reason().to_string()));
        },
        &mut page,
    );
    if clashes > 0 {
        complaints.push(format!("{clashes} families of the exporter itself clash with collectors"));
    }
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    Ok(Scraped { page, complaints, duplicates: finished.duplicates })
}

fn parse<'a>(name: &str, page: &'a str) -> io::Result<Exposition<'a>> {
    exposition::parse(page.as_bytes()).map_err(|defects| {
        let defects: Vec<String> = defects.iter().map(|defect| format!("{name}:{defect}")).collect();
        io::Error::other(defects.join("\n"))
    })
}

fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(load::bytes(path)?).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// The host in the test data: files and kernel answers.
pub fn tree(folder: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    load::folder(&folder.join("proc"), "proc", &mut tree)?;
    // In a copy of the data this link may be a file that holds its target.
    let own = tree.content("proc/self").map(|target| target.trim_ascii().to_vec());
    if let Some(target) = own.filter(|target| !target.is_empty()) {
        let node = Node::link(target);
        tree.remove("proc/self");
        tree.insert("proc/self", node).map_err(|error| io::Error::other(format!("proc/self: {error}")))?;
    }
    // Older versions have only some of them.
    for (name, place) in [("usr", "rootfs/usr"), ("textfile", "host/textfile")] {
        if load::is_folder(&folder.join(name)) {
            load::folder(&folder.join(name), place, &mut tree)?;
        }
    }
    let archive = |name: &str, tree: &mut Tree, place: fn(&str) -> Option<String>| {
        ttar::read(&load::bytes(&folder.join(name))?, tree, place)
            .map_err(|error| io::Error::other(format!("{name}: {error}")))
    };
    archive("sys.ttar", &mut tree, |path| Some(path.to_owned()))?;
    if load::exists(&folder.join("udev.ttar")) {
        archive("udev.ttar", &mut tree, |path| path.strip_prefix("udev/data/").map(|path| format!("udev/{path}")))?;
    }
    let kernel = |path: &str| KERNEL.iter().find(|(own, _)| *own == path).map(|(_, content)| content.as_bytes());
    let kernel = Canned::parse(kernel).map_err(io::Error::other)?;
    for (path, content) in answers(folder, kernel)?.entries() {
        tree.insert(path, Node::file(content)).map_err(|error| io::Error::other(format!("{path}: {error}")))?;
    }
    Ok(tree)
}

/// Adds the recorded netlink answers in `qdisc/` and `wifi/`. Older versions have only some of them.
fn answers(folder: &Path, mut kernel: Canned) -> io::Result<Canned> {
    let [qdisc, wifi] = ["qdisc", "wifi"].map(|name| folder.join(name));
    if load::exists(&qdisc.join("results.json")) {
        kernel = fixtures::with_qdiscs(&qdisc, kernel).map_err(io::Error::other)?;
    }
    if load::exists(&wifi.join("interfaces.json")) {
        kernel = fixtures::with_wifi(&wifi, kernel).map_err(io::Error::other)?;
    }
    Ok(kernel)
}

/// The path of /sys in the expected page.
const SYS_PLACE: &str = "collector/fixtures/sys";

/// The machine of the expected page had one device, an idle `lo`.
const KERNEL: &[(&str, &str)] = &[
    ("kernel/clock", "unix_seconds 1700000000\nzone UTC 0\n"),
    ("kernel/links", "lo index=1 protocol_type=772 flags=0x49 mtu=65536 rx_bytes=0 tx_bytes=0\n"),
];

/// Whether our exporter has this flag.
fn is_known(argument: &&str) -> bool {
    let name = argument.trim_start_matches('-').trim_start_matches("no-");
    let name = name.split('=').next().unwrap_or_default();
    ALL.iter().map(|registration| registration.declaration).any(|declaration| {
        name.strip_prefix("collector.") == Some(declaration.name)
            || declaration.flags.iter().any(|flag| flag.name == name)
    })
}
