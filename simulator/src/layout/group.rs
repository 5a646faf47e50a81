//! Groups of files, typed by the parts of a machine that they describe, and their erased form for the tables.

use std::borrow::Cow;
use std::fmt;

use collectors::host::errno::Errno;
use collectors::host::root::Kind;

use super::{Machine, Moment, Rendering};
use crate::machine::{
    Adapter, Array, Balancer, Bcache, Bcachefs, BlockDevice, Btrfs, ControlGroup, Cpu, EnergyMeter, FibreChannel,
    GraphicsCard, Interface, MemoryControllers, NfsServer, NumaNode, NvmeController, PciDevice, PowerSupply, Process,
    ScsiDevice, Zfs,
};

/// The type of the parts that a group has files for: CPUs, disks, mounts.
pub trait Part: 'static {
    /// A part of a machine: a reference into it, or several.
    type Of<'a>: Copy;
}

/// The parts of a machine, in the order of the kernel.
pub type Parts<'a, P> = Box<dyn Iterator<Item = <P as Part>::Of<'a>> + 'a>;

/// Appends the content of a file, or the target of a link.
pub type Write<P> = for<'a> fn(<P as Part>::Of<'a>, &Moment<'a>, &mut Vec<u8>);

/// [`Write`] for a file that can answer with an error.
pub type TryWrite<P> = for<'a> fn(<P as Part>::Of<'a>, &Moment<'a>, &mut Vec<u8>) -> Result<(), Errno>;

/// The kind of a path, with the function that renders it.
///
/// It is generic over the types of its functions, not over the part: only then does the compiler turn the name of a
/// function into a pointer where a table lists it.
#[derive(Debug)]
pub enum Content<W, T> {
    /// A regular file.
    File(W),
    /// A regular file whose read can fail.
    Fallible(T),
    /// A regular file, and the time of its last change in seconds since 1970.
    Dated(W, fn(&Moment<'_>) -> u64),
    /// A symbolic link.
    Link(W),
    /// A directory that may be empty.
    Directory,
}

/// The content of a path of a part.
pub type ContentOf<P> = Content<Write<P>, TryWrite<P>>;

impl<W, T> Content<W, T> {
    fn kind(&self) -> Kind {
        match self {
            Self::File(_) | Self::Fallible(_) | Self::Dated(..) => Kind::File,
            Self::Link(_) => Kind::Link,
            Self::Directory => Kind::Directory,
        }
    }
}

fn render<'a, P: Part>(
    content: &ContentOf<P>,
    part: P::Of<'a>,
    moment: &Moment<'a>,
    into: &mut Vec<u8>,
) -> Result<(), Errno> {
    match content {
        Content::File(write) | Content::Dated(write, _) | Content::Link(write) => write(part, moment, into),
        Content::Fallible(write) => write(part, moment, into)?,
        Content::Directory => return Err(Errno::EISDIR),
    }
    Ok(())
}

/// Files of the same names for each part of one type.
pub struct Group<P: Part> {
    /// The folder of all parts; empty for the root of the mount.
    pub under: &'static str,
    /// The parts that have these files.
    pub parts: for<'a> fn(&'a Machine) -> Parts<'a, P>,
    /// The path of a part below `under`; empty if the files are in `under` itself.
    pub path: for<'a> fn(P::Of<'a>, &'a Machine) -> Cow<'a, str>,
    /// Paths below the part; a single empty one if the part itself is the file.
    pub entries: &'static [(&'static str, ContentOf<P>)],
}

impl<P: Part> fmt::Debug for Group<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({})", self.under)
    }
}

impl Group<Machine> {
    /// Files of the host as a whole.
    pub(crate) const fn of_host(under: &'static str, entries: &'static [(&'static str, ContentOf<Machine>)]) -> Self {
        Self { under, parts: |machine| each([machine]), path: |_, _| Cow::Borrowed(""), entries }
    }
}

/// Every item of a slice, a list or an option.
pub fn each<'a, T>(items: impl IntoIterator<Item = &'a T, IntoIter: 'a>) -> Box<dyn Iterator<Item = &'a T> + 'a> {
    Box::new(items.into_iter())
}

/// The items that a condition holds for.
pub(crate) fn each_with<'a, T>(
    items: impl IntoIterator<Item = &'a T, IntoIter: 'a>,
    condition: impl Fn(&T) -> bool + 'a,
) -> Box<dyn Iterator<Item = &'a T> + 'a> {
    Box::new(items.into_iter().filter(move |item| condition(item)))
}

