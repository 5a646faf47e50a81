//! Reading on Linux: relative to an open directory, with few system calls and without allocations.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::{Errno as SystemErrno, retry_on_intr};

use super::reading::{self, End, system};
use super::rendered::Rendered;
use crate::host::errno::Errno;
use crate::host::root::live::readable;
use crate::host::root::resolve::{Last, Links, MAX_PATH_BYTES, PathBuffer, resolve};
use crate::host::root::{Kind, Metadata, Names, RootError};

/// With `O_NONBLOCK`, opening a FIFO does not wait for a writer.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const LIST: OFlags = READ.union(OFlags::DIRECTORY);
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
/// Maximum number of attempts: the kernel returns `EAGAIN` for `..` during a concurrent rename or mount.
const MAX_RACES: u32 = 8;
/// Buffer of `getdents64`: 100 to 200 names of /proc or /sys per call.
const LIST_BUFFER_BYTES: usize = 8 << 10;

/// A directory that confines paths.
#[derive(Debug)]
pub(in crate::host::root) struct Confined {
    directory: OwnedFd,
    /// Whether the kernel has `openat2` (since 5.6) and no filter of a container blocks it.
    kernel_confines: bool,
    /// The pseudo file system of the directory.
    pub(in crate::host::root) rendered: Option<Rendered>,
}

impl Confined {
    pub(in crate::host::root) fn open(path: &Path) -> Result<Self, RootError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::openat(CWD, path, flags, Mode::empty()).map_err(system)?;
        let kernel_confines = fs::openat2(&directory, ".", LOOK, Mode::empty(), ResolveFlags::BENEATH).is_ok();
        let rendered = Rendered::of(&directory)?;
        Ok(Self { directory, kernel_confines, rendered })
    }

    /// This directory without `openat2`, as on an older kernel.
    #[cfg(test)]
    pub(in crate::host::root) fn open_for_old_kernels(path: &Path) -> Result<Self, RootError> {
        Ok(Self { kernel_confines: false, ..Self::open(path)? })
    }

    pub(in crate::host::root) fn read(
        &self,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        into.clear();
        self.read_opened(&self.open_file(path)?, path, into, cap_bytes)
    }

    /// Opens the file at `path` for [`Confined::read_opened`].
    pub(in crate::host::root) fn open_file(&self, path: &[u8]) -> Result<OwnedFd, RootError> {
        match self.open_inside(path, READ, Last::Followed) {
            // The error of opening a socket.
            Err(RootError::Errno(Errno::ENXIO)) => {
                readable(self.metadata(path)?.kind)?;
                Err(Errno::ENXIO.into())
            }
            file => file,
        }
    }

    /// Reads a newly opened file.
    pub(in crate::host::root) fn read_opened(
        &self,
        file: &OwnedFd,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        let Some(rendered) = self.rendered else {
            return read_found(file, into, cap_bytes);
        };
        reading::whole(file, rendered.end(path), into, cap_bytes)?;
        if into.is_empty() {
            // Containers mask files of /proc by /dev/null.
            readable(kind_of(file)?)?;
        }
        Ok(())
    }

    /// Reads an open file of a pseudo file system again.
    pub(in crate::host::root) fn read_again(
        &self,
        file: &OwnedFd,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        let end = self.rendered.map_or(End::Nothing, |rendered| rendered.end_of_kept(path));
        reading::again(file, end, into, cap_bytes)
    }

    pub(in crate::host::root) fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        list_all(&self.open_directory(path)?, into)
    }

    /// Opens the directory at `path` for [`list_all`].
    pub(in crate::host::root) fn open_directory(&self, path: &[u8]) -> Result<OwnedFd, RootError> {
        self.open_inside(path, LIST, Last::Followed)
    }

    /// Opens the directory at `path` for [`open_beside`].
    pub(in crate::host::root) fn open_place(&self, path: &[u8]) -> Result<OwnedFd, RootError> {
        self.open_inside(path, LOOK | OFlags::DIRECTORY, Last::Followed)
    }

    pub(in crate::host::root) fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        let link = self.open_inside(path, LOOK | OFlags::NOFOLLOW, Last::Kept)?;
        // The kernel returns `ENOENT` for a descriptor of anything other than a link.
        read_link_at(link.as_fd(), b"", into).map_err(|error| match error {
            RootError::Errno(Errno::ENOENT) => Errno::EINVAL.into(),
            error => error,
        })
    }

    pub(in crate::host::root) fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        Ok(metadata_of(&self.stat(path)?))
    }

    /// The identity of the file or directory at `path`: device number and inode.
    pub(in crate::host::root) fn identity(&self, path: &[u8]) -> Result<(u64, u64), RootError> {
        let stat = self.stat(path)?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// Whether this identity is at `path` now.
    pub(in crate::host::root) fn is_at(&self, path: &[u8], file: &OwnedFd) -> bool {
        let opened = fs::fstat(file).map_err(system).map(|stat| (stat.st_dev, stat.st_ino));
        opened.is_ok() && opened == self.identity(path)
    }

    /// Whether a lookup of this path of the kernel's own fails with this error.
    pub(in crate::host::root) fn lacks(&self, path: &[u8], error: RootError) -> bool {
        let looked = || fs::statat(&self.directory, path, AtFlags::empty()).map_err(system);
        self.rendered.is_some() && looked().err() == Some(error)
    }

    fn stat(&self, path: &[u8]) -> Result<Stat, RootError> {
        // Links of /sys are created by the kernel, and none leaves it.
        if self.rendered == Some(Rendered::Sys) && !path.is_empty() {
            return fs::statat(&self.directory, path, AtFlags::empty()).map_err(system);
        }
        fs::fstat(self.open_inside(path, LOOK, Last::Followed)?).map_err(system)
    }

    fn open_inside(&self, path: &[u8], flags: OFlags, last: Last) -> Result<OwnedFd, RootError> {
        if !self.kernel_confines {
            return self.open_by_walking(path, flags, last);
        }
        let path = if path.is_empty() { b"." } else { path };
        let mut races = 0;
        loop {
            match fs::openat2(&self.directory, path, flags, Mode::empty(), ResolveFlags::BENEATH) {
                Err(SystemErrno::AGAIN) if races < MAX_RACES => races += 1,
                Err(SystemErrno::INTR) => {}
                // The kernel refuses absolute links too, which are resolved from the root here.
                Err(SystemErrno::XDEV | SystemErrno::AGAIN) => return self.open_by_walking(path, flags, last),
                result => return result.map_err(system),
            }
        }
    }

    fn open_by_walking(&self, path: &[u8], flags: OFlags, last: Last) -> Result<OwnedFd, RootError> {
        let mut resolved = PathBuffer::new();
        resolve(self, path, last, &mut resolved)?;
        let path = if resolved.is_empty() { b"." } else { resolved.as_bytes() };
        retry_on_intr(|| fs::openat(&self.directory, path, flags | OFlags::NOFOLLOW, Mode::empty())).map_err(system)
    }
}

