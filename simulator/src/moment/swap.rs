//! Which swap areas hold how much.

use super::Moment;
use crate::machine::Swap;

impl<'a> Moment<'a> {
    /// Each area and how many of its pages are used: those of the highest priority first.
    pub(crate) fn swaps(&self) -> impl Iterator<Item = (&'a Swap, u64)> {
        let mut left = self.machine.memory.swap_pages - self.memory().swap_free;
        self.machine.storage.swaps.iter().map(move |swap| {
            let used = left.min(swap.pages);
            left -= used;
            (swap, used)
        })
    }
}
