//! Which files a host has. A table of [`Group`]s for each mount, and the search in it.
//!
//! No file is kept: what a path holds is answered out of the table and the host's truth at the moment of asking, so a
//! host of ten thousand files costs little memory. The groups that a path can be in are found by their folders
//! ([`Folders`]), the same for all hosts. Which things a group has files for is part of what the machine is made of:
//! the names of those in a folder are kept in order ([`Catalogue`]) from the first question on.

mod folders;
mod index;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use collectors::host::errno::Errno;
use collectors::host::root::{Kind, Mount};

use folders::Folders;
pub(crate) use index::Catalogue;

use crate::moment::Moment;

/// Visits the things that a group has files for: the number of each, and its path below the group's folder.
pub(crate) type Each = fn(&Moment<'_>, &mut dyn FnMut(usize, &[u8]));

/// Appends the content of a file, or the target of a link, for the thing of that number.
pub(crate) type Write = fn(&Moment<'_>, usize, &mut Vec<u8>);

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum What {
    /// A file.
    File(Write),
    /// A file that is not always readable.
    Fallible(fn(&Moment<'_>, usize, &mut Vec<u8>) -> Result<(), Errno>),
    /// A file whose time of writing counts, in seconds since 1970.
    Dated(Write, fn(&Moment<'_>) -> u64),
    /// A symbolic link.
    Link(Write),
    /// A directory that may be empty.
    Directory,
}

impl What {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::File(_) | Self::Fallible(_) | Self::Dated(..) => Kind::File,
            Self::Link(_) => Kind::Link,
            Self::Directory => Kind::Directory,
        }
    }

    /// Appends the content of a file.
    pub(crate) fn content(&self, moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
        match self {
            Self::File(write) | Self::Dated(write, _) => write(moment, index, into),
            Self::Fallible(write) => write(moment, index, into)?,
            Self::Link(_) => return Err(Errno::EINVAL),
            Self::Directory => return Err(Errno::EISDIR),
        }
        Ok(())
    }

    pub(crate) fn modified_seconds(&self, moment: &Moment<'_>) -> u64 {
        if let Self::Dated(_, modified) = self { modified(moment) } else { 0 }
    }
}

/// Files of the same names for each of several things: one for each CPU, disk, network device.
#[derive(Debug)]
pub(crate) struct Group {
    /// The folder below which the things stand; empty for the mount itself.
    pub(crate) under: &'static str,
    pub(crate) each: Each,
    /// Paths below the folder of a thing; a single empty one, if the thing itself is the file.
    pub(crate) entries: &'static [(&'static str, What)],
}

impl Group {
    /// What a thing itself is: a folder, unless its only entry has no path of its own.
    fn kind(&self) -> Kind {
        if let [("", what)] = self.entries { what.kind() } else { Kind::Directory }
    }
}

/// The group is about the host as a whole.
pub(crate) fn once(_: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    visit(0, b"");
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// What a table says, for the thing of that number.
    Entry(&'static What, usize),
    /// A folder on the way to others.
    Folder,
}

impl Found {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Entry(what, _) => what.kind(),
            Self::Folder => Kind::Directory,
        }
    }
}

/// The tables of one mount.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) mount: Mount,
    groups: &'static [&'static [Group]],
    folders: OnceLock<Folders>,
}

