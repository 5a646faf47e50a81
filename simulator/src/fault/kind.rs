//! Kinds of faults.

use std::fmt;
use std::num::ParseIntError;
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::tree_text;
use collectors::kit::nearest;

use super::corruption;
use crate::span::{self, Span};

/// Kind of a fault, with its parameter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Does not exist, and is not listed.
    Missing,
    /// Reading or listing fails.
    Error(Errno),
    /// Is listed, but disappears before it is read.
    Vanishing(Stage),
    /// Is a directory instead of a file.
    Directory,
    /// Is a symbolic link to itself.
    Loop,
    /// Is empty.
    Empty,
    /// Truncated at a byte, by default inside a line near the middle.
    Cut(Option<usize>),
    /// Changes while it is read, from a byte on, by default the middle.
    Torn(Option<usize>),
    /// Pseudorandom bytes in a line, by default the middle one.
    Garbled(Option<usize>),
    /// Pseudorandom bytes in the whole file.
    Garbage,
    /// Numbers beyond 64 bits in a line, by default the middle one.
    Beyond64Bits(Option<usize>),
    /// Negative numbers in a line, by default the middle one.
    Negative(Option<usize>),
    /// Invalid UTF-8 in a line, by default the middle one.
    NoUtf8(Option<usize>),
    /// Holds this line instead of its content.
    Content(Vec<u8>),
    /// Replaces the line with the same first word, or appends the line.
    Line(Vec<u8>),
    /// Appends a line.
    Added(Vec<u8>),
    /// Takes this long.
    Slow(Duration),
    /// Blocks until released, then fails with `ETIMEDOUT`.
    Hanging,
}

/// When a vanishing file disappears.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Before open.
    Open,
    /// Between open and read.
    Read,
}

impl Kind {
    /// Name, syntax and description.
    pub fn info(&self) -> KindInfo {
        KINDS[match self {
            Self::Missing => 0,
            Self::Error(_) => 1,
            Self::Vanishing(_) => 2,
            Self::Directory => 3,
            Self::Loop => 4,
            Self::Empty => 5,
            Self::Cut(_) => 6,
            Self::Torn(_) => 7,
            Self::Garbled(_) => 8,
            Self::Garbage => 9,
            Self::Beyond64Bits(_) => 10,
            Self::Negative(_) => 11,
            Self::NoUtf8(_) => 12,
            Self::Content(_) => 13,
            Self::Line(_) => 14,
            Self::Added(_) => 15,
            Self::Slow(_) => 16,
            Self::Hanging => 17,
        }]
    }

    /// Error that is returned instead of a result.
    pub(super) fn error(&self) -> Option<Errno> {
        match self {
            Self::Missing | Self::Vanishing(Stage::Open) => Some(Errno::ENOENT),
            Self::Vanishing(Stage::Read) => Some(Errno::ESRCH),
            Self::Error(errno) => Some(*errno),
            Self::Loop => Some(Errno::ELOOP),
            Self::Hanging => Some(Errno::ETIMEDOUT),
            _ => None,
        }
    }

    /// Whether it changes the content of files, so that it does not affect listings. `Empty` affects both.
    pub fn is_about_content(&self) -> bool {
        matches!(
            self,
            Self::Cut(_)
                | Self::Torn(_)
                | Self::Garbled(_)
                | Self::Garbage
                | Self::Beyond64Bits(_)
                | Self::Negative(_)
                | Self::NoUtf8(_)
                | Self::Content(_)
                | Self::Line(_)
                | Self::Added(_)
        )
    }

