//! A plan at work: it counts questions, and says which faults each of them meets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::Kernel;
use collectors::host::root::{Root, Roots};

use super::kernel::FaultyKernel;
use super::root::FaultyRoot;
use super::{Chance, Fault, Kind, Plan, Time};
use crate::seed::Seed;

/// A plan at work, over the roots and the kernel of one host. Every clone is the same.
#[derive(Clone)]
pub struct Injection {
    shared: Arc<Shared>,
}

struct Shared {
    seed: Seed,
    time: Arc<dyn Time>,
    /// What times of the plan count from.
    start: Duration,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    plan: Arc<Plan>,
    /// How often each was asked, by the number of the fault, the question and the path; kept for faults that count.
    asked: BTreeMap<(usize, Question, Vec<u8>), u64>,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Question {
    Read,
    List,
    ReadLink,
    Metadata,
    Kernel,
}

impl fmt::Debug for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injection").field("plan", &self.work().plan.to_string()).finish_non_exhaustive()
    }
}

impl Injection {
    /// A plan that starts now. The seed is that of its chances.
    pub fn new(plan: Plan, seed: u64, time: Arc<dyn Time>) -> Self {
        let start = time.now();
        Self::starting_at(plan, seed, time, start)
    }

    /// The same that starts at another time, since 1970.
    pub fn starting_at(plan: Plan, seed: u64, time: Arc<dyn Time>, start: Duration) -> Self {
        let work = Mutex::new(Work { plan: Arc::new(plan), asked: BTreeMap::new() });
        Self { shared: Arc::new(Shared { seed: Seed::new(seed).of("faults"), time, start, work }) }
    }

    /// Puts another plan in place of this one. Questions are counted anew; times count from the same start.
    pub fn replace(&self, plan: Plan) {
        *self.work() = Work { plan: Arc::new(plan), asked: BTreeMap::new() };
    }

    /// These roots with the faults of the plan.
    pub fn over(&self, sound: &Roots) -> Roots {
        let place = sound.sys_place();
        let over = |mount| -> Arc<dyn Root> { Arc::new(FaultyRoot::new(mount, sound.clone(), self.clone())) };
        Roots::new(over).with_sys_place(place)
    }

    /// This kernel with the faults of the plan.
    pub fn over_kernel(&self, sound: Arc<dyn Kernel>) -> Arc<dyn Kernel> {
        Arc::new(FaultyKernel::new(sound, self.clone()))
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.shared.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.work().plan)
    }

    /// The kinds of faults that a question meets, in order. Counts the question.
    pub(super) fn meets(&self, question: Question, folder: &str, path: &[u8]) -> Vec<Kind> {
        let plan = self.plan();
        let met = plan.faults().iter().enumerate().filter(|(_, fault)| fault.place.has(folder, path));
        met.filter(|(number, fault)| self.shows(*number, fault, question, path))
            .map(|(_, fault)| fault.kind.clone())
            .collect()
    }

    fn shows(&self, number: usize, fault: &Fault, question: Question, path: &[u8]) -> bool {
        let when = fault.when;
        let mut asked = 0;
        if when.counts() {
            let mut work = self.work();
            let count = work.asked.entry((number, question, path.to_vec())).or_default();
            *count += 1;
            asked = *count;
        }
        self.is_time(fault)
            && when.has_question(asked)
            && when.chance.is_none_or(|chance| {
                let seed = self.shared.seed.at(number as u64).of(&String::from_utf8_lossy(path));
                chance.has(seed.at(question as u64).at(asked).below(Chance::LIMIT))
            })
    }

    /// Whether the moment is one of the fault's.
    pub(super) fn is_time(&self, fault: &Fault) -> bool {
        fault.when.has_moment(self.shared.time.now().saturating_sub(self.shared.start))
    }

    /// Takes the time that the faults take; the first error among them.
    pub(super) fn suffer(&self, kinds: &[Kind]) -> Result<(), Errno> {
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
