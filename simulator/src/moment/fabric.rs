//! What went through tape drives and ports of Fibre Channel.

use super::Moment;
use crate::machine::{FibreChannel, Tape};
use crate::wave::MICROS;

const NANOS_PER_MILLISECOND: u64 = 1_000_000;
const BLOCK_BYTES: u64 = 4_096;
const SECTOR_BYTES: u64 = 512;
/// A frame carries this much, and each byte is told in words of 4.
const FRAME_BYTES: u64 = 2_048;
const WORD_BYTES: u64 = 4;

/// What a tape drive counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TapeCounts {
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) read_nanos: u64,
    pub(crate) writes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) write_nanos: u64,
    pub(crate) others: u64,
    pub(crate) other_nanos: u64,
    pub(crate) residuals: u64,
    pub(crate) in_flight: u64,
}

impl TapeCounts {
    pub(crate) fn all_nanos(self) -> u64 {
        self.read_nanos + self.write_nanos + self.other_nanos
    }
}

/// What a port counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PortCounts {
    pub(crate) received_words: u64,
    pub(crate) received_frames: u64,
    pub(crate) transmitted_words: u64,
    pub(crate) transmitted_frames: u64,
    pub(crate) inputs: u64,
    pub(crate) outputs: u64,
    pub(crate) seconds: u64,
}

impl Moment<'_> {
    pub(crate) fn tape_counts(&self, tape: &Tape) -> TapeCounts {
        let count = |milli| self.counter(&tape.wave, milli);
        let others = count(tape.others_milli);
        TapeCounts {
            reads: count(tape.reads.requests_milli),
            read_bytes: count(tape.reads.blocks_milli) * BLOCK_BYTES,
            read_nanos: count(tape.reads.milliseconds_milli) * NANOS_PER_MILLISECOND,
            writes: count(tape.writes.requests_milli),
            written_bytes: count(tape.writes.blocks_milli) * BLOCK_BYTES,
            write_nanos: count(tape.writes.milliseconds_milli) * NANOS_PER_MILLISECOND,
            others,
            // Winding takes its time.
            other_nanos: others * 4_100 * NANOS_PER_MILLISECOND,
            // One read in so many finds a block that is shorter than it asked for.
            residuals: count(tape.reads.requests_milli) / 4_096,
            in_flight: self.flicker(&tape.scsi.path, 2),
        }
    }

    /// What is read from devices comes in, what is written goes out.
    pub(crate) fn port_counts(&self, port: &FibreChannel) -> PortCounts {
        let disks = port.disks.iter().filter_map(|&disk| self.machine.block(disk)).map(|disk| {
            let counts = self.disk_counts(disk);
            let bytes = |sectors: u64| sectors * SECTOR_BYTES;
            let (read, written) = (bytes(counts.reads.sectors), bytes(counts.writes.sectors));
            [read, written, counts.reads.requests, counts.writes.requests]
        });
        let tapes = port.tapes.iter().filter_map(|&tape| self.machine.storage.tapes.get(tape)).map(|tape| {
            let counts = self.tape_counts(tape);
            [counts.read_bytes, counts.written_bytes, counts.reads, counts.writes]
        });
        let [received, transmitted, inputs, outputs] =
            disks.chain(tapes).fold([0; 4], |[a, b, c, d], [e, f, g, h]: [u64; 4]| [a + e, b + f, c + g, d + h]);
        // Each command has a frame that asks and one that answers.
        let commands = inputs + outputs;
        PortCounts {
            received_words: received / WORD_BYTES + commands * 16,
            received_frames: received / FRAME_BYTES + commands,
            transmitted_words: transmitted / WORD_BYTES + commands * 16,
            transmitted_frames: transmitted / FRAME_BYTES + commands,
            inputs,
            outputs,
            seconds: self.uptime_micros() / MICROS,
        }
    }
}
