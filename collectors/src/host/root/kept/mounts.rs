//! Detection of mounts, unmounts and remounts.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};

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
