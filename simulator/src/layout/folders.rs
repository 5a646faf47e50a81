//! The groups of a mount by the folders that they are in: the same for all hosts.

use super::{Group, Relation, relation};

/// The groups that are in one folder, in the order of the tables.
#[derive(Debug)]
pub(super) struct Folder {
    path: &'static [u8],
    pub(super) groups: Box<[&'static Group]>,
    /// Which one it is of its mount.
    pub(super) place: usize,
}

/// All folders of a mount, sorted.
#[derive(Debug)]
pub(super) struct Folders(Box<[Folder]>);

impl Folders {
    pub(super) fn new(groups: impl Iterator<Item = &'static Group>) -> Self {
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(|group| group.under.as_bytes());
        let folders = groups.chunk_by(|one, next| one.under == next.under).enumerate();
        Self(folders.map(|(place, of)| Folder { path: of[0].under.as_bytes(), groups: of.into(), place }).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The folders that a path is or is in, with the path below them.
    pub(super) fn above<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = (&'a Folder, &'a [u8])> {
        ends(path).filter_map(move |(folder, rest)| {
            let place = self.0.binary_search_by_key(&folder, |other| other.path).ok()?;
            Some((&self.0[place], rest))
        })
    }

    /// The folders that are below a path, with their paths below it.
    pub(super) fn below<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = (&'a Folder, &'a [u8])> {
        let first = self.0.partition_point(|folder| folder.path.is_empty() || is_before(folder.path, path));
        self.0[first..].iter().map_while(move |folder| match relation(path, folder.path) {
            Relation::Above(rest) => Some((folder, rest)),
            Relation::Below(_) | Relation::Apart => None,
        })
    }
}

/// A path cut into what it is in and what is left: before it, at each slash, and behind it.
pub(super) fn ends(path: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let slashes = memchr::memchr_iter(b'/', path).map(|slash| (&path[..slash], &path[slash + 1..]));
    let whole = (!path.is_empty()).then_some((path, &[][..]));
    std::iter::once((&[][..], path)).chain(slashes).chain(whole)
}

/// Whether a path comes before all that begin with `folder/`.
pub(super) fn is_before(path: &[u8], folder: &[u8]) -> bool {
    if folder.is_empty() {
        return false;
    }
    let common = path.len().min(folder.len());
    match path[..common].cmp(&folder[..common]) {
        std::cmp::Ordering::Equal => path.get(folder.len()).is_none_or(|&next| next < b'/'),
        order => order.is_lt(),
    }
}
