//! Templates of a new collector: its file with a failing test, its fixture, its generator, and the registration of both.
//! The result compiles, and its tests fail until the marked lines are completed.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use collectors::ALL;
use collectors::host::root::{Mount, Names};
use collectors::kit::nearest;
use simulator::{Machine, embedded};

/// Marks a line to complete; the tidy test lists them.
pub const MARK: &str = concat!("FILL", " IN");
/// The fixture host that gets the files.
const FIXTURE: &str = "fixtures/hosts/laptop.tree";
/// The source with the list of collectors.
const LIST: &str = "collectors/src/lib.rs";

const COLLECTOR: &str = include_str!("scaffold/collector.txt");
const GENERATOR: &str = include_str!("scaffold/generator.txt");

/// Words that cannot name a module.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum", "extern",
    "false", "final", "fn", "for", "gen", "if", "impl", "in", "kit", "let", "lib", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "unsafe", "use", "virtual", "where", "while", "yield", "abstract", "become", "typeof", "unsized",
];

/// A new collector.
#[derive(Debug)]
pub struct Plan {
    name: String,
    reads: Vec<Read>,
}

/// A file that the collector reads.
#[derive(Debug)]
struct Read {
    mount: Mount,
    /// Its path below the mount; one component may be `*`.
    path: String,
    /// An identifier for it: the name of its generator, and in capitals of its constant.
    word: String,
}

impl Read {
    /// The directory of the items that `*` stands for, and the path below an item.
    fn wildcard(&self) -> Option<(&str, &str)> {
        self.path.split_once("/*/")
    }

    /// The path with this name in the place of each `*`.
    fn path_of(&self, item: &str) -> String {
        self.path.replace('*', item)
    }

    /// The constant of the directory of its items.
    fn directory_constant(directory: &str) -> String {
        identifier(directory.rsplit('/').next().unwrap_or(directory)).to_ascii_uppercase() + "_DIRECTORY"
    }

    fn mount_type(&self) -> String {
        format!("{:?}", self.mount)
    }
}

/// A file to create or change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its path in the workspace.
    pub path: String,
    /// Its new content.
    pub content: String,
}

/// The mounts that a collector may read.
const MOUNTS: [Mount; 4] = [Mount::Proc, Mount::Sys, Mount::Rootfs, Mount::Udev];

