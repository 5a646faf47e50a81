//! The `.tree` format: a host as a text file. `fixtures/README.md` describes it.

mod write;

use std::collections::BTreeSet;
use std::fmt;

use super::errno::Errno;
use super::root::tree::{Filling, MAX_MODE, Node, Special, Tree};

pub use write::{escape, write};

const FIRST_LINE: &str = "nodelab tree 1";
const HEADER: &str = "== ";
const ATTRIBUTES: &str = "no-newline, escaped, mode=, error=, mtime=, fifo, socket, device, size=";

/// An error in a `.tree` file, with its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeTextError {
    /// The line number, from 1.
    pub line: usize,
    /// The problem, and how to correct it.
    pub problem: String,
}

impl fmt::Display for TreeTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for TreeTextError {}

/// Parses a `.tree` file.
pub fn parse(bytes: &[u8]) -> Result<Tree, TreeTextError> {
    let mut entries = Entries::default();
    for (number, line) in (1..).zip(lines(bytes)?) {
        if line.starts_with(HEADER) {
            entries.close()?;
        }
        entries.line(number, line).map_err(|problem| TreeTextError { line: number, problem })?;
    }
    entries.end()
}

/// The lines of a file, after a check that all of it is text.
fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = &str>, TreeTextError> {
    let line_of = |offset: usize| bytes.iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1;
    let fail = |offset, problem: String| Err(TreeTextError { line: line_of(offset), problem });
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let problem = "a byte that is not UTF-8; mark the entry `escaped` and write the byte as \\xNN";
            return fail(error.valid_up_to(), problem.into());
        }
    };
    if let Some(offset) = bytes.iter().position(|&byte| byte == b'\r') {
        let problem = "a carriage return; end lines with LF alone, or mark the entry `escaped` and write \\x0d";
        return fail(offset, problem.into());
    }
    if let Some(offset) = bytes.iter().position(|&byte| is_control(byte)) {
        let byte = bytes.get(offset).copied().unwrap_or_default();
        return fail(offset, format!("byte 0x{byte:02x} is no text; mark the entry `escaped` and write \\x{byte:02x}"));
    }
    match text.strip_suffix('\n') {
        Some(text) => Ok(text.split('\n')),
        None => fail(bytes.len(), "the last line has no LF at its end; add one".into()),
    }
}

/// Whether a byte must be escaped in a `.tree` file.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t')
}

#[derive(Default)]
struct Entries {
    tree: Filling,
    seen: BTreeSet<Vec<u8>>,
    open: Option<TextEntry>,
}

/// The entry whose content is being parsed.
struct TextEntry {
    line: usize,
    path: Vec<u8>,
    node: Node,
    content: Vec<u8>,
    takes_content: bool,
    escaped: bool,
    no_newline: bool,
}

impl Entries {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if number == 1 {
            return match line {
                FIRST_LINE => Ok(()),
                _ => Err(format!("the first line is {}; expected `{FIRST_LINE}`", shown(line))),
            };
        }
        if let Some(header) = line.strip_prefix(HEADER) {
            self.open = Some(self.header(number, header)?);
            return Ok(());
        }
        match &mut self.open {
            Some(entry) => entry.content_line(line),
            None if line.is_empty() || line.starts_with('#') => Ok(()),
            None => Err(format!("{} stands before the first entry; begin a comment with `#`", shown(line))),
        }
    }

    fn header(&mut self, line: usize, header: &str) -> Result<TextEntry, String> {
        let mut words = header.split(' ');
        let path = unescape(words.next().unwrap_or_default())?;
        let rest: Vec<&str> = words.collect();
        let (path, entry) = match (path.strip_suffix(b"/"), rest.as_slice()) {
            (Some(_), ["->", ..]) => return Err("unexpected `/` at the end of a link's path; remove it".into()),
            (None, ["->", target]) => (path, TextEntry::new(line, Node::link(unescape(target)?), false)),
            (None, ["->", ..]) => {
                return Err("a link is `== PATH -> TARGET`, without attributes; write a space as \\x20".into());
            }
            (Some(path), attributes) => {
                (path.to_vec(), TextEntry::new(line, Node::directory(), false).with(attributes)?)
            }
            (None, attributes) => (path, TextEntry::new(line, Node::file(""), true).with(attributes)?),
        };
        if !self.seen.insert(path.clone()) {
            return Err(format!("duplicate entry `{}`; remove one of the two", path.escape_ascii()));
        }
        // Checked here, where the line number is known, and not after its content.
        let placed = if entry.takes_content { Node::file("") } else { entry.node.clone() };
        self.tree.insert(&path, placed).map_err(|error| format!("`{}`: {error}", path.escape_ascii()))?;
        Ok(TextEntry { path, ..entry })
    }

    /// Inserts the completed entry into the tree.
    fn close(&mut self) -> Result<(), TreeTextError> {
        let Some(mut entry) = self.open.take() else { return Ok(()) };
        let fail = |problem| Err(TreeTextError { line: entry.line, problem });
        if entry.no_newline && entry.content.pop().is_none() {
            return fail("`no-newline` without a line of content; remove it".into());
        }
        let node = if entry.takes_content { entry.node.with_content(entry.content) } else { entry.node };
        match self.tree.insert(&entry.path, node) {
            Ok(()) => Ok(()),
            Err(error) => fail(error.to_string()),
        }
    }

    fn end(mut self) -> Result<Tree, TreeTextError> {
        self.close()?;
        Ok(self.tree.finish())
    }
}

