//! A host that is scraped twice, the second time with faults.

use std::sync::Arc;
use std::time::Duration;

use collectors::host::root::Roots;
use simulator::fault::{Injection, Plan, VirtualClock};
use simulator::scenario::{Scenario, ScenarioError};
use simulator::{Host, Machine};

use super::happening::may_lower_counters;

/// Default start time of scenarios.
const START: Duration = Duration::from_secs(1_700_000_000);

/// A host that is scraped twice, with a clock that moves from the first time to the second.
#[derive(Clone, Debug)]
pub struct Trial {
    host: Host,
    clock: VirtualClock,
    seed: u64,
    start: Duration,
    later: Duration,
    may_lower_counters: bool,
}

impl Trial {
    /// A machine that is scraped at `start` and `later` after it. The seed is that of random faults.
    pub(super) fn new(machine: Machine, seed: u64, start: Duration, later: Duration) -> Self {
        let clock = VirtualClock::new(start);
        let now = clock.clone();
        let may_lower_counters = machine.events().iter().any(|event| may_lower_counters(event, start, start + later));
        Self { host: Host::new(machine, move || now.now()), clock, seed, start, later, may_lower_counters }
    }

    /// The host of a scenario.
    pub(super) fn of(scenario: &Scenario, later: Duration) -> Result<Self, ScenarioError> {
        let start = scenario.start().unwrap_or(START);
        Ok(Self::new(scenario.machine(start)?, scenario.seed(), start, later))
    }

    /// The host without faults.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether an event around the two scrapes may make counters fall.
    pub fn may_lower_counters(&self) -> bool {
        self.may_lower_counters
    }

    /// Moves the clock to the second scrape.
    pub(super) fn move_on(&self) {
        self.clock.advance((self.start + self.later).saturating_sub(self.clock.now()));
    }

    /// The host's files with faults; occurrence counts restart with each call.
    pub(super) fn broken(&self, plan: &Plan) -> Roots {
        let time = Arc::new(self.clock.clone());
        Injection::starting_at(plan.clone(), self.seed, time, self.start).over(&self.host.roots())
    }

    /// Time of the second scrape, in seconds since 1970.
    pub(super) fn last_seconds(&self) -> u64 {
        (self.start + self.later).as_secs()
    }
}
