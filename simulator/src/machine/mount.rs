//! What is mounted where.

use super::Usage;

#[derive(Clone, Debug)]
pub(crate) struct MountPoint {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// What of the file system is mounted.
    pub(crate) root: String,
    pub(crate) point: String,
    pub(crate) options: &'static str,
    /// `shared:1 `, with a space after each, as they stand before the separator.
    pub(crate) propagation: String,
    pub(crate) fs_type: &'static str,
    pub(crate) source: String,
    pub(crate) super_options: String,
    pub(crate) space: Space,
}

/// What `statfs` says of it. A file system without a size says zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) block_size: u64,
    pub(crate) blocks: u64,
    /// Blocks that only root may use.
    pub(crate) reserved: u64,
    pub(crate) files: u64,
    pub(crate) usage: Usage,
    /// Blocks a file has on average.
    pub(crate) blocks_per_file: u64,
}

impl Space {
    /// That of the kernel's own file systems.
    pub(crate) const NONE: Self = Self {
        block_size: 4096,
        blocks: 0,
        reserved: 0,
        files: 0,
        usage: Usage { base: 0, daily: 0, span: 1 },
        blocks_per_file: 1,
    };
}
