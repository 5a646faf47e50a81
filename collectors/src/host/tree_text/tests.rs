#![cfg(test)]
use proptest::prelude::*;

use super::*;
use crate::host::root::tree::What;

const SMALL: &str = "nodelab tree 1
# A comment.

== host/empty/
== host/fifo fifo mode=0600
== kernel/uname
sysname Linux
== proc/1/cmdline escaped no-newline
/sbin/init\\x00splash\\\\
== proc/loadavg size=4096 mtime=7
0.21 0.37 0.39 1/719 19737
== proc/odd
\\== not a header
\\\\begins with a backslash
ends with \\x20
== sys/class/net/eth0 -> ../../devices/with\\x20space
== sys/folder/ mode=0700
== sys/folder/speed error=EINVAL
== sys/nothing
";

#[track_caller]
fn check_file(path: &str, expected: &str) {
    let tree = parse(SMALL.as_bytes()).unwrap();
    assert_eq!(tree.content(path).map(|content| content.escape_ascii().to_string()).as_deref(), Some(expected));
}

#[test]
fn the_content_of_files_is_parsed() {
    check_file("kernel/uname", "sysname Linux\\n");
    check_file("proc/1/cmdline", "/sbin/init\\x00splash\\\\");
    check_file("proc/odd", "== not a header\\n\\\\begins with a backslash\\nends with \\\\x20\\n");
    check_file("sys/nothing", "");
}

#[test]
fn attributes_links_and_directories_are_read() {
    let tree = parse(SMALL.as_bytes()).unwrap();
    let expected = Tree::new()
        .with_directory("host/empty")
        .with("host/fifo", Node::special(Special::Fifo).with_mode(0o600))
        .with_file("kernel/uname", "sysname Linux\n")
        .with_file("proc/1/cmdline", "/sbin/init\0splash\\")
        .with("proc/loadavg", Node::file("0.21 0.37 0.39 1/719 19737\n").with_size_bytes(4096).with_modified_seconds(7))
        .with_file("proc/odd", "== not a header\n\\begins with a backslash\nends with \\x20\n")
        .with_link("sys/class/net/eth0", "../../devices/with space")
        .with("sys/folder", Node::directory().with_mode(0o700))
        .with_error("sys/folder/speed", Errno::EINVAL)
        .with_file("sys/nothing", "");
    assert_eq!(tree, expected);
}

#[test]
fn trees_are_written_in_canonical_form() {
    let text = String::from_utf8(write(&parse(SMALL.as_bytes()).unwrap())).unwrap();
    let canonical = SMALL.replace("# A comment.\n\n", "").replace("size=4096 mtime=7", "mtime=7 size=4096");
    assert_eq!(text, canonical);
}

#[test]
fn an_escaped_line_is_not_a_header() {
    let tree = Tree::new().with_file("proc/a", "\0\n== proc/b\n\n");
    assert_eq!(write(&tree), b"nodelab tree 1\n== proc/a escaped\n\\x00\n\\x3d= proc/b\n\n");
    assert_eq!(parse(&write(&tree)), Ok(tree));
}

#[track_caller]
fn check_error(text: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(parse(text.as_ref()).unwrap_err().to_string(), expected);
}

#[test]
fn errors_outside_of_entries_name_the_line() {
    check_error("", "line 1: the last line has no LF at its end; add one");
    check_error("nodelab tree 2\n", "line 1: the first line is `nodelab tree 2`; expected `nodelab tree 1`");
    check_error("nodelab tree 1\n== proc/a\nb", "line 3: the last line has no LF at its end; add one");
    check_error("nodelab tree 1\nproc/a\n", "line 2: `proc/a` stands before the first entry; begin a comment with `#`");
    check_error(
        "nodelab tree 1\r\n",
        "line 1: a carriage return; end lines with LF alone, or mark the entry `escaped` and write \\x0d",
    );
    check_error(
        "nodelab tree 1\n== proc/a\n\0\n",
        "line 3: byte 0x00 is no text; mark the entry `escaped` and write \\x00",
    );
    check_error(
        b"nodelab tree 1\n== proc/a\n\n\xff\n",
        "line 4: a byte that is not UTF-8; mark the entry `escaped` and write the byte as \\xNN",
    );
}

