//! Paths of the operator: absolute or relative to the working directory, with any links and `..`.
//!
//! Paths are not confined, so only flags may name them (such as the textfile directory). On Windows a path is UTF-8; on
//! other systems it is arbitrary bytes.

use super::live::readable;
use super::{Metadata, Names, Root, RootError};
use crate::host::errno::Errno;

#[cfg(not(target_os = "linux"))]
use super::dir::portable as system;

/// The root of paths of the operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Host;

#[cfg(target_os = "linux")]
impl Root for Host {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        use super::dir::linux::{open_anywhere, read_found};
        into.clear();
        // Opening some devices has side effects: a tape rewinds, a watchdog starts. So the type is checked before opening,
        // and again afterwards, because the file may have been replaced in between.
        readable(self.metadata(path)?.kind)?;
        read_found(&open_anywhere(path)?, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        super::dir::linux::list_all(&super::dir::linux::open_directory_anywhere(path)?, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        // With a handle of the working directory, an empty path would be `EINVAL` or `ENOENT`, depending on the kernel.
        if path.is_empty() { Err(Errno::ENOENT.into()) } else { super::dir::linux::read_link_anywhere(path, into) }
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        super::dir::linux::metadata_anywhere(path)
    }
}

#[cfg(not(target_os = "linux"))]
impl Root for Host {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        readable(self.metadata(path)?.kind)?;
        system::read_all(system::path_from(path)?, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        if self.metadata(path)?.kind != super::Kind::Directory {
            return Err(Errno::ENOTDIR.into());
        }
        system::list_all(system::path_from(path)?, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        system::read_link_anywhere(system::path_from(path)?, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        system::metadata_anywhere(system::path_from(path)?)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files to be read are written here")]
mod tests {
    use super::*;
    use crate::host::root::Kind;

    #[test]
    fn absolute_paths_and_dots_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        std::fs::create_dir(folder.path().join("textfiles")).unwrap();
        std::fs::write(folder.path().join("textfiles/a.prom"), "a 1\n").unwrap();
        let (mut bytes, mut names) = (Vec::new(), Names::new());
        Host.read(format!("{path}/textfiles/../textfiles/./a.prom").as_bytes(), &mut bytes, 4).unwrap();
        assert_eq!(bytes, b"a 1\n");
        Host.list(format!("{path}/textfiles").as_bytes(), &mut names).unwrap();
        assert_eq!(names.iter_kinds().collect::<Vec<_>>(), [(&b"a.prom"[..], Kind::File)]);
        let error = RootError::TooLarge { size_bytes: 4, cap_bytes: 3 };
        assert_eq!(Host.read(format!("{path}/textfiles/a.prom").as_bytes(), &mut bytes, 3), Err(error));
        assert!(bytes.is_empty());
        assert_eq!(Host.read(path.as_bytes(), &mut bytes, 3), Err(Errno::EISDIR.into()));
        let missing = format!("{path}/missing");
        assert_eq!(Host.list(missing.as_bytes(), &mut names), Err(Errno::ENOENT.into()));
        assert_eq!(Host.list(format!("{path}/textfiles/a.prom").as_bytes(), &mut names), Err(Errno::ENOTDIR.into()));
        assert_eq!(Host.read(b"", &mut bytes, 3), Err(Errno::ENOENT.into()));
        assert_eq!(Host.read_link(b"", &mut bytes), Err(Errno::ENOENT.into()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reads_do_not_block() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let (fifo, socket) = (folder.path().join("fifo"), folder.path().join("socket"));
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [fifo.to_str().unwrap(), socket.to_str().unwrap(), "/dev/null"] {
            assert_eq!(Host.read(path.as_bytes(), &mut Vec::new(), 10), Err(RootError::Special), "{path}");
        }
    }
}
