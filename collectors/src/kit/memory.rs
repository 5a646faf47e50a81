//! Release of reused memory that grew too large in an unusual scrape.

/// Maximum size of reused memory that is kept. The largest known file, /proc/interrupts of 1,152 CPUs, needs half of it.
pub const KEPT_MAX_BYTES: usize = 32 << 20;

/// Clears memory, and frees it if it is larger than the limit.
pub fn release_if_large<T>(memory: &mut Vec<T>) {
    if memory.capacity().saturating_mul(size_of::<T>()) > KEPT_MAX_BYTES {
        *memory = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_memory_is_released() {
        let mut kept: Vec<u64> = Vec::with_capacity(KEPT_MAX_BYTES / size_of::<u64>());
        release_if_large(&mut kept);
        assert_eq!(kept.capacity(), KEPT_MAX_BYTES / size_of::<u64>());
        kept.reserve_exact(KEPT_MAX_BYTES / size_of::<u64>() + 1);
        release_if_large(&mut kept);
        assert_eq!(kept.capacity(), 0);
    }
}
