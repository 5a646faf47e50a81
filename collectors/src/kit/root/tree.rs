//! A whole host's files in memory, as a `.tree` file describes them.
//!
//! Every directory on the way to an entry is an entry itself and never a link, so that a path without links is found
//! by one look-up.

mod build;
mod node;

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, Range};
use std::fmt;
use std::ops::Bound::{Included, Unbounded};
use std::sync::Arc;

use super::live::{readable, within};
use super::resolve::{Last, Links, MAX_NAME_BYTES, MAX_PATH_BYTES, PathBuffer, is_plain, resolve};
use super::{Kind, Metadata, Mount, Names, Root, RootError, Roots};
use crate::kit::errno::Errno;

pub use node::{MAX_MODE, Node, Special, What};

/// The folder of a tree that holds the kernel's answers; it is no mount.
pub const KERNEL: &str = "kernel";

/// The folder of a tree that holds what was different at a second moment: `later/proc/stat`, `later/kernel/clock`.
pub const LATER: &str = "later";

/// The files of one host: below a folder for each mount (`proc/loadavg`), and the kernel's answers below `kernel/`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Box<[u8]>, Node>,
}

/// Why an entry cannot stand at its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InsertError {
    /// The first component is neither a mount's name nor `kernel`, or it is no directory.
    Folder,
    /// A component is empty, `.`, `..`, too long or holds a NUL; or the whole path is too long.
    Path,
    /// A link's target is empty, too long or holds a NUL.
    Target,
    /// Something above it is no directory.
    BelowFile,
    /// It is no directory, and there are entries below it.
    AboveEntries,
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => {
                f.write_str("the first component must be a folder of the host: ")?;
                Mount::ALL.iter().try_for_each(|mount| write!(f, "{}, ", mount.name()))?;
                write!(f, "{KERNEL}, or {LATER} and one of these")
            }
            Self::Path => write!(
                f,
                "a path is made of components between `/`, none of them empty, `.`, `..` or longer than \
                 {MAX_NAME_BYTES} bytes, without NUL and of at most {MAX_PATH_BYTES} bytes"
            ),
            Self::Target => write!(f, "a link's target has 1 to {MAX_PATH_BYTES} bytes, none of them NUL"),
            Self::BelowFile => f.write_str("something above it is no directory; remove one of the two"),
            Self::AboveEntries => f.write_str("there are entries below it, so it must be a directory"),
        }
    }
}

impl std::error::Error for InsertError {}

impl Tree {
    /// A host without a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands at a path such as `proc/loadavg`; links are not followed.
    pub fn get(&self, path: impl AsRef<[u8]>) -> Option<&Node> {
        self.nodes.get(path.as_ref())
    }

    /// The content of the file at a path such as `kernel/uname`; links are not followed.
    pub fn content(&self, path: impl AsRef<[u8]>) -> Option<&[u8]> {
        match self.get(path)?.what() {
            What::File(content) => Some(content),
            _ => None,
        }
    }

    /// The content of a file, to be changed.
    pub fn content_mut(&mut self, path: impl AsRef<[u8]>) -> Option<&mut Vec<u8>> {
        self.nodes.get_mut(path.as_ref())?.content_mut()
    }

    /// Every entry and its path, sorted by path, with the directories on the way to others.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes.iter().map(|(path, node)| (&**path, node))
    }

    /// Puts an entry at a path, in place of what stood there. The directories above it are made.
    pub fn insert(&mut self, path: impl AsRef<[u8]>, node: Node) -> Result<(), InsertError> {
        let path = path.as_ref();
        check_path(path, &node)?;
        self.make_folders(path)?;
        self.put(path.into(), node)
    }

    /// Puts an entry at a path whose folders are there.
    fn put(&mut self, path: Box<[u8]>, node: Node) -> Result<(), InsertError> {
        let is_directory = node.kind() == Kind::Directory;
        let mut entry = match self.nodes.entry(path) {
            Entry::Vacant(entry) => {
                entry.insert(node);
                return Ok(());
            }
            Entry::Occupied(entry) => entry,
        };
        let before = entry.insert(node);
        // What has entries below it is an entry itself.
        if !is_directory && before.kind() == Kind::Directory {
            let path = entry.key().clone();
            if self.has_entries(&path) {
                self.nodes.insert(path, before);
                return Err(InsertError::AboveEntries);
            }
        }
        Ok(())
    }

    /// Makes the directories above a path that are missing. Those above one that is there are there.
    fn make_folders(&mut self, path: &[u8]) -> Result<(), InsertError> {
        let Some(above) = folder_of(path) else { return Ok(()) };
        match self.get(above).map(Node::kind) {
            Some(Kind::Directory) => Ok(()),
            Some(_) => Err(InsertError::BelowFile),
            None => {
                self.make_folders(above)?;
                self.nodes.insert(above.into(), Node::directory());
                Ok(())
            }
        }
    }

    /// Takes away what stands at a path and below it; says whether there was anything.
    pub fn remove(&mut self, path: impl AsRef<[u8]>) -> bool {
        let path = path.as_ref();
        let below = [path, b"/"].concat();
        let mut gone = self.nodes.split_off(below.as_slice());
        // `0` follows `/`.
        let mut rest = gone.split_off([path, b"0"].concat().as_slice());
        self.nodes.append(&mut rest);
        self.nodes.remove(path).is_some()
    }

    /// Whether anything stands below this path.
    pub fn has_entries(&self, path: impl AsRef<[u8]>) -> bool {
        let below = [path.as_ref(), b"/"].concat();
        self.from(&below).next().is_some_and(|(path, _)| path.starts_with(&below))
    }

    /// One root for each mount. A path of [`Mount::Host`] may be absolute or relative: both count from `host/`.
    pub fn roots(self: &Arc<Self>) -> Roots {
        Roots::new(|mount| Arc::new(TreeRoot { tree: Arc::clone(self), mount }))
    }

    fn from(&self, first: &[u8]) -> Range<'_, Box<[u8]>, Node> {
        self.nodes.range::<[u8], _>((Included(first), Unbounded))
    }

    /// The entries right below a directory. What is below those is jumped over.
    fn list(&self, directory: &[u8], into: &mut Names) -> Result<(), RootError> {
        let mut seek = PathBuffer::new();
        seek.append(directory)?;
        seek.append(b"/")?;
        let prefix = seek.len();
        let mut entries = self.from(seek.as_bytes());
        while let Some((path, node)) = entries.next() {
            let Some(name) = path.strip_prefix(&seek.as_bytes()[..prefix]) else { break };
            let Some(slash) = memchr::memchr(b'/', name) else {
                into.push(name, node.kind());
                continue;
            };
            seek.truncate(prefix);
            seek.append(&name[..slash])?;
            // `0` follows `/`.
            seek.append(b"0")?;
            entries = self.from(seek.as_bytes());
        }
        into.sort();
        Ok(())
    }
}