impl Links for Confined {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        let stat = fs::statat(&self.directory, path, AtFlags::SYMLINK_NOFOLLOW).map_err(system)?;
        Ok(metadata_of(&stat).kind)
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        let mut buffer = [MaybeUninit::uninit(); MAX_PATH_BYTES];
        let (target, _) = fs::readlinkat_raw(&self.directory, path, &mut buffer).map_err(system)?;
        into.append(target)
    }
}

pub(in crate::host::root) fn open_anywhere(path: &[u8]) -> Result<OwnedFd, RootError> {
    retry_on_intr(|| fs::openat(CWD, path, READ, Mode::empty())).map_err(system)
}

pub(in crate::host::root) fn open_directory_anywhere(path: &[u8]) -> Result<OwnedFd, RootError> {
    retry_on_intr(|| fs::openat(CWD, path, LIST, Mode::empty())).map_err(system)
}

pub(in crate::host::root) fn metadata_anywhere(path: &[u8]) -> Result<Metadata, RootError> {
    Ok(metadata_of(&fs::statat(CWD, path, AtFlags::empty()).map_err(system)?))
}

pub(in crate::host::root) fn read_link_anywhere(path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
    read_link_at(CWD, path, into)
}

/// Opens the file of this name in a directory; `None` for a link or a file that cannot be opened in this way.
pub(in crate::host::root) fn open_beside(place: &OwnedFd, name: &[u8]) -> Result<Option<OwnedFd>, RootError> {
    match retry_on_intr(|| fs::openat(place, name, READ | OFlags::NOFOLLOW, Mode::empty())) {
        Err(SystemErrno::LOOP | SystemErrno::NXIO) => Ok(None),
        file => file.map(Some).map_err(system),
    }
}

fn kind_of(file: &OwnedFd) -> Result<Kind, RootError> {
    Ok(metadata_of(&fs::fstat(file).map_err(system)?).kind)
}

/// Reads a newly opened file of any file system.
pub(in crate::host::root) fn read_found(file: &OwnedFd, into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
    let Metadata { kind, size_bytes, .. } = metadata_of(&fs::fstat(file).map_err(system)?);
    readable(kind)?;
    // A file with a known size returns a short read only at its end; a rendered file has the size 0.
    reading::whole(file, if size_bytes > 0 { End::Short } else { End::Nothing }, into, cap_bytes)
}

/// Lists an open directory again.
pub(in crate::host::root) fn list_again(directory: &OwnedFd, into: &mut Names) -> Result<(), RootError> {
    fs::seek(directory, fs::SeekFrom::Start(0)).map_err(system)?;
    list_all(directory, into)
}

