//! The traces of events that change numbers rather than the parts of a machine. `moment` computes with them.

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
    pub(crate) wraps: Vec<Wrap>,
    pub(crate) stints: Vec<Stint>,
    pub(crate) failing: Vec<Failing>,
    pub(crate) rebuilds: Vec<Rebuild>,
    /// Names of plugged-in devices, by the moment of the event.
    pub(crate) plugged: Vec<(u64, String)>,
    /// Sectors read from removed disks, and written to them.
    pub(crate) gone_sectors: [u64; 2],
    /// Block devices that were added after the boot, and when.
    pub(crate) disks_since: Vec<(String, u64)>,
}

/// A disk that becomes slow, then fails, and may be replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failing {
    pub(crate) disk: String,
    /// The disk, its partitions, and the devices made of these only.
    pub(crate) parts: Vec<String>,
    pub(crate) from_micros: u64,
    pub(crate) until_micros: Option<u64>,
    pub(crate) back_micros: Option<u64>,
}

/// The rebuild of a member of an array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rebuild {
    pub(crate) array: String,
    pub(crate) member: String,
    pub(crate) from_micros: u64,
    pub(crate) until_micros: u64,
    pub(crate) is_done: bool,
}

/// A period in which a CPU is offline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Absence {
    pub(crate) cpu: Cpu,
    pub(crate) from_micros: u64,
    /// Ongoing if none.
    pub(crate) until_micros: Option<u64>,
    /// Whether the times of the CPU start at 0 when it is back.
    pub(crate) begins_anew: bool,
}

/// A period in which programs hold more and more memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Growth {
    pub(crate) from_micros: u64,
    pub(crate) until_micros: Option<u64>,
    /// If none, all memory is held at the end.
    pub(crate) pages_per_hour: Option<u64>,
}

/// A period in which a constant number of runaway processes want a CPU each. They have consecutive numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ForkBombStage {
    pub(crate) first: u32,
    pub(crate) count: u64,
    pub(crate) from_micros: u64,
    /// Ongoing if none.
    pub(crate) until_micros: Option<u64>,
}

/// A device whose counters of bytes or sectors wrap at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrap {
    pub(crate) device: String,
    pub(crate) bits: u32,
    pub(crate) at_micros: u64,
}

/// A period in which a network device carries certain traffic. A device without one carries its own.
#[derive(Clone, Debug)]
pub(crate) struct Stint {
    pub(crate) link: String,
    /// None while the link is down.
    pub(crate) traffic: Option<Traffic>,
    pub(crate) from_micros: u64,
    /// Ongoing if none.
    pub(crate) until_micros: Option<u64>,
    /// Whether the device was removed. The counters of its master still contain the traffic.
    pub(crate) has_gone: bool,
    pub(crate) master: Option<String>,
}

impl Past {
    /// Drops the traces that a reboot clears.
    pub(crate) fn forget(&mut self) {
        let started = std::mem::take(self);
        *self = Self {
            first_start_seconds: started.first_start_seconds,
            clock_seconds: started.clock_seconds,
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
