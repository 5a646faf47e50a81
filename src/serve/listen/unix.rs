//! Unix sockets and their files.
#![expect(clippy::disallowed_methods, reason = "a socket's file may be left over from a process that is gone")]

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A listening Unix socket.
#[derive(Debug)]
pub struct Listener {
    socket: mio::net::UnixListener,
    path: PathBuf,
    /// Whether the file is removed when the listener is dropped.
    is_own: bool,
}

impl Listener {
    /// Creates the socket. A stale socket without a listener is removed first; any other existing file is an error.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => io::Error::new(error.kind(), "the directory does not exist; create it"),
            ErrorKind::PermissionDenied => {
                io::Error::new(error.kind(), "permission denied; choose a directory that this user may write to")
            }
            _ => error,
        })?;
        rustix::net::listen(&listener, super::BACKLOG)?;
        listener.set_nonblocking(true)?;
        Ok(Self { socket: mio::net::UnixListener::from_std(listener), path: path.to_owned(), is_own: true })
    }

    /// A socket that was passed to this process. Its file stays when the listener is dropped.
    #[cfg(target_os = "linux")]
    pub(super) fn inherit(listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Self { socket: mio::net::UnixListener::from_std(listener), path, is_own: false })
    }

    pub(super) fn accept(&self) -> io::Result<mio::net::UnixStream> {
        self.socket.accept().map(|(stream, _)| stream)
    }

    pub(super) fn source(&mut self) -> &mut dyn mio::event::Source {
        &mut self.socket
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if !metadata.file_type().is_socket() {
        let sentence = "the file exists and is not a socket; remove it, or choose another path";
        return Err(io::Error::new(ErrorKind::AlreadyExists, sentence));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => {
            let sentence = "another process listens on this socket; stop it, or choose another path";
            Err(io::Error::new(ErrorKind::AddrInUse, sentence))
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix:{}", self.path.display())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.is_own {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuse(path: &Path, expected: &str) {
        let error = Listener::bind(path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(fs::symlink_metadata(path).is_ok());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_other_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        let first = Listener::bind(&path).unwrap();
        assert_eq!(first.to_string(), format!("unix:{}", path.display()));
        refuse(&path, "another process listens on this socket");
        drop(first);
        assert!(fs::symlink_metadata(&path).is_err());
        drop(UnixListener::bind(&path).unwrap());
        assert!(fs::symlink_metadata(&path).is_ok());
        drop(Listener::bind(&path).unwrap());
        fs::write(&path, "mine").unwrap();
        refuse(&path, "not a socket");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let error = Listener::bind(&folder.path().join("missing/x.sock")).unwrap_err().to_string();
        assert_eq!(error, "the directory does not exist; create it");
    }
}
