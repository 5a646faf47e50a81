//! A bounded queue of records on disk that survives crashes.
//!
//! Records are in segments, files named `<first id>-<salt>.segment`. A record is a header (magic, id, length, checksum
//! of the payload, checksum of the header) and a payload. The header's checksum includes the salt of the segment, so that
//! a payload cannot imitate a record. After a damaged record the reader searches for the next valid header, so that only
//! damaged records are lost.
//!
//! The id of the last delivered record (the position) is stored in two files that are overwritten in turn, each with a
//! checksum. One of them is valid at any time. Overwriting needs no additional space, so a full disk does not keep the
//! queue from shrinking. A segment is removed after all of its records were delivered or dropped and the position is
//! durable, so that no id is used twice.
//!
//! Guarantee with [`SyncPolicy::Always`]: a record whose append returned `Ok` is delivered at least once, unless it is
//! dropped at the size limit or damaged on disk, both of which are counted. A record that is delivered again is identical.

use std::collections::VecDeque;
use std::io;

use super::checksum::crc32c;
use super::storage::Storage;

#[cfg(test)]
pub(super) mod disk;
#[cfg(test)]
mod tests;

/// Durability of appends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncPolicy {
    /// Durable before the append returns: records survive a power failure.
    Always,
    /// Durable when the operating system writes it: records survive the end of the process only.
    Never,
}

/// Limits of a queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueOptions {
    /// Maximum size of all segments.
    pub max_bytes: u64,
    /// Size at which the next segment begins.
    pub segment_bytes: u64,
    /// Durability of appends.
    pub sync: SyncPolicy,
}

/// Maximum size of a payload.
pub const RECORD_MAX_BYTES: usize = 1 << 20;

/// Largest number of a record, so that numbers after it can be computed. No queue gets there, but damaged files can.
const ID_MAX: u64 = u64::MAX / 2;

/// Size of a segment, for a limit of the queue. The reader keeps one segment in memory.
pub fn segment_bytes(max_bytes: u64) -> u64 {
    (max_bytes / 16).clamp(4096, 2 << 20)
}

const MAGIC: u32 = 0x6e6c_7131;
const HEADER_BYTES: usize = 4 + 8 + 4 + 4 + 4;
const SECTOR_BYTES: usize = 512;
const SUFFIX: &str = ".segment";
/// The files of the position, written in turn.
const POSITIONS: [&str; 2] = ["position-0", "position-1"];
const POSITION_BYTES: usize = 12;

/// Counters since the queue was opened.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct QueueCounts {
    /// Records appended.
    pub appended: u64,
    /// Records dropped because the queue was full.
    pub dropped_full: u64,
    /// Damaged regions found; each costs at least one record.
    pub damaged: u64,
}

#[derive(Debug)]
struct Segment {
    first_id: u64,
    salt: u32,
    bytes: u64,
    /// Whether the segment is closed for appends.
    is_sealed: bool,
}

impl Segment {
    fn name(&self) -> String {
        format!("{:016x}-{:08x}{SUFFIX}", self.first_id, self.salt)
    }

    fn of_name(name: &str, bytes: u64) -> Option<Self> {
        let (first_id, salt) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        if first_id.len() != 16 || salt.len() != 8 {
            return None;
        }
        let first_id = u64::from_str_radix(first_id, 16).ok().filter(|id| *id <= ID_MAX)?;
        let segment = Self { first_id, salt: u32::from_str_radix(salt, 16).ok()?, bytes, is_sealed: true };
        // `from_str_radix` accepts signs and capitals: such a file is not a segment, and would be one of two with its key.
        Some(segment).filter(|segment| segment.name() == name)
    }
}

/// The segment that is being read, in memory.
#[derive(Debug, Default)]
struct Reader {
    /// First id and salt of the segment, if one is loaded.
    segment: Option<(u64, u32)>,
    bytes: Vec<u8>,
    offset: usize,
    /// Whether the file is shorter than the records that were appended to it.
    is_short: bool,
}

