//! Hosts for measuring scrapes: in memory, at one point in time, so that every run reads the same bytes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::Roots;
use collectors::host::root::tree::Tree;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use collectors::textfile::DIRECTORY_FLAG;
use simulator::{Profile, profiles};

use crate::{host, load};

/// Seed of simulated hosts.
const SEED: u64 = 1;
/// Time of simulated hosts, in seconds since 1970.
const AT_SECONDS: u64 = 1_700_000_000;

/// A host to scrape.
#[derive(Clone, Debug)]
pub struct ScrapeTarget {
    /// Its name.
    pub name: String,
    tree: Arc<Tree>,
}

impl ScrapeTarget {
    /// Every profile with small settings, and every fixture host.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all =
            profiles().iter().map(|profile| Self::of(profile, profile.small)).collect::<io::Result<Vec<_>>>()?;
        for name in load::hosts()? {
            all.push(Self::fixture(&name)?);
        }
        Ok(all)
    }

    /// A host of a profile with changed settings, under the profile's name.
    pub fn of(profile: &'static Profile, settings: &[(&str, &str)]) -> io::Result<Self> {
        let machine = profile.machine(SEED, settings).map_err(io::Error::other)?;
        let tree = simulator::embedded(machine, || Duration::from_secs(AT_SECONDS)).tree_at(AT_SECONDS);
        Ok(Self::new(profile.name, tree))
    }

    /// A host of fixtures/hosts, with the suffix `.tree` in its name.
    pub fn fixture(name: &str) -> io::Result<Self> {
        Ok(Self::new(&format!("{name}.tree"), load::host(name)?))
    }

    /// Any host.
    pub fn new(name: &str, tree: Tree) -> Self {
        Self { name: name.to_owned(), tree: Arc::new(tree) }
    }

    /// Its files.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Roots over its files.
    pub fn roots(&self) -> Roots {
        self.tree.roots()
    }

    /// The kernel answers in its `kernel/` entries.
    pub fn kernel(&self) -> io::Result<Arc<dyn Kernel>> {
        let kernel = Canned::parse(|path| self.tree.content(path));
        Ok(Arc::new(kernel.map_err(|error| io::Error::other(format!("{}: {error}", self.name)))?))
    }

    /// A scraper with the flags of [`counted_values`]. `wrap` may wrap the roots.
    pub fn scraper(&self, wrap: impl FnOnce(Roots) -> Roots) -> io::Result<Scraper> {
        self.scraper_with(&[], wrap)
    }

    /// A scraper with further collectors.
    pub fn scraper_with(&self, enabled: &[&str], wrap: impl FnOnce(Roots) -> Roots) -> io::Result<Scraper> {
        let mut values = counted_values();
        for name in enabled {
            values.enable(name, true);
        }
        Scraper::build(ALL, &values, wrap(self.roots()), self.kernel()?).map_err(io::Error::other)
    }
}

/// The flags of every measurement: defaults, and the textfile directory of our hosts.
pub fn values() -> FlagValues {
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    values.give(&DIRECTORY_FLAG, host::TEXTFILE_DIRECTORY).expect("a directory");
    values
}

/// A collector that uses threads of its own, whose cost depends on scheduling.
const VARYING_COST: &str = "filesystem";

/// The flags for exact counts.
pub fn counted_values() -> FlagValues {
    let mut values = values();
    values.enable(VARYING_COST, false);
    values
}

/// Scrapes into a reused page.
pub fn scrape(scraper: &Scraper, page: &mut Vec<u8>) {
    page.clear();
    scraper.scrape(&Selection::ALL, |_| (), |_| (), page);
}

/// Number of samples of a page.
pub fn samples(page: &[u8]) -> usize {
    page.split(|&byte| byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scrape_gives_the_same_page() {
        for target in ScrapeTarget::all().expect("subjects") {
            let scraper = target.scraper(|roots| roots).expect("a scraper");
            let (mut first, mut second) = (Vec::new(), Vec::new());
            scrape(&scraper, &mut first);
            scrape(&scraper, &mut second);
            assert!(samples(&first) > 100, "{}: {} samples", target.name, samples(&first));
            assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second), "{}", target.name);
        }
    }
}
