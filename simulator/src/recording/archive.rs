//! Archive formats of a host besides `.tree`: ttar, tar, tar.zst, and real directories.
//!
//! Converts bytes or a [`Root`](collectors::host::root::Root) to a [`Tree`] and back; opens nothing. Archives are
//! treated as hostile: absolute names, `..`, sizes above a cap and truncated files are errors that name the entry, and
//! no entry is ever created below a link.

mod copy;
mod mapping;
mod tar;
pub mod ttar;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use collectors::host::root::tree::{Node, Tree, What};
use collectors::host::tree_text;

use super::entries::Entries;

pub use copy::{TreePath, copy};
pub use mapping::{PathMapping, tree_path};
pub use tar::write as write_tar;

/// Maximum unpacked size of an archive of any size. Smaller archives have a lower limit, see [`unpacked_cap_bytes`].
pub const TOTAL_CAP_BYTES: u64 = 1 << 30;
/// Maximum size of one file of an archive.
pub const FILE_CAP_BYTES: u64 = collectors::kit::files::FILE_CAP_BYTES as u64;
/// Maximum number of entries of an archive, including directories that only paths imply.
pub const ENTRIES_CAP: usize = 1_000_000;

/// Maximum unpacked size of an archive of `packed_bytes`.
///
/// Compression, sparse files and hard links let a few kilobytes unpack to gigabytes. A host's files and tar headers
/// compress 10 to 50 times.
pub fn unpacked_cap_bytes(packed_bytes: usize) -> u64 {
    const RATIO_MAX: u64 = 200;
    const MIN_BYTES: u64 = FILE_CAP_BYTES;
    (packed_bytes as u64).saturating_mul(RATIO_MAX).clamp(MIN_BYTES, TOTAL_CAP_BYTES)
}

/// Problem of an archive and the entry or line that has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchiveError {
    location: String,
    problem: String,
}

impl ArchiveError {
    fn new(problem: impl Into<String>) -> Self {
        Self { location: String::new(), problem: problem.into() }
    }

    fn at(name: &[u8], problem: impl fmt::Display) -> Self {
        Self { location: format!("`{}`: ", name.escape_ascii()), problem: problem.to_string() }
    }

    fn at_line(line: usize, problem: &str) -> Self {
        Self { location: format!("line {line}: "), problem: problem.to_owned() }
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.location, self.problem)
    }
}

impl std::error::Error for ArchiveError {}

/// File format of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `.tree`.
    Tree,
    /// ttar, the text format of node_exporter's test trees.
    Ttar,
    /// Uncompressed tar.
    Tar,
    /// tar compressed with zstd.
    TarZstd,
}

impl Format {
    /// Detects the format by content.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
        const TAR_MAGIC: &[u8] = b"ustar";
        const TAR_MAGIC_AT: usize = 257;
        const TTAR_KEYS: [&str; 3] = ["# ttar", "Directory: ", "Path: "];
        if bytes.starts_with(b"nodelab tree") {
            return Some(Self::Tree);
        }
        if bytes.starts_with(ZSTD_MAGIC) {
            return Some(Self::TarZstd);
        }
        if bytes.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(TAR_MAGIC)) {
            return Some(Self::Tar);
        }
        let mut lines = bytes.split(|&byte| byte == b'\n').take(50);
        let is_ttar = lines.any(|line| TTAR_KEYS.iter().any(|key| line.starts_with(key.as_bytes())));
        is_ttar.then_some(Self::Ttar)
    }
}

/// Reads a host in any [`Format`]. Paths of archives are mapped by [`PathMapping`].
pub fn read(bytes: &[u8]) -> Result<Tree, ArchiveError> {
    match Format::of(bytes) {
        Some(Format::Tree) => {
            tree_text::parse(bytes).map_err(|error| ArchiveError::at_line(error.line, &error.problem))
        }
        Some(Format::Ttar) => {
            let mapping = PathMapping::of(ttar::paths(bytes));
            let mut unpacked = Unpacked::new(bytes.len());
            ttar::records(bytes, |line, path, node| {
                let fail = |error: ArchiveError| ArchiveError::at_line(line, &error.to_string());
                let Some(mapped) = mapping.tree_path(path.as_bytes()).map_err(fail)? else { return Ok(()) };
                unpacked.push((line, path.to_owned()), mapped, node).map_err(fail)
            })?;
            let built = unpacked.entries.into_tree();
            built.map_err(|((line, path), error)| ArchiveError::at_line(line, &format!("`{path}`: {error}")))
        }
        Some(Format::Tar) => tar::read_plain(bytes, unpacked_cap_bytes(bytes.len())),
        Some(Format::TarZstd) => tar::read_zstd(bytes),
        None => Err(ArchiveError::new(
            "neither a .tree file nor a ttar, tar or tar.zst archive; give one of these, or a directory",
        )),
    }
}

/// Entries unpacked so far, within the caps on their number and size.
#[derive(Debug)]
struct Unpacked<S> {
    entries: Entries<S>,
    directories: BTreeSet<Vec<u8>>,
    /// Index of the last entry of each path, for hard links.
    indices: BTreeMap<Vec<u8>, usize>,
    count: usize,
    left_bytes: u64,
    cap_bytes: u64,
}

impl<S: Clone> Unpacked<S> {
    fn new(packed_bytes: usize) -> Self {
        Self::with_cap(unpacked_cap_bytes(packed_bytes))
    }

    fn with_cap(cap_bytes: u64) -> Self {
        let (entries, directories, indices) = (Entries::default(), BTreeSet::new(), BTreeMap::new());
        Self { entries, directories, indices, count: 0, left_bytes: cap_bytes, cap_bytes }
    }

    fn push(&mut self, source: S, path: Vec<u8>, node: Node) -> Result<(), ArchiveError> {
        let (count, left_bytes, cap_bytes) = (&mut self.count, &mut self.left_bytes, self.cap_bytes);
        let mut cost = |bytes: usize| {
            *count += 1;
            if *count > ENTRIES_CAP {
                return Err(ArchiveError::new(format!("more than {ENTRIES_CAP} entries")));
            }
            let left = left_bytes.checked_sub(bytes as u64);
            *left_bytes = left.ok_or_else(|| too_large(cap_bytes))?;
            Ok(())
        };
        let content = if let What::File(content) = node.what() { content.len() } else { 0 };
        cost(path.len() + content)?;
        self.entries.push_parents(&mut self.directories, &source, &path, cost)?;
        self.indices.insert(path.clone(), self.entries.len());
        self.entries.push(source, path, node);
        Ok(())
    }

    /// Content of the latest entry at a path, if that is a file.
    fn file(&self, path: &[u8]) -> Option<&[u8]> {
        self.entries.file(*self.indices.get(path)?)
    }
}

fn too_large(cap_bytes: u64) -> ArchiveError {
    ArchiveError::new(format!("more than {cap_bytes} bytes unpacked; unpack it and give the directory"))
}

#[cfg(test)]
mod tests;
