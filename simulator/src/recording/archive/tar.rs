//! Reads and writes tar archives, and reads tar.zst.

use std::borrow::Cow;
use std::io::{self, Read};

use collectors::host::errno::Errno;
use collectors::host::root::tree::{MAX_MODE, Node, Special, Tree, What};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use tar::{Builder, EntryType, Header};

use super::{ArchiveError, ENTRIES_CAP, FILE_CAP_BYTES, PathMapping, Unpacked, too_large, unpacked_cap_bytes};

/// Largest window of a zstd frame: what RFC 8878 asks every decoder to support, and level 19 needs.
const WINDOW_MAX_BYTES: u64 = 8 << 20;

/// Maximum size of a name or extended header that stands before its entry.
const EXTENSION_MAX_BYTES: u64 = 1 << 20;

/// Reads an uncompressed archive.
pub(super) fn read_plain(bytes: &[u8], cap_bytes: u64) -> Result<Tree, ArchiveError> {
    read_from(|| bytes, cap_bytes)
}

/// Reads a zstd archive of any number of frames. What is unpacked is never held as a whole.
pub(super) fn read_zstd(packed: &[u8]) -> Result<Tree, ArchiveError> {
    let cap_bytes = unpacked_cap_bytes(packed.len());
    read_from(|| Frames { rest: packed, frame: None, left_bytes: cap_bytes, cap_bytes }, cap_bytes)
}

/// The content of zstd frames, up to a cap.
struct Frames<'a> {
    rest: &'a [u8],
    frame: Option<StreamingDecoder<&'a [u8], FrameDecoder>>,
    left_bytes: u64,
    cap_bytes: u64,
}

impl Read for Frames<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let fail = |error: &dyn std::fmt::Display| io::Error::other(format!("zstd: {error}"));
        while !into.is_empty() {
            let frame = match &mut self.frame {
                Some(frame) => frame,
                None if self.rest.is_empty() => return Ok(0),
                None => {
                    let frame = StreamingDecoder::new_with_max_window_size(self.rest, WINDOW_MAX_BYTES);
                    self.frame.insert(frame.map_err(|error| fail(&error))?)
                }
            };
            let count = frame.read(into).map_err(|error| fail(&error))?;
            if count > 0 {
                let left_bytes = self.left_bytes.checked_sub(count as u64);
                self.left_bytes = left_bytes.ok_or_else(|| io::Error::other(too_large(self.cap_bytes).to_string()))?;
                return Ok(count);
            }
            self.rest = frame.get_ref();
            self.frame = None;
        }
        Ok(0)
    }
}

/// Reads an archive three times: for sizes that cannot be, for a wrapper directory, and for the entries.
fn read_from<R: Read>(open: impl Fn() -> R, cap_bytes: u64) -> Result<Tree, ArchiveError> {
    check_sizes(open())?;
    let mut paths = Vec::new();
    each_entry(open(), &mut |entry| {
        paths.push(entry.path_bytes().into_owned());
        Ok(())
    })?;
    let mapping = PathMapping::of(paths.iter().map(Vec::as_slice));
    drop(paths);
    let mut reader = Reader { unpacked: Unpacked::with_cap(cap_bytes), mapping };
    each_entry(open(), &mut |entry| reader.add(entry))?;
    reader.unpacked.entries.into_tree().map_err(|(name, error)| ArchiveError::at(&name, error))
}

type Entry<'a, R> = tar::Entry<'a, R>;
/// Called with each entry of an archive.
type Visit<'v, R> = dyn FnMut(&mut Entry<'_, R>) -> Result<(), ArchiveError> + 'v;

/// Refuses names and extended headers that would be held in memory whole, and reads to the end, so that truncated and
/// oversized archives are refused before anything of them is kept.
fn check_sizes<R: Read>(source: R) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(source);
    each(archive.entries().map_err(|error| unnamed(&error))?.raw(true), &mut |entry| {
        let is_extension = matches!(
            entry.header().entry_type(),
            EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader | EntryType::XGlobalHeader
        );
        check_size(entry, if is_extension { EXTENSION_MAX_BYTES } else { FILE_CAP_BYTES })
    })?;
    io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop).map_err(|error| unnamed(&error))
}

