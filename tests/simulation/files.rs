//! The simulated host's files: each answers at once, late, never, or with something else.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::root::tree::Tree;
use collectors::host::root::{Metadata, Mount, Names, Root, RootError, Roots};
use collectors::host::schedule::simulated;

use crate::world::{START, UNBLOCKED, World};

/// The collectors of the simulated exporter, and the file that each reads.
pub(crate) const COLLECTORS: [(&str, &str); 5] = [
    ("entropy", "sys/kernel/random/entropy_avail"),
    ("filefd", "sys/fs/file-nr"),
    ("loadavg", "loadavg"),
    ("softnet", "net/softnet_stat"),
    ("vmstat", "vmstat"),
];

/// A fault of the file of a collector, from one time to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Index in [`COLLECTORS`].
    pub collector: usize,
    pub kind: Kind,
    pub from: Duration,
    pub to: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The read takes this long.
    Slow(Duration),
    /// The read blocks until the fault ends.
    Blocked,
    Error,
    Garbage,
}

/// Files with faults.
#[derive(Clone)]
pub(crate) struct Files {
    pub world: Weak<World>,
    pub faults: Arc<Vec<Fault>>,
    below: Roots,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Files {
    pub(crate) fn new(world: &Arc<World>, faults: Vec<Fault>) -> Self {
        let tree = Tree::new()
            .with_file("proc/sys/kernel/random/entropy_avail", "256\n")
            .with_file("proc/sys/kernel/random/poolsize", "256\n")
            .with_file("proc/sys/fs/file-nr", "1024\t0\t1631329\n")
            .with_file("proc/net/softnet_stat", "00000007 00000000 00000001 0 0 0 0 0 0 0 0\n")
            .with_file("proc/vmstat", "pgpgin 7\n");
        Self { world: Arc::downgrade(world), faults: Arc::new(faults), below: Arc::new(tree).roots() }
    }

    pub(crate) fn roots(&self) -> Roots {
        let files = self.clone();
        Roots::new(move |mount| -> Arc<dyn Root> { Arc::new(Mounted { files: files.clone(), mount }) })
    }

    /// Answers the read after the faults of the moment. A blocked one ends with the simulation.
    fn pass(&self, path: &[u8]) -> Result<Option<&'static [u8]>, RootError> {
        let Some(world) = self.world.upgrade() else { return Ok(None) };
        let Some(collector) = COLLECTORS.iter().position(|(_, file)| file.as_bytes() == path) else { return Ok(None) };
        let now = world.now();
        let is_present = |fault: &&Fault| fault.collector == collector && fault.from <= now && now < fault.to;
        let Some(fault) = self.faults.iter().find(is_present) else { return Ok(None) };
        match fault.kind {
            Kind::Slow(time) => world.pause(time),
            Kind::Blocked => {
                while world.now() < fault.to && world.problem().is_none() {
                    let Some(schedule) = simulated() else { return Ok(None) };
                    schedule.wait(UNBLOCKED, Some(fault.to.saturating_sub(world.now())));
                }
            }
            Kind::Error => return Err(RootError::Errno(Errno::EIO)),
            Kind::Garbage => return Ok(Some(b"\0\xff what\n\n")),
        }
        Ok(None)
    }
}

#[derive(Debug)]
struct Mounted {
    files: Files,
    mount: Mount,
}

impl Root for Mounted {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        if self.mount == Mount::Proc {
            if let Some(content) = self.files.pass(path)? {
                into.clear();
                into.extend_from_slice(content);
                return Ok(());
            }
            if path == b"loadavg" {
                // The load is the time, so that a page tells when it was made.
                let now = self.files.world.upgrade().map_or(START, |world| world.now());
                into.clear();
                into.extend_from_slice(format!("{} 0 0 1/2 3\n", now.as_secs_f64()).as_bytes());
                return Ok(());
            }
        }
        self.files.below.get(self.mount).read(path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], names: &mut Names) -> Result<(), RootError> {
        self.files.below.get(self.mount).list(path, names)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.files.below.get(self.mount).read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.files.below.get(self.mount).metadata(path)
    }
}
