//! What went through each block device.

use super::Moment;
use crate::machine::{Above, Flow, Io, KernelVersion};

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

impl Moment<'_> {
    /// What its users do to a device and what comes down from the devices on it.
    pub(crate) fn disk_counts(&self, device: usize) -> DiskCounts {
        let Some(block) = self.machine.block_devices.get(device) else { return DiskCounts::default() };
        let own = block.io.as_ref().map_or_else(DiskCounts::default, |io| self.io_counts(io, &block.name));
        block.above.iter().fold(own, |sum, above| {
            // A device stands before those that are on it, so this ends.
            debug_assert!(above.device > device, "{} must stand after {}", above.device, block.name);
            sum.plus(self.disk_counts(above.device), *above)
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
        let direction = |flow: Flow| Direction {
            requests: self.counter(&io.wave, flow.requests_milli),
            merged: self.counter(&io.wave, flow.merges_milli),
            sectors: self.counter(&io.wave, flow.blocks_milli) * 8,
            milliseconds: self.counter(&io.wave, flow.milliseconds_milli),
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
            busy_milliseconds: self.counter(&io.wave, waited * 3 / 5),
            weighted_milliseconds: reads.milliseconds + writes.milliseconds + discards.milliseconds,
            flushes: self.counter(&io.wave, io.flushes_milli),
            flush_milliseconds: self.counter(&io.wave, io.flushes_milli / 2),
        }
    }

    /// Sectors that all whole disks together read and wrote: what /proc/vmstat counts as pages in and out.
    pub(crate) fn sectors_of_disks(&self) -> (u64, u64) {
        let devices = self.machine.block_devices.iter().enumerate();
        let disks = devices.filter(|(_, block)| block.device.is_disk());
        disks
            .map(|(device, _)| self.disk_counts(device))
            .fold((0, 0), |(read, written), counts| (read + counts.reads.sectors, written + counts.writes.sectors))
    }
}
