//! Failures of a collector, which name the file, the line, the field and the value found.

mod reason;

use std::fmt;

use crate::host::kernel::KernelError;
use crate::host::root::{Mount, RootError};

pub use reason::Reason;

/// A file that could not be read. It borrows the path, so that a missing file costs no allocation.
#[derive(Clone, Copy, Debug)]
pub struct FileError<'a> {
    /// The mount of the file.
    pub mount: Mount,
    /// The path below the mount.
    pub path: &'a [u8],
    /// The reason.
    pub error: RootError,
}

impl FileError<'_> {
    /// Whether the file does not exist.
    pub fn is_missing(&self) -> bool {
        self.error.is_missing()
    }

    /// The failure of the collector: no data if the error `is_expected` of a host without the device or module.
    pub fn or_no_data(self, is_expected: fn(RootError) -> bool) -> Failure {
        if is_expected(self.error) { Failure::NoData(self.into()) } else { self.into() }
    }
}

impl fmt::Display for FileError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Path(self.mount, self.path), self.error)
    }
}

/// A path and an optional line in error messages.
struct FileLine<'a>(Path<'a>, usize);

impl fmt::Display for FileLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        if self.1 > 0 { write!(f, ":{}", self.1) } else { Ok(()) }
    }
}

/// A path in error messages.
pub(crate) struct Path<'a>(pub(crate) Mount, pub(crate) &'a [u8]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 != Mount::Host {
            write!(f, "{}/", self.0.name())?;
        }
        write!(f, "{}", self.1.escape_ascii())
    }
}

/// A part of a file that cannot be parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseError<'a> {
    /// The mount of the file.
    pub mount: Mount,
    /// The path below the mount.
    pub path: &'a [u8],
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    /// The field's name.
    pub field: &'a [u8],
    /// A description of a valid value.
    pub expected: &'static str,
    /// The value found.
    pub found: &'a [u8],
}

/// Maximum length of a found value in error messages.
const FOUND_SHOWN_BYTES: usize = 60;

impl ParseError<'_> {
    /// Path and line.
    fn place(&self) -> FileLine<'_> {
        FileLine(Path(self.mount, self.path), self.line)
    }
}

impl fmt::Display for ParseError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: expected {}, found ", self.place(), self.field.escape_ascii(), self.expected)?;
        let shown = &self.found[..self.found.len().min(FOUND_SHOWN_BYTES)];
        match self.found.len() {
            0 => f.write_str("nothing"),
            length if length > shown.len() => write!(f, "\"{}…\" ({length} bytes)", shown.escape_ascii()),
            _ => write!(f, "\"{}\"", shown.escape_ascii()),
        }
    }
}

/// The reason why a collector failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The host does not have the device or module: unsuccessful, but expected.
    NoData(Reason),
    /// An error.
    Error(Reason),
}

impl Failure {
    /// A failure because the host does not have the device or module.
    pub fn no_data(reason: impl fmt::Display) -> Self {
        Self::NoData(Reason::in_words(reason))
    }

    /// A failure because of an error.
    pub fn error(reason: impl fmt::Display) -> Self {
        Self::Error(Reason::in_words(reason))
    }

    /// A failure because an input exceeds a limit.
    pub fn too_large(reason: impl fmt::Display) -> Self {
        Self::Error(Reason::too_large(reason))
    }

    /// The reason, for display.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::NoData(reason) | Self::Error(reason) => reason,
        }
    }
}

impl From<FileError<'_>> for Failure {
    fn from(error: FileError<'_>) -> Self {
        Self::Error(error.into())
    }
}

impl From<ParseError<'_>> for Failure {
    fn from(error: ParseError<'_>) -> Self {
        Self::Error(error.into())
    }
}

impl From<KernelError> for Failure {
    fn from(error: KernelError) -> Self {
        Self::error(error)
    }
}

/// The message of a panic.
pub fn panic_words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Problems of a collector that did not stop it.
#[derive(Default, Debug)]
pub struct Problems {
    shown: Vec<Failure>,
    count: usize,
    /// The number of problems that do not count as a failure.
    harmless: usize,
}

