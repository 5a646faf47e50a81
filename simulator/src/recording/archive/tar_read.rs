//! tar and tar.zst into a tree.

use std::io::{self, Read};

use collectors::host::errno::Errno;
use collectors::host::root::tree::{MAX_MODE, Node, Special, Tree, What};
use tar::EntryType;

use super::tar_write::{ERROR_KEY, SIZE_KEY, SPECIAL_KEY};
use super::{ArchiveError, ENTRIES_CAP, FILE_CAP_BYTES, Places, TOTAL_CAP_BYTES};

/// A plain archive. It is walked twice: for the folder around everything, and for the entries.
pub(super) fn plain(bytes: &[u8]) -> Result<Tree, ArchiveError> {
    let mut paths = Vec::new();
    each(Capped::new(bytes), &mut |entry| {
        paths.push(entry.path_bytes().into_owned());
        Ok(())
    })?;
    let mut reader = Reader { tree: Tree::new(), places: Places::of(paths.iter().map(Vec::as_slice)) };
    each(Capped::new(bytes), &mut |entry| reader.entry(entry))?;
    Ok(reader.tree)
}

/// An archive below zstd.
pub(super) fn zstd(bytes: &[u8]) -> Result<Tree, ArchiveError> {
    let mut unpacked = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest)
            .map_err(|error| ArchiveError::new(format!("zstd: {error}")))?;
        let mut decoder = Capped { inner: decoder, left_bytes: TOTAL_CAP_BYTES.saturating_sub(unpacked.len() as u64) };
        decoder.read_to_end(&mut unpacked).map_err(|error| ArchiveError::new(format!("zstd: {error}")))?;
    }
    plain(&unpacked)
}

/// A reader that fails where more comes than may.
struct Capped<R> {
    inner: R,
    left_bytes: u64,
}

impl<R> Capped<R> {
    fn new(inner: R) -> Self {
        Self { inner, left_bytes: TOTAL_CAP_BYTES }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left_bytes.checked_sub(count as u64);
        self.left_bytes =
            left.ok_or_else(|| io::Error::other(format!("more than {TOTAL_CAP_BYTES} bytes unpacked")))?;
        Ok(count)
    }
}

type Entry<'a, R> = tar::Entry<'a, R>;

fn each<R: Read>(
    bytes: R,
    visit: &mut dyn FnMut(&mut Entry<'_, R>) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().map_err(|error| ArchiveError::new(error.to_string()))?;
    let mut before = b"the beginning".to_vec();
    for (count, entry) in entries.enumerate() {
        if count >= ENTRIES_CAP {
            return Err(ArchiveError::new(format!("more than {ENTRIES_CAP} entries")));
        }
        let mut entry = entry.map_err(|error| ArchiveError::at(&before, format!("what follows: {error}")))?;
        before = entry.path_bytes().into_owned();
        let size_bytes = entry.size();
        if size_bytes > FILE_CAP_BYTES {
            let problem =
                format!("{size_bytes} bytes, more than the {FILE_CAP_BYTES} of the largest file that is read");
            return Err(ArchiveError::at(&before, problem));
        }
        visit(&mut entry)?;
    }
    Ok(())
}

struct Reader {
    tree: Tree,
    places: Places,
}

impl Reader {
    fn entry<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), ArchiveError> {
        let name = entry.path_bytes().into_owned();
        let fail = |problem: String| ArchiveError::at(&name, problem);
        let Some(path) = self.places.place(&name)? else { return Ok(()) };
        let Some(node) = self.node(entry).map_err(fail)? else { return Ok(()) };
        let header = entry.header();
        let mode = header.mode().map_err(|error| fail(error.to_string()))?;
        let modified_seconds = header.mtime().map_err(|error| fail(error.to_string()))?;
        let mode = u16::try_from(mode & u32::from(MAX_MODE)).unwrap_or(MAX_MODE);
        let node = node.with_mode(mode).with_modified_seconds(modified_seconds);
        let node = extended(node, entry).map_err(fail)?;
        // A directory may come after what is in it, and a mount's own folder says nothing.
        self.tree.insert(&path, node).map_err(|error| fail(error.to_string()))
    }

    fn node<R: Read>(&self, entry: &mut Entry<'_, R>) -> Result<Option<Node>, String> {
        let link = || entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        Ok(Some(match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Node::file(content(entry)?),
            EntryType::Directory => Node::directory(),
            EntryType::Symlink => Node::link(link()),
            EntryType::Link => self.hard_link(&link())?,
            EntryType::Fifo => Node::special(Special::Fifo),
            EntryType::Block | EntryType::Char => Node::special(Special::Device),
            // Comments of the archive itself.
            EntryType::XGlobalHeader => return Ok(None),
            other => return Err(format!("an entry of type {other:?}, which no host has")),
        }))
    }

    /// A second name of a file that came before.
    fn hard_link(&self, target: &[u8]) -> Result<Node, String> {
        let shown = target.escape_ascii();
        let path = self.places.place(target).map_err(|error| format!("a hard link to {error}"))?;
        let node = path.as_ref().and_then(|path| self.tree.get(path));
        match node.map(Node::what) {
            Some(What::File(content)) => Ok(Node::file(content.clone())),
            _ => Err(format!("a hard link to `{shown}`, which is no file that came before")),
        }
    }
}

fn content<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, String> {
    let size_bytes = entry.size();
    let mut content = Vec::new();
    entry.take(FILE_CAP_BYTES + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    match content.len() as u64 {
        found if found == size_bytes => Ok(content),
        found => Err(format!("{found} of {size_bytes} bytes; the archive is cut")),
    }
}

/// What [`super::tar_write`] says beyond what tar can.
fn extended<R: Read>(mut node: Node, entry: &mut Entry<'_, R>) -> Result<Node, String> {
    let Some(extensions) = entry.pax_extensions().map_err(|error| error.to_string())? else { return Ok(node) };
    for extension in extensions {
        let extension = extension.map_err(|error| error.to_string())?;
        let (Ok(key), Ok(value)) = (extension.key(), extension.value()) else { continue };
        let bad = || format!("`{value}` means nothing as {key}");
        node = match key {
            ERROR_KEY => node.with_error(Errno::from_name(value).ok_or_else(bad)?),
            SIZE_KEY => node.with_size_bytes(value.parse().map_err(|_| bad())?),
            SPECIAL_KEY if value == "socket" => {
                Node::special(Special::Socket).with_mode(node.mode()).with_modified_seconds(node.modified_seconds())
            }
            SPECIAL_KEY => return Err(bad()),
            _ => node,
        };
    }
    Ok(node)
}
