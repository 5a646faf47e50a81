//! CPU times and states of processes, and the effects of fork bombs.

use super::Moment;
use crate::machine::Process;
use crate::wave::MEAN;

/// The CPU times of a process, in ticks.
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

    /// Services that may want a CPU, without the reading process.
    fn services(&self) -> impl Iterator<Item = &Process> {
        let asking = self.machine.processes.last().map(|process| process.number);
        let services = self.machine.processes.iter().filter(|process| process.cpu_permille > 0);
        services.filter(move |process| Some(process.number) != asking)
    }

    /// Runnable threads, with that of the reading process.
    pub(crate) fn running(&self) -> u64 {
        1 + self.running_services() + self.runaway_processes()
    }

    fn running_services(&self) -> u64 {
        let wanting = self.recent(&self.machine.load, 1) * self.flicker("running", 4) / 1_000;
        wanting.min(self.services().count() as u64)
    }

    /// The state of the first thread of a process; its other threads sleep.
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
            // Kernel threads without work are idle.
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

impl Moment<'_> {
    /// Begin, end and number of processes of each stage, up to now.
    fn fork_bomb_stages(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let begun = self.past.fork_bomb_stages.iter().filter(|stage| stage.from_micros <= self.micros);
        begun.map(|stage| (stage.from_micros, stage.until_micros.unwrap_or(u64::MAX).min(self.micros), stage.count))
    }

    /// The total duration of all stages.
    pub(super) fn fork_bomb_micros(&self) -> u64 {
        self.fork_bomb_stages().map(|(from, until, _)| until - from).sum()
    }

    /// The growth of a value during all stages.
    pub(super) fn during_fork_bombs(&self, of: impl Fn(&Self) -> u64) -> u64 {
        let stages =
            self.fork_bomb_stages().map(|(from, until, _)| of(&self.at(until)).saturating_sub(of(&self.at(from))));
        stages.sum()
    }

    /// The additional duration of a condition that holds throughout all stages. `usual` is its duration without them.
    pub(super) fn filled_by_fork_bombs(&self, usual: impl Fn(&Self) -> u64) -> u64 {
        let stages = self.fork_bomb_stages().map(|(from, until, _)| {
            let more = usual(&self.at(until)).saturating_sub(usual(&self.at(from)));
            (until - from).saturating_sub(more)
        });
        stages.sum()
    }

    /// The CPU time that all runaway processes wanted.
    pub(super) fn wanted_by_fork_bombs_micros(&self) -> u64 {
        self.fork_bomb_stages().map(|(from, until, count)| (until - from) * count).sum()
    }

    /// The number of runaway processes ever started. A stage of the same fork bomb adds to the one before.
    pub(super) fn started_by_fork_bombs(&self) -> u64 {
        let mut before = None;
        let stages = self.past.fork_bomb_stages.iter();
        let started = stages.map(|stage| {
            let of_same = before.filter(|(first, _)| *first == stage.first).map_or(0, |(_, count)| count);
            before = Some((stage.first, stage.count));
            stage.count.saturating_sub(of_same)
        });
        started.sum()
    }

    /// The first number and the number of processes of the ongoing stage.
    fn current_fork_bomb(&self) -> Option<(u32, u64)> {
        let last = self.past.fork_bomb_stages.last().filter(|stage| stage.until_micros.is_none())?;
        Some((last.first, last.count))
    }

    /// The number of runaway processes now.
    pub(super) fn runaway_processes(&self) -> u64 {
        self.current_fork_bomb().map_or(0, |(_, count)| count)
    }

    pub(super) fn is_runaway(&self, process: &Process) -> bool {
        let place = |first: u32| u64::from(process.number.wrapping_sub(first));
        self.current_fork_bomb().is_some_and(|(first, count)| place(first) < count)
    }

    /// The load over the last seconds, in thousandths of the mean: no CPU is idle during a fork bomb.
    pub(crate) fn busy_recently(&self, seconds: u64) -> u64 {
        const ALL: u64 = 3 * MEAN;
        let before = self.earlier(seconds);
        let usual = self.recent(&self.machine.load, seconds);
        let fork_bomb = self.fork_bomb_micros() - before.fork_bomb_micros();
        if fork_bomb == 0 {
            return usual;
        }
        usual + ALL.saturating_sub(usual) * fork_bomb / (self.micros - before.micros).max(1)
    }
}
