//! Reads ttar archives, the text format of node_exporter's test trees.
//!
//! A record is `Directory: PATH`, or `Path: PATH` with `Lines: N` and N lines, or `Path: PATH` with `SymlinkTo: TARGET`;
//! `Mode: OCTAL` ends it. `EOF` at the end of a file's last line means that no newline follows; `NULLBYTE` is a zero
//! byte.

use collectors::host::root::tree::{Node, Tree};

use super::ArchiveError;

/// Adds the archive's entries to `tree` at the paths that `tree_path` gives; entries without one are left out.
pub fn read(archive: &[u8], tree: &mut Tree, tree_path: impl Fn(&str) -> Option<String>) -> Result<(), ArchiveError> {
    records(archive, |line, path, node| {
        let Some(path) = tree_path(path) else { return Ok(()) };
        tree.insert(&path, node).map_err(|error| ArchiveError::at_line(line, &format!("`{path}`: {error}")))
    })
}

/// Paths of all entries.
pub(super) fn paths(archive: &[u8]) -> impl Iterator<Item = &[u8]> {
    let key_values = archive.split(|&byte| byte == b'\n').filter_map(key_value);
    key_values.filter(|(key, _)| matches!(*key, "Directory" | "Path")).map(|(_, path)| path.as_bytes())
}

/// Visits every entry: number of its last line, path, node.
pub(super) fn records(
    archive: &[u8],
    mut visit: impl FnMut(usize, &str, Node) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut lines = (1..).zip(archive.split(|&byte| byte == b'\n'));
    let mut entry: Option<Record<'_>> = None;
    while let Some((number, line)) = lines.next() {
        let fail = |problem: &str| ArchiveError::at_line(number, problem);
        let Some((key, value)) = key_value(line) else { continue };
        match key {
            "Directory" => entry = Some(Record { path: value, content: None }),
            "Path" => entry = Some(Record { path: value, content: Some(Vec::new()) }),
            "Lines" => {
                let count: usize = value
                    .parse()
                    .map_err(|_| fail(&format!("Lines: expected an unsigned integer, found `{value}`")))?;
                let content = entry.as_mut().and_then(|entry| entry.content.as_mut());
                let content = content.ok_or_else(|| fail("Lines: expected after `Path:`"))?;
                for _ in 0..count {
                    let (_, line) =
                        lines.next().ok_or_else(|| fail("truncated file: fewer lines than `Lines:` says"))?;
                    push_line(line, content);
                }
            }
            "SymlinkTo" => {
                let Record { path, .. } = entry.take().ok_or_else(|| fail("SymlinkTo: expected after `Path:`"))?;
                visit(number, path, Node::link(value))?;
            }
            "Mode" => {
                let mode = u16::from_str_radix(value, 8)
                    .map_err(|_| fail(&format!("Mode: expected octal digits, found `{value}`")))?;
                let Record { path, content } =
                    entry.take().ok_or_else(|| fail("Mode: expected after `Path:` or `Directory:`"))?;
                let node = content.map_or_else(Node::directory, Node::file);
                visit(number, path, node.with_mode(mode & 0o777))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A record whose last line has not been read yet.
struct Record<'a> {
    path: &'a str,
    /// `None` for a directory.
    content: Option<Vec<u8>>,
}

fn key_value(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?;
    if line.starts_with('#') { None } else { line.split_once(": ") }
}

fn push_line(line: &[u8], content: &mut Vec<u8>) {
    let (line, has_newline) = line.strip_suffix(b"EOF").map_or((line, true), |line| (line, false));
    let mut rest = line;
    while let Some(at) = find(rest, NULL_BYTE) {
        let (before, after) = rest.split_at(at);
        content.extend_from_slice(before);
        content.push(0);
        rest = after.get(NULL_BYTE.len()..).unwrap_or_default();
    }
    content.extend_from_slice(rest);
    if has_newline {
        content.push(b'\n');
    }
}

const NULL_BYTE: &[u8] = b"NULLBYTE";

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::tree_text;
    use proptest::prelude::*;

    #[track_caller]
    fn check(archive: &str, expected: Result<&str, &str>) {
        let mut tree = Tree::new();
        let result = read(archive.as_bytes(), &mut tree, |path| Some(path.to_owned()));
        let found = result.map(|()| String::from_utf8(tree_text::write(&tree)).expect("trees are text"));
        let expected = expected.map(|entries| format!("nodelab tree 1\n{entries}"));
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn files_links_and_directories_are_read() {
        check(
            "# words\nDirectory: sys/a\nMode: 755\n# ttar - -\nPath: sys/a/b\nLines: 2\none\ntwoEOF\nMode: 644\n\
             Path: sys/a/c\nSymlinkTo: b\nPath: sys/a/d\nLines: 1\nxNULLBYTEy\nMode: 444\n",
            Ok("== sys/a/ mode=0755\n== sys/a/b no-newline mode=0644\none\ntwo\n== sys/a/c -> b\n\
                == sys/a/d escaped\nx\\x00y\n"),
        );
    }

    #[test]
    fn errors_name_the_line() {
        check("Lines: 1\n", Err("line 1: Lines: expected after `Path:`"));
        check("Path: a\nLines: many\n", Err("line 2: Lines: expected an unsigned integer, found `many`"));
        check("Path: sys/a\nLines: 3\nx\n", Err("line 2: truncated file: fewer lines than `Lines:` says"));
        check("Path: sys/a\nLines: 0\nMode: rw\n", Err("line 3: Mode: expected octal digits, found `rw`"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = read(&bytes, &mut Tree::new(), |path| Some(path.to_owned()));
        }
    }
}
