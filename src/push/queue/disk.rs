//! A virtual disk that loses, tears and reorders unsynchronised writes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::storage::Storage;
use super::SECTOR_BYTES;

/// A small generator of pseudo-random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % limit.max(1)
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

#[derive(Clone, Default, Debug)]
struct File {
    content: Vec<u8>,
    /// Length after a power failure.
    durable_bytes: usize,
    /// The durable content below bytes that were overwritten.
    overwritten: Option<Vec<u8>>,
    /// Unreadable sectors.
    unreadable: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Change {
    Create(String, usize),
    Remove(String),
}

/// Failures to inject.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Trouble {
    /// Number of written bytes and calls after which the process dies.
    pub(crate) dies_after: Option<usize>,
    /// Capacity in bytes; appends beyond it fail partially.
    pub(crate) capacity: Option<usize>,
    /// One in this many synchronisations fails.
    pub(crate) failing_syncs: Option<usize>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<Change>,
    trouble: Trouble,
    written: usize,
    is_dead: bool,
    random: Option<Random>,
}

/// A handle of the disk, which all clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

fn apply(names: &mut BTreeMap<String, usize>, change: &Change) {
    match change {
        Change::Create(name, file) => _ = names.insert(name.clone(), *file),
        Change::Remove(name) => _ = names.remove(name),
    }
}

fn died() -> io::Error {
    io::Error::other("the process died")
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn set_trouble(&self, trouble: Trouble, random: Random) {
        let mut state = self.state();
        state.trouble = trouble;
        state.written = 0;
        state.random = Some(random);
    }

    /// Number of bytes and calls written since the failures were set.
    pub(crate) fn written(&self) -> usize {
        self.state().written
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// Simulates the end of the process: all writes survive.
    pub(crate) fn restart_process(&self) {
        let mut state = self.state();
        state.is_dead = false;
        state.trouble = Trouble::default();
    }

    /// Simulates a power failure: any part of the unsynchronised writes survives.
    pub(crate) fn lose_power(&self, random: &mut Random) {
        let mut state = self.state();
        let state = &mut *state;
        for file in &mut state.files {
            if let Some(before) = file.overwritten.take() {
                match random.below(3) {
                    0 => file.content = before,
                    1 => file.content.iter_mut().for_each(|byte| *byte = random.next().to_le_bytes()[3]),
                    _ => {}
                }
                file.durable_bytes = file.content.len();
            }
            let (durable, length) = (file.durable_bytes, file.content.len());
            let kept = durable + random.below(length - durable + 1);
            file.content.truncate(kept);
            let mut start = durable;
            while start < kept {
                let end = (start / SECTOR_BYTES + 1).saturating_mul(SECTOR_BYTES).min(kept);
                match random.below(4) {
                    0 => file.content[start..end].fill(0),
                    1 => file.content[start..end].iter_mut().for_each(|byte| *byte = random.next().to_le_bytes()[3]),
                    _ => {}
                }
                start = end;
            }
            file.durable_bytes = kept;
        }
        let mut names = std::mem::take(&mut state.durable_names);
        for change in std::mem::take(&mut state.changes) {
            if random.one_in(2) {
                apply(&mut names, &change);
            }
        }
        state.names.clone_from(&names);
        state.durable_names = names;
        state.is_dead = false;
        state.trouble = Trouble::default();
    }

    /// Damages one sector of a segment: garbage, or errors when it is read. Returns the file's name and the region.
    pub(crate) fn damage(&self, random: &mut Random) -> Option<(String, usize, usize)> {
        let mut state = self.state();
        let segments: Vec<(String, usize)> = state
            .names
            .iter()
            .filter(|(name, _)| name.ends_with(super::SUFFIX))
            .map(|(name, file)| (name.clone(), *file))
            .collect();
        let (name, file) = segments.get(random.below(segments.len()))?.clone();
        let file = &mut state.files[file];
        if file.content.is_empty() {
            return None;
        }
        let sector = random.below(file.content.len().div_ceil(SECTOR_BYTES));
        let (start, end) = (sector * SECTOR_BYTES, ((sector + 1) * SECTOR_BYTES).min(file.content.len()));
        if random.one_in(2) {
            file.unreadable.push(sector);
        } else {
            file.content[start..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        }
        Some((name, start, end))
    }

    /// Flips a bit of the only segment.
    pub(crate) fn flip(&self, at: usize) {
        let mut state = self.state();
        let file = *state.names.iter().find(|(name, _)| name.ends_with(super::SUFFIX)).unwrap().1;
        state.files[file].content[at] ^= 0x10;
    }

    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].content.clone()
    }
}

