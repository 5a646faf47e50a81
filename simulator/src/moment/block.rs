//! What went through each block device.

use super::Moment;
use crate::machine::{Above, BlockDevice, Flow, Io, KernelVersion};
use crate::past::Failing;

/// Thousandths of the whole.
const WHOLE: u64 = 1_000;

fn part(count: u64, permille: u64) -> u64 {
    let part = u128::from(count) * u128::from(permille) / u128::from(WHOLE);
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// The columns of /proc/diskstats after the name.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct DiskCounts {
    pub(crate) reads: Direction,
    pub(crate) writes: Direction,
    pub(crate) in_flight: u64,
    pub(crate) busy_milliseconds: u64,
    pub(crate) weighted_milliseconds: u64,
    pub(crate) discards: Direction,
    pub(crate) flushes: u64,
    pub(crate) flush_milliseconds: u64,
}

/// Four columns.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Direction {
    pub(crate) requests: u64,
    pub(crate) merged: u64,
    pub(crate) sectors: u64,
    pub(crate) milliseconds: u64,
}

impl Direction {
    /// As they arrive at the device below, one in so many merged into another.
    fn below(self, merged_one_in: u64) -> Self {
        let merged = self.requests.checked_div(merged_one_in).unwrap_or(0);
        Self { requests: self.requests - merged, merged: self.merged + merged, ..self }
    }

    /// So many thousandths of it.
    fn part(self, permille: u64) -> Self {
        let part = |count: u64| part(count, permille);
        Self {
            requests: part(self.requests),
            merged: part(self.merged),
            sectors: part(self.sectors / 8) * 8,
            milliseconds: part(self.milliseconds),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            merged: self.merged + other.merged,
            sectors: self.sectors + other.sectors,
            milliseconds: self.milliseconds + other.milliseconds,
        }
    }
}

impl DiskCounts {
    /// With what comes down from a device above.
    fn plus(self, other: Self, above: Above) -> Self {
        let Above { merged_one_in, reads_permille, writes_permille, .. } = above;
        let mean = |count| part(count, reads_permille.midpoint(writes_permille).min(WHOLE));
        Self {
            reads: self.reads.plus(other.reads.part(reads_permille).below(merged_one_in)),
            writes: self.writes.plus(other.writes.part(writes_permille).below(merged_one_in)),
            in_flight: self.in_flight + mean(other.in_flight),
            busy_milliseconds: self.busy_milliseconds + mean(other.busy_milliseconds),
            weighted_milliseconds: self.weighted_milliseconds + mean(other.weighted_milliseconds),
            discards: self.discards.plus(other.discards.part(writes_permille).below(merged_one_in)),
            // Whoever holds a part of it has to write all that it holds.
            flushes: self.flushes + other.flushes,
            flush_milliseconds: self.flush_milliseconds + other.flush_milliseconds,
        }
    }

    /// With sectors that were copied from it and to it, in large requests.
    fn with_copied(mut self, read: u64, written: u64) -> Self {
        const REQUEST_SECTORS: u64 = 1_024;
        for (direction, sectors) in [(&mut self.reads, read), (&mut self.writes, written)] {
            direction.requests += sectors / REQUEST_SECTORS;
            direction.sectors += sectors;
            direction.milliseconds += sectors / REQUEST_SECTORS * 3;
        }
        self.busy_milliseconds += (read + written) / REQUEST_SECTORS * 2;
        self.weighted_milliseconds += (read + written) / REQUEST_SECTORS * 3;
        self
    }

    /// With what took ten times as long, and a device that had no rest for so many milliseconds.
    fn slower(mut self, slow: Self, milliseconds: u64) -> Self {
        const MORE: u64 = 9;
        self.reads.milliseconds += slow.reads.milliseconds * MORE;
        self.writes.milliseconds += slow.writes.milliseconds * MORE;
        self.weighted_milliseconds += slow.weighted_milliseconds * MORE;
        self.busy_milliseconds += milliseconds.saturating_sub(slow.busy_milliseconds);
        self
    }

    /// In the order of the columns.
    pub(crate) fn columns(self) -> [u64; 17] {
        let (r, w, d) = (self.reads, self.writes, self.discards);
        [
            r.requests,
            r.merged,
            r.sectors,
            r.milliseconds,
            w.requests,
            w.merged,
            w.sectors,
            w.milliseconds,
            self.in_flight,
            self.busy_milliseconds,
            self.weighted_milliseconds,
            d.requests,
            d.merged,
            d.sectors,
            d.milliseconds,
            self.flushes,
            self.flush_milliseconds,
        ]
    }
}

impl Failing {
    /// Whether it is this disk, or stands on it.
    fn is_of(&self, block: &BlockDevice) -> bool {
        self.parts.contains(&block.name)
    }
}

impl Above {
    /// All of it comes down as it is.
    const ALL: Self = Self { device: 0, merged_one_in: 0, reads_permille: WHOLE, writes_permille: WHOLE };
}

