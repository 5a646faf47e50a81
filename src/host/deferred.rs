//! A directory that may be created after the exporter has started.

use std::path::PathBuf;
use std::sync::OnceLock;

use collectors::host::root::dir::Dir;
use collectors::host::root::{Metadata, Names, Root, RootError};

/// The directory at a path, opened by the first read that finds it.
#[derive(Debug)]
pub(super) struct Deferred {
    path: PathBuf,
    found: OnceLock<Dir>,
}

impl Deferred {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, found: OnceLock::new() }
    }

    fn directory(&self) -> Result<&Dir, RootError> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = Dir::open(&self.path)?;
        Ok(self.found.get_or_init(|| found))
    }
}

impl Root for Deferred {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        self.directory()?.read(path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        self.directory()?.list(path, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        self.directory()?.read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.directory()?.metadata(path)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files to be read are written here")]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_found_once_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let deferred = Deferred::new(path.clone());
        let (mut bytes, mut names) = (b"before".to_vec(), Names::new());
        assert!(deferred.read(b"b8:0", &mut bytes, 10).unwrap_err().is_missing());
        assert!(bytes.is_empty() && deferred.metadata(b"b8:0").is_err());
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("b8:0"), "E:X=1\n").unwrap();
        deferred.read(b"b8:0", &mut bytes, 10).unwrap();
        deferred.list(b"", &mut names).unwrap();
        assert_eq!((bytes.as_slice(), names.len()), (&b"E:X=1\n"[..], 1));
    }
}
