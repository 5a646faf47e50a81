//! What the host calls itself, its kernel and its distribution.

use super::{Architecture, KernelVersion};

#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) hostname: String,
    pub(crate) domainname: &'static str,
    pub(crate) architecture: Architecture,
    /// As `uname -r` tells it; [`Self::kernel`] is its version.
    pub(crate) release: String,
    pub(crate) version: &'static str,
    /// Who built the kernel, as /proc/version tells between release and version.
    pub(crate) build: &'static str,
    pub(crate) clocksource: &'static str,
    pub(crate) clocksources: &'static str,
    pub(crate) boot_id: String,
}

impl System {
    pub(crate) fn kernel(&self) -> KernelVersion {
        KernelVersion::of(&self.release)
    }
}

/// The distribution, by the keys of os-release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Os {
    pub(crate) release: &'static [(&'static str, &'static str)],
}
