//! What events have left behind, for `moment` to make numbers of.

use crate::machine::{Cpu, Traffic};

/// What events have left behind by an era. All of it is empty on a host to which nothing happened.
#[derive(Clone, Default, Debug)]
pub(crate) struct Past {
    /// When the host was started first, in seconds since 1970, if it was started again: what is on disks is that old.
    pub(crate) first_start_seconds: Option<u64>,
    /// How far the clock on the wall was set forward, in seconds.
    pub(crate) clock_seconds: i64,
    /// When which CPU was away, since the last start, the earlier before the later.
    pub(crate) absences: Vec<Absence>,
    pub(crate) growths: Vec<Growth>,
    /// Processes that the kernel killed for want of memory.
    pub(crate) kills: u64,
    /// One after the other.
    pub(crate) crowds: Vec<Crowd>,
    /// When the time of waiting for disks fell, and by how many ticks of each CPU.
    pub(crate) iowait_falls: Vec<(u64, u64)>,
    /// When the sum of all interrupts is a multiple of 2^32, and whether it has no more bits.
    pub(crate) interrupts_reach: Option<(u64, bool)>,
    pub(crate) is_frequency_unknown: bool,
    /// Network devices that do not tell their speed.
    pub(crate) refusing: Vec<String>,
    pub(crate) wraps: Vec<Wrap>,
    pub(crate) stints: Vec<Stint>,
    pub(crate) failing: Vec<Failing>,
    pub(crate) rebuilds: Vec<Rebuild>,
    /// What events have plugged in, by when they happened.
    pub(crate) plugged: Vec<(u64, String)>,
    /// What was read from disks that are gone, and written to them.
    pub(crate) gone_sectors: [u64; 2],
    /// Block devices that came later than the host started, and when.
    pub(crate) disks_since: Vec<(String, u64)>,
}

/// A disk that is slow from some moment on, then does nothing more, and perhaps has been replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failing {
    pub(crate) disk: String,
    /// The disk, its partitions, and what stands on these alone.
    pub(crate) parts: Vec<String>,
    pub(crate) from_micros: u64,
    pub(crate) until_micros: Option<u64>,
    pub(crate) back_micros: Option<u64>,
}

/// A member of an array that gets its part of the data again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rebuild {
    pub(crate) array: String,
    pub(crate) member: String,
    pub(crate) from_micros: u64,
    pub(crate) until_micros: u64,
    pub(crate) is_done: bool,
}

/// A CPU that was taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Absence {
    pub(crate) cpu: Cpu,
    pub(crate) from_micros: u64,
    /// Still away if it is none.
    pub(crate) until_micros: Option<u64>,
    /// Whether its times begin at 0 when it is back.
    pub(crate) begins_anew: bool,
}

/// Memory that somebody takes more and more of, and gives back in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Growth {
    pub(crate) from_micros: u64,
    pub(crate) until_micros: Option<u64>,
    /// If it is none, all that there is by the end.
    pub(crate) pages_per_hour: Option<u64>,
}

/// Processes that all want a CPU, numbered in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Crowd {
    pub(crate) first: u32,
    pub(crate) count: u64,
    pub(crate) from_micros: u64,
    /// Still there if it is none.
    pub(crate) until_micros: Option<u64>,
}

/// A device whose counters of bytes or sectors begin at 0 at a moment, as they have no more bits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrap {
    pub(crate) device: String,
    pub(crate) bits: u32,
    pub(crate) at_micros: u64,
}

/// Whose traffic a network device carried from when to when. One that has no stint carries its own all the time.
#[derive(Clone, Debug)]
pub(crate) struct Stint {
    pub(crate) link: String,
    /// None if its link was down.
    pub(crate) traffic: Option<Traffic>,
    pub(crate) from_micros: u64,
    /// Still so if it is none.
    pub(crate) until_micros: Option<u64>,
    /// Whether the device is gone, and its counters with it; the master that it had remembers them.
    pub(crate) has_gone: bool,
    pub(crate) master: Option<String>,
}

impl Past {
    /// What a start leaves of it: all that is in memory is gone.
    pub(super) fn forget(&mut self) {
        let started = std::mem::take(self);
        *self = Self {
            first_start_seconds: started.first_start_seconds,
            clock_seconds: started.clock_seconds,
            interrupts_reach: started.interrupts_reach,
            is_frequency_unknown: started.is_frequency_unknown,
            refusing: started.refusing,
            wraps: started.wraps,
            // Who carries what stays, from the start on.
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