    /// Corrupts content. `later` is the content of a second read.
    pub(super) fn apply(&self, content: &mut Vec<u8>, later: &[u8]) {
        match self {
            Self::Empty => content.clear(),
            Self::Cut(at) => corruption::cut(content, *at),
            Self::Torn(at) => corruption::tear(content, later, *at),
            Self::Garbage => corruption::garbage(content),
            Self::Garbled(line) => corruption::edit_line(content, *line, corruption::garbled),
            Self::Beyond64Bits(line) => {
                corruption::edit_line(content, *line, |line| corruption::numbers(line, b"99999999999999999999999"));
            }
            Self::Negative(line) => corruption::edit_line(content, *line, |line| corruption::numbers(line, b"-1")),
            Self::NoUtf8(line) => corruption::edit_line(content, *line, corruption::no_utf8),
            Self::Content(text) => {
                content.clear();
                corruption::put_line(content, text);
            }
            Self::Line(text) => corruption::set_line(content, text),
            Self::Added(text) => corruption::put_line(content, text),
            Self::Missing
            | Self::Error(_)
            | Self::Vanishing(_)
            | Self::Directory
            | Self::Loop
            | Self::Slow(_)
            | Self::Hanging => {}
        }
    }

    /// Parses a name and its value; `None` if no kind has that name.
    pub(super) fn parse(name: &str, value: Option<&str>) -> Option<Result<Self, String>> {
        let info = KINDS.iter().find(|info| info.name == name)?;
        Some(match value {
            None if info.value.starts_with('=') => Err(format!("{name}: missing value; write {name}{}", info.value)),
            Some(value) if info.value.is_empty() => Err(format!("{name}: expected no value, found `{value}`")),
            _ => Self::with(info, value),
        })
    }

    /// Parses the value of a kind. A required value is present.
    fn with(info: &KindInfo, value: Option<&str>) -> Result<Self, String> {
        let given = value.unwrap_or_default();
        let fail = |expected: &str| format!("{}: expected {expected}, found `{given}`", info.name);
        let text = || tree_text::unescape_content(given).map_err(|problem| format!("{}: {problem}", info.name));
        let byte = || number(value).map_err(|_| fail("a byte offset"));
        let line = || match number(value) {
            Ok(Some(0)) | Err(_) => Err(fail("a line number from 1")),
            Ok(line) => Ok(line),
        };
        Ok(match info.name {
            "missing" => Self::Missing,
            "error" => Self::Error(errno(given)?),
            "vanishing" => Self::Vanishing(match value {
                None | Some("open") => Stage::Open,
                Some("read") => Stage::Read,
                Some(_) => return Err(fail("`open` or `read`")),
            }),
            "directory" => Self::Directory,
            "loop" => Self::Loop,
            "empty" => Self::Empty,
            "cut" => Self::Cut(byte()?),
            "torn" => Self::Torn(byte()?),
            "garbled" => Self::Garbled(line()?),
            "garbage" => Self::Garbage,
            "beyond-64-bits" => Self::Beyond64Bits(line()?),
            "negative" => Self::Negative(line()?),
            "no-utf8" => Self::NoUtf8(line()?),
            "content" => Self::Content(text()?),
            "line" => Self::Line(text()?),
            "added" => Self::Added(text()?),
            "slow" => Self::Slow(span::parse(given).ok_or_else(|| fail(span::EXPECTED))?),
            _ => Self::Hanging,
        })
    }
}

/// Parses an optional number.
fn number(value: Option<&str>) -> Result<Option<usize>, ParseIntError> {
    // `parse` accepts a sign; a plan does not.
    value.map(|value| value.replace('+', "x").parse()).transpose()
}

