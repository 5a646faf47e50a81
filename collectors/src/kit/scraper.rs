//! One scrape: every selected collector, one after the other, whatever becomes of it.
//!
//! The scraper alone decides what success is, measures time and reports. A collector that fails or panics costs what it
//! did not emit and shows as `node_scrape_collector_success 0`; everything else is served.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::declare::{AnyCollector, AnyCx, Declaration, Registration};
use super::failure::{Failure, Problems};
use super::files::Scratch;
use super::kernel::Kernel;
use super::options::FlagValues;
use super::page::foreign::ForeignPage;
use super::page::{Finished, Page, PageOf};
use super::root::Roots;

/// Owns the families that tell of the scrape itself.
#[derive(Debug)]
pub struct Scrape;

crate::declare! {
    Scrape: "scrape", on, "Tells how each collector fared.";
    families {
        DURATION: Gauge "node_scrape_collector_duration_seconds" ["collector"] "Time that the collector took in this scrape.";
        SUCCESS: Gauge "node_scrape_collector_success" ["collector"] "1 when the collector read everything it wanted, 0 when something was missing or broken.";
    }
}

/// Scrapes the enabled collectors of one host.
pub struct Scraper {
    collectors: Vec<Enabled>,
    disabled: BTreeSet<&'static str>,
    roots: Roots,
    kernel: Arc<dyn Kernel>,
    /// Where the slots of [`Scrape`] begin on the page.
    scrape_base: usize,
    /// Workspaces that no scrape uses at the moment.
    workspaces: Mutex<Vec<Workspace>>,
    notices: Vec<String>,
}

impl std::fmt::Debug for Scraper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.enabled().collect();
        f.debug_struct("Scraper").field("collectors", &names).field("roots", &self.roots).finish_non_exhaustive()
    }
}

struct Enabled {
    declaration: &'static Declaration,
    base: usize,
    collector: Mutex<Box<dyn AnyCollector>>,
}

/// Memory of one scrape.
struct Workspace {
    page: Page,
    scratch: Scratch,
    problems: Problems,
}

/// The collectors of one scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// For each enabled collector, whether it runs; `None`: all of them.
    chosen: Option<Vec<bool>>,
}

impl Selection {
    /// Every enabled collector.
    pub const ALL: Self = Self { chosen: None };
}

/// How one collector fared in one scrape.
#[derive(Debug)]
pub struct Report<'a> {
    /// Which collector.
    pub collector: &'static str,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed; a failure that it went on after is in `problems`.
    pub failure: Option<&'a Failure>,
    /// What it noted.
    pub problems: &'a Problems,
}

impl Report<'_> {
    /// Whether everything was there.
    pub fn is_success(&self) -> bool {
        self.failure.is_none() && self.problems.is_harmless()
    }
}

impl Scraper {
    /// Builds the collectors that `values` has enabled, or that are on by default. The error names a flag to change.
    pub fn build(
        registrations: &[Registration],
        values: &FlagValues,
        roots: Roots,
        kernel: Arc<dyn Kernel>,
    ) -> Result<Self, String> {
        let mut scraper = Self {
            collectors: Vec::new(),
            disabled: BTreeSet::new(),
            roots,
            kernel,
            scrape_base: 0,
            workspaces: Mutex::new(Vec::new()),
            notices: Vec::new(),
        };
        for registration in registrations {
            let declaration = registration.declaration;
            if !values.enabled(declaration.name).unwrap_or(declaration.is_enabled) {
                scraper.disabled.insert(declaration.name);
                continue;
            }
            let (collector, notices) =
                registration.build(values).map_err(|error| format!("collector {}: {error}", declaration.name))?;
            scraper.notices.extend(notices);
            let collector = Mutex::new(collector);
            scraper.collectors.push(Enabled { declaration, base: scraper.scrape_base, collector });
            scraper.scrape_base += declaration.families.len();
        }
        Ok(scraper)
    }

