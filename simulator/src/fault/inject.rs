//! Runs a plan: counts operations and decides which faults apply to each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::errno::Errno;

use super::{Chance, Fault, Kind, Plan, Time};
use crate::seed::Seed;

/// A running plan over the roots and the kernel of one host. Clones share their state.
#[derive(Clone)]
pub struct Injection {
    shared: Arc<Shared>,
}

struct Shared {
    seed: Seed,
    time: Arc<dyn Time>,
    /// Origin of the plan's times.
    start: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    plan: Arc<Plan>,
    /// Number of operations by fault index, operation and path; kept for faults that count operations.
    counts: BTreeMap<(usize, Operation, Vec<u8>), u64>,
}

/// Operation that a fault can apply to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Operation {
    Read,
    List,
    ReadLink,
    Metadata,
    Kernel,
}

impl fmt::Debug for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injection").field("plan", &self.state().plan.to_string()).finish_non_exhaustive()
    }
}

impl Injection {
    /// Starts a plan now. `seed` determines random faults.
    pub fn new(plan: Plan, seed: u64, time: Arc<dyn Time>) -> Self {
        let start = time.now();
        Self::starting_at(plan, seed, time, start)
    }

    /// Starts a plan at a time since 1970.
    pub fn starting_at(plan: Plan, seed: u64, time: Arc<dyn Time>, start: Duration) -> Self {
        let state = Mutex::new(State { plan: Arc::new(plan), counts: BTreeMap::new() });
        Self { shared: Arc::new(Shared { seed: Seed::new(seed).of("faults"), time, start, state }) }
    }

    /// Replaces the plan. Operations are counted from zero; the start time stays.
    pub fn replace(&self, plan: Plan) {
        *self.state() = State { plan: Arc::new(plan), counts: BTreeMap::new() };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.state().plan)
    }

    /// Kinds of the faults that apply to an operation, in order. Counts the operation.
    pub(super) fn applying(&self, operation: Operation, folder: &str, path: &[u8]) -> Vec<Kind> {
        let plan = self.plan();
        let matching = plan.faults().iter().enumerate().filter(|(_, fault)| fault.site.matches(folder, path));
        matching
            .filter(|(index, fault)| self.applies(*index, fault, operation, path))
            .map(|(_, fault)| fault.kind.clone())
            .collect()
    }

    fn applies(&self, index: usize, fault: &Fault, operation: Operation, path: &[u8]) -> bool {
        let when = fault.when;
        let mut number = 0;
        if when.counts_operations() {
            let mut state = self.state();
            let count = state.counts.entry((index, operation, path.to_vec())).or_default();
            *count += 1;
            number = *count;
        }
        self.is_time(fault)
            && when.has_operation(number)
            && when.chance.is_none_or(|chance| {
                let seed = self.shared.seed.at(index as u64).of(&String::from_utf8_lossy(path));
                chance.has(seed.at(operation as u64).at(number).below(Chance::LIMIT))
            })
    }

    /// Whether the fault is active at this time.
    pub(super) fn is_time(&self, fault: &Fault) -> bool {
        fault.when.has_moment(self.shared.time.now().saturating_sub(self.shared.start))
    }

    /// Spends the time that the faults take, and returns the first error.
    pub(super) fn run(&self, kinds: &[Kind]) -> Result<(), Errno> {
        for kind in kinds {
            match kind {
                Kind::Slow(time) => self.shared.time.pass(*time),
                Kind::Hanging => self.shared.time.hang(),
                _ => {}
            }
            if let Some(errno) = kind.error() {
                return Err(errno);
            }
        }
        Ok(())
    }
}
