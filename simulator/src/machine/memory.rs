//! How much memory there is and what it is used for.

/// All in pages of the architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) pages: u64,
    pub(crate) swap_pages: u64,
    /// What programs hold when nothing is going on.
    pub(crate) anonymous_pages: u64,
    /// How much more they hold at twice the mean load.
    pub(crate) anonymous_pages_per_load: u64,
    /// Set aside for programs that ask for huge pages; nobody else gets any of it.
    pub(crate) reserved_pages: u64,
    /// Where the page cache stops to grow.
    pub(crate) cache_pages: u64,
    /// How x86 maps its memory.
    pub(crate) direct_map: Option<DirectMap>,
}

/// Pages of 4 KiB that are mapped in parts of 4 KiB, 2 MiB and 1 GiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectMap {
    pub(crate) small: u64,
    pub(crate) large: u64,
    pub(crate) huge: u64,
}