/// Checks the error of a header in line 3, after an entry.
#[track_caller]
fn check_header_error(header: &str, expected: &str) {
    check_error(format!("nodelab tree 1\n== proc/x\n== {header}\n"), &format!("line 3: {expected}"));
}

#[test]
fn errors_in_paths_describe_valid_paths() {
    let path = "a path is made of components between `/`, none of them empty, `.`, `..` or longer than 255 bytes, \
                without NUL and of at most 4095 bytes";
    check_header_error("", &format!("``: {path}"));
    check_header_error("/proc/a", &format!("`/proc/a`: {path}"));
    check_header_error("proc/../a", &format!("`proc/../a`: {path}"));
    check_header_error("proc//", &format!("`proc/`: {path}"));
    check_header_error("proc/\\x00", &format!("`proc/\\x00`: {path}"));
    let folder = "the first component must be a folder of the host: proc, sys, rootfs, udev, host, kernel, or later \
                  and one of these";
    check_header_error("etc/passwd", &format!("`etc/passwd`: {folder}"));
    check_header_error("sys", &format!("`sys`: {folder}"));
    check_header_error("proc/x", "duplicate entry `proc/x`; remove one of the two");
    check_header_error("proc/x/", "duplicate entry `proc/x`; remove one of the two");
    check_header_error("proc/x/y", "`proc/x/y`: something above it is no directory; remove one of the two");
    check_header_error("proc/é", "unexpected 'é' in a path; write each of its bytes as \\xNN");
    check_header_error("proc/a\\\\", "unexpected `\\\\` in a path; write a backslash as \\x5c");
    let escape = "a `\\` that begins neither \\xNN nor `\\\\`; write two hexadecimal digits after \\x";
    for path in ["proc/\\", "proc/\\x", "proc/\\x2", "proc/\\x+1", "proc/\\x2g", "proc/\\n00"] {
        check_header_error(path, escape);
    }
}

#[test]
fn errors_in_links_and_attributes_list_valid_values() {
    let link = "a link is `== PATH -> TARGET`, without attributes; write a space as \\x20";
    check_header_error("proc/a ->", link);
    check_header_error("proc/a -> b mode=0444", link);
    check_header_error("proc/a/ -> b", "unexpected `/` at the end of a link's path; remove it");
    check_header_error("proc/a -> ", "`proc/a`: a link's target has 1 to 4095 bytes, none of them NUL");
    let known = "expected one of no-newline, escaped, mode=, error=, mtime=, fifo, socket, device, size=";
    check_header_error("proc/a ", &format!("unknown attribute ``; {known}"));
    check_header_error("proc/a nonewline", &format!("unknown attribute `nonewline`; {known}"));
    check_header_error("proc/a mode", &format!("unknown attribute `mode`; {known}"));
    check_header_error("proc/a fifo=1", &format!("unknown attribute `fifo=1`; {known}"));
    check_header_error("proc/a size=1 size=2", "`size=2` twice; remove one");
    for mode in ["10000", "8", "-1", "+4", ""] {
        let expected = format!("mode `{mode}` is not in octal up to 7777; write it as in mode=0444");
        check_header_error(&format!("proc/a mode={mode}"), &expected);
    }
    check_header_error("proc/a error=EFOO", "expected the name of an error such as EIO or EINVAL, found `EFOO`");
    for size in ["18446744073709551616", "-1", "+1", "", "1k"] {
        let expected = format!("size `{size}` is not a whole number from 0 to 18446744073709551615");
        check_header_error(&format!("proc/a size={size}"), &expected);
    }
    check_header_error("proc/a/ escaped", "`escaped` on an entry without content; remove it");
    check_header_error("proc/a fifo no-newline", "`no-newline` on an entry without content; remove it");
    check_header_error("proc/a fifo socket", "`socket` on something that is no file already; keep one of the two");
    check_header_error("proc/a/ device", "`device` on something that is no file already; keep one of the two");
    check_header_error("proc/a no-newline", "`no-newline` without a line of content; remove it");
}

