//! A directory of this host with descriptors that stay open between scrapes.
//!
//! Opening a file of /proc or /sys costs several times as much as reading it. Their descriptors stay open and are read
//! again from the beginning, for which the kernel renders the file anew. A descriptor that no longer belongs to its path is
//! detected at the start of a scrape, or by a read error, after which the path is opened again:
//!
//! | change | detection |
//! |---|---|
//! | a device or module is removed, and possibly replaced by one of its name | reading the old descriptor is an error |
//! | a device is renamed | another directory is at the path (`Confined::identity`) |
//! | a mount over, on or below /proc or /sys | the list of mounts changes (`Mounts`) |
//! | processes start and end | their files are not kept open |
//!
//! The check takes a system call per directory and missing path in each scrape. Where the kernel's events reach this
//! process, it is skipped while no event arrives (`events`).
//!
//! In other directories a file may be replaced at any time, so no files stay open there. Only the handle of the last
//! directory is cached until the end of the scrape.

mod events;
mod place;
mod state;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::dir::linux::{Confined, list_again, list_all};
use super::dir::rendered::Rendered;
use super::{Metadata, Names, Root, RootError};
use crate::host::errno::Errno;
use events::{Events, Mounts};
use place::LastPlace;
use state::State;

/// Maximum size of a file that stays open. A larger one costs more to render than to open, and the kernel would keep a
/// buffer of its whole size.
const KEPT_FILE_MAX_BYTES: usize = 64 << 10;

/// The key of a directory itself among the names of its files.
const ITSELF: &[u8] = b".";

/// A directory as a root that keeps descriptors open.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    state: Mutex<State>,
    last: LastPlace,
}

