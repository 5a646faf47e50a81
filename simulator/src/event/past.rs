//! Lasting effects of events, from which `moment` computes numbers.

use crate::machine::Traffic;

/// Lasting effects of all events up to an era; empty on a host without events.
#[derive(Clone, Default, Debug)]
pub(crate) struct Past {
    /// First boot in seconds since 1970, if the host was rebooted. Data on disks dates from then.
    pub(crate) first_start_seconds: Option<u64>,
    /// Total clock step in seconds.
    pub(crate) clock_seconds: i64,
    /// Offline periods of CPUs since the last boot, in order.
    pub(crate) absences: Vec<Absence>,
    pub(crate) growths: Vec<Growth>,
    /// Number of out-of-memory kills.
    pub(crate) kills: u64,
    /// Memory leaks in order.
    pub(crate) crowds: Vec<Crowd>,
    /// Drops of iowait: time, and ticks per CPU.
    pub(crate) iowait_falls: Vec<(u64, u64)>,
    /// Time at which the interrupt total reaches a multiple of 2^32, and whether it wraps there.
    pub(crate) interrupts_reach: Option<(u64, bool)>,
    pub(crate) is_frequency_unknown: bool,
    /// Network devices whose speed cannot be read.
    pub(crate) refusing: Vec<String>,
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
    pub(crate) cpu: usize,
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
pub(crate) struct Crowd {
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

/// Period in which a network device carries the traffic of another. Without one it always carries its own.
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
    pub(super) fn forget(&mut self) {
        let started = std::mem::take(self);
        *self = Self {
            first_start_seconds: started.first_start_seconds,
            clock_seconds: started.clock_seconds,
            interrupts_reach: started.interrupts_reach,
            is_frequency_unknown: started.is_frequency_unknown,
            refusing: started.refusing,
            wraps: started.wraps,
            // The current assignment of traffic stays, starting at boot.
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
