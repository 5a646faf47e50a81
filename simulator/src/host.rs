//! A machine with events and a clock: its files, the answers of its kernel, and a tree of all of it at one moment.

mod answers;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::Kernel;
use collectors::host::root::live::{Live, Render};
use collectors::host::root::resolve::{Links, PathBuffer};
use collectors::host::root::tree::{Filling, Node, Tree};
use collectors::host::root::{Kind, Metadata, Mount, Names, RootError, Roots};

use self::answers::Answers;
use crate::event::ScriptedMachine;
use crate::event::timeline::{Position, Timeline};
use crate::layout::{Catalogue, Found, Rendering, Tables};
use crate::moment::Moment;
use crate::past::State;
use crate::{hostfs, proc, rootfs, sys, udev};

/// The time since 1970. A host reads no other clock.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A simulated host whose files and answers follow a clock.
#[derive(Clone)]
pub struct Host {
    /// The host before all events.
    first: Arc<Era>,
    timeline: Timeline,
    latest: Arc<Latest>,
    clock: Clock,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.first.state.machine.system.hostname)
    }
}

impl Host {
    /// A host that is as old as the clock says at each read.
    pub fn new(machine: impl Into<ScriptedMachine>, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let ScriptedMachine { machine, timeline } = machine.into();
        let first = Arc::new(Era::new(State::from(machine)));
        Self { first, timeline, latest: Arc::default(), clock: Arc::new(clock) }
    }

    /// The files of each mount, rendered when they are read.
    pub fn roots(&self) -> Roots {
        Roots::new(|mount| Arc::new(Live::new(Files { host: self.clone(), mount })))
    }

    /// The answers of the kernel.
    pub fn kernel(&self) -> Arc<dyn Kernel> {
        Arc::new(Answers::new(self.clone()))
    }

    /// The whole host at a moment, in seconds since 1970: files, links, and the kernel's answers below `kernel/`.
    ///
    /// Sizes in the metadata are those of the contents; live files of /proc and /sys report constant sizes, as the
    /// kernel does.
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
            tables(mount).visit(&moment, |path, kind, modified, render| {
                insert(path, node(kind, modified, render, &mut scratch));
            });
        }
        for (path, content) in answers::entries(&*frozen.kernel(), moment.machine) {
            insert(path.as_bytes(), Node::file(content));
        }
        tree.finish()
    }

    /// The state of the host at the time of the clock.
    pub(crate) fn present(&self) -> Present {
        let now = (self.clock)();
        Present { era: self.latest.era(&self.first, &self.timeline, now), now }
    }
}

/// The time, and the host as events have left it by then.
#[derive(Debug)]
pub(crate) struct Present {
    era: Arc<Era>,
    now: Duration,
}

impl Present {
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment::new(&self.era.state, self.now)
    }
}

/// The state of a host between two turns of its events, and the index of its files.
#[derive(Debug)]
struct Era {
    state: State,
    catalogue: Catalogue,
}

impl Era {
    fn new(state: State) -> Self {
        Self { state, catalogue: Catalogue::default() }
    }
}

/// The era that was asked for last, kept so that it is not computed for each read.
#[derive(Default, Debug)]
struct Latest(Mutex<Option<(Position, Arc<Era>)>>);

impl Latest {
    /// The era of a moment since 1970.
    fn era(&self, first: &Arc<Era>, timeline: &Timeline, now: Duration) -> Arc<Era> {
        // Moments before the boot show the host as it boots.
        let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX).max(first.state.machine.boot_micros());
        let position = timeline.position(micros);
        if position == Position::default() {
            return Arc::clone(first);
        }
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((of, era)) if *of == position => Arc::clone(era),
            _ => {
                let made = timeline.state_at(&first.state.machine, micros);
                debug_assert!(made.is_ok(), "{made:?}: events are checked when they are added");
                let era = made.map_or_else(|_| Arc::clone(first), |state| Arc::new(Era::new(state)));
                *latest = Some((position, Arc::clone(&era)));
                era
            }
        }
    }
}

/// The content is rendered into `scratch` first, so that the node holds no unused capacity.
fn node(kind: Kind, modified_seconds: u64, render: Rendering<'_>, scratch: &mut Vec<u8>) -> Node {
    scratch.clear();
    match kind {
        Kind::Directory => Node::directory(),
        Kind::Link => {
            _ = render(scratch);
            Node::link(scratch.as_slice())
        }
        Kind::File | Kind::Special => match render(scratch) {
            Ok(()) => Node::file(scratch.as_slice()).with_modified_seconds(modified_seconds),
            Err(error) => Node::file("").with_error(error),
        },
    }
}

fn tables(mount: Mount) -> &'static Tables {
    static PROC: Tables = Tables::new(Mount::Proc, proc::TABLES);
    static SYS: Tables = Tables::new(Mount::Sys, sys::TABLES);
    static ROOTFS: Tables = Tables::new(Mount::Rootfs, rootfs::TABLES);
    static UDEV: Tables = Tables::new(Mount::Udev, udev::TABLES);
    static HOST: Tables = Tables::new(Mount::Host, hostfs::TABLES);
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
    fn find(&self, present: &Present, path: &[u8]) -> Result<Found, RootError> {
        let Era { state, catalogue } = &*present.era;
        Ok(tables(self.mount).find(catalogue, &state.machine, path).ok_or(Errno::ENOENT)?)
    }
}

impl Links for Files {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        Ok(self.find(&self.host.present(), path)?.kind())
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        let present = self.host.present();
        match self.find(&present, path)? {
            Found::File(file) if file.kind() == Kind::Link => {
                let mut target = Vec::new();
                file.render(&present.moment(), &mut target)?;
                into.append(&target)
            }
            Found::File(_) | Found::Folder => Err(Errno::EINVAL.into()),
        }
    }
}

impl Render for Files {
    fn render(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        let present = self.host.present();
        match self.find(&present, path)? {
            Found::File(file) if file.kind() == Kind::Link => Err(Errno::EINVAL.into()),
            Found::File(file) => Ok(file.render(&present.moment(), into)?),
            Found::Folder => Err(Errno::EISDIR.into()),
        }
    }

    fn entries(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        let present = self.host.present();
        let Era { state, catalogue } = &*present.era;
        for (name, kind) in tables(self.mount).list(catalogue, &state.machine, path) {
            into.push(&name, kind);
        }
        Ok(())
    }

    fn describe(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let present = self.host.present();
        let moment = present.moment();
        let found = self.find(&present, path)?;
        let (mut size_bytes, mut modified) = (0, Duration::ZERO);
        if let (Found::File(file), Kind::File) = (found, found.kind()) {
            modified = Duration::from_secs(file.modified_seconds(&moment));
            size_bytes = match self.mount {
                // The kernel reports these sizes for all files of /proc and of /sys.
                Mount::Proc => 0,
                Mount::Sys => 4096,
                Mount::Rootfs | Mount::Udev | Mount::Host => {
                    let mut content = Vec::new();
                    file.render(&moment, &mut content)?;
                    content.len() as u64
                }
            };
        }
        Ok(Metadata { kind: found.kind(), size_bytes, modified })
    }
}
