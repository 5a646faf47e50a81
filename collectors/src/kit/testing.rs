//! Test support for collectors: a host as the text of a `.tree` file, and the expected samples.
//!
//! ```
//! use collectors::kit::testing::given;
//! use collectors::loadavg::Loadavg;
//!
//! given("== proc/loadavg\n0.21 0.37 0.39 1/719 19737\n")
//!     .emits::<Loadavg>("node_load1 0.21\nnode_load15 0.39\nnode_load5 0.37\n");
//! ```

pub mod emitter;
pub mod gate;

use std::sync::Arc;

use super::declare::{Collect, Declared, Registration};
use super::options::{FlagKind, FlagValues};
use super::scraper::{Scrape, Scraper, Selection};
use crate::host::kernel::Kernel;
use crate::host::kernel::canned::Canned;
use crate::host::root::tree::Tree;
use crate::host::tree_text;

/// A host with these entries, in the format of fixtures/README.md without the first line. Kernel answers are entries
/// below `kernel/`.
///
/// # Panics
/// If the text is not a valid tree.
#[track_caller]
pub fn given(entries: &str) -> Given {
    let text = format!("nodelab tree 1\n{entries}");
    let tree = tree_text::parse(text.as_bytes()).unwrap_or_else(|error| panic!("the test's tree: {error}"));
    Given::tree(tree)
}

/// The host of a test.
#[derive(Debug)]
pub struct Given {
    tree: Tree,
    kernel: Option<Arc<dyn Kernel>>,
    arguments: Vec<String>,
    sys_place: Option<String>,
}

/// The result of a scrape.
#[derive(Debug)]
pub struct Scraped {
    /// The whole page.
    pub page: String,
    /// Problems and failures of the collectors.
    pub complaints: Vec<String>,
    /// Number of omitted duplicates.
    pub duplicates: usize,
}

/// Whether the family is declared volatile.
pub fn is_volatile(family: &str) -> bool {
    let declarations = crate::ALL.iter().map(|registration| registration.declaration).chain([Scrape::DECLARATION]);
    declarations.flat_map(|declaration| declaration.families).any(|own| own.name == family && own.is_volatile)
}

/// The page with a mark in place of each value of a volatile family, for comparisons.
pub fn redacted(page: &str) -> String {
    let line = |line: &str| {
        let name = line.split([' ', '{']).next().unwrap_or_default();
        match line.rsplit_once(' ') {
            Some((series, _)) if is_volatile(name) => format!("{series} [volatile]\n"),
            _ => format!("{line}\n"),
        }
    };
    page.lines().map(line).collect()
}

impl Given {
    /// A host with this tree and the kernel answers of its `kernel/` entries.
    pub fn tree(tree: Tree) -> Self {
        Self { tree, kernel: None, arguments: Vec::new(), sys_place: None }
    }

    /// Sets flags in the form of the command line: `--collector.x=y`, `--no-collector.z`.
    #[must_use]
    pub fn flags(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self
    }

    /// Sets the path of /sys that labels show.
    #[must_use]
    pub fn sys_place(mut self, place: &str) -> Self {
        self.sys_place = Some(place.to_owned());
        self
    }

    /// Replaces the kernel of the tree.
    #[must_use]
    pub fn kernel(mut self, kernel: impl Kernel + 'static) -> Self {
        self.kernel = Some(Arc::new(kernel));
        self
    }

    /// Replaces the kernel of the tree by one that the test also uses.
    #[must_use]
    pub fn shared_kernel(mut self, kernel: Arc<dyn Kernel>) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// Expects success with exactly these samples, in the order of the page.
    #[track_caller]
    pub fn emits<C: Collect>(self, expected: &str) {
        let scraped = self.scrape::<C>();
        assert_eq!(scraped.samples(), expected);
        assert_eq!(scraped.complaints, <[String; 0]>::default());
        assert_eq!(scraped.duplicates, 0, "duplicate samples");
    }

    /// Expects failure with exactly these samples and with `complaint` in one of the problems.
    #[track_caller]
    pub fn fails<C: Collect>(self, expected: &str, complaint: &str) {
        let scraped = self.scrape::<C>();
        assert_eq!(scraped.samples(), expected);
        let complaints = scraped.complaints;
        assert!(complaints.iter().any(|found| found.contains(complaint)), "`{complaint}` is not in {complaints:#?}");
    }

    /// Expects an error about the flags that contains `complaint`.
    #[track_caller]
    pub fn is_refused<C: Collect>(self, complaint: &str) {
        let error = self.scraper::<C>().map(|_| ()).expect_err("flags to be refused");
        assert!(error.contains(complaint), "`{complaint}` is not in `{error}`");
    }

    /// Scrapes once.
    #[track_caller]
    pub fn scrape<C: Collect>(self) -> Scraped {
        let scraper = self.scraper::<C>().unwrap_or_else(|error| panic!("the test's flags: {error}"));
        scrape(&scraper)
    }

