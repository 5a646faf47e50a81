//! Builder methods of trees for tests.

use super::{Node, Tree};
use crate::host::errno::Errno;

/// Builder methods. They panic where [`Tree::insert`] returns an error.
impl Tree {
    /// Adds a file and the directories above it.
    ///
    /// # Panics
    /// If the entry is invalid at this path.
    #[must_use]
    #[track_caller]
    pub fn with_file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.with(path, Node::file(content))
    }

    /// Adds a symbolic link.
    ///
    /// # Panics
    /// If the entry is invalid at this path.
    #[must_use]
    #[track_caller]
    pub fn with_link(self, path: &str, target: &str) -> Self {
        self.with(path, Node::link(target))
    }

    /// Adds a directory.
    ///
    /// # Panics
    /// If the entry is invalid at this path.
    #[must_use]
    #[track_caller]
    pub fn with_directory(self, path: &str) -> Self {
        self.with(path, Node::directory())
    }

    /// Makes reads of `path` fail with an error. A missing path becomes a file.
    ///
    /// # Panics
    /// If the entry is invalid at this path.
    #[must_use]
    #[track_caller]
    pub fn with_error(self, path: &str, error: Errno) -> Self {
        let node = self.get(path).cloned().unwrap_or_else(|| Node::file(""));
        self.with(path, node.with_error(error))
    }

    /// Adds an entry.
    ///
    /// # Panics
    /// If the entry is invalid at this path.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, path: &str, node: Node) -> Self {
        if let Err(error) = self.insert(path, node) {
            panic!("{path} cannot stand in a tree: {error}");
        }
        self
    }
}