fn check_size<R: Read>(entry: &Entry<'_, R>, max_bytes: u64) -> Result<(), ArchiveError> {
    match entry.size() {
        size_bytes if size_bytes > max_bytes => {
            let problem = format!("{size_bytes} bytes, more than the limit of {max_bytes} for one file");
            Err(ArchiveError::at(&entry.path_bytes(), problem))
        }
        _ => Ok(()),
    }
}

fn each_entry<R: Read>(source: R, visit: &mut Visit<'_, R>) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(source);
    each(archive.entries().map_err(|error| unnamed(&error))?, &mut |entry| {
        check_size(entry, FILE_CAP_BYTES)?;
        visit(entry)
    })
}

fn each<R: Read>(entries: tar::Entries<'_, R>, visit: &mut Visit<'_, R>) -> Result<(), ArchiveError> {
    let mut name = b"start of the archive".to_vec();
    for (count, entry) in entries.enumerate() {
        if count >= ENTRIES_CAP {
            return Err(ArchiveError::new(format!("more than {ENTRIES_CAP} entries")));
        }
        let mut entry = entry.map_err(|error| ArchiveError::at(&name, format!("next entry: {error}")))?;
        name = entry.path_bytes().into_owned();
        visit(&mut entry)?;
    }
    Ok(())
}

fn unnamed(error: &io::Error) -> ArchiveError {
    ArchiveError::new(error.to_string())
}

struct Reader {
    unpacked: Unpacked<Vec<u8>>,
    mapping: PathMapping,
}

impl Reader {
    fn add<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), ArchiveError> {
        let name = entry.path_bytes().into_owned();
        let fail = |problem: String| ArchiveError::at(&name, problem);
        let Some(path) = self.mapping.tree_path(&name)? else { return Ok(()) };
        let Some(node) = self.node(entry).map_err(fail)? else { return Ok(()) };
        let header = entry.header();
        let mode = header.mode().map_err(|error| fail(error.to_string()))?;
        let modified_seconds = header.mtime().map_err(|error| fail(error.to_string()))?;
        let mode = u16::try_from(mode & u32::from(MAX_MODE)).unwrap_or(MAX_MODE);
        let node = node.with_mode(mode).with_modified_seconds(modified_seconds);
        let node = extended(node, entry).map_err(fail)?;
        self.unpacked.push(name.clone(), path, node).map_err(|error| fail(error.to_string()))
    }

    fn node<R: Read>(&self, entry: &mut Entry<'_, R>) -> Result<Option<Node>, String> {
        let link = || entry.link_name_bytes().map(Cow::into_owned).unwrap_or_default();
        Ok(Some(match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Node::file(content(entry)?),
            EntryType::Directory => Node::directory(),
            EntryType::Symlink => Node::link(link()),
            EntryType::Link => self.hard_link(&link())?,
            EntryType::Fifo => Node::special(Special::Fifo),
            EntryType::Block | EntryType::Char => Node::special(Special::Device),
            // Metadata of the archive itself.
            EntryType::XGlobalHeader => return Ok(None),
            other => return Err(format!("unsupported entry type {other:?}")),
        }))
    }

    /// Copies the file of an earlier entry.
    fn hard_link(&self, target: &[u8]) -> Result<Node, String> {
        let path = self.mapping.tree_path(target).map_err(|error| format!("a hard link to {error}"))?;
        match path.as_ref().and_then(|path| self.unpacked.file(path)) {
            Some(content) => Ok(Node::file(content.to_vec())),
            None => Err(format!("a hard link to `{}`, which is not an earlier file", target.escape_ascii())),
        }
    }
}

