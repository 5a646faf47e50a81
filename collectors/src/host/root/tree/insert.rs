//! Insertion of entries into a tree, and its errors.

use std::fmt;

use super::folders::{FolderEntry, folder_of, name_in};
use super::{KERNEL, LATER, Node, Tree, What};
use crate::host::root::resolve::{MAX_NAME_BYTES, MAX_PATH_BYTES, is_name, is_plain};
use crate::host::root::{Kind, Mount};

/// Errors of inserting an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InsertError {
    /// The first component is neither the name of a mount nor `kernel`, or it is not a directory.
    Folder,
    /// A component is empty, `.`, `..`, too long or contains a NUL; or the whole path is too long.
    Path,
    /// The target of a link is empty, too long or contains a NUL.
    Target,
    /// A parent is not a directory.
    BelowFile,
    /// It is not a directory, and entries below it exist.
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
    /// Inserts an entry at a path, and replaces an existing one. Missing directories above it are created.
    pub fn insert(&mut self, path: impl AsRef<[u8]>, node: Node) -> Result<(), InsertError> {
        let path = path.as_ref();
        check_path(path, &node)?;
        self.make_folder(folder_of(path))?;
        self.put(path, node)
    }

    /// Inserts an entry into an existing folder.
    fn put(&mut self, path: &[u8], node: Node) -> Result<(), InsertError> {
        if node.kind() != Kind::Directory && self.has_entries(path) {
            return Err(InsertError::AboveEntries);
        }
        self.folders.put(path, node);
        Ok(())
    }

    /// Creates missing directories.
    fn make_folder(&mut self, folder: &[u8]) -> Result<(), InsertError> {
        if folder.is_empty() || self.has_entries(folder) {
            return Ok(());
        }
        match self.get(folder).map(Node::kind) {
            Some(Kind::Directory) => Ok(()),
            Some(_) => Err(InsertError::BelowFile),
            None => {
                self.make_folder(folder_of(folder))?;
                self.folders.put(folder, Node::directory());
                Ok(())
            }
        }
    }
}

/// A builder of a tree that is filled folder by folder, so that a folder is looked up and sorted once.
#[derive(Debug, Default)]
pub struct Filling {
    tree: Tree,
    /// Whether the folder and its parents exist.
    folder: Vec<u8>,
    /// Whether the folder was empty, so that its entries can be collected and sorted once.
    is_new: bool,
    entries: Vec<FolderEntry>,
}

impl Filling {
    /// Inserts an entry like [`Tree::insert`].
    pub fn insert(&mut self, path: impl AsRef<[u8]>, node: Node) -> Result<(), InsertError> {
        let path = path.as_ref();
        let folder = folder_of(path);
        // Top-level entries have other rules.
        if folder == self.folder && folder.contains(&b'/') {
            check_name(path, name_in(folder, path))?;
            check_target(&node)?;
        } else {
            check_path(path, &node)?;
            self.begin(folder)?;
        }
        if self.is_new {
            self.entries.push(FolderEntry { path: path.into(), node });
            return Ok(());
        }
        self.tree.put(path, node)
    }

    /// Changes to another folder.
    fn begin(&mut self, folder: &[u8]) -> Result<(), InsertError> {
        if folder == self.folder {
            return Ok(());
        }
        self.settle();
        self.tree.make_folder(folder)?;
        self.folder.clear();
        self.folder.extend_from_slice(folder);
        self.is_new = !self.tree.has_entries(folder);
        Ok(())
    }

    /// Inserts the collected entries of a folder.
    fn settle(&mut self) {
        if !self.entries.is_empty() {
            self.tree.folders.fill(&self.folder, &mut self.entries);
        }
        self.is_new = false;
    }

    /// The complete tree.
    pub fn finish(mut self) -> Tree {
        self.settle();
        self.tree
    }
}

fn check_path(path: &[u8], node: &Node) -> Result<(), InsertError> {
    if !is_plain(path) || memchr::memchr(0, path).is_some() {
        return Err(InsertError::Path);
    }
    check_place(path, node)?;
    check_target(node)
}

/// Checks the name of a path whose folder exists.
fn check_name(path: &[u8], name: &[u8]) -> Result<(), InsertError> {
    if path.len() > MAX_PATH_BYTES || !is_name(name) || memchr::memchr(0, name).is_some() {
        return Err(InsertError::Path);
    }
    Ok(())
}

fn check_place(path: &[u8], node: &Node) -> Result<(), InsertError> {
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
    Ok(())
}

fn check_target(node: &Node) -> Result<(), InsertError> {
    match node.what() {
        What::Link(target) if target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains(&0) => {
            Err(InsertError::Target)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::errno::Errno;

    #[track_caller]
    fn check_refused(path: &str, node: Node, expected: InsertError) {
        let mut tree =
            Tree::new().with_file("sys/file", "").with_file("sys/folder/file", "").with_link("sys/link", "folder");
        let before = tree.clone();
        assert_eq!(tree.insert(path, node), Err(expected), "{path}");
        assert_eq!(tree, before);
    }

    #[test]
    fn invalid_entries_are_refused() {
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
    fn path_lengths_are_limited() {
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
        let link = Arc::new(tree).roots().get(Mount::Sys).read(b"link", &mut Vec::new(), 100);
        assert_eq!(link, Err(Errno::ENAMETOOLONG.into()));
    }

    #[test]
    fn filling_by_folder_gives_equal_trees_and_errors() {
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
            ("sys/a/h/j", Node::file("below a file")),
            ("udev", directory()),
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
            ("sys/a/h/j", InsertError::BelowFile),
            ("sys/a//i", InsertError::Path),
            ("later/a", InsertError::Folder),
        ];
        assert_eq!(refused.collect::<Vec<_>>(), expected);
        assert_eq!(filling.finish(), tree);
        assert_eq!((tree.content("sys/a/b/c"), tree.get("sys/a/b").unwrap().mode()), (Some(&b"3"[..]), 0o700));
    }
}
