//! The exporter under test.

use std::sync::Arc;

use collectors::ALL;
use collectors::host::kernel::Kernel;
use collectors::host::root::Roots;
use collectors::kit::declare::Declaration;
use collectors::kit::scraper::Selection;

use crate::{host, pattern};

/// An exporter of one host: each call is a scrape.
pub type Opened = Box<dyn FnMut() -> Vec<u8>>;

/// Something that makes a page of a host: one of our collectors, or another exporter.
///
/// ```
/// use std::sync::Arc;
/// use collectors::host::kernel::Kernel;
/// use collectors::host::root::{Mount, Roots};
/// use harness::property::{Exporter, Opened};
///
/// struct Uptime;
///
/// impl Exporter for Uptime {
///     fn name(&self) -> &str {
///         "uptime"
///     }
///     fn reads(&self) -> Vec<String> {
///         vec!["proc/uptime".to_owned()]
///     }
///     fn families(&self) -> Vec<String> {
///         vec!["host_uptime_seconds".to_owned()]
///     }
///     fn open(&self, roots: Roots, _: Arc<dyn Kernel>) -> Opened {
///         Box::new(move || {
///             let mut content = Vec::new();
///             if roots.get(Mount::Proc).read(b"uptime", &mut content, 4096).is_err() {
///                 return Vec::new();
///             }
///             let text = String::from_utf8_lossy(&content);
///             match text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()) {
///                 Some(seconds) => format!("# TYPE host_uptime_seconds gauge\nhost_uptime_seconds {seconds}\n").into_bytes(),
///                 None => Vec::new(),
///             }
///         })
///     }
/// }
/// ```
pub trait Exporter {
    /// Its name.
    fn name(&self) -> &str;

    /// The files that it reads: patterns such as `proc/net/dev` and `sys/class/net/*/mtu`, where `*` matches within a
    /// name and a trailing `**` everything below.
    fn reads(&self) -> Vec<String>;

    /// Its families; a trailing `*` matches any suffix.
    fn families(&self) -> Vec<String>;

    /// Begins to export a host. A page may be empty if the host has nothing to export.
    fn open(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened;

    /// Begins to export a host with faults, whose files may contain duplicates.
    fn open_broken(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened {
        self.open(roots, kernel)
    }

    /// Families, as in [`Self::families`], of counters that may fall without an event: levels with a counter type, and
    /// counters that wrap at 32 bits.
    fn may_fall(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it has families that come from the kernel, not from files, so that an empty host has a page as well.
    fn asks_the_kernel(&self) -> bool {
        false
    }
}

/// One of our collectors.
#[derive(Clone, Copy, Debug)]
pub struct Ours(pub &'static Declaration);

impl Ours {
    /// All of them.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        ALL.iter().map(|registration| Self(registration.declaration))
    }
}

impl Exporter for Ours {
    fn name(&self) -> &str {
        self.0.name
    }

    fn reads(&self) -> Vec<String> {
        self.0.reads.iter().map(pattern::of).collect()
    }

    fn families(&self) -> Vec<String> {
        let exact = self.0.families.iter().map(|family| family.name.to_owned());
        let begins = self.0.prefixes.iter().map(|prefix| format!("{}*", prefix.name));
        let foreign = self.0.foreign.map(|_| "*".to_owned());
        exact.chain(begins).chain(foreign).collect()
    }

    fn open(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened {
        self.opened(roots, kernel, false)
    }

    /// Duplicate samples are written once; only a faulty file has them.
    fn open_broken(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened {
        self.opened(roots, kernel, true)
    }

    /// The first family has a counter type for compatibility with node_exporter; the kernel's counters of the other
    /// ones have 32 bits.
    fn may_fall(&self) -> &'static [&'static str] {
        &["node_lnstat_entries_total", "node_softnet_*", "node_xfs_*"]
    }

    /// Kernel questions are not declared, so any collector may have some.
    fn asks_the_kernel(&self) -> bool {
        true
    }
}

impl Ours {
    fn opened(self, roots: Roots, kernel: Arc<dyn Kernel>, may_repeat: bool) -> Opened {
        let scraper = host::scraper_of_one(roots, kernel, self.0.name);
        Box::new(move || {
            let scraped = host::scrape(&scraper, &Selection::ALL);
            let words = scraped.failed.values().flatten();
            // The scraper catches panics and reports them.
            let panicked: Vec<&String> = words.filter(|words| words.contains("panicked")).collect();
            assert!(panicked.is_empty(), "{panicked:?}");
            assert!(may_repeat || scraped.duplicates == 0, "{} duplicate samples", scraped.duplicates);
            let own = |name: &str| name.starts_with("node_scrape_");
            let family = |line: &str| line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").to_owned();
            scraped.page.split_inclusive('\n').filter(|line| !own(&family(line))).collect::<String>().into_bytes()
        })
    }
}
