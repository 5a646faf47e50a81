//! Trees that are spelled out in code.

use super::{Node, Tree};
use crate::host::errno::Errno;

/// Ways to write a tree down in a test. They panic where [`Tree::insert`] refuses.
impl Tree {
    /// With a file; its folders need no mention.
    ///
    /// # Panics
    /// If nothing can stand at this path.
    #[must_use]
    #[track_caller]
    pub fn with_file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.with(path, Node::file(content))
    }

    /// With a symbolic link.
    ///
    /// # Panics
    /// If nothing can stand at this path.
    #[must_use]
    #[track_caller]
    pub fn with_link(self, path: &str, target: &str) -> Self {
        self.with(path, Node::link(target))
    }

    /// With a directory, which may stay empty.
    ///
    /// # Panics
    /// If nothing can stand at this path.
    #[must_use]
    #[track_caller]
    pub fn with_directory(self, path: &str) -> Self {
        self.with(path, Node::directory())
    }

    /// Makes reads of `path` fail with an error. A missing path becomes a file.
    ///
    /// # Panics
    /// If nothing can stand at this path.
    #[must_use]
    #[track_caller]
    pub fn with_error(self, path: &str, error: Errno) -> Self {
        let node = self.get(path).cloned().unwrap_or_else(|| Node::file(""));
        self.with(path, node.with_error(error))
    }

    /// With any entry.
    ///
    /// # Panics
    /// If nothing can stand at this path.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, path: &str, node: Node) -> Self {
        if let Err(error) = self.insert(path, node) {
            panic!("{path} cannot stand in a tree: {error}");
        }
        self
    }
}
