//! Fixture hosts with every collector enabled.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{Kernel, clock};
use collectors::host::root::Roots;
use collectors::host::root::tree::Tree;
use collectors::kit::options::FlagValues;
use collectors::kit::page::{Finished, Format};
use collectors::kit::scraper::{Report, Scraper, Selection, Wanted};
use collectors::kit::testing;
use collectors::textfile::DIRECTORY_FLAG;
use node_exporter::instruments::VOLATILE;

use crate::load;

/// Textfile directory of the fixture hosts.
pub const TEXTFILE_DIRECTORY: &str = "/var/lib/node_exporter/textfile";

/// Flags that make collectors show more, or finish sooner.
const FLAGS: &[(&str, &str)] = &[
    ("collector.filesystem.mount-timeout", "300ms"),
    ("collector.pcidevice.names", "true"),
    ("collector.sysctl.include", "fs.file-nr:allocated,free,max"),
    ("collector.sysctl.include", "kernel.pid_max"),
    ("collector.sysctl.include-info", "net.ipv4.tcp_available_congestion_control"),
    (DIRECTORY_FLAG.name, TEXTFILE_DIRECTORY),
];

/// Result of a scrape of one host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scraped {
    /// The page.
    pub page: String,
    /// Collectors that failed, with their messages.
    pub failed: BTreeMap<&'static str, Vec<String>>,
    /// Messages of collectors that succeeded.
    pub noted: BTreeMap<&'static str, Vec<String>>,
    /// Number of duplicate samples.
    pub duplicates: usize,
}

impl Scraped {
    /// The text of a snapshot: the page without volatile values, and the messages.
    pub fn snapshot(&self) -> String {
        let mut text = testing::redacted(&self.page);
        for complaint in self.failed.values().chain(self.noted.values()).flatten() {
            let _ = writeln!(text, "! {complaint}");
        }
        text
    }
}

/// Whether a family differs between scrapes of the same host: one of a collector or of the exporter itself.
pub fn is_volatile(family: &str) -> bool {
    testing::is_volatile(family) || VOLATILE.iter().any(|start| family.starts_with(start))
}

/// A scraper of this tree with every collector enabled and mostly default flags. `wrap` may wrap the roots of the tree.
///
/// # Panics
/// If the kernel entries of the tree are invalid.
#[track_caller]
pub fn scraper(tree: Tree, wrap: impl FnOnce(Roots) -> Roots) -> Scraper {
    scraper_with(tree, &[], wrap)
}

/// A scraper with these additional flags, by name and value.
///
/// # Panics
/// As [`scraper`], and if a collector refuses a flag.
#[track_caller]
pub fn scraper_with(tree: Tree, flags: &[(&str, &str)], wrap: impl FnOnce(Roots) -> Roots) -> Scraper {
    let tree = Arc::new(tree);
    let kernel = Canned::parse(|path| tree.content(path)).unwrap_or_else(|error| panic!("the host's kernel: {error}"));
    build(wrap(tree.roots()), Arc::new(kernel), flags, |_| true)
}

/// A scraper of any host.
///
/// # Panics
/// If the flags of this file are refused.
#[track_caller]
pub fn scraper_of(roots: Roots, kernel: Arc<dyn Kernel>) -> Scraper {
    build(roots, kernel, &[], |_| true)
}

/// A scraper of any host with one collector only.
///
/// # Panics
/// As [`scraper_of`].
#[track_caller]
pub fn scraper_of_one(roots: Roots, kernel: Arc<dyn Kernel>, collector: &str) -> Scraper {
    build(roots, kernel, &[], |name| name == collector)
}

#[track_caller]
fn build(roots: Roots, kernel: Arc<dyn Kernel>, flags: &[(&str, &str)], is_enabled: impl Fn(&str) -> bool) -> Scraper {
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    for declaration in ALL.iter().map(|registration| registration.declaration) {
        values.enable(declaration.name, is_enabled(declaration.name));
        for flag in declaration.flags {
            for (_, value) in FLAGS.iter().chain(flags).filter(|(name, _)| *name == flag.name) {
                values.give(flag, value).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
    Scraper::build(ALL, &values, roots, kernel).unwrap_or_else(|error| panic!("the flags: {error}"))
}

/// The page of a host with these collectors and default flags.
pub fn page_of(tree: &Arc<Tree>, collectors: &BTreeSet<&str>) -> Result<String, String> {
    let kernel = Canned::parse(|path| tree.content(path)).map_err(|error| error.to_string())?;
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    for name in ALL.iter().map(|registration| registration.declaration.name) {
        values.enable(name, collectors.contains(name));
    }
    values.give(&DIRECTORY_FLAG, TEXTFILE_DIRECTORY)?;
    let scraper = Scraper::build(ALL, &values, tree.roots(), Arc::new(kernel))?;
    Ok(scrape(&scraper, &Selection::ALL).page)
}

/// Scrapes once.
///
/// # Panics
/// If the page is not UTF-8, which the encoder excludes.
pub fn scrape(scraper: &Scraper, selection: &Selection) -> Scraped {
    scraped(|observe, page| scraper.scrape(selection, |_| (), observe, page))
}

/// Scrapes with a deadline in real time.
///
/// # Panics
/// As [`scrape`].
pub fn scrape_within(scraper: &Arc<Scraper>, selection: &Selection, time: Duration) -> Scraped {
    let until = Some(clock::monotonic() + time);
    let wanted = Wanted { selection: selection.clone(), format: Format::Text, until };
    scraped(|observe, page| scraper.scrape_as(&wanted, |_| (), observe, page))
}

fn scraped(scrape: impl FnOnce(&mut dyn FnMut(&Report<'_>), &mut Vec<u8>) -> Finished) -> Scraped {
    let mut page = Vec::new();
    let (mut failed, mut noted) = (BTreeMap::new(), BTreeMap::new());
    let mut observe = |report: &Report<'_>| {
        let all = report.problems.shown().iter().chain(report.failure);
        let words: Vec<String> = all.map(|failure| failure.reason().to_string()).collect();
        if !report.is_success() {
            failed.insert(report.collector, words);
        } else if !words.is_empty() {
            noted.insert(report.collector, words);
        }
    };
    let finished = scrape(&mut observe, &mut page);
    let page = String::from_utf8(page).expect("pages are UTF-8");
    Scraped { page, failed, noted, duplicates: finished.duplicates }
}

/// The golden page of a fixture host, in `fixtures/hosts/<host>.prom`.
pub fn golden_page(host: &str) -> std::io::Result<String> {
    let scraper = scraper(load::host(host)?, |roots| roots);
    Ok(scrape(&scraper, &Selection::ALL).page)
}
