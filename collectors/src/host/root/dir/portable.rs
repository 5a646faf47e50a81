//! Reading on every system by the standard library: each component of a path is checked before the next is entered.
#![expect(clippy::disallowed_methods, reason = "the implementation of file access")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::fill;
use crate::host::errno::Errno;
use crate::host::root::live::readable;
use crate::host::root::resolve::{Last, Links, PathBuffer, resolve};
use crate::host::root::{Kind, Metadata, Names, RootError};

/// A directory that confines paths.
#[derive(Debug)]
pub(in crate::host::root) struct Confined {
    /// The canonical path: on Windows, names in this form are never device names, and are not trimmed.
    directory: PathBuf,
}

impl Confined {
    pub(in crate::host::root) fn open(path: &Path) -> Result<Self, RootError> {
        let directory = fs::canonicalize(path).map_err(|error| system(&error))?;
        match metadata_anywhere(&directory)?.kind {
            Kind::Directory => Ok(Self { directory }),
            _ => Err(Errno::ENOTDIR.into()),
        }
    }

    pub(in crate::host::root) fn read(
        &self,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        into.clear();
        let (kind, path) = self.find(path, Last::Followed)?;
        readable(kind)?;
        read_all(&path, into, cap_bytes)
    }

    pub(in crate::host::root) fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let (kind, path) = self.find(path, Last::Followed)?;
        if kind != Kind::Directory {
            return Err(Errno::ENOTDIR.into());
        }
        list_all(&path, into)
    }

    pub(in crate::host::root) fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        let (kind, path) = self.find(path, Last::Kept)?;
        if kind != Kind::Link {
            return Err(Errno::EINVAL.into());
        }
        read_link_anywhere(&path, into)
    }

    pub(in crate::host::root) fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        metadata_anywhere(&self.find(path, Last::Followed)?.1)
    }

    fn find(&self, path: &[u8], last: Last) -> Result<(Kind, PathBuf), RootError> {
        let mut resolved = PathBuffer::new();
        let kind = resolve(self, path, last, &mut resolved)?;
        Ok((kind, self.on_disk(resolved.as_bytes())?))
    }

    fn on_disk(&self, path: &[u8]) -> Result<PathBuf, RootError> {
        let mut on_disk = self.directory.clone();
        for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            // On Windows these are a separator and the mark of an alternate stream, and not valid in file names.
            if cfg!(windows) && name.iter().any(|byte| matches!(byte, b'\\' | b':')) {
                return Err(Errno::ENOENT.into());
            }
            on_disk.push(path_from(name)?);
        }
        Ok(on_disk)
    }
}

impl Links for Confined {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        let metadata = fs::symlink_metadata(self.on_disk(path)?).map_err(|error| system(&error))?;
        Ok(kind_from(metadata.file_type()))
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        let mut target = Vec::new();
        read_link_anywhere(&self.on_disk(path)?, &mut target)?;
        if cfg!(windows) {
            target.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
        }
        into.append(&target)
    }
}

fn system(error: &std::io::Error) -> RootError {
    error.into()
}

/// Converts to a path of the operating system, which must be UTF-8 on Windows.
#[cfg_attr(unix, expect(clippy::unnecessary_wraps, reason = "on Windows it can fail"))]
pub(in crate::host::root) fn path_from(bytes: &[u8]) -> Result<&Path, RootError> {
    #[cfg(unix)]
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes);
    #[cfg(not(unix))]
    let path = std::str::from_utf8(bytes).map_err(|_| Errno::EINVAL)?;
    Ok(Path::new(path))
}

#[cfg_attr(unix, expect(clippy::unnecessary_wraps, reason = "on Windows it can fail"))]
fn bytes_from(name: &std::ffi::OsStr) -> Result<&[u8], RootError> {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(name);
    #[cfg(not(unix))]
    let bytes = name.to_str().ok_or(Errno::EINVAL)?.as_bytes();
    Ok(bytes)
}

pub(in crate::host::root) fn read_all(path: &Path, into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
    let mut file = fs::File::open(path).map_err(|error| system(&error))?;
    fill(into, cap_bytes, |buffer| {
        loop {
            match file.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| system(&error)),
            }
        }
    })
}

pub(in crate::host::root) fn list_all(path: &Path, into: &mut Names) -> Result<(), RootError> {
    into.clear();
    for entry in fs::read_dir(path).map_err(|error| system(&error))? {
        let entry = entry.map_err(|error| system(&error))?;
        let kind = entry.file_type().map_err(|error| system(&error))?;
        into.push(bytes_from(&entry.file_name())?, kind_from(kind));
    }
    into.sort();
    Ok(())
}

pub(in crate::host::root) fn read_link_anywhere(path: &Path, into: &mut Vec<u8>) -> Result<(), RootError> {
    into.clear();
    let target = fs::read_link(path).map_err(|error| system(&error))?;
    into.extend_from_slice(bytes_from(target.as_os_str())?);
    Ok(())
}

pub(in crate::host::root) fn metadata_anywhere(path: &Path) -> Result<Metadata, RootError> {
    let metadata = fs::metadata(path).map_err(|error| system(&error))?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Metadata {
        kind: kind_from(metadata.file_type()),
        size_bytes: metadata.len(),
        // Times before 1970 are treated as 1970.
        modified: modified.unwrap_or(Duration::ZERO),
    })
}

fn kind_from(kind: fs::FileType) -> Kind {
    if kind.is_symlink() {
        Kind::Link
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_file() {
        Kind::File
    } else {
        Kind::Special
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_special_meanings_on_windows_are_not_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inside")).unwrap();
        fs::write(folder.path().join("outside"), "secret").unwrap();
        let root = Confined::open(&folder.path().join("inside")).unwrap();
        for name in ["..\\outside", "C:\\outside", "outside:stream", "\\\\?\\C:\\x", ".. ", "CON", "nul"] {
            assert_eq!(root.read(name.as_bytes(), &mut Vec::new(), 99), Err(Errno::ENOENT.into()), "{name}");
        }
        assert_eq!(root.read(b"../outside", &mut Vec::new(), 99), Err(RootError::Escapes));
    }
}
