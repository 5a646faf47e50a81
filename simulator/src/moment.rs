//! The values of a host at one moment. Files and kernel answers both use them, so that they agree.

pub(crate) mod block;
pub(crate) mod clock;
pub(crate) mod cpu;
pub(crate) mod devices;
pub(crate) mod drivers;
pub(crate) mod file_systems;
pub(crate) mod kernel;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod nfs;
pub(crate) mod perf;
pub(crate) mod process;
pub(crate) mod protocols;
pub(crate) mod routes;
pub(crate) mod sockets;
pub(crate) mod units;
pub(crate) mod zones;

use std::time::Duration;

use crate::machine::{KernelVersion, Machine};
use crate::past::{Past, State};
use crate::wave::{LAST_SECONDS, MEAN, MICROS, Wave};

/// A host at a moment: its machine, the traces of its events, and the time.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) past: &'a Past,
    /// Since 1970 by a clock that is never set; at the earliest the boot.
    micros: u64,
    /// When counters start at 0: at the boot, or later for parts that were added later.
    start_micros: u64,
}

impl<'a> Moment<'a> {
    pub(crate) fn new(state: &'a State, now: Duration) -> Self {
        let State { machine, past } = state;
        let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let start_micros = machine.boot_micros();
        Self { machine, past, micros: micros.clamp(start_micros, LAST_SECONDS * MICROS), start_micros }
    }

    /// The wall clock since 1970.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.micros.saturating_add_signed(self.past.clock_seconds * MICROS.cast_signed()))
    }

    /// The time of the boot in seconds since 1970, by the current wall clock.
    pub(crate) fn booted_seconds(&self) -> u64 {
        self.machine.booted_seconds.saturating_add_signed(self.past.clock_seconds)
    }

    pub(crate) fn kernel(&self) -> KernelVersion {
        self.machine.system.kernel()
    }

    /// The page size in KiB.
    pub(crate) fn page_kilobytes(&self) -> u64 {
        self.machine.system.architecture.page_size_bytes() / 1_024
    }

    pub(crate) fn uptime_micros(&self) -> u64 {
        self.micros.saturating_sub(self.machine.boot_micros())
    }

    /// The age of data that survives a reboot.
    pub(crate) fn age_micros(&self) -> u64 {
        let first = self.past.first_start_seconds.unwrap_or(self.machine.booted_seconds);
        self.micros.saturating_sub(first * MICROS)
    }

    /// The integral of a wave since the start of counters, in thousandths times microseconds.
    fn area(&self, wave: &Wave) -> u64 {
        wave.integral(self.micros).saturating_sub(wave.integral(self.start_micros))
    }

    /// A counter: the total since its start, for a mean rate in thousandths per second.
    pub(crate) fn counter(&self, wave: &Wave, milli_per_second: u64) -> u64 {
        Self::amount(self.area(wave), milli_per_second)
    }

    /// The total over an integral of a wave, for a mean rate in thousandths per second.
    fn amount(area: u64, milli_per_second: u64) -> u64 {
        const UNIT: u128 = (MEAN * MICROS * 1_000) as u128;
        let total = u128::from(area) * u128::from(milli_per_second) / UNIT;
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// A counter at a share of a mean rate.
    pub(crate) fn counter_part(&self, wave: &Wave, permille: u64, milli_per_second: u64) -> u64 {
        self.counter(wave, milli_per_second.saturating_mul(permille) / MEAN)
    }

    /// Time since the start of an activity that takes a mean share of it.
    fn nanoseconds(&self, wave: &Wave, permille: u64) -> u64 {
        Self::nanoseconds_of(self.area(wave), permille)
    }

    /// Time of an activity over an integral of a wave.
    fn nanoseconds_of(area: u64, permille: u64) -> u64 {
        let total = u128::from(area) * u128::from(permille) / u128::from(MEAN);
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// Time since the start that bursts of a wave took, scaled to a share at a burst of the mean.
    fn burst_micros(&self, wave: &Wave, permille: u64) -> u64 {
        let area = wave.bursts(self.micros).saturating_sub(wave.bursts(self.start_micros));
        let total = u128::from(area) * u128::from(permille) / u128::from(MEAN * MEAN);
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// The mean of a wave over the last seconds, in thousandths.
    pub(crate) fn recent(&self, wave: &Wave, seconds: u64) -> u64 {
        let before = self.earlier(seconds);
        let area = wave.integral(self.micros) - wave.integral(before.micros);
        area.checked_div(self.micros - before.micros).unwrap_or(MEAN)
    }

    /// The host some seconds ago, at the earliest at its boot.
    fn earlier(&self, seconds: u64) -> Self {
        let started = self.machine.boot_micros().min(self.micros);
        let micros = self.micros.saturating_sub(seconds * MICROS).max(started);
        Self { micros, ..*self }
    }

    /// The host at a past moment.
    fn at(&self, micros: u64) -> Self {
        Self { micros: micros.min(self.micros), ..*self }
    }

    /// This moment, with counters that start at another moment if that is later.
    fn since(&self, micros: u64) -> Self {
        Self { start_micros: self.start_micros.max(micros), ..*self }
    }

    /// A number below a limit that changes every second.
    fn flicker(&self, name: &str, limit: u64) -> u64 {
        self.machine.seed.of(name).at(self.micros / MICROS).below(limit)
    }
}
