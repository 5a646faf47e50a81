//! The files of a host in memory, as in a `.tree` file.
//!
//! Every directory above an entry is an entry and not a link, so that a path without links is found by one lookup.

mod build;
mod folders;
mod insert;
mod node;

use std::fmt;
use std::sync::Arc;

use super::live::{readable, within};
use super::resolve::{Last, Links, PathBuffer, resolve};
use super::{Kind, Metadata, Mount, Names, Root, RootError, Roots};
use crate::host::errno::Errno;
use folders::{Folders, name_in};

pub use insert::{Filling, InsertError};
pub use node::{MAX_MODE, Node, Special, What};

/// The folder of a tree with the answers of the kernel; it is not a mount.
pub const KERNEL: &str = "kernel";

/// The folder of a tree with the differences of a second snapshot: `later/proc/stat`, `later/kernel/clock`.
pub const LATER: &str = "later";

/// The files of a host, below a folder for each mount (`proc/loadavg`), and the answers of the kernel below `kernel/`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    folders: Folders,
}

impl Tree {
    /// A host without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry at a path such as `proc/loadavg`; links are not followed.
    pub fn get(&self, path: impl AsRef<[u8]>) -> Option<&Node> {
        self.folders.get(path.as_ref())
    }

    /// The content of the file at a path such as `kernel/uname`; links are not followed.
    pub fn content(&self, path: impl AsRef<[u8]>) -> Option<&[u8]> {
        match self.get(path)?.what() {
            What::File(content) => Some(content),
            _ => None,
        }
    }

    /// The mutable content of a file.
    pub fn content_mut(&mut self, path: impl AsRef<[u8]>) -> Option<&mut Vec<u8>> {
        self.folders.get_mut(path.as_ref())?.content_mut()
    }

    /// All entries and their paths, sorted by path, with the directories above them.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.folders.iter().map(|entry| (&*entry.path, &entry.node))
    }

    /// Removes the entry at a path and everything below it; returns whether there was one.
    pub fn remove(&mut self, path: impl AsRef<[u8]>) -> bool {
        self.folders.remove(path.as_ref())
    }

    /// Whether there are entries below this path.
    pub fn has_entries(&self, path: impl AsRef<[u8]>) -> bool {
        self.folders.has_entries(path.as_ref())
    }

    /// A root for each mount. A path of [`Mount::Host`] may be absolute or relative; both are relative to `host/`.
    pub fn roots(self: &Arc<Self>) -> Roots {
        Roots::new(|mount| Arc::new(TreeRoot { tree: Arc::clone(self), mount }))
    }
}

impl Links for Tree {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        Ok(self.get(path).ok_or(Errno::ENOENT)?.kind())
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        match self.get(path).ok_or(Errno::ENOENT)?.what() {
            What::Link(target) => into.append(target),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}

/// A mount of a tree.
struct TreeRoot {
    tree: Arc<Tree>,
    mount: Mount,
}

impl fmt::Debug for TreeRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeRoot({}, {} entries)", self.mount.name(), self.tree.folders.count())
    }
}

impl TreeRoot {
    /// The entry for a path, and its path in the tree.
    fn find(&self, path: &[u8], last: Last) -> Result<(&Node, PathBuffer), RootError> {
        let mut resolved = PathBuffer::new();
        resolved.append(self.mount.name().as_bytes())?;
        let mount = resolved.len();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        if resolved.join(path).is_ok()
            && let Some(node) = self.tree.get(resolved.as_bytes())
            && (node.kind() != Kind::Link || last == Last::Kept)
        {
            return Ok((node, resolved));
        }
        resolved.truncate(mount);
        resolve(&*self.tree, path, last, &mut resolved)?;
        let node = self.tree.get(resolved.as_bytes()).ok_or(Errno::ENOENT)?;
        Ok((node, resolved))
    }
}

