//! How often interrupts came.

use super::Moment;
use crate::machine::{Architecture, InterruptLine, LocalInterrupt};

/// How many times all CPUs together, and which of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) total: u64,
    cpu: Option<usize>,
}

impl Moment<'_> {
    /// Of a line.
    pub(crate) fn line_interrupts(&self, line: &InterruptLine) -> Spread {
        Spread { total: self.counter(&self.machine.load, line.milli), cpu: line.cpu }
    }

    /// Of a kind that each CPU has of its own.
    pub(crate) fn local_interrupts(&self, local: &LocalInterrupt) -> Spread {
        Spread { total: self.counter(&self.machine.load, self.times_cpus(local.milli)), cpu: None }
    }

    /// The part of one CPU.
    pub(crate) fn interrupts_of_cpu(&self, spread: Spread, cpu: usize) -> u64 {
        match spread.cpu {
            Some(only) if only == cpu => spread.total,
            Some(_) => 0,
            None => self.part_of_cpu(spread.total, cpu),
        }
    }

    /// As /proc/stat counts them: in all, and by number.
    pub(crate) fn interrupts(&self) -> (u64, Vec<u64>) {
        /// The lines that every PC has.
        const LINES_LEAST: usize = 24;
        let interrupts = &self.machine.interrupts;
        let locals = || interrupts.local.iter().map(|local| (local, self.local_interrupts(local).total));
        if self.machine.system.architecture == Architecture::S390x {
            // Three numbers, of which the others are parts.
            let of = |name: &str| {
                locals().filter(|(local, _)| local.description.starts_with(name)).map(|(_, total)| total).sum::<u64>()
            };
            let classes = vec![of("[EXT]"), of("[I/O]"), of("[AIO]")];
            return (classes.iter().sum(), classes);
        }
        let last = interrupts.lines.last().map_or(0, |line| line.number + 1);
        let mut counts = vec![0; last.max(LINES_LEAST)];
        for line in &interrupts.lines {
            if let Some(count) = counts.get_mut(line.number) {
                *count += self.line_interrupts(line).total;
            }
        }
        let total = counts.iter().sum::<u64>() + locals().map(|(_, total)| total).sum::<u64>();
        (total, counts)
    }
}