impl Tables {
    pub(crate) const fn new(mount: Mount, groups: &'static [&'static [Group]]) -> Self {
        Self { mount, groups, folders: OnceLock::new() }
    }

    fn groups(&self) -> impl Iterator<Item = &'static Group> {
        self.groups.iter().copied().flatten()
    }

    fn folders(&self) -> &Folders {
        self.folders.get_or_init(|| Folders::new(self.groups()))
    }

    /// Visits every entry: its path with the mount's name, what it is and the number of its thing.
    pub(crate) fn visit(&self, moment: &Moment<'_>, mut visit: impl FnMut(&[u8], &'static What, usize)) {
        let mut path = Vec::new();
        for group in self.groups() {
            (group.each)(moment, &mut |index, thing| {
                path.clear();
                path.extend_from_slice(self.mount.name().as_bytes());
                descend(&mut path, group.under.as_bytes());
                descend(&mut path, thing);
                let length = path.len();
                for (name, what) in group.entries {
                    path.truncate(length);
                    descend(&mut path, name.as_bytes());
                    visit(&path, what, index);
                }
            });
        }
    }

    /// Looks for a path without links.
    pub(crate) fn find(&self, moment: &Moment<'_>, path: &[u8]) -> Option<Found> {
        let mut found = path.is_empty().then_some(Found::Folder);
        // That something is below says enough; what else is below changes nothing.
        _ = self.meet(moment, path, &mut |meeting| {
            found = Some(match meeting {
                Meeting::Is(what, index) => Found::Entry(what, index),
                Meeting::Above(..) => Found::Folder,
            });
            ControlFlow::Break(())
        });
        found
    }

    /// The entries right below a directory.
    pub(crate) fn list(&self, moment: &Moment<'_>, path: &[u8]) -> BTreeMap<Vec<u8>, Kind> {
        let mut names = BTreeMap::new();
        _ = self.meet(moment, path, &mut |meeting| {
            if let Meeting::Above(rest, kind) = meeting {
                let end = memchr::memchr(b'/', rest);
                let (name, kind) = end.map_or((rest, kind), |end| (&rest[..end], Kind::Directory));
                if !names.contains_key(name) {
                    names.insert(name.to_vec(), kind);
                }
            }
            ControlFlow::Continue(())
        });
        names
    }

    /// Tells how every entry stands to the path, those that are apart from it left out.
    fn meet(
        &self,
        moment: &Moment<'_>,
        path: &[u8],
        met: &mut dyn FnMut(Meeting<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let things = |folder| moment.machine.catalogue.of(self, folder, moment);
        for (folder, rest) in self.folders().above(path) {
            things(folder).meet(folder, rest, met)?;
        }
        for (folder, rest) in self.folders().below(path) {
            // A folder exists for what is in it.
            if !things(folder).is_empty() {
                met(Meeting::Above(rest, Kind::Directory))?;
            }
        }
        ControlFlow::Continue(())
    }
}

fn descend(path: &mut Vec<u8>, part: &[u8]) {
    if !part.is_empty() {
        path.push(b'/');
        path.extend_from_slice(part);
    }
}