#[test]
fn errors_in_content_name_their_own_line() {
    check_error("nodelab tree 1\n== proc/a/\nb\n", "line 3: `b` below an entry without content; remove it");
    check_error(
        "nodelab tree 1\n== proc/a\nb\n\\c\n",
        "line 4: `\\c` begins with `\\`; write `\\\\`, or mark the entry `escaped`",
    );
    check_error(
        "nodelab tree 1\n== proc/a escaped\n\\c\n",
        "line 3: a `\\` that begins neither \\xNN nor `\\\\`; write two hexadecimal digits after \\x",
    );
    check_error(
        "nodelab tree 1\n== proc/a no-newline\n== proc/b\n",
        "line 2: `no-newline` without a line of content; remove it",
    );
    let long = "x".repeat(100);
    let expected = format!("line 2: `{}…` stands before the first entry; begin a comment with `#`", "x".repeat(60));
    check_error(format!("nodelab tree 1\n{long}\n"), &expected);
}

fn any_node() -> impl Strategy<Value = Node> {
    let text = "(== |\\\\|x|[ -~]|\t|\n|é){0,12}".prop_map(String::into_bytes);
    let content = prop_oneof![3 => text, 1 => prop::collection::vec(any::<u8>(), 0..12)];
    let special = prop::sample::select(vec![Special::Fifo, Special::Socket, Special::Device]);
    let node = prop_oneof![
        6 => content.prop_map(Node::file),
        1 => Just(Node::directory()),
        1 => special.prop_map(Node::special),
    ];
    let mode = prop::option::of(0..=MAX_MODE);
    let error = prop::option::of(prop::sample::select(Errno::ALL));
    let attributes = (mode, error, prop::option::of(any::<u64>()), prop::option::of(any::<u64>()));
    let with_attributes = (node, attributes).prop_map(|(mut node, (mode, error, seconds, size_bytes))| {
        node = mode.into_iter().fold(node, Node::with_mode);
        node = error.into_iter().fold(node, Node::with_error);
        node = seconds.into_iter().fold(node, Node::with_modified_seconds);
        size_bytes.into_iter().fold(node, Node::with_size_bytes)
    });
    let link = prop::collection::vec(1_u8.., 1..8).prop_map(Node::link);
    prop_oneof![6 => with_attributes, 1 => link]
}

/// An arbitrary tree: entries that conflict with earlier ones are skipped.
fn any_tree() -> impl Strategy<Value = Tree> {
    let name = prop_oneof![4 => "[ab]".prop_map(String::into_bytes), 1 => prop::collection::vec(1_u8.., 1..4)];
    let folder = prop::sample::select(vec!["proc", "sys", "rootfs", "udev", "host", "kernel"]);
    let path = (folder, prop::collection::vec(name, 0..4))
        .prop_map(|(folder, names)| [vec![folder.as_bytes().to_vec()], names].concat().join(&b'/'));
    prop::collection::vec((path, any_node()), 0..12).prop_map(|entries| {
        let mut tree = Tree::new();
        for (path, node) in entries {
            let _ = tree.insert(path, node);
        }
        tree
    })
}

fn check_fixed_point(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(tree) = parse(bytes) {
        let canonical = write(&tree);
        let again = parse(&canonical);
        prop_assert_eq!(again.as_ref(), Ok(&tree));
        prop_assert_eq!(write(&again.unwrap()), canonical);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_tree_that_is_written_is_read_as_it_was(tree in any_tree()) {
        let text = write(&tree);
        let read = parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&tree), "{}", text.escape_ascii());
        prop_assert_eq!(write(&tree), write(&read.unwrap()));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        check_fixed_point(&bytes)?;
        check_fixed_point(&[b"nodelab tree 1\n== proc/a escaped\n", &*bytes, b"\n"].concat())?;
    }

    #[test]
    fn near_misses_are_read_or_refused(text in "((== )?(proc|sys|/|\\.\\.|\\\\|x|2f|a| |=|->|mode|escaped|no-newline|fifo|size|0|\n|\t){0,12}\n){0,6}") {
        check_fixed_point(format!("nodelab tree 1\n{text}").as_bytes())?;
    }

    #[test]
    fn a_written_tree_with_other_bytes_is_read_or_refused(
        tree in any_tree(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut text = write(&tree);
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        check_fixed_point(&text)?;
    }
}

#[test]
fn the_generator_produces_every_kind_of_entry() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = [false; 4];
    for _ in 0..64 {
        for (_, node) in any_tree().new_tree(&mut runner).unwrap().current().iter() {
            seen[match node.what() {
                What::File(_) => 0,
                What::Directory => 1,
                What::Link(_) => 2,
                What::Special(_) => 3,
            }] = true;
        }
    }
    assert_eq!(seen, [true; 4]);
}
