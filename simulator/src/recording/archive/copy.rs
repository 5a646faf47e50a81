//! Copies a real directory into a tree.

use collectors::host::root::tree::{Node, Special, Tree};
use collectors::host::root::{Kind, Names, Root, RootError};
use collectors::kit::files::FILE_CAP_BYTES;

use super::ArchiveError;

/// Maximum nesting. Links are not followed, so only hostile directories are deeper.
const DEPTH_CAP: usize = 128;

/// Maps a path to its path in the tree; see [`super::tree_path`].
pub type TreePath<'a> = &'a dyn Fn(&[u8]) -> Result<Option<Vec<u8>>, ArchiveError>;

/// Adds everything below the directory `from` of a root to the tree, at the paths that `tree_path` gives. Entries
/// without a tree path are left out, except that directories are still walked. Links stay links; an entry that cannot
/// be read keeps its error.
pub fn copy(root: &dyn Root, from: &[u8], tree: &mut Tree, tree_path: TreePath<'_>) -> Result<(), ArchiveError> {
    Copy { root, tree_path, tree }.directory(from, 0)
}

struct Copy<'a> {
    root: &'a dyn Root,
    tree_path: TreePath<'a>,
    tree: &'a mut Tree,
}

impl Copy<'_> {
    fn directory(&mut self, path: &[u8], depth: usize) -> Result<(), ArchiveError> {
        if depth > DEPTH_CAP {
            return Err(ArchiveError::at(path, format!("more than {DEPTH_CAP} nested directories")));
        }
        let mut names = Names::new();
        let listed = self.root.list(path, &mut names);
        let mut node = Node::directory();
        if let Err(error) = listed {
            match error {
                RootError::Errno(errno) => node = node.with_error(errno),
                _ => return Err(ArchiveError::at(path, error)),
            }
        }
        self.add(path, node)?;
        for (name, kind) in names.iter_kinds() {
            let path = if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() };
            match kind {
                Kind::Directory => self.directory(&path, depth + 1)?,
                Kind::File => self.file(&path)?,
                Kind::Link => self.link(&path)?,
                Kind::Special => self.add(&path, Node::special(Special::Fifo))?,
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &[u8]) -> Result<(), ArchiveError> {
        let mut content = Vec::new();
        let node = match self.root.read(path, &mut content, FILE_CAP_BYTES) {
            Ok(()) => Node::file(content),
            Err(RootError::Errno(errno)) => Node::file("").with_error(errno),
            Err(RootError::Special) => Node::special(Special::Fifo),
            Err(error) => return Err(ArchiveError::at(path, error)),
        };
        self.add(path, node)
    }

    fn link(&mut self, path: &[u8]) -> Result<(), ArchiveError> {
        let mut target = Vec::new();
        self.root.read_link(path, &mut target).map_err(|error| ArchiveError::at(path, error))?;
        // Link targets on Windows have `\` as separator.
        if cfg!(windows) {
            target.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
        }
        self.add(path, Node::link(target))
    }

    fn add(&mut self, path: &[u8], node: Node) -> Result<(), ArchiveError> {
        let Some(mapped) = (self.tree_path)(path)? else { return Ok(()) };
        self.tree.insert(&mapped, node).map_err(|error| ArchiveError::at(path, error))
    }
}
