//! Counters of events on whole CPUs, by `perf_event_open(2)`.

#![expect(unsafe_code, reason = "no crate that is used here has a safe call for perf_event_open")]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::io::retry_on_intr;
use rustix::process::{Resource, getrlimit};

use crate::host::errno::Errno;
use crate::host::kernel::perf::{PerfEvent, PerfType};
use crate::host::kernel::{PerfCount, PerfQuery};

/// `PERF_ATTR_SIZE_VER0`, which every kernel takes.
const ATTRIBUTE_BYTES: u32 = 64;
/// `exclude_hv`: what a hypervisor does is not counted. The kernel's bit fields begin at the other end on big-endian CPUs.
const EXCLUDE_HYPERVISOR: u64 = if cfg!(target_endian = "big") { 1 << 57 } else { 1 << 6 };
/// `PERF_FLAG_FD_CLOEXEC`.
const CLOSE_ON_EXEC: libc::c_ulong = 1 << 3;
/// Counts all processes.
const EVERY_PROCESS: libc::pid_t = -1;
/// The event has no group: software events are always counted, and hardware events of a group only when all of them fit.
const NO_GROUP: RawFd = -1;

/// Descriptors left to connections and files where the limit of open files is high; half of a low one.
const LEFT_TO_OTHERS: u64 = 1088;

/// `struct perf_event_attr` up to the end of its first version.
#[repr(C)]
#[derive(Default)]
struct Attribute {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint_type: u32,
    config1: u64,
}

/// Open counters.
#[derive(Default, Debug)]
pub(super) struct Counters {
    events: Mutex<Vec<EventCounters>>,
}

/// The counters of one event.
#[derive(Debug)]
struct EventCounters {
    kind: PerfType,
    config: u64,
    /// In the order of their CPUs.
    counters: Vec<Counter>,
}

#[derive(Debug)]
struct Counter {
    cpu: u32,
    state: Result<OwnedFd, Errno>,
}

impl Counters {
    /// Visits the counts of an event. Counters that are not open yet are opened; those of CPUs that are not asked about
    /// any more are closed. The error is that of an event that no CPU counts.
    pub(super) fn ask(&self, query: &PerfQuery<'_>, visit: &mut dyn FnMut(&PerfCount)) -> Result<(), Errno> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let PerfEvent { kind, config, .. } = query.event;
        let place = events.iter().position(|known| (known.kind, known.config) == (kind, config));
        let place = place.unwrap_or_else(|| {
            events.push(EventCounters { kind, config, counters: Vec::new() });
            events.len() - 1
        });
        let Some(event) = events.get_mut(place) else { return Ok(()) };
        event.open(query.cpus, descriptors_max());
        if let Some(errno) = event.refusal() {
            return Err(errno);
        }
        for counter in &event.counters {
            visit(&PerfCount { cpu: counter.cpu, count: counter.read() });
        }
        Ok(())
    }
}

impl EventCounters {
    /// Opens the counters of these CPUs, which are in ascending order, and closes those of other CPUs. Descriptors from
    /// number `limit` on are left to others.
    fn open(&mut self, cpus: &[u32], limit: u64) {
        let is_complete = self.counters.iter().map(|counter| counter.cpu).eq(cpus.iter().copied());
        let is_settled = |counter: &Counter| counter.state.as_ref().map_or_else(|errno| is_final(*errno), |_| true);
        if is_complete && self.counters.iter().all(is_settled) {
            return;
        }
        let mut known = std::mem::take(&mut self.counters).into_iter().peekable();
        let mut exhausted = None;
        for &cpu in cpus {
            while known.next_if(|counter| counter.cpu < cpu).is_some() {}
            let before = known.next_if(|counter| counter.cpu == cpu).filter(is_settled);
            let counter = before.unwrap_or_else(|| {
                let state = exhausted.map_or_else(|| open(self.kind, self.config, cpu, limit), Err);
                Counter { cpu, state }
            });
            // An error that concerns the whole process would be the same for every further CPU.
            exhausted = exhausted.or(counter.state.as_ref().err().copied().filter(|&errno| is_of_the_process(errno)));
            self.counters.push(counter);
        }
    }

    /// The first error, if no counter is open.
    fn refusal(&self) -> Option<Errno> {
        let is_any_open = self.counters.iter().any(|counter| counter.state.is_ok());
        if is_any_open { None } else { self.counters.iter().find_map(|counter| counter.state.as_ref().err().copied()) }
    }
}

impl Counter {
    fn read(&self) -> Result<u64, Errno> {
        let descriptor = self.state.as_ref().map_err(|errno| *errno)?;
        let mut value = [0; 8];
        match retry_on_intr(|| rustix::io::read(descriptor, &mut value)).map_err(super::errno)? {
            8 => Ok(u64::from_ne_bytes(value)),
            // The event is in an error state, as a pinned one that was removed.
            _ => Err(Errno::ENODATA),
        }
    }
}

/// Whether an event stays refused while the kernel runs.
fn is_final(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::EOPNOTSUPP | Errno::EINVAL | Errno::ENOSYS)
}

/// Whether the reason is the process, not the CPU.
fn is_of_the_process(errno: Errno) -> bool {
    matches!(errno, Errno::EMFILE | Errno::ENFILE | Errno::EACCES | Errno::EPERM)
}

