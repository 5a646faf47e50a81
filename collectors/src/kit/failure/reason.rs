//! Reasons of failures: complete for the log, and without content of files for clients.

use std::fmt;

use super::{FileError, ParseError};
use crate::host::root::{Mount, RootError};

/// Maximum length of a path that is stored; errors with longer paths are formatted at once.
const PATH_MAX_BYTES: usize = 56;

/// The reason of a failure. The message of an unreadable file is formatted when it is shown, so that the failure allocates
/// nothing: on most hosts, many collectors have no data in every scrape.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(Inner);

#[derive(Clone, PartialEq, Eq)]
enum Inner {
    Words(String),
    /// The input exceeds a limit.
    TooLarge(String),
    /// The complete message, and the one without field and found value, which may be content of the file.
    Parsed {
        words: String,
        public: String,
    },
    File {
        mount: Mount,
        error: RootError,
        path: [u8; PATH_MAX_BYTES],
        length: u8,
    },
}

impl Reason {
    /// A reason with this message.
    pub(super) fn in_words(words: impl fmt::Display) -> Self {
        Self(Inner::Words(words.to_string()))
    }

    /// A reason with this message: an input exceeds a limit.
    pub(super) fn too_large(words: impl fmt::Display) -> Self {
        Self(Inner::TooLarge(words.to_string()))
    }

    /// Whether an input exceeds a limit, which probably happens in every scrape.
    pub fn is_too_large(&self) -> bool {
        matches!(self.0, Inner::TooLarge(_) | Inner::File { error: RootError::TooLarge { .. }, .. })
    }

    /// The reason without content of files, for clients: path, line and kind.
    pub fn public(&self) -> impl fmt::Display {
        match &self.0 {
            Inner::File { .. } => self.to_string(),
            Inner::Parsed { public, .. } => public.clone(),
            // Quoted text may be content of a file.
            Inner::Words(words) | Inner::TooLarge(words) => {
                let before = words.split(['`', '"']).next().unwrap_or_default().trim_end();
                before.strip_suffix(", found").unwrap_or(before).to_owned()
            }
        }
    }
}

impl From<ParseError<'_>> for Reason {
    fn from(error: ParseError<'_>) -> Self {
        let public = format!("{}: expected {}", error.place(), error.expected);
        Self(Inner::Parsed { words: error.to_string(), public })
    }
}

impl From<FileError<'_>> for Reason {
    fn from(file: FileError<'_>) -> Self {
        let mut path = [0; PATH_MAX_BYTES];
        match (path.get_mut(..file.path.len()), u8::try_from(file.path.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(file.path);
                Self(Inner::File { mount: file.mount, error: file.error, path, length })
            }
            _ if matches!(file.error, RootError::TooLarge { .. }) => Self::too_large(file),
            _ => Self::in_words(file),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Words(words) | Inner::TooLarge(words) | Inner::Parsed { words, .. } => f.write_str(words),
            Inner::File { mount, error, path, length } => {
                let path = path.get(..usize::from(*length)).unwrap_or_default();
                FileError { mount: *mount, path, error: *error }.fmt(f)
            }
        }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::errno::Errno;

    #[test]
    fn the_message_of_a_file_error_does_not_depend_on_the_length_of_its_path() {
        for length in [0, 1, PATH_MAX_BYTES - 1, PATH_MAX_BYTES, PATH_MAX_BYTES + 1, 300] {
            let path = vec![b'x'; length];
            let file = FileError { mount: Mount::Sys, path: &path, error: RootError::Errno(Errno::EIO) };
            assert_eq!(Reason::from(file).to_string(), file.to_string());
            assert_eq!(matches!(Reason::from(file).0, Inner::File { .. }), length <= PATH_MAX_BYTES, "{length}");
        }
    }

    #[test]
    fn the_public_reason_omits_content_of_files() {
        let (mount, path) = (Mount::Host, b"d/a.prom".as_slice());
        let parsed = ParseError { mount, path, line: 2, field: b"SECRET", expected: "a number", found: b"root:SECRET" };
        let public = |reason: Reason| reason.public().to_string();
        assert_eq!(public(parsed.into()), "d/a.prom:2: expected a number");
        assert!(Reason::from(parsed).to_string().ends_with("found \"root:SECRET\""));
        assert_eq!(
            public(Reason::in_words("os-release: ID: expected text, found `SECRET`")),
            "os-release: ID: expected text"
        );
        assert_eq!(
            public(Reason::in_words("os-release: ID: expected text, found \"SECRET\"")),
            "os-release: ID: expected text"
        );
        assert_eq!(public(Reason::in_words("still running")), "still running");
    }
}