impl Plan {
    /// A collector of this name that reads these files: `proc/foo`, `sys/class/foo/*/bar`.
    pub fn new(name: &str, reads: &[&str]) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(is_plain) {
            return Err(format!("`{name}`: expected lower-case letters, digits and `_`, beginning with a letter"));
        }
        if KEYWORDS.contains(&name) {
            return Err(format!("`{name}` is a keyword of Rust or a module of the workspace; choose another name"));
        }
        if ALL.iter().any(|registration| registration.declaration.name == name) {
            return Err(format!("the collector `{name}` exists: collectors/src/{name}.rs"));
        }
        if reads.is_empty() {
            return Err("--reads is required: a file that the collector reads, such as proc/foo".to_owned());
        }
        let mut plan = Self { name: name.to_owned(), reads: Vec::new() };
        for read in reads {
            let read = plan.read(read)?;
            plan.reads.push(read);
        }
        if !plan.reads.iter().any(|read| matches!(read.mount, Mount::Proc | Mount::Sys)) {
            return Err("--reads: expected at least one file below proc/ or sys/".to_owned());
        }
        Ok(plan)
    }

    fn read(&self, text: &str) -> Result<Read, String> {
        let path = text.trim_start_matches('/');
        let (folder, below) = path.split_once('/').unwrap_or((path, ""));
        let mount = MOUNTS.into_iter().find(|mount| mount.name() == folder).ok_or_else(|| {
            let near = nearest::among(folder, MOUNTS.iter().map(|mount| mount.name()));
            let near = near.map(|near| format!(" (did you mean {near}/{below}?)")).unwrap_or_default();
            format!("`{text}`: expected a file below proc/, sys/, rootfs/ or udev/{near}")
        })?;
        let parts: Vec<&str> = below.split('/').collect();
        let is_plain = |part: &&&str| !part.is_empty() && **part != "." && **part != ".." && part.bytes().all(is_name);
        let wildcards = parts.iter().filter(|part| **part == "*").count();
        if parts.iter().filter(is_plain).count() + wildcards != parts.len() {
            return Err(format!("`{text}`: expected names of letters, digits and `_-.:`, or `*` for a whole name"));
        }
        if wildcards > 1 {
            return Err(format!("`{text}`: expected at most one `*`; add nested items to the collector by hand"));
        }
        if wildcards == 1 && (parts.first() == Some(&"*") || parts.last() == Some(&"*")) {
            return Err(format!("`{text}`: expected a directory before `*` and a file below it"));
        }
        let leaf = parts.last().copied().unwrap_or_default();
        let word = identifier(leaf);
        if self.reads.iter().any(|read| read.word == word) {
            return Err(format!("`{text}`: two files are named `{leaf}`; begin with one of them"));
        }
        Ok(Read { mount, path: below.to_owned(), word })
    }

    /// The files to create or change; `current` reads existing ones.
    pub fn changes(&self, current: impl Fn(&str) -> io::Result<String>) -> Result<Vec<Change>, String> {
        let name = &self.name;
        let read = |path: &str| current(path).map_err(|error| error.to_string());
        let mut changes = Vec::new();
        let mut new = |path: String, content: String| {
            if current(&path).is_ok() {
                return Err(format!("{path} exists"));
            }
            changes.push(Change { path, content });
            Ok(())
        };
        new(format!("collectors/src/{name}.rs"), self.collector())?;
        let without: Vec<&Read> = self.reads.iter().filter(|read| !is_simulated(read)).collect();
        let home = without.iter().map(|read| read.mount).find(|mount| matches!(mount, Mount::Proc | Mount::Sys));
        let home = home.unwrap_or(Mount::Sys);
        let mounts: Vec<Mount> =
            MOUNTS.into_iter().filter(|mount| without.iter().any(|read| read.mount == *mount)).collect();
        if !without.is_empty() {
            new(format!("simulator/src/{}/{name}.rs", home.name()), self.generator(&without, &mounts, home))?;
        }
        let list = read(LIST)?;
        let list = inserted(&list, "pub mod ", &format!("pub mod {name};"))?;
        let registration = format!("    Registration::of::<{name}::{}>(),", self.type_name());
        changes.push(Change {
            path: LIST.to_owned(),
            content: inserted(&list, "    Registration::of::<", &registration)?,
        });
        for mount in registered(&mounts, home) {
            let path = format!("simulator/src/{}.rs", mount.name());
            let mut text = read(&path)?;
            if mount == home {
                let visibility = if mounts.iter().any(|mount| *mount != home) { "pub(crate) " } else { "" };
                text = inserted(&text, "mod ", &format!("{visibility}mod {name};"))?;
            }
            if mounts.contains(&mount) {
                let module = if mount == home { String::new() } else { format!("crate::{}::", home.name()) };
                text = with_table(&text, &format!("{module}{name}::{}", table_constant(mount, home)))
                    .ok_or_else(|| format!("{path}: expected `{TABLES}`"))?;
            }
            changes.push(Change { path, content: text });
        }
        let fixture = read(FIXTURE)?;
        let entry = |read: &Read| format!("== {}/{}", read.mount.name(), read.path_of(&self.item()));
        let mut filled = fixture.clone();
        for entry in self.reads.iter().map(entry) {
            if !fixture.lines().any(|line| line.split(" -> ").next() == Some(&entry)) {
                filled = inserted(&filled, "== ", &format!("{entry}\n{MARK}: the content that the kernel writes"))?;
            }
        }
        if filled != fixture {
            changes.push(Change { path: FIXTURE.to_owned(), content: filled });
        }
        Ok(changes)
    }

    /// The name of the only item on the fixture host and on simulated hosts.
    fn item(&self) -> String {
        format!("{}0", self.name)
    }

    /// `KernelHung` for `kernel_hung`.
    fn type_name(&self) -> String {
        let word = |word: &str| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        };
        self.name.split('_').map(word).collect()
    }

    fn collector(&self) -> String {
        let [mut reads, mut families, mut collects, mut entries] = [const { String::new() }; 4];
        let mut directories: Vec<(Mount, &str)> = Vec::new();
        for read in &self.reads {
            let Read { path, word, .. } = read;
            let (mount, constant) = (read.mount_type(), word.to_ascii_uppercase());
            let family = if *word == self.name { format!("node_{word}") } else { format!("node_{}_{word}", self.name) };
            if let Some((directory, _)) =
                read.wildcard().filter(|(directory, _)| !directories.contains(&(read.mount, directory)))
            {
                directories.push((read.mount, directory));
                let _ = writeln!(
                    reads,
                    "        {}: Directory {mount} \"{directory}\";",
                    Read::directory_constant(directory)
                );
            }
            let labels = if read.wildcard().is_some() { "PerItem" } else { "()" };
            let _ = writeln!(reads, "        {constant}: File {mount} \"{path}\";");
            let _ = writeln!(
                families,
                "        {constant}_VALUE: Gauge \"{family}\" {labels} \"Value of {}.\";",
                path.replace("/*/", " for each item: ")
            );
            if read.wildcard().is_none() {
                collects.push_str(&emission(read, 8));
            }
            let _ = write!(entries, "== {}/{}\\n\\n", read.mount.name(), read.path_of(&self.item()));
        }
        for (mount, directory) in &directories {
            let of_directory = self
                .reads
                .iter()
                .filter(|read| read.mount == *mount && read.wildcard().is_some_and(|(own, _)| own == *directory));
            let emissions: String = of_directory.map(|read| emission(read, 12)).collect();
            let _ = write!(
                collects,
                "        cx.files.list({}, [], &mut self.names)?;\n        for name in self.names.iter() {{\n\
                 {emissions}        }}\n",
                Read::directory_constant(directory)
            );
        }
        let (derives, fields, built, uses, labels) = if directories.is_empty() {
            ("Debug", ";", "Self", "", "")
        } else {
            (
                "Default, Debug",
                " {\n    names: Names,\n}",
                "Self::default()",
                "use crate::host::root::Names;\n",
                "    labels {\n        PerItem { name }\n    }\n",
            )
        };
        let mount = self.reads.first().map(Read::mount_type).unwrap_or_default();
        filled(
            COLLECTOR,
            &[
                ("type", &self.type_name()),
                ("name", &self.name),
                ("mount", &mount),
                ("derives", derives),
                ("fields", fields),
                ("built", built),
                ("uses", uses),
                ("labels", labels),
                ("reads", &reads),
                ("families", &families),
                ("collects", &collects),
                ("entries", &entries),
            ],
        )
    }

    fn generator(&self, reads: &[&Read], mounts: &[Mount], home: Mount) -> String {
        let (mut tables, mut functions) = (String::new(), String::new());
        for mount in mounts {
            let of_mount = reads.iter().filter(|read| read.mount == *mount);
            let groups: Vec<String> = of_mount.map(|read| self.group(read)).collect();
            let visibility = if mounts.len() > 1 { "pub(crate)" } else { "pub(super)" };
            let constant = table_constant(*mount, home);
            let _ = match groups.as_slice() {
                [group] => writeln!(tables, "{visibility} const {constant}: Table = &[{group}];\n"),
                groups => {
                    let indented = groups.iter().map(|group| format!("    {},\n", group.replace('\n', "\n    ")));
                    let groups = indented.collect::<Vec<_>>().concat();
                    writeln!(tables, "{visibility} const {constant}: Table = &[\n{groups}];\n")
                }
            };
        }
        for Read { word, .. } in reads {
            let _ = write!(
                functions,
                "\nfn {word}(_: &Machine, _: &Moment<'_>, into: &mut Vec<u8>) {{\n    // {MARK}: the content that the \
                 kernel writes.\n    into.extend_from_slice(b\"\\n\");\n}}\n"
            );
        }
        let paths: Vec<String> = reads.iter().map(|read| format!("/{}/{}", read.mount.name(), read.path)).collect();
        let values = [("paths", paths.join(", ")), ("tables", tables), ("functions", functions)];
        let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
        filled(GENERATOR, &values).trim_end().to_owned() + "\n"
    }

    fn group(&self, read: &Read) -> String {
        let (under, item, entry) = if let Some((directory, entry)) = read.wildcard() {
            (directory, self.item(), entry)
        } else {
            let (under, leaf) = read.path.rsplit_once('/').unwrap_or(("", &read.path));
            (under, String::new(), leaf)
        };
        format!(
            "&Group::<Machine> {{\n    under: \"{under}\",\n    parts: |machine| each_with([machine], has_files),\n    \
             path: |_, _| \"{item}\".into(),\n    entries: &[(\"{entry}\", Content::File({}))],\n}}",
            read.word
        )
    }
}