/// A record that waits for delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Sequence number.
    pub id: u64,
    /// The appended payload.
    pub payload: &'a [u8],
}

/// A queue in a [`Storage`].
#[derive(Debug)]
pub struct Queue<S> {
    storage: S,
    options: QueueOptions,
    segments: VecDeque<Segment>,
    next_id: u64,
    /// Everything up to this id was delivered, dropped or damaged.
    delivered: u64,
    /// The id of the durable position.
    durable: u64,
    /// The index in [`POSITIONS`] of the file with the durable position.
    position: usize,
    reader: Reader,
    counts: QueueCounts,
    /// Seed of the salts of segments.
    salt: u32,
}

impl<S: Storage> Queue<S> {
    /// Opens the queue of a directory. `salt` should differ between starts.
    pub fn open(mut storage: S, options: QueueOptions, salt: u32) -> io::Result<Self> {
        let mut segments: Vec<Segment> = Vec::new();
        for (name, bytes) in storage.list()? {
            if let Some(segment) = Segment::of_name(&name, bytes) {
                segments.push(segment);
            }
        }
        segments.sort_by_key(|segment| (segment.first_id, segment.salt));
        let (delivered, position) = open_position(&mut storage)?;
        let mut queue = Self {
            storage,
            options,
            segments: segments.into(),
            next_id: delivered + 1,
            delivered,
            durable: delivered,
            position,
            reader: Reader::default(),
            counts: QueueCounts::default(),
            salt,
        };
        queue.find_end()?;
        if options.sync == SyncPolicy::Always && !queue.segments.is_empty() {
            // The previous process may have died between the creation of a segment and its synchronisation.
            queue.storage.sync_directory()?;
        }
        Ok(queue)
    }

    /// Finds the id of the next record, and whether the last segment is open for appends.
    fn find_end(&mut self) -> io::Result<()> {
        let keys: Vec<_> = self.segments.iter().map(|segment| (segment.first_id, segment.salt)).collect();
        // A failed start leaves an empty segment, and records may have been appended to the segment before it.
        for (number, &key) in keys.iter().enumerate().rev() {
            self.next_id = self.next_id.max(key.0);
            self.load(key)?;
            let (mut is_whole, mut has_records) = (true, false);
            let mut records = Records::of(&self.reader.bytes, 0, key.1);
            for found in &mut records {
                is_whole &= found.skipped == 0;
                has_records = true;
                self.next_id = self.next_id.max(found.id + 1);
            }
            is_whole &= records.offset == self.reader.bytes.len();
            if !is_whole {
                // The ids of unreadable records are not reused.
                self.next_id += (self.reader.bytes.len() / HEADER_BYTES) as u64 + 1;
            }
            if number + 1 == keys.len() {
                self.segments[number].is_sealed = !is_whole;
            }
            if has_records {
                break;
            }
        }
        self.reader.segment = None;
        Ok(())
    }