/// Maximum number of problems of a collector and scrape that are kept; more are only counted. A file of a million bad
/// lines must not become a million messages.
pub const PROBLEMS_SHOWN_MAX: usize = 16;

impl Problems {
    /// Reports a problem. The collector counts as failed; its samples are served.
    pub fn report(&mut self, problem: impl Into<Failure>) {
        self.count += 1;
        if self.shown.len() < PROBLEMS_SHOWN_MAX {
            self.shown.push(problem.into());
        }
    }

    /// Reports a problem without failing the collector: one that node_exporter only logs, or exports as a sample.
    pub fn note(&mut self, problem: impl Into<Failure>) {
        self.report(problem);
        self.harmless += 1;
    }

    /// Returns the value, or reports the error.
    pub fn value<T, E: Into<Failure>>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|problem| self.report(problem)).ok()
    }

    /// Whether all problems were reported by [`Problems::note`].
    pub fn is_harmless(&self) -> bool {
        self.count == self.harmless
    }

    /// The number of problems.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first [`PROBLEMS_SHOWN_MAX`] problems.
    pub fn shown(&self) -> &[Failure] {
        &self.shown
    }

    /// Removes all problems.
    pub fn clear(&mut self) {
        self.shown.clear();
        self.count = 0;
        self.harmless = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::errno::Errno;

    fn parse_error(found: &[u8]) -> ParseError<'_> {
        ParseError {
            mount: Mount::Proc,
            path: b"meminfo",
            line: 3,
            field: b"MemFree",
            expected: "an unsigned integer",
            found,
        }
    }

    #[test]
    fn a_parse_error_names_file_line_field_and_value() {
        assert_eq!(
            parse_error(b"12x\xff").to_string(),
            "proc/meminfo:3: MemFree: expected an unsigned integer, found \"12x\\xff\""
        );
        assert!(parse_error(b"").to_string().ends_with("found nothing"));
    }

    #[test]
    fn a_long_value_is_abbreviated() {
        let at_limit = [b'9'; FOUND_SHOWN_BYTES];
        assert!(parse_error(&at_limit).to_string().ends_with("9\""));
        let beyond = [b'9'; FOUND_SHOWN_BYTES + 1];
        assert!(parse_error(&beyond).to_string().ends_with("9…\" (61 bytes)"));
    }

    #[test]
    fn a_file_error_names_the_path() {
        let error = FileError { mount: Mount::Sys, path: b"class/net", error: RootError::Errno(Errno::EACCES) };
        assert_eq!(error.to_string(), "sys/class/net: permission denied (EACCES)");
    }

    #[test]
    fn only_an_expected_error_is_no_data() {
        for (errno, is_no_data) in [(Errno::ENOENT, true), (Errno::EIO, false)] {
            let error = FileError { mount: Mount::Sys, path: b"class/net", error: errno.into() };
            let failure = error.or_no_data(RootError::is_missing);
            assert_eq!(matches!(failure, Failure::NoData(_)), is_no_data, "{failure:?}");
        }
    }

    #[test]
    fn problems_beyond_the_limit_are_only_counted() {
        let mut problems = Problems::default();
        for _ in 0..PROBLEMS_SHOWN_MAX {
            problems.report(Failure::error("x"));
        }
        assert_eq!((problems.shown().len(), problems.count()), (PROBLEMS_SHOWN_MAX, PROBLEMS_SHOWN_MAX));
        problems.report(Failure::error("x"));
        assert_eq!((problems.shown().len(), problems.count()), (PROBLEMS_SHOWN_MAX, PROBLEMS_SHOWN_MAX + 1));
    }
    #[test]
    fn a_noted_problem_is_harmless() {
        let mut problems = Problems::default();
        problems.note(Failure::error("x"));
        assert!(problems.is_harmless() && problems.count() == 1);
        problems.report(Failure::error("y"));
        assert!(!problems.is_harmless() && problems.count() == 2);
        problems.clear();
        assert!(problems.is_harmless());
    }
}