/// The statement that reads a number and exports it.
fn emission(read: &Read, indentation: usize) -> String {
    let (constant, word, indent) = (read.word.to_ascii_uppercase(), &read.word, " ".repeat(indentation));
    let (name, labels) = if read.wildcard().is_some() { ("name", "PerItem { name: &name }") } else { ("", "()") };
    format!(
        "{indent}if let Some(value) = cx.number::<u64, _>({constant}, [{name}], \"{word}\") {{\n{indent}    \
         cx.page.gauge({constant}_VALUE, {labels}, value);\n{indent}}}\n"
    )
}

/// The mounts whose list of tables changes: the one with the generator's file, and those with tables in it.
fn registered(mounts: &[Mount], home: Mount) -> impl Iterator<Item = Mount> {
    let mounts: Vec<Mount> = if mounts.is_empty() { Vec::new() } else { [&[home], mounts].concat() };
    MOUNTS.into_iter().filter(move |mount| mounts.contains(mount))
}

/// The constant of a mount's table in the generator's file.
fn table_constant(mount: Mount, home: Mount) -> String {
    if mount == home { "GROUPS".to_owned() } else { format!("{}_GROUPS", mount.name().to_ascii_uppercase()) }
}

const TABLES: &str = "TABLES: &[Table] = &[";

