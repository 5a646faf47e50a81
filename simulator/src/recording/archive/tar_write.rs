//! A tree as a plain tar archive, the same bytes for the same tree.

use std::io;

use collectors::host::root::tree::{Node, Special, Tree, What};
use tar::{Builder, EntryType, Header};

/// The error of an entry, as an extended header: other programs pass over it.
pub(super) const ERROR_KEY: &str = "NODELAB.error";
/// The size that `stat` reports, where that is not the content's.
pub(super) const SIZE_KEY: &str = "NODELAB.size";
/// `socket`: tar knows none, so it is written as a FIFO.
pub(super) const SPECIAL_KEY: &str = "NODELAB.special";
/// A name that is longer goes into an entry of its own before this one.
const NAME_MAX_BYTES: usize = 100;
/// The largest number of a header: eleven octal digits.
const OCTAL_MAX: u64 = 0o777_7777_7777;

/// The archive. Errors and sizes that tar has no field for are extended headers, which [`super::read`] reads back.
pub fn write(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (path, node) in tree.iter() {
        entry(&mut builder, path, node)?;
    }
    builder.into_inner()
}

fn entry(builder: &mut Builder<Vec<u8>>, path: &[u8], node: &Node) -> io::Result<()> {
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
        Some(room) => room.copy_from_slice(&name),
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
    if let Some(room) = header.as_old_mut().name.get_mut(..PLACE.len()) {
        room.copy_from_slice(PLACE);
    }
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(name.len() as u64 + 1);
    header.set_cksum();
    builder.append(&header, [name, b"\0"].concat().as_slice())
}
