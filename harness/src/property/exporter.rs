//! Something that makes a page of a host.

use std::sync::Arc;

use collectors::ALL;
use collectors::host::kernel::Kernel;
use collectors::host::root::Roots;
use collectors::kit::declare::Declaration;
use collectors::kit::scraper::Selection;

use crate::{host, pattern};

/// An exporter on a host: each call is a scrape.
pub type Opened = Box<dyn FnMut() -> Vec<u8>>;

/// Something that makes a page of a host: a collector of ours, or anybody's exporter.
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

    /// The files that it asks for: patterns such as `proc/net/dev` and `sys/class/net/*/mtu`, where `*` stands for any
    /// part of a name, and a last `**` for all that is below.
    fn reads(&self) -> Vec<String>;

    /// The families of its page; one that ends with `*` stands for all that begin so.
    fn families(&self) -> Vec<String>;

    /// Begins to export a host. A page may be empty where the host has nothing of the kind.
    fn open(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened;

    /// The same over files of which something is broken, and which may say things twice.
    fn open_broken(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened {
        self.open(roots, kernel)
    }

    /// Families, as in [`Self::families`], of counters that may fall although nothing happens: those that are levels by
    /// what they mean, and those that begin again after 32 bits.
    fn may_fall(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it tells what no file says, so that an empty host has a page as well.
    fn asks_the_kernel(&self) -> bool {
        false
    }
}

/// One of our collectors.
#[derive(Clone, Copy, Debug)]
pub struct Ours(pub &'static Declaration);

impl Ours {
    /// Each of them.
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

    /// What is there twice is written once; only a sound file never says it twice.
    fn open_broken(&self, roots: Roots, kernel: Arc<dyn Kernel>) -> Opened {
        self.opened(roots, kernel, true)
    }

    /// The first is kept as node_exporter has it; of the others the kernel has 32 bits.
    fn may_fall(&self) -> &'static [&'static str] {
        &["node_lnstat_entries_total", "node_softnet_*", "node_xfs_*"]
    }

    /// What it asks is declared nowhere; that it asks nothing else is the compiler's matter.
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
            // The scraper catches what panics, and says so.
            let panicked: Vec<&String> = words.filter(|words| words.contains("panicked")).collect();
            assert!(panicked.is_empty(), "{panicked:?}");
            assert!(may_repeat || scraped.duplicates == 0, "{} samples were emitted twice", scraped.duplicates);
            let own = |name: &str| name.starts_with("node_scrape_");
            let family = |line: &str| line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").to_owned();
            scraped.page.split_inclusive('\n').filter(|line| !own(&family(line))).collect::<String>().into_bytes()
        })
    }
}
