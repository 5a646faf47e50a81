//! A new collector with all that belongs to it: its file with a failing test, its fixture, its generator, and its place
//! in every list. All of it compiles, and the tests fail in exactly the places to fill.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use collectors::ALL;
use collectors::host::root::Mount;
use collectors::kit::nearest;
use simulator::{Machine, embedded};

/// Stands wherever something is to be filled in; the tidy test lists the places.
pub const MARK: &str = concat!("FILL", " IN");
/// The host that gets the files.
const FIXTURE: &str = "fixtures/hosts/laptop.tree";
/// The list of all collectors.
const LIST: &str = "collectors/src/lib.rs";

const COLLECTOR: &str = include_str!("scaffold/collector.txt");
const GENERATOR: &str = include_str!("scaffold/generator.txt");

/// Words that are no names of modules.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum", "extern",
    "false", "final", "fn", "for", "gen", "if", "impl", "in", "kit", "let", "lib", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "unsafe", "use", "virtual", "where", "while", "yield", "abstract", "become", "typeof", "unsized",
];

/// What is to be made.
#[derive(Debug)]
pub struct Plan {
    name: String,
    reads: Vec<Read>,
}

#[derive(Debug)]
struct Read {
    mount: Mount,
    /// Its path below the mount.
    path: String,
    /// A word for it: the name of its function, and in capitals of its constant.
    word: String,
}

/// A file that is made or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its path in the workspace.
    pub path: String,
    /// What it is to hold.
    pub content: String,
}

impl Plan {
    /// A collector of this name that reads these files: `proc/foo`, `sys/class/foo/bar`.
    pub fn new(name: &str, reads: &[&str]) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(is_plain) {
            return Err(format!("`{name}`: a collector's name is lower-case letters, digits and `_`, a letter first"));
        }
        if KEYWORDS.contains(&name) {
            return Err(format!("`{name}` is a word of Rust or of the workspace; call the collector otherwise"));
        }
        if ALL.iter().any(|registration| registration.declaration.name == name) {
            return Err(format!("there is a collector `{name}` already: collectors/src/{name}.rs"));
        }
        if reads.is_empty() {
            return Err("--reads names a file that it reads, such as proc/foo".to_owned());
        }
        let mut plan = Self { name: name.to_owned(), reads: Vec::new() };
        for read in reads {
            let read = plan.read(read)?;
            plan.reads.push(read);
        }
        Ok(plan)
    }

    fn read(&self, text: &str) -> Result<Read, String> {
        let path = text.trim_start_matches('/');
        let (folder, below) = path.split_once('/').unwrap_or((path, ""));
        let mounts = [Mount::Proc, Mount::Sys];
        let mount = mounts.into_iter().find(|mount| mount.name() == folder).ok_or_else(|| {
            let near = nearest::among(folder, mounts.iter().map(|mount| mount.name()));
            let near = near.map(|near| format!(" (did you mean {near}/{below}?)")).unwrap_or_default();
            format!("`{text}`: expected a file below proc/ or sys/{near}")
        })?;
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_name);
        if !below.split('/').all(is_plain) {
            return Err(format!("`{text}`: expected a path of plain names; several things by `*` come later, by hand"));
        }
        if mount != self.reads.first().map_or(mount, |first| first.mount) {
            return Err(format!("`{text}`: begin with the files of one mount, and add those of the other by hand"));
        }
        let leaf = below.rsplit('/').next().unwrap_or(below);
        let word: String =
            leaf.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        let word = if word.starts_with(|first: char| first.is_ascii_digit()) || KEYWORDS.contains(&word.as_str()) {
            format!("of_{word}")
        } else {
            word
        };
        if self.reads.iter().any(|read| read.word == word) {
            return Err(format!("`{text}`: two files are called `{leaf}`; begin with one of them"));
        }
        Ok(Read { mount, path: below.to_owned(), word })
    }

    /// Every file that is made or changed; `current` reads those that are there.
    pub fn changes(&self, current: impl Fn(&str) -> io::Result<String>) -> Result<Vec<Change>, String> {
        let name = &self.name;
        let read = |path: &str| current(path).map_err(|error| error.to_string());
        let mut changes = Vec::new();
        let mut new = |path: String, content: String| {
            if current(&path).is_ok() {
                return Err(format!("{path} is there already"));
            }
            changes.push(Change { path, content });
            Ok(())
        };
        new(format!("collectors/src/{name}.rs"), self.collector())?;
        let mount = self.mount().name();
        let without: Vec<&Read> = self.reads.iter().filter(|read| !is_simulated(read)).collect();
        if !without.is_empty() {
            new(format!("simulator/src/{mount}/{name}.rs"), generator(&without))?;
        }
        let list = read(LIST)?;
        let list = inserted(&list, "pub mod ", &format!("pub mod {name};"))?;
        let registration = format!("    Registration::of::<{name}::{}>(),", self.type_name());
        changes.push(Change {
            path: LIST.to_owned(),
            content: inserted(&list, "    Registration::of::<", &registration)?,
        });
        if !without.is_empty() {
            let path = format!("simulator/src/{mount}.rs");
            let table = inserted(&read(&path)?, "mod ", &format!("mod {name};"))?;
            let content = inserted(&table, "    &", &format!("    &{name}::GROUPS,"))?;
            changes.push(Change { path, content });
        }
        let fixture = read(FIXTURE)?;
        let entries: Vec<String> = self.reads.iter().map(|read| format!("== {mount}/{}", read.path)).collect();
        let missing =
            entries.iter().filter(|entry| !fixture.lines().any(|line| line.split(" -> ").next() == Some(entry)));
        let mut filled = fixture.clone();
        for entry in missing {
            filled = inserted(&filled, "== ", &format!("{entry}\n{MARK}: what the kernel writes there"))?;
        }
        if filled != fixture {
            changes.push(Change { path: FIXTURE.to_owned(), content: filled });
        }
        Ok(changes)
    }

    fn mount(&self) -> Mount {
        self.reads.first().map_or(Mount::Proc, |read| read.mount)
    }

    /// `kernel_hung` is `KernelHung`.
    fn type_name(&self) -> String {
        let word = |word: &str| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        };
        self.name.split('_').map(word).collect()
    }

    fn collector(&self) -> String {
        let mount = format!("{:?}", self.mount());
        let [mut reads, mut families, mut collects, mut entries] = [const { String::new() }; 4];
        for Read { path, word, .. } in &self.reads {
            let constant = word.to_ascii_uppercase();
            let family = if *word == self.name { format!("node_{word}") } else { format!("node_{}_{word}", self.name) };
            let _ = writeln!(reads, "        {constant}: File {mount} \"{path}\";");
            let _ = writeln!(families, "        {constant}_VALUE: Gauge \"{family}\" [] \"What {path} says.\";");
            let _ = write!(
                collects,
                "        if let Some(text) = cx.problems.value(cx.files.read({constant}, []))\n            \
                 && let Some(value) = cx.problems.value(text.number::<u64>(\"{word}\"))\n        {{\n            \
                 cx.page.gauge({constant}_VALUE, [], value);\n        }}\n"
            );
            let _ = write!(entries, "== {}/{path}\\n\\n", self.mount().name());
        }
        filled(
            COLLECTOR,
            &[
                ("type", &self.type_name()),
                ("name", &self.name),
                ("mount", &mount),
                ("reads", &reads),
                ("families", &families),
                ("collects", &collects),
                ("entries", &entries),
            ],
        )
    }
}