impl Kept {
    /// Opens the directory at this path of the operating system.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RootError> {
        let path = path.as_ref().to_owned();
        // Watching begins before the first descriptor is opened.
        let mounts = Mounts::watch();
        let confined = Arc::new(Confined::open(&path)?);
        let mounts = mounts.filter(|_| confined.rendered.is_some());
        // Without the list of mounts nothing is kept, and the events have nothing to say.
        let events = mounts.as_ref().and_then(|_| Events::listen());
        Ok(Self { path, state: Mutex::new(State::new(confined, mounts, events)), last: LastPlace::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn confined(&self) -> Arc<Confined> {
        Arc::clone(&self.lock().confined)
    }

    /// Cached descriptor of a name; none if the directory was replaced.
    fn find(&self, confined: &Confined, directory: &[u8], name: &[u8]) -> Option<Arc<Mutex<OwnedFd>>> {
        let mut state = self.lock();
        let scrape = state.scrape;
        if state.is_identified(directory, state.directories.get(directory)?) {
            state.mark_used(directory);
        } else {
            drop(state);
            let identity = identity(confined, directory).ok();
            state = self.lock();
            state.check(directory, identity, scrape);
        }
        state.directories.get(directory)?.files.get(name).map(Arc::clone)
    }

    /// Keeps an open file of this path, if its file system allows.
    fn keep(&self, confined: &Confined, path: &[u8], (directory, name): (&[u8], &[u8]), file: OwnedFd) {
        let Some(rendered) = confined.rendered.filter(|rendered| !is_of_process(*rendered, directory)) else { return };
        if !self.lock().has_room() {
            return;
        }
        // A container may have mounted a file of another file system here.
        if Rendered::of(&file) != Ok(Some(rendered)) {
            return;
        }
        let Ok(identity) = identity(confined, directory) else { return };
        // The directory may have changed since the file was opened.
        if rendered == Rendered::Sys && !confined.is_at(path, &file) {
            return;
        }
        let mut state = self.lock();
        if !state.has_room() || !std::ptr::eq(&raw const *state.confined, confined) {
            return;
        }
        let scrape = state.scrape;
        state.check(directory, Some(identity), scrape);
        state.insert((directory, name), identity, file);
    }

    /// Reads the kept descriptor of this name; `None` without one, or if it is no longer valid.
    fn ask_kept(
        &self,
        confined: &Confined,
        (directory, name): (&[u8], &[u8]),
        ask: impl FnOnce(&OwnedFd) -> Result<(), RootError>,
    ) -> Option<Result<(), RootError>> {
        let kept = self.find(confined, directory, name)?;
        // Concurrent reads of one descriptor would disturb each other.
        let file = kept.try_lock().ok()?;
        match ask(&file) {
            Err(error) if !is_refusal(error) => {
                self.lock().remove(directory, name);
                None
            }
            answer => Some(answer),
        }
    }

    /// Opens a file that is not kept. A path that was missing in the last scrape is looked up first, which costs half as
    /// much as a failed open; while no event arrives, it is known to be missing.
    fn open_new(
        &self,
        confined: &Confined,
        path: &[u8],
        open: fn(&Confined, &[u8]) -> Result<OwnedFd, RootError>,
    ) -> Result<OwnedFd, RootError> {
        let (missing, is_certain) = self.lock().missing(path);
        if let Some(error) = missing {
            if is_certain {
                return Err(error);
            }
            if confined.lacks(path, error) {
                self.lock().note(path, missing);
                return Err(error);
            }
        }
        let opened = open(confined, path);
        let now_missing = opened.as_ref().err().copied().filter(|&error| is_absence(error));
        if missing.is_some() || now_missing.is_some() {
            self.lock().note(path, now_missing);
        }
        opened
    }

    fn read_kept(
        &self,
        confined: &Confined,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        let place = split(path);
        let again = |file: &OwnedFd| confined.read_again(file, path, into, cap_bytes);
        if let Some(answer) = self.ask_kept(confined, place, again) {
            return answer;
        }
        let file = self.open_new(confined, path, Confined::open_file)?;
        let answer = confined.read_opened(&file, path, into, cap_bytes);
        if answer.map_or_else(is_refusal, |()| into.len() <= KEPT_FILE_MAX_BYTES) {
            self.keep(confined, path, place, file);
        }
        answer
    }
}

impl Root for Kept {
    fn begin_scrape(&self) {
        self.last.clear();
        let mut state = self.lock();
        if state.begin_scrape() {
            let directories = state.take_all();
            // If a sandbox forbids reading the new mount, the previous one stays in use.
            if let Ok(confined) = Confined::open(&self.path).and_then(|new| new.open_directory(b"").map(|_| new)) {
                state.confined = Arc::new(confined);
            }
            drop(state);
            drop(directories);
        }
    }

    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        let confined = self.confined();
        match confined.rendered {
            Some(_) => self.read_kept(&confined, path, into, cap_bytes),
            None => self.last.read(&confined, path, into, cap_bytes),
        }
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let confined = self.confined();
        match confined.rendered {
            Some(Rendered::Sys) => {}
            // The descriptor of a removed directory of /proc lists nothing.
            Some(Rendered::Proc) => return list_all(&self.open_new(&confined, path, Confined::open_directory)?, into),
            None => return confined.list(path, into),
        }
        if self.lock().listing(path, into) {
            return Ok(());
        }
        if let Some(answer) = self.ask_kept(&confined, (path, ITSELF), |directory| list_again(directory, into)) {
            if answer.is_ok() {
                self.lock().note_listing(path, into);
            }
            return answer;
        }
        let directory = self.open_new(&confined, path, Confined::open_directory)?;
        list_all(&directory, into)?;
        self.keep(&confined, path, (path, ITSELF), directory);
        self.lock().note_listing(path, into);
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.confined().read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let confined = self.confined();
        let (missing, is_certain) = self.lock().missing(path);
        if let Some(error) = missing.filter(|_| is_certain) {
            return Err(error);
        }
        let metadata = confined.metadata(path);
        let now_missing = metadata.err().filter(|&error| confined.rendered.is_some() && is_absence(error));
        if missing.is_some() || now_missing.is_some() {
            self.lock().note(path, now_missing);
        }
        metadata
    }
}

/// The identity of the directory at this path. Files below /proc are never renamed.
fn identity(confined: &Confined, directory: &[u8]) -> Result<(u64, u64), RootError> {
    match confined.rendered {
        Some(Rendered::Sys) => confined.identity(directory),
        _ => Ok((0, 0)),
    }
}

/// The directory and the name of a file.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// Whether the error is an answer of the driver or the kernel, and not a sign of a removed device.
fn is_refusal(error: RootError) -> bool {
    matches!(error, RootError::Errno(Errno::EINVAL | Errno::EOPNOTSUPP))
}

/// Whether nothing is at the path, or something on the way to it is a file.
fn is_absence(error: RootError) -> bool {
    matches!(error, RootError::Errno(Errno::ENOENT | Errno::ENOTDIR))
}

/// Whether this is a directory of a process in /proc, whose number may be reused. The number of the first process is not:
/// it ends with its host.
fn is_of_process(rendered: Rendered, directory: &[u8]) -> bool {
    let first = directory.split(|&byte| byte == b'/').next().unwrap_or_default();
    let is_number = !first.is_empty() && first != b"1" && first.iter().all(u8::is_ascii_digit);
    rendered == Rendered::Proc && (is_number || matches!(first, b"self" | b"thread-self"))
}

#[cfg(test)]
mod tests;
