//! A scrape in progress, which several threads can advance.
//!
//! [`Round::run`] runs the collectors one after another in the calling thread. When a collector blocks, its thread stays
//! with it, and another thread that calls `run` continues with the next collectors. [`Round::finish`] ends the round with
//! the pages of the collectors that have returned. [`Round::copy`] writes that page without ending the round, for a client
//! with an earlier deadline.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::slot::{Turn, Wait};
use super::{Report, Scraper, Selection, Workspace, lock};
use crate::host::kernel::clock;
use crate::kit::failure::{Failure, Problems};
use crate::kit::page::foreign::ForeignPage;
use crate::kit::page::{Finished, Format, Page};

/// Time of a collector after which another thread should continue with the next collectors.
const STALL_AFTER: Duration = Duration::from_millis(100);

/// Failure of a collector that another scrape runs.
pub(super) const BUSY: &str = "still running for another scrape at the deadline";

/// A scrape of the selected collectors.
pub struct Round {
    scraper: Arc<Scraper>,
    until: Duration,
    /// Time limit of the scrape.
    time: Duration,
    state: Mutex<State>,
    completed: Condvar,
}

struct State {
    /// `None` after the round is finished.
    workspace: Option<Workspace>,
    /// Index of the first collector that has not begun.
    next: usize,
    /// Number of collectors that have not returned.
    unfinished: usize,
    /// Turn of the thread that begins collectors; threads of earlier turns begin no more.
    runner: usize,
    /// When that thread began its current collector.
    begun: Duration,
    has_waiter: bool,
}

/// Progress of a collector.
#[derive(Default, Debug)]
pub(super) enum Progress {
    /// Not selected.
    #[default]
    Unselected,
    Waiting,
    /// Start, and the turn in which the collector is held; no turn while it waits for another scrape.
    Running(Duration, Option<Turn>),
    Done(Outcome),
}

/// The outcome of a collector.
#[derive(Default, Debug)]
pub(super) struct Outcome {
    pub(super) duration: Duration,
    pub(super) failure: Option<Failure>,
    pub(super) problems: Problems,
    /// Whether it was omitted because it had not returned by the deadline.
    pub(super) is_late: bool,
}

impl std::fmt::Debug for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Scraper {
    /// A scrape of the selected collectors. No collector begins after `until`.
    pub fn begin(self: &Arc<Self>, selection: &Selection, until: Duration) -> Round {
        let mut workspace = self.workspace();
        let waiting = |idx| if selection.has(idx) { Progress::Waiting } else { Progress::Unselected };
        workspace.progress.clear();
        workspace.progress.extend((0..self.collectors.len()).map(waiting));
        let unfinished = workspace.progress.iter().filter(|progress| matches!(progress, Progress::Waiting)).count();
        let begun = clock::monotonic();
        let state = State { workspace: Some(workspace), next: 0, unfinished, runner: 0, begun, has_waiter: false };
        let time = until.saturating_sub(begun);
        Round { scraper: Arc::clone(self), until, time, state: Mutex::new(state), completed: Condvar::new() }
    }

    /// Scrapes in threads of this scraper, until all collectors have returned or the deadline has passed.
    pub(super) fn scrape_until(
        self: &Arc<Self>,
        until: Duration,
        selection: &Selection,
        format: Format,
        own: impl FnOnce(&mut ForeignPage),
        observe: impl FnMut(&Report<'_>),
        out: &mut Vec<u8>,
    ) -> Finished {
        let round = Arc::new(self.begin(selection, until));
        round.wait(|| {
            let round = Arc::clone(&round);
            self.runners.submit(Box::new(move || {
                let _is_complete = round.run();
            }));
        });
        round.finish(format, own, observe, out).unwrap_or_default()
    }
}

impl Round {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the collectors that have not begun. Threads that called this earlier begin no further collectors. Returns
    /// whether every collector has returned.
    pub fn run(&self) -> bool {
        let scraper = &self.scraper;
        let runner = {
            let mut state = self.lock();
            state.runner += 1;
            state.begun = clock::monotonic();
            state.runner
        };
        let wait = Wait { until: self.until, run_max: self.time };
        let mut scratch = lock(&scraper.scratches).pop().unwrap_or_default();
        while let Some((idx, page)) = self.next(runner) {
            let Some(enabled) = scraper.collectors.get(idx) else { break };
            let mut page = page.unwrap_or_else(|| Page::new(enabled.declaration.families.iter().copied()));
            let mut outcome = Outcome::default();
            let begins = |turn| self.begins(idx, turn);
            scraper.run(enabled, &mut page, &mut scratch, &mut outcome, Some(wait), begins);
            self.done(idx, page, outcome);
        }
        lock(&scraper.scratches).push(scratch);
        self.lock().unfinished == 0
    }

    /// When another thread should call [`Round::run`]; `None` if every collector has begun.
    pub fn stalls_at(&self) -> Option<Duration> {
        let state = self.lock();
        state.waiting().map(|_| state.begun + STALL_AFTER)
    }

    /// The next collector for the thread of this turn, and its page.
    fn next(&self, runner: usize) -> Option<(usize, Option<Page>)> {
        let mut state = self.lock();
        if state.runner != runner {
            return None;
        }
        let idx = state.waiting()?;
        let now = clock::monotonic();
        if now >= self.until {
            return None;
        }
        state.next = idx + 1;
        state.begun = now;
        let workspace = state.workspace.as_mut()?;
        *workspace.progress.get_mut(idx)? = Progress::Running(now, None);
        Some((idx, workspace.pages.get_mut(idx)?.take()))
    }

