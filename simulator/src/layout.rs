//! The files of a host: a table of [`Group`]s for each mount, and the search in the tables.
//!
//! No content is stored. A path is looked up in the tables, and its content is rendered from the machine and the moment
//! of the read, so that a host with tens of thousands of files costs little memory. The folder of a group is constant
//! (`Folders`). The parts that a group has files for depend on the machine alone; their paths are sorted once per
//! machine (`Catalogue`), so that one of thousands is found by binary search.
//!
//! A group is typed by its parts, and its functions take a part, never a position. A function of another part does not
//! compile:
//!
//! ```compile_fail,E0308
//! use simulator::layout::{Content, Group, Machine, Moment, Part, each};
//!
//! struct Cache;
//! struct Partition;
//! impl Part for Cache {
//!     type Of<'a> = &'a Cache;
//! }
//!
//! fn start(_: &Partition, _: &Moment<'_>, into: &mut Vec<u8>) {
//!     into.push(b'0');
//! }
//!
//! static CACHES: Group<Cache> = Group {
//!     under: "devices/system/cpu",
//!     parts: |_| each(&[Cache]),
//!     path: |_, _| "index0".into(),
//!     entries: &[("start", Content::File(start))],
//! };
//! ```
//!
//! With a function of a cache, the example above compiles:
//!
//! ```
//! use simulator::layout::{Content, Group, Machine, Moment, Part, each};
//!
//! struct Cache;
//! impl Part for Cache {
//!     type Of<'a> = &'a Cache;
//! }
//!
//! fn level(_: &Cache, _: &Moment<'_>, into: &mut Vec<u8>) {
//!     into.push(b'1');
//! }
//!
//! static CACHES: Group<Cache> = Group {
//!     under: "devices/system/cpu",
//!     parts: |_| each(&[Cache]),
//!     path: |_, _| "index0".into(),
//!     entries: &[("level", Content::File(level))],
//! };
//! # let _ = &CACHES;
//! ```

mod folders;
mod group;
mod index;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use collectors::host::root::{Kind, Mount};

use folders::Folders;
pub(crate) use group::{AnyGroup, File, Table, each_with};
pub use group::{Content, ContentOf, Group, Part, Parts, TryWrite, Write, each};
pub(crate) use index::Catalogue;

#[doc(hidden)]
pub use crate::machine::Machine;
#[doc(hidden)]
pub use crate::moment::Moment;

/// The result of a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// A file, link or directory of a table.
    File(File),
    /// A directory that is implied by the paths below it.
    Folder,
}

impl Found {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::File(file) => file.kind(),
            Self::Folder => Kind::Directory,
        }
    }
}

/// The tables of one mount.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) mount: Mount,
    sources: &'static [Table],
    folders: OnceLock<Folders>,
}

impl Tables {
    pub(crate) const fn new(mount: Mount, tables: &'static [Table]) -> Self {
        Self { mount, sources: tables, folders: OnceLock::new() }
    }

