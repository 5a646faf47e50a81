//! Counters of graphics cards, fabric ports, the load balancer, control groups and tapes, and values of sensors.

use super::Moment;
use crate::machine::{
    Adapter, AmdCard, Balancer, ControlGroup, EnergyMeter, FibreChannel, GroupLoad, MemoryControllers, Sensor, Tape,
};
use crate::wave::{MEAN, MICROS};

/// The utilisation of a card at the mean load, in percent.
const CARD_BUSY_PERCENT: u64 = 58;

/// Counters of the load balancer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Balanced {
    pub(crate) connections: u64,
    pub(crate) received_packets: u64,
    pub(crate) sent_packets: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
}

/// Counters of a fabric port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    /// Words of four bytes.
    pub(crate) received_words: u64,
    pub(crate) sent_words: u64,
    pub(crate) received_multicast: u64,
    pub(crate) sent_multicast: u64,
    pub(crate) received_unicast: u64,
    pub(crate) sent_unicast: u64,
    pub(crate) waits: u64,
}

impl Moment<'_> {
    /// The utilisation of a card in percent.
    pub(crate) fn card_busy(&self, card: &AmdCard) -> u64 {
        (self.recent(&card.wave, 1) * CARD_BUSY_PERCENT / MEAN).min(100)
    }

    /// Used bytes of the card's memory, and of host memory.
    pub(crate) fn card_memory(&self, card: &AmdCard, least_percent: u64) -> (u64, u64) {
        let percent = (self.recent(&card.wave, 600) * CARD_BUSY_PERCENT / MEAN).clamp(least_percent, 97);
        (card.memory_bytes / 100 * percent, card.lent_bytes / 4_000 * percent)
    }

    pub(crate) fn fabric_port(&self, adapter: &Adapter) -> Port {
        let traffic = &adapter.traffic;
        let count = |milli| if adapter.is_up { self.counter(&traffic.wave, milli) } else { 0 };
        Port {
            received_words: count(traffic.received_bytes_milli / 4),
            sent_words: count(traffic.transmitted_bytes_milli / 4),
            received_multicast: count(traffic.multicast_milli),
            sent_multicast: count(traffic.multicast_milli / 12),
            received_unicast: count(traffic.received_packets_milli),
            sent_unicast: count(traffic.transmitted_packets_milli),
            waits: count(traffic.transmitted_packets_milli / 19),
        }
    }

    pub(crate) fn balanced(&self, balancer: &Balancer) -> Balanced {
        let count = |each: u64| self.counter(&balancer.wave, balancer.connections_milli.saturating_mul(each));
        Balanced {
            connections: count(1),
            received_packets: count(14),
            sent_packets: count(11),
            received_bytes: count(2_100),
            sent_bytes: count(38_400),
        }
    }

    /// Active and recently closed connections of a real server.
    pub(crate) fn balanced_server(&self, balancer: &Balancer, service: usize, server: usize) -> (u64, u64) {
        let seed = self.machine.seed.of("server").at(service as u64).at(server as u64);
        let now = seed.at(self.now().as_secs() / 5).below(4);
        let recent = self.recent(&balancer.wave, 30) * seed.of("share").below(40) / MEAN;
        (recent + now, recent / 3 + now / 2)
    }

    /// CPU time of a control group, in microseconds.
    pub(crate) fn group_cpu_micros(&self, group: &ControlGroup, load: &GroupLoad) -> u64 {
        self.since(group.born_micros).nanoseconds(&load.wave, load.cpu_permille) / 1_000
    }

    /// Memory of a control group, in bytes.
    pub(crate) fn group_memory_bytes(&self, load: &GroupLoad) -> u64 {
        let page = self.page_kilobytes() * 1_024;
        (load.memory_bytes + load.memory_bytes * self.recent(&load.wave, 300) / (4 * MEAN)) / page * page
    }
}

const NANOS_PER_MILLISECOND: u64 = 1_000_000;
const BLOCK_BYTES: u64 = 4_096;
const SECTOR_BYTES: u64 = 512;
/// The payload of a frame.
const FRAME_BYTES: u64 = 2_048;
const WORD_BYTES: u64 = 4;

/// The counters of a tape drive.
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

/// The counters of a port.
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
            // Winding takes seconds.
            other_nanos: others * 4_100 * NANOS_PER_MILLISECOND,
            // Some reads find a block shorter than requested.
            residuals: count(tape.reads.requests_milli) / 4_096,
            in_flight: self.flicker(&tape.scsi.path, 2),
        }
    }

    /// Reads of devices are received, writes are transmitted.
    pub(crate) fn port_counts(&self, port: &FibreChannel) -> PortCounts {
        let disks = port.disks.iter().filter_map(|&disk| self.machine.block_devices.get(disk)).map(|disk| {
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
        // Each command has a request frame and a response frame.
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

impl Moment<'_> {
    /// A value that follows the load of the last 30 seconds, from a base.
    pub(crate) fn warmed(&self, base: u64, per_load: u64) -> u64 {
        base + per_load * self.busy_recently(30) / 1_000
    }

    pub(crate) fn sensor(&self, sensor: &Sensor) -> u64 {
        self.warmed(sensor.base, sensor.per_load)
    }

    /// Energy since the start, in microjoules.
    pub(crate) fn microjoules(&self, meter: &EnergyMeter) -> u64 {
        self.counter(&self.machine.load, meter.milliwatts * 1_000_000)
    }

    /// Memory errors of the faulty channel that were corrected.
    pub(crate) fn corrected_errors(&self, memory: &MemoryControllers) -> u64 {
        self.counter(&self.machine.load, memory.corrected_micro) / 1_000
    }
}
