//! Baseline for a scrape: opening, reading and closing its files, each once, without parsing.
//!
//! A scrape that costs less keeps something open between scrapes.

#![expect(clippy::disallowed_methods, reason = "the baseline loop opens files directly")]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use collectors::host::root::Mount;

use crate::meter::MountPath;

/// Size of the first read; each further read of a large file is four times as large.
const FIRST_READ_BYTES: usize = 4 << 10;
const LARGEST_READ_BYTES: usize = 256 << 10;

/// The files of a scrape, to be read in a loop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlainReads {
    paths: Vec<PathBuf>,
    buffer: Vec<u8>,
}

/// Totals of one pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReadTotals {
    /// Files read to their end.
    pub files: usize,
    /// Files that could not be read.
    pub failed: usize,
    /// Bytes read.
    pub read_bytes: u64,
}

impl PlainReads {
    /// A loop over these files; `place` gives the path of a mount.
    pub fn new<'a>(files: impl IntoIterator<Item = &'a MountPath>, place: impl Fn(Mount) -> PathBuf) -> Self {
        let path = |file: &MountPath| place(file.mount).join(&*String::from_utf8_lossy(&file.path));
        Self { paths: files.into_iter().map(path).collect(), buffer: vec![0; LARGEST_READ_BYTES] }
    }

    /// Number of files.
    pub fn files(&self) -> usize {
        self.paths.len()
    }

    /// Reads each file once.
    pub fn read(&mut self) -> ReadTotals {
        let mut sum = ReadTotals::default();
        for path in &self.paths {
            match read(path, &mut self.buffer) {
                Ok(read_bytes) => {
                    sum.files += 1;
                    sum.read_bytes += read_bytes;
                }
                Err(_) => sum.failed += 1,
            }
        }
        sum
    }
}

fn read(path: &Path, buffer: &mut [u8]) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let (mut size_bytes, mut wanted) = (0, FIRST_READ_BYTES.min(buffer.len()));
    loop {
        let count = file.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Ok(size_bytes);
        }
        size_bytes += count as u64;
        if count == wanted {
            wanted = (wanted * 4).min(buffer.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    #[test]
    fn files_are_read_to_their_end_and_failures_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, size_bytes) in [("empty", 0), ("small", 10), ("step", FIRST_READ_BYTES), ("large", 300_000)] {
            load::write(&folder.path().join(name), &vec![b'x'; size_bytes]).expect("a file");
        }
        let question = |name: &str| MountPath { mount: Mount::Proc, path: name.as_bytes().to_vec() };
        let files = ["empty", "small", "step", "large", "gone"].map(question);
        let mut plain = PlainReads::new(&files, |_| folder.path().to_owned());
        let expected = ReadTotals { files: 4, failed: 1, read_bytes: 300_010 + FIRST_READ_BYTES as u64 };
        assert_eq!((plain.files(), plain.read(), plain.read()), (5, expected, expected));
    }
}
