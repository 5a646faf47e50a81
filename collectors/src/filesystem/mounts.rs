//! The mount table, in memory that every scrape reuses.

use std::cmp::Ordering;
use std::ops::Range;

use crate::kit::failure::ParseError;
use crate::kit::memory;
use crate::kit::parse::{FromText, Line};

/// A line of mountinfo, with its escapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// The mount point, escaped.
    pub(crate) mount_point: &'a [u8],
    pub(crate) fs_type: &'a [u8],
    /// The device, escaped.
    pub(crate) source: &'a [u8],
    pub(crate) is_read_only: bool,
}

/// Parses `ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [TAGS…] - TYPE SOURCE SUPER-OPTIONS`.
///
/// Fields are separated by single spaces and may be empty: a mount may have an empty source.
pub(crate) fn parse(line: Line<'_>) -> Result<Parsed<'_>, ParseError<'_>> {
    let is_space = |&byte: &u8| byte == b' ';
    let mut from_end = line.bytes.rsplitn(5, is_space);
    let mut last = || from_end.next().unwrap_or_default();
    let (super_options, source, fs_type, separator, head) = (last(), last(), last(), last(), last());
    if separator != b"-" {
        return Err(line.error("mount", "ten fields or more, with `-` before the last three", line.bytes));
    }
    let mut fields = head.split(is_space);
    let mut next = |field| fields.next().ok_or_else(|| line.error(field, "at least ten fields", line.bytes));
    let _id: u32 = line.number("mount id", next("mount id")?)?;
    let _parent: u32 = line.number("parent id", next("parent id")?)?;
    let numbers = next("major:minor")?;
    let (_root, mount_point, options) = (next("root")?, next("mount point")?, next("options")?);
    let device = memchr::memchr(b':', numbers).map(|colon| numbers.split_at(colon));
    let device = device.and_then(|(major, minor)| Some((u32::from_text(major)?, u32::from_text(minor.get(1..)?)?)));
    let (major, minor) = device.ok_or_else(|| line.error("major:minor", "two numbers around a colon", numbers))?;
    let has = |options: &[u8], wanted: &[u8]| options.split(|&byte| byte == b',').any(|option| option == wanted);
    let is_read_only = has(options, b"ro") || has(super_options, b"ro") || has(super_options, b"emergency_ro");
    Ok(Parsed { major, minor, mount_point, fs_type, source, is_read_only })
}

/// A mount.
#[derive(Clone, Debug)]
pub(crate) struct MountEntry {
    device: Range<usize>,
    fs_type: Range<usize>,
    mount_point: Range<usize>,
    path: Range<usize>,
    major: u32,
    minor: u32,
    pub(crate) is_read_only: bool,
}

impl MountEntry {
    /// Major and minor number of the device.
    pub(crate) fn device_number(&self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

/// Mounts and their texts.
#[derive(Default, Debug)]
pub(crate) struct Mounts {
    text: Vec<u8>,
    entries: Vec<MountEntry>,
    /// Scratch memory for a mount point.
    label: Vec<u8>,
}

impl Mounts {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
    }

    /// Returns the memory of an unusually large table.
    pub(crate) fn release_if_large(&mut self) {
        memory::release_if_large(&mut self.text);
        memory::release_if_large(&mut self.entries);
    }

    /// Adds a mount without the prefix `rootfs` of its mount point, unless `is_wanted` refuses its mount point and type as
    /// shown in labels.
    pub(crate) fn push(&mut self, line: &Parsed<'_>, rootfs: &[u8], is_wanted: impl FnOnce(&[u8], &[u8]) -> bool) {
        let start = self.text.len();
        let mut label = std::mem::take(&mut self.label);
        fill_label(rootfs, line.mount_point, &mut label);
        let mount_point = self.append(&label, push_text);
        self.label = label;
        let fs_type = self.append(line.fs_type, push_text);
        if !is_wanted(self.of(&mount_point), self.of(&fs_type)) {
            self.text.truncate(start);
            return;
        }
        let device = self.append(line.source, push_text);
        let path = self.append(line.mount_point, |bytes, text| push_path(rootfs, bytes, text));
        let Parsed { major, minor, is_read_only, .. } = *line;
        self.entries.push(MountEntry { device, fs_type, mount_point, path, major, minor, is_read_only });
    }

    fn append(&mut self, bytes: &[u8], push: impl FnOnce(&[u8], &mut Vec<u8>)) -> Range<usize> {
        let start = self.text.len();
        push(bytes, &mut self.text);
        start..self.text.len()
    }

    fn of(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The mount at this index of the table.
    pub(crate) fn get(&self, at: usize) -> Option<View<'_>> {
        let mount = self.entries.get(at)?;
        Some(View {
            mount,
            device: self.of(&mount.device),
            fs_type: self.of(&mount.fs_type),
            mount_point: self.of(&mount.mount_point),
            path: self.of(&mount.path),
        })
    }

    /// Compares two mounts by their paths for statfs.
    pub(crate) fn compare_paths(&self, a: usize, b: usize) -> Ordering {
        self.get(a).map(|view| view.path).cmp(&self.get(b).map(|view| view.path))
    }
}

/// A mount with its texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) mount: &'a MountEntry,
    pub(crate) device: &'a [u8],
    pub(crate) fs_type: &'a [u8],
    /// The mount point as shown in labels.
    pub(crate) mount_point: &'a [u8],
    /// The path for statfs, without the prefix of the root file system.
    pub(crate) path: &'a [u8],
}

