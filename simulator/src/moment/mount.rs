//! How full the file systems are.

use collectors::host::kernel::StatFs;

use super::Moment;
use crate::machine::Space;
use crate::wave::MICROS;

const DAY_SECONDS: u64 = 86_400;

impl Moment<'_> {
    /// What `statfs` says of a file system.
    pub(crate) fn statfs(&self, space: Space) -> StatFs {
        let used = self.used_blocks(space).min(space.blocks);
        let free = space.blocks - used;
        let files_used = (used / space.blocks_per_file.max(1)).min(space.files);
        StatFs {
            block_size: space.block_size,
            blocks: space.blocks,
            blocks_free: free,
            blocks_available: free.saturating_sub(space.reserved),
            files: space.files,
            files_free: space.files - files_used,
        }
    }

    /// It fills day by day; when what it has room for is full, the oldest is cleared away.
    pub(crate) fn used_blocks(&self, space: Space) -> u64 {
        let usage = space.usage;
        let grown = u128::from(self.age_micros()) * u128::from(usage.daily) / u128::from(DAY_SECONDS * MICROS);
        let grown = grown % u128::from(usage.span.max(1));
        usage.base + u64::try_from(grown).unwrap_or_default()
    }
}
