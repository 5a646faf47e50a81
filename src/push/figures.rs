//! What a sample costs by each way: bytes on the wire and in the queue, and samples in a second on one core.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use collectors::host::kernel::clock;

use super::batch::{self, Batch, Batcher, Families, Identity};
use super::client::{Answer, Client, Outbound};
use super::queue::{Queue, QueueOptions, SyncPolicy, segment_bytes};
use super::source::Collected;
use super::storage::Memory;
use super::target::{Outcome, Target};
use crate::target::TargetOptions;

/// The page of a laptop: most lines have labels.
const PAGE: &str = include_str!("../../fixtures/hosts/laptop.prom");
/// Pages for the time.
const ROUNDS: u32 = 5;

/// Figures of a way, for one sample.
#[derive(Clone, Copy, Debug)]
struct Figures {
    samples: u64,
    wire_bytes: f64,
    queue_bytes: f64,
    per_second: f64,
}

fn measure(way: &str) -> Figures {
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let answer = move |request: &Outbound<'_>| {
        counted.fetch_add(request.body.len() as u64, Ordering::Relaxed);
        let body = Vec::new();
        Ok(Answer { status: 200, retry_after: None, tells_written: true, samples_written: None, body })
    };
    let target = Target::new(TargetOptions::parse(way).unwrap(), Duration::from_secs(1)).unwrap();
    let target = target.over(Client::answered_by(answer));
    let own = Identity { job: "node_exporter".to_owned(), instance: "web1.example".to_owned(), is_own: true };
    let labels = target.labels(&own);
    let max_bytes = 64 << 20;
    let options = QueueOptions { max_bytes, segment_bytes: segment_bytes(max_bytes), sync: SyncPolicy::Never };
    let mut queue = Queue::open(Memory::default(), options, 0).unwrap();
    let mut batcher = Batcher::new(Vec::new(), Families::default());
    let mut push = |timestamp: i64| {
        let (batches, broken) = batcher.batches(PAGE, timestamp);
        assert_eq!(broken, 0);
        let samples: usize = batches.iter().map(Batch::samples).sum();
        if target.takes_newest_only() {
            let pages = [Collected { identity: Arc::new(own.clone()), batches }];
            assert!(matches!(target.deliver_pages(&pages, Duration::ZERO), Outcome::Delivered(_)));
            return samples as u64;
        }
        for batch in batches {
            let batch = Batch { text: batch::with_labels(&batch.text, &labels), ..batch };
            queue.append(&batch.to_record()).unwrap();
            let record = queue.peek().unwrap().unwrap();
            let (id, batch) = (record.id, Batch::of_record(record.payload).unwrap());
            assert!(matches!(target.deliver(&batch, Duration::ZERO), Outcome::Delivered(_)));
            queue.delivered(id).unwrap();
        }
        samples as u64
    };
    // The first page brings the types and HELP texts to a receiver of remote write 1.0.
    let samples = push(1);
    let before = sent.load(Ordering::Relaxed);
    let begin = clock::monotonic();
    for round in 0..ROUNDS {
        push(2 + i64::from(round));
    }
    let took = clock::monotonic().saturating_sub(begin).as_secs_f64();
    let all = (samples * u64::from(ROUNDS)) as f64;
    let wire_bytes = (sent.load(Ordering::Relaxed) - before) as f64 / all;
    let (batches, _) = Batcher::new(Vec::new(), Families::default()).batches(PAGE, 1);
    let mut waiting = Queue::open(Memory::default(), options, 0).unwrap();
    if !target.takes_newest_only() {
        for batch in batches {
            let text = batch::with_labels(&batch.text, &labels);
            waiting.append(&Batch { text, ..batch }.to_record()).unwrap();
        }
    }
    Figures { samples, wire_bytes, queue_bytes: waiting.bytes() as f64 / samples as f64, per_second: all / took }
}

#[test]
fn a_sample_takes_few_bytes_by_each_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("file={}", folder.path().join("page.prom").display());
    println!("| way | bytes of a sample on the wire | in the queue | samples a second |\n|---|---|---|---|");
    let ways = [
        ("pushgateway=http://h", 120.0),
        ("import=http://h", if cfg!(feature = "compression") { 20.0 } else { 160.0 }),
        ("remote-write=http://h", 25.0),
        ("remote-write-2=http://h", 25.0),
        (file.as_str(), 0.1),
    ];
    for (way, wire_max_bytes) in ways {
        let Figures { samples, wire_bytes, queue_bytes, per_second } = measure(way);
        let word = way.split('=').next().unwrap_or_default();
        println!("| {word} | {wire_bytes:.1} | {queue_bytes:.1} | {per_second:.0} |");
        assert!(samples > 2_000 && wire_bytes <= wire_max_bytes && queue_bytes < 40.0, "{way}: {wire_bytes}");
    }
}
