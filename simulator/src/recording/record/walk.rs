//! Walks the files that collectors declare and that globs of the command line match.

use std::fmt;

use collectors::host::root::{Kind, Mount, Names, Roots};
use collectors::kit::files::FILE_CAP_BYTES;
use collectors::kit::read::{Access, ReadInfo};

use crate::recording::archive;
use collectors::host::glob::{is_pattern, matches};

/// Maximum depth below `**`.
const DEPTH_CAP: usize = 32;

/// Files whose read has side effects, never ends, or reveals memory of a process. A glob skips them unless it names them.
const DANGEROUS: &[&str] = &[
    "config",
    "resource[0-9]*",
    "rom",
    "vpd",
    "kcore",
    "kmsg",
    "mem",
    "pagemap",
    "clear_refs",
    "kpage*",
    "trace_pipe",
    "trace_pipe_raw",
    "environ",
    "auxv",
    "maps",
    "smaps*",
    "numa_maps",
    "stack",
    "syscall",
    "sched",
    "exe",
    "cwd",
    "root",
    "vmcore",
    "sysrq-trigger",
    "event*",
    "dev_coredump",
    "data",
];

/// Path pattern: `*`, `?` and `[0-9]` within a name, `**` for any number of directories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    mount: Mount,
    names: Vec<Vec<u8>>,
}

/// Reason why a pattern is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GlobError(String);

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GlobError {}

impl Glob {
    /// Parses a pattern such as `/proc/net/*` or `sys/class/net/*/statistics/*`. Patterns outside of /proc, /sys and
    /// udev's data count from the root file system.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let fail =
            |problem: &str| GlobError(format!("`{text}`: {problem}; write it as in /proc/net/* or sys/**/uevent"));
        let relative = text.strip_prefix('/').unwrap_or(text);
        let placed = archive::tree_path(relative.as_bytes()).map_err(|error| GlobError(error.to_string()))?;
        let placed = placed.ok_or_else(|| fail("an empty pattern"))?;
        let mut names = placed.split(|&byte| byte == b'/').map(<[u8]>::to_vec);
        let folder = names.next().unwrap_or_default();
        let mount = Mount::ALL.into_iter().find(|mount| mount.name().as_bytes() == folder);
        let mount = mount.ok_or_else(|| fail("not a mount of a host"))?;
        let names: Vec<Vec<u8>> = names.collect();
        if names.is_empty() || names.iter().any(Vec::is_empty) {
            return Err(fail("an empty path component"));
        }
        Ok(Self { mount, names })
    }
}

/// Reads the files of a collector's declaration through recording roots.
pub(super) fn declared(roots: &Roots, read: &ReadInfo) {
    let names: Vec<Vec<u8>> = read.pattern.split('/').map(|name| name.as_bytes().to_vec()).collect();
    let names = if read.pattern.is_empty() { Vec::new() } else { names };
    let mut walk = Walk { roots, mount: read.mount, access: read.access, skips_dangerous: false, progress: &|| () };
    walk.below(&mut Vec::new(), &names, 0);
}

/// Reads the files that match a glob through recording roots.
pub(super) fn glob(roots: &Roots, glob: &Glob, progress: &dyn Fn()) {
    let mut walk = Walk { roots, mount: glob.mount, access: Access::File, skips_dangerous: true, progress };
    walk.below(&mut Vec::new(), &glob.names, 0);
}

struct Walk<'a> {
    roots: &'a Roots,
    mount: Mount,
    access: Access,
    /// Whether [`DANGEROUS`] files are skipped.
    skips_dangerous: bool,
    progress: &'a dyn Fn(),
}

impl Walk<'_> {
    /// Reads everything below `path` that matches. The root records errors.
    fn below(&mut self, path: &mut Vec<u8>, names: &[Vec<u8>], depth: usize) {
        let Some((first, rest)) = names.split_first() else { return self.visit(path) };
        if depth > DEPTH_CAP {
            return;
        }
        if first == b"**" {
            self.below(path, rest, depth);
            self.each(path, |walk, path, name, kind| {
                if kind == Kind::Directory {
                    with(path, name, |path| walk.below(path, names, depth + 1));
                }
            });
            return;
        }
        if !is_pattern(first) {
            return with(path, first, |path| self.below(path, rest, depth + 1));
        }
        self.each(path, |walk, path, name, _| {
            let is_skipped = walk.skips_dangerous
                && rest.is_empty()
                && DANGEROUS.iter().any(|dangerous| matches(dangerous.as_bytes(), name));
            if matches(first, name) && !is_skipped {
                with(path, name, |path| walk.below(path, rest, depth + 1));
            }
        });
    }

    fn each(&mut self, path: &mut Vec<u8>, mut visit: impl FnMut(&mut Self, &mut Vec<u8>, &[u8], Kind)) {
        let mut names = Names::new();
        if self.roots.get(self.mount).list(path, &mut names).is_ok() {
            for (name, kind) in names.iter_kinds() {
                visit(self, path, name, kind);
            }
        }
    }

    fn visit(&self, path: &[u8]) {
        let root = self.roots.get(self.mount);
        // The recording root records the error.
        let _ = match self.access {
            Access::File => root.read(path, &mut Vec::new(), FILE_CAP_BYTES),
            Access::Directory => root.list(path, &mut Names::new()),
            Access::Link => root.read_link(path, &mut Vec::new()),
        };
        (self.progress)();
    }
}

fn with(path: &mut Vec<u8>, name: &[u8], go_on: impl FnOnce(&mut Vec<u8>)) {
    let length = path.len();
    if length > 0 {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    go_on(path);
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_start_at_a_mount() {
        let glob = |text| Glob::parse(text).map(|glob| (glob.mount, glob.names.join(&b'/')));
        assert_eq!(glob("/proc/net/*"), Ok((Mount::Proc, b"net/*".to_vec())));
        assert_eq!(glob("etc/*"), Ok((Mount::Rootfs, b"etc/*".to_vec())));
        assert_eq!(glob("/run/udev/data/b8:*"), Ok((Mount::Udev, b"b8:*".to_vec())));
        for text in ["", "/", "../x", "proc", "proc/../x", "kernel/uname"] {
            assert!(glob(text).is_err(), "{text}");
        }
    }
}
