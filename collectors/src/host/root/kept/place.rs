//! Cache of the last directory: further files of it are opened without resolving their paths.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::split;
use crate::host::root::RootError;
use crate::host::root::dir::linux::{Confined, open_beside, read_found};

/// The last directory, until the scrape ends.
#[derive(Default, Debug)]
pub(super) struct LastPlace(Mutex<LastFolder>);

#[derive(Default, Debug)]
struct LastFolder {
    path: Vec<u8>,
    is_known: bool,
    /// The open directory; opened at the second file, and taken while a thread reads from it.
    handle: Option<OwnedFd>,
}

impl LastPlace {
    fn lock(&self) -> MutexGuard<'_, LastFolder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clears the cache.
    pub(super) fn clear(&self) {
        let mut place = self.lock();
        place.is_known = false;
        place.handle = None;
    }

    /// Reads a file, relative to the last directory if it is the file's.
    pub(super) fn read(
        &self,
        confined: &Confined,
        path: &[u8],
        into: &mut Vec<u8>,
        cap_bytes: usize,
    ) -> Result<(), RootError> {
        let (directory, name) = split(path);
        // `.` and `..` are not names.
        let handle = if matches!(name, b"" | b"." | b"..") { None } else { self.take(confined, directory) };
        let Some(handle) = handle else { return confined.read(path, into, cap_bytes) };
        let file = open_beside(&handle, name);
        self.put(directory, handle);
        match file? {
            Some(file) => read_found(&file, into, cap_bytes),
            // A link may leave the directory.
            None => confined.read(path, into, cap_bytes),
        }
    }

    fn take(&self, confined: &Confined, directory: &[u8]) -> Option<OwnedFd> {
        let mut place = self.lock();
        if place.is_known && place.path == directory {
            let handle = place.handle.take();
            drop(place);
            return handle.or_else(|| confined.open_place(directory).ok());
        }
        place.is_known = true;
        place.path.clear();
        place.path.extend_from_slice(directory);
        let before = place.handle.take();
        drop(place);
        drop(before);
        None
    }

    fn put(&self, directory: &[u8], handle: OwnedFd) {
        let mut place = self.lock();
        if place.is_known && place.path == directory {
            place.handle = Some(handle);
        }
    }
}
