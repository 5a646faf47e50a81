//! Events of the kernel: changes of the list of mounts, and events of devices, which tell whether files and directories of
//! /sys and /proc may have appeared, gone or been renamed.
//!
//! The kernel sends a uevent when a device, a CPU or a module comes, goes or is renamed, to every network namespace that
//! the initial user namespace owns. While none arrives, a directory has the entries that it had, and a missing path is
//! still missing: a scrape need not ask again.
//!
//! Two gaps are closed by time. A device's entries are removed just after its event, and kernels before 5.6 announce a
//! module before it has made its files: so everything is checked until [`SETTLED_AFTER`] after an event. A file that no
//! event announces is found by a check of everything every [`CHECKED_EVERY`].

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat, statat};
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use rustix::time::{ClockId, clock_gettime};

use super::is_of_process;
use crate::host::root::dir::rendered::Rendered;

/// How long after an event its effects may still be incomplete.
pub(super) const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// How often everything is checked without an event.
const CHECKED_EVERY: Duration = Duration::from_secs(300);

/// The inode of the initial user namespace (`PROC_USER_INIT_INO`), the same in every kernel.
const INITIAL_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// The multicast group that the kernel itself sends to; udev repeats events in another one.
const FROM_THE_KERNEL: u32 = 1;

/// Maximum events read at the begin of a scrape. Those left over are an event of the next one.
const EVENTS_MAX: usize = 64;

/// Whether an event announces what comes and goes at this path. Processes have none, and those of network devices go to
/// the namespace of the devices, which may be another one than this process is in.
pub(super) fn announce(rendered: Rendered, path: &[u8]) -> bool {
    match rendered {
        Rendered::Proc => !is_of_process(rendered, path),
        Rendered::Sys => !path.starts_with(b"class/net"),
    }
}

/// A socket that receives the kernel's events.
#[derive(Debug)]
pub(super) struct Events(OwnedFd);

impl Events {
    /// Listens from now on. `None` where this process does not receive every event.
    pub(super) fn listen() -> Option<Self> {
        let namespace = statat(CWD, "/proc/self/ns/user", rustix::fs::AtFlags::empty()).ok()?;
        if namespace.st_ino != INITIAL_USER_NAMESPACE {
            return None;
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT)).ok()?;
        bind(&socket, &SocketAddrNetlink::new(0, FROM_THE_KERNEL)).ok()?;
        Some(Self(socket))
    }

    /// Whether an event arrived since the last call, or may have: an overflowing socket reports an error.
    fn have_arrived(&self) -> bool {
        let mut start = [0_u8; 1];
        let mut received = 0;
        while received < EVENTS_MAX {
            match recv(&self.0, &mut start, RecvFlags::DONTWAIT) {
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => {}
                _ => received += 1,
            }
        }
        received > 0
    }
}

/// The period without changes up to now.
#[derive(Default, Debug)]
pub(super) struct Calm {
    /// Time of the last change event, or of the last loss of events, after which everything has to be checked.
    changed: Duration,
    /// Number and start of the first scrape without changes.
    since: Option<(u64, Duration)>,
}

impl Calm {
    /// Records the start of a scrape, and whether anything changed before it.
    pub(super) fn begin_scrape(&mut self, scrape: u64, has_changed: bool, now: Duration) {
        if has_changed {
            *self = Self { changed: now, since: None };
        } else if now.saturating_sub(self.changed) < SETTLED_AFTER {
            self.since = None;
        } else if self.since.is_none_or(|(_, begin)| now.saturating_sub(begin) >= CHECKED_EVERY) {
            self.since = Some((scrape, now));
        }
    }

    /// Whether what was found in this scrape still holds.
    pub(super) fn covers(&self, scrape: u64) -> bool {
        self.since.is_some_and(|(since, _)| scrape >= since)
    }
}

/// A clock that never goes back.
pub(super) fn monotonic() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Notes at the begin of a scrape what the events say. Without events nothing is ever calm.
pub(super) fn begin_scrape(events: Option<&Events>, calm: &mut Calm, scrape: u64, mounts_have_changed: bool) {
    if let Some(events) = events {
        let has_changed = events.have_arrived() || mounts_have_changed;
        calm.begin_scrape(scrape, has_changed, monotonic());
    }
}

/// The kernel's list of mounts. It is not read: polling it for priority data reports changes.
#[derive(Debug)]
pub(super) struct Mounts(OwnedFd);

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

impl Mounts {
    /// Starts watching. `None` if the list is not accessible.
    pub(super) fn watch() -> Option<Self> {
        let file = openat(CWD, "/proc/thread-self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        file.ok().map(Self)
    }

    /// Whether the mounts have changed since the last call, or may have.
    pub(super) fn have_changed(&self) -> bool {
        let urgent = PollFlags::PRI | PollFlags::ERR;
        let mut asked = [PollFd::new(&self.0, PollFlags::PRI)];
        let answer = poll(&mut asked, Some(&AT_ONCE));
        answer.is_err() || asked.iter().any(|asked| asked.revents().intersects(urgent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A calm whose last change was at the second 100.
    fn changed() -> Calm {
        let mut calm = Calm::default();
        calm.begin_scrape(1, true, SECOND * 100);
        calm
    }

    #[test]
    fn findings_hold_from_the_first_scrape_after_the_settling_time() {
        let mut calm = changed();
        calm.begin_scrape(2, false, SECOND * 101);
        assert!(!calm.covers(2));
        calm.begin_scrape(3, false, SECOND * 100 + SETTLED_AFTER);
        assert!(calm.covers(3), "found in calm");
        assert!(!calm.covers(2), "found before");
        calm.begin_scrape(4, false, SECOND * 110);
        assert!(calm.covers(3) && calm.covers(4));
    }

    #[test]
    fn an_event_ends_the_calm() {
        let mut calm = changed();
        calm.begin_scrape(2, false, SECOND * 110);
        calm.begin_scrape(3, true, SECOND * 111);
        assert!(!calm.covers(2) && !calm.covers(3));
        calm.begin_scrape(4, false, SECOND * 112);
        assert!(!calm.covers(4), "it may not be complete yet");
        calm.begin_scrape(5, false, SECOND * 113);
        assert!(calm.covers(5) && !calm.covers(2));
    }

    #[test]
    fn everything_is_checked_again_after_a_while() {
        let mut calm = changed();
        calm.begin_scrape(2, false, SECOND * 110);
        calm.begin_scrape(3, false, SECOND * 109 + CHECKED_EVERY);
        assert!(calm.covers(2));
        calm.begin_scrape(4, false, SECOND * 110 + CHECKED_EVERY);
        assert!(!calm.covers(3) && calm.covers(4));
    }
}
