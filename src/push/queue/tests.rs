#![expect(clippy::disallowed_methods, reason = "the number of schedules comes from the environment")]

use std::collections::{BTreeMap, BTreeSet};

use super::disk::{Disk, Random, Trouble};
use super::*;

const MEMORY_MAX_BYTES: usize = 8 << 20;

/// The expected state of a queue: acknowledged and delivered records.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeMap<u64, Vec<u8>>,
    /// Appends that failed: their bytes may be on disk.
    refused: BTreeMap<u64, Vec<u8>>,
    arrived: BTreeSet<u64>,
    durable_position: u64,
    dropped: u64,
    /// Acknowledged records that the test damaged on disk.
    damaged: BTreeSet<u64>,
    /// Number of restarts that kept all writes, and of power failures.
    restarts: usize,
}

impl Ledger {
    #[track_caller]
    fn check_arrival(&mut self, record: Record<'_>, last: u64, seed: u64) {
        assert!(record.id > last, "seed {seed}: record {} came after {last}", record.id);
        assert!(record.id > self.durable_position, "seed {seed}: record {} was delivered durably before", record.id);
        let mut known = [&self.acknowledged, &self.refused].into_iter().filter_map(|known| known.get(&record.id));
        assert!(known.any(|known| known == record.payload), "seed {seed}: record {} is corrupt", record.id);
        self.arrived.insert(record.id);
    }

    /// Takes all queued records.
    fn drain(&mut self, queue: &mut Queue<Disk>, seed: u64) {
        let mut last = 0;
        while let Some(record) = queue.peek().unwrap() {
            self.check_arrival(record, last, seed);
            last = record.id;
            queue.delivered(last).unwrap();
            self.durable_position = last;
        }
    }

    fn missing(&self) -> Vec<u64> {
        self.acknowledged
            .keys()
            .filter(|id| !self.arrived.contains(id) && !self.damaged.contains(id))
            .copied()
            .collect()
    }
}

fn payload(random: &mut Random, id: u64) -> Vec<u8> {
    let length = match random.below(8) {
        0 => 0,
        1 => random.below(3_000),
        _ => random.below(200),
    };
    let mut bytes = format!("{id}:").into_bytes();
    bytes.extend((0..length).map(|_| random.next().to_le_bytes()[2]));
    // A payload that contains a complete record with another salt must not be read as a record.
    if random.one_in(4) {
        write_record(&mut bytes, id + 1, 7, b"forged");
    }
    bytes
}

/// Runs a random schedule of appends, deliveries, crashes, full disks, failing syncs and damage. Panics if a guarantee is
/// violated.
fn run_schedule(seed: u64) -> Ledger {
    let mut random = Random::new(seed);
    let disk = Disk::default();
    let mut ledger = Ledger::default();
    let is_small = random.one_in(4);
    let has_damage = random.one_in(4);
    let options = QueueOptions {
        max_bytes: if is_small { 4_096 } else { 1 << 30 },
        segment_bytes: [200, 1_000, 5_000][random.below(3)],
        sync: SyncPolicy::Always,
    };
    for _ in 0..=random.below(6) {
        let trouble = Trouble {
            dies_after: random.one_in(2).then(|| random.below(6_000)),
            capacity: random.one_in(4).then(|| 500 + random.below(8_000)),
            failing_syncs: random.one_in(4).then(|| 1 + random.below(6)),
        };
        disk.set_trouble(trouble, Random::new(random.next()));
        if let Ok(mut queue) = Queue::open(disk.clone(), options, u32::try_from(seed & 0xffff).unwrap()) {
            live(&mut queue, &disk, &mut ledger, &mut random, seed);
            ledger.dropped += queue.counts().dropped_full;
            assert!(queue.memory_bytes() <= MEMORY_MAX_BYTES, "seed {seed}: {} bytes", queue.memory_bytes());
        }
        ledger.restarts += 1;
        if random.one_in(3) {
            disk.restart_process();
        } else {
            disk.lose_power(&mut random);
        }
        if has_damage && random.one_in(3) {
            damage(&disk, &mut ledger, &mut random);
        }
    }
    let mut queue = Queue::open(disk, options, 1).unwrap();
    ledger.drain(&mut queue, seed);
    ledger.dropped += queue.counts().dropped_full;
    let missing = ledger.missing();
    assert!(
        missing.len() as u64 <= ledger.dropped,
        "seed {seed}: acknowledged records {missing:?} are lost; {} were dropped at the bound",
        ledger.dropped
    );
    ledger
}

