//! What the host calls itself, its memory and its processes.

#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) hostname: String,
    pub(crate) domainname: &'static str,
    pub(crate) machine: &'static str,
    pub(crate) release: &'static str,
    pub(crate) version: &'static str,
    /// Who built the kernel, as /proc/version tells between release and version.
    pub(crate) build: &'static str,
    pub(crate) clocksource: &'static str,
    pub(crate) clocksources: &'static str,
    pub(crate) boot_id: String,
}

/// The distribution, by the keys of os-release.
#[derive(Clone, Debug)]
pub(crate) struct Os {
    pub(crate) release: &'static [(&'static str, &'static str)],
}

/// All in pages of 4 KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) pages: u64,
    pub(crate) swap_pages: u64,
    /// What programs hold when nothing is going on.
    pub(crate) anonymous_pages: u64,
    /// How much more they hold at twice the mean load.
    pub(crate) anonymous_pages_per_load: u64,
    /// Where the page cache stops to grow.
    pub(crate) cache_pages: u64,
    pub(crate) direct_map_4k: u64,
    pub(crate) direct_map_2m: u64,
    pub(crate) direct_map_1g: u64,
}

/// A process that has a folder below /proc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Process {
    pub(crate) number: u32,
}