impl TextEntry {
    fn new(line: usize, node: Node, takes_content: bool) -> Self {
        Self { line, path: Vec::new(), node, content: Vec::new(), takes_content, escaped: false, no_newline: false }
    }

    fn with(mut self, attributes: &[&str]) -> Result<Self, String> {
        let mut seen = BTreeSet::new();
        // The type comes first because it determines the default mode.
        for &attribute in attributes {
            let special = match attribute {
                "fifo" => Special::Fifo,
                "socket" => Special::Socket,
                "device" => Special::Device,
                _ => continue,
            };
            if !self.takes_content {
                return Err(format!("`{attribute}` on something that is no file already; keep one of the two"));
            }
            self.node = Node::special(special);
            self.takes_content = false;
        }
        for &attribute in attributes {
            let (name, value) =
                attribute.split_once('=').map_or((attribute, None), |(name, value)| (name, Some(value)));
            if !seen.insert(name) {
                return Err(format!("{} twice; remove one", shown(attribute)));
            }
            self.attribute(name, value)?;
        }
        Ok(self)
    }

    fn attribute(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let node = self.node.clone();
        self.node = match (name, value) {
            ("fifo" | "socket" | "device", None) => node,
            ("no-newline" | "escaped", None) if !self.takes_content => {
                return Err(format!("`{name}` on an entry without content; remove it"));
            }
            ("no-newline", None) => {
                self.no_newline = true;
                node
            }
            ("escaped", None) => {
                self.escaped = true;
                node
            }
            ("mode", Some(value)) => node.with_mode(mode(value)?),
            ("error", Some(value)) => node.with_error(Errno::from_name(value).ok_or_else(|| {
                format!("expected the name of an error such as EIO or EINVAL, found {}", shown(value))
            })?),
            ("mtime", Some(value)) => node.with_modified_seconds(number(name, value)?),
            ("size", Some(value)) => node.with_size_bytes(number(name, value)?),
            _ => {
                let attribute = value.map_or(name.to_owned(), |value| format!("{name}={value}"));
                return Err(format!("unknown attribute {}; expected one of {ATTRIBUTES}", shown(&attribute)));
            }
        };
        Ok(())
    }

    fn content_line(&mut self, line: &str) -> Result<(), String> {
        if !self.takes_content {
            return Err(format!("{} below an entry without content; remove it", shown(line)));
        }
        if self.escaped {
            self.content.extend(unescape_content(line)?);
        } else if let Some(rest) = line.strip_prefix('\\') {
            if !rest.starts_with(HEADER) && !rest.starts_with('\\') {
                return Err(format!("{} begins with `\\`; write `\\\\`, or mark the entry `escaped`", shown(line)));
            }
            self.content.extend_from_slice(rest.as_bytes());
        } else {
            self.content.extend_from_slice(line.as_bytes());
        }
        self.content.push(b'\n');
        Ok(())
    }
}

fn mode(value: &str) -> Result<u16, String> {
    match u16::from_str_radix(value, 8) {
        Ok(mode) if mode <= MAX_MODE && !value.starts_with('+') => Ok(mode),
        _ => Err(format!("mode {} is not in octal up to {MAX_MODE:o}; write it as in mode=0444", shown(value))),
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    let number = value.parse().ok().filter(|_| !value.starts_with('+'));
    number.ok_or_else(|| format!("{name} {} is not a whole number from 0 to {}", shown(value), u64::MAX))
}

/// Parses a path or the target of a link: printable ASCII, with other bytes as `\xNN`.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    if let Some(other) = text.chars().find(|other| !other.is_ascii_graphic()) {
        return Err(format!("unexpected {other:?} in a path; write each of its bytes as \\xNN"));
    }
    if text.contains("\\\\") {
        return Err("unexpected `\\\\` in a path; write a backslash as \\x5c".into());
    }
    unescape_content(text)
}

/// Decodes escapes: `\xNN` is a byte, `\\` a backslash.
pub fn unescape_content(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            bytes.push(b'\\');
            rest = after;
            continue;
        }
        let digits = escape.strip_prefix('x').and_then(|hex| hex.get(..2));
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or("a `\\` that begins neither \\xNN nor `\\\\`; write two hexadecimal digits after \\x")?);
        rest = escape.get(3..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// A shortened text for errors.
fn shown(text: &str) -> String {
    const MAX_SHOWN_CHARACTERS: usize = 60;
    match text.char_indices().nth(MAX_SHOWN_CHARACTERS) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests;