/// The groups of one source file.
pub(crate) type Table = &'static [&'static dyn AnyGroup];

/// A [`Group`] without the type of its parts, which are known by their positions among the group's parts. Positions do
/// not leave this module and the index: files are passed on as [`File`]s.
pub(crate) trait AnyGroup: Sync + fmt::Debug {
    fn under(&self) -> &'static str;

    /// The number of entries of each part.
    fn len(&self) -> usize;

    /// Name and kind of an entry.
    fn entry(&self, number: usize) -> (&'static str, Kind);

    /// The time of the last change of an entry, in seconds since 1970; 0 if nothing depends on it.
    fn modified_seconds(&self, number: usize, moment: &Moment<'_>) -> u64;

    /// Visits the paths of all parts of a machine, in the order of their positions.
    fn paths(&self, machine: &Machine, visit: &mut dyn FnMut(&str));

    /// Visits every entry of every part: the paths of both, the file and a function that renders it.
    fn visit(&'static self, moment: &Moment<'_>, visit: &mut dyn FnMut(&str, &str, File, Rendering<'_>));

    /// Renders an entry of the part at a position.
    fn render(&self, position: usize, number: usize, moment: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno>;
}

impl<P: Part> AnyGroup for Group<P> {
    fn under(&self) -> &'static str {
        self.under
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn entry(&self, number: usize) -> (&'static str, Kind) {
        let (name, content) = &self.entries[number];
        (name, content.kind())
    }

    fn modified_seconds(&self, number: usize, moment: &Moment<'_>) -> u64 {
        if let (_, Content::Dated(_, modified)) = &self.entries[number] { modified(moment) } else { 0 }
    }

    fn paths(&self, machine: &Machine, visit: &mut dyn FnMut(&str)) {
        for part in (self.parts)(machine) {
            visit(&(self.path)(part, machine));
        }
    }

    fn visit(&'static self, moment: &Moment<'_>, visit: &mut dyn FnMut(&str, &str, File, Rendering<'_>)) {
        for (position, part) in (self.parts)(moment.machine).enumerate() {
            let path = (self.path)(part, moment.machine);
            for (number, (name, content)) in self.entries.iter().enumerate() {
                let file = File::new(self, position, number);
                visit(&path, name, file, &|into| render::<P>(content, part, moment, into));
            }
        }
    }

    fn render(&self, position: usize, number: usize, moment: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno> {
        // The index counted the parts of the same machine, so the part is there.
        let part = (self.parts)(moment.machine).nth(position).ok_or(Errno::ENOENT)?;
        render::<P>(&self.entries[number].1, part, moment, into)
    }
}

/// One file of one machine: an entry of a part of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    group: &'static dyn AnyGroup,
    position: usize,
    number: usize,
}

impl File {
    pub(super) fn new(group: &'static dyn AnyGroup, position: usize, number: usize) -> Self {
        Self { group, position, number }
    }

    /// Its path below the part.
    pub(super) fn name(self) -> &'static str {
        self.group.entry(self.number).0
    }

    pub(crate) fn kind(self) -> Kind {
        self.group.entry(self.number).1
    }

    /// The time of the last change, in seconds since 1970; 0 if nothing depends on it.
    pub(crate) fn modified_seconds(self, moment: &Moment<'_>) -> u64 {
        self.group.modified_seconds(self.number, moment)
    }

    /// Appends its content, or its target if it is a link.
    pub(crate) fn render(self, moment: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno> {
        self.group.render(self.position, self.number, moment, into)
    }
}

/// The kind of a part's own path: a folder, unless its only entry has an empty path.
pub(super) fn kind_of_parts(group: &dyn AnyGroup) -> Kind {
    if group.len() == 1 && group.entry(0).0.is_empty() { group.entry(0).1 } else { Kind::Directory }
}

macro_rules! parts {
    ($($part:ty)*) => {$(
        impl Part for $part {
            type Of<'a> = &'a $part;
        }
    )*};
}

parts! {
    Adapter Array Balancer Bcache Bcachefs BlockDevice Btrfs ControlGroup EnergyMeter
    FibreChannel GraphicsCard Interface Machine MemoryControllers NfsServer NvmeController PciDevice PowerSupply Process ScsiDevice
    Zfs
}

impl Part for Cpu {
    type Of<'a> = Self;
}

impl Part for NumaNode {
    type Of<'a> = Self;
}
