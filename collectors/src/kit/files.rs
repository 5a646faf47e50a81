//! File access of a collector: its declared reads and no others.

use std::marker::PhantomData;

use super::failure::FileError;
use super::memory;
use super::parse::Text;
use super::read::{self, Accessed, Directory, File, Link, Read, ReadInfo};
use crate::host::root::{Metadata, Mount, Names, RootError, Roots};

/// Maximum size of a file; a larger one is refused. The largest known file, /proc/interrupts of 1,152 CPUs, has 13 MB.
pub const FILE_CAP_BYTES: usize = 64 << 20;

/// Memory for paths and contents, reused by every read of every scrape.
#[derive(Default, Debug)]
pub struct Scratch {
    path: Vec<u8>,
    content: Vec<u8>,
}

impl Scratch {
    /// Returns the memory of an unusually large file.
    pub(super) fn release_if_large(&mut self) {
        memory::release_if_large(&mut self.content);
    }
}

/// The declared files of collector `C`.
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

    /// The path of /sys as the operator gave it, for labels.
    pub fn sys_place(&self) -> &'a str {
        self.roots.sys_place()
    }

    /// Whether these are files of the running host: see [`Roots::live`].
    pub fn is_live(&self) -> bool {
        self.roots.is_live()
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

    /// Reads a whole file; `None` if it does not exist.
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

    /// Reads a whole file into `content`, which outlives the next read.
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

    /// Reads the target of a symbolic link.
    pub fn read_link<const N: usize>(
        &mut self,
        link: Read<C, Link, N>,
        names: [&[u8]; N],
        into: &mut Vec<u8>,
    ) -> Result<(), FileError<'_>> {
        let roots = self.roots;
        self.answer(link, &names, |mount, path| roots.get(mount).read_link(path, into))
    }

    /// Metadata of a file, which is not opened.
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

/// Calls `ask` with the path. An invalid name is an error, like a path that leaves the root.
fn with_path<T>(
    info: ReadInfo,
    names: &[&[u8]],
    path: &mut Vec<u8>,
    ask: impl FnOnce(&[u8]) -> Result<T, RootError>,
) -> Result<T, RootError> {
    if read::fill(info, names, path) { ask(path) } else { Err(RootError::Escapes) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::root::Root;

    const FILE: Read<(), File, 0> = Read::new(Mount::Proc, "large");

    /// A root with one file of any size, which takes no memory.
    #[derive(Debug)]
    struct OneFile {
        size_bytes: usize,
    }

    impl Root for OneFile {
        fn begin_scrape(&self) {}

        fn read(&self, _: &[u8], _: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
            let size_bytes = self.size_bytes;
            if size_bytes > cap_bytes { Err(TOO_LARGE) } else { Ok(()) }
        }

        fn list(&self, _: &[u8], _: &mut Names) -> Result<(), RootError> {
            Err(RootError::Escapes)
        }

        fn read_link(&self, _: &[u8], _: &mut Vec<u8>) -> Result<(), RootError> {
            Err(RootError::Escapes)
        }

        fn metadata(&self, _: &[u8]) -> Result<Metadata, RootError> {
            Err(RootError::Escapes)
        }
    }

    const TOO_LARGE: RootError = RootError::Errno(crate::host::errno::Errno::EFBIG);

    #[test]
    fn the_size_of_a_read_is_limited() {
        for (size_bytes, is_read) in [(FILE_CAP_BYTES, true), (FILE_CAP_BYTES + 1, false)] {
            let roots = Roots::new(|_| Arc::new(OneFile { size_bytes }));
            let (mut scratch, mut content) = (Scratch::default(), Vec::new());
            let mut files = Files::<()>::new(&roots, &mut scratch);
            assert_eq!(files.read(FILE, []).is_ok(), is_read, "{size_bytes}");
            assert_eq!(files.read_if_present(FILE, []).is_ok(), is_read, "{size_bytes}");
            assert_eq!(files.read_into(FILE, [], &mut content).is_ok(), is_read, "{size_bytes}");
        }
    }
}