    /// Appends a record; on `Ok` it is durable according to the policy. Drops the oldest records at the size limit.
    pub fn append(&mut self, payload: &[u8]) -> io::Result<u64> {
        let length = HEADER_BYTES + payload.len();
        if payload.len() > RECORD_MAX_BYTES || length as u64 > self.options.max_bytes {
            let limit = (RECORD_MAX_BYTES as u64).min(self.options.max_bytes.saturating_sub(HEADER_BYTES as u64));
            let text = format!("record of {} bytes exceeds the limit of {limit}", payload.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let id = self.next_id;
        if id > ID_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the numbers of records are used up; remove the queue",
            ));
        }
        self.make_room(length as u64)?;
        let is_open = |last: &Segment| {
            !last.is_sealed && last.bytes + length as u64 <= self.options.segment_bytes.max(length as u64)
        };
        if !self.segments.back().is_some_and(is_open) {
            self.begin_segment(id)?;
        }
        let Some(last) = self.segments.back_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let name = last.name();
        let mut record = Vec::with_capacity(length);
        write_record(&mut record, id, last.salt, payload);
        // The id is consumed even if the write fails, because its bytes may be on disk.
        self.next_id += 1;
        let written = self.storage.append(&name, &record).and_then(|()| match self.options.sync {
            SyncPolicy::Always => self.storage.sync(&name),
            SyncPolicy::Never => Ok(()),
        });
        match written {
            Ok(()) => {
                last.bytes += length as u64;
                self.counts.appended += 1;
                Ok(id)
            }
            Err(error) => {
                // The content of the file is unknown, so nothing is appended to it.
                last.is_sealed = true;
                last.bytes += length as u64;
                Err(error)
            }
        }
    }

    fn begin_segment(&mut self, first_id: u64) -> io::Result<()> {
        // A segment of a failed start may have the same first id; an existing file is never reused.
        let is_taken = |salt| self.segments.iter().any(|other| (other.first_id, other.salt) == (first_id, salt));
        self.salt = self.salt.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        while is_taken(self.salt) {
            self.salt = self.salt.wrapping_add(1);
        }
        let segment = Segment { first_id, salt: self.salt, bytes: 0, is_sealed: false };
        self.storage.create(&segment.name())?;
        if let Some(last) = self.segments.back_mut() {
            last.is_sealed = true;
        }
        let synced = match self.options.sync {
            SyncPolicy::Always => self.storage.sync_directory(),
            SyncPolicy::Never => Ok(()),
        };
        if let Err(error) = synced {
            _ = self.storage.remove(&segment.name());
            return Err(error);
        }
        self.segments.push_back(segment);
        Ok(())
    }

    /// Drops the oldest segments until `length` more bytes fit.
    fn make_room(&mut self, length: u64) -> io::Result<()> {
        while self.bytes() + length > self.options.max_bytes {
            let Some(front) = self.segments.front() else { return Ok(()) };
            let key = (front.first_id, front.salt);
            let mut dropped = 0;
            // An unreadable segment is dropped too.
            if self.load(key).is_ok() {
                let waiting = Records::of(&self.reader.bytes, 0, key.1).filter(|found| found.id > self.delivered);
                for found in waiting.collect::<Vec<_>>() {
                    self.delivered = found.id;
                    dropped += 1;
                }
            }
            self.reader.segment = None;
            self.counts.dropped_full += dropped;
            self.write_position()?;
            self.remove_front()?;
        }
        Ok(())
    }

    fn remove_front(&mut self) -> io::Result<()> {
        if let Some(front) = self.segments.front() {
            match self.storage.remove(&front.name()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if self.reader.segment == Some((front.first_id, front.salt)) {
                self.reader.segment = None;
            }
            self.segments.pop_front();
        }
        Ok(())
    }

    /// The oldest undelivered record.
    pub fn peek(&mut self) -> io::Result<Option<Record<'_>>> {
        let found = loop {
            let current =
                self.segments.iter().position(|segment| Some((segment.first_id, segment.salt)) == self.reader.segment);
            let number = current.unwrap_or(0);
            let Some(segment) = self.segments.get(number) else { return Ok(None) };
            let (key, known, is_sealed) = ((segment.first_id, segment.salt), segment.bytes, segment.is_sealed);
            if current.is_none() {
                self.load(key)?;
                self.reader.offset = 0;
            } else if (self.reader.bytes.len() as u64) < known && !self.reader.is_short {
                let offset = self.reader.offset;
                self.load(key)?;
                self.reader.offset = offset;
            }
            let mut records = Records::of(&self.reader.bytes, self.reader.offset, key.1);
            let mut damaged = 0;
            let waiting = records.find(|found| {
                damaged += u64::from(found.skipped > 0);
                found.id > self.delivered
            });
            self.counts.damaged += damaged;
            self.reader.offset = waiting.map_or(records.offset, |found| found.start);
            if let Some(found) = waiting {
                break found;
            }
            let is_last = number + 1 == self.segments.len();
            if is_last && !is_sealed {
                return Ok(None);
            }
            let rest = self.reader.bytes.get(self.reader.offset..).unwrap_or_default();
            self.counts.damaged += u64::from(rest.iter().any(|&byte| byte != 0));
            self.reader.offset = self.reader.bytes.len();
            let Some(next) = self.segments.get(number + 1) else {
                self.remove_read()?;
                return Ok(None);
            };
            let next = (next.first_id, next.salt);
            self.load(next)?;
            self.reader.offset = 0;
        };
        Ok(Some(Record { id: found.id, payload: &self.reader.bytes[found.payload..found.end()] }))
    }

    /// Makes the delivery of all records up to `id` durable.
    pub fn delivered(&mut self, id: u64) -> io::Result<()> {
        self.delivered = self.delivered.max(id);
        self.write_position()?;
        self.remove_read()
    }

    /// Removes the segments before the current one, and the current one if it is closed for appends.
    fn remove_read(&mut self) -> io::Result<()> {
        if self.durable < self.delivered {
            self.write_position()?;
        }
        while let (Some(front), Some(current)) = (self.segments.front(), self.reader.segment) {
            let is_current = (front.first_id, front.salt) == current;
            if is_current && !(front.is_sealed && self.reader.offset >= self.reader.bytes.len()) {
                break;
            }
            self.remove_front()?;
        }
        Ok(())
    }

    fn write_position(&mut self) -> io::Result<()> {
        if self.delivered <= self.durable {
            return Ok(());
        }
        let other = 1 - self.position;
        write_position(&mut self.storage, POSITIONS[other], self.delivered)?;
        self.position = other;
        self.durable = self.delivered;
        Ok(())
    }

    /// Sets other limits, which the next append enforces.
    pub fn limit(&mut self, options: QueueOptions) {
        self.options = options;
    }

    /// Size of all segments.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Ends the queue, which stays in the storage.
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// Id of the last delivered record.
    pub fn position(&self) -> u64 {
        self.delivered
    }

    /// Counters since the queue was opened.
    pub fn counts(&self) -> QueueCounts {
        self.counts
    }

    /// Memory of the queue in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.reader.bytes.capacity() + self.segments.capacity() * size_of::<Segment>()
    }

    /// Reads a segment into memory. An unreadable sector is read as zeros, so that its records are damaged.
    fn load(&mut self, key: (u64, u32)) -> io::Result<()> {
        let Some(segment) = self.segments.iter().find(|segment| (segment.first_id, segment.salt) == key) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let name = segment.name();
        let length = usize::try_from(segment.bytes).unwrap_or(usize::MAX).min(SEGMENT_READ_MAX_BYTES);
        self.reader.segment = Some(key);
        self.reader.bytes.clear();
        self.reader.bytes.resize(length, 0);
        let read = match self.storage.read_at(&name, 0, &mut self.reader.bytes) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(_) => {
                let mut end = 0;
                for (number, sector) in self.reader.bytes.chunks_mut(SECTOR_BYTES).enumerate() {
                    let offset = (number * SECTOR_BYTES) as u64;
                    match self.storage.read_at(&name, offset, sector) {
                        Ok(read) => end = end.max(number * SECTOR_BYTES + read),
                        Err(_) => sector.fill(0),
                    }
                }
                end.max(length)
            }
        };
        self.reader.is_short = read < length;
        self.reader.bytes.truncate(read);
        Ok(())
    }
}

