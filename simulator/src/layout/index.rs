//! The names of a host's things in order, so that a path is found without looking at all of them.

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use collectors::host::root::Mount;

use super::folders::{Folder, ends, is_before};
use super::{Meeting, Relation, Tables, meet_entries, relation};
use crate::moment::Moment;

/// What a machine remembers of its tables: of each folder from the first question on. It is the same for every moment.
#[derive(Default, Debug)]
pub(crate) struct Catalogue {
    mounts: [OnceLock<Box<[OnceLock<Index>]>>; Mount::ALL.len()],
}

/// A copy may be changed before it is asked, so it remembers nothing.
impl Clone for Catalogue {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Catalogue {
    pub(super) fn of(&self, tables: &Tables, folder: &Folder, moment: &Moment<'_>) -> &Index {
        let indices = || (0..tables.folders().len()).map(|_| OnceLock::new()).collect();
        let indices = self.mounts[tables.mount as usize].get_or_init(indices);
        indices[folder.place].get_or_init(|| Index::new(folder, moment))
    }
}

/// Where the things of one folder are.
#[derive(Debug)]
pub(super) struct Index {
    /// Sorted by path; those of one path in the order of the tables.
    things: Box<[Thing]>,
    /// All their paths, one behind the other.
    paths: Box<[u8]>,
}

#[derive(Debug)]
struct Thing {
    path: Range<u32>,
    group: u32,
    number: u32,
}

impl Thing {
    fn path<'a>(&self, paths: &'a [u8]) -> &'a [u8] {
        &paths[self.path.start as usize..self.path.end as usize]
    }
}

/// No host has four thousand million of anything.
fn short(number: usize) -> u32 {
    u32::try_from(number).expect("a number of things that fit into memory")
}

type Met<'a> = &'a mut dyn FnMut(Meeting<'_>) -> ControlFlow<()>;

impl Index {
    fn new(folder: &Folder, moment: &Moment<'_>) -> Self {
        let (mut things, mut paths) = (Vec::new(), Vec::new());
        for (group, of) in folder.groups.iter().enumerate() {
            (of.each)(moment, &mut |number, path| {
                let start = short(paths.len());
                paths.extend_from_slice(path);
                things.push(Thing { path: start..short(paths.len()), group: short(group), number: short(number) });
            });
        }
        things.sort_by(|one, other| one.path(&paths).cmp(other.path(&paths)));
        Self { things: things.into(), paths: paths.into() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// Tells how the folder's entries stand to a path below it.
    pub(super) fn meet(&self, folder: &Folder, path: &[u8], met: Met<'_>) -> ControlFlow<()> {
        for (above, rest) in ends(path) {
            let first = self.things.partition_point(|thing| thing.path(&self.paths) < above);
            for thing in self.things[first..].iter().take_while(|thing| thing.path(&self.paths) == above) {
                meet_entries(folder.groups[thing.group as usize], thing.number as usize, rest, met)?;
            }
        }
        // Those that are below the path stand in a row.
        let first = self.things.partition_point(|thing| is_before(thing.path(&self.paths), path));
        for thing in &self.things[first..] {
            match relation(path, thing.path(&self.paths)) {
                Relation::Above(rest) => met(Meeting::Above(rest, folder.groups[thing.group as usize].kind()))?,
                // The empty path is above all others and equal to one.
                Relation::Below(_) if path.is_empty() => {}
                Relation::Below(_) | Relation::Apart => break,
            }
        }
        ControlFlow::Continue(())
    }
}
