//! A machine with a clock: roots to read, a kernel to ask, and the whole host frozen at a moment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::Kernel;
use collectors::host::root::live::{Live, Render};
use collectors::host::root::resolve::{Links, PathBuffer};
use collectors::host::root::tree::{Filling, Node, Tree};
use collectors::host::root::{Kind, Metadata, Mount, Names, RootError, Roots};

use crate::answers::{self, Answers};
use crate::event::timeline::Latest;
use crate::layout::{Found, Tables, What};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::{hostfs, proc, rootfs, sys, udev};

/// Says what time it is, since 1970. The host lives by it and knows no other.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A simulated host that lives.
#[derive(Clone)]
pub struct Host {
    /// As it was made, before all events.
    machine: Arc<Machine>,
    latest: Arc<Latest>,
    clock: Clock,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.machine.system.hostname)
    }
}

impl Host {
    /// The machine as of whatever the clock says when something is asked.
    pub fn new(machine: Machine, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { machine: Arc::new(machine), latest: Arc::default(), clock: Arc::new(clock) }
    }

    /// Its files, rendered when they are read.
    pub fn roots(&self) -> Roots {
        Roots::new(|mount| Arc::new(Live::new(Files { host: self.clone(), mount })))
    }

    /// What its kernel answers.
    pub fn kernel(&self) -> Arc<dyn Kernel> {
        Arc::new(Answers::new(self.clone()))
    }

    /// All of it as it is at a moment, in seconds since 1970: files, links, and the kernel's answers below `kernel/`.
    ///
    /// Sizes in the metadata are those of the contents, where the live files say what /proc and /sys do.
    pub fn tree_at(&self, seconds: u64) -> Tree {
        let frozen = Self { clock: Arc::new(move || Duration::from_secs(seconds)), ..self.clone() };
        let present = frozen.present();
        let moment = present.moment();
        let (mut tree, mut scratch) = (Filling::default(), Vec::new());
        let mut insert = |path: &[u8], node| {
            let result = tree.insert(path, node);
            debug_assert_eq!(result, Ok(()), "{}", path.escape_ascii());
        };
        for mount in Mount::ALL {
            tables(mount).visit(&moment, |path, what, index| insert(path, node(&moment, what, index, &mut scratch)));
        }
        for (path, content) in answers::entries(&*frozen.kernel(), moment.machine) {
            insert(path.as_bytes(), Node::file(content));
        }
        tree.finish()
    }

    /// The machine and the time as of now.
    pub(crate) fn present(&self) -> Present {
        let now = (self.clock)();
        Present { machine: self.latest.machine(&self.machine, now), now }
    }
}

/// A machine as its events have left it, and the time.
#[derive(Debug)]
pub(crate) struct Present {
    machine: Arc<Machine>,
    now: Duration,
}

impl Present {
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment::new(&self.machine, self.now)
    }
}

/// The content is written into `scratch` first, so that what stays has the size that it needs.
fn node(moment: &Moment<'_>, what: &What, index: usize, scratch: &mut Vec<u8>) -> Node {
    scratch.clear();
    match what {
        What::Directory => Node::directory(),
        What::Link(write) => {
            write(moment, index, scratch);
            Node::link(scratch.as_slice())
        }
        What::File(_) | What::Fallible(_) | What::Dated(..) => match what.content(moment, index, scratch) {
            Ok(()) => Node::file(scratch.as_slice()).with_modified_seconds(what.modified_seconds(moment)),
            Err(error) => Node::file("").with_error(error),
        },
    }
}

fn tables(mount: Mount) -> &'static Tables {
    static PROC: Tables = Tables::new(Mount::Proc, proc::GROUPS);
    static SYS: Tables = Tables::new(Mount::Sys, sys::GROUPS);
    static ROOTFS: Tables = Tables::new(Mount::Rootfs, rootfs::GROUPS);
    static UDEV: Tables = Tables::new(Mount::Udev, udev::GROUPS);
    static HOST: Tables = Tables::new(Mount::Host, hostfs::GROUPS);
    match mount {
        Mount::Proc => &PROC,
        Mount::Sys => &SYS,
        Mount::Rootfs => &ROOTFS,
        Mount::Udev => &UDEV,
        Mount::Host => &HOST,
    }
}

/// One mount of a host.
#[derive(Debug)]
struct Files {
    host: Host,
    mount: Mount,
}

impl Files {
    fn find(&self, moment: &Moment<'_>, path: &[u8]) -> Result<Found, RootError> {
        Ok(tables(self.mount).find(moment, path).ok_or(Errno::ENOENT)?)
    }
}

impl Links for Files {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        Ok(self.find(&self.host.present().moment(), path)?.kind())
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        let present = self.host.present();
        let moment = present.moment();
        let Found::Entry(What::Link(write), index) = self.find(&moment, path)? else {
            return Err(Errno::EINVAL.into());
        };
        let mut target = Vec::new();
        write(&moment, index, &mut target);
        into.append(&target)
    }
}

impl Render for Files {
    fn render(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        let present = self.host.present();
        let moment = present.moment();
        match self.find(&moment, path)? {
            Found::Entry(what, index) => Ok(what.content(&moment, index, into)?),
            Found::Folder => Err(Errno::EISDIR.into()),
        }
    }

    fn entries(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        let present = self.host.present();
        let moment = present.moment();
        for (name, kind) in tables(self.mount).list(&moment, path) {
            into.push(&name, kind);
        }
        Ok(())
    }

    fn describe(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let present = self.host.present();
        let moment = present.moment();
        let found = self.find(&moment, path)?;
        let (mut size_bytes, mut modified) = (0, Duration::ZERO);
        if let (Found::Entry(what, index), Kind::File) = (found, found.kind()) {
            modified = Duration::from_secs(what.modified_seconds(&moment));
            size_bytes = match self.mount {
                // What these say of every file of theirs, whatever it holds.
                Mount::Proc => 0,
                Mount::Sys => 4096,
                Mount::Rootfs | Mount::Udev | Mount::Host => {
                    let mut content = Vec::new();
                    what.content(&moment, index, &mut content)?;
                    content.len() as u64
                }
            };
        }
        Ok(Metadata { kind: found.kind(), size_bytes, modified })
    }
}