/// Maximum size of a segment, which contains at least one record.
const SEGMENT_READ_MAX_BYTES: usize = 4 << 20;

#[derive(Clone, Copy)]
struct Found {
    /// Number of invalid bytes before it.
    skipped: usize,
    start: usize,
    payload: usize,
    length: usize,
    id: u64,
}

impl Found {
    fn end(&self) -> usize {
        self.payload + self.length
    }
}

fn write_record(into: &mut Vec<u8>, id: u64, salt: u32, payload: &[u8]) {
    let start = into.len();
    into.extend_from_slice(&MAGIC.to_le_bytes());
    into.extend_from_slice(&id.to_le_bytes());
    into.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend_from_slice(&crc32c(payload).to_le_bytes());
    let checksum = crc32c(&into[start..]) ^ salt;
    into.extend_from_slice(&checksum.to_le_bytes());
    into.extend_from_slice(payload);
}

/// The valid records of a segment. Damaged regions between them are skipped.
struct Records<'a> {
    bytes: &'a [u8],
    /// Offset after the last returned record.
    offset: usize,
    salt: u32,
}

impl<'a> Records<'a> {
    fn of(bytes: &'a [u8], offset: usize, salt: u32) -> Self {
        Self { bytes, offset, salt }
    }
}

impl Iterator for Records<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let mut start = self.offset;
        loop {
            if let Some(found) = record_at(self.bytes, start, self.salt) {
                let skipped = start - self.offset;
                self.offset = found.end();
                return Some(Found { skipped, ..found });
            }
            start += 1;
            start += self.bytes.get(start..)?.windows(4).position(|window| window == MAGIC.to_le_bytes())?;
        }
    }
}