impl State {
    /// Counts a write. Returns the number of bytes that are written, and whether the process dies afterwards.
    fn spend(&mut self, bytes: usize) -> io::Result<(usize, bool)> {
        if self.is_dead {
            return Err(died());
        }
        let left = self.trouble.dies_after.map_or(usize::MAX, |limit| limit.saturating_sub(self.written));
        self.written += bytes.max(1);
        self.is_dead = left < bytes.max(1);
        Ok((bytes.min(left), self.is_dead))
    }

    fn file(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        let (_, dies) = self.spend(0)?;
        if dies {
            return Err(died());
        }
        apply(&mut self.names, &change);
        self.changes.push(change);
        Ok(())
    }

    fn sync_fails(&mut self) -> bool {
        match (self.trouble.failing_syncs, &mut self.random) {
            (Some(count), Some(random)) => random.one_in(count),
            _ => false,
        }
    }
}

impl Storage for Disk {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        let state = self.state();
        if state.is_dead {
            return Err(died());
        }
        Ok(state.names.iter().map(|(name, file)| (name.clone(), state.files[*file].content.len() as u64)).collect())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        if let Ok(file) = state.file(name) {
            if state.spend(0)?.1 {
                return Err(died());
            }
            state.files[file] = File::default();
            return Ok(());
        }
        let file = state.files.len();
        state.change(Change::Create(name.to_owned(), file))?;
        state.files.push(File::default());
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let file = state.file(name)?;
        let (mut count, dies) = state.spend(bytes.len())?;
        let used: usize = state.names.values().map(|file| state.files[*file].content.len()).sum();
        let room = state.trouble.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
        count = count.min(room);
        let file = &mut state.files[file];
        // A device remaps an unreadable sector when it is written.
        file.unreadable.retain(|sector| sector * SECTOR_BYTES < file.content.len());
        file.content.extend_from_slice(&bytes[..count]);
        if dies {
            return Err(died());
        }
        if count < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let file = state.file(name)?;
        let (_, dies) = state.spend(0)?;
        if dies {
            return Err(died());
        }
        if state.sync_fails() {
            return Err(io::Error::other("input/output error"));
        }
        state.files[file].durable_bytes = state.files[file].content.len();
        state.files[file].overwritten = None;
        Ok(())
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.state();
        if state.is_dead {
            return Err(died());
        }
        let file = &state.files[state.file(name)?];
        let start = usize::try_from(offset).unwrap().min(file.content.len());
        let end = (start + into.len()).min(file.content.len());
        let is_unreadable = |sector: &usize| sector * SECTOR_BYTES < end && (sector + 1) * SECTOR_BYTES > start;
        if file.unreadable.iter().any(is_unreadable) {
            return Err(io::Error::other("input/output error"));
        }
        into[..end - start].copy_from_slice(&file.content[start..end]);
        Ok(end - start)
    }

    fn overwrite(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let file = state.file(name)?;
        let (count, dies) = state.spend(bytes.len())?;
        let file = &mut state.files[file];
        let (before, durable) = (file.content.clone(), file.durable_bytes);
        file.overwritten.get_or_insert_with(|| before[..durable].to_vec());
        let end = count.max(file.content.len());
        file.content.resize(end, 0);
        file.content[..count].copy_from_slice(&bytes[..count]);
        if dies { Err(died()) } else { Ok(()) }
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.file(name)?;
        state.change(Change::Remove(name.to_owned()))
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        let mut state = self.state();
        let (_, dies) = state.spend(0)?;
        if dies {
            return Err(died());
        }
        if state.sync_fails() {
            return Err(io::Error::other("input/output error"));
        }
        let names = state.names.clone();
        state.durable_names = names;
        state.changes.clear();
        Ok(())
    }
}