impl Root for TreeRoot {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        let (node, _) = self.find(path, Last::Followed)?;
        readable(node.kind())?;
        node.permit()?;
        let What::File(content) = node.what() else { return Err(Errno::EINVAL.into()) };
        within(content.len(), cap_bytes)?;
        into.extend_from_slice(content);
        Ok(())
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let (node, resolved) = self.find(path, Last::Followed)?;
        if node.kind() != Kind::Directory {
            return Err(Errno::ENOTDIR.into());
        }
        node.permit()?;
        let folder = resolved.as_bytes();
        for entry in self.tree.folders.entries(folder) {
            into.push(name_in(folder, &entry.path), entry.node.kind());
        }
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        let (node, _) = self.find(path, Last::Kept)?;
        let What::Link(target) = node.what() else { return Err(Errno::EINVAL.into()) };
        into.extend_from_slice(target);
        Ok(())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        Ok(self.find(path, Last::Followed)?.0.metadata())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tree: &Tree, mount: Mount, path: &str) -> Result<Vec<u8>, RootError> {
        let mut bytes = Vec::new();
        Arc::new(tree.clone()).roots().get(mount).read(path.as_bytes(), &mut bytes, 100).map(|()| bytes)
    }

    fn list(tree: &Tree, path: &str) -> Result<Vec<String>, RootError> {
        let mut names = Names::new();
        Arc::new(tree.clone()).roots().get(Mount::Sys).list(path.as_bytes(), &mut names)?;
        Ok(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    #[test]
    fn a_listing_has_each_name_once() {
        let tree = Tree::new()
            .with_file("sys/a/b/c/d", "")
            .with_file("sys/a/b/e", "")
            .with_file("sys/a/b-1", "")
            .with_file("sys/a/b0", "")
            .with_directory("sys/a/f")
            .with_file("sys/ab", "");
        assert_eq!(list(&tree, "a").unwrap(), ["b", "b-1", "b0", "f"]);
        assert_eq!(list(&tree, "").unwrap(), ["a", "ab"]);
        assert_eq!(list(&tree, "a/f").unwrap(), [""; 0]);
    }

    #[test]
    fn each_mount_has_a_folder() {
        let tree = Tree::new().with_file("proc/a", "1").with_file("host/var/lib/a", "2").with_file("kernel/uname", "3");
        assert_eq!(read(&tree, Mount::Proc, "a").unwrap(), b"1");
        assert_eq!(read(&tree, Mount::Host, "/var/lib/a").unwrap(), b"2");
        assert_eq!(read(&tree, Mount::Host, "var/./lib/../lib/a").unwrap(), b"2");
        assert_eq!(read(&tree, Mount::Proc, "../kernel/uname"), Err(RootError::Escapes));
        assert_eq!(read(&tree, Mount::Udev, "a"), Err(Errno::ENOENT.into()));
        assert_eq!(tree.content("kernel/uname"), Some(&b"3"[..]));
    }

    #[test]
    fn attributes_determine_the_result_of_reads() {
        let tree = Tree::new()
            .with_file("sys/speed", "10\n")
            .with_error("sys/speed", Errno::EINVAL)
            .with("sys/secret", Node::file("1").with_mode(0o200))
            .with("sys/folder", Node::directory().with_error(Errno::EIO))
            .with("sys/closed", Node::directory().with_mode(0o311))
            .with("sys/fifo", Node::special(Special::Fifo))
            .with_file("sys/folder/a", "2");
        assert_eq!(read(&tree, Mount::Sys, "speed"), Err(Errno::EINVAL.into()));
        assert_eq!(read(&tree, Mount::Sys, "secret"), Err(Errno::EACCES.into()));
        assert_eq!(read(&tree, Mount::Sys, "fifo"), Err(RootError::Special));
        assert_eq!(list(&tree, "folder"), Err(Errno::EIO.into()));
        assert_eq!(list(&tree, "closed"), Err(Errno::EACCES.into()));
        assert_eq!(read(&tree, Mount::Sys, "folder/a").unwrap(), b"2");
    }

    #[test]
    fn metadata_is_that_of_the_entry() {
        let node = Node::file("abc").with_modified_seconds(1_700_000_000);
        let tree = Arc::new(Tree::new().with("host/a", node.clone()).with("host/b", node.with_size_bytes(4096)));
        let expected =
            Metadata { kind: Kind::File, size_bytes: 3, modified: std::time::Duration::from_secs(1_700_000_000) };
        assert_eq!(tree.roots().get(Mount::Host).metadata(b"/a"), Ok(expected));
        assert_eq!(tree.roots().get(Mount::Host).metadata(b"/b"), Ok(Metadata { size_bytes: 4096, ..expected }));
    }

    #[test]
    fn removing_an_entry_removes_everything_below() {
        let mut tree = Tree::new().with_file("sys/a/b", "").with_file("sys/a-b", "").with_file("sys/a0", "");
        assert!(tree.remove("sys/a"));
        assert!(!tree.remove("sys/a"));
        assert_eq!(list(&tree, "").unwrap(), ["a-b", "a0"]);
    }
}
