//! Which CPUs were there when, and what part of the work each of them had.

use super::Moment;
use crate::machine::Cpu;
use crate::past::Absence;
use crate::wave::Wave;

/// How often something happened on all CPUs together, and which of them it happens on.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    pub(crate) total: u64,
    /// The only one, as long as it is there.
    cpu: Option<Cpu>,
    /// When CPUs went and came, and how often it had happened by then.
    turns: Vec<(u64, u64)>,
}

impl Spread {
    /// With so many that happened before CPUs went or came.
    pub(super) fn with_more_before(mut self, more: u64) -> Self {
        self.total += more;
        self.turns.iter_mut().for_each(|(_, total)| *total += more);
        self
    }
}

impl Absence {
    fn covers(&self, micros: u64) -> bool {
        self.from_micros <= micros && self.until_micros.is_none_or(|until| micros < until)
    }
}

impl Moment<'_> {
    fn absences(&self, cpu: Cpu) -> impl Iterator<Item = &Absence> {
        self.past.absences.iter().filter(move |absence| absence.cpu == cpu)
    }

    /// Beginning and end of what of the absences of a CPU is over.
    fn away(&self, cpu: Cpu) -> impl Iterator<Item = (u64, u64)> {
        let clamped = |micros: u64| micros.clamp(self.start_micros, self.micros.max(self.start_micros));
        let absences = self.absences(cpu);
        absences.map(move |away| (clamped(away.from_micros), clamped(away.until_micros.unwrap_or(u64::MAX))))
    }

    /// For how long a CPU was there.
    pub(super) fn online_micros(&self, cpu: Cpu) -> u64 {
        let passed = self.micros.saturating_sub(self.start_micros);
        passed - self.away(cpu).map(|(from, until)| until - from).sum::<u64>()
    }

    /// The integral of a wave over the time that a CPU was there.
    pub(super) fn online_area(&self, cpu: Cpu, wave: &Wave) -> u64 {
        let missed = self.away(cpu).map(|(from, until)| wave.integral(until) - wave.integral(from));
        self.area(wave) - missed.sum::<u64>()
    }

    /// Where the times of a CPU begin, if not at the host's start.
    pub(super) fn times_begin_micros(&self, cpu: Cpu) -> u64 {
        let anew = self.absences(cpu).filter(|absence| absence.begins_anew);
        anew.filter_map(|absence| absence.until_micros).max().unwrap_or_default()
    }

    /// How much there has been on a CPU of what there is so much of in a million seconds on average.
    pub(crate) fn counter_of_cpu(&self, cpu: Cpu, micro_per_second: u64) -> u64 {
        let Some(load) = self.machine.processor.load(cpu) else { return 0 };
        Self::amount(self.online_area(cpu, &load.wave), micro_per_second * load.share) / 1_000
    }

    /// What happens on all CPUs, or on one, and has happened so often at any moment.
    pub(super) fn spread(&self, cpu: Option<Cpu>, total: impl Fn(&Self) -> u64) -> Spread {
        let absences = self.past.absences.iter();
        let turns = absences.flat_map(|absence| [Some(absence.from_micros), absence.until_micros]).flatten();
        let mut turns: Vec<u64> = turns.filter(|&micros| micros < self.micros).collect();
        turns.sort_unstable();
        turns.dedup();
        let turns = turns.into_iter().map(|micros| (micros, total(&self.at(micros)))).collect();
        Spread { total: total(self), cpu, turns }
    }

    /// The part of one CPU. The parts of all are the sum, and none falls while the sum rises.
    pub(crate) fn part_of_cpu(&self, spread: &Spread, cpu: Cpu) -> u64 {
        let processor = &self.machine.processor;
        let count = processor.cpus;
        let Some((first, _)) = spread.turns.first() else {
            return match spread.cpu {
                Some(only) if only == cpu => spread.total,
                Some(_) => 0,
                None => (spread.total + cpu.number() as u64) / (count as u64).max(1),
            };
        };
        let away = |micros: u64| self.past.absences.iter().filter(move |absence| absence.covers(micros));
        let is_there = |cpu: Cpu, micros: u64| !away(micros).any(|absence| absence.cpu == cpu);
        let (mut sum, mut before, mut since) = (0, 0, first.saturating_sub(1));
        let ends = spread.turns.iter().copied().chain([(self.micros, spread.total)]);
        for (until, total) in ends {
            let more = total - before;
            sum += match spread.cpu {
                // Another takes the place of one that is not there.
                Some(only) => {
                    let mut there = std::iter::once(only).chain(processor.all()).filter(|&cpu| is_there(cpu, since));
                    if there.next() == Some(cpu) { more } else { 0 }
                }
                None if is_there(cpu, since) => {
                    let place = cpu.number() - away(since).filter(|absence| absence.cpu < cpu).count();
                    (more + place as u64) / (count - away(since).count()).max(1) as u64
                }
                None => 0,
            };
            (before, since) = (total, until);
        }
        sum
    }
}
