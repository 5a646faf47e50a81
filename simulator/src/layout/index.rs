//! The names of a group's things in order, where there are many of them.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use collectors::kit::root::Mount;

use super::{Group, Meeting, Relation, Tables, meet_entries, relation};
use crate::moment::Moment;

/// Up to so many things are looked at one by one: a small host keeps no names.
const FEW: usize = 16;

/// What a machine remembers of its tables, each of them from the first question on. It is the same for every moment.
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
    /// The indices of the groups, in the order of the groups.
    pub(super) fn of(&self, tables: Tables) -> &[OnceLock<Index>] {
        let groups = || tables.groups.iter().copied().flatten();
        self.mounts[tables.mount as usize].get_or_init(|| groups().map(|_| OnceLock::new()).collect())
    }
}

/// Where the things of one group are.
#[derive(Debug)]
pub(super) enum Index {
    Few,
    /// Sorted by path.
    Many(Box<[Thing]>),
}

#[derive(Debug)]
pub(super) struct Thing {
    path: Box<[u8]>,
    number: usize,
}

type Met<'a> = &'a mut dyn FnMut(Meeting<'_>) -> ControlFlow<()>;

impl Index {
    pub(super) fn new(group: &Group, moment: &Moment<'_>) -> Self {
        let mut count = 0;
        (group.each)(moment, &mut |_, _| count += 1);
        if count <= FEW {
            return Self::Few;
        }
        let mut things = Vec::with_capacity(count);
        (group.each)(moment, &mut |number, path| things.push(Thing { path: path.into(), number }));
        things.sort_by(|a, b| a.path.cmp(&b.path));
        Self::Many(things.into())
    }

    pub(super) fn is_empty(&self, group: &Group, moment: &Moment<'_>) -> bool {
        let mut is_empty = true;
        if let Self::Few = self {
            (group.each)(moment, &mut |_, _| is_empty = false);
            return is_empty;
        }
        false
    }

    /// Tells how the group's entries stand to a path below its folder.
    pub(super) fn meet(
        &self,
        group: &'static Group,
        moment: &Moment<'_>,
        path: &[u8],
        met: Met<'_>,
    ) -> ControlFlow<()> {
        match self {
            Self::Few => {
                let mut flow = ControlFlow::Continue(());
                (group.each)(moment, &mut |number, thing| {
                    if flow.is_continue() {
                        flow = meet_thing(group, number, relation(path, thing), met);
                    }
                });
                flow
            }
            Self::Many(things) => meet_many(things, group, path, met),
        }
    }
}

fn meet_thing(group: &'static Group, number: usize, relation: Relation<'_>, met: Met<'_>) -> ControlFlow<()> {
    match relation {
        Relation::Below(rest) => meet_entries(group, number, rest, met),
        Relation::Above(rest) => met(Meeting::Above(rest, group.kind())),
        Relation::Apart => ControlFlow::Continue(()),
    }
}

fn meet_many(things: &[Thing], group: &'static Group, path: &[u8], met: Met<'_>) -> ControlFlow<()> {
    // The things that the path is below: each is the path up to one of its slashes, or all of it.
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let ends = std::iter::once(0).chain(slashes).chain((!path.is_empty()).then_some(path.len()));
    for end in ends {
        let (above, rest) = path.split_at(end);
        if let Ok(at) = things.binary_search_by(|thing| (*thing.path).cmp(above)) {
            let rest = if above.is_empty() { rest } else { rest.strip_prefix(b"/").unwrap_or(rest) };
            meet_thing(group, things[at].number, Relation::Below(rest), met)?;
        }
    }
    // Those that are below the path stand in a row.
    let first = things.partition_point(|thing| is_before_folder(&thing.path, path));
    for thing in &things[first..] {
        match relation(path, &thing.path) {
            Relation::Above(rest) => meet_thing(group, thing.number, Relation::Above(rest), met)?,
            // The empty path is above all others and equal to one.
            Relation::Below(_) if path.is_empty() => {}
            Relation::Below(_) | Relation::Apart => break,
        }
    }
    ControlFlow::Continue(())
}

/// Whether a name comes before all that begin with `folder/`.
fn is_before_folder(name: &[u8], folder: &[u8]) -> bool {
    if folder.is_empty() {
        return false;
    }
    let common = name.len().min(folder.len());
    match name[..common].cmp(&folder[..common]) {
        std::cmp::Ordering::Equal => name.get(folder.len()).is_none_or(|&next| next < b'/'),
        order => order.is_lt(),
    }
}
