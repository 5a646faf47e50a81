//! Pseudo file systems, whose files the kernel renders: /proc and /sys.

use std::os::fd::OwnedFd;

use rustix::fs::fstatfs;

use super::reading::{End, system};
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

    /// How the end of a newly opened file is detected. It may be on another file system: containers mount their own files
    /// over those of /proc. Attributes of devices and files below /proc/sys are rendered at once.
    pub(super) fn end(self, path: &[u8]) -> End {
        match path {
            _ if self == Self::Sys || path.starts_with(b"sys/") => End::Short,
            b"net/udp" | b"net/udp6" => End::Room,
            _ => End::Nothing,
        }
    }

    /// How the end of a kept file is detected, which is known to be the kernel's.
    pub(super) fn end_of_kept(self, path: &[u8]) -> End {
        match (self.end(path), path) {
            (End::Nothing, path) if ONE_PIECE.binary_search(&path).is_ok() => End::Piece,
            (End::Nothing, path) if SHORT_RECORDS.binary_search(&path).is_ok() => End::Room,
            (end, _) => end,
        }
    }
}

/// Files of /proc that the kernel renders as one piece (`single_open`, `proc_create_single`): a read gives all of it, or
/// as much as was asked for.
const ONE_PIECE: [&[u8]; 13] = [
    b"loadavg",
    b"meminfo",
    b"net/netstat",
    b"net/snmp",
    b"net/snmp6",
    b"net/sockstat",
    b"net/sockstat6",
    b"pressure/cpu",
    b"pressure/io",
    b"pressure/irq",
    b"pressure/memory",
    b"stat",
    b"uptime",
];

/// Files of /proc whose records have no more than [`RECORD_MAX_BYTES`](super::reading::RECORD_MAX_BYTES).
const SHORT_RECORDS: [&[u8]; 5] = [b"diskstats", b"net/arp", b"net/softnet_stat", b"net/stat/nf_conntrack", b"vmstat"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(ONE_PIECE.is_sorted() && SHORT_RECORDS.is_sorted());
    }

    #[test]
    fn the_end_of_a_kept_file_is_known_by_its_kind() {
        for (path, end) in [
            (&b"stat"[..], End::Piece),
            (b"vmstat", End::Room),
            (b"net/udp", End::Room),
            (b"sys/fs/file-nr", End::Short),
            (b"interrupts", End::Nothing),
            (b"1/mountinfo", End::Nothing),
        ] {
            assert_eq!(Rendered::Proc.end_of_kept(path), end, "{}", path.escape_ascii());
        }
        assert_eq!(Rendered::Proc.end(b"stat"), End::Nothing, "it may not be the kernel's");
    }
}
