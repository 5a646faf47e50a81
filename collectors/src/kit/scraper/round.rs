//! A scrape that ends in time.
//!
//! One runner, a thread beside the caller's, goes through the collectors while the caller waits. Where one of them
//! takes long, another runner goes on with the rest; the first comes back to an abandoned place or, if its collector is
//! done in time, has only delayed itself. When the time is up the caller takes the pages that are there.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::slot::Turn;
use crate::host::kernel::clock;
use crate::kit::failure::{Failure, Problems};
use crate::kit::page::Page;

/// When a collector takes longer, another runner is asked to go on with those after it.
const PATIENCE: Duration = Duration::from_millis(100);

/// What its collectors do.
pub(super) struct Round {
    pub(super) until: Duration,
    state: Mutex<State>,
    change: Condvar,
}

struct State {
    pages: Vec<Option<Page>>,
    progress: Vec<Progress>,
    /// The first collector that nobody has begun with, if there is one.
    next: usize,
    /// How many have not come back.
    missing: usize,
    /// The number of the runner that goes on; those before it do not.
    runner: usize,
    /// When that runner began with its collector.
    begun: Duration,
    is_over: bool,
}

/// How far a collector is.
#[derive(Default, Debug)]
pub(super) enum Progress {
    /// It was not asked for.
    #[default]
    Left,
    Waiting,
    /// It began then, and has its collector in this turn unless it waits for another scrape to give it back.
    Running(Duration, Option<Turn>),
    Done(Outcome),
}

/// How a collector fared.
#[derive(Default, Debug)]
pub(super) struct Outcome {
    pub(super) duration: Duration,
    pub(super) failure: Option<Failure>,
    pub(super) problems: Problems,
}

impl Round {
    /// A round of those collectors whose progress is [`Progress::Waiting`].
    pub(super) fn new(pages: Vec<Option<Page>>, progress: Vec<Progress>, until: Duration) -> Self {
        let missing = progress.iter().filter(|progress| matches!(progress, Progress::Waiting)).count();
        let begun = clock::monotonic();
        let state = State { pages, progress, next: 0, missing, runner: 0, begun, is_over: false };
        Self { until, state: Mutex::new(state), change: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the runner of this number is to do next: a collector and its page.
    pub(super) fn next(&self, runner: usize) -> Option<(usize, Option<Page>)> {
        let mut state = self.lock();
        if state.is_over || state.runner != runner {
            return None;
        }
        let at = state.waiting()?;
        state.next = at + 1;
        state.begun = clock::monotonic();
        let begun = state.begun;
        *state.progress.get_mut(at)? = Progress::Running(begun, None);
        Some((at, state.pages.get_mut(at)?.take()))
    }

    /// The collector was taken in this turn; whether anybody still wants to know what it says.
    pub(super) fn begins(&self, at: usize, turn: Turn) -> bool {
        let mut state = self.lock();
        let is_over = state.is_over;
        if let Some(Progress::Running(_, taken)) = state.progress.get_mut(at).filter(|_| !is_over) {
            *taken = Some(turn);
        }
        !is_over
    }

    /// The collector has come back.
    pub(super) fn done(&self, at: usize, page: Page, outcome: Outcome) {
        let mut state = self.lock();
        if state.is_over {
            return;
        }
        if let Some(place) = state.pages.get_mut(at) {
            *place = Some(page);
        }
        if let Some(progress) = state.progress.get_mut(at) {
            *progress = Progress::Done(outcome);
        }
        state.missing = state.missing.saturating_sub(1);
        if state.missing == 0 {
            drop(state);
            self.change.notify_one();
        }
    }

    /// Waits until all have come back or the time is up, and takes what is there. `hire` finds a runner of this number.
    pub(super) fn wait(&self, mut hire: impl FnMut(usize)) -> (Vec<Option<Page>>, Vec<Progress>) {
        let mut state = self.lock();
        loop {
            let now = clock::monotonic();
            if state.missing == 0 || now >= self.until {
                state.is_over = true;
                return (std::mem::take(&mut state.pages), std::mem::take(&mut state.progress));
            }
            let mut wake = self.until;
            if state.waiting().is_some() {
                if state.runner == 0 || now >= state.begun + PATIENCE {
                    state.runner += 1;
                    state.begun = now;
                    let runner = state.runner;
                    drop(state);
                    hire(runner);
                    state = self.lock();
                    continue;
                }
                wake = wake.min(state.begun + PATIENCE);
            }
            state = self.change.wait_timeout(state, wake.saturating_sub(now)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn waiting(&self) -> Option<usize> {
        let mut rest = self.progress.iter().enumerate().skip(self.next);
        rest.find(|(_, progress)| matches!(progress, Progress::Waiting)).map(|(at, _)| at)
    }
}
