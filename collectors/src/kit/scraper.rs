//! Runs the selected collectors one after the other and makes their page.
//!
//! The scraper alone decides success, measures time and reports. A collector that fails or panics costs what it did not
//! emit and shows as `node_scrape_collector_success 0`; everything else is served. In a scrape with a deadline
//! ([`Wanted::until`], [`Round`]) a late collector costs its own families. The thread that runs it stays with it until it
//! returns; until then no other thread runs that collector.

mod round;
mod slot;

pub use round::Round;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::declare::{AnyCx, Declaration, Registration};
use super::failure::{Failure, Problems, panic_words};
use super::files::Scratch;
use super::options::FlagValues;
use super::page::foreign::ForeignPage;
use super::page::{Binder, Finished, Format, Page, PageOf};
use super::workers::Workers;
use crate::host::kernel::Kernel;
use crate::host::root::Roots;
use round::{Outcome, Progress};
use slot::{Absence, Slot, Turn, Wait};

/// Maximum number of threads that run collectors or wait for late ones.
const RUNNERS_MAX: usize = 256;

/// Owns the families about the scrape itself.
#[derive(Debug)]
pub struct Scrape;

crate::declare! {
    Scrape: "scrape", on, "Duration and success of each collector.";
    labels {
        PerCollector { collector }
    }
    families {
        DURATION: volatile Gauge "node_scrape_collector_duration_seconds" PerCollector "Time that the collector took in this scrape.";
        SUCCESS: Gauge "node_scrape_collector_success" PerCollector "1 when the collector read everything it wanted, 0 when something was missing or broken.";
    }
}

/// Scrapes the enabled collectors of one host.
pub struct Scraper {
    collectors: Vec<Enabled>,
    disabled: BTreeSet<&'static str>,
    roots: Roots,
    kernel: Arc<dyn Kernel>,
    /// Workspaces that no scrape uses.
    workspaces: Mutex<Vec<Workspace>>,
    /// Buffers that no thread of a scrape uses.
    scratches: Mutex<Vec<Scratch>>,
    runners: Arc<Workers>,
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
    slot: Slot,
}

/// Memory of one scrape.
#[derive(Default)]
struct Workspace {
    /// One for each collector, and one for [`Scrape`]. The page of a running collector is absent.
    pages: Vec<Option<Page>>,
    progress: Vec<Progress>,
    outcome: Outcome,
    foreign: ForeignPage,
    binder: Binder,
}

/// A scrape's parameters.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which collectors run.
    pub selection: Selection,
    /// Format of the page.
    pub format: Format,
    /// Deadline by [`clock::monotonic`](crate::host::kernel::clock::monotonic); without one, all collectors are waited for.
    pub until: Option<Duration>,
}

/// How one collector fared in one scrape.
#[derive(Debug)]
pub struct Report<'a> {
    /// Which collector.
    pub collector: &'static str,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed. A failure after which it went on is in `problems`.
    pub failure: Option<&'a Failure>,
    /// Failures after which it went on.
    pub problems: &'a Problems,
    /// How many samples it emitted.
    pub samples: usize,
    /// Whether it was left out because it had not answered by the deadline.
    pub is_late: bool,
}

