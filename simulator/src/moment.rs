//! What the numbers of a host are at one moment. Renderers and kernel answers both ask here, so that they agree.

pub(crate) mod bcache;
pub(crate) mod block;
pub(crate) mod btrfs;
pub(crate) mod cpu;
pub(crate) mod cpus;
pub(crate) mod devices;
pub(crate) mod fabric;
pub(crate) mod fork_bomb;
pub(crate) mod frequency;
pub(crate) mod growth;
pub(crate) mod interrupts;
pub(crate) mod kernel;
pub(crate) mod memory;
pub(crate) mod mount;
pub(crate) mod network;
pub(crate) mod nfs;
pub(crate) mod process;
pub(crate) mod protocols;
pub(crate) mod raid;
pub(crate) mod sensors;
pub(crate) mod sockets;
pub(crate) mod swap;
pub(crate) mod xfs;
pub(crate) mod zfs;
pub(crate) mod zones;

use std::time::Duration;

use crate::machine::{KernelVersion, Machine};
use crate::past::{Past, State};
use crate::wave::{LAST_SECONDS, MEAN, MICROS, Wave};

/// A host at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) past: &'a Past,
    /// Since 1970 by a clock that nobody sets; never before the host's start.
    micros: u64,
    /// Where counters begin: at the host's start, or later for what came later.
    start_micros: u64,
}

impl<'a> Moment<'a> {
    pub(crate) fn new(state: &'a State, now: Duration) -> Self {
        let State { machine, past } = state;
        let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let start_micros = machine.boot_micros();
        Self { machine, past, micros: micros.clamp(start_micros, LAST_SECONDS * MICROS), start_micros }
    }

    /// Time since 1970, as the clock on the wall has it.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.micros.saturating_add_signed(self.past.clock_seconds * MICROS.cast_signed()))
    }

    /// When the host was started, in seconds since 1970: as the clock on the wall would have had it.
    pub(crate) fn booted_seconds(&self) -> u64 {
        self.machine.booted_seconds.saturating_add_signed(self.past.clock_seconds)
    }

    pub(crate) fn kernel(&self) -> KernelVersion {
        self.machine.system.kernel()
    }

    /// Of the architecture, in KiB.
    pub(crate) fn page_kilobytes(&self) -> u64 {
        self.machine.system.architecture.page_size_bytes() / 1_024
    }

    pub(crate) fn uptime_micros(&self) -> u64 {
        self.micros.saturating_sub(self.machine.boot_micros())
    }

    /// How old is what a start leaves alone: what disks hold.
    pub(crate) fn age_micros(&self) -> u64 {
        let first = self.past.first_start_seconds.unwrap_or(self.machine.booted_seconds);
        self.micros.saturating_sub(first * MICROS)
    }

    /// The integral of a wave since the start, in thousandths times microseconds.
    fn area(&self, wave: &Wave) -> u64 {
        wave.integral(self.micros).saturating_sub(wave.integral(self.start_micros))
    }

    /// How much there has been since the start of what there is so much of in a thousand seconds on average.
    pub(crate) fn counter(&self, wave: &Wave, milli_per_second: u64) -> u64 {
        Self::amount(self.area(wave), milli_per_second)
    }

    /// The same over so much of a wave.
    fn amount(area: u64, milli_per_second: u64) -> u64 {
        const UNIT: u128 = (MEAN * MICROS * 1_000) as u128;
        let total = u128::from(area) * u128::from(milli_per_second) / UNIT;
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// The same of something that is done at so many thousandths of the usual.
    pub(crate) fn counter_part(&self, wave: &Wave, permille: u64, milli_per_second: u64) -> u64 {
        self.counter(wave, milli_per_second.saturating_mul(permille) / MEAN)
    }

    /// Time spent since the start on something that takes so many thousandths of it on average.
    fn nanoseconds(&self, wave: &Wave, permille: u64) -> u64 {
        Self::nanoseconds_of(self.area(wave), permille)
    }

    /// The same over so much of a wave.
    fn nanoseconds_of(area: u64, permille: u64) -> u64 {
        let total = u128::from(area) * u128::from(permille) / u128::from(MEAN);
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// Time since the start of which bursts took so many thousandths at a burst of a whole mean.
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

    /// The same host so many seconds ago, or when it was started. A moment before the start has none before it.
    fn earlier(&self, seconds: u64) -> Self {
        let started = self.machine.boot_micros().min(self.micros);
        let micros = self.micros.saturating_sub(seconds * MICROS).max(started);
        Self { micros, ..*self }
    }

    /// The same host at a moment that has passed.
    fn at(&self, micros: u64) -> Self {
        Self { micros: micros.min(self.micros), ..*self }
    }

    /// The same moment, for what counts only since another, if that is later than the start.
    fn since(&self, micros: u64) -> Self {
        Self { start_micros: self.start_micros.max(micros), ..*self }
    }

    /// A number that is another one every second: for what merely flickers.
    fn flicker(&self, name: &str, limit: u64) -> u64 {
        self.machine.seed.of(name).at(self.micros / MICROS).below(limit)
    }
}
