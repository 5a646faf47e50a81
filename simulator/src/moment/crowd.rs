//! Processes that all want a CPU: how many, for how long, and what that does to all else.

use super::Moment;
use crate::machine::Process;
use crate::wave::MEAN;

impl Moment<'_> {
    /// Of those since the start: beginning, end and how many they are. All of it is over by now.
    fn crowds(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let begun = self.machine.past.crowds.iter().filter(|crowd| crowd.from_micros <= self.micros);
        begun.map(|crowd| (crowd.from_micros, crowd.until_micros.unwrap_or(u64::MAX).min(self.micros), crowd.count))
    }

    /// For how long there was one.
    pub(super) fn crowded_micros(&self) -> u64 {
        self.crowds().map(|(from, until, _)| until - from).sum()
    }

    /// How much something has grown while there was a crowd.
    pub(super) fn during_crowds(&self, of: impl Fn(&Self) -> u64) -> u64 {
        let crowds = self.crowds().map(|(from, until, _)| of(&self.at(until)).saturating_sub(of(&self.at(from))));
        crowds.sum()
    }

    /// How much longer something has lasted that lasts all the time while there is a crowd. `usual` is how long it
    /// lasts without one.
    pub(super) fn filled_by_crowds(&self, usual: impl Fn(&Self) -> u64) -> u64 {
        let crowds = self.crowds().map(|(from, until, _)| {
            let more = usual(&self.at(until)).saturating_sub(usual(&self.at(from)));
            (until - from).saturating_sub(more)
        });
        crowds.sum()
    }

    /// How long all of them together wanted a CPU.
    pub(super) fn wanted_by_crowds_micros(&self) -> u64 {
        self.crowds().map(|(from, until, count)| (until - from) * count).sum()
    }

    /// How many were ever started. Each crowd in a row is larger by those that were started for it.
    pub(super) fn started_by_crowds(&self) -> u64 {
        let mut before = None;
        let crowds = self.machine.past.crowds.iter();
        let started = crowds.map(|crowd| {
            let of_same = before.filter(|(first, _)| *first == crowd.first).map_or(0, |(_, count)| count);
            before = Some((crowd.first, crowd.count));
            crowd.count.saturating_sub(of_same)
        });
        started.sum()
    }

    /// The one that is there now.
    fn crowd(&self) -> Option<(u32, u64)> {
        let last = self.machine.past.crowds.last().filter(|crowd| crowd.until_micros.is_none())?;
        Some((last.first, last.count))
    }

    /// How many want a CPU now.
    pub(super) fn crowding(&self) -> u64 {
        self.crowd().map_or(0, |(_, count)| count)
    }

    pub(super) fn is_crowding(&self, process: &Process) -> bool {
        let place = |first: u32| u64::from(process.number.wrapping_sub(first));
        self.crowd().is_some_and(|(first, count)| place(first) < count)
    }

    /// How busy the host was over the last seconds, in thousandths of the mean: no CPU has a rest while there is a crowd.
    pub(crate) fn busy_recently(&self, seconds: u64) -> u64 {
        const ALL: u64 = 3 * MEAN;
        let before = self.earlier(seconds);
        let usual = self.recent(&self.machine.load, seconds);
        let crowded = self.crowded_micros() - before.crowded_micros();
        if crowded == 0 {
            return usual;
        }
        usual + ALL.saturating_sub(usual) * crowded / (self.micros - before.micros).max(1)
    }
}
