//! Resolution of symbolic links, for every kind of root.
//!
//! The target of a link is relative to the directory of the link; an absolute one is relative to the root, as on the host
//! itself (`/etc/os-release` is such a link on some systems). `..` above the root is refused.

use super::{Kind, RootError};
use crate::host::errno::Errno;

/// Maximum length of a path or a target. The kernel's limit includes a final NUL.
pub const MAX_PATH_BYTES: usize = 4095;
/// Maximum length of a name.
pub const MAX_NAME_BYTES: usize = 255;
/// Maximum number of links in the resolution of a path.
pub const MAX_LINKS: u32 = 40;

/// A path on the stack, so that following a link does not allocate.
#[derive(Clone)]
pub struct PathBuffer {
    bytes: [u8; MAX_PATH_BYTES],
    length: usize,
}

impl Default for PathBuffer {
    fn default() -> Self {
        Self { bytes: [0; MAX_PATH_BYTES], length: 0 }
    }
}

impl std::fmt::Debug for PathBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl PathBuffer {
    /// An empty path.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The length.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it is empty: the root itself.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Truncates it to `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Appends bytes; `ENAMETOOLONG` above [`MAX_PATH_BYTES`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), RootError> {
        let end = self.length + bytes.len();
        self.bytes.get_mut(self.length..end).ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    /// Appends a path below this one, after a `/` if needed.
    pub fn join(&mut self, path: &[u8]) -> Result<(), RootError> {
        if !self.is_empty() && !path.is_empty() {
            self.append(b"/")?;
        }
        self.append(path)
    }

    /// Removes the last component. Returns `false` if that would go above the first `base` bytes.
    fn pop(&mut self, base: usize) -> bool {
        if self.length <= base {
            return false;
        }
        let slash = memchr::memrchr(b'/', self.as_bytes()).unwrap_or(0);
        self.length = slash.max(base);
        true
    }
}

/// Whether a path consists of names only, so that it needs no resolution unless it contains links.
pub(super) fn is_plain(path: &[u8]) -> bool {
    path.len() <= MAX_PATH_BYTES && path.split(|&byte| byte == b'/').all(is_name)
}

/// Whether a component of a path is a name.
pub(super) fn is_name(part: &[u8]) -> bool {
    !matches!(part, b"" | b"." | b"..") && part.len() <= MAX_NAME_BYTES
}

/// The operations of a tree for following links. Only the last component of a requested path may be a link, and it is not
/// followed.
pub trait Links {
    /// The entry at this path.
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError>;

    /// Appends the target of the link at this path; `EINVAL` if it is not a link.
    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError>;
}

/// Treatment of a link in the last component of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Last {
    /// Follow it.
    Followed,
    /// Do not follow it.
    Kept,
}

/// Appends the resolution of `path` to `resolved`, and returns the kind of entry there. The initial content of `resolved`
/// is the root, above which no path leads.
pub fn resolve(
    tree: &(impl Links + ?Sized),
    path: &[u8],
    last: Last,
    resolved: &mut PathBuffer,
) -> Result<Kind, RootError> {
    let base = resolved.len();
    Walk { tree, base, links_left: MAX_LINKS, resolved }.walk(path, last)
}

struct Walk<'a, T: ?Sized> {
    tree: &'a T,
    base: usize,
    links_left: u32,
    resolved: &'a mut PathBuffer,
}

impl<T: Links + ?Sized> Walk<'_, T> {
    fn walk(&mut self, path: &[u8], last: Last) -> Result<Kind, RootError> {
        if path.starts_with(b"/") {
            self.resolved.truncate(self.base);
        }
        let mut kind = Kind::Directory;
        let mut components = path.split(|&byte| byte == b'/').peekable();
        while let Some(component) = components.next() {
            // An empty last component is checked too: `file/` is not a file.
            if kind != Kind::Directory {
                return Err(Errno::ENOTDIR.into());
            }
            match component {
                b"" | b"." => {}
                b".." if self.resolved.pop(self.base) => {}
                b".." => return Err(RootError::Escapes),
                name => kind = self.step(name, last == Last::Followed || components.peek().is_some())?,
            }
        }
        Ok(kind)
    }

    fn step(&mut self, name: &[u8], follow: bool) -> Result<Kind, RootError> {
        if name.len() > MAX_NAME_BYTES {
            return Err(Errno::ENAMETOOLONG.into());
        }
        let parent = self.resolved.len();
        self.resolved.join(name)?;
        let kind = self.tree.kind(self.resolved.as_bytes())?;
        if kind == Kind::Link && follow { self.follow(parent) } else { Ok(kind) }
    }

    fn follow(&mut self, parent: usize) -> Result<Kind, RootError> {
        self.links_left = self.links_left.checked_sub(1).ok_or(Errno::ELOOP)?;
        let mut target = PathBuffer::new();
        self.tree.target(self.resolved.as_bytes(), &mut target)?;
        if target.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        self.resolved.truncate(parent);
        self.walk(target.as_bytes(), Last::Followed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_buffer_is_full_at_its_limit() {
        let mut path = PathBuffer::new();
        path.append(&[b'a'; MAX_PATH_BYTES - 2]).unwrap();
        assert_eq!(path.join(b"bc"), Err(Errno::ENAMETOOLONG.into()));
        path.truncate(MAX_PATH_BYTES - 2);
        path.join(b"b").unwrap();
        assert_eq!(path.len(), MAX_PATH_BYTES);
        assert_eq!(path.append(b"c"), Err(Errno::ENAMETOOLONG.into()));
    }

    #[test]
    fn parents_above_the_base_are_refused() {
        let mut path = PathBuffer::new();
        path.append(b"proc/a/b").unwrap();
        assert!(path.pop(4) && path.as_bytes() == b"proc/a");
        assert!(path.pop(4) && path.as_bytes() == b"proc");
        assert!(!path.pop(4) && path.as_bytes() == b"proc");
        assert!(path.pop(0) && path.is_empty());
        assert!(!path.pop(0));
    }
}
