//! What is shared with other hosts: NFS on either side, and devices that are mirrored over the network.

use crate::wave::Wave;

/// A mount of NFS.
#[derive(Clone, Debug)]
pub(crate) struct NfsMount {
    /// Its place among the mounts.
    pub(crate) mount: usize,
    pub(crate) version: NfsVersion,
    pub(crate) port: u16,
    pub(crate) wave: Wave,
    /// What is asked, in thousandths of what a busy client asks.
    pub(crate) permille: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NfsVersion {
    V3,
    V4,
}

/// What a host exports.
#[derive(Clone, Debug)]
pub(crate) struct NfsServer {
    pub(crate) threads: u32,
    pub(crate) wave: Wave,
    /// What is asked, in thousandths of what one busy client asks.
    pub(crate) permille: u64,
}

/// A device that another host has, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drbd {
    pub(crate) minor: u32,
    /// What it is as a device.
    pub(crate) device: usize,
}
