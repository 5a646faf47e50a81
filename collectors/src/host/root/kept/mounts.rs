//! Whether something was mounted, unmounted or remounted.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};

/// The kernel's list of the mounts that this thread sees. It is never read: the kernel tells of a change when it is asked
/// whether there is something urgent about it.
#[derive(Debug)]
pub(super) struct Mounts(OwnedFd);

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

impl Mounts {
    /// Watches from now on. `None` where the kernel does not show the list.
    pub(super) fn watch() -> Option<Self> {
        let file = openat(CWD, "/proc/thread-self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        file.ok().map(Self)
    }

    /// Whether anything has changed since this was asked before, or may have.
    pub(super) fn have_changed(&self) -> bool {
        let urgent = PollFlags::PRI | PollFlags::ERR;
        let mut asked = [PollFd::new(&self.0, PollFlags::PRI)];
        let answer = poll(&mut asked, Some(&AT_ONCE));
        answer.is_err() || asked.iter().any(|asked| asked.revents().intersects(urgent))
    }
}
