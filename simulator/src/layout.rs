//! Which files a host has. A table of [`Group`]s for each mount, and the search in it.
//!
//! Nothing is kept: whether a path exists is answered out of the table and the host's truth at the moment of asking, so
//! that devices may come and go with time, and a host of ten thousand files costs no memory.

use std::collections::BTreeMap;

use collectors::kit::errno::Errno;
use collectors::kit::root::Kind;

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

/// Visits every entry: its path, what it is and the number of its thing.
pub(crate) fn visit(
    groups: &[&'static [Group]],
    moment: &Moment<'_>,
    mut visit: impl FnMut(&[u8], &'static What, usize),
) {
    let mut path = Vec::new();
    for group in groups.iter().copied().flatten() {
        (group.each)(moment, &mut |index, thing| {
            for (name, what) in group.entries {
                path.clear();
                for part in [group.under.as_bytes(), thing, name.as_bytes()] {
                    if !path.is_empty() && !part.is_empty() {
                        path.push(b'/');
                    }
                    path.extend_from_slice(part);
                }
                visit(&path, what, index);
            }
        });
    }
}

/// Looks for a path without links.
pub(crate) fn find(groups: &[&'static [Group]], moment: &Moment<'_>, path: &[u8]) -> Option<Found> {
    let mut found = None;
    meet(groups, moment, path, &mut |meeting| match meeting {
        Meeting::Is(what, index) => found = Some(Found::Entry(what, index)),
        Meeting::Above(..) => found = found.or(Some(Found::Folder)),
    });
    if path.is_empty() { found.or(Some(Found::Folder)) } else { found }
}

/// The entries right below a directory.
pub(crate) fn list(groups: &[&'static [Group]], moment: &Moment<'_>, path: &[u8]) -> BTreeMap<Vec<u8>, Kind> {
    let mut names = BTreeMap::new();
    meet(groups, moment, path, &mut |meeting| {
        if let Meeting::Above(rest, kind) = meeting {
            let end = rest.iter().position(|&byte| byte == b'/');
            let (name, kind) = end.map_or((rest, kind), |end| (&rest[..end], Kind::Directory));
            names.insert(name.to_vec(), kind);
        }
    });
    names
}

/// How an entry stands to the path in question.
enum Meeting<'a> {
    /// It is there.
    Is(&'static What, usize),
    /// It is below: by so much of a path, and then it is this, or more follows.
    Above(&'a [u8], Kind),
}

fn meet(groups: &[&'static [Group]], moment: &Moment<'_>, path: &[u8], met: &mut dyn FnMut(Meeting<'_>)) {
    for group in groups.iter().copied().flatten() {
        let rest = match relation(path, group.under.as_bytes()) {
            Relation::Below(rest) => rest,
            // A folder exists for what is in it.
            Relation::Above(rest) => {
                let mut is_empty = true;
                (group.each)(moment, &mut |_, _| is_empty = false);
                if !is_empty {
                    met(Meeting::Above(rest, Kind::Directory));
                }
                continue;
            }
            Relation::Apart => continue,
        };
        (group.each)(moment, &mut |index, thing| match relation(rest, thing) {
            Relation::Below(rest) => meet_entries(group, index, rest, met),
            Relation::Above(rest) => met(Meeting::Above(rest, group.kind())),
            Relation::Apart => {}
        });
    }
}

fn meet_entries(group: &'static Group, index: usize, path: &[u8], met: &mut dyn FnMut(Meeting<'_>)) {
    for (name, what) in group.entries {
        match relation(path, name.as_bytes()) {
            Relation::Below(b"") => met(Meeting::Is(what, index)),
            Relation::Above(rest) => met(Meeting::Above(rest, what.kind())),
            Relation::Below(_) | Relation::Apart => {}
        }
    }
}

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

    static GROUPS: [Group; 4] = [
        Group {
            under: "a/b",
            each: |_, visit| {
                ["x/one", "x/two", "y"].iter().enumerate().for_each(|(index, name)| visit(index, name.as_bytes()));
            },
            entries: &[
                ("c", What::File(|_, index, into| put!(into, "{index}"))),
                ("d/e", What::Link(|_, _, into| put!(into, "c"))),
            ],
        },
        Group { under: "", each: once, entries: &[("a/f", What::Directory)] },
        Group { under: "a", each: |_, visit| visit(7, b"h"), entries: &[("", What::File(|_, _, _| {}))] },
        Group { under: "a/nothing", each: |_, _| {}, entries: &[("g", What::Directory)] },
    ];

    fn with_moment<T>(ask: impl FnOnce(&[&'static [Group]], &Moment<'_>) -> T) -> T {
        ask(&[&GROUPS], &Moment::new(&Machine::vm(1), Duration::ZERO))
    }

    #[track_caller]
    fn check_listing(path: &str, expected: &[(&str, Kind)]) {
        let names = with_moment(|groups, moment| list(groups, moment, path.as_bytes()));
        let expected = expected.iter().map(|&(name, kind)| (name.as_bytes().to_vec(), kind));
        assert_eq!(names, expected.collect(), "{path}");
    }

    #[track_caller]
    fn check_kind(path: &str, expected: Option<Kind>) {
        let found = with_moment(|groups, moment| find(groups, moment, path.as_bytes()).map(Found::kind));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn every_folder_lists_what_is_in_it() {
        check_listing("", &[("a", Kind::Directory)]);
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
        with_moment(|groups, moment| visit(groups, moment, |path, _, index| seen.push((path.to_vec(), index))));
        let expected = [
            ("a/b/x/one/c", 0),
            ("a/b/x/one/d/e", 0),
            ("a/b/x/two/c", 1),
            ("a/b/x/two/d/e", 1),
            ("a/b/y/c", 2),
            ("a/b/y/d/e", 2),
            ("a/f", 0),
            ("a/h", 7),
        ];
        assert_eq!(seen, expected.map(|(path, index)| (path.as_bytes().to_vec(), index)));
    }
}