/// Appends bytes as text. Like in Go, a sequence of invalid UTF-8 becomes one U+FFFD.
fn push_text(bytes: &[u8], text: &mut Vec<u8>) {
    let mut is_in_run = false;
    for chunk in bytes.utf8_chunks() {
        is_in_run &= chunk.valid().is_empty();
        text.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() && !is_in_run {
            text.extend_from_slice("\u{fffd}".as_bytes());
            is_in_run = true;
        }
    }
}

/// Fills in a mount point for labels. Only spaces and tabs are unescaped, as in node_exporter.
fn fill_label(rootfs: &[u8], escaped: &[u8], label: &mut Vec<u8>) {
    label.clear();
    unescape(escaped, |byte| matches!(byte, b' ' | b'\t'), label);
    strip(rootfs, 0, label);
}

/// Appends an unescaped mount point.
fn push_path(rootfs: &[u8], escaped: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    unescape(escaped, |_| true, text);
    strip(rootfs, start, text);
}

/// Removes the prefix of the path at `start`; the prefix alone becomes `/`.
fn strip(rootfs: &[u8], start: usize, text: &mut Vec<u8>) {
    let Some(rest) = text.get(start..).and_then(|path| path.strip_prefix(rootfs)) else { return };
    match rest.first() {
        _ if rootfs.is_empty() => {}
        None => {
            text.truncate(start);
            text.push(b'/');
        }
        Some(b'/') => drop(text.drain(start..start + rootfs.len())),
        // `/hosting` is not below `/host`.
        Some(_) => {}
    }
}

