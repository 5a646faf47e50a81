//! Writes a tree as text in canonical form.

use super::{FIRST_LINE, HEADER, is_control};
use crate::host::root::tree::{Node, Special, Tree, What};

/// The tree as a `.tree` file: entries sorted by path, without default attributes.
pub fn write(tree: &Tree) -> Vec<u8> {
    let mut into = Vec::new();
    line(&mut into, FIRST_LINE.as_bytes());
    for (path, node) in tree.iter() {
        let is_implied = node.what() == &What::Directory && *node == Node::directory() && tree.has_entries(path);
        if !is_implied {
            entry(&mut into, path, node);
        }
    }
    into
}

fn line(into: &mut Vec<u8>, text: &[u8]) {
    into.extend_from_slice(text);
    into.push(b'\n');
}

fn entry(into: &mut Vec<u8>, path: &[u8], node: &Node) {
    into.extend_from_slice(HEADER.as_bytes());
    escape(into, path, |byte| byte.is_ascii_graphic() && byte != b'\\');
    match node.what() {
        What::Link(target) => {
            into.extend_from_slice(b" -> ");
            escape(into, target, |byte| byte.is_ascii_graphic() && byte != b'\\');
            into.push(b'\n');
        }
        What::Directory => line(into, format!("/{}", attributes(node)).as_bytes()),
        What::Special(special) => {
            let name = match special {
                Special::Fifo => "fifo",
                Special::Socket => "socket",
                Special::Device => "device",
            };
            line(into, format!(" {name}{}", attributes(node)).as_bytes());
        }
        What::File(content) => file(into, content, node),
    }
}

fn attributes(node: &Node) -> String {
    let mode = (node.mode() != Node::default_mode(node.what())).then(|| format!(" mode={:04o}", node.mode()));
    let error = node.error().map(|error| format!(" error={}", error.name()));
    let modified = (node.modified_seconds() != 0).then(|| format!(" mtime={}", node.modified_seconds()));
    let size = (node.size_bytes() != node.content_bytes()).then(|| format!(" size={}", node.size_bytes()));
    [mode, error, modified, size].into_iter().flatten().collect()
}

fn file(into: &mut Vec<u8>, content: &[u8], node: &Node) {
    let escaped = std::str::from_utf8(content).is_err() || content.iter().any(|&byte| is_control(byte));
    let no_newline = content.last().is_some_and(|&last| last != b'\n');
    if escaped {
        into.extend_from_slice(b" escaped");
    }
    if no_newline {
        into.extend_from_slice(b" no-newline");
    }
    line(into, attributes(node).as_bytes());
    if content.is_empty() {
        return;
    }
    for text in content.strip_suffix(b"\n").unwrap_or(content).split(|&byte| byte == b'\n') {
        if escaped {
            escaped_line(into, text);
        } else {
            if text.starts_with(HEADER.as_bytes()) || text.starts_with(b"\\") {
                into.push(b'\\');
            }
            line(into, text);
        }
    }
}

fn escaped_line(into: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    // Unescaped, it would be a header.
    if text.starts_with(HEADER.as_bytes()) {
        into.extend_from_slice(b"\\x3d");
        rest = text.get(1..).unwrap_or_default();
    }
    for piece in rest.split_inclusive(|&byte| byte == b'\\') {
        let plain = piece.strip_suffix(b"\\");
        escape(into, plain.unwrap_or(piece), |byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic());
        if plain.is_some() {
            into.extend_from_slice(b"\\\\");
        }
    }
    into.push(b'\n');
}

/// Appends bytes, with those that are not plain as `\xNN`.
pub fn escape(into: &mut Vec<u8>, bytes: &[u8], is_plain: impl Fn(u8) -> bool) {
    for &byte in bytes {
        if is_plain(byte) {
            into.push(byte);
        } else {
            into.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
}
