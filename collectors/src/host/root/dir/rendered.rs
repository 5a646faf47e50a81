//! The file systems that are no more than what the kernel tells.

use std::os::fd::OwnedFd;

use rustix::fs::fstatfs;

use super::linux::system;
use super::reading::End;
use crate::host::root::RootError;

const PROC_MAGIC: u64 = 0x9fa0;
const SYS_MAGIC: u64 = 0x6265_6572;

/// A file system of the kernel's own: it holds no FIFOs, sockets or devices, so that a read there need not ask what it
/// has opened, and renders a file anew for whoever reads it from its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::host::root) enum Rendered {
    Proc,
    Sys,
}

impl Rendered {
    /// Which of them this is a file, or a directory, of.
    pub(in crate::host::root) fn of(file: &OwnedFd) -> Result<Option<Self>, RootError> {
        let magic = fstatfs(file).map_err(system)?.f_type;
        Ok(match u64::try_from(magic) {
            Ok(PROC_MAGIC) => Some(Self::Proc),
            Ok(SYS_MAGIC) => Some(Self::Sys),
            _ => None,
        })
    }

    /// Attributes of devices and those below /proc/sys are rendered as one piece.
    pub(super) fn end(self, path: &[u8]) -> End {
        match path {
            _ if self == Self::Sys || path.starts_with(b"sys/") => End::Short,
            b"net/udp" | b"net/udp6" => End::Room,
            _ => End::Nothing,
        }
    }
}
