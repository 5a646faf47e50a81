//! Pseudo file systems, whose files the kernel renders: /proc and /sys.

use std::os::fd::OwnedFd;

use rustix::fs::fstatfs;

use super::linux::system;
use super::reading::End;
use crate::host::root::RootError;

const PROC_MAGIC: u64 = 0x9fa0;
const SYS_MAGIC: u64 = 0x6265_6572;

/// A pseudo file system. It contains no FIFOs, sockets or devices, so that the type of an open file needs no check, and
/// renders a file again for each read from its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::host::root) enum Rendered {
    Proc,
    Sys,
}

impl Rendered {
    /// The pseudo file system of an open file or directory; `None` for others.
    pub(in crate::host::root) fn of(file: &OwnedFd) -> Result<Option<Self>, RootError> {
        let magic = fstatfs(file).map_err(system)?.f_type;
        Ok(match u64::try_from(magic) {
            Ok(PROC_MAGIC) => Some(Self::Proc),
            Ok(SYS_MAGIC) => Some(Self::Sys),
            _ => None,
        })
    }

    /// How the end of a file is detected. Attributes of devices and files below /proc/sys are rendered at once.
    pub(super) fn end(self, path: &[u8]) -> End {
        match path {
            _ if self == Self::Sys || path.starts_with(b"sys/") => End::Short,
            b"net/udp" | b"net/udp6" => End::Room,
            _ => End::Nothing,
        }
    }
}