fn errno(name: &str) -> Result<Errno, String> {
    Errno::from_name(name).ok_or_else(|| {
        let near = nearest::among(name, Errno::ALL.iter().map(|errno| errno.name()));
        let advice =
            near.map_or_else(|| "write it as EIO or EINVAL".to_owned(), |near| format!("did you mean `{near}`?"));
        format!("error: unknown errno `{name}`; {advice}")
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.info().name;
        match self {
            Self::Error(errno) => write!(f, "{name}={}", errno.name()),
            Self::Vanishing(Stage::Read) => write!(f, "{name}=read"),
            Self::Cut(Some(at)) | Self::Torn(Some(at)) => write!(f, "{name}={at}"),
            Self::Garbled(Some(line))
            | Self::Beyond64Bits(Some(line))
            | Self::Negative(Some(line))
            | Self::NoUtf8(Some(line)) => write!(f, "{name}={line}"),
            Self::Content(text) | Self::Line(text) | Self::Added(text) => write!(f, "{name}={}", Escaped(text)),
            Self::Slow(time) => write!(f, "{name}={}", Span(*time)),
            _ => f.write_str(name),
        }
    }
}

/// Text of a line with leading and trailing spaces escaped, so that they survive parsing.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: u8| byte != b'\\' && (byte == b' ' || byte.is_ascii_graphic());
        let mut text = Vec::new();
        match self.0 {
            [] => {}
            [only] => tree_text::escape(&mut text, &[*only], |byte| byte != b' ' && is_plain(byte)),
            [first, middle @ .., last] => {
                tree_text::escape(&mut text, &[*first], |byte| byte != b' ' && is_plain(byte));
                tree_text::escape(&mut text, middle, is_plain);
                tree_text::escape(&mut text, &[*last], |byte| byte != b' ' && is_plain(byte));
            }
        }
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Name, syntax and description of a kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindInfo {
    /// Name in a plan.
    pub name: &'static str,
    /// Syntax of the value after the name.
    pub value: &'static str,
    /// Description for users.
    pub doc: &'static str,
    /// Whether it applies to kernel answers too.
    pub is_for_kernels: bool,
}

/// A kind that applies to files only.
const fn file(name: &'static str, value: &'static str, doc: &'static str) -> KindInfo {
    KindInfo { name, value, doc, is_for_kernels: false }
}

/// A kind that applies to files and kernel answers.
const fn any(name: &'static str, value: &'static str, doc: &'static str) -> KindInfo {
    KindInfo { name, value, doc, is_for_kernels: true }
}

/// Every kind of fault.
pub const KINDS: [KindInfo; 18] = [
    any("missing", "", "Does not exist (`ENOENT`), and is not listed."),
    any("error", "=ERRNO", "Reading, listing or querying fails with this error of errno(3)."),
    file(
        "vanishing",
        "[=open|=read]",
        "Is listed, but does not exist when it is opened (`ENOENT`), or disappears between open and read (`ESRCH`, `=read`).",
    ),
    file("directory", "", "Is a directory instead of a file (`EISDIR`)."),
    file("loop", "", "Is a symbolic link to itself (`ELOOP`)."),
    file("empty", "", "Is empty."),
    file(
        "cut",
        "[=BYTE]",
        "Ends at this byte, by default inside a line near the middle. Readers reach that end, so that the last line counts.",
    ),
    file(
        "torn",
        "[=BYTE]",
        "Changes while it is read: from this byte, by default the middle, the content is of a later read without its first line.",
    ),
    file("garbled", "[=LINE]", "Pseudorandom bytes in this line, by default the middle one."),
    file("garbage", "", "Pseudorandom bytes in the whole file."),
    file("beyond-64-bits", "[=LINE]", "Numbers beyond 64 bits in this line, by default the middle one."),
    file("negative", "[=LINE]", "Negative numbers in this line, by default the middle one."),
    file("no-utf8", "[=LINE]", "Invalid UTF-8 in this line, by default the middle one."),
    file(
        "content",
        "=TEXT",
        "Holds this line. TEXT extends to the end of the line; `\\xNN` is any byte, `\\\\` a backslash.",
    ),
    file("line", "=TEXT", "Replaces the line with the same first word, or appends the line if there is none."),
    file("added", "=TEXT", "Appends a line, written as in `content`."),
    any("slow", "=TIME", "Takes this long: `20ms`, `6s`."),
    any("hanging", "", "Blocks: for a minute in a server, until released in a test; then fails with `ETIMEDOUT`."),
];

/// Kinds whose value extends to the end of the line.
pub(super) const TEXTS: [&str; 3] = ["content", "line", "added"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &Kind, content: &str, expected: &str) {
        let mut broken = content.as_bytes().to_vec();
        kind.apply(&mut broken, content.as_bytes());
        assert_eq!(broken.escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string());
    }

    #[test]
    fn faults_of_a_line_default_to_the_middle_one() {
        check(&Kind::Negative(None), "a 1\nb7 22 x=3\nc 3\n", "a 1\nb7 -1 x=-1\nc 3\n");
        check(&Kind::Negative(Some(1)), "a 1\nb7 22 x=3\nc 3\n", "a -1\nb7 22 x=3\nc 3\n");
        check(&Kind::Negative(Some(4)), "a 1\n", "a 1\n");
        check(&Kind::Beyond64Bits(None), "7\n", "99999999999999999999999\n");
        let mut content = b"one\n".to_vec();
        Kind::NoUtf8(None).apply(&mut content, b"");
        assert_eq!(content, b"on\xff\xfee\n");
        let mut content = b"one\ntwo 22222222222222222222\nthree\n".to_vec();
        Kind::Garbled(Some(2)).apply(&mut content, b"");
        let lines: Vec<&[u8]> = content.split(|&byte| byte == b'\n').collect();
        assert_eq!((lines.len(), lines[0], lines[2]), (4, &b"one"[..], &b"three"[..]));
        assert_ne!(lines[1], b"two 22222222222222222222");
    }

    #[test]
    fn truncation_is_at_the_byte_or_inside_a_line() {
        check(&Kind::Cut(None), "ab\ncd\n", "a");
        check(&Kind::Cut(None), "abcd\nefg\n", "abcd");
        check(&Kind::Cut(None), "a\nbcde\n", "a\nb");
        check(&Kind::Cut(Some(3)), "ab\ncd\n", "ab\n");
        check(&Kind::Cut(Some(30)), "ab\ncd\n", "ab\ncd\n");
        check(&Kind::Empty, "ab\n", "");
    }

    #[test]
    fn a_torn_read_continues_with_later_content() {
        check(&Kind::Torn(None), "aa 1\nbb 2\ncc 3\ndd 4\n", "aa 1\nbb 2\ndd 4\n");
        check(&Kind::Torn(Some(7)), "aa 1\nbb 2\ncc 3\n", "aa 1\nbb 3\n");
        check(&Kind::Torn(Some(2)), "1234\n", "12");
        check(&Kind::Torn(Some(99)), "12\n", "12\n");
        let mut content = b"cpu 1\nx 1\ny 1\n".to_vec();
        Kind::Torn(Some(6)).apply(&mut content, b"cpu 2\nx 2\ny 2\nz 2\n");
        assert_eq!(content, b"cpu 1\n2\nz 2\n");
    }

    #[test]
    fn lines_are_replaced_and_appended() {
        check(&Kind::Content(b"N/A (no PMA)".to_vec()), "7\n", "N/A (no PMA)\n");
        check(&Kind::Added(b"x 1".to_vec()), "y 2\n", "y 2\nx 1\n");
        check(&Kind::Line(b"x -1".to_vec()), "y 2\nx 1\nxx 2\n", "y 2\nx -1\nxx 2\n");
        check(&Kind::Line(b"x -1".to_vec()), "y 2\n", "y 2\nx -1\n");
    }

    #[test]
    fn every_kind_has_its_row_of_the_table() {
        for info in KINDS {
            let value = match info.value {
                "=ERRNO" => Some("EIO"),
                "=TIME" => Some("1s"),
                value if value.starts_with('=') => Some("1"),
                _ => None,
            };
            let kind = Kind::parse(info.name, value).unwrap().unwrap();
            assert_eq!(kind.info(), info, "{kind}");
            assert!(info.doc.ends_with('.'), "{}", info.doc);
        }
    }
}
