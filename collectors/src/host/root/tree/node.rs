//! An entry of a tree: a file, directory, link or special file, and its attributes.

use std::time::Duration;

use crate::host::errno::Errno;
use crate::host::root::{Kind, Metadata, RootError};

/// All permission bits.
pub const MAX_MODE: u16 = 0o7777;
const OWNER_READS: u16 = 0o400;

/// The type of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A file with this content.
    File(Vec<u8>),
    /// A directory, whose content is separate entries.
    Directory,
    /// A symbolic link with this target.
    Link(Vec<u8>),
    /// A special file, whose read could block or have side effects.
    Special(Special),
}

/// Types of special files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Special {
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
}

/// An entry. Attributes of links are ignored.
#[derive(Clone, Debug)]
pub struct Node {
    what: What,
    mode: u16,
    error: Option<Errno>,
    modified_seconds: u64,
    size_bytes: Option<u64>,
}

/// Nodes are equal if their behaviour is: an explicit size equals that of the content.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        let attributes = |node: &Self| (node.mode, node.error, node.modified_seconds, node.size_bytes());
        self.what == other.what && attributes(self) == attributes(other)
    }
}

impl Eq for Node {}

impl Node {
    fn new(what: What) -> Self {
        let mode = Self::default_mode(&what);
        Self { what, mode, error: None, modified_seconds: 0, size_bytes: None }
    }

    /// A file.
    pub fn file(content: impl Into<Vec<u8>>) -> Self {
        Self::new(What::File(content.into()))
    }

    /// A directory.
    pub fn directory() -> Self {
        Self::new(What::Directory)
    }

    /// A symbolic link.
    pub fn link(target: impl Into<Vec<u8>>) -> Self {
        Self::new(What::Link(target.into()))
    }

    /// A special file.
    pub fn special(special: Special) -> Self {
        Self::new(What::Special(special))
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        if !matches!(self.what, What::Link(_)) {
            change(&mut self);
        }
        self
    }

    /// Sets the permission bits. Without read permission of the owner, reads are `EACCES`.
    #[must_use]
    pub fn with_mode(self, mode: u16) -> Self {
        self.with(|node| node.mode = mode & MAX_MODE)
    }

    /// Sets the error of reading or listing.
    #[must_use]
    pub fn with_error(self, error: Errno) -> Self {
        self.with(|node| node.error = Some(error))
    }

    /// Sets the modification time in seconds since 1970.
    #[must_use]
    pub fn with_modified_seconds(self, seconds: u64) -> Self {
        self.with(|node| node.modified_seconds = seconds)
    }

    /// Sets the size in the metadata, which may differ from that of the content.
    #[must_use]
    pub fn with_size_bytes(self, size_bytes: u64) -> Self {
        self.with(|node| node.size_bytes = Some(size_bytes))
    }

    /// A file with another content and the same attributes.
    #[must_use]
    pub fn with_content(self, content: impl Into<Vec<u8>>) -> Self {
        Self { what: What::File(content.into()), ..self }
    }

    /// The default mode of an entry.
    pub(crate) fn default_mode(what: &What) -> u16 {
        match what {
            What::Directory => 0o555,
            What::File(_) | What::Link(_) | What::Special(_) => 0o444,
        }
    }

    /// The type of the entry.
    pub fn what(&self) -> &What {
        &self.what
    }

    /// The type of the entry, without its content.
    pub fn kind(&self) -> Kind {
        match self.what {
            What::File(_) => Kind::File,
            What::Directory => Kind::Directory,
            What::Link(_) => Kind::Link,
            What::Special(_) => Kind::Special,
        }
    }

    /// The permission bits.
    pub fn mode(&self) -> u16 {
        self.mode
    }

    /// The error on reading.
    pub fn error(&self) -> Option<Errno> {
        self.error
    }

    /// The modification time in seconds since 1970.
    pub fn modified_seconds(&self) -> u64 {
        self.modified_seconds
    }

    /// The size in the metadata.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes.unwrap_or(self.content_bytes())
    }

    /// The size of the content.
    pub(crate) fn content_bytes(&self) -> u64 {
        match &self.what {
            What::File(content) => content.len() as u64,
            _ => 0,
        }
    }

    pub(super) fn content_mut(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.what {
            What::File(content) => Some(content),
            _ => None,
        }
    }

    /// The metadata of the entry.
    pub fn metadata(&self) -> Metadata {
        let modified = Duration::from_secs(self.modified_seconds);
        Metadata { kind: self.kind(), size_bytes: self.size_bytes(), modified }
    }

    /// Whether it can be read or listed at all.
    pub(super) fn permit(&self) -> Result<(), RootError> {
        match self.error {
            _ if self.mode & OWNER_READS == 0 => Err(Errno::EACCES.into()),
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}
