//! Maps the paths of an archive to paths of a tree.

use collectors::host::root::Mount;
use collectors::host::root::tree::{KERNEL, LATER};

use super::ArchiveError;

/// Directories of a host that are mounts of their own in a tree.
const ELSEWHERE: [(&[u8], &[u8]); 2] = [(b"run/udev/data", b"udev"), (b"udev/data", b"udev")];
/// Top-level directories of a host that a tree holds below `rootfs`.
const ROOT_FOLDERS: [&[u8]; 12] =
    [b"etc", b"usr", b"var", b"run", b"boot", b"opt", b"home", b"root", b"srv", b"mnt", b"tmp", b"lib"];

/// Maps the paths of one archive.
#[derive(Clone, Debug, Default)]
pub struct PathMapping {
    /// Directory around the whole host, which is removed.
    wrapper: Vec<u8>,
}

impl PathMapping {
    /// The mapping for an archive of these paths. Archives often have one directory around everything, such as
    /// `sosreport-2025/`.
    pub fn of<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut wrapper: Option<Vec<u8>> = None;
        for path in paths {
            let path = relative(path);
            if path.is_empty() {
                continue;
            }
            let names: Vec<&[u8]> = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).collect();
            let before = names.iter().take_while(|name| !is_known(name)).copied().collect::<Vec<_>>();
            let is_wrapper = before.len() == names.len();
            let before = before.join(&b'/');
            match &wrapper {
                _ if is_wrapper => {}
                None => wrapper = Some(before),
                // No common wrapper.
                Some(found) if *found != before => return Self::default(),
                Some(_) => {}
            }
        }
        Self { wrapper: wrapper.unwrap_or_default() }
    }

    /// Path in the tree; `None` for the directories around the host.
    pub fn tree_path(&self, path: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
        let checked = checked(path)?;
        let inside = match checked.strip_prefix(self.wrapper.as_slice()) {
            Some(rest) if self.wrapper.is_empty() => rest,
            Some(rest) => rest.strip_prefix(b"/").unwrap_or_default(),
            None => return Ok(None),
        };
        Ok((!inside.is_empty()).then(|| moved_to_mount(inside)))
    }
}

/// Path in a tree for a path below a host's root: `etc/os-release` is `rootfs/etc/os-release`.
pub fn tree_path(path: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
    PathMapping::default().tree_path(path)
}

fn is_known(name: &[u8]) -> bool {
    is_top_of_tree(name) || ROOT_FOLDERS.contains(&name)
}

fn is_top_of_tree(name: &[u8]) -> bool {
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

/// Refuses absolute paths and `..`.
fn checked(path: &[u8]) -> Result<&[u8], ArchiveError> {
    let inside = relative(path);
    let fail = |problem: &str| Err(ArchiveError::at(path, problem));
    if inside.starts_with(b"/") || inside.get(1) == Some(&b':') {
        return fail("an absolute name; use names relative to the root of the host");
    }
    if inside.contains(&b'\\') && inside.split(|&byte| byte == b'\\').any(|name| name == b"..") {
        return fail("`..` in a name, which leads out of the archive");
    }
    if inside.split(|&byte| byte == b'/').any(|name| name == b"..") {
        return fail("`..` in a name, which leads out of the archive");
    }
    Ok(inside)
}

fn moved_to_mount(path: &[u8]) -> Vec<u8> {
    for (from, to) in ELSEWHERE {
        match path.strip_prefix(from) {
            Some(b"") => return to.to_vec(),
            Some(rest) if rest.starts_with(b"/") => return [to, rest].concat(),
            _ => {}
        }
    }
    let first = path.split(|&byte| byte == b'/').next().unwrap_or_default();
    if is_top_of_tree(first) { path.to_vec() } else { [Mount::Rootfs.name().as_bytes(), b"/", path].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &[Option<&str>]) {
        let mapping = PathMapping::of(paths.iter().map(|path| path.as_bytes()));
        let found: Vec<Option<String>> = paths
            .iter()
            .map(|path| mapping.tree_path(path.as_bytes()).unwrap().map(|path| String::from_utf8(path).unwrap()))
            .collect();
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn mounts_keep_their_paths_and_other_directories_move_below_rootfs() {
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
    fn a_wrapper_directory_is_removed() {
        check(
            &["report-1", "report-1/proc", "report-1/proc/stat", "report-1/etc/hostname"],
            &[None, Some("proc"), Some("proc/stat"), Some("rootfs/etc/hostname")],
        );
        check(&["a/proc/stat", "b/proc/stat"], &[Some("rootfs/a/proc/stat"), Some("rootfs/b/proc/stat")]);
        check(&["fixtures/udev/data/b8:0", "fixtures/proc/1"], &[Some("udev/b8:0"), Some("proc/1")]);
    }

    #[test]
    fn paths_that_leave_the_archive_are_refused() {
        for path in ["/proc/stat", "../proc/stat", "proc/../../x", "proc/..", "C:/proc", "proc\\..\\x"] {
            assert!(tree_path(path.as_bytes()).is_err(), "{path}");
        }
        assert!(tree_path(b"proc/..stat").is_ok());
    }
}