    /// A scraper of this host and of collector `C`, for tests that scrape more than once.
    pub fn scraper<C: Collect>(mut self) -> Result<Scraper, String> {
        let registration = Registration::of::<C>();
        self.arguments.insert(0, format!("--collector.{}", registration.declaration.name));
        self.scraper_of(&[registration])
    }

    /// A scraper of this host with the enabled ones of these collectors.
    pub fn scraper_of(self, registrations: &[Registration]) -> Result<Scraper, String> {
        let mut values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        for argument in &self.arguments {
            give(&mut values, registrations, argument)?;
        }
        let tree = Arc::new(self.tree);
        let kernel = match self.kernel {
            Some(kernel) => kernel,
            None => Arc::new(canned(&tree)),
        };
        let mut roots = tree.roots();
        if let Some(place) = &self.sys_place {
            roots = roots.with_sys_place(place);
        }
        Scraper::build(registrations, &values, roots, kernel)
    }
}

/// The kernel that the `kernel/` entries of a tree describe.
///
/// # Panics
/// If one of them is malformed.
#[track_caller]
fn canned(tree: &Tree) -> Canned {
    Canned::parse(|name| tree.content(name)).unwrap_or_else(|error| panic!("the test's kernel: {error}"))
}

fn give(values: &mut FlagValues, registrations: &[Registration], argument: &str) -> Result<(), String> {
    let text = argument.strip_prefix("--").ok_or_else(|| format!("{argument}: no flag"))?;
    let (name, value) = text.split_once('=').unwrap_or((text, "true"));
    let (name, value) = name.strip_prefix("no-").map_or((name, value), |name| (name, "false"));
    let mut declarations = registrations.iter().map(|registration| registration.declaration);
    let is_named = |collector: &&str| name.strip_prefix("collector.") == Some(*collector);
    if let Some(collector) = declarations.clone().map(|declaration| declaration.name).find(is_named) {
        values.enable(collector, value == "true");
        return Ok(());
    }
    let flag = declarations.find_map(|declaration| declaration.flags.iter().find(|flag| flag.name == name));
    let flag = flag.ok_or_else(|| format!("--{name}: no flag of these collectors"))?;
    assert!(text.contains('=') || flag.kind == FlagKind::Switch, "--{name} wants a value");
    values.give(flag, value)
}

/// Scrapes once with all enabled collectors.
pub fn scrape(scraper: &Scraper) -> Scraped {
    let mut complaints = Vec::new();
    let mut page = Vec::new();
    let finished = scraper.scrape(
        &Selection::ALL,
        |_| (),
        |report| {
            let all = report.problems.shown().iter().chain(report.failure);
            complaints.extend(all.map(|failure| failure.reason().to_string()));
        },
        &mut page,
    );
    Scraped { page: String::from_utf8(page).expect("pages are UTF-8"), complaints, duplicates: finished.duplicates }
}

impl Scraped {
    /// The sample lines, without those about the scrape itself.
    pub fn samples(&self) -> String {
        let is_sample = |line: &&str| !line.starts_with('#') && !line.starts_with("node_scrape_");
        self.page.split_inclusive('\n').filter(is_sample).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::prelude::*;

    /// Emits one series `--collector.repeater.count` times.
    struct Repeater(u64);

    crate::declare! {
        Repeater: "repeater", on, "Repeated samples.";
        flags {
            COUNT: Whole "collector.repeater.count" = "1", "Number of samples.";
        }
        families {
            REPEATED: Gauge "node_repeated" () "A repeated sample.";
        }
    }

    impl Collect for Repeater {
        fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
            Ok(Self(options.get(COUNT)))
        }

        fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
            (0..self.0).for_each(|_| cx.page.gauge(REPEATED, (), true));
            Ok(())
        }
    }

    #[test]
    fn a_single_sample_is_no_duplicate() {
        given("").emits::<Repeater>("node_repeated 1\n");
    }

    #[test]
    #[should_panic(expected = "duplicate samples")]
    fn a_duplicate_sample_fails_the_test_of_its_collector() {
        given("").flags(&["--collector.repeater.count=2"]).emits::<Repeater>("node_repeated 1\n");
    }

    #[test]
    fn volatile_values_are_replaced_by_marks() {
        let page = "# TYPE node_scrape_collector_duration_seconds gauge\n\
            node_scrape_collector_duration_seconds{collector=\"cpu\"} 0.5\nnode_load1 0.5\n";
        let expected = "# TYPE node_scrape_collector_duration_seconds gauge\n\
            node_scrape_collector_duration_seconds{collector=\"cpu\"} [volatile]\nnode_load1 0.5\n";
        assert_eq!(redacted(page), expected);
        assert!(is_volatile("node_scrape_collector_duration_seconds") && !is_volatile("node_time_seconds"));
    }
}