fn live(queue: &mut Queue<Disk>, disk: &Disk, ledger: &mut Ledger, random: &mut Random, seed: u64) {
    let mut last = 0;
    for _ in 0..random.below(40) {
        if disk.is_dead() {
            return;
        }
        if random.below(5) < 3 {
            let id = queue.next_id;
            let bytes = payload(random, id);
            match queue.append(&bytes) {
                Ok(appended) => {
                    assert_eq!(appended, id, "seed {seed}");
                    ledger.refused.remove(&id);
                    // Only the id of a completed record may be reused.
                    if ledger.acknowledged.insert(id, bytes).is_some() {
                        assert!(
                            ledger.arrived.remove(&id) || ledger.damaged.remove(&id),
                            "seed {seed}: id {id} was used twice"
                        );
                    }
                }
                Err(_) if queue.next_id > id => _ = ledger.refused.insert(id, bytes),
                Err(_) => {}
            }
        } else {
            let id = match queue.peek() {
                Ok(Some(record)) => {
                    if record.id > last {
                        ledger.check_arrival(record, last, seed);
                    }
                    record.id
                }
                _ => continue,
            };
            // Without an acknowledgement the same record is delivered again.
            if random.one_in(3) {
                continue;
            }
            last = id;
            if queue.delivered(id).is_ok() {
                ledger.durable_position = id;
            }
        }
    }
}

/// Damages a sector and records the affected acknowledged records.
fn damage(disk: &Disk, ledger: &mut Ledger, random: &mut Random) {
    let Some((name, start, end)) = disk.damage(random) else { return };
    let content = disk.content(&name);
    let salt = Segment::of_name(&name, 0).unwrap().salt;
    // The content may be damaged already: a record that is not found complete, or overlaps the sector, is damaged.
    let mut whole = BTreeSet::new();
    for found in Records::of(&content, 0, salt) {
        if found.end() <= start || found.start >= end {
            whole.insert(found.id);
        }
    }
    let first = Segment::of_name(&name, 0).unwrap().first_id;
    let after = disk.clone().list().unwrap();
    let next = after
        .iter()
        .filter_map(|(name, _)| Segment::of_name(name, 0))
        .map(|segment| segment.first_id)
        .filter(|id| *id > first)
        .min();
    let ids = first..next.unwrap_or(u64::MAX);
    ledger.damaged.extend(ledger.acknowledged.keys().filter(|id| ids.contains(id) && !whole.contains(id)));
}

