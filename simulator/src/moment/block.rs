//! Counters of block devices, and checks and rebuilds of arrays.

use super::Moment;
use crate::list::Id;
use crate::machine::{Array, BlockDevice, Flow, Io, KernelVersion, Share};
use crate::past::{Failing, Rebuild};
use crate::wave::MICROS;

/// The whole in thousandths.
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

/// The four columns of reads, writes or discards.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Direction {
    pub(crate) requests: u64,
    pub(crate) merged: u64,
    pub(crate) sectors: u64,
    pub(crate) milliseconds: u64,
}

impl Direction {
    /// The requests that arrive at the device below, some of them merged.
    fn below(self, merged_one_in: u64) -> Self {
        let merged = self.requests.checked_div(merged_one_in).unwrap_or(0);
        Self { requests: self.requests - merged, merged: self.merged + merged, ..self }
    }

    /// A share in thousandths.
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
    /// Adds the requests that a device above passes down.
    fn plus(self, other: Self, share: Share) -> Self {
        let Share { merged_one_in, reads_permille, writes_permille } = share;
        let mean = |count| part(count, reads_permille.midpoint(writes_permille).min(WHOLE));
        Self {
            reads: self.reads.plus(other.reads.part(reads_permille).below(merged_one_in)),
            writes: self.writes.plus(other.writes.part(writes_permille).below(merged_one_in)),
            in_flight: self.in_flight + mean(other.in_flight),
            busy_milliseconds: self.busy_milliseconds + mean(other.busy_milliseconds),
            weighted_milliseconds: self.weighted_milliseconds + mean(other.weighted_milliseconds),
            discards: self.discards.plus(other.discards.part(writes_permille).below(merged_one_in)),
            // A flush of the device above flushes every device below it.
            flushes: self.flushes + other.flushes,
            flush_milliseconds: self.flush_milliseconds + other.flush_milliseconds,
        }
    }

    /// Adds sectors that were copied from and to the device in large requests.
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

    /// Adds the delay of a failing disk: its requests take ten times as long, and it is never idle.
    fn slower(mut self, slow: Self, milliseconds: u64) -> Self {
        const MORE: u64 = 9;
        self.reads.milliseconds += slow.reads.milliseconds * MORE;
        self.writes.milliseconds += slow.writes.milliseconds * MORE;
        self.weighted_milliseconds += slow.weighted_milliseconds * MORE;
        self.busy_milliseconds += milliseconds.saturating_sub(slow.busy_milliseconds);
        self
    }

    /// The values in the order of the columns.
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
    /// Whether a device is the failing disk or is made of it.
    fn is_of(&self, block: &BlockDevice) -> bool {
        self.parts.contains(&block.name)
    }
}

impl Moment<'_> {
    /// The counters of a device, with the requests of devices above it.
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

    /// The counters without wraps.
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
            Some(back) => counts.plus(moment.since(back).usual_counts(block), Share::ALL),
            None => counts,
        }
    }

    fn usual_counts(&self, block: &BlockDevice) -> DiskCounts {
        let own = block.io.as_ref().map_or_else(DiskCounts::default, |io| self.io_counts(io, &block.name));
        let [read, written] = self.rebuilding_sectors(&block.name);
        let own = own.with_copied(read, written);
        block.above.iter().fold(own, |sum, above| {
            let counts = self.machine.block_devices.get(above.device).map(|above| self.usual_counts(above));
            sum.plus(counts.unwrap_or_default(), above.share)
        })
    }

    /// The number of columns: discards were added in 4.18, flushes in 5.5.
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
            // Requests overlap, so the busy time is less than their sum.
            busy_milliseconds: count(waited * 3 / 5),
            weighted_milliseconds: reads.milliseconds + writes.milliseconds + discards.milliseconds,
            flushes: count(io.flushes_milli),
            flush_milliseconds: count(io.flushes_milli / 2),
        }
    }

    /// Sectors read and written by all disks: the paging counters of /proc/vmstat.
    pub(crate) fn sectors_of_disks(&self) -> (u64, u64) {
        let disks = self.machine.block_devices.iter().filter(|block| block.device.is_disk());
        let [read, written] = self.past.gone_sectors;
        disks
            .map(|disk| self.sectors_of_disk(disk))
            .fold((read, written), |(read, written), [more, others]| (read + more, written + others))
    }

    /// Sectors read from a disk, and written to it.
    pub(crate) fn sectors_of_disk(&self, disk: &BlockDevice) -> [u64; 2] {
        let counts = self.disk_counted(disk);
        [counts.reads.sectors, counts.writes.sectors]
    }

    /// The time since the start in which a failing disk delayed tasks, in milliseconds.
    fn slow_milliseconds(&self) -> u64 {
        let slow = self.past.failing.iter().map(|failing| {
            let until = failing.until_micros.unwrap_or(u64::MAX).min(self.micros);
            until.saturating_sub(failing.from_micros.max(self.start_micros)) / 1_000
        });
        slow.max().unwrap_or_default()
    }

    /// The time since the start in which a failing disk delayed tasks, in microseconds.
    pub(super) fn slow_micros(&self) -> u64 {
        self.slow_milliseconds() * 1_000
    }

    /// Failed requests of a block device.
    pub(crate) fn disk_errors(&self, block: &BlockDevice) -> u64 {
        /// Milliseconds per error.
        const ONE_IN: u64 = 23_000;
        let failing = self.past.failing.iter().filter(|failing| failing.is_of(block));
        let last = |failing: &Failing| failing.until_micros.unwrap_or(u64::MAX).min(self.micros);
        failing.map(|failing| last(failing).saturating_sub(failing.from_micros) / 1_000 / ONE_IN).sum()
    }
}

