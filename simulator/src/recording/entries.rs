//! Builds a tree from entries in any order.

use std::collections::BTreeSet;

use collectors::host::root::tree::{Filling, InsertError, Node, Tree, What};

/// Entries of a tree, collected before the tree is built.
///
/// Inserting 200,000 entries into one directory of a [`Tree`] in random order moves half of the directory each time. Here they are sorted by directory once, and each directory is filled in one go.
///
/// `S` is the source of an entry, for error messages.
#[derive(Debug)]
pub(super) struct Entries<S>(Vec<TreeEntry<S>>);

#[derive(Debug)]
struct TreeEntry<S> {
    source: S,
    path: Vec<u8>,
    node: Node,
    is_implied: bool,
}

impl<S> Default for Entries<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Clone> Entries<S> {
    /// Number of entries, which is the index of the next one.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Content of an entry by its index, if it is a file.
    pub(super) fn file(&self, index: usize) -> Option<&[u8]> {
        match self.0.get(index)?.node.what() {
            What::File(content) => Some(content),
            _ => None,
        }
    }

    /// Adds an entry. Of several entries at one path the last one stays.
    pub(super) fn push(&mut self, source: S, path: Vec<u8>, node: Node) {
        self.0.push(TreeEntry { source, path, node, is_implied: false });
    }

    /// Adds the directories above `path` that are not `known` yet. They never replace an entry of the archive. `cost` is
    /// called with the length of each path, because a few long paths can imply millions of directories.
    pub(super) fn push_parents<E>(
        &mut self,
        known: &mut BTreeSet<Vec<u8>>,
        source: &S,
        path: &[u8],
        mut cost: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut path = path;
        while let Some(parent) = parent(path).filter(|parent| !known.contains(*parent)) {
            cost(parent.len())?;
            known.insert(parent.to_vec());
            let (source, path_of_parent) = (source.clone(), parent.to_vec());
            self.0.push(TreeEntry { source, path: path_of_parent, node: Node::directory(), is_implied: true });
            path = parent;
        }
        Ok(())
    }

    /// Builds the tree. The error holds the source of the entry that cannot be inserted.
    pub(super) fn into_tree(mut self) -> Result<Tree, (S, InsertError)> {
        // Stable: entries of one path keep their order. A directory sorts before those below it.
        self.0.sort_by(|one, other| {
            parent(&one.path).cmp(&parent(&other.path)).then(other.is_implied.cmp(&one.is_implied))
        });
        let mut tree = Filling::default();
        for TreeEntry { source, path, node, .. } in self.0 {
            if let Err(error) = tree.insert(&path, node) {
                return Err((source, error));
            }
        }
        Ok(tree.finish())
    }
}

/// Path of the directory above, if there is one.
fn parent(path: &[u8]) -> Option<&[u8]> {
    path.get(..memchr::memrchr(b'/', path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_of_entries_does_not_matter(names in prop::collection::vec("[ab-]{1,2}(/[ab-]{1,2}){0,3}", 0..20)) {
            let mut expected = Tree::new();
            let (mut entries, mut known) = (Entries::default(), BTreeSet::new());
            for name in &names {
                let path = format!("sys/{name}").into_bytes();
                expected.insert(&path, Node::directory()).unwrap();
                entries.push_parents(&mut known, &(), &path, |_| Ok::<(), ()>(())).unwrap();
                entries.push((), path, Node::directory());
            }
            prop_assert!(entries.len() >= names.len());
            prop_assert_eq!(entries.into_tree().unwrap(), expected);
        }
    }

    #[test]
    fn an_entry_below_a_file_is_refused_by_its_source() {
        let mut entries = Entries::default();
        entries.push("below", b"sys/a/b".to_vec(), Node::file(""));
        entries.push("file", b"sys/a".to_vec(), Node::file(""));
        assert_eq!(entries.into_tree(), Err(("below", InsertError::BelowFile)));
    }

    #[test]
    fn the_last_entry_of_a_path_stays() {
        let mut entries = Entries::default();
        for content in ["1", "2", "3"] {
            entries.push((), b"sys/a".to_vec(), Node::file(content));
        }
        assert_eq!(entries.into_tree().unwrap().content("sys/a"), Some(&b"3"[..]));
    }

    #[test]
    fn an_implied_directory_does_not_replace_an_entry() {
        let (mut entries, mut known) = (Entries::default(), BTreeSet::new());
        entries.push((), b"sys/a".to_vec(), Node::directory().with_mode(0o700));
        entries.push_parents(&mut known, &(), b"sys/a/b", |_| Ok::<(), ()>(())).unwrap();
        assert_eq!(entries.into_tree().unwrap().get("sys/a").unwrap().mode(), 0o700);
    }
}
