//! A root whose files are rendered when they are read, like those of /proc.

use std::fmt;

use super::resolve::{Last, Links, PathBuffer, is_plain, resolve};
use super::{Kind, Metadata, Names, Root, RootError};
use crate::host::errno::Errno;

/// A simulated file tree. Paths are relative to it. Implementations do not follow links: a path through one does not
/// exist. The empty path is the directory of the tree.
pub trait Render: Links + Send + Sync + fmt::Debug {
    /// Appends the content of the file at `path`.
    fn render(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError>;

    /// Adds the entries of the directory at `path`, in any order.
    fn entries(&self, path: &[u8], into: &mut Names) -> Result<(), RootError>;

    /// The metadata of the entry at `path`.
    fn describe(&self, path: &[u8]) -> Result<Metadata, RootError>;
}

/// A root over a [`Render`]: it follows links and checks caps.
#[derive(Debug)]
pub struct Live<R> {
    render: R,
}

impl<R: Render> Live<R> {
    /// The root of these files.
    pub fn new(render: R) -> Self {
        Self { render }
    }

    fn follow(&self, path: &[u8], last: Last) -> Result<(Kind, PathBuffer), RootError> {
        let mut resolved = PathBuffer::new();
        // An entry at this exact path has no link above it: one lookup is enough.
        if is_plain(path)
            && let Ok(kind) = self.render.kind(path)
            && (kind != Kind::Link || last == Last::Kept)
        {
            resolved.append(path)?;
            return Ok((kind, resolved));
        }
        let kind = resolve(&self.render, path, last, &mut resolved)?;
        Ok((kind, resolved))
    }
}

impl<R: Render> Root for Live<R> {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        let (kind, resolved) = self.follow(path, Last::Followed)?;
        readable(kind)?;
        let result = self.render.render(resolved.as_bytes(), into).and_then(|()| within(into.len(), cap_bytes));
        if result.is_err() {
            into.clear();
        }
        result
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let (kind, resolved) = self.follow(path, Last::Followed)?;
        if kind != Kind::Directory {
            return Err(Errno::ENOTDIR.into());
        }
        self.render.entries(resolved.as_bytes(), into)?;
        into.sort();
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        let (kind, resolved) = self.follow(path, Last::Kept)?;
        if kind != Kind::Link {
            return Err(Errno::EINVAL.into());
        }
        let mut target = PathBuffer::new();
        self.render.target(resolved.as_bytes(), &mut target)?;
        into.extend_from_slice(target.as_bytes());
        Ok(())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let (_, resolved) = self.follow(path, Last::Followed)?;
        self.render.describe(resolved.as_bytes())
    }
}

/// Checks that an entry of this kind has content.
pub(super) fn readable(kind: Kind) -> Result<(), RootError> {
    match kind {
        Kind::File => Ok(()),
        Kind::Directory => Err(Errno::EISDIR.into()),
        Kind::Link => Err(Errno::EINVAL.into()),
        Kind::Special => Err(RootError::Special),
    }
}

/// Checks that a size is within the cap; the error contains both.
pub(super) fn within(size_bytes: usize, cap_bytes: usize) -> Result<(), RootError> {
    if size_bytes <= cap_bytes {
        return Ok(());
    }
    Err(RootError::TooLarge { size_bytes: size_bytes as u64, cap_bytes: cap_bytes as u64 })
}
