//! The reason of a failure.

use std::fmt;

use super::FileError;
use crate::host::root::{Mount, RootError};

/// Longer paths are formatted at once.
const PATH_MAX_BYTES: usize = 56;

/// A reason that is formatted when it is displayed. Most collectors of a host have no data at every scrape, and the
/// reason is rarely read: a file error is kept without an allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(Inner);

#[derive(Clone, PartialEq, Eq)]
enum Inner {
    Words(String),
    File { mount: Mount, error: RootError, path: [u8; PATH_MAX_BYTES], length: u8 },
}

impl Reason {
    /// A reason with this text.
    pub(super) fn in_words(words: impl fmt::Display) -> Self {
        Self(Inner::Words(words.to_string()))
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
            _ => Self::in_words(file),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Words(words) => f.write_str(words),
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
    fn a_file_error_reads_the_same_for_short_and_long_paths() {
        for length in [0, 1, PATH_MAX_BYTES - 1, PATH_MAX_BYTES, PATH_MAX_BYTES + 1, 300] {
            let path = vec![b'x'; length];
            let file = FileError { mount: Mount::Sys, path: &path, error: RootError::Errno(Errno::EIO) };
            assert_eq!(Reason::from(file).to_string(), file.to_string());
            assert_eq!(matches!(Reason::from(file).0, Inner::File { .. }), length <= PATH_MAX_BYTES, "{length}");
        }
    }
}
