//! What XFS counts of a file system.

use super::Moment;
use crate::machine::BlockDevice;

/// The rows of its statistics, in the kernel's order: how often each thing happens to a thousand writes to the disk.
const ROWS: [(&str, &[u64]); 24] = [
    ("extent_alloc", &[61, 4_300, 52, 3_900]),
    ("abt", &[0, 0, 0, 0]),
    ("blk_map", &[2_410, 1_090, 71, 66, 55, 3_560, 0]),
    ("bmbt", &[0, 0, 0, 0]),
    ("dir", &[148, 43, 39, 310]),
    ("trans", &[4, 611, 9]),
    ("ig", &[171, 9, 0, 162, 0, 131, 118]),
    ("log", &[224, 9_120, 0, 270, 18]),
    ("push_ail", &[1_940, 0, 3_870, 1_260, 0, 88, 4, 210, 0, 16]),
    ("xstrat", &[58, 0]),
    ("rw", &[1_780, 2_960]),
    ("attr", &[640, 0, 0, 0]),
    ("icluster", &[110, 24, 260]),
    ("vnodes", &[31, 0, 0, 0, 131, 131, 131, 0]),
    ("buf", &[4_120, 33, 4_090, 12, 2, 33, 0, 36, 41]),
    ("abtb2", &[190, 1_480, 27, 25, 0, 0, 6, 4, 1, 2, 0, 0, 1, 0, 310]),
    ("abtc2", &[370, 2_610, 148, 146, 0, 0, 9, 7, 1, 2, 0, 0, 1, 0, 1_690]),
    ("bmbt2", &[21, 90, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]),
    ("ibt2", &[410, 2_330, 6, 6, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0, 40]),
    ("fibt2", &[360, 1_980, 14, 13, 0, 0, 5, 3, 0, 0, 0, 0, 0, 0, 90]),
    ("rmapbt", &[0; 15]),
    ("refcntbt", &[0; 15]),
    ("qm", &[0; 8]),
    ("debug", &[0]),
];

/// What is there before anything is counted: the inodes that are in memory.
const ACTIVE_AT_START: u64 = 2_100;

/// The kernel counts in 32 bits, and from 0 again after them; only bytes have 64.
const COUNTS: u64 = 1 << 32;

/// The row of bytes stands before the last one.
pub(crate) const BYTES: &str = "xpc";

impl Moment<'_> {
    /// What a file system counted: rows of a name and numbers. The first is there for whoever looks for free space.
    pub(crate) fn xfs_rows(&self, block: &BlockDevice, mut visit: impl FnMut(&str, &[u64])) {
        let Some(io) = &block.io else { return };
        for (name, rates) in ROWS {
            let count = |rate: u64| self.counter_part(&io.wave, rate, io.writes.requests_milli);
            let mut counts: Vec<u64> = rates.iter().map(|&rate| count(rate)).collect();
            if let ("vnodes", Some(active)) = (name, counts.first_mut()) {
                *active += ACTIVE_AT_START;
            }
            if name == "debug" {
                let bytes = |blocks_milli: u64| self.counter(&io.wave, blocks_milli) * 4_096;
                let (written, read) = (bytes(io.writes.blocks_milli), bytes(io.reads.blocks_milli));
                // Half of what is written waits to be given its place first.
                visit(BYTES, &[written / 2, written, read]);
            }
            for count in &mut counts {
                *count %= COUNTS;
            }
            visit(name, &counts);
        }
    }
}
