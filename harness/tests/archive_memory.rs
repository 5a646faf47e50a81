//! Memory that unpacking an archive takes, counted exactly.

use harness::allocations::{self, Counting};
use simulator::recording::archive;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Maximum memory: a window of 8 MiB, twice while it grows, and the decoder's tables.
const PEAK_MAX_BYTES: usize = 20 << 20;

/// A zstd frame with a window of 8 MiB that unpacks to `blocks` times 128 KiB of zeros, 4 bytes for each.
fn bomb(blocks: usize) -> Vec<u8> {
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3];
    for block in 1..=blocks {
        let (run_length_encoded, is_last) = (1 << 1, u32::from(block == blocks));
        let header = (128 << 10) << 3 | run_length_encoded | is_last;
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb
}

/// One test, so that no other thread allocates while it counts.
#[test]
fn a_zstd_bomb_takes_the_memory_of_its_window_only() {
    assert!(allocations::are_counted());
    // 71 kB that unpack to 2.3 GB, and the maximum that this size may unpack to.
    for (blocks, is_refused) in [(17_750, true), (512, false)] {
        let bomb = bomb(blocks);
        let mut result = None;
        let cost = allocations::during(|| result = Some(archive::read(&bomb).err().map(|error| error.to_string())));
        println!("{} bytes of zstd: {} bytes held at most, {result:?}", bomb.len(), cost.peak_bytes);
        assert_eq!(
            result.flatten().is_some_and(|error| error.contains("more than 67108864 bytes unpacked")),
            is_refused
        );
        assert!(cost.peak_bytes < PEAK_MAX_BYTES, "{} bytes", cost.peak_bytes);
    }
}
