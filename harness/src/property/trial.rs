//! A host that is looked at twice, and of which something breaks the second time.

use std::sync::Arc;
use std::time::Duration;

use collectors::host::root::Roots;
use simulator::fault::{Injection, Plan, VirtualClock};
use simulator::scenario::{Scenario, ScenarioError};
use simulator::{Host, ScriptedMachine};

use super::happening::stirs;

/// When scenarios start that do not say it.
const START: Duration = Duration::from_secs(1_700_000_000);

/// A host that is looked at twice, with a clock that moves from one moment to the other.
#[derive(Clone, Debug)]
pub struct Trial {
    host: Host,
    clock: VirtualClock,
    seed: u64,
    start: Duration,
    later: Duration,
    is_stirred: bool,
}

impl Trial {
    /// A machine that is looked at first at the start, and again so much later. The seed is that of the faults' chances.
    pub(super) fn new(machine: ScriptedMachine, seed: u64, start: Duration, later: Duration) -> Self {
        let clock = VirtualClock::new(start);
        let now = clock.clone();
        let is_stirred = machine.events().iter().any(|event| stirs(event, start, start + later));
        Self { host: Host::new(machine, move || now.now()), clock, seed, start, later, is_stirred }
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

    /// Whether something happens around the two moments, so that counters may fall.
    pub fn is_stirred(&self) -> bool {
        self.is_stirred
    }

    /// Moves the clock to the second moment.
    pub(super) fn move_on(&self) {
        self.clock.advance((self.start + self.later).saturating_sub(self.clock.now()));
    }

    /// The host's files with faults, which begin anew with each call.
    pub(super) fn broken(&self, plan: &Plan) -> Roots {
        let time = Arc::new(self.clock.clone());
        Injection::starting_at(plan.clone(), self.seed, time, self.start).over(&self.host.roots())
    }

    /// The second moment, in seconds since 1970.
    pub(super) fn last_seconds(&self) -> u64 {
        (self.start + self.later).as_secs()
    }
}