pub(in crate::host::root) fn list_all(directory: &OwnedFd, into: &mut Names) -> Result<(), RootError> {
    into.clear();
    let mut buffer = [MaybeUninit::uninit(); LIST_BUFFER_BYTES];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(system)?;
        let name = entry.file_name();
        let kind = match (name.to_bytes(), entry.file_type()) {
            (b"." | b"..", _) => continue,
            // Some file systems do not return the type. An entry that was removed in the meantime is skipped.
            (_, FileType::Unknown) => match fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => metadata_of(&stat).kind,
                Err(_) => continue,
            },
            (_, kind) => kind_from(kind),
        };
        into.push(name.to_bytes(), kind);
    }
    into.sort();
    Ok(())
}

fn read_link_at(directory: BorrowedFd<'_>, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
    into.clear();
    let mut buffer = [MaybeUninit::uninit(); MAX_PATH_BYTES];
    let (target, _) = fs::readlinkat_raw(directory, path, &mut buffer).map_err(system)?;
    into.extend_from_slice(target);
    Ok(())
}

fn kind_from(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    }
}

fn metadata_of(stat: &Stat) -> Metadata {
    // Times before 1970 are treated as 1970.
    let modified = u64::try_from(stat.st_mtime).map_or(Duration::ZERO, |seconds| {
        Duration::new(seconds, u32::try_from(stat.st_mtime_nsec).unwrap_or(0).min(999_999_999))
    });
    Metadata {
        kind: kind_from(FileType::from_raw_mode(stat.st_mode)),
        size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
        modified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Root;
    use crate::host::root::dir::Dir;

    #[track_caller]
    fn both(path: &str) -> [Confined; 2] {
        let path = Path::new(path);
        [Confined::open(path).unwrap(), Confined::open_for_old_kernels(path).unwrap()]
    }

    #[test]
    fn ordinary_links_of_proc_are_followed_and_magic_ones_are_not() {
        for proc in both("/proc") {
            let mut bytes = Vec::new();
            proc.read(b"self/stat", &mut bytes, 1 << 16).unwrap();
            proc.read(b"net/dev", &mut bytes, 1 << 16).unwrap();
            assert!(bytes.starts_with(b"Inter-|"));
            // The targets of magic links are known to the kernel only; their text does not exist below /proc.
            assert_eq!(proc.read(b"self/exe", &mut bytes, 1 << 30), Err(Errno::ENOENT.into()));
            assert_eq!(proc.read(b"self/root/etc/passwd", &mut bytes, 1 << 30), Err(Errno::ENOENT.into()));
            proc.read_link(b"self/exe", &mut bytes).unwrap();
            assert!(bytes.starts_with(b"/"));
        }
    }

    #[test]
    fn links_of_sys_are_followed() {
        for sys in both("/sys") {
            let (mut names, mut bytes) = (Names::new(), Vec::new());
            sys.list(b"class/net", &mut names).unwrap();
            if names.contains(b"lo") {
                sys.read(b"class/net/lo/address", &mut bytes, 100).unwrap();
                assert_eq!(bytes, b"00:00:00:00:00:00\n");
                sys.read_link(b"class/net/lo", &mut bytes).unwrap();
                assert!(bytes.starts_with(b"../../"));
            }
        }
    }

    #[test]
    fn a_fifo_and_a_socket_are_errors_without_blocking() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let path = folder.path().to_str().unwrap();
        for directory in both(path) {
            for name in [&b"fifo"[..], b"socket"] {
                let mut names = Names::new();
                assert_eq!(directory.read(name, &mut Vec::new(), 10), Err(RootError::Special));
                assert_eq!(directory.list(name, &mut names), Err(Errno::ENOTDIR.into()));
                assert_eq!(directory.metadata(name).map(|metadata| metadata.kind), Ok(Kind::Special));
                directory.list(b"", &mut names).unwrap();
                assert!(names.iter_kinds().all(|(_, kind)| kind == Kind::Special));
            }
        }
    }

    #[test]
    fn repeated_reads_reuse_memory() {
        let proc = Dir::open("/proc").unwrap();
        let mut bytes = Vec::new();
        proc.read(b"self/status", &mut bytes, 1 << 20).unwrap();
        let (address, capacity) = (bytes.as_ptr(), bytes.capacity());
        for _ in 0..10 {
            proc.read(b"self/status", &mut bytes, 1 << 20).unwrap();
        }
        assert_eq!((bytes.as_ptr(), bytes.capacity()), (address, capacity));
    }

    #[test]
    fn a_long_listing_is_complete_and_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..1000 {
            std::os::unix::fs::symlink("nowhere", folder.path().join(format!("link{number:04}"))).unwrap();
        }
        let mut names = Names::new();
        Dir::open(folder.path()).unwrap().list(b"", &mut names).unwrap();
        assert!(names.iter().eq((0..1000).map(|number| format!("link{number:04}").into_bytes())));
        assert!(names.iter_kinds().all(|(_, kind)| kind == Kind::Link));
    }
}
