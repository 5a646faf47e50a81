//! The groups of a mount by their folders, which are constant.

use super::{AnyGroup, Relation, relation};

/// The groups of one folder, in the order of the tables.
#[derive(Debug)]
pub(super) struct Folder {
    path: &'static [u8],
    pub(super) groups: Box<[&'static dyn AnyGroup]>,
    /// Its position among the folders of the mount.
    pub(super) position: usize,
}

/// All folders of a mount, sorted.
#[derive(Debug)]
pub(super) struct Folders(Box<[Folder]>);

impl Folders {
    pub(super) fn new(groups: impl Iterator<Item = &'static dyn AnyGroup>) -> Self {
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(|group| group.under().as_bytes());
        let folders = groups.chunk_by(|one, next| one.under() == next.under()).enumerate();
        let folder = |(position, of): (usize, &[&'static dyn AnyGroup])| Folder {
            path: of[0].under().as_bytes(),
            groups: of.into(),
            position,
        };
        Self(folders.map(folder).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The folders equal to a path or above it, each with the rest of the path.
    pub(super) fn above<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = (&'a Folder, &'a [u8])> {
        prefixes(path).filter_map(move |(prefix, rest)| {
            let position = self.0.binary_search_by_key(&prefix, |folder| folder.path).ok()?;
            Some((&self.0[position], rest))
        })
    }

    /// The folders below a path, each with its path below it.
    pub(super) fn below<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = (&'a Folder, &'a [u8])> {
        let first = self.0.partition_point(|folder| folder.path.is_empty() || is_before(folder.path, path));
        self.0[first..].iter().map_while(move |folder| match relation(path, folder.path) {
            Relation::Above(rest) => Some((folder, rest)),
            Relation::Below(_) | Relation::Apart => None,
        })
    }
}

/// The empty path, every directory above a path and the path itself, each with the rest of the path.
pub(super) fn prefixes(path: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let slashes = memchr::memchr_iter(b'/', path).map(|slash| (&path[..slash], &path[slash + 1..]));
    let whole = (!path.is_empty()).then_some((path, &[][..]));
    std::iter::once((&[][..], path)).chain(slashes).chain(whole)
}

/// Whether a path sorts before every path that begins with `folder/`.
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
