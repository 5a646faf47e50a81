//! Where an entry of somebody's archive belongs in a tree.

use collectors::host::root::Mount;
use collectors::host::root::tree::{KERNEL, LATER};

use super::ArchiveError;

/// Folders of a host that are a mount of their own in a tree, by their place below its root.
const ELSEWHERE: [(&[u8], &[u8]); 2] = [(b"run/udev/data", b"udev"), (b"udev/data", b"udev")];
/// Folders at the top of a host that are not mounts of a tree: they are below `rootfs`.
const ROOT_FOLDERS: [&[u8]; 12] =
    [b"etc", b"usr", b"var", b"run", b"boot", b"opt", b"home", b"root", b"srv", b"mnt", b"tmp", b"lib"];

/// The rule for the entries of one archive.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The folder around the host, which is taken away.
    wrapper: Vec<u8>,
}

impl Places {
    /// The rule for an archive of these paths. An archive often has one folder around everything, such as
    /// `sosreport-2025/`; that is found here.
    pub fn of<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut wrapper: Option<Vec<u8>> = None;
        for path in paths {
            let path = relative(path);
            if path.is_empty() {
                continue;
            }
            let names: Vec<&[u8]> = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).collect();
            let before = names.iter().take_while(|name| !is_known(name)).copied().collect::<Vec<_>>();
            let is_above = before.len() == names.len();
            let before = before.join(&b'/');
            match &wrapper {
                _ if is_above => {}
                None => wrapper = Some(before),
                // Nothing is around all of it.
                Some(found) if *found != before => return Self::default(),
                Some(_) => {}
            }
        }
        Self { wrapper: wrapper.unwrap_or_default() }
    }

    /// The path in the tree; `None` for the folders around the host, which have no place there.
    pub fn place(&self, path: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
        let checked = checked(path)?;
        let inside = match checked.strip_prefix(self.wrapper.as_slice()) {
            Some(rest) if self.wrapper.is_empty() => rest,
            Some(rest) => rest.strip_prefix(b"/").unwrap_or_default(),
            None => return Ok(None),
        };
        Ok((!inside.is_empty()).then(|| moved(inside)))
    }
}

/// The path in a tree of a path below a host's root: `etc/os-release` is `rootfs/etc/os-release`.
pub fn place(path: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
    Places::default().place(path)
}

fn is_known(name: &[u8]) -> bool {
    is_folder_of_a_tree(name) || ROOT_FOLDERS.contains(&name)
}

fn is_folder_of_a_tree(name: &[u8]) -> bool {
    name == KERNEL.as_bytes()
        || name == LATER.as_bytes()
        || Mount::ALL.iter().any(|mount| mount.name().as_bytes() == name)
}

fn relative(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    if path == b"." { b"" } else { path.strip_suffix(b"/").unwrap_or(path) }
}

/// A relative path without `..`.
fn checked(path: &[u8]) -> Result<&[u8], ArchiveError> {
    let inside = relative(path);
    let fail = |problem: &str| Err(ArchiveError::at(path, problem));
    if inside.starts_with(b"/") || inside.get(1) == Some(&b':') {
        return fail("an absolute name; an archive of a host has names relative to its root");
    }
    if inside.contains(&b'\\') && inside.split(|&byte| byte == b'\\').any(|name| name == b"..") {
        return fail("`..` in a name, which leads out of the archive");
    }
    if inside.split(|&byte| byte == b'/').any(|name| name == b"..") {
        return fail("`..` in a name, which leads out of the archive");
    }
    Ok(inside)
}

fn moved(path: &[u8]) -> Vec<u8> {
    for (from, to) in ELSEWHERE {
        match path.strip_prefix(from) {
            Some(b"") => return to.to_vec(),
            Some(rest) if rest.starts_with(b"/") => return [to, rest].concat(),
            _ => {}
        }
    }
    let first = path.split(|&byte| byte == b'/').next().unwrap_or_default();
    if is_folder_of_a_tree(first) { path.to_vec() } else { [Mount::Rootfs.name().as_bytes(), b"/", path].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &[Option<&str>]) {
        let places = Places::of(paths.iter().map(|path| path.as_bytes()));
        let found: Vec<Option<String>> = paths
            .iter()
            .map(|path| places.place(path.as_bytes()).unwrap().map(|path| String::from_utf8(path).unwrap()))
            .collect();
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_of_a_tree_stay_and_others_go_below_the_root() {
        check(
            &["./", "./proc/stat", "sys/a:b/", "etc/os-release", "run/udev/data/b8:0", "run/lock", "kernel/uname"],
            &[
                None,
                Some("proc/stat"),
                Some("sys/a:b"),
                Some("rootfs/etc/os-release"),
                Some("udev/b8:0"),
                Some("rootfs/run/lock"),
                Some("kernel/uname"),
            ],
        );
    }

    #[test]
    fn a_folder_around_everything_is_taken_away() {
        check(
            &["report-1", "report-1/proc", "report-1/proc/stat", "report-1/etc/hostname"],
            &[None, Some("proc"), Some("proc/stat"), Some("rootfs/etc/hostname")],
        );
        check(&["a/proc/stat", "b/proc/stat"], &[Some("rootfs/a/proc/stat"), Some("rootfs/b/proc/stat")]);
        check(&["fixtures/udev/data/b8:0", "fixtures/proc/1"], &[Some("udev/b8:0"), Some("proc/1")]);
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for path in ["/proc/stat", "../proc/stat", "proc/../../x", "proc/..", "C:/proc", "proc\\..\\x"] {
            assert!(place(path.as_bytes()).is_err(), "{path}");
        }
        assert!(place(b"proc/..stat").is_ok());
    }
}