    /// What the collectors told the operator while they were built.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The names of the enabled collectors.
    pub fn enabled(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.collectors.iter().map(|enabled| enabled.declaration.name)
    }

    /// Only these collectors. The error is a sentence for whoever asked.
    pub fn only(&self, names: &[impl AsRef<str>]) -> Result<Selection, String> {
        self.choose(names, true)
    }

    /// All but these collectors; excluding all leaves none.
    pub fn all_but(&self, names: &[impl AsRef<str>]) -> Result<Selection, String> {
        self.choose(names, false)
    }

    fn choose(&self, names: &[impl AsRef<str>], is_chosen: bool) -> Result<Selection, String> {
        let mut chosen = vec![!is_chosen; self.collectors.len()];
        for name in names {
            let name = name.as_ref();
            let Some(at) = self.enabled().position(|enabled| enabled == name) else {
                return Err(if self.disabled.contains(name) {
                    format!("The collector `{name}` is disabled here; --collector.{name} enables it.")
                } else {
                    format!("There is no collector `{name}`; --help lists all of them.")
                });
            };
            chosen[at] = is_chosen;
        }
        Ok(Selection { chosen: Some(chosen) })
    }

    /// Runs the selected collectors and appends their page to `out`. `own` may add families that no collector has;
    /// `observe` is told of each collector.
    pub fn scrape(
        &self,
        selection: &Selection,
        own: impl FnOnce(&mut ForeignPage),
        mut observe: impl FnMut(&Report<'_>),
        out: &mut Vec<u8>,
    ) -> Finished {
        let mut workspace = lock(&self.workspaces).pop().unwrap_or_else(|| self.workspace());
        workspace.page.clear();
        for (at, enabled) in self.collectors.iter().enumerate() {
            if selection.chosen.as_ref().is_none_or(|chosen| chosen.get(at).copied().unwrap_or(false)) {
                self.run(enabled, &mut workspace, &mut observe);
            }
        }
        own(&mut workspace.page.foreign);
        let finished = workspace.page.finish(out);
        lock(&self.workspaces).push(workspace);
        finished
    }

    fn workspace(&self) -> Workspace {
        let families = self.collectors.iter().map(|enabled| enabled.declaration);
        let scrape = <Scrape as super::declare::Declared>::DECLARATION;
        let families = families.chain([scrape]).flat_map(|declaration| declaration.families.iter().copied());
        Workspace { page: Page::new(families), scratch: Scratch::default(), problems: Problems::default() }
    }

    fn run(&self, enabled: &Enabled, workspace: &mut Workspace, observe: &mut impl FnMut(&Report<'_>)) {
        let Workspace { page, scratch, problems } = workspace;
        problems.clear();
        let begin = self.kernel.monotonic();
        let outcome = {
            let mut collector = lock(&enabled.collector);
            let cx = AnyCx { roots: &self.roots, scratch, page, base: enabled.base, kernel: &self.kernel, problems };
            // Only whole lines are on the page, and scratch is overwritten by every read: nothing half-done is left
            // behind but in the collector itself, whose next scrape begins anew.
            catch_unwind(AssertUnwindSafe(|| collector.collect_any(cx))).unwrap_or_else(|panic| Err(panicked(&*panic)))
        };
        let duration = self.kernel.monotonic().saturating_sub(begin);
        let collector = enabled.declaration.name;
        let report = Report { collector, duration, failure: outcome.as_ref().err(), problems };
        let mut scrape_page: PageOf<'_, Scrape> = PageOf::new(page, self.scrape_base);
        scrape_page.gauge(DURATION, [&collector], duration.as_secs_f64());
        scrape_page.gauge(SUCCESS, [&collector], report.is_success());
        observe(&report);
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure::error(format_args!("panicked, please report this: {}", message.unwrap_or("no message")))
}

/// A collector that panicked is used again: see [`Scraper::run`].
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
