//! Reading on Linux: relative to a held directory, with as few system calls as will do and no memory of its own.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::{Errno as SystemErrno, retry_on_intr};

use super::fill;
use crate::kit::errno::Errno;
use crate::kit::root::live::readable;
use crate::kit::root::resolve::{Last, Links, MAX_PATH_BYTES, PathBuffer, resolve};
use crate::kit::root::{Kind, Metadata, Names, RootError};

/// `O_NONBLOCK`: opening a FIFO does not wait for its other end.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const LIST: OFlags = READ.union(OFlags::DIRECTORY);
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
/// The kernel gives up on a `..` while anything is renamed or mounted anywhere; then it is asked again.
const MAX_RACES: u32 = 8;
/// One call of `getdents64` returns some 100 to 200 names of /proc or /sys.
const LIST_BUFFER_BYTES: usize = 8 << 10;
const PROC_MAGIC: u64 = 0x9fa0;
const SYS_MAGIC: u64 = 0x6265_6572;

/// A directory that no path leads out of.
#[derive(Debug)]
pub(in crate::kit::root) struct Confined {
    directory: OwnedFd,
    /// Whether the kernel has `openat2` (since 5.6) and a container's filter lets it through.
    kernel_confines: bool,
    /// /proc and /sys hold no FIFOs, sockets or devices: a read there need not ask what it has opened.
    may_hold_special: bool,
}

impl Confined {
    pub(super) fn open(path: &Path) -> Result<Self, RootError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::openat(CWD, path, flags, Mode::empty()).map_err(system)?;
        let kernel_confines = fs::openat2(&directory, ".", LOOK, Mode::empty(), ResolveFlags::BENEATH).is_ok();
        let magic = fs::fstatfs(&directory).map_err(system)?.f_type;
        let may_hold_special = !u64::try_from(magic).is_ok_and(|magic| matches!(magic, PROC_MAGIC | SYS_MAGIC));
        Ok(Self { directory, kernel_confines, may_hold_special })
    }

    /// The same directory as on a kernel without `openat2`.
    #[cfg(test)]
    pub(in crate::kit::root) fn open_for_old_kernels(path: &Path) -> Result<Self, RootError> {
        Ok(Self { kernel_confines: false, ..Self::open(path)? })
    }

    pub(in crate::kit::root) fn read(
        &self,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        into.clear();
        let file = match self.open_inside(path, READ, Last::Followed) {
            // What opening a socket says.
            Err(RootError::Errno(Errno::ENXIO)) => {
                readable(self.metadata(path)?.kind)?;
                return Err(Errno::ENXIO.into());
            }
            file => file?,
        };
        if self.may_hold_special {
            readable(kind_of(&file)?)?;
        }
        read_all(&file, into, cap_bytes)?;
        if into.is_empty() && !self.may_hold_special {
            // Containers hide files of /proc behind /dev/null.
            readable(kind_of(&file)?)?;
        }
        Ok(())
    }

    pub(in crate::kit::root) fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        list_all(&self.open_inside(path, LIST, Last::Followed)?, into)
    }

    pub(in crate::kit::root) fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        let link = self.open_inside(path, LOOK | OFlags::NOFOLLOW, Last::Kept)?;
        // A descriptor of something else than a link is `ENOENT` to the kernel.
        read_link_at(link.as_fd(), b"", into).map_err(|error| match error {
            RootError::Errno(Errno::ENOENT) => Errno::EINVAL.into(),
            error => error,
        })
    }

    pub(in crate::kit::root) fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let file = self.open_inside(path, LOOK, Last::Followed)?;
        Ok(metadata_of(&fs::fstat(file).map_err(system)?))
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
                // The kernel refuses absolute links as well, which are taken from the root here.
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

pub(in crate::kit::root) fn system(errno: SystemErrno) -> RootError {
    Errno::from_number(errno.raw_os_error()).into()
}

pub(in crate::kit::root) fn open_anywhere(path: &[u8]) -> Result<OwnedFd, RootError> {
    retry_on_intr(|| fs::openat(CWD, path, READ, Mode::empty())).map_err(system)
}

pub(in crate::kit::root) fn open_directory_anywhere(path: &[u8]) -> Result<OwnedFd, RootError> {
    retry_on_intr(|| fs::openat(CWD, path, LIST, Mode::empty())).map_err(system)
}

pub(in crate::kit::root) fn metadata_anywhere(path: &[u8]) -> Result<Metadata, RootError> {
    Ok(metadata_of(&fs::statat(CWD, path, AtFlags::empty()).map_err(system)?))
}

pub(in crate::kit::root) fn read_link_anywhere(path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
    read_link_at(CWD, path, into)
}

pub(in crate::kit::root) fn kind_of(file: &OwnedFd) -> Result<Kind, RootError> {
    Ok(metadata_of(&fs::fstat(file).map_err(system)?).kind)
}

pub(in crate::kit::root) fn read_all(file: &OwnedFd, into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
    fill(into, cap_bytes, |buffer| retry_on_intr(|| rustix::io::read(file, &mut *buffer)).map_err(system))
}

pub(in crate::kit::root) fn list_all(directory: &OwnedFd, into: &mut Names) -> Result<(), RootError> {
    into.clear();
    let mut buffer = [MaybeUninit::uninit(); LIST_BUFFER_BYTES];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(system)?;
        let name = entry.file_name();
        let kind = match (name.to_bytes(), entry.file_type()) {
            (b"." | b"..", _) => continue,
            // Some file systems keep it elsewhere. An entry that has gone meanwhile is left out.
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
    // A time before 1970 counts as 1970.
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
    use crate::kit::root::Root;
    use crate::kit::root::dir::Dir;

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
            // Where these lead is known to the kernel alone; as text they lead below /proc, where nothing is.
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
    fn a_fifo_and_a_socket_are_errors_at_once() {
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
    fn reading_again_takes_the_same_memory() {
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
    fn a_long_listing_is_whole_and_sorted() {
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
