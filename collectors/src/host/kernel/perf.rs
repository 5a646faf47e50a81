//! Counters of events on whole CPUs, as `perf_event_open(2)` opens them.

use crate::host::errno::Errno;

/// The type of an event, by the numbers of `perf_type_id`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PerfType {
    /// Events that most processors count.
    Hardware = 0,
    /// Events of the kernel.
    Software = 1,
    /// Hits of a tracepoint.
    Tracepoint = 2,
    /// Events of a cache, a TLB or the branch predictor.
    HardwareCache = 3,
}

/// An event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerfEvent<'a> {
    /// Its name, as `perf list` has it: `cpu-cycles`, `sched:sched_switch`.
    pub name: &'a [u8],
    /// Its type.
    pub kind: PerfType,
    /// Its number among the events of the type; the `id` of a tracepoint.
    pub config: u64,
}

/// An event on these CPUs, of whatever process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerfQuery<'q> {
    /// The event.
    pub event: PerfEvent<'q>,
    /// The CPUs, in ascending order.
    pub cpus: &'q [u32],
}

/// The counter of one CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerfCount {
    /// The number of the CPU.
    pub cpu: u32,
    /// How often the event occurred while it was counted, or why it cannot be counted. A CPU with more events than
    /// counters counts each for a part of the time.
    pub count: Result<u64, Errno>,
}
