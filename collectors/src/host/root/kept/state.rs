//! The descriptors kept of a directory, their limits, and the watch of mounts that makes them stale.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Resource, getrlimit};

use crate::host::root::dir::linux::Confined;

/// Maximum number of kept descriptors of a directory. Each takes about 4 KiB of kernel memory.
const KEPT_MAX: usize = 2048;

/// Maximum number of cached missing paths.
pub(super) const ABSENT_MAX: usize = 1024;

/// Descriptors of the process reserved for connections and other uses.
const LEFT_TO_OTHERS: usize = 1088;

/// Scrapes without a read after which a descriptor is closed.
pub(super) const UNUSED_SCRAPES_MAX: u64 = 64;

/// A kept descriptor.
#[derive(Debug)]
pub(super) struct State {
    pub(super) confined: Arc<Confined>,
    pub(super) mounts: Option<Mounts>,
    /// Number of the current scrape.
    pub(super) scrape: u64,
    pub(super) directories: Directories,
    /// Paths that were missing at their last lookup.
    pub(super) absent: FxHashSet<Box<[u8]>>,
    /// Number of kept descriptors, and its limit.
    pub(super) count: usize,
    pub(super) count_max: usize,
}

type Directories = FxHashMap<Box<[u8]>, Directory>;

/// The kept descriptors of a directory.
#[derive(Debug)]
pub(super) struct Directory {
    /// Identity of the directory in that scrape.
    identity: (u64, u64),
    pub(super) scrape: u64,
    pub(super) files: FxHashMap<Box<[u8]>, Arc<Mutex<OwnedFd>>>,
}

impl State {
    /// An empty state, with a limit of 0 until a scrape begins.
    pub(super) fn new(confined: Arc<Confined>, mounts: Option<Mounts>) -> Self {
        Self {
            confined,
            mounts,
            scrape: 0,
            directories: FxHashMap::default(),
            absent: FxHashSet::default(),
            count: 0,
            count_max: 0,
        }
    }

    pub(super) fn begin_scrape(&mut self) {
        self.scrape += 1;
        self.count_max = count_max();
        if self.scrape.is_multiple_of(UNUSED_SCRAPES_MAX) {
            self.close_unused();
        }
    }

    /// Releases every descriptor; the caller closes them outside the lock.
    pub(super) fn take_all(&mut self) -> Directories {
        self.count = 0;
        std::mem::take(&mut self.directories)
    }

    /// Keeps a file of a directory that was checked in this scrape.
    pub(super) fn insert(&mut self, (directory, name): (&[u8], &[u8]), identity: (u64, u64), file: OwnedFd) {
        let new = || Directory { identity, scrape: self.scrape, files: FxHashMap::default() };
        let found = self.directories.entry(directory.into()).or_insert_with(new);
        if found.files.insert(name.into(), Arc::new(Mutex::new(file))).is_none() {
            self.count += 1;
        }
    }

    pub(super) fn remove(&mut self, directory: &[u8], name: &[u8]) {
        if self.directories.get_mut(directory).is_some_and(|found| found.files.remove(name).is_some()) {
            self.count -= 1;
        }
    }

    /// Records the identity of the directory at this path in this scrape. Descriptors of another directory are closed.
    pub(super) fn check(&mut self, directory: &[u8], identity: Option<(u64, u64)>, scrape: u64) {
        let Some(found) = self.directories.get_mut(directory) else { return };
        match identity {
            Some(identity) if found.identity == identity => {}
            Some(identity) => {
                self.count -= found.files.len();
                found.files.clear();
                found.identity = identity;
            }
            None => {
                self.count -= found.files.len();
                self.directories.remove(directory);
                return;
            }
        }
        found.scrape = scrape;
    }

    fn close_unused(&mut self) {
        let Self { directories, count, scrape, .. } = self;
        directories.retain(|_, directory| {
            let is_used = directory.scrape + UNUSED_SCRAPES_MAX > *scrape;
            if !is_used {
                *count -= directory.files.len();
            }
            is_used
        });
    }

    /// Records whether this path exists.
    pub(super) fn note(&mut self, path: &[u8], is_absent: bool) {
        if !is_absent {
            self.absent.remove(path);
        } else if self.absent.len() < ABSENT_MAX {
            self.absent.insert(path.into());
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.mounts.is_some() && self.count < self.count_max
    }
}

/// Limit of kept descriptors of each of the directories /proc and /sys.
fn count_max() -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    limit.map_or(KEPT_MAX, |most| KEPT_MAX.min(most.saturating_sub(LEFT_TO_OTHERS) / 2))
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
