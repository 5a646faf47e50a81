//! Hosts in other forms than `.tree`: ttar, tar and tar.zst archives, and real directories.
//!
//! Everything here is handed bytes or a [`Root`](collectors::host::root::Root) and gives a [`Tree`] or bytes; nothing is
//! opened. What comes from outside is taken for hostile: a name that is absolute or holds `..`, a size beyond a cap or
//! a cut file is an error that names it, and a tree never holds an entry below a link.

mod copy;
mod place;
mod tar_read;
mod tar_write;
pub mod ttar;

use std::fmt;

use collectors::host::root::tree::Tree;
use collectors::host::tree_text;

pub use copy::{Place, copy};
pub use place::{Places, place};
pub use tar_write::write as write_tar;

/// The most that the content of all files of one archive may come to, unpacked.
pub const TOTAL_CAP_BYTES: u64 = 1 << 30;
/// The most that one file of an archive may hold.
pub const FILE_CAP_BYTES: u64 = collectors::kit::files::FILE_CAP_BYTES as u64;
/// The most entries of one archive.
pub const ENTRIES_CAP: usize = 1_000_000;

/// What is wrong with an archive, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchiveError {
    place: String,
    problem: String,
}

impl ArchiveError {
    fn new(problem: impl Into<String>) -> Self {
        Self { place: String::new(), problem: problem.into() }
    }

    fn at(name: &[u8], problem: impl fmt::Display) -> Self {
        Self { place: format!("`{}`: ", name.escape_ascii()), problem: problem.to_string() }
    }

    fn at_line(line: usize, problem: &str) -> Self {
        Self { place: format!("line {line}: "), problem: problem.to_owned() }
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.problem)
    }
}

impl std::error::Error for ArchiveError {}

/// The forms that a host can have in one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `.tree`.
    Tree,
    /// ttar, node_exporter's text form.
    Ttar,
    /// tar, plain.
    Tar,
    /// tar below zstd.
    TarZstd,
}

impl Format {
    /// What the bytes are; their name is not asked.
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

/// Reads a host in whatever form the bytes are. Names of an archive are put in their place by [`place`].
pub fn read(bytes: &[u8]) -> Result<Tree, ArchiveError> {
    match Format::of(bytes) {
        Some(Format::Tree) => {
            tree_text::parse(bytes).map_err(|error| ArchiveError::at_line(error.line, &error.problem))
        }
        Some(Format::Ttar) => {
            let mut tree = Tree::new();
            let places = Places::of(ttar::paths(bytes));
            let placed = |path: &str| places.place(path.as_bytes()).map(|path| path.map(|path| lossless(&path)));
            ttar::read_placed(bytes, &mut tree, placed)?;
            Ok(tree)
        }
        Some(Format::Tar) => tar_read::plain(bytes),
        Some(Format::TarZstd) => tar_read::zstd(bytes),
        None => Err(ArchiveError::new(
            "neither a .tree file nor a ttar, tar or tar.zst archive; give one of these, or a directory",
        )),
    }
}

/// ttar's paths are text, and so is what becomes of them.
fn lossless(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

#[cfg(test)]
mod tests;
