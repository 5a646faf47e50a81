//! Runs the selected collectors one after another and builds their page.
//!
//! The scraper decides about success, measures time and reports. When a collector fails or panics, the page lacks the
//! samples that it did not emit, and has `node_scrape_collector_success 0`. In a scrape with a deadline
//! ([`Wanted::until`], [`Round`]) the page lacks the families of late collectors. The thread of a late collector stays with
//! it until it returns; until then no other thread runs that collector.

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
use super::pool::{Limits, Pool, Task};
use crate::host::kernel::Kernel;
use crate::host::root::Roots;
use round::{Outcome, Progress};
use slot::{Absence, Slot, Turn, Wait};

/// Threads that run collectors or wait for late ones. A round abandons the collector instead of the job, because the
/// job returns it.
const RUNNERS: Limits = Limits { name: "scrape", threads_max: 256, stuck_max: 0, stack_bytes: None };

/// Declares the families about the scrape itself.
#[derive(Debug)]
pub struct Scrape;

crate::declare! {
    Scrape: "scrape", on, "Duration and success of each collector.";
    labels {
        PerCollector { collector }
    }
    families {
        DURATION: volatile Gauge "node_scrape_collector_duration_seconds" PerCollector "Duration of the collector in this scrape, in seconds.";
        SUCCESS: Gauge "node_scrape_collector_success" PerCollector "1 if the collector succeeded, 0 if it failed or had no data.";
    }
}

/// Scrapes the enabled collectors of one host.
pub struct Scraper {
    collectors: Vec<Enabled>,
    disabled: BTreeSet<&'static str>,
    roots: Roots,
    kernel: Arc<dyn Kernel>,
    /// Idle workspaces.
    workspaces: Mutex<Vec<Workspace>>,
    /// Idle read buffers.
    scratches: Mutex<Vec<Scratch>>,
    runners: Pool<Task>,
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
    /// The page of each collector, and that of [`Scrape`]; `None` while the collector runs.
    pages: Vec<Option<Page>>,
    progress: Vec<Progress>,
    outcome: Outcome,
    foreign: ForeignPage,
    binder: Binder,
}

/// A scrape's parameters.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The collectors to run.
    pub selection: Selection,
    /// Format of the page.
    pub format: Format,
    /// Deadline by [`clock::monotonic`](crate::host::kernel::clock::monotonic); `None` waits for all collectors.
    pub until: Option<Duration>,
}

/// The result of a collector in a scrape.
#[derive(Debug)]
pub struct Report<'a> {
    /// The collector's name.
    pub collector: &'static str,
    /// Duration.
    pub duration: Duration,
    /// The failure that ended it.
    pub failure: Option<&'a Failure>,
    /// Problems that did not end it.
    pub problems: &'a Problems,
    /// Number of emitted samples.
    pub samples: usize,
    /// Whether it was omitted because it had not returned by the deadline.
    pub is_late: bool,
}

impl Report<'_> {
    /// Whether the collector succeeded.
    pub fn is_success(&self) -> bool {
        self.failure.is_none() && self.problems.is_harmless()
    }
}

impl Scraper {
    /// Builds the enabled collectors. The error names the flag to change.
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
            runners: Pool::new(RUNNERS),
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

    /// Warnings of the collectors to the operator.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The kernel of the collectors.
    pub fn kernel(&self) -> &dyn Kernel {
        &*self.kernel
    }

    /// The names of the enabled collectors.
    pub fn enabled(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.declarations().map(|declaration| declaration.name)
    }

    /// Whether a collector has not come back from a scrape that ended without it.
    pub fn has_stuck_collector(&self) -> bool {
        self.collectors.iter().any(|enabled| enabled.slot.is_abandoned())
    }

    /// Declarations of the enabled collectors.
    pub fn declarations(&self) -> impl ExactSizeIterator<Item = &'static Declaration> {
        self.collectors.iter().map(|enabled| enabled.declaration)
    }

    /// Runs the selected collectors in the caller's thread, and appends their page to `out`. `own` may add families;
    /// `observe` gets the report of each collector.
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

    /// Scrapes like [`Scraper::scrape`], with these parameters.
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

    /// Takes the collector, waits for another scrape of it if `wait` allows, and runs it if `begins` returns true.
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
                // After a panic the page has complete lines only, and every read overwrites the scratch memory. The
                // collector's own state is reset by its next scrape.
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
                    Absence::Stuck(time) => {
                        Failure::error(format_args!("blocked for {} s in an earlier scrape", time.as_secs()))
                    }
                })
            }
        };
        *duration = self.kernel.monotonic().saturating_sub(begin);
        *failure = result.err();
    }

    /// Emits duration and success of a collector, and reports its result to `observe`.
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

/// The selected collectors of a scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Whether each enabled collector runs; `None` selects all.
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
    /// Selects only these collectors. The error is a sentence for the client.
    pub fn only(&self, names: &[impl AsRef<str>]) -> Result<Selection, String> {
        self.choose(names, true)
    }

    /// Selects all collectors except these; excluding all leaves none.
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
