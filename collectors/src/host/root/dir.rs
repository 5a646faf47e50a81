//! A real directory.
//!
//! On Linux the kernel confines every path to the directory (`dir/linux.rs`); on other systems paths are resolved by
//! component (`dir/portable.rs`). Reads do not block: a FIFO, socket or device is an error.

#[cfg(target_os = "linux")]
pub(super) mod linux;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
pub(super) mod rendered;
// On Linux only tests use it, to check that both implementations agree.
#[cfg(any(not(target_os = "linux"), test))]
pub(super) mod portable;

use std::path::Path;

#[cfg(any(not(target_os = "linux"), test))]
use super::live::within;
use super::{Metadata, Names, Root, RootError};

#[cfg(target_os = "linux")]
use linux::Confined;
#[cfg(not(target_os = "linux"))]
use portable::Confined;

/// Size of the first read: most files of /proc and /sys fit. For /proc/sys the kernel clears memory of this size.
const FIRST_READ_BYTES: usize = 4 << 10;
const LARGEST_READ_BYTES: usize = 16 << 10;

/// A directory of the file system as a root.
#[derive(Debug)]
pub struct Dir {
    confined: Confined,
}

impl Dir {
    /// Opens the directory at this path of the operating system.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RootError> {
        Ok(Self { confined: Confined::open(path.as_ref())? })
    }
}

impl Root for Dir {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        self.confined.read(path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        self.confined.list(path, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.confined.read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.confined.metadata(path)
    }
}

/// Replaces `into` by everything that `read` returns until the end (on Linux `dir/reading.rs` does this). Requests one byte
/// above the cap, to distinguish a file of exactly this size from a larger one.
#[cfg(any(not(target_os = "linux"), test))]
fn fill(
    into: &mut Vec<u8>,
    cap_bytes: usize,
    mut read: impl FnMut(&mut [u8]) -> Result<usize, RootError>,
) -> Result<(), RootError> {
    into.clear();
    let mut step = FIRST_READ_BYTES;
    loop {
        let start = into.len();
        let wanted = step.min(cap_bytes.saturating_sub(start).saturating_add(1));
        into.resize(start + wanted, 0);
        let count = read(&mut into[start..]).and_then(|count| {
            into.truncate(start + count);
            within(into.len(), cap_bytes).map(|()| count)
        });
        match count {
            Ok(0) => return Ok(()),
            Ok(count) if count == wanted => step = (step * 4).min(LARGEST_READ_BYTES),
            Ok(_) => {}
            Err(error) => {
                into.clear();
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::errno::Errno;

    #[track_caller]
    fn check_fill(size_bytes: usize, cap_bytes: usize, expected: Result<(), RootError>) {
        let mut given = 0;
        let mut into = b"of the file before".to_vec();
        let result = fill(&mut into, cap_bytes, |buffer| {
            let count = buffer.len().min(size_bytes - given).min(5_000);
            buffer[..count].fill(7);
            given += count;
            Ok(count)
        });
        assert_eq!(result, expected);
        assert_eq!(into, vec![7; if expected.is_ok() { size_bytes } else { 0 }]);
    }

    #[test]
    fn files_are_read_to_the_end_or_to_the_cap() {
        for size_bytes in [0, 1, 4095, 4096, 4097, 20_480, 20_481, 300_000] {
            check_fill(size_bytes, 1 << 20, Ok(()));
            check_fill(size_bytes, size_bytes, Ok(()));
        }
        for size_bytes in [1, 4096, 4097, 300_000] {
            let error = RootError::TooLarge { size_bytes: size_bytes as u64, cap_bytes: size_bytes as u64 - 1 };
            check_fill(size_bytes, size_bytes - 1, Err(error));
        }
    }

    #[test]
    fn an_error_midway_discards_the_content() {
        let mut into = Vec::new();
        let mut reads = 0;
        let result = fill(&mut into, 100_000, |buffer| {
            reads += 1;
            if reads == 1 { Ok(buffer.len()) } else { Err(Errno::EIO.into()) }
        });
        assert_eq!((result, into.len()), (Err(Errno::EIO.into()), 0));
    }

    #[test]
    fn a_root_has_to_be_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
        assert_eq!(Dir::open(file.path()).err(), Some(Errno::ENOTDIR.into()));
        assert_eq!(Dir::open(folder.path().join("missing")).err(), Some(Errno::ENOENT.into()));
    }
}
