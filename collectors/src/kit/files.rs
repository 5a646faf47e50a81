//! A collector's only way to files.

use std::marker::PhantomData;

use super::failure::FileError;
use super::parse::Text;
use super::read::{self, Accessed, Directory, File, Link, Read, ReadInfo};
use crate::host::root::{Metadata, Mount, Names, RootError, Roots};

/// A read takes this much of a file and refuses a larger one. The largest that is known, /proc/interrupts of 1,152
/// CPUs, has 13 MB.
pub const FILE_CAP_BYTES: usize = 64 << 20;

/// Memory for what is read, used again by every read of every scrape.
#[derive(Default, Debug)]
pub struct Scratch {
    path: Vec<u8>,
    content: Vec<u8>,
}

/// The files that collector `C` has declared.
pub struct Files<'a, C> {
    roots: &'a Roots,
    scratch: &'a mut Scratch,
    owner: PhantomData<fn() -> C>,
}

impl<C> std::fmt::Debug for Files<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("roots", self.roots).finish_non_exhaustive()
    }
}

impl<'a, C> Files<'a, C> {
    /// The files of these roots.
    pub fn new(roots: &'a Roots, scratch: &'a mut Scratch) -> Self {
        Self { roots, scratch, owner: PhantomData }
    }

    /// Where the operator said that /sys is, for labels that show it.
    pub fn sys_place(&self) -> &'a str {
        self.roots.sys_place()
    }

    /// Reads a whole file. The text lives until the next read.
    pub fn read<const N: usize>(
        &mut self,
        file: Read<C, File, N>,
        names: [&[u8]; N],
    ) -> Result<Text<'_>, FileError<'_>> {
        let info = file.info();
        let Scratch { path, content } = self.scratch;
        let result =
            with_path(info, &names, path, |path| self.roots.get(info.mount).read(path, content, FILE_CAP_BYTES));
        match result {
            Ok(()) => Ok(Text::new(info.mount, path, content)),
            Err(error) => Err(FileError { mount: info.mount, path, error }),
        }
    }

    /// Reads a whole file where it exists.
    pub fn read_if_present<const N: usize>(
        &mut self,
        file: Read<C, File, N>,
        names: [&[u8]; N],
    ) -> Result<Option<Text<'_>>, FileError<'_>> {
        match self.read(file, names) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole file into memory of the caller, for files that are looked at side by side.
    pub fn read_into<const N: usize>(
        &mut self,
        file: Read<C, File, N>,
        names: [&[u8]; N],
        content: &mut Vec<u8>,
    ) -> Result<(), FileError<'_>> {
        let roots = self.roots;
        self.answer(file, &names, |mount, path| roots.get(mount).read(path, content, FILE_CAP_BYTES))
    }

    /// Lists a directory, sorted by name.
    pub fn list<const N: usize>(
        &mut self,
        directory: Read<C, Directory, N>,
        names: [&[u8]; N],
        into: &mut Names,
    ) -> Result<(), FileError<'_>> {
        let roots = self.roots;
        self.answer(directory, &names, |mount, path| roots.get(mount).list(path, into))
    }

    /// Reads where a symbolic link leads, without following it.
    pub fn read_link<const N: usize>(
        &mut self,
        link: Read<C, Link, N>,
        names: [&[u8]; N],
        into: &mut Vec<u8>,
    ) -> Result<(), FileError<'_>> {
        let roots = self.roots;
        self.answer(link, &names, |mount, path| roots.get(mount).read_link(path, into))
    }

    /// What a file is, without opening it.
    pub fn metadata<A: Accessed, const N: usize>(
        &mut self,
        file: Read<C, A, N>,
        names: [&[u8]; N],
    ) -> Result<Metadata, FileError<'_>> {
        let roots = self.roots;
        self.answer(file, &names, |mount, path| roots.get(mount).metadata(path))
    }

    fn answer<A: Accessed, T, const N: usize>(
        &mut self,
        read: Read<C, A, N>,
        names: &[&[u8]; N],
        ask: impl FnOnce(Mount, &[u8]) -> Result<T, RootError>,
    ) -> Result<T, FileError<'_>> {
        let info = read.info();
        let path = &mut self.scratch.path;
        with_path(info, names, path, |path| ask(info.mount, path)).map_err(|error| FileError {
            mount: info.mount,
            path,
            error,
        })
    }
}

/// Fills in the names and asks; a name that is none leads out of the root.
fn with_path<T>(
    info: ReadInfo,
    names: &[&[u8]],
    path: &mut Vec<u8>,
    ask: impl FnOnce(&[u8]) -> Result<T, RootError>,
) -> Result<T, RootError> {
    if read::fill(info, names, path) { ask(path) } else { Err(RootError::Escapes) }
}
