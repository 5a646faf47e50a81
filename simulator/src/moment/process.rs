//! What processes do.

use super::Moment;
use crate::machine::Process;

/// Time of a process, in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProcessTimes {
    pub(crate) user: u64,
    pub(crate) system: u64,
}

impl Moment<'_> {
    /// Threads of all processes.
    pub(crate) fn threads(&self) -> u64 {
        self.machine.processes.iter().map(|process| u64::from(process.threads)).sum()
    }

    /// Services that may want a CPU now: all but the one that asks, which has one.
    fn services(&self) -> impl Iterator<Item = &Process> {
        let asking = self.machine.processes.last().map(|process| process.number);
        let services = self.machine.processes.iter().filter(|process| process.cpu_permille > 0);
        services.filter(move |process| Some(process.number) != asking)
    }

    /// Threads that run or want to, with the one that asks.
    pub(crate) fn running(&self) -> u64 {
        1 + self.running_services() + self.runaway_processes()
    }

    fn running_services(&self) -> u64 {
        let wanting = self.recent(&self.machine.load, 1) * self.flicker("running", 4) / 1_000;
        wanting.min(self.services().count() as u64)
    }

    /// The letter of a process' first thread; all other threads sleep.
    pub(crate) fn state(&self, process: &Process) -> char {
        let is_asking = self.machine.processes.last().is_some_and(|last| last.number == process.number);
        let others = usize::try_from(self.running_services()).unwrap_or_default();
        let is_running = is_asking || self.is_runaway(process);
        if is_running || self.services().take(others).any(|running| running.number == process.number) {
            return 'R';
        }
        let waits_for_disk = process.name.starts_with("kworker") && self.blocked() > 0;
        match () {
            () if waits_for_disk => 'D',
            // The kernel's own that wait for nothing in particular are idle.
            () if process.is_kernel() && (process.name.starts_with("rcu") || process.name.starts_with("kworker")) => {
                'I'
            }
            () => 'S',
        }
    }

    pub(crate) fn process_times(&self, process: &Process) -> ProcessTimes {
        let area = self.area(&self.machine.load);
        let ticks = |permille| Self::nanoseconds_of(area, permille) / 10_000_000;
        let user = process.cpu_permille * 2 / 3;
        ProcessTimes { user: ticks(user), system: ticks(process.cpu_permille - user) }
    }
}