/// The source of a mount with one more table.
fn with_table(text: &str, table: &str) -> Option<String> {
    let (before, after) = text.split_once(TABLES)?;
    let separator = if after.starts_with('\n') { format!("\n    {table},") } else { format!("{table}, ") };
    Some(format!("{before}{TABLES}{separator}{after}"))
}

/// A Rust identifier for a file name.
fn identifier(name: &str) -> String {
    let word: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let is_bad = word.starts_with(|first: char| first.is_ascii_digit()) || KEYWORDS.contains(&word.as_str());
    if is_bad { format!("of_{word}") } else { word }
}

/// Characters of file names that are supported here.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

/// Whether simulated hosts have the file already.
fn is_simulated(read: &Read) -> bool {
    let host = embedded(Machine::vm(1), || Duration::from_secs(1_700_000_000));
    let (roots, mut names) = (host.roots(), Names::new());
    let root = roots.get(read.mount);
    match read.wildcard() {
        None => root.metadata(read.path.as_bytes()).is_ok(),
        Some((directory, below)) => {
            let is_item = |name: &[u8]| {
                let path = [directory.as_bytes(), name, below.as_bytes()].join(&b'/');
                root.metadata(&path).is_ok()
            };
            root.list(directory.as_bytes(), &mut names).is_ok() && names.iter().any(is_item)
        }
    }
}

fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let marked = template.replace("{mark}", MARK);
    values.iter().fold(marked, |text, (key, value)| text.replace(&format!("{{{key}}}"), value))
}

/// Inserts a line in order among the lines that begin with `start`.
fn inserted(text: &str, start: &str, line: &str) -> Result<String, String> {
    let key = |line: &str| {
        let first = line.lines().next().unwrap_or_default().trim_start_matches("pub(crate) ");
        first.trim_end_matches([';', ',']).replace("::", " ")
    };
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

/// The marked lines, with what to write there: file, line, description.
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
