//! Counts of the kernel as a whole.

use super::Moment;
use super::cpus::Spread;
use crate::wave::MICROS;

/// The names of the soft interrupts, in the kernel's order, and how often each comes in a thousand seconds on one CPU.
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
    /// Of each kind, on all CPUs.
    pub(crate) fn soft_interrupts(&self) -> impl Iterator<Item = Spread> {
        let count = |milli| move |moment: &Self| moment.counter(&moment.machine.load, moment.times_cpus(milli));
        SOFT_INTERRUPTS.iter().map(move |&(_, milli)| self.spread(None, count(milli)))
    }

    /// Packets that all CPUs took from devices, and how often one had no time for all of them.
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

    /// Processes and threads that were ever started.
    pub(crate) fn forks(&self) -> u64 {
        // The one that asks was started last, but for those that crowd in.
        let last_at_start = self.machine.processes.last().map_or(1, |process| process.number);
        u64::from(last_at_start) + self.counter(&self.machine.load, 3_700) + self.started_by_fork_bombs()
    }

    /// The number that was given to a process last; numbers come round at 4,194,304.
    pub(crate) fn last_process(&self) -> u64 {
        const LIMIT: u64 = 4_194_304;
        const RESERVED: u64 = 300;
        let forks = self.forks();
        if forks < LIMIT { forks } else { RESERVED + (forks - LIMIT) % (LIMIT - RESERVED) }
    }

    pub(crate) fn blocked(&self) -> u64 {
        self.flicker("blocked", 12) / 11
    }

    /// Handles on files.
    pub(crate) fn open_files(&self) -> u64 {
        // Counted in batches of 32 for each CPU.
        (1_400 + self.recent(&self.machine.load, 60) / 2) / 32 * 32
    }

    pub(crate) fn max_open_files(&self) -> u64 {
        self.machine.memory.pages * 4 / 10
    }

    /// Connections that are tracked.
    pub(crate) fn tracked_connections(&self) -> u64 {
        let connections = &self.machine.connections;
        let open = connections.always + self.recent(&self.machine.load, 120) * connections.at_mean_load / 1_000;
        12 * open + self.flicker("connections", 9)
    }

    /// Nanoseconds that all CPUs were idle, in hundredths of a second.
    pub(crate) fn idle_hundredths(&self) -> u64 {
        self.cpu_times_of_all().idle
    }

    pub(crate) fn uptime_hundredths(&self) -> u64 {
        self.uptime_micros() / (MICROS / 100)
    }
}