    /// Records that the collector was taken in this turn. Returns whether the round still needs it.
    fn begins(&self, idx: usize, turn: Turn) -> bool {
        let mut state = self.lock();
        let Some(workspace) = &mut state.workspace else { return false };
        if let Some(Progress::Running(_, taken)) = workspace.progress.get_mut(idx) {
            *taken = Some(turn);
        }
        true
    }

    /// Records the outcome of a collector.
    fn done(&self, idx: usize, page: Page, outcome: Outcome) {
        let mut state = self.lock();
        let Some(workspace) = &mut state.workspace else { return };
        if let Some(place) = workspace.pages.get_mut(idx) {
            *place = Some(page);
        }
        if let Some(progress) = workspace.progress.get_mut(idx) {
            *progress = Progress::Done(outcome);
        }
        state.unfinished = state.unfinished.saturating_sub(1);
        if state.unfinished == 0 && state.has_waiter {
            drop(state);
            self.completed.notify_one();
        }
    }

    /// Waits until all collectors have returned or the deadline has passed. `hire` makes another thread call [`Round::run`].
    fn wait(&self, mut hire: impl FnMut()) {
        let mut state = self.lock();
        state.has_waiter = true;
        let mut hire_at = Some(Duration::ZERO);
        loop {
            let now = clock::monotonic();
            if state.unfinished == 0 || now >= self.until {
                return;
            }
            let mut wake = self.until;
            if state.waiting().is_some() {
                let stalls = hire_at.unwrap_or(state.begun + STALL_AFTER);
                if now >= stalls {
                    hire_at = None;
                    state.begun = now;
                    drop(state);
                    hire();
                    state = self.lock();
                    continue;
                }
                wake = wake.min(stalls);
            }
            state =
                self.completed.wait_timeout(state, wake.saturating_sub(now)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the round and appends its page to `out`. Collectors that have not returned are omitted and reported; later
    /// scrapes do not wait for them. `None` if the round is already finished.
    pub fn finish(
        &self,
        format: Format,
        own: impl FnOnce(&mut ForeignPage),
        mut observe: impl FnMut(&Report<'_>),
        out: &mut Vec<u8>,
    ) -> Option<Finished> {
        let mut workspace = self.lock().workspace.take()?;
        let now = clock::monotonic();
        let mut progress = std::mem::take(&mut workspace.progress);
        for (idx, progress) in progress.drain(..).enumerate() {
            if let (Progress::Running(_, Some(turn)), Some(enabled)) = (&progress, self.scraper.collectors.get(idx)) {
                enabled.slot.abandon(*turn);
            }
            let outcome = match progress {
                Progress::Done(outcome) => outcome,
                unfinished => match late(&unfinished, now) {
                    Some(outcome) => outcome,
                    None => continue,
                },
            };
            self.scraper.report(idx, &outcome, &mut workspace.pages, &mut observe);
        }
        workspace.progress = progress;
        Some(self.scraper.finish(workspace, own, format, out))
    }

    /// Appends the page like [`Round::finish`], without ending the round.
    pub fn copy(
        &self,
        format: Format,
        own: impl FnOnce(&mut ForeignPage),
        mut observe: impl FnMut(&Report<'_>),
        out: &mut Vec<u8>,
    ) -> Option<Finished> {
        let mut state = self.lock();
        let Workspace { pages, progress, binder, .. } = state.workspace.as_mut()?;
        let now = clock::monotonic();
        let mut kept = Some(Scraper::own_page());
        if let Some(last) = pages.last_mut() {
            std::mem::swap(last, &mut kept);
        }
        for (idx, progress) in progress.iter().enumerate() {
            match progress {
                Progress::Done(outcome) => self.scraper.report(idx, outcome, pages, &mut observe),
                unfinished => {
                    if let Some(outcome) = late(unfinished, now) {
                        self.scraper.report(idx, &outcome, pages, &mut observe);
                    }
                }
            }
        }
        let mut foreign = ForeignPage::default();
        let others = pages.iter().flatten().flat_map(|page| page.foreign.families());
        let clashes: Vec<String> = others
            .filter(|(_, family)| foreign.add((*family).clone()).is_err())
            .map(|(name, _)| name.to_owned())
            .collect();
        own(&mut foreign);
        let mut finished = binder.bind_copy(pages, &mut foreign, format, out);
        finished.clashes.extend(clashes);
        if let Some(last) = pages.last_mut() {
            std::mem::swap(last, &mut kept);
        }
        Some(finished)
    }
}

impl State {
    fn waiting(&self) -> Option<usize> {
        let progress = &self.workspace.as_ref()?.progress;
        let mut rest = progress.iter().enumerate().skip(self.next);
        rest.find(|(_, progress)| matches!(progress, Progress::Waiting)).map(|(idx, _)| idx)
    }
}

/// The outcome of a collector that has not returned yet.
fn late(progress: &Progress, now: Duration) -> Option<Outcome> {
    let (duration, reason) = match progress {
        Progress::Unselected | Progress::Done(_) => return None,
        Progress::Waiting => (Duration::ZERO, "not started before the deadline of the scrape"),
        Progress::Running(since, None) => (now.saturating_sub(*since), BUSY),
        Progress::Running(since, Some(_)) => {
            (now.saturating_sub(*since), "still running at the deadline of the scrape")
        }
    };
    Some(Outcome { duration, failure: Some(Failure::error(reason)), problems: Problems::default(), is_late: true })
}

#[cfg(test)]
mod tests;