/// The number of descriptors that counters and everything opened before them may reach.
fn descriptors_max() -> u64 {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    limit - LEFT_TO_OTHERS.min(limit / 2)
}

fn open(kind: PerfType, config: u64, cpu: u32, limit: u64) -> Result<OwnedFd, Errno> {
    let attribute = Attribute {
        kind: kind as u32,
        size: ATTRIBUTE_BYTES,
        config,
        flags: EXCLUDE_HYPERVISOR,
        ..Attribute::default()
    };
    let cpu = libc::c_int::try_from(cpu).map_err(|_| Errno::ENODEV)?;
    // SAFETY: the kernel reads one structure of the size that is in it, while the call lasts. The other arguments are
    // numbers.
    let result = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attribute, EVERY_PROCESS, cpu, NO_GROUP, CLOSE_ON_EXEC)
    };
    let descriptor =
        RawFd::try_from(result).ok().filter(|descriptor| *descriptor >= 0).ok_or_else(super::last_error)?;
    // SAFETY: the kernel has just opened this descriptor for the caller, and nothing else owns it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    // The kernel gives the lowest free number.
    let is_within = u64::try_from(descriptor.as_raw_fd()).is_ok_and(|number| number < limit);
    if is_within { Ok(descriptor) } else { Err(Errno::EMFILE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT_SWITCHES: PerfEvent<'_> =
        PerfEvent { name: b"context-switches", kind: PerfType::Software, config: 3 };

    type Found = Vec<(u32, Result<u64, Errno>)>;

    fn ask(counters: &Counters, event: PerfEvent<'_>, cpus: &[u32]) -> Result<Found, Errno> {
        let mut found = Vec::new();
        counters.ask(&PerfQuery { event, cpus }, &mut |one| found.push((one.cpu, one.count))).map(|()| found)
    }

    /// The counts of CPU 0, or `None` where this process may not count.
    fn allowed(counters: &Counters) -> Option<Found> {
        match ask(counters, CONTEXT_SWITCHES, &[0]) {
            Err(Errno::EACCES | Errno::EPERM | Errno::ENOSYS) => None,
            other => Some(other.expect("counts of CPU 0")),
        }
    }

    #[test]
    fn counts_never_fall_and_counters_stay_open() {
        let counters = Counters::default();
        let Some(first) = allowed(&counters) else { return };
        let number = |counters: &Counters| {
            let events = counters.events.lock().unwrap();
            events[0].counters[0].state.as_ref().map(AsRawFd::as_raw_fd).unwrap()
        };
        let before = number(&counters);
        let mut last = first[0].1.unwrap();
        for _ in 0..10 {
            std::thread::yield_now();
            let found = ask(&counters, CONTEXT_SWITCHES, &[0]).unwrap();
            assert_eq!(found.len(), 1);
            let count = found[0].1.unwrap();
            assert!(count >= last, "{count} after {last}");
            last = count;
        }
        assert_eq!(number(&counters), before);
        assert_eq!(counters.events.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_cpu_that_is_not_there_is_refused_alone() {
        let counters = Counters::default();
        if allowed(&counters).is_none() {
            return;
        }
        let found = ask(&counters, CONTEXT_SWITCHES, &[0, 60_000]).unwrap();
        assert!(found[0].1.is_ok(), "{found:?}");
        assert!(matches!(found[1], (60_000, Err(Errno::ENODEV | Errno::EINVAL))), "{found:?}");
        assert!(ask(&counters, CONTEXT_SWITCHES, &[60_000]).is_err());
        assert!(ask(&counters, CONTEXT_SWITCHES, &[0]).unwrap()[0].1.is_ok());
    }

    #[test]
    fn an_unknown_event_is_refused_for_good() {
        let counters = Counters::default();
        if allowed(&counters).is_none() {
            return;
        }
        let unknown = PerfEvent { name: b"unknown", kind: PerfType::Software, config: 1 << 40 };
        for _ in 0..2 {
            let refused = ask(&counters, unknown, &[0]).unwrap_err();
            assert!(is_final(refused), "{refused:?}");
        }
    }

    #[test]
    fn the_last_descriptors_are_left_to_others() {
        let counters = Counters::default();
        if allowed(&counters).is_none() {
            return;
        }
        let mut event = EventCounters { kind: PerfType::Software, config: 3, counters: Vec::new() };
        event.open(&[0], 3);
        assert_eq!(event.refusal(), Some(Errno::EMFILE));
        event.open(&[0], u64::MAX);
        assert_eq!(event.refusal(), None);
        assert!(event.counters[0].read().is_ok());
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(descriptors_max() >= limit / 2 && descriptors_max() < limit);
    }

    #[test]
    fn what_refuses_the_process_is_not_asked_of_every_cpu() {
        for (errno, expected) in [(Errno::EMFILE, true), (Errno::EACCES, true), (Errno::ENODEV, false)] {
            assert_eq!(is_of_the_process(errno), expected);
        }
        let refused = |cpu| Counter { cpu, state: Err(Errno::ENOENT) };
        let mut event = EventCounters { kind: PerfType::Hardware, config: 0, counters: vec![refused(0), refused(2)] };
        event.open(&[0, 2], 0);
        assert_eq!(event.refusal(), Some(Errno::ENOENT), "it is not asked again");
        event.open(&[2], 0);
        assert_eq!(event.counters.len(), 1);
    }
}