/// Names that files below /proc and /sys may have here.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

/// Whether simulated hosts have the file already.
fn is_simulated(read: &Read) -> bool {
    let host = embedded(Machine::vm(1), || Duration::from_secs(1_700_000_000));
    host.roots().get(read.mount).metadata(read.path.as_bytes()).is_ok()
}

fn generator(reads: &[&Read]) -> String {
    let (mut paths, mut groups, mut functions) = (Vec::new(), Vec::new(), String::new());
    for Read { mount, path, word } in reads {
        let (under, leaf) = path.rsplit_once('/').unwrap_or(("", path));
        paths.push(format!("/{}/{path}", mount.name()));
        let entry = format!("(\"{leaf}\", What::File({word}))");
        groups.push(format!("Group {{ under: \"{under}\", each: nowhere, entries: &[{entry}] }}"));
        let _ = write!(
            functions,
            "\nfn {word}(_: &Moment<'_>, _: usize, into: &mut Vec<u8>) {{\n    // {MARK}: what the kernel writes at this \
             moment.\n    into.extend_from_slice(b\"\\n\");\n}}\n"
        );
    }
    let table = match groups.as_slice() {
        [group] => format!("[{group}]"),
        groups => format!("[\n    {},\n]", groups.join(",\n    ")),
    };
    let (count, paths) = (reads.len().to_string(), paths.join(", "));
    let values = [("paths", paths.as_str()), ("count", &count), ("groups", &table), ("functions", &functions)];
    filled(GENERATOR, &values).trim_end().to_owned() + "\n"
}

fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let marked = template.replace("{mark}", MARK);
    values.iter().fold(marked, |text, (key, value)| text.replace(&format!("{{{key}}}"), value))
}

/// The text with a line more among those that begin so, in their order.
fn inserted(text: &str, start: &str, line: &str) -> Result<String, String> {
    let key = |line: &str| line.lines().next().unwrap_or_default().trim_end_matches([';', ',']).replace("::", " ");
    let (mut offset, mut place) = (0, None);
    for existing in text.split_inclusive('\n') {
        let end = offset + existing.len();
        if existing.starts_with(start) {
            if key(existing.trim_end()) > key(line) {
                place = Some(offset);
                break;
            }
            place = Some(end);
        }
        offset = end;
    }
    let place = place.ok_or_else(|| format!("no line begins with `{}`", start.trim()))?;
    let (before, after) = text.split_at(place);
    Ok(format!("{before}{line}\n{after}"))
}

/// The places that are to be filled, with what goes there: file, line, words.
pub fn places(changes: &[Change]) -> Vec<String> {
    let mut places = Vec::new();
    for change in changes {
        let lines = (1..).zip(change.content.lines());
        let marked = lines.filter_map(|(number, line)| Some((number, line.split_once(MARK)?.1)));
        places.extend(marked.map(|(number, words)| format!("{}:{number}{words}", change.path)));
    }
    places
}

#[cfg(test)]
mod tests;