#[test]
fn no_acknowledged_record_is_lost_in_random_schedules() {
    let count = std::env::var("NODELAB_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(3_000);
    let first = std::env::var("NODELAB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let (mut acknowledged, mut restarts, mut dropped, mut damaged) = (0, 0, 0, 0);
    for seed in first..first + count {
        let ledger = run_schedule(seed);
        acknowledged += ledger.acknowledged.len();
        restarts += ledger.restarts;
        dropped += ledger.dropped;
        damaged += ledger.damaged.len();
    }
    println!(
        "{count} schedules, {restarts} crashes, {acknowledged} records acknowledged, {dropped} dropped at the bound, {damaged} damaged"
    );
    assert!(
        count < 100 || acknowledged > 100 && restarts > 100 && dropped > 0 && damaged > 0,
        "the schedules are too tame"
    );
}

/// A fixed sequence of operations, interrupted at every byte and every writing call.
#[test]
fn a_crash_at_every_byte_loses_nothing() {
    let options = QueueOptions { max_bytes: 1 << 20, segment_bytes: 150, sync: SyncPolicy::Always };
    let life = |disk: &Disk, ledger: &mut Ledger| -> io::Result<()> {
        let mut queue = Queue::open(disk.clone(), options, 3)?;
        for number in 0..6_u64 {
            let id = queue.next_id;
            let bytes = format!("record {number} of the fixed life").into_bytes();
            ledger.refused.insert(id, bytes.clone());
            queue.append(&bytes)?;
            ledger.refused.remove(&id);
            ledger.acknowledged.insert(id, bytes);
            if number % 2 == 1 {
                let record = queue.peek()?.unwrap();
                let id = record.id;
                ledger.check_arrival(record, ledger.durable_position, 0);
                queue.delivered(id)?;
                ledger.durable_position = id;
            }
        }
        Ok(())
    };
    let whole = Disk::default();
    whole.set_trouble(Trouble::default(), Random::new(1));
    life(&whole, &mut Ledger::default()).unwrap();
    let writes = whole.written();
    assert!(writes > 300, "{writes}");
    for dies_after in 0..=writes {
        for outcome in 0..12 {
            let (disk, mut ledger) = (Disk::default(), Ledger::default());
            disk.set_trouble(Trouble { dies_after: Some(dies_after), ..Trouble::default() }, Random::new(1));
            _ = life(&disk, &mut ledger);
            disk.lose_power(&mut Random::new(outcome));
            let mut queue = Queue::open(disk, options, 4).unwrap();
            ledger.drain(&mut queue, outcome);
            assert_eq!(ledger.missing(), [0; 0], "cut at {dies_after}, outcome {outcome}");
            queue.append(b"afterwards").unwrap();
            assert_eq!(queue.peek().unwrap().unwrap().payload, b"afterwards");
        }
    }
}

#[test]
fn only_the_damaged_record_is_lost() {
    let options = QueueOptions { max_bytes: 1 << 20, segment_bytes: 1 << 16, sync: SyncPolicy::Always };
    let records = || (0..20_u8).map(|number| vec![number; 40]);
    let mut whole = Queue::open(Disk::default(), options, 3).unwrap();
    records().for_each(|record| _ = whole.append(&record).unwrap());
    let bytes = usize::try_from(whole.bytes()).unwrap();
    for at in 0..bytes {
        let disk = Disk::default();
        let mut queue = Queue::open(disk.clone(), options, 3).unwrap();
        records().for_each(|record| _ = queue.append(&record).unwrap());
        disk.flip(at);
        let mut queue = Queue::open(disk, options, 5).unwrap();
        let mut arrived = 0;
        while let Some(record) = queue.peek().unwrap() {
            let id = record.id;
            arrived += 1;
            queue.delivered(id).unwrap();
        }
        assert_eq!(arrived, 19, "byte {at}");
        let is_last = at >= bytes / 20 * 19;
        assert!(is_last || queue.counts().damaged == 1, "byte {at}: {:?}", queue.counts());
    }
}

#[test]
fn the_oldest_records_are_dropped_at_the_limit_and_counted() {
    let options = QueueOptions { max_bytes: 10_000, segment_bytes: 1_000, sync: SyncPolicy::Never };
    let mut queue = Queue::open(Disk::default(), options, 3).unwrap();
    for number in 0..1_000_u64 {
        assert_eq!(queue.append(&[1; 76]).unwrap(), number + 1);
        assert!(queue.bytes() <= 10_000);
    }
    let first = queue.peek().unwrap().unwrap().id;
    assert_eq!(first, queue.counts().dropped_full + 1);
    assert!((901..=911).contains(&first), "{first}");
}

#[test]
fn a_record_above_the_limit_is_refused_and_later_ones_are_accepted() {
    let options = QueueOptions { max_bytes: 1 << 30, segment_bytes: 1_000, sync: SyncPolicy::Always };
    let mut queue = Queue::open(Disk::default(), options, 3).unwrap();
    let error = queue.append(&vec![0; RECORD_MAX_BYTES + 1]).unwrap_err();
    assert_eq!(error.to_string(), "record of 1048577 bytes exceeds the limit of 1048576");
    assert_eq!(queue.append(&vec![0; RECORD_MAX_BYTES]).unwrap(), 1);
    assert_eq!(queue.append(b"next").unwrap(), 2);
    assert_eq!(queue.peek().unwrap().unwrap().payload.len(), RECORD_MAX_BYTES);
}

#[test]
fn memory_does_not_depend_on_the_size_of_the_backlog() {
    let options = QueueOptions { max_bytes: 1 << 30, segment_bytes: segment_bytes(1 << 30), sync: SyncPolicy::Never };
    let folder = tempfile::tempdir().unwrap();
    let storage = super::super::storage::Directory::open(folder.path(), "t").unwrap();
    let mut queue = Queue::open(storage, options, 3).unwrap();
    let payload = vec![7; 100_000];
    for _ in 0..1_000 {
        queue.append(&payload).unwrap();
    }
    for _ in 0..500 {
        let id = queue.peek().unwrap().unwrap().id;
        queue.delivered(id).unwrap();
    }
    assert!(queue.memory_bytes() < MEMORY_MAX_BYTES, "{}", queue.memory_bytes());
}

#[test]
fn a_directory_is_locked_by_one_process() {
    use super::super::storage::Directory;
    let folder = tempfile::tempdir().unwrap();
    let first = Directory::open(folder.path(), "t").unwrap();
    let error = Directory::open(folder.path(), "t").unwrap_err();
    assert_eq!(error.to_string(), "another process uses this directory");
    drop(first);
    Directory::open(folder.path(), "t").unwrap();
}

#[test]
fn a_queue_on_a_real_disk_survives_a_restart() {
    use super::super::storage::Directory;
    let options = QueueOptions { max_bytes: 1 << 20, segment_bytes: 100, sync: SyncPolicy::Always };
    let folder = tempfile::tempdir().unwrap();
    for start in 0..5_u64 {
        let mut queue = Queue::open(Directory::open(folder.path(), "t").unwrap(), options, 3).unwrap();
        let waiting = queue.peek().unwrap().map(|record| (record.id, record.payload.to_vec()));
        assert_eq!(waiting, (start > 0).then(|| (start * 2, format!("late {}", start - 1).into_bytes())));
        if let Some((id, _)) = waiting {
            queue.delivered(id).unwrap();
        }
        let id = queue.append(b"at once").unwrap();
        queue.append(format!("late {start}").as_bytes()).unwrap();
        assert_eq!(queue.peek().unwrap().unwrap().id, id);
        queue.delivered(id).unwrap();
    }
}