impl Moment<'_> {
    /// What its users do to a device and what comes down from the devices on it, as it tells it.
    pub(crate) fn disk_counts(&self, block: &BlockDevice) -> DiskCounts {
        let mut told = self.disk_counted(block);
        for wrap in self.past.wraps.iter().filter(|wrap| wrap.device == block.name) {
            let then = Self { micros: wrap.at_micros.max(self.machine.boot_micros()), ..*self };
            let at_end = then.disk_counted(block);
            told.reads.sectors = wrap.told(told.reads.sectors, at_end.reads.sectors);
            told.writes.sectors = wrap.told(told.writes.sectors, at_end.writes.sectors);
        }
        told
    }

    /// The same, whatever its counters have room for, and whatever ails it.
    fn disk_counted(&self, block: &BlockDevice) -> DiskCounts {
        let past = self.past;
        if past.failing.is_empty() && past.disks_since.is_empty() {
            return self.usual_counts(block);
        }
        let since = past.disks_since.iter().find(|(name, _)| *name == block.name).map_or(0, |(_, micros)| *micros);
        let moment = self.since(since);
        let Some(failing) = past.failing.iter().find(|failing| failing.is_of(block)) else {
            return moment.usual_counts(block);
        };
        let ended = moment.at(failing.until_micros.unwrap_or(u64::MAX));
        let counts = ended.usual_counts(block);
        let counts = counts.slower(ended.since(failing.from_micros).usual_counts(block), ended.slow_milliseconds());
        match failing.back_micros {
            Some(back) => counts.plus(moment.since(back).usual_counts(block), Above::ALL),
            None => counts,
        }
    }

    fn usual_counts(&self, block: &BlockDevice) -> DiskCounts {
        let own = block.io.as_ref().map_or_else(DiskCounts::default, |io| self.io_counts(io, &block.name));
        let [read, written] = self.rebuilding_sectors(&block.name);
        let own = own.with_copied(read, written);
        block.above.iter().fold(own, |sum, above| {
            let counts = self.machine.block(above.device).map(|above| self.usual_counts(above));
            sum.plus(counts.unwrap_or_default(), *above)
        })
    }

    /// How many of the columns this kernel writes: discards came with 4.18, flushes with 5.5.
    pub(crate) fn disk_columns(&self) -> usize {
        match self.kernel() {
            kernel if kernel >= KernelVersion::new(5, 5) => 17,
            kernel if kernel >= KernelVersion::new(4, 18) => 15,
            _ => 11,
        }
    }

    fn io_counts(&self, io: &Io, name: &str) -> DiskCounts {
        let area = self.area(&io.wave);
        let count = |milli| Self::amount(area, milli);
        let direction = |flow: Flow| Direction {
            requests: count(flow.requests_milli),
            merged: count(flow.merges_milli),
            sectors: count(flow.blocks_milli) * 8,
            milliseconds: count(flow.milliseconds_milli),
        };
        let waited = io.reads.milliseconds_milli + io.writes.milliseconds_milli + io.discards.milliseconds_milli;
        let reads = direction(io.reads);
        let writes = direction(io.writes);
        let discards = direction(io.discards);
        DiskCounts {
            reads,
            writes,
            discards,
            in_flight: self.recent(&io.wave, 1) * self.flicker(name, 6) / 4_000,
            // Requests overlap, so the device is busy for less time than they take.
            busy_milliseconds: count(waited * 3 / 5),
            weighted_milliseconds: reads.milliseconds + writes.milliseconds + discards.milliseconds,
            flushes: count(io.flushes_milli),
            flush_milliseconds: count(io.flushes_milli / 2),
        }
    }

    /// Sectors that all whole disks together read and wrote: what /proc/vmstat counts as pages in and out.
    pub(crate) fn sectors_of_disks(&self) -> (u64, u64) {
        let disks = self.machine.block_devices.iter().filter(|block| block.device.is_disk());
        let [read, written] = self.past.gone_sectors;
        disks
            .map(|disk| self.sectors_of_disk(disk))
            .fold((read, written), |(read, written), [more, others]| (read + more, written + others))
    }

    /// Sectors that were read from a disk and written to it.
    pub(crate) fn sectors_of_disk(&self, disk: &BlockDevice) -> [u64; 2] {
        let counts = self.disk_counted(disk);
        [counts.reads.sectors, counts.writes.sectors]
    }

    /// For how long disks that fail have kept others waiting, in milliseconds since the start.
    fn slow_milliseconds(&self) -> u64 {
        let slow = self.past.failing.iter().map(|failing| {
            let until = failing.until_micros.unwrap_or(u64::MAX).min(self.micros);
            until.saturating_sub(failing.from_micros.max(self.start_micros)) / 1_000
        });
        slow.max().unwrap_or_default()
    }

    /// The same in microseconds.
    pub(super) fn slow_micros(&self) -> u64 {
        self.slow_milliseconds() * 1_000
    }

    /// Requests that a block device could not answer.
    pub(crate) fn disk_errors(&self, block: &BlockDevice) -> u64 {
        /// One in so many milliseconds.
        const ONE_IN: u64 = 23_000;
        let failing = self.past.failing.iter().filter(|failing| failing.is_of(block));
        let last = |failing: &Failing| failing.until_micros.unwrap_or(u64::MAX).min(self.micros);
        failing.map(|failing| last(failing).saturating_sub(failing.from_micros) / 1_000 / ONE_IN).sum()
    }
}
