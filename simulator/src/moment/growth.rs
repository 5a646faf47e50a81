//! Memory that somebody takes more and more of, and what it is taken from.

use super::Moment;
use crate::past::Growth;
use crate::wave::MICROS;

const HOUR_MICROS: u64 = 3_600 * MICROS;

/// Pages that somebody took, by what they were before.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Grown {
    pub(super) free: u64,
    pub(super) files: u64,
    pub(super) swap: u64,
}

impl Grown {
    pub(super) fn sum(self) -> u64 {
        self.free + self.files + self.swap
    }

    /// So much of it: free memory first, then what holds files, then swap.
    fn first(self, pages: u64) -> Self {
        let free = pages.min(self.free);
        let files = (pages - free).min(self.files);
        Self { free, files, swap: (pages - free - files).min(self.swap) }
    }
}

impl Moment<'_> {
    /// What growths have taken by now and not given back. What is taken by one is not there for the next.
    pub(super) fn grown(&self) -> Grown {
        let going_on = self.past.growths.iter().filter(|growth| {
            growth.from_micros <= self.micros && growth.until_micros.is_none_or(|until| self.micros < until)
        });
        let taken: u64 = going_on.map(|growth| self.taken(growth)).sum();
        if taken == 0 { Grown::default() } else { self.room().first(taken) }
    }

    /// What can be taken before nothing is left, if nobody had taken anything.
    fn room(&self) -> Grown {
        let parts = self.memory_with(Grown::default());
        Grown {
            // A little is kept for the kernel itself.
            free: parts.free.saturating_sub(self.scaled(34_000)),
            // What is being read again and again stays to the end.
            files: (parts.cached - parts.shared) / 4 * 3,
            swap: parts.swap_free - parts.swap_free / 50,
        }
    }

    /// What one has taken since it began, if nothing stands in its way.
    fn taken(&self, growth: &Growth) -> u64 {
        let from = growth.from_micros.max(self.machine.boot_micros());
        let passed = u128::from(self.micros.saturating_sub(from));
        let (pages, over) = match (growth.pages_per_hour, growth.until_micros) {
            (Some(pages), _) => (pages, HOUR_MICROS),
            (None, Some(until)) => (self.at(from).room().sum(), until.saturating_sub(from).max(1)),
            (None, None) => return 0,
        };
        u64::try_from(passed * u128::from(pages) / u128::from(over)).unwrap_or(u64::MAX)
    }

    /// When one has taken so much as there was at its beginning of some of what it takes.
    fn taken_at_micros(&self, growth: &Growth, pages: impl Fn(Grown) -> u64) -> u64 {
        let from = growth.from_micros.max(self.machine.boot_micros());
        let room = self.at(from).room();
        let (rate, over) = match (growth.pages_per_hour, growth.until_micros) {
            (Some(rate), _) => (rate, HOUR_MICROS),
            (None, until) => (room.sum(), until.unwrap_or(u64::MAX).saturating_sub(from)),
        };
        let lasts = u128::from(pages(room)) * u128::from(over) / u128::from(rate.max(1));
        from.saturating_add(u64::try_from(lasts).unwrap_or(u64::MAX))
    }

    /// For how long tasks have waited since the start for memory that somebody else took. The kernel has to look for
    /// some as soon as none is free.
    pub(super) fn thrashed_micros(&self) -> u64 {
        let growths = self.past.growths.iter().filter(|growth| growth.from_micros <= self.micros);
        let thrashed = growths.map(|growth| {
            let from = self.taken_at_micros(growth, |room| room.free);
            self.micros.min(growth.until_micros.unwrap_or(u64::MAX)).saturating_sub(from)
        });
        thrashed.max().unwrap_or_default()
    }

    /// Pages that went out to swap for them.
    pub(super) fn swapped_out(&self) -> u64 {
        let growths = self.past.growths.iter().filter(|growth| growth.from_micros <= self.micros);
        let out = growths.map(|growth| {
            let from = growth.from_micros.max(self.machine.boot_micros());
            let end = self.at(growth.until_micros.unwrap_or(u64::MAX));
            self.at(from).room().first(end.taken(growth)).swap
        });
        out.sum()
    }
}