/// The progress of a check or a rebuild.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) done_sectors: u64,
    pub(crate) of_sectors: u64,
    pub(crate) finish_seconds: u64,
    pub(crate) kilobytes_per_second: u64,
    /// Whether it is a rebuild rather than a check.
    pub(crate) is_rebuild: bool,
}

impl Moment<'_> {
    /// The progress of the ongoing rebuild or check of an array.
    pub(crate) fn check_of(&self, array: &Array) -> Option<Progress> {
        let name = self.machine.block_devices.get(array.device).map(|block| &block.name);
        let rebuild = self.past.rebuilds.iter().find(|rebuild| Some(&rebuild.array) == name && !rebuild.is_done);
        if let Some(rebuild) = rebuild {
            let lasts = (rebuild.until_micros - rebuild.from_micros).max(1);
            return Some(Progress {
                done_sectors: self.rebuilt_sectors(rebuild, array.member_sectors) / 256 * 256,
                of_sectors: array.member_sectors,
                finish_seconds: rebuild.until_micros.saturating_sub(self.micros) / MICROS,
                kilobytes_per_second: array.member_sectors / 2 / (lasts / MICROS).max(1),
                is_rebuild: true,
            });
        }
        let check = array.check;
        let phase = (self.age_micros() / MICROS + check.offset_seconds).checked_rem(check.every_seconds)?;
        let left = check.lasts_seconds.checked_sub(phase).filter(|left| *left > 0)?;
        let of_sectors = array.member_sectors;
        let done = u128::from(of_sectors) * u128::from(phase) / u128::from(check.lasts_seconds);
        Some(Progress {
            done_sectors: u64::try_from(done).unwrap_or(of_sectors) / 256 * 256,
            of_sectors,
            finish_seconds: left,
            kilobytes_per_second: of_sectors / 2 / check.lasts_seconds,
            is_rebuild: false,
        })
    }

    /// Rebuilt sectors of a member.
    fn rebuilt_sectors(&self, rebuild: &Rebuild, member_sectors: u64) -> u64 {
        let lasts = u128::from((rebuild.until_micros - rebuild.from_micros).max(1));
        // Sectors rebuilt before a reboot are not rebuilt again.
        let passed =
            |micros: u64| u128::from(micros.clamp(rebuild.from_micros, rebuild.until_micros) - rebuild.from_micros);
        u64::try_from(u128::from(member_sectors) * passed(self.micros) / lasts).unwrap_or(member_sectors)
    }

    /// Sectors that rebuilds read from a block device and wrote to it since the start.
    pub(super) fn rebuilding_sectors(&self, name: &str) -> [u64; 2] {
        let devices = &self.machine.block_devices;
        let name_of = |device: Id<BlockDevice>| devices.get(device).map_or("", |block| block.name.as_str());
        let mut sums = [0; 2];
        for rebuild in &self.past.rebuilds {
            let array = self.machine.storage.arrays.iter().find(|array| name_of(array.device) == rebuild.array);
            let is_of = |array: &&Array| array.members.iter().any(|member| name_of(member.device) == name);
            let Some(array) = array.filter(is_of) else { continue };
            let [now, before] = [self.micros, self.start_micros]
                .map(|micros| Self { micros, ..*self }.rebuilt_sectors(rebuild, array.member_sectors) / 8 * 8);
            sums[usize::from(rebuild.member == name)] += now - before;
        }
        sums
    }
}