    fn groups(&self) -> impl Iterator<Item = &'static dyn AnyGroup> {
        self.sources.iter().copied().flatten().copied()
    }

    fn folders(&self) -> &Folders {
        self.folders.get_or_init(|| Folders::new(self.groups()))
    }

    /// Visits every file: its path, which begins with the name of the mount, its kind, the time of its last change in
    /// seconds since 1970, and a function that renders it.
    pub(crate) fn visit(&self, moment: &Moment<'_>, mut visit: impl FnMut(&[u8], Kind, u64, Rendering<'_>)) {
        let mut path = Vec::new();
        for group in self.groups() {
            path.clear();
            path.extend_from_slice(self.mount.name().as_bytes());
            descend(&mut path, group.under().as_bytes());
            let under = path.len();
            group.visit(moment, &mut |part, name, file, render| {
                path.truncate(under);
                descend(&mut path, part.as_bytes());
                descend(&mut path, name.as_bytes());
                visit(&path, file.kind(), file.modified_seconds(moment), render);
            });
        }
    }

    /// Looks up a path that contains no links.
    pub(crate) fn find(&self, catalogue: &Catalogue, machine: &Machine, path: &[u8]) -> Option<Found> {
        let mut found = path.is_empty().then_some(Found::Folder);
        // The first match decides: a path with anything below it is a directory.
        _ = self.matches(catalogue, machine, path, &mut |matched| {
            found = Some(match matched {
                Match::Exact(file) => Found::File(file),
                Match::Below(..) => Found::Folder,
            });
            ControlFlow::Break(())
        });
        found
    }

    /// Lists a directory.
    pub(crate) fn list(&self, catalogue: &Catalogue, machine: &Machine, path: &[u8]) -> BTreeMap<Vec<u8>, Kind> {
        let mut names = BTreeMap::new();
        _ = self.matches(catalogue, machine, path, &mut |matched| {
            if let Match::Below(rest, kind) = matched {
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

    /// Visits every file at a path or below it.
    fn matches(&self, catalogue: &Catalogue, machine: &Machine, path: &[u8], visit: Visit<'_>) -> ControlFlow<()> {
        let index = |folder| catalogue.index(self, folder, machine);
        for (folder, rest) in self.folders().above(path) {
            index(folder).matches(folder, rest, visit)?;
        }
        for (folder, rest) in self.folders().below(path) {
            // A folder without parts does not exist.
            if !index(folder).is_empty() {
                visit(Match::Below(rest, Kind::Directory))?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Appends the content of a file, or the target of a link.
pub(crate) type Rendering<'a> = &'a dyn Fn(&mut Vec<u8>) -> Result<(), collectors::host::errno::Errno>;

type Visit<'a> = &'a mut dyn FnMut(Match<'_>) -> ControlFlow<()>;

fn descend(path: &mut Vec<u8>, part: &[u8]) {
    if !part.is_empty() {
        path.push(b'/');
        path.extend_from_slice(part);
    }
}

/// Where a file is, relative to the path of a lookup.
enum Match<'a> {
    /// At the path.
    Exact(File),
    /// Below the path: the rest of its path, and the kind of file at the end of the rest.
    Below(&'a [u8], Kind),
}

/// Compares the entries of a part with a path below that part.
fn match_entries(group: &'static dyn AnyGroup, position: usize, path: &[u8], visit: Visit<'_>) -> ControlFlow<()> {
    for number in 0..group.len() {
        let file = File::new(group, position, number);
        match relation(path, file.name().as_bytes()) {
            Relation::Below(b"") => visit(Match::Exact(file))?,
            Relation::Above(rest) => visit(Match::Below(rest, file.kind()))?,
            Relation::Below(_) | Relation::Apart => {}
        }
    }
    ControlFlow::Continue(())
}

/// How a path relates to another.
#[derive(Clone, Copy)]
enum Relation<'a> {
    /// Equal to the other or below it, by this rest.
    Below(&'a [u8]),
    /// Above the other, by this rest.
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
    use crate::past::State;
    use crate::text::put;
    use std::time::Duration;

    struct Named;
    impl Part for Named {
        type Of<'a> = &'static str;
    }

    struct Numbered;
    impl Part for Numbered {
        type Of<'a> = usize;
    }

    static GROUPS: Table = &[
        &Group::<Named> {
            under: "a/b",
            parts: |_| Box::new(["x/one", "x/two", "y"].into_iter()),
            path: |name, _| name.into(),
            entries: &[
                ("c", Content::File(|name, _, into| put!(into, "{}", name))),
                ("d/e", Content::Link(|_, _, into| put!(into, "c"))),
            ],
        },
        &Group::of_host("", &[("a/f", Content::Directory)]),
        &Group::<Numbered> {
            under: "a",
            parts: |_| Box::new(std::iter::once(7)),
            path: |_, _| "h".into(),
            entries: &[("", Content::File(|number, _, into| put!(into, "{}", number)))],
        },
        &Group::<Numbered> {
            under: "a/nothing",
            parts: |_| Box::new(std::iter::empty()),
            path: |_, _| "".into(),
            entries: &[("g", Content::Directory)],
        },
        // Many parts, for lookups of one of them.
        &Group::<Numbered> {
            under: "n",
            parts: |_| Box::new(0..MANY),
            path: |number, _| format!("k{}/t{number}", number % 10).into(),
            entries: &[("c", Content::Directory), ("d/e", Content::File(|number, _, into| put!(into, "{}", number)))],
        },
    ];

    const MANY: usize = 300;

    fn with_machine<T>(ask: impl FnOnce(&Tables, &Machine) -> T) -> T {
        static TABLES: Tables = Tables::new(Mount::Proc, &[GROUPS]);
        ask(&TABLES, &Machine::vm(1))
    }

    fn find(path: &str) -> Option<Found> {
        with_machine(|tables, machine| tables.find(&Catalogue::default(), machine, path.as_bytes()))
    }

    #[track_caller]
    fn check_listing(path: &str, expected: &[(&str, Kind)]) {
        let names = with_machine(|tables, machine| tables.list(&Catalogue::default(), machine, path.as_bytes()));
        let expected = expected.iter().map(|&(name, kind)| (name.as_bytes().to_vec(), kind));
        assert_eq!(names, expected.collect(), "{path}");
    }

    #[track_caller]
    fn check_kind(path: &str, expected: Option<Kind>) {
        assert_eq!(find(path).map(Found::kind), expected, "{path}");
    }

    #[track_caller]
    fn check_content(path: &str, expected: &str) {
        let Some(Found::File(file)) = find(path) else { panic!("{path} is not a file") };
        let mut content = Vec::new();
        let state = State::from(Machine::vm(1));
        file.render(&Moment::new(&state, Duration::ZERO), &mut content).unwrap();
        assert_eq!(String::from_utf8_lossy(&content), expected, "{path}");
    }

    #[test]
    fn lists_every_folder() {
        check_listing("", &[("a", Kind::Directory), ("n", Kind::Directory)]);
        check_listing("a", &[("b", Kind::Directory), ("f", Kind::Directory), ("h", Kind::File)]);
        check_listing("a/b", &[("x", Kind::Directory), ("y", Kind::Directory)]);
        check_listing("a/b/x", &[("one", Kind::Directory), ("two", Kind::Directory)]);
        check_listing("a/b/y", &[("c", Kind::File), ("d", Kind::Directory)]);
        check_listing("a/b/x/two/d", &[("e", Kind::Link)]);
        check_listing("a/f", &[]);
    }

    #[test]
    fn finds_only_paths_of_the_tables() {
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
    fn renders_each_file_for_its_part() {
        check_content("a/b/x/two/c", "x/two");
        check_content("a/b/y/c", "y");
        check_content("a/h", "7");
    }

    #[test]
    fn visits_every_entry_of_every_part() {
        let mut seen = Vec::new();
        let state = State::from(Machine::vm(1));
        with_machine(|tables, _| {
            tables.visit(&Moment::new(&state, Duration::ZERO), |path, kind, _, render| {
                let mut content = Vec::new();
                if kind != Kind::Directory {
                    render(&mut content).unwrap();
                }
                seen.push(
                    [String::from_utf8_lossy(path), String::from_utf8_lossy(&content)]
                        .map(std::borrow::Cow::into_owned),
                );
            });
        });
        seen.retain(|[path, _]| !path.starts_with("proc/n/"));
        let expected = [
            ["proc/a/b/x/one/c", "x/one"],
            ["proc/a/b/x/one/d/e", "c"],
            ["proc/a/b/x/two/c", "x/two"],
            ["proc/a/b/x/two/d/e", "c"],
            ["proc/a/b/y/c", "y"],
            ["proc/a/b/y/d/e", "c"],
            ["proc/a/f", ""],
            ["proc/a/h", "7"],
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn finds_one_of_many_by_its_name() {
        for number in 0..MANY {
            let path = format!("n/k{}/t{number}", number % 10);
            check_kind(&path, Some(Kind::Directory));
            check_listing(&path, &[("c", Kind::Directory), ("d", Kind::Directory)]);
            check_content(&format!("{path}/d/e"), &number.to_string());
        }
        let folders: Vec<String> = (0..10).map(|folder| format!("k{folder}")).collect();
        let folders: Vec<_> = folders.iter().map(|folder| (folder.as_str(), Kind::Directory)).collect();
        check_listing("n", &folders);
        check_kind("n/k3", Some(Kind::Directory));
        let in_one = with_machine(|tables, machine| tables.list(&Catalogue::default(), machine, b"n/k3"));
        assert_eq!(in_one.len(), MANY / 10);
        for missing in ["n/k", "n/k3/t", "n/k3/t4", "n/k3/t3/f", "n/k3/t3/c/g", "n/k33", "n/k3/t3 "] {
            check_kind(missing, None);
        }
    }
}
