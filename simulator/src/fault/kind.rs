//! In what ways a file can break.

mod table;

use std::fmt;
use std::num::ParseIntError;
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::tree_text;
use collectors::kit::nearest;

use super::content;
use crate::span::{self, Span};

pub(super) use table::TEXTS;
pub use table::{KINDS, KindInfo};

/// In what way a file breaks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// It is not there, and no listing has it.
    Missing,
    /// Reading or listing it fails.
    Error(Errno),
    /// A listing has it, and then it is gone.
    Vanishing(Stage),
    /// A directory stands in its place.
    Directory,
    /// A symbolic link to itself stands in its place.
    Loop,
    /// It holds nothing.
    Empty,
    /// It ends at this byte, or in the middle of a line.
    Cut(Option<usize>),
    /// It changes while it is read: from this byte on, or its middle.
    Torn(Option<usize>),
    /// The line of this number, or the one in the middle, holds bytes of no meaning.
    Garbled(Option<usize>),
    /// All of it is bytes of no meaning.
    Garbage,
    /// The numbers of this line, or the one in the middle, are too large for 64 bits.
    Beyond64Bits(Option<usize>),
    /// The numbers of this line, or the one in the middle, are negative.
    Negative(Option<usize>),
    /// This line, or the one in the middle, has bytes that are no UTF-8.
    NoUtf8(Option<usize>),
    /// It holds this line.
    Content(Vec<u8>),
    /// The line that begins with the same word is this one.
    Line(Vec<u8>),
    /// It ends with this line as well.
    Added(Vec<u8>),
    /// It takes so long.
    Slow(Duration),
    /// It does not answer until it is let, and then with a timeout.
    Hanging,
}

/// When something has vanished.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Before it was opened.
    Open,
    /// Before it was read.
    Read,
}

impl Kind {
    /// What there is to know of it.
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

    /// The error that takes the place of an answer.
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

    /// Whether it is about what a file holds: a listing has nothing of the kind, unless it is to be empty.
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

    /// Breaks a file's content; `later` is what it holds a moment after.
    pub(super) fn apply(&self, content: &mut Vec<u8>, later: &[u8]) {
        match self {
            Self::Empty => content.clear(),
            Self::Cut(at) => content::cut(content, *at),
            Self::Torn(at) => content::tear(content, later, *at),
            Self::Garbage => content::garbage(content),
            Self::Garbled(line) => content::edit_line(content, *line, content::garbled),
            Self::Beyond64Bits(line) => {
                content::edit_line(content, *line, |line| content::numbers(line, b"99999999999999999999999"));
            }
            Self::Negative(line) => content::edit_line(content, *line, |line| content::numbers(line, b"-1")),
            Self::NoUtf8(line) => content::edit_line(content, *line, content::no_utf8),
            Self::Content(text) => {
                content.clear();
                content::put_line(content, text);
            }
            Self::Line(text) => content::set_line(content, text),
            Self::Added(text) => content::put_line(content, text),
            Self::Missing
            | Self::Error(_)
            | Self::Vanishing(_)
            | Self::Directory
            | Self::Loop
            | Self::Slow(_)
            | Self::Hanging => {}
        }
    }

    /// Reads a name and the value that may follow it; `None` if no kind has that name.
    pub(super) fn parse(name: &str, value: Option<&str>) -> Option<Result<Self, String>> {
        let info = KINDS.iter().find(|info| info.name == name)?;
        Some(match value {
            None if info.value.starts_with('=') => Err(format!("`{name}` without a value; write {name}{}", info.value)),
            Some(value) if info.value.is_empty() => Err(format!("`{name}` takes no value, found `{value}`")),
            _ => Self::with(info, value),
        })
    }

    /// A kind whose value is there where it has to be.
    fn with(info: &KindInfo, value: Option<&str>) -> Result<Self, String> {
        let given = value.unwrap_or_default();
        let fail = |expected: &str| format!("{}: expected {expected}, found `{given}`", info.name);
        let text = || tree_text::unescape_content(given).map_err(|problem| format!("{}: {problem}", info.name));
        let byte = || number(value).map_err(|_| fail("a number of bytes"));
        let line = || match number(value) {
            Ok(Some(0)) | Err(_) => Err(fail("the number of a line, from 1 on")),
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

/// The number, where there is a value.
fn number(value: Option<&str>) -> Result<Option<usize>, ParseIntError> {
    // A sign is no digit, though std reads one.
    value.map(|value| value.replace('+', "x").parse()).transpose()
}

fn errno(name: &str) -> Result<Errno, String> {
    Errno::from_name(name).ok_or_else(|| {
        let near = nearest::among(name, Errno::ALL.iter().map(|errno| errno.name()));
        let advice =
            near.map_or_else(|| "write it as EIO or EINVAL".to_owned(), |near| format!("did you mean `{near}`?"));
        format!("error: no error is called `{name}`; {advice}")
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

/// A line's text, with spaces at its ends told from those of the line around it.
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
    fn faults_break_the_line_in_the_middle_or_the_one_that_is_named() {
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
    fn files_end_where_they_are_cut() {
        check(&Kind::Cut(None), "ab\ncd\n", "a");
        check(&Kind::Cut(None), "abcd\nefg\n", "abcd");
        check(&Kind::Cut(None), "a\nbcde\n", "a\nb");
        check(&Kind::Cut(Some(3)), "ab\ncd\n", "ab\n");
        check(&Kind::Cut(Some(30)), "ab\ncd\n", "ab\ncd\n");
        check(&Kind::Empty, "ab\n", "");
    }

    #[test]
    fn a_torn_file_goes_on_without_the_line_that_went_away() {
        check(&Kind::Torn(None), "aa 1\nbb 2\ncc 3\ndd 4\n", "aa 1\nbb 2\ndd 4\n");
        check(&Kind::Torn(Some(7)), "aa 1\nbb 2\ncc 3\n", "aa 1\nbb 3\n");
        check(&Kind::Torn(Some(2)), "1234\n", "12");
        check(&Kind::Torn(Some(99)), "12\n", "12\n");
        let mut content = b"cpu 1\nx 1\ny 1\n".to_vec();
        Kind::Torn(Some(6)).apply(&mut content, b"cpu 2\nx 2\ny 2\nz 2\n");
        assert_eq!(content, b"cpu 1\n2\nz 2\n");
    }

    #[test]
    fn a_file_can_hold_what_one_wants() {
        check(&Kind::Content(b"N/A (no PMA)".to_vec()), "7\n", "N/A (no PMA)\n");
        check(&Kind::Added(b"x 1".to_vec()), "y 2\n", "y 2\nx 1\n");
        check(&Kind::Line(b"x -1".to_vec()), "y 2\nx 1\nxx 2\n", "y 2\nx -1\nxx 2\n");
        check(&Kind::Line(b"x -1".to_vec()), "y 2\n", "y 2\nx -1\n");
    }

    #[test]
    fn the_table_has_every_kind_once() {
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
