//! Why a collector did not succeed.

use std::fmt;

use super::FileError;
use crate::host::root::{Mount, RootError};

/// Longer paths become words at once.
const PATH_MAX_BYTES: usize = 56;

/// What is shown as words. Most of a host's collectors have no data, scrape after scrape, and hardly anybody reads why:
/// of a file that did not answer, the words are made when they are asked for, and nothing is taken from the heap.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(Inner);

#[derive(Clone, PartialEq, Eq)]
enum Inner {
    Words(String),
    File { mount: Mount, error: RootError, path: [u8; PATH_MAX_BYTES], length: u8 },
}

impl Reason {
    /// What is shown like this.
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
    fn a_file_is_told_alike_whatever_the_length_of_its_path() {
        for length in [0, 1, PATH_MAX_BYTES - 1, PATH_MAX_BYTES, PATH_MAX_BYTES + 1, 300] {
            let path = vec![b'x'; length];
            let file = FileError { mount: Mount::Sys, path: &path, error: RootError::Errno(Errno::EIO) };
            assert_eq!(Reason::from(file).to_string(), file.to_string());
            assert_eq!(matches!(Reason::from(file).0, Inner::File { .. }), length <= PATH_MAX_BYTES, "{length}");
        }
    }
}