fn content<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, String> {
    let size_bytes = entry.size();
    let mut content = Vec::new();
    entry.take(FILE_CAP_BYTES + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    match content.len() as u64 {
        found if found == size_bytes => Ok(content),
        found => Err(format!("truncated: {found} of {size_bytes} bytes")),
    }
}

/// Applies the extended headers that [`write`] adds.
fn extended<R: Read>(mut node: Node, entry: &mut Entry<'_, R>) -> Result<Node, String> {
    let Some(extensions) = entry.pax_extensions().map_err(|error| error.to_string())? else { return Ok(node) };
    for extension in extensions {
        let extension = extension.map_err(|error| error.to_string())?;
        let (Ok(key), Ok(value)) = (extension.key(), extension.value()) else { continue };
        let bad = || format!("{key}: unexpected value `{value}`");
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

/// Extended header with the error of an entry; other programs ignore it.
const ERROR_KEY: &str = "NODELAB.error";
/// Extended header with the size that `stat` reports, where it is not the content's.
const SIZE_KEY: &str = "NODELAB.size";
/// Extended header with the value `socket`: tar has no sockets, so they are written as FIFOs.
const SPECIAL_KEY: &str = "NODELAB.special";
/// Maximum length of a name in a header. A longer name is written as a separate entry before its file.
const NAME_MAX_BYTES: usize = 100;
/// Largest number of a header field: eleven octal digits.
const OCTAL_MAX: u64 = 0o777_7777_7777;

/// Writes a tree as an uncompressed archive, with the same bytes for equal trees. Errors and sizes that tar has no
/// field for are extended headers, which [`super::read`] reads back.
pub fn write(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (path, node) in tree.iter() {
        write_entry(&mut builder, path, node)?;
    }
    builder.into_inner()
}

fn write_entry(builder: &mut Builder<Vec<u8>>, path: &[u8], node: &Node) -> io::Result<()> {
    let mut header = Header::new_gnu();
    let mut extensions: Vec<(&str, Vec<u8>)> = Vec::new();
    let (kind, content): (EntryType, &[u8]) = match node.what() {
        What::File(content) => (EntryType::Regular, content),
        What::Directory => (EntryType::Directory, b""),
        What::Link(target) => {
            match target.len() {
                0..=NAME_MAX_BYTES => header.set_link_name_literal(target)?,
                _ => long_name(builder, EntryType::GNULongLink, target)?,
            }
            (EntryType::Symlink, b"")
        }
        What::Special(Special::Device) => (EntryType::Char, b""),
        What::Special(Special::Fifo) => (EntryType::Fifo, b""),
        What::Special(Special::Socket) => {
            extensions.push((SPECIAL_KEY, b"socket".to_vec()));
            (EntryType::Fifo, b"")
        }
    };
    header.set_entry_type(kind);
    header.set_mode(u32::from(node.mode()));
    header.set_size(content.len() as u64);
    header.set_mtime(node.modified_seconds().min(OCTAL_MAX));
    if matches!(kind, EntryType::Char) {
        header.set_device_major(1)?;
        header.set_device_minor(3)?;
    }
    if let Some(error) = node.error() {
        extensions.push((ERROR_KEY, error.name().into()));
    }
    if node.size_bytes() != content.len() as u64 {
        extensions.push((SIZE_KEY, node.size_bytes().to_string().into()));
    }
    let name = if kind == EntryType::Directory { [path, b"/"].concat() } else { path.to_vec() };
    match header.as_old_mut().name.get_mut(..name.len()) {
        Some(field) => field.copy_from_slice(&name),
        None => long_name(builder, EntryType::GNULongName, &name)?,
    }
    // Both kinds of preceding entries may stand in any order.
    let extensions = extensions.iter().map(|(key, value)| (*key, value.as_slice()));
    if extensions.len() > 0 {
        builder.append_pax_extensions(extensions)?;
    }
    header.set_cksum();
    builder.append(&header, content)
}

/// GNU's way to a name of any length and of any bytes.
fn long_name(builder: &mut Builder<Vec<u8>>, kind: EntryType, name: &[u8]) -> io::Result<()> {
    const PLACE: &[u8] = b"././@LongLink";
    let mut header = Header::new_gnu();
    if let Some(field) = header.as_old_mut().name.get_mut(..PLACE.len()) {
        field.copy_from_slice(PLACE);
    }
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(name.len() as u64 + 1);
    header.set_cksum();
    builder.append(&header, [name, b"\0"].concat().as_slice())
}
