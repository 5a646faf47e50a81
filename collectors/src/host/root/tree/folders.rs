//! The entries of a tree by folder: a lookup searches the folders, then the names in one. The entries of a folder are
//! adjacent in memory.

use std::slice::Iter;

use rustc_hash::FxHashMap;

use super::Node;

/// The entry at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FolderEntry {
    pub(super) path: Box<[u8]>,
    pub(super) node: Node,
}

/// The sorted entries of each directory that is not empty. Top-level entries are in the folder with the empty name.
///
/// Folders are looked up by path and not sorted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Folders(FxHashMap<Box<[u8]>, Vec<FolderEntry>>);

impl Folders {
    /// The number of entries.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(super) fn get(&self, path: &[u8]) -> Option<&Node> {
        let entries = self.entries(folder_of(path));
        Some(&entries[place(entries, path).ok()?].node)
    }

    pub(super) fn get_mut(&mut self, path: &[u8]) -> Option<&mut Node> {
        let entries = self.0.get_mut(folder_of(path))?;
        let place = place(entries, path).ok()?;
        Some(&mut entries[place].node)
    }

    /// Whether this folder has entries.
    pub(super) fn has_entries(&self, folder: &[u8]) -> bool {
        self.0.contains_key(folder)
    }

    /// The direct entries of a folder, sorted.
    pub(super) fn entries(&self, folder: &[u8]) -> &[FolderEntry] {
        self.0.get(folder).map_or(&[], Vec::as_slice)
    }

    /// Inserts an entry at a path, and replaces an existing one.
    pub(super) fn put(&mut self, path: &[u8], node: Node) {
        let folder = folder_of(path);
        if !self.0.contains_key(folder) {
            self.0.insert(folder.into(), Vec::new());
        }
        if let Some(entries) = self.0.get_mut(folder) {
            match place(entries, path) {
                Ok(place) => entries[place].node = node,
                Err(place) => entries.insert(place, FolderEntry { path: path.into(), node }),
            }
        }
    }

    /// Inserts entries in any order into an empty folder. Of several at one path, the last one is kept.
    pub(super) fn fill(&mut self, folder: &[u8], entries: &mut Vec<FolderEntry>) {
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        let mut sorted: Vec<FolderEntry> = Vec::with_capacity(entries.len());
        for entry in entries.drain(..) {
            match sorted.last_mut() {
                Some(last) if last.path == entry.path => *last = entry,
                _ => sorted.push(entry),
            }
        }
        self.0.insert(folder.into(), sorted);
    }

    /// Removes the entry at a path and everything below it. Returns whether it existed.
    pub(super) fn remove(&mut self, path: &[u8]) -> bool {
        self.remove_below(path);
        let folder = folder_of(path);
        let Some(entries) = self.0.get_mut(folder) else { return false };
        let Ok(place) = place(entries, path) else { return false };
        entries.remove(place);
        if entries.is_empty() {
            self.0.remove(folder);
        }
        true
    }

    fn remove_below(&mut self, folder: &[u8]) {
        for entry in self.0.remove(folder).unwrap_or_default() {
            self.remove_below(&entry.path);
        }
    }

    /// All entries, sorted by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = &FolderEntry> {
        Sorted { folders: self, begun: vec![self.entries(b"").iter()] }
    }
}

/// All entries in the order of their paths, which is not that of folders: `a-b` sorts between `a` and `a/b`.
struct Sorted<'a> {
    folders: &'a Folders,
    /// The remaining entries of each open folder.
    begun: Vec<Iter<'a, FolderEntry>>,
}

impl<'a> Iterator for Sorted<'a> {
    type Item = &'a FolderEntry;

    fn next(&mut self) -> Option<&'a FolderEntry> {
        self.begun.retain(|rest| !rest.as_slice().is_empty());
        let next = self.begun.iter_mut().min_by_key(|rest| rest.as_slice().first().map(|entry| &*entry.path))?;
        let entry = next.next()?;
        let below = self.folders.entries(&entry.path);
        if !below.is_empty() {
            self.begun.push(below.iter());
        }
        Some(entry)
    }
}

/// The path of the directory of an entry.
pub(super) fn folder_of(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(b"", |slash| &path[..slash])
}

/// The name of an entry of this folder.
pub(super) fn name_in<'a>(folder: &[u8], path: &'a [u8]) -> &'a [u8] {
    if folder.is_empty() { path } else { &path[folder.len() + 1..] }
}

/// The index of an entry in its folder, or the index to insert it at.
fn place(entries: &[FolderEntry], path: &[u8]) -> Result<usize, usize> {
    entries.binary_search_by(|entry| (*entry.path).cmp(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::host::root::tree::{Filling, Tree};
    use proptest::prelude::*;

    /// Names that are prefixes of each other, with bytes below and above `/`.
    fn paths() -> impl Strategy<Value = Vec<String>> {
        let name = prop::sample::select(vec!["a", "a-", "a0", "a.b", "aa", "b"]);
        let path = prop::collection::vec(name, 1..5).prop_map(|names| format!("sys/{}", names.join("/")));
        prop::collection::vec(path, 0..40)
    }

    fn path_and_those_above(path: &str) -> impl Iterator<Item = &str> {
        path.match_indices('/').map(|(slash, _)| &path[..slash]).chain([path])
    }

    proptest! {
        #[test]
        fn entries_come_in_the_order_of_their_paths(paths in paths(), removed in paths()) {
            let (mut tree, mut filling) = (Tree::new(), Filling::default());
            for path in &paths {
                tree.insert(path, Node::directory()).unwrap();
                filling.insert(path, Node::directory()).unwrap();
            }
            prop_assert_eq!(&filling.finish(), &tree);
            let mut expected: BTreeSet<&str> = paths.iter().flat_map(|path| path_and_those_above(path)).collect();
            for path in &removed {
                let is_below = |other: &str| other.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                prop_assert_eq!(tree.remove(path), expected.contains(path.as_str()));
                expected.retain(|other| !is_below(other));
            }
            let found: Vec<_> = tree.iter().map(|(path, _)| String::from_utf8_lossy(path).into_owned()).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
