//! Declared reads: the only files that a collector can access.

use std::marker::PhantomData;

use crate::host::root::Mount;

/// The kind of access of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads a file's content.
    File,
    /// Lists a directory.
    Directory,
    /// Reads the target of a symbolic link.
    Link,
}

/// Marks a [`Read`] of a file's content.
#[derive(Clone, Copy, Debug)]
pub struct File;
/// Marks a [`Read`] that lists a directory.
#[derive(Clone, Copy, Debug)]
pub struct Directory;
/// Marks a [`Read`] of the target of a symbolic link.
#[derive(Clone, Copy, Debug)]
pub struct Link;

/// Marker types for each [`Access`].
pub trait Accessed {
    /// The access of the marker.
    const ACCESS: Access;
}

impl Accessed for File {
    const ACCESS: Access = Access::File;
}
impl Accessed for Directory {
    const ACCESS: Access = Access::Directory;
}
impl Accessed for Link {
    const ACCESS: Access = Access::Link;
}

/// A declared read without its type parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadInfo {
    /// The mount.
    pub mount: Mount,
    /// The path below the mount. `*` matches one name, a component `**` one or more names separated by `/`.
    pub pattern: &'static str,
    /// The kind of access.
    pub access: Access,
}

/// A path pattern that collector `C` reads. `N` is the number of `*` in the pattern.
///
/// An absolute path, a path with `..` and a wrong `N` do not compile:
///
/// ```
/// use collectors::{host::root::Mount, kit::read::{File, Read}};
/// const FINE: Read<(), File, 1> = Read::new(Mount::Sys, "class/net/*/mtu");
/// # let _ = FINE;
/// ```
/// ```compile_fail,E0080
/// use collectors::{host::root::Mount, kit::read::{File, Read}};
/// const ABSOLUTE: Read<(), File, 1> = Read::new(Mount::Sys, "/class/net/*/mtu");
/// # let _ = ABSOLUTE;
/// ```
/// ```compile_fail,E0080
/// use collectors::{host::root::Mount, kit::read::{File, Read}};
/// const CLIMBS: Read<(), File, 1> = Read::new(Mount::Sys, "class/../net/*/mtu");
/// # let _ = CLIMBS;
/// ```
/// ```compile_fail,E0080
/// use collectors::{host::root::Mount, kit::read::{File, Read}};
/// const MISCOUNTED: Read<(), File, 2> = Read::new(Mount::Sys, "class/net/*/mtu");
/// # let _ = MISCOUNTED;
/// ```
pub struct Read<C, A, const N: usize> {
    info: ReadInfo,
    owner: PhantomData<fn() -> (C, A)>,
}

typed_constant!(Read<C, A; const N: usize>);

impl<C, A: Accessed, const N: usize> Read<C, A, N> {
    /// A read of this pattern, checked at compile time.
    pub const fn new(mount: Mount, pattern: &'static str) -> Self {
        check_pattern(pattern, N);
        Self { info: ReadInfo { mount, pattern, access: A::ACCESS }, owner: PhantomData }
    }

    /// The read without its type parameters.
    pub const fn info(&self) -> ReadInfo {
        self.info
    }
}

/// The number of names in a pattern.
pub const fn count_names(pattern: &str) -> usize {
    let bytes = pattern.as_bytes();
    let mut count = 0;
    let mut at = 0;
    while at < bytes.len() {
        // `**` is replaced by one name, which may be a path.
        if bytes[at] == b'*' && (at == 0 || bytes[at - 1] != b'*') {
            count += 1;
        }
        at += 1;
    }
    count
}

const fn check_pattern(pattern: &str, names: usize) {
    let bytes = pattern.as_bytes();
    assert!(bytes.is_empty() || bytes[0] != b'/', "a read is relative to its mount: drop the leading `/`");
    assert!(count_names(pattern) == names, "the pattern does not have the number of `*` of its type");
    let mut start = 0;
    let mut at = 0;
    while at <= bytes.len() {
        if at == bytes.len() || bytes[at] == b'/' {
            let length = at - start;
            assert!(length > 0 || bytes.is_empty(), "a read has no empty component: drop the doubled or final `/`");
            let dots = length > 0 && length <= 2 && bytes[start] == b'.' && bytes[at - 1] == b'.';
            assert!(!dots, "a read has no `.` or `..`");
            start = at + 1;
        }
        at += 1;
    }
}

/// Writes the path of `info` with each `*` replaced by a name. Returns `false` for an invalid name: one that is empty,
/// contains `/` or NUL, or makes a component `.` or `..`. Names below [`Mount::Host`] are paths of the operator and are
/// not checked.
pub(crate) fn fill(info: ReadInfo, names: &[&[u8]], into: &mut Vec<u8>) -> bool {
    into.clear();
    let free = info.mount == Mount::Host;
    let mut names = names.iter();
    let mut rest = info.pattern.as_bytes();
    while let Some(star) = memchr::memchr(b'*', rest) {
        let (before, after) = rest.split_at(star);
        into.extend_from_slice(before);
        let name = names.next().copied().unwrap_or_default();
        if let Some(after) = after.strip_prefix(PATH) {
            if !free && !name.split(|&byte| byte == b'/').all(is_name) {
                return false;
            }
            into.extend_from_slice(name);
            rest = after;
            continue;
        }
        let is_sound = !name.is_empty() && !name.iter().any(|&byte| byte == b'/' || byte == 0);
        if !free && !is_sound {
            return false;
        }
        into.extend_from_slice(name);
        rest = after.get(1..).unwrap_or_default();
        if !free && matches!(rest, [] | [b'/', ..]) {
            let start = memchr::memrchr(b'/', into).map_or(0, |slash| slash + 1);
            if matches!(into.get(start..), Some(b"." | b"..")) {
                return false;
            }
        }
    }
    into.extend_from_slice(rest);
    true
}

/// The component that matches several names.
const PATH: &[u8] = b"**";

/// Whether this is a valid file name.
fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &'static str, names: &[&[u8]], expected: Option<&str>) {
        let mut path = Vec::new();
        let info = ReadInfo { mount: Mount::Sys, pattern, access: Access::File };
        let filled = fill(info, names, &mut path).then_some(path);
        assert_eq!(filled.as_deref(), expected.map(str::as_bytes));
    }

    #[test]
    fn names_replace_stars() {
        check("class/net", &[], Some("class/net"));
        check("class/net/*/mtu", &[b"eth0"], Some("class/net/eth0/mtu"));
        check("cpu*/x*y/*", &[b"1", b"-", b"z"], Some("cpu1/x-y/z"));
        check("", &[], Some(""));
    }

    #[test]
    fn two_stars_accept_a_path() {
        assert_eq!((count_names("sys/**"), count_names("*/x*/**")), (1, 3));
        check("sys/**", &[b"fs"], Some("sys/fs"));
        check("sys/**", &[b"net/core/somaxconn"], Some("sys/net/core/somaxconn"));
        for path in ["", "/", "a/", "/a", "a//b", "..", "a/../b", "a/.", "a\0b"] {
            check("sys/**", &[path.as_bytes()], None);
        }
    }

    #[test]
    fn a_name_that_is_a_path_is_refused() {
        check("class/net/*/mtu", &[b"../../etc"], None);
        check("class/net/*/mtu", &[b".."], None);
        check("class/net/*/mtu", &[b""], None);
        check("class/net/*/mtu", &[b"a\0b"], None);
        check("class/net/*/mtu", &[b"..."], Some("class/net/.../mtu"));
    }
}
