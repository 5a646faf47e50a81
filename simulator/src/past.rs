//! Lasting effects of events, from which `moment` computes numbers.

use crate::machine::{Cpu, Machine, Traffic};

/// A machine and the traces of the events before a moment.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) past: Past,
}

impl From<Machine> for State {
    fn from(machine: Machine) -> Self {
        Self { machine, past: Past::default() }
    }
}

/// The traces of events; empty on a host without events.
#[derive(Clone, Default, Debug)]
pub(crate) struct Past {
    /// The first boot in seconds since 1970, on a host that was rebooted: the age of the data on its disks.
    pub(crate) first_start_seconds: Option<u64>,
    /// Seconds by which the wall clock was set forward.
    pub(crate) clock_seconds: i64,
    /// Whether the clock has no reference at present.
    pub(crate) unsynchronised: Option<Drifting>,
    /// Periods since the boot in which a CPU was offline, in the order of time.
    pub(crate) absences: Vec<Absence>,
    pub(crate) growths: Vec<Growth>,
    /// Processes killed because memory was exhausted.
    pub(crate) kills: u64,
    /// In the order of time.
    pub(crate) fork_bomb_stages: Vec<ForkBombStage>,
    /// Moments at which the iowait of each CPU fell, and by how many ticks.
    pub(crate) iowait_falls: Vec<(u64, u64)>,
    /// The moment at which the sum of all interrupts reaches a multiple of 2^32, and whether it wraps there.
    pub(crate) interrupts_reach: Option<(u64, bool)>,
    pub(crate) is_frequency_unknown: bool,
    /// Network devices that refuse to tell their speed.
    pub(crate) refusing: Vec<String>,
    /// Services that failed.
    pub(crate) failed_units: Vec<String>,
    pub(crate) wraps: Vec<Wrap>,
    pub(crate) stints: Vec<Stint>,
    pub(crate) failing: Vec<Failing>,
    pub(crate) rebuilds: Vec<Rebuild>,
    /// Devices that events plugged in, by time.
    pub(crate) plugged: Vec<(u64, String)>,
    /// Bytes read from and written to disks that were removed.
    pub(crate) gone_sectors: [u64; 2],
    /// Block devices added after boot, and when.
    pub(crate) disks_since: Vec<(String, u64)>,
}

/// A clock without a reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Drifting {
    pub(crate) from_micros: u64,
    /// How fast the offset grows, in parts per million.
    pub(crate) ppm: u64,
}

/// A disk that becomes slow, then stops, and may be replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failing {
    pub(crate) disk: String,
    /// The disk, its partitions, and devices on these alone.
    pub(crate) parts: Vec<String>,
    pub(crate) from_micros: u64,
    pub(crate) until_micros: Option<u64>,
    pub(crate) back_micros: Option<u64>,
}

/// Rebuild of an array member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rebuild {
    pub(crate) array: String,
    pub(crate) member: String,
    pub(crate) from_micros: u64,
    pub(crate) until_micros: u64,
    pub(crate) is_done: bool,
}

/// Offline period of a CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Absence {
    pub(crate) cpu: Cpu,
    pub(crate) from_micros: u64,
    /// `None` while it is offline.
    pub(crate) until_micros: Option<u64>,
    /// Whether its CPU times restart at 0.
    pub(crate) begins_anew: bool,
}

/// Memory leak that ends with the release of the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Growth {
    pub(crate) from_micros: u64,
    pub(crate) until_micros: Option<u64>,
    /// `None` means all available memory by the end.
    pub(crate) pages_per_hour: Option<u64>,
}

/// Busy processes with consecutive PIDs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ForkBombStage {
    pub(crate) first: u32,
    pub(crate) count: u64,
    pub(crate) from_micros: u64,
    /// `None` while they run.
    pub(crate) until_micros: Option<u64>,
}

/// Time at which the byte or sector counters of a device wrap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrap {
    pub(crate) device: String,
    pub(crate) bits: u32,
    pub(crate) at_micros: u64,
}

/// Period in which a network device carries this traffic. A device without such periods always carries its own traffic.
#[derive(Clone, Debug)]
pub(crate) struct Stint {
    pub(crate) link: String,
    /// `None` while its link is down.
    pub(crate) traffic: Option<Traffic>,
    pub(crate) from_micros: u64,
    /// `None` while it lasts.
    pub(crate) until_micros: Option<u64>,
    /// Whether the device was removed with its counters. Its master keeps their sum.
    pub(crate) has_gone: bool,
    pub(crate) master: Option<String>,
}

impl Past {
    /// Effects that survive a reboot.
    pub(crate) fn forget(&mut self) {
        let started = std::mem::take(self);
        *self = Self {
            first_start_seconds: started.first_start_seconds,
            clock_seconds: started.clock_seconds,
            unsynchronised: started.unsynchronised,
            interrupts_reach: started.interrupts_reach,
            is_frequency_unknown: started.is_frequency_unknown,
            refusing: started.refusing,
            wraps: started.wraps,
            failing: started.failing,
            plugged: started.plugged,
            rebuilds: started.rebuilds,
            stints: started
                .stints
                .into_iter()
                .filter(|stint| stint.until_micros.is_none() && !stint.has_gone)
                .collect(),
            ..Self::default()
        };
    }
}