/// Decodes `\040` for bytes that `is_wanted`.
fn unescape(escaped: &[u8], is_wanted: impl Fn(u8) -> bool, text: &mut Vec<u8>) {
    let mut rest = escaped;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(backslash);
        text.extend_from_slice(plain);
        let byte = match escape {
            &[_, a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        let byte = byte.filter(|&byte| is_wanted(byte));
        text.push(byte.unwrap_or(b'\\'));
        let taken = if byte.is_some() { 4 } else { 1 };
        rest = escape.get(taken..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount as Place;
    use crate::kit::parse::Text;
    use procfs_core::FromBufRead;
    use proptest::prelude::*;

    fn line(bytes: &[u8]) -> Line<'_> {
        Text::new(Place::Proc, b"1/mountinfo", bytes).lines().next().expect("a line")
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let parsed = parse(line(text.as_bytes())).expect("a mount");
        let Parsed { major, minor, mount_point, fs_type, source, is_read_only } = parsed;
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let found = format!(
            "{major}:{minor} {} {} {}{}",
            text(mount_point),
            text(fs_type),
            text(source),
            if is_read_only { " ro" } else { "" }
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_with_and_without_tags_are_read() {
        check("29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro", "259:2 / ext4 /dev/sda1");
        check("29 1 0:2 / /a rw - tmpfs none rw", "0:2 /a tmpfs none");
        check("29 1 0:2 / /a rw shared:1 master:2 unbindable - tmpfs  rw", "0:2 /a tmpfs ");
    }

    #[test]
    fn a_mount_is_read_only_by_either_list_of_options() {
        check("1 1 0:2 / /a ro,relatime - x y rw", "0:2 /a x y ro");
        check("1 1 0:2 / /a rw - x y ro,size=1", "0:2 /a x y ro");
        check("1 1 0:2 / /a rw - x y rw,emergency_ro", "0:2 /a x y ro");
        check("1 1 0:2 / /a rw,emergency_ro,errors=ro - x y rw,roster", "0:2 /a x y");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = parse(line(text.as_bytes())).expect_err("no mount").to_string();
        assert!(error.contains(expected), "`{expected}` is not in `{error}`");
    }

    #[test]
    fn errors_of_malformed_lines_name_the_field() {
        check_error("\n", "1/mountinfo:1: mount: expected ten fields or more");
        check_error("1 1 0:2 / /a - x y rw", "options: expected at least ten fields");
        check_error("1 1 0:2 / /a rw shared:1 x y rw", "with `-` before the last three");
        check_error("1 1 nope / /a rw - x y rw", "major:minor: expected two numbers around a colon, found \"nope\"");
        check_error("1 1 0:-2 / /a rw - x y rw", "major:minor");
        check_error("x 1 0:2 / /a rw - x y rw", "mount id");
        check_error("1  0:2 / /a rw - x y rw", "parent id");
    }

    #[track_caller]
    fn check_names(mount_point: &[u8], rootfs: &str, label: &str, path: &[u8]) {
        let mut mounts = Mounts::default();
        let parsed =
            Parsed { major: 0, minor: 0, mount_point, fs_type: b"x", source: b"a\xff\xfeb", is_read_only: false };
        mounts.push(&parsed, rootfs.as_bytes(), |_, _| true);
        let view = mounts.get(0).expect("a mount");
        assert_eq!((String::from_utf8_lossy(view.mount_point).as_ref(), view.path), (label, path));
        assert_eq!(view.device, "a\u{fffd}b".as_bytes());
    }

    #[test]
    fn labels_unescape_spaces_and_tabs_and_paths_everything() {
        check_names(br"/a\040b\011c\040", "", "/a b\tc ", b"/a b\tc ");
        check_names(br"/dos\134share\012x", "", r"/dos\134share\012x", b"/dos\\share\nx");
        check_names(br"/odd\400\04\", "", r"/odd\400\04\", br"/odd\400\04\");
        check_names(br"/x\134040", "", r"/x\134040", br"/x\040");
        check_names(b"/caf\xe9\xe8/a\xe9", "", "/caf\u{fffd}/a\u{fffd}", b"/caf\xe9\xe8/a\xe9");
    }

    #[test]
    fn the_prefix_of_the_root_file_system_is_removed() {
        check_names(b"/host", "/host", "/", b"/");
        check_names(b"/host/media/a", "/host", "/media/a", b"/media/a");
        check_names(b"/hosting", "/host", "/hosting", b"/hosting");
        check_names(b"/dev/shm", "/host", "/dev/shm", b"/dev/shm");
        check_names(br"/my\040host/a", "/my host", "/a", b"/a");
        check_names(b"/", "", "/", b"/");
    }

    #[test]
    fn an_excluded_mount_is_not_stored() {
        let mut mounts = Mounts::default();
        let parsed = parse(line(b"1 1 0:2 / /a rw - x y rw")).expect("a mount");
        mounts.push(&parsed, b"", |mount_point, fs_type| (mount_point, fs_type) != (b"/a", b"x"));
        assert_eq!((mounts.len(), mounts.text.len()), (0, 0));
    }

    proptest! {
        #[test]
        fn any_mount_point_comes_back(path: Vec<u8>) {
            let escape = |&byte: &u8| match byte {
                b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
                byte => vec![byte],
            };
            let escaped: Vec<u8> = path.iter().flat_map(escape).collect();
            let text = [b"1 2 3:4 / ".as_slice(), &escaped, b" rw - x y rw"].concat();
            let mut mounts = Mounts::default();
            mounts.push(&parse(line(&text)).expect("a mount"), b"", |_, _| true);
            let view = mounts.get(0).expect("a mount");
            prop_assert_eq!(view.path, &path);
            prop_assert!(std::str::from_utf8(view.mount_point).is_ok());
        }

        #[test]
        fn the_second_opinion_agrees(
            major in 0..4096_u32, minor: u16, mount_point in "/[a-z/]{0,20}", tag in "( shared:[0-9]{1,3})?",
            fs_type in "[a-z]{1,8}", source in "/dev/[a-z]{1,8}",
        ) {
            let text = format!("1 2 {major}:{minor} / {mount_point} rw{tag} - {fs_type} {source} rw\n");
            let parsed = parse(line(text.as_bytes())).expect("a mount");
            let second = procfs_core::process::MountInfos::from_buf_read(text.as_bytes()).expect("a mount");
            let second = second.0.first().expect("a mount");
            prop_assert_eq!(second.mount_point.to_str(), std::str::from_utf8(parsed.mount_point).ok());
            prop_assert_eq!(second.mount_source.as_deref(), std::str::from_utf8(parsed.source).ok());
            prop_assert_eq!(second.fs_type.as_bytes(), parsed.fs_type);
            prop_assert_eq!(&second.majmin, &format!("{}:{}", parsed.major, parsed.minor));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Place::Proc, b"1/mountinfo", &bytes).lines() {
                if let Ok(parsed) = parse(line) {
                    Mounts::default().push(&parsed, b"/host", |_, _| true);
                }
            }
        }
    }
}
