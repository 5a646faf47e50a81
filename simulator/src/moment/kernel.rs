//! Counters of the whole kernel and of interrupts.

use super::Moment;
use super::cpu::Spread;
use crate::machine::{Architecture, InterruptLine, LocalInterrupt};
use crate::wave::MICROS;

/// Soft interrupts in the order of the kernel, with their rates on one CPU in thousandths per second.
pub(crate) const SOFT_INTERRUPTS: [(&str, u64); 10] = [
    ("HI", 4),
    ("TIMER", 96_000),
    ("NET_TX", 310),
    ("NET_RX", 128_000),
    ("BLOCK", 21_000),
    ("IRQ_POLL", 0),
    ("TASKLET", 900),
    ("SCHED", 142_000),
    ("HRTIMER", 12),
    ("RCU", 88_000),
];
impl Moment<'_> {
    /// Soft interrupts of each kind.
    pub(crate) fn soft_interrupts(&self) -> impl Iterator<Item = Spread> {
        let count = |milli| move |moment: &Self| moment.counter(&moment.machine.load, moment.times_cpus(milli));
        SOFT_INTERRUPTS.iter().map(move |&(_, milli)| self.spread(None, count(milli)))
    }

    /// Packets received from devices, and how often the time limit of a poll was exceeded.
    pub(crate) fn packets_processed(&self) -> [Spread; 2] {
        let squeezed = |moment: &Self| moment.counter(&moment.machine.load, moment.times_cpus(9));
        [self.spread(None, Self::packets_from_devices), self.spread(None, squeezed)]
    }

    pub(super) fn times_cpus(&self, milli: u64) -> u64 {
        milli * self.machine.processor.cpus as u64
    }

    pub(crate) fn context_switches(&self) -> u64 {
        self.counter(&self.machine.load, 2_870_000)
    }

    /// Page faults without disk reads.
    pub(crate) fn minor_faults(&self) -> u64 {
        self.counter(&self.machine.load, 4_930_000) - self.major_faults()
    }

    /// Page faults with disk reads.
    pub(crate) fn major_faults(&self) -> u64 {
        self.counter(&self.machine.load, 260)
    }

    /// Processes and threads started since the boot.
    pub(crate) fn forks(&self) -> u64 {
        // The reading process was the last to start before the boot was complete.
        let last_at_start = self.machine.processes.last().map_or(1, |process| process.number);
        u64::from(last_at_start) + self.counter(&self.machine.load, 3_700) + self.started_by_fork_bombs()
    }

    /// The number of the newest process; numbers wrap at 4,194,304.
    pub(crate) fn last_process(&self) -> u64 {
        const LIMIT: u64 = 4_194_304;
        const RESERVED: u64 = 300;
        let forks = self.forks();
        if forks < LIMIT { forks } else { RESERVED + (forks - LIMIT) % (LIMIT - RESERVED) }
    }

    pub(crate) fn blocked(&self) -> u64 {
        self.flicker("blocked", 12) / 11
    }

    /// Open file handles.
    pub(crate) fn open_files(&self) -> u64 {
        // The kernel counts in batches of 32 per CPU.
        (1_400 + self.recent(&self.machine.load, 60) / 2) / 32 * 32
    }

    pub(crate) fn max_open_files(&self) -> u64 {
        self.machine.memory.pages * 4 / 10
    }

    /// Entries of connection tracking.
    pub(crate) fn tracked_connections(&self) -> u64 {
        let connections = &self.machine.connections;
        let open = connections.always + self.recent(&self.machine.load, 120) * connections.at_mean_load / 1_000;
        12 * open + self.flicker("connections", 9)
    }

    /// Idle time of all CPUs, in hundredths of a second.
    pub(crate) fn idle_hundredths(&self) -> u64 {
        self.cpu_times_of_all().idle
    }

    pub(crate) fn uptime_hundredths(&self) -> u64 {
        self.uptime_micros() / (MICROS / 100)
    }
}

/// 2^32, where counters of 32 bits wrap.
const BITS_32: u64 = 1 << 32;

impl Moment<'_> {
    /// The interrupts of a line.
    pub(crate) fn line_interrupts(&self, line: &InterruptLine) -> Spread {
        self.spread(line.cpu, |moment| moment.counter(&self.machine.load, line.milli))
    }

    /// Local interrupts of one kind.
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

    /// Interrupts added at the boot, so that the sum reaches a multiple of 2^32 at the moment of an event.
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

    /// The counters of /proc/stat: the total, and the counts by number.
    pub(crate) fn interrupts(&self) -> (u64, Vec<u64>) {
        /// The minimum number of lines of a PC.
        const LINES_LEAST: usize = 24;
        let interrupts = &self.machine.interrupts;
        let locals = || interrupts.local.iter().map(|local| (local, self.local_interrupts(local).total));
        if self.machine.system.architecture == Architecture::S390x {
            // Three classes, which contain the other rows.
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
