//! File access: the trait of roots and its types.
//!
//! A root is a mounted file tree (`/proc`, `/sys`, …). Three kinds exist: [`dir::Dir`], a real directory (`kept::Kept`
//! keeps descriptors between scrapes); [`tree::Tree`], files in memory; and [`live::Live`], files that are rendered when
//! they are read. A root is confined: a symbolic link that leaves it is refused with [`RootError::Escapes`], and an
//! absolute link is resolved from the root ([`resolve`]). Only [`host::Host`] is not confined: it serves paths that an
//! operator configures.

#[cfg(test)]
mod agreement;
pub mod dir;
pub mod host;
#[cfg(target_os = "linux")]
pub mod kept;
pub mod live;
pub mod resolve;
pub mod tree;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::errno::Errno;

/// The tree of a path: one that `--path.*` configures, or the host itself for configured paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Mount {
    /// `--path.procfs`.
    Proc,
    /// `--path.sysfs`.
    Sys,
    /// `--path.rootfs`.
    Rootfs,
    /// `--path.udev.data`.
    Udev,
    /// Files that a flag names by a path of the host, such as the textfile directory.
    Host,
}

impl Mount {
    /// All mounts, in the order of declaration.
    pub const ALL: [Self; 5] = [Self::Proc, Self::Sys, Self::Rootfs, Self::Udev, Self::Host];

    /// The name of this mount in `.tree` files and error messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proc => "proc",
            Self::Sys => "sys",
            Self::Rootfs => "rootfs",
            Self::Udev => "udev",
            Self::Host => "host",
        }
    }
}

/// The type of a directory entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// A file with content.
    File,
    /// A directory.
    Directory,
    /// A symbolic link. Only listings report it; [`Root::metadata`] follows links.
    Link,
    /// A FIFO, socket or device: never opened.
    Special,
}

/// Metadata of a file, read without opening it. Links are followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// The type of the file.
    pub kind: Kind,
    /// Size in bytes; constant for most files of /proc (0) and /sys (4096).
    pub size_bytes: u64,
    /// Modification time since 1970.
    pub modified: Duration,
}

/// Errors of roots. [`crate::kit::failure::FileError`] adds the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootError {
    /// The system call failed.
    Errno(Errno),
    /// The file exceeds the cap of this read; no content is returned.
    TooLarge {
        /// Number of bytes read.
        size_bytes: u64,
        /// The cap in bytes.
        cap_bytes: u64,
    },
    /// A symbolic link on the path leads out of the root.
    Escapes,
    /// The path names a FIFO, socket or device instead of a file.
    Special,
}

impl RootError {
    /// Whether the file does not exist, or its device or process was removed.
    pub fn is_missing(self) -> bool {
        matches!(self, Self::Errno(Errno::ENOENT | Errno::ENOTDIR | Errno::ESRCH | Errno::ENODEV))
    }

    /// Whether this process lacks the permission to read the file.
    pub fn is_denied(self) -> bool {
        matches!(self, Self::Errno(Errno::EACCES | Errno::EPERM))
    }
}

impl From<Errno> for RootError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<&std::io::Error> for RootError {
    fn from(error: &std::io::Error) -> Self {
        Self::Errno(error.into())
    }
}

impl fmt::Display for RootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => errno.fmt(f),
            Self::TooLarge { size_bytes, cap_bytes } => {
                write!(
                    f,
                    "file of at least {size_bytes} bytes is larger than the {cap_bytes} bytes that are read of it"
                )
            }
            Self::Escapes => f.write_str("a symbolic link leads out of the root; use a root that holds its target"),
            Self::Special => f.write_str("a FIFO, socket or device, which is not read; put a file in its place"),
        }
    }
}

/// A file tree. Paths are relative, with components separated by `/` and without `..`; the caller checks this
/// ([`crate::kit::read::Read`] does). For other paths a root may panic in tests, but stays confined. The empty path is the
/// directory of the root.
pub trait Root: Send + Sync + fmt::Debug {
    /// Starts a scrape: cached state of earlier scrapes has to be validated before it is used.
    fn begin_scrape(&self) {}

    /// Replaces `into` by the whole content of the file. A file above `cap_bytes` is [`RootError::TooLarge`], and a read
    /// that fails midway is its errno; both return no content. Collectors rely on this: a last line without a newline is
    /// complete.
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError>;

    /// Replaces `into` by the entries of the directory, sorted by name.
    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError>;

    /// Replaces `into` by the target of the symbolic link at `path`, which is not followed and may leave the root.
    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError>;

    /// The metadata of the file, without opening it; links are followed.
    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError>;
}

/// The roots of a host, one per mount.
#[derive(Clone, Debug)]
pub struct Roots {
    mounted: [Arc<dyn Root>; Mount::ALL.len()],
    sys_place: Arc<str>,
    is_live: bool,
}

impl Roots {
    /// The roots that `root_of` returns for each mount.
    pub fn new(mut root_of: impl FnMut(Mount) -> Arc<dyn Root>) -> Self {
        Self { mounted: Mount::ALL.map(&mut root_of), sys_place: Arc::from("/sys"), is_live: false }
    }

    /// Sets the path of /sys for labels, as the operator wrote it. It is not used for reads.
    #[must_use]
    pub fn with_sys_place(self, place: &str) -> Self {
        let place = place.trim_end_matches('/');
        Self { sys_place: Arc::from(place), ..self }
    }

    /// Marks these as directories of the running host: the answers of its kernel may then replace reads of /sys, where a
    /// collector has compared the two.
    #[must_use]
    pub fn live(self) -> Self {
        Self { is_live: true, ..self }
    }

    /// Whether these are directories of the running host.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// The path of /sys for labels.
    pub fn sys_place(&self) -> &str {
        &self.sys_place
    }

    /// Starts a scrape.
    pub fn begin_scrape(&self) {
        self.mounted.iter().for_each(|root| root.begin_scrape());
    }

    /// The root of a mount.
    pub fn get(&self, mount: Mount) -> &dyn Root {
        &*self.mounted[mount as usize]
    }
}

/// Names of directory entries in a reusable buffer.
#[derive(Default, Debug, Clone)]
pub struct Names {
    bytes: Vec<u8>,
    entries: Vec<NameSpan>,
}

#[derive(Clone, Copy, Debug)]
struct NameSpan {
    start: u32,
    end: u32,
    kind: Kind,
}

impl Names {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes the names and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Adds a name. Names beyond 4 GiB are ignored.
    pub fn push(&mut self, name: &[u8], kind: Kind) {
        let start = self.bytes.len();
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(start + name.len())) else { return };
        self.bytes.extend_from_slice(name);
        self.entries.push(NameSpan { start, end, kind });
    }

    /// Sorts the names by bytes. Every root does this.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        self.entries.sort_unstable_by(|a, b| bytes_of(bytes, *a).cmp(bytes_of(bytes, *b)));
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The names in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.entries.iter().map(|&entry| bytes_of(&self.bytes, entry))
    }

    /// The names in order, with their types.
    pub fn iter_kinds(&self) -> impl ExactSizeIterator<Item = (&[u8], Kind)> {
        self.entries.iter().map(|&entry| (bytes_of(&self.bytes, entry), entry.kind))
    }

    /// Whether the list, which must be sorted, contains this name.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.entries.binary_search_by(|&entry| bytes_of(&self.bytes, entry).cmp(name)).is_ok()
    }
}

fn bytes_of(bytes: &[u8], entry: NameSpan) -> &[u8] {
    &bytes[entry.start as usize..entry.end as usize]
}
