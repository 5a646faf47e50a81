//! The memory of a queue on disk does not grow with its backlog.

use harness::allocations::{Counting, during};
use node_exporter::push::queue::{Queue, QueueOptions, SyncPolicy, segment_bytes};
use node_exporter::push::storage::Directory;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MEMORY_MAX_BYTES: usize = 8 << 20;
/// Size of a record: the page of a large host.
const RECORD_BYTES: usize = 64 << 10;
const BACKLOGS_BYTES: [usize; 2] = [6 << 20, 48 << 20];

/// One test, so that no other thread of this binary allocates.
#[test]
fn a_backlog_takes_eight_megabytes_of_memory_at_most() {
    for backlog in BACKLOGS_BYTES {
        let folder = tempfile::tempdir().unwrap();
        let max_bytes = 1 << 30;
        let options = QueueOptions { max_bytes, segment_bytes: segment_bytes(max_bytes), sync: SyncPolicy::Never };
        let count = backlog / RECORD_BYTES;
        let mut delivered = 0;
        let open = || Queue::open(Directory::open(folder.path(), "t").unwrap(), options, 1).unwrap();
        let cost = during(|| {
            let record = vec![0x5a; RECORD_BYTES];
            let mut queue = open();
            for _ in 0..count {
                queue.append(&record).unwrap();
            }
            assert_eq!(queue.peek().unwrap().map(|record| record.id), Some(1));
            drop(queue);
            let mut queue = open();
            while let Some(id) = queue.peek().unwrap().map(|record| record.id) {
                queue.delivered(id).unwrap();
                delivered += 1;
            }
        });
        println!("a backlog of {backlog} bytes takes {} bytes of memory at most", cost.peak_bytes);
        assert_eq!(delivered, count);
        assert!(cost.peak_bytes <= MEMORY_MAX_BYTES, "{} bytes", cost.peak_bytes);
    }
}