/// How an entry stands to the path in question.
enum Meeting<'a> {
    /// It is there.
    Is(&'static What, usize),
    /// It is below: by so much of a path, and then it is this, or more follows.
    Above(&'a [u8], Kind),
}

fn meet_entries(
    group: &'static Group,
    index: usize,
    path: &[u8],
    met: &mut dyn FnMut(Meeting<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for (name, what) in group.entries {
        match relation(path, name.as_bytes()) {
            Relation::Below(b"") => met(Meeting::Is(what, index))?,
            Relation::Above(rest) => met(Meeting::Above(rest, what.kind()))?,
            Relation::Below(_) | Relation::Apart => {}
        }
    }
    ControlFlow::Continue(())
}

#[derive(Clone, Copy)]
enum Relation<'a> {
    /// The path is the other or below it, by this.
    Below(&'a [u8]),
    /// The other is below the path, by this.
    Above(&'a [u8]),
    Apart,
}

fn relation<'a>(path: &'a [u8], other: &'a [u8]) -> Relation<'a> {
    fn below<'a>(path: &'a [u8], above: &[u8]) -> Option<&'a [u8]> {
        let rest = path.strip_prefix(above)?;
        if above.is_empty() || rest.is_empty() { Some(rest) } else { rest.strip_prefix(b"/") }
    }
    below(path, other).map_or_else(|| below(other, path).map_or(Relation::Apart, Relation::Above), Relation::Below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::text::put;
    use std::time::Duration;

    static GROUPS: [Group; 5] = [
        Group {
            under: "a/b",
            each: |_, visit| {
                ["x/one", "x/two", "y"].iter().enumerate().for_each(|(index, name)| visit(index, name.as_bytes()));
            },
            entries: &[
                ("c", What::File(|_, index, into| put!(into, "{}", index))),
                ("d/e", What::Link(|_, _, into| put!(into, "c"))),
            ],
        },
        Group { under: "", each: once, entries: &[("a/f", What::Directory)] },
        Group { under: "a", each: |_, visit| visit(7, b"h"), entries: &[("", What::File(|_, _, _| {}))] },
        Group { under: "a/nothing", each: |_, _| {}, entries: &[("g", What::Directory)] },
        // Many, of which one is searched for.
        Group { under: "n", each: each_of_many, entries: &[("c", What::Directory), ("d/e", What::Directory)] },
    ];

    const MANY: usize = 300;

    fn each_of_many(_: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
        (0..MANY).for_each(|number| visit(number, format!("k{}/t{number}", number % 10).as_bytes()));
    }

    fn with_moment<T>(ask: impl FnOnce(&Tables, &Moment<'_>) -> T) -> T {
        static TABLES: Tables = Tables::new(Mount::Proc, &[&GROUPS]);
        ask(&TABLES, &Moment::new(&Machine::vm(1), Duration::ZERO))
    }

    #[track_caller]
    fn check_listing(path: &str, expected: &[(&str, Kind)]) {
        let names = with_moment(|tables, moment| tables.list(moment, path.as_bytes()));
        let expected = expected.iter().map(|&(name, kind)| (name.as_bytes().to_vec(), kind));
        assert_eq!(names, expected.collect(), "{path}");
    }

    #[track_caller]
    fn check_kind(path: &str, expected: Option<Kind>) {
        let found = with_moment(|tables, moment| tables.find(moment, path.as_bytes()).map(Found::kind));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn every_folder_lists_what_is_in_it() {
        check_listing("", &[("a", Kind::Directory), ("n", Kind::Directory)]);
        check_listing("a", &[("b", Kind::Directory), ("f", Kind::Directory), ("h", Kind::File)]);
        check_listing("a/b", &[("x", Kind::Directory), ("y", Kind::Directory)]);
        check_listing("a/b/x", &[("one", Kind::Directory), ("two", Kind::Directory)]);
        check_listing("a/b/y", &[("c", Kind::File), ("d", Kind::Directory)]);
        check_listing("a/b/x/two/d", &[("e", Kind::Link)]);
        check_listing("a/f", &[]);
    }

    #[test]
    fn only_what_the_tables_say_exists() {
        for folder in ["", "a", "a/b", "a/b/x", "a/b/x/one", "a/b/y/d", "a/f"] {
            check_kind(folder, Some(Kind::Directory));
        }
        check_kind("a/b/y/c", Some(Kind::File));
        check_kind("a/h", Some(Kind::File));
        check_kind("a/b/x/one/d/e", Some(Kind::Link));
        for missing in
            ["b", "a/b/x/on", "a/h/i", "a/b/x/one1", "a/b/z/c", "a/b/y/c/d", "a/nothing", "a/b/y/d/e/f", "a/bb"]
        {
            check_kind(missing, None);
        }
    }

    #[test]
    fn a_visit_meets_every_entry_of_every_thing() {
        let mut seen = Vec::new();
        with_moment(|tables, moment| tables.visit(moment, |path, _, index| seen.push((path.to_vec(), index))));
        seen.retain(|(path, _)| !path.starts_with(b"proc/n/"));
        let expected = [
            ("proc/a/b/x/one/c", 0),
            ("proc/a/b/x/one/d/e", 0),
            ("proc/a/b/x/two/c", 1),
            ("proc/a/b/x/two/d/e", 1),
            ("proc/a/b/y/c", 2),
            ("proc/a/b/y/d/e", 2),
            ("proc/a/f", 0),
            ("proc/a/h", 7),
        ];
        assert_eq!(seen, expected.map(|(path, index)| (path.as_bytes().to_vec(), index)));
    }

    #[test]
    fn one_of_many_is_found_by_its_name() {
        for number in 0..MANY {
            let path = format!("n/k{}/t{number}", number % 10);
            check_kind(&path, Some(Kind::Directory));
            check_listing(&path, &[("c", Kind::Directory), ("d", Kind::Directory)]);
            let path = format!("{path}/d/e");
            let found = with_moment(|tables, moment| tables.find(moment, path.as_bytes()));
            assert!(matches!(found, Some(Found::Entry(What::Directory, index)) if index == number), "{path}");
        }
        let folders: Vec<String> = (0..10).map(|folder| format!("k{folder}")).collect();
        let folders: Vec<_> = folders.iter().map(|folder| (folder.as_str(), Kind::Directory)).collect();
        check_listing("n", &folders);
        check_kind("n/k3", Some(Kind::Directory));
        let in_one = with_moment(|tables, moment| tables.list(moment, b"n/k3"));
        assert_eq!(in_one.len(), MANY / 10);
        for missing in ["n/k", "n/k3/t", "n/k3/t4", "n/k3/t3/f", "n/k3/t3/c/g", "n/k33", "n/k3/t3 "] {
            check_kind(missing, None);
        }
    }
}
