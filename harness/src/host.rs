//! A fixture host with every collector switched on.

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

/// Where the fixture hosts keep their textfiles.
pub const TEXTFILE_DIRECTORY: &str = "/var/lib/node_exporter/textfile";

/// Flags without which a collector has nothing to show, or shows it after a long time.
const FLAGS: &[(&str, &str)] = &[
    ("collector.filesystem.mount-timeout", "300ms"),
    ("collector.pcidevice.names", "true"),
    ("collector.sysctl.include", "fs.file-nr:allocated,free,max"),
    ("collector.sysctl.include", "kernel.pid_max"),
    ("collector.sysctl.include-info", "net.ipv4.tcp_available_congestion_control"),
    (DIRECTORY_FLAG.name, TEXTFILE_DIRECTORY),
];

/// What a scrape of one host gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scraped {
    /// The page.
    pub page: String,
    /// The collectors that failed, with what each said.
    pub failed: BTreeMap<&'static str, Vec<String>>,
    /// What collectors noted that did not fail.
    pub noted: BTreeMap<&'static str, Vec<String>>,
    /// Samples that were there twice.
    pub duplicates: usize,
}

impl Scraped {
    /// What a snapshot of it holds: the page without what is volatile, and what the collectors said.
    pub fn snapshot(&self) -> String {
        let mut text = testing::redacted(&self.page);
        for complaint in self.failed.values().chain(self.noted.values()).flatten() {
            let _ = writeln!(text, "! {complaint}");
        }
        text
    }
}

/// Whether a family has other values in each scrape of the same host: a collector's, or the exporter's own.
pub fn is_volatile(family: &str) -> bool {
    testing::is_volatile(family) || VOLATILE.iter().any(|start| family.starts_with(start))
}

/// A scraper of this tree with every collector on and the flags at their defaults, but for a few that make collectors
/// show what they can. `wrap` may put other roots over the tree's.
///
/// # Panics
/// When the tree's kernel entries cannot be read: a broken fixture.
#[track_caller]
pub fn scraper(tree: Tree, wrap: impl FnOnce(Roots) -> Roots) -> Scraper {
    scraper_with(tree, &[], wrap)
}

/// The same with these flags besides, by name and value.
///
/// # Panics
/// As [`scraper`], and when a collector refuses a flag.
#[track_caller]
pub fn scraper_with(tree: Tree, flags: &[(&str, &str)], wrap: impl FnOnce(Roots) -> Roots) -> Scraper {
    let tree = Arc::new(tree);
    let kernel = Canned::parse(|path| tree.content(path)).unwrap_or_else(|error| panic!("the host's kernel: {error}"));
    build(wrap(tree.roots()), Arc::new(kernel), flags, |_| true)
}

/// The same of any host.
///
/// # Panics
/// When the flags are refused, which are those of this file.
#[track_caller]
pub fn scraper_of(roots: Roots, kernel: Arc<dyn Kernel>) -> Scraper {
    build(roots, kernel, &[], |_| true)
}

/// The same with one collector alone.
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

/// The page of a host with these collectors, and the flags at their defaults.
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
/// When the page is no UTF-8, which the page's encoder excludes.
pub fn scrape(scraper: &Scraper, selection: &Selection) -> Scraped {
    scraped(|observe, page| scraper.scrape(selection, |_| (), observe, page))
}

/// The same that has to end within a time, of the clock on the wall.
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

/// The page of a fixture host, as `fixtures/hosts/<host>.prom` holds it.
pub fn golden_page(host: &str) -> std::io::Result<String> {
    let scraper = scraper(load::host(host)?, |roots| roots);
    Ok(scrape(&scraper, &Selection::ALL).page)
}