impl Report<'_> {
    /// Whether nothing was missing or broken.
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
            workspaces: Mutex::default(),
            scratches: Mutex::default(),
            runners: Arc::new(Workers::new("scrape", RUNNERS_MAX)),
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
            scraper.collectors.push(Enabled { declaration, slot: Slot::new(collector) });
        }
        Ok(scraper)
    }

    /// Messages of the collectors to the operator, from when they were built.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The kernel that the collectors ask.
    pub fn kernel(&self) -> &dyn Kernel {
        &*self.kernel
    }

    /// The names of the enabled collectors.
    pub fn enabled(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.declarations().map(|declaration| declaration.name)
    }

    /// Declarations of the enabled collectors.
    pub fn declarations(&self) -> impl ExactSizeIterator<Item = &'static Declaration> {
        self.collectors.iter().map(|enabled| enabled.declaration)
    }

    /// Runs the selected collectors, in the caller's thread, and appends their page to `out`. `own` may add families
    /// that no collector has; `observe` gets a report of each collector.
    pub fn scrape(
        &self,
        selection: &Selection,
        own: impl FnOnce(&mut ForeignPage),
        mut observe: impl FnMut(&Report<'_>),
        out: &mut Vec<u8>,
    ) -> Finished {
        let mut workspace = self.workspace();
        self.run_all(selection, &mut workspace, &mut observe);
        self.finish(workspace, own, Format::Text, out)
    }

    /// Scrapes with these parameters, as [`Scraper::scrape`] does.
    pub fn scrape_as(
        self: &Arc<Self>,
        wanted: &Wanted,
        own: impl FnOnce(&mut ForeignPage),
        mut observe: impl FnMut(&Report<'_>),
        out: &mut Vec<u8>,
    ) -> Finished {
        if let Some(until) = wanted.until {
            return self.scrape_until(until, &wanted.selection, wanted.format, own, observe, out);
        }
        let mut workspace = self.workspace();
        self.run_all(&wanted.selection, &mut workspace, &mut observe);
        self.finish(workspace, own, wanted.format, out)
    }

    fn run_all(&self, selection: &Selection, workspace: &mut Workspace, observe: &mut impl FnMut(&Report<'_>)) {
        let mut scratch = lock(&self.scratches).pop().unwrap_or_default();
        let mut outcome = std::mem::take(&mut workspace.outcome);
        for (at, enabled) in self.collectors.iter().enumerate().filter(|(at, _)| selection.has(*at)) {
            let Some(place) = workspace.pages.get_mut(at) else { continue };
            let page = place.get_or_insert_with(|| Page::new(enabled.declaration.families.iter().copied()));
            self.run(enabled, page, &mut scratch, &mut outcome, None, |_| true);
            self.report(at, &outcome, &mut workspace.pages, observe);
        }
        workspace.outcome = outcome;
        lock(&self.scratches).push(scratch);
    }

    fn workspace(&self) -> Workspace {
        self.roots.begin_scrape();
        let kept = lock(&self.workspaces).pop();
        let mut workspace = kept.unwrap_or_default();
        workspace.pages.iter_mut().flatten().for_each(Page::clear);
        workspace.foreign.clear();
        workspace.pages.resize_with(self.collectors.len() + 1, || None);
        if let Some(own @ None) = workspace.pages.last_mut() {
            *own = Some(Self::own_page());
        }
        workspace
    }

    /// The page of [`Scrape`].
    fn own_page() -> Page {
        let scrape = <Scrape as super::declare::Declared>::DECLARATION;
        Page::new(scrape.families.iter().copied())
    }

    fn finish(
        &self,
        mut workspace: Workspace,
        own: impl FnOnce(&mut ForeignPage),
        format: Format,
        out: &mut Vec<u8>,
    ) -> Finished {
        let Workspace { pages, foreign, binder, .. } = &mut workspace;
        let others = pages.iter_mut().flatten().map(|page| foreign.take(&mut page.foreign));
        let clashes: Vec<String> = others.flatten().collect();
        own(foreign);
        let mut finished = binder.bind(pages, foreign, format, out);
        finished.clashes.extend(clashes);
        lock(&self.workspaces).push(workspace);
        finished
    }

    /// Takes the collector, which may `wait` for another scrape, and runs it if `begins` agrees.
    fn run(
        &self,
        enabled: &Enabled,
        page: &mut Page,
        scratch: &mut Scratch,
        outcome: &mut Outcome,
        wait: Option<Wait>,
        begins: impl FnOnce(Turn) -> bool,
    ) {
        let Outcome { duration, failure, problems, is_late } = outcome;
        problems.clear();
        *is_late = false;
        let begin = self.kernel.monotonic();
        let result = match enabled.slot.take(wait) {
            Ok((mut collector, turn)) => {
                let cx = AnyCx { roots: &self.roots, scratch, page, kernel: &self.kernel, problems };
                // Only whole lines are on the page, and scratch is overwritten by every read: nothing half-done is left
                // behind but in the collector itself, whose next scrape begins anew.
                let run = AssertUnwindSafe(|| if begins(turn) { collector.collect_any(cx) } else { Ok(()) });
                let result = catch_unwind(run).unwrap_or_else(|panic| Err(panicked(&*panic)));
                enabled.slot.put(collector);
                scratch.release_if_large();
                result
            }
            Err(absence) => {
                *is_late = true;
                Err(match absence {
                    Absence::Busy => Failure::error(round::BUSY),
                    Absence::Stuck(time) => Failure::error(format_args!(
                        "has not answered for {} s, since a scrape before this one asked it",
                        time.as_secs()
                    )),
                })
            }
        };
        *duration = self.kernel.monotonic().saturating_sub(begin);
        *failure = result.err();
    }

    /// Puts on the page how a collector fared, and reports it to `observe`.
    fn report(&self, idx: usize, outcome: &Outcome, pages: &mut [Option<Page>], observe: &mut impl FnMut(&Report<'_>)) {
        let Some(enabled) = self.collectors.get(idx) else { return };
        let samples = pages.get(idx).and_then(Option::as_ref).map_or(0, Page::samples);
        let Outcome { duration, failure, problems, is_late } = outcome;
        let collector = enabled.declaration.name;
        let report =
            Report { collector, duration: *duration, failure: failure.as_ref(), problems, samples, is_late: *is_late };
        if let Some(Some(page)) = pages.get_mut(self.collectors.len()) {
            let mut page: PageOf<'_, Scrape> = PageOf::new(page);
            page.gauge(DURATION, PerCollector { collector: &collector }, duration.as_secs_f64());
            page.gauge(SUCCESS, PerCollector { collector: &collector }, report.is_success());
        }
        observe(&report);
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    Failure::error(format_args!("panicked, please report this: {}", panic_words(panic)))
}

/// Locks a mutex whose content is consistent even where a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn has(&self, at: usize) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.get(at).copied().unwrap_or(false))
    }
}

impl Scraper {
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
}
