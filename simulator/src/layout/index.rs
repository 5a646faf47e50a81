//! The paths of the parts of one machine, sorted for binary search.

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use collectors::host::root::Mount;

use super::folders::{Folder, is_before, prefixes};
use super::group::kind_of_parts;
use super::{Machine, Match, Relation, Tables, Visit, match_entries, relation};

/// The indices of one machine, each built by the first lookup in its folder.
#[derive(Default, Debug)]
pub(crate) struct Catalogue {
    mounts: [OnceLock<Box<[OnceLock<Index>]>>; Mount::ALL.len()],
}

impl Catalogue {
    pub(super) fn index(&self, tables: &Tables, folder: &Folder, machine: &Machine) -> &Index {
        let indices = || (0..tables.folders().len()).map(|_| OnceLock::new()).collect();
        let indices = self.mounts[tables.mount as usize].get_or_init(indices);
        indices[folder.position].get_or_init(|| Index::new(folder, machine))
    }
}

/// The parts of one folder.
#[derive(Debug)]
pub(super) struct Index {
    /// Sorted by path; equal paths in the order of the tables.
    parts: Box<[IndexedPart]>,
    /// All paths, concatenated.
    paths: Box<[u8]>,
}

/// A part by its group and its position among the group's parts, in 32 bits each: indices are most of the memory of a
/// host.
#[derive(Debug)]
struct IndexedPart {
    path: Range<u32>,
    group: u32,
    position: u32,
}

impl IndexedPart {
    fn path<'a>(&self, paths: &'a [u8]) -> &'a [u8] {
        &paths[self.path.start as usize..self.path.end as usize]
    }
}

fn short(number: usize) -> u32 {
    u32::try_from(number).expect("a host has fewer than 2^32 parts and bytes of paths")
}

impl Index {
    fn new(folder: &Folder, machine: &Machine) -> Self {
        let (mut parts, mut paths) = (Vec::new(), Vec::new());
        for (group, of) in (0..).zip(&folder.groups) {
            let mut position = 0;
            of.paths(machine, &mut |path| {
                let start = short(paths.len());
                paths.extend_from_slice(path.as_bytes());
                parts.push(IndexedPart { path: start..short(paths.len()), group, position });
                position += 1;
            });
        }
        parts.sort_by(|one, other| one.path(&paths).cmp(other.path(&paths)));
        Self { parts: parts.into(), paths: paths.into() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Visits the files of the folder that are at a path below it or below that path.
    pub(super) fn matches(&self, folder: &Folder, path: &[u8], visit: Visit<'_>) -> ControlFlow<()> {
        for (prefix, rest) in prefixes(path) {
            let first = self.parts.partition_point(|part| part.path(&self.paths) < prefix);
            for part in self.parts[first..].iter().take_while(|part| part.path(&self.paths) == prefix) {
                match_entries(folder.groups[part.group as usize], part.position as usize, rest, visit)?;
            }
        }
        // Parts below the path are adjacent.
        let first = self.parts.partition_point(|part| is_before(part.path(&self.paths), path));
        for part in &self.parts[first..] {
            match relation(path, part.path(&self.paths)) {
                Relation::Above(rest) => visit(Match::Below(rest, kind_of_parts(folder.groups[part.group as usize])))?,
                // The empty path is above all others and equal to one.
                Relation::Below(_) if path.is_empty() => {}
                Relation::Below(_) | Relation::Apart => break,
            }
        }
        ControlFlow::Continue(())
    }
}
