//! Kept descriptors of a directory, and their limits.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use rustix::process::{Resource, getrlimit};

use super::events::{self, Calm, Events, Mounts};
use crate::host::root::dir::linux::Confined;
use crate::host::root::{Names, RootError};

/// Maximum number of kept descriptors of a directory. Each takes about 4 KiB of kernel memory.
const KEPT_MAX: usize = 2048;

/// Maximum number of cached missing paths.
pub(super) const ABSENT_MAX: usize = 1024;

/// Descriptors of the process reserved for connections and other uses.
const LEFT_TO_OTHERS: usize = 1088;

/// Scrapes without a read after which a descriptor is closed.
pub(super) const UNUSED_SCRAPES_MAX: u64 = 64;

/// Everything that is kept of one directory tree.
#[derive(Debug)]
pub(super) struct State {
    pub(super) confined: Arc<Confined>,
    pub(super) mounts: Option<Mounts>,
    events: Option<Events>,
    calm: Calm,
    /// Number of the current scrape.
    pub(super) scrape: u64,
    pub(super) directories: Directories,
    /// Paths that were missing at their last lookup: its error and its scrape.
    pub(super) absent: FxHashMap<Box<[u8]>, (RootError, u64)>,
    /// Number of kept descriptors, and its limit.
    pub(super) count: usize,
    pub(super) count_max: usize,
}

type Directories = FxHashMap<Box<[u8]>, Directory>;

/// The kept descriptors of a directory.
#[derive(Debug)]
pub(super) struct Directory {
    /// Identity of the directory, and the scrape that asked for it.
    identity: (u64, u64),
    identified: u64,
    /// The last scrape that used it.
    scrape: u64,
    pub(super) files: FxHashMap<Box<[u8]>, Arc<Mutex<OwnedFd>>>,
    /// The entries of the directory, and the scrape that listed them.
    listing: Option<(u64, Names)>,
}

impl State {
    /// An empty state, with a limit of 0 until a scrape begins.
    pub(super) fn new(confined: Arc<Confined>, mounts: Option<Mounts>, events: Option<Events>) -> Self {
        Self {
            confined,
            mounts,
            events,
            calm: Calm::default(),
            scrape: 0,
            directories: FxHashMap::default(),
            absent: FxHashMap::default(),
            count: 0,
            count_max: 0,
        }
    }

    /// Begins a scrape: `true` if mounts have changed since the last one.
    pub(super) fn begin_scrape(&mut self) -> bool {
        self.scrape += 1;
        let mounts_have_changed = self.mounts.as_ref().is_some_and(Mounts::have_changed);
        events::begin_scrape(self.events.as_ref(), &mut self.calm, self.scrape, mounts_have_changed);
        if self.count_max == 0 || self.scrape.is_multiple_of(UNUSED_SCRAPES_MAX) {
            self.count_max = count_max();
        }
        if self.scrape.is_multiple_of(UNUSED_SCRAPES_MAX) {
            self.close_unused();
        }
        mounts_have_changed
    }

    /// Whether the directory at this path was identified in this scrape, or at a time since which nothing has changed.
    pub(super) fn is_identified(&self, path: &[u8], directory: &Directory) -> bool {
        directory.identified == self.scrape || self.still_holds(path, directory.identified)
    }

    /// Whether what a scrape found at this path is there unchanged.
    fn still_holds(&self, path: &[u8], scrape: u64) -> bool {
        self.calm.covers(scrape) && self.confined.rendered.is_some_and(|rendered| events::announce(rendered, path))
    }

    /// The error with which the last lookup of this path failed, and whether another one would.
    pub(super) fn missing(&self, path: &[u8]) -> (Option<RootError>, bool) {
        match self.absent.get(path) {
            Some(&(error, scrape)) => (Some(error), self.still_holds(path, scrape)),
            None => (None, false),
        }
    }

    /// Copies the entries of a directory; `false` unless they were listed at a time since which nothing has changed.
    pub(super) fn listing(&mut self, path: &[u8], into: &mut Names) -> bool {
        let listing = self.directories.get(path).and_then(|directory| directory.listing.as_ref());
        let Some((_, names)) = listing.filter(|(listed, _)| self.still_holds(path, *listed)) else { return false };
        into.clone_from(names);
        self.mark_used(path);
        true
    }

    /// Keeps the entries of a directory whose descriptor is kept.
    pub(super) fn note_listing(&mut self, path: &[u8], names: &Names) {
        let Self { directories, events, scrape, .. } = self;
        if let (Some(directory), true) = (directories.get_mut(path), events.is_some()) {
            let (listed, kept) = directory.listing.get_or_insert_default();
            *listed = *scrape;
            kept.clone_from(names);
        }
    }

    /// Releases every descriptor; the caller closes them outside the lock.
    pub(super) fn take_all(&mut self) -> Directories {
        self.count = 0;
        std::mem::take(&mut self.directories)
    }

    /// Keeps a file of a directory that was checked in this scrape.
    pub(super) fn insert(&mut self, (directory, name): (&[u8], &[u8]), identity: (u64, u64), file: OwnedFd) {
        let scrape = self.scrape;
        let new = || Directory { identity, identified: scrape, scrape, files: FxHashMap::default(), listing: None };
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
                found.listing = None;
                found.identity = identity;
            }
            None => {
                self.count -= found.files.len();
                self.directories.remove(directory);
                return;
            }
        }
        found.identified = scrape;
        found.scrape = scrape;
    }

    /// Marks a kept directory as used in this scrape.
    pub(super) fn mark_used(&mut self, directory: &[u8]) {
        let scrape = self.scrape;
        if let Some(found) = self.directories.get_mut(directory) {
            found.scrape = scrape;
        }
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

    /// Records the error with which a lookup of this path failed in this scrape, or that it did not fail.
    pub(super) fn note(&mut self, path: &[u8], missing: Option<RootError>) {
        let Some(error) = missing else {
            self.absent.remove(path);
            return;
        };
        let found = (error, self.scrape);
        if let Some(noted) = self.absent.get_mut(path) {
            *noted = found;
        } else if self.absent.len() < ABSENT_MAX {
            self.absent.insert(path.into(), found);
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