fn record_at(bytes: &[u8], start: usize, salt: u32) -> Option<Found> {
    let header = bytes.get(start..start.checked_add(HEADER_BYTES)?)?;
    let word = |at: usize| header.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let id = u64::from_le_bytes(header.get(4..12)?.try_into().ok()?);
    if word(0)? != MAGIC || id > ID_MAX || crc32c(&header[..HEADER_BYTES - 4]) ^ salt != word(20)? {
        return None;
    }
    let (length, payload) = (usize::try_from(word(12)?).ok()?, start + HEADER_BYTES);
    let content = bytes.get(payload..payload.checked_add(length)?)?;
    (crc32c(content) == word(16)?).then_some(Found { skipped: 0, start, payload, length, id })
}

fn write_position<S: Storage>(storage: &mut S, name: &str, id: u64) -> io::Result<()> {
    let mut bytes = [0; POSITION_BYTES];
    bytes[..8].copy_from_slice(&id.to_le_bytes());
    let checksum = crc32c(&bytes[..8]);
    bytes[8..].copy_from_slice(&checksum.to_le_bytes());
    storage.overwrite(name, &bytes)?;
    storage.sync(name)
}

/// The position, and the index of its file. Without a valid one, all records are sent again, from id 0.
fn open_position<S: Storage>(storage: &mut S) -> io::Result<(u64, usize)> {
    let mut found = [None; 2];
    let mut is_new = false;
    for (name, found) in POSITIONS.iter().zip(&mut found) {
        let mut bytes = [0; POSITION_BYTES];
        match storage.read_at(name, 0, &mut bytes) {
            Ok(count) => {
                let (id, checksum) = bytes.split_at(8);
                let is_valid = count == POSITION_BYTES && crc32c(id).to_le_bytes() == checksum;
                let id = id.try_into().ok().filter(|_| is_valid).map(u64::from_le_bytes);
                *found = id.filter(|id| *id <= ID_MAX);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                storage.create(name)?;
                is_new = true;
            }
            Err(error) => return Err(error),
        }
    }
    let current = usize::from(found[1] > found[0]);
    let id = found[current].unwrap_or(0);
    if is_new {
        // Both files are allocated now, so that later writes need no space.
        for (name, found) in POSITIONS.iter().zip(found) {
            if found.is_none() {
                write_position(storage, name, id)?;
            }
        }
        storage.sync_directory()?;
    } else {
        // The previous process may have died between the write and its synchronisation; the other file is overwritten next.
        storage.sync(POSITIONS[current])?;
    }
    Ok((id, current))
}