/// A tree that is filled folder by folder, which spares the look at the folders above every entry.
#[derive(Debug, Default)]
pub struct Filling {
    tree: Tree,
    /// It and all above it are there.
    folder: Vec<u8>,
}

impl Filling {
    /// As [`Tree::insert`].
    pub fn insert(&mut self, path: impl AsRef<[u8]>, node: Node) -> Result<(), InsertError> {
        let path = path.as_ref();
        check_path(path, &node)?;
        let folder = folder_of(path).unwrap_or_default();
        if folder != self.folder {
            self.tree.make_folders(path)?;
            self.folder.clear();
            self.folder.extend_from_slice(folder);
        }
        self.tree.put(path.into(), node)
    }

    /// The tree with all that was put into it.
    pub fn finish(self) -> Tree {
        self.tree
    }
}

/// The path of the directory that an entry is in, if it is in one.
fn folder_of(path: &[u8]) -> Option<&[u8]> {
    Some(&path[..memchr::memrchr(b'/', path)?])
}

fn check_path(path: &[u8], node: &Node) -> Result<(), InsertError> {
    if !is_plain(path) || memchr::memchr(0, path).is_some() {
        return Err(InsertError::Path);
    }
    let mut names = path.split(|&byte| byte == b'/');
    let mut folder = names.next().unwrap_or_default();
    if folder == LATER.as_bytes() {
        folder = match names.next() {
            Some(below) => below,
            None if node.kind() == Kind::Directory => return Ok(()),
            None => return Err(InsertError::Folder),
        };
    }
    let is_known = folder == KERNEL.as_bytes() || Mount::ALL.iter().any(|mount| mount.name().as_bytes() == folder);
    if !is_known || (names.next().is_none() && node.kind() != Kind::Directory) {
        return Err(InsertError::Folder);
    }
    match node.what() {
        What::Link(target) if target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains(&0) => {
            Err(InsertError::Target)
        }
        _ => Ok(()),
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

/// One mount of a tree.
struct TreeRoot {
    tree: Arc<Tree>,
    mount: Mount,
}

impl fmt::Debug for TreeRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeRoot({}, {} entries)", self.mount.name(), self.tree.nodes.len())
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
        self.tree.list(resolved.as_bytes(), into)
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
    fn a_listing_has_each_name_once_whatever_stands_below_it() {
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
    fn a_tree_filled_folder_by_folder_is_the_same_and_refuses_the_same() {
        let directory = || Node::directory().with_mode(0o700);
        let entries = [
            ("sys/a/b/c", Node::file("1")),
            ("sys/a/b/d/e", Node::file("2")),
            ("sys/a/b/c", Node::file("3")),
            ("sys/a/b", Node::file("has entries")),
            ("sys/a/b", directory()),
            ("sys/a/b/c/f", Node::file("below a file")),
            ("sys/a/b/c/g", Node::file("below a file")),
            ("sys/a-b", Node::file("4")),
            ("proc/x", Node::link("y")),
            ("sys/a/h", Node::file("5")),
            ("etc/a", Node::file("in no mount")),
            ("sys/a//i", Node::file("no name")),
            ("sys", directory()),
            ("later/proc", directory()),
            ("later/a", Node::file("in no mount")),
        ];
        let (mut tree, mut filling) = (Tree::new(), Filling::default());
        let refused = entries.into_iter().filter_map(|(path, node)| {
            let result = tree.insert(path, node.clone());
            assert_eq!(filling.insert(path, node), result, "{path}");
            Some((path, result.err()?))
        });
        let expected = [
            ("sys/a/b", InsertError::AboveEntries),
            ("sys/a/b/c/f", InsertError::BelowFile),
            ("sys/a/b/c/g", InsertError::BelowFile),
            ("etc/a", InsertError::Folder),
            ("sys/a//i", InsertError::Path),
            ("later/a", InsertError::Folder),
        ];
        assert_eq!(refused.collect::<Vec<_>>(), expected);
        assert_eq!(filling.finish(), tree);
        assert_eq!((tree.content("sys/a/b/c"), tree.get("sys/a/b").unwrap().mode()), (Some(&b"3"[..]), 0o700));
    }

    #[test]
    fn each_mount_is_a_folder_of_its_own() {
        let tree = Tree::new().with_file("proc/a", "1").with_file("host/var/lib/a", "2").with_file("kernel/uname", "3");
        assert_eq!(read(&tree, Mount::Proc, "a").unwrap(), b"1");
        assert_eq!(read(&tree, Mount::Host, "/var/lib/a").unwrap(), b"2");
        assert_eq!(read(&tree, Mount::Host, "var/./lib/../lib/a").unwrap(), b"2");
        assert_eq!(read(&tree, Mount::Proc, "../kernel/uname"), Err(RootError::Escapes));
        assert_eq!(read(&tree, Mount::Udev, "a"), Err(Errno::ENOENT.into()));
        assert_eq!(tree.content("kernel/uname"), Some(&b"3"[..]));
    }

    #[test]
    fn attributes_decide_what_reading_says() {
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
    fn metadata_tells_what_the_entry_says() {
        let node = Node::file("abc").with_modified_seconds(1_700_000_000);
        let tree = Arc::new(Tree::new().with("host/a", node.clone()).with("host/b", node.with_size_bytes(4096)));
        let expected =
            Metadata { kind: Kind::File, size_bytes: 3, modified: std::time::Duration::from_secs(1_700_000_000) };
        assert_eq!(tree.roots().get(Mount::Host).metadata(b"/a"), Ok(expected));
        assert_eq!(tree.roots().get(Mount::Host).metadata(b"/b"), Ok(Metadata { size_bytes: 4096, ..expected }));
    }

    #[track_caller]
    fn check_refused(path: &str, node: Node, expected: InsertError) {
        let mut tree =
            Tree::new().with_file("sys/file", "").with_file("sys/folder/file", "").with_link("sys/link", "folder");
        let before = tree.clone();
        assert_eq!(tree.insert(path, node), Err(expected), "{path}");
        assert_eq!(tree, before);
    }

    #[test]
    fn what_cannot_stand_in_a_tree_is_refused() {
        for path in ["", "/sys", "sys/", "sys//a", "sys/./a", "sys/../a", "sys/a\0"] {
            check_refused(path, Node::file(""), InsertError::Path);
        }
        check_refused("etc/passwd", Node::file(""), InsertError::Folder);
        check_refused("proc", Node::file(""), InsertError::Folder);
        check_refused("sys/file/a", Node::file(""), InsertError::BelowFile);
        check_refused("sys/link/a", Node::file(""), InsertError::BelowFile);
        check_refused("sys/folder", Node::link("x"), InsertError::AboveEntries);
        check_refused("sys/a", Node::link(""), InsertError::Target);
        check_refused("sys/a", Node::link("a\0"), InsertError::Target);
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let name = |length: usize| "n".repeat(length);
        let path =
            |length: usize| format!("sys{}", format!("/{}", name(61)).repeat(length / 62)) + &"/n".repeat(length % 62);
        let mut tree = Tree::new();
        tree.insert(format!("sys/{}", name(MAX_NAME_BYTES)), Node::file("")).unwrap();
        check_refused(&format!("sys/{}", name(MAX_NAME_BYTES + 1)), Node::file(""), InsertError::Path);
        assert_eq!(path(62 * 66).len(), MAX_PATH_BYTES);
        tree.insert(path(62 * 66), Node::file("")).unwrap();
        check_refused(&format!("{}n", path(62 * 66)), Node::file(""), InsertError::Path);
        tree.insert("sys/link", Node::link(name(MAX_PATH_BYTES))).unwrap();
        check_refused("sys/a", Node::link(name(MAX_PATH_BYTES + 1)), InsertError::Target);
        assert_eq!(read(&tree, Mount::Sys, "link"), Err(Errno::ENAMETOOLONG.into()));
    }

    #[test]
    fn removing_takes_what_is_below_and_nothing_else() {
        let mut tree = Tree::new().with_file("sys/a/b", "").with_file("sys/a-b", "").with_file("sys/a0", "");
        assert!(tree.remove("sys/a"));
        assert!(!tree.remove("sys/a"));
        assert_eq!(list(&tree, "").unwrap(), ["a-b", "a0"]);
    }
}
