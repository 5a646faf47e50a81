//! How often interrupts came.

use super::Moment;
use super::cpus::Spread;
use crate::machine::{Architecture, InterruptLine, LocalInterrupt};

/// The first number that has more than 32 bits.
const BITS_32: u64 = 1 << 32;

impl Moment<'_> {
    /// Of a line.
    pub(crate) fn line_interrupts(&self, line: &InterruptLine) -> Spread {
        self.spread(line.cpu, |moment| moment.counter(&self.machine.load, line.milli))
    }

    /// Of a kind that each CPU has of its own.
    pub(crate) fn local_interrupts(&self, local: &LocalInterrupt) -> Spread {
        let usual = self.spread(None, |moment| moment.local_total(local));
        let (more, is_busiest) = (self.interrupts_before(), self.is_busiest(local));
        if is_busiest && more > 0 { usual.with_more_before(more) } else { usual }
    }

    fn local_total(&self, local: &LocalInterrupt) -> u64 {
        self.counter(&self.machine.load, self.times_cpus(local.milli))
    }

    fn is_busiest(&self, local: &LocalInterrupt) -> bool {
        let busiest = self.machine.interrupts.local.iter().max_by_key(|local| local.milli);
        busiest.is_some_and(|busiest| busiest.name == local.name)
    }

    /// How many more there were at the start than usual, so that the sum reaches a multiple of 2^32 when it shall.
    fn interrupts_before(&self) -> u64 {
        let Some((at_micros, _)) = self.past.interrupts_reach else { return 0 };
        let then = Self { micros: at_micros.max(self.machine.boot_micros()), ..*self };
        let interrupts = &self.machine.interrupts;
        let lines = interrupts.lines.iter().map(|line| then.counter(&then.machine.load, line.milli)).sum::<u64>();
        let sum = lines + interrupts.local.iter().map(|local| then.local_total(local)).sum::<u64>();
        (BITS_32 - sum % BITS_32) % BITS_32
    }

    fn interrupts_told(&self, sum: u64) -> u64 {
        match self.past.interrupts_reach {
            Some((_, true)) => sum % BITS_32,
            _ => sum,
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
            return (self.interrupts_told(classes.iter().sum()), classes);
        }
        let last = interrupts.lines.last().map_or(0, |line| line.number + 1);
        let mut counts = vec![0; last.max(LINES_LEAST)];
        for line in &interrupts.lines {
            if let Some(count) = counts.get_mut(line.number) {
                *count += self.line_interrupts(line).total;
            }
        }
        let total = counts.iter().sum::<u64>() + locals().map(|(_, total)| total).sum::<u64>();
        (self.interrupts_told(total), counts)
    }
}
