//! Tests that all kinds of roots agree, with one table of requests.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "the files to be read are written here")]

use std::path::Path;
use std::sync::Arc;

use super::dir::{Dir, portable};
use super::live::{Live, Render};
use super::resolve::{Links, MAX_LINKS, PathBuffer};
use super::tree::{Node, Tree, What};
use super::{Kind, Metadata, Mount, Names, Root, RootError};
use crate::host::errno::Errno;

const CAP_BYTES: usize = 6000;

/// The entries of every kind of root. Creating links needs a privilege on Windows, so there are none.
fn files() -> Tree {
    let mut tree = Tree::new()
        .with_file("rootfs/outside", "the root begins below")
        .with_file("rootfs/root/etc/hostname", "web1\n")
        .with_file("rootfs/root/etc/empty", "")
        .with_file("rootfs/root/etc/exact", vec![b'x'; CAP_BYTES])
        .with_file("rootfs/root/etc/larger", vec![b'x'; CAP_BYTES + 1])
        .with_directory("rootfs/root/nothing")
        .with_file("rootfs/root/a-b", "")
        .with_file("rootfs/root/a/b/c", "deep\n");
    if cfg!(unix) {
        tree = tree
            .with_link("rootfs/root/beside", "a-b")
            .with_link("rootfs/root/a/up", "../etc")
            .with_link("rootfs/root/a/chain", "up/../a/b/../../a/up/hostname")
            .with_link("rootfs/root/a/absolute", "/etc/hostname")
            .with_link("rootfs/root/absolute-folder", "/a")
            .with_link("rootfs/root/slash", "/")
            .with_link("rootfs/root/a/dangling", "nowhere/at/all")
            .with_link("rootfs/root/a/absolute-dangling", "/outside")
            .with_link("rootfs/root/loop", "pool")
            .with_link("rootfs/root/pool", "loop")
            .with_link("rootfs/root/a/escape", "../../outside")
            .with_link("rootfs/root/a/escape-and-return", "../../root/etc/hostname")
            .with_link("rootfs/root/escape-folder", "..")
            .with_link("rootfs/root/a/absolute-escape", "/../outside")
            .with_link("rootfs/root/file-as-folder", "etc/hostname/")
            .with_link("rootfs/root/chain0", "etc/hostname");
        for number in 1..=MAX_LINKS {
            let (path, target) = (format!("rootfs/root/chain{number}"), format!("chain{}", number - 1));
            tree = tree.with_link(&path, &target);
        }
    }
    tree
}

/// A renderer of the files of a tree below a directory.
#[derive(Debug)]
struct Rendered {
    tree: Tree,
    folder: &'static str,
}

impl Rendered {
    fn node(&self, path: &[u8]) -> Result<&Node, RootError> {
        let path = [self.folder.as_bytes(), if path.is_empty() { b"" } else { b"/" }, path].concat();
        Ok(self.tree.get(path).ok_or(Errno::ENOENT)?)
    }
}

impl Links for Rendered {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        Ok(self.node(path)?.kind())
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        let What::Link(target) = self.node(path)?.what() else { return Err(Errno::EINVAL.into()) };
        into.append(target)
    }
}

impl Render for Rendered {
    fn render(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        let What::File(content) = self.node(path)?.what() else { return Err(Errno::EINVAL.into()) };
        into.extend_from_slice(content);
        Ok(())
    }

    fn entries(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        let folder = [self.folder.as_bytes(), if path.is_empty() { b"" } else { b"/" }, path, b"/"].concat();
        for (path, node) in self.tree.iter().collect::<Vec<_>>().into_iter().rev() {
            if let Some(name) = path.strip_prefix(&*folder)
                && !name.contains(&b'/')
            {
                into.push(name, node.kind());
            }
        }
        Ok(())
    }

    fn describe(&self, path: &[u8]) -> Result<Metadata, RootError> {
        Ok(self.node(path)?.metadata())
    }
}

/// The portable implementation, which `Dir` uses on systems other than Linux.
#[derive(Debug)]
struct Portable(portable::Confined);

#[cfg(target_os = "linux")]
#[derive(Debug)]
struct OldKernel(super::dir::linux::Confined);

macro_rules! delegate {
    ($name:ty) => {
        impl Root for $name {
            fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
                self.0.read(path, into, cap_bytes)
            }
            fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
                self.0.list(path, into)
            }
            fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
                self.0.read_link(path, into)
            }
            fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
                self.0.metadata(path)
            }
        }
    };
}

delegate!(Portable);
#[cfg(target_os = "linux")]
delegate!(OldKernel);

fn write_below(folder: &Path, tree: &Tree) {
    for (path, node) in tree.iter() {
        let path = folder.join(std::str::from_utf8(path).unwrap());
        match node.what() {
            What::File(content) => std::fs::write(path, content).unwrap(),
            What::Directory => std::fs::create_dir(path).unwrap(),
            #[cfg(unix)]
            What::Link(target) => std::os::unix::fs::symlink(std::str::from_utf8(target).unwrap(), path).unwrap(),
            other => panic!("{other:?} is not written here"),
        }
    }
}

/// The tree below `rootfs/root` becomes the mount of a tree of its own.
fn only_below_root(tree: &Tree) -> Tree {
    let mut below = Tree::new();
    for (path, node) in tree.iter() {
        if let Some(path) = path.strip_prefix(b"rootfs/root/") {
            below.insert([b"rootfs/", path].concat(), node.clone()).unwrap();
        }
    }
    below.with_file("proc/outside", "the root is another")
}

struct Every {
    roots: Vec<Arc<dyn Root>>,
    _folder: tempfile::TempDir,
}

impl Every {
    fn new() -> Self {
        let tree = files();
        let folder = tempfile::tempdir().unwrap();
        write_below(folder.path(), &tree);
        let path = folder.path().join("rootfs/root");
        let held = Arc::new(only_below_root(&tree)).roots();
        let roots: Vec<Arc<dyn Root>> = vec![
            Arc::new(Dir::open(&path).unwrap()),
            Arc::new(Portable(portable::Confined::open(&path).unwrap())),
            #[cfg(target_os = "linux")]
            Arc::new(OldKernel(super::dir::linux::Confined::open_for_old_kernels(&path).unwrap())),
            #[cfg(target_os = "linux")]
            Arc::new(super::kept::Kept::open(&path).unwrap()),
            Arc::new(Held(held)),
            Arc::new(Live::new(Rendered { tree, folder: "rootfs/root" })),
        ];
        Self { roots, _folder: folder }
    }

    #[track_caller]
    fn check_read(&self, path: &str, expected: Result<&str, RootError>) {
        // Some roots cache the last directory.
        for root in self.roots.iter().flat_map(|root| [root; 3]) {
            let mut bytes = b"of before".to_vec();
            let result = root.read(path.as_bytes(), &mut bytes, CAP_BYTES);
            assert_eq!(result.map(|()| bytes.as_slice()), expected.map(str::as_bytes), "{path} of {root:?}");
            assert!(result.is_ok() || bytes.is_empty(), "{path} of {root:?} leaves something behind its error");
        }
    }

    #[track_caller]
    fn check_list(&self, path: &str, expected: Result<&[(&str, Kind)], RootError>) {
        for root in &self.roots {
            let mut names = Names::new();
            names.push(b"of before", Kind::Special);
            let result = root.list(path.as_bytes(), &mut names);
            let listed: Vec<_> =
                names.iter_kinds().map(|(name, kind)| (std::str::from_utf8(name).unwrap(), kind)).collect();
            assert_eq!(result.map(|()| listed.as_slice()), expected, "{path} of {root:?}");
        }
    }

    #[track_caller]
    fn check_read_link(&self, path: &str, expected: Result<&str, RootError>) {
        for root in &self.roots {
            let mut bytes = b"of before".to_vec();
            let result = root.read_link(path.as_bytes(), &mut bytes);
            assert_eq!(result.map(|()| bytes.as_slice()), expected.map(str::as_bytes), "{path} of {root:?}");
        }
    }

    #[track_caller]
    fn check_kind(&self, path: &str, expected: Result<(Kind, u64), RootError>) {
        for root in &self.roots {
            let found = root.metadata(path.as_bytes()).map(|metadata| match metadata.kind {
                // The size of a directory depends on the file system.
                Kind::Directory => (Kind::Directory, 0),
                kind => (kind, metadata.size_bytes),
            });
            assert_eq!(found, expected, "{path} of {root:?}");
        }
    }
}

/// The mount `rootfs` of the roots of a tree.
#[derive(Debug)]
struct Held(super::Roots);

impl Root for Held {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        self.0.get(Mount::Rootfs).read(path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        self.0.get(Mount::Rootfs).list(path, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.0.get(Mount::Rootfs).read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.0.get(Mount::Rootfs).metadata(path)
    }
}

const MISSING: RootError = RootError::Errno(Errno::ENOENT);
const NOT_A_FOLDER: RootError = RootError::Errno(Errno::ENOTDIR);
const A_FOLDER: RootError = RootError::Errno(Errno::EISDIR);
const NO_LINK: RootError = RootError::Errno(Errno::EINVAL);
#[cfg(unix)]
const TOO_MANY_LINKS: RootError = RootError::Errno(Errno::ELOOP);

#[test]
fn files_and_directories() {
    let every = Every::new();
    every.check_read("etc/hostname", Ok("web1\n"));
    every.check_read("etc/empty", Ok(""));
    every.check_read("a/b/c", Ok("deep\n"));
    every.check_read("etc/missing", Err(MISSING));
    every.check_read("missing/hostname", Err(MISSING));
    every.check_read("etc/hostname/x", Err(NOT_A_FOLDER));
    every.check_read("etc", Err(A_FOLDER));
    every.check_read("", Err(A_FOLDER));
    every.check_list("etc", Ok(&["empty", "exact", "hostname", "larger"].map(|name| (name, Kind::File))));
    every.check_list("nothing", Ok(&[]));
    every.check_list("etc/hostname", Err(NOT_A_FOLDER));
    every.check_list("missing", Err(MISSING));
    every.check_kind("", Ok((Kind::Directory, 0)));
    every.check_kind("a/b", Ok((Kind::Directory, 0)));
    every.check_kind("etc/hostname", Ok((Kind::File, 5)));
    every.check_kind("etc/hostname/x", Err(NOT_A_FOLDER));
    every.check_kind("missing", Err(MISSING));
    every.check_read_link("etc/hostname", Err(NO_LINK));
    every.check_read_link("etc", Err(NO_LINK));
    every.check_read_link("", Err(NO_LINK));
    every.check_read_link("missing", Err(MISSING));
}

#[test]
fn caps_on_both_sides() {
    let every = Every::new();
    every.check_read("etc/exact", Ok(&"x".repeat(CAP_BYTES)));
    let sizes = RootError::TooLarge { size_bytes: CAP_BYTES as u64 + 1, cap_bytes: CAP_BYTES as u64 };
    every.check_read("etc/larger", Err(sizes));
    for root in &every.roots {
        assert_eq!(root.read(b"etc/empty", &mut Vec::new(), 0), Ok(()));
        let sizes = RootError::TooLarge { size_bytes: 5, cap_bytes: 4 };
        assert_eq!(root.read(b"etc/hostname", &mut Vec::new(), 4), Err(sizes));
        assert_eq!(root.read(b"etc/hostname", &mut Vec::new(), usize::MAX), Ok(()));
    }
}

/// Callers never request such paths, but roots stay confined even then.
#[test]
fn paths_that_leave_the_root_are_refused() {
    let every = Every::new();
    every.check_read("..", Err(RootError::Escapes));
    every.check_read("../outside", Err(RootError::Escapes));
    every.check_read("a/../../outside", Err(RootError::Escapes));
    every.check_list("..", Err(RootError::Escapes));
    every.check_kind("a/b/../../..", Err(RootError::Escapes));
    every.check_read("/etc/hostname", Ok("web1\n"));
    every.check_read("/outside", Err(MISSING));
    every.check_read("a/.././etc//hostname", Ok("web1\n"));
    every.check_read(&"n".repeat(256), Err(Errno::ENAMETOOLONG.into()));
    every.check_read(&"n".repeat(255), Err(MISSING));
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside() {
    let every = Every::new();
    every.check_read("a/chain", Ok("web1\n"));
    every.check_read("a/up/hostname", Ok("web1\n"));
    every.check_read("a/absolute", Ok("web1\n"));
    every.check_read("absolute-folder/up/hostname", Ok("web1\n"));
    every.check_read("slash/slash/a/b/c", Ok("deep\n"));
    every.check_kind("slash", Ok((Kind::Directory, 0)));
    every.check_kind("a/chain", Ok((Kind::File, 5)));
    every.check_list("absolute-folder/b", Ok(&[("c", Kind::File)]));
    every.check_list("a/up", Ok(&["empty", "exact", "hostname", "larger"].map(|name| (name, Kind::File))));
    every.check_read("a/dangling", Err(MISSING));
    every.check_read("a/absolute-dangling", Err(MISSING));
    every.check_kind("a/dangling", Err(MISSING));
    every.check_read("a/up", Err(A_FOLDER));
    every.check_read("file-as-folder", Err(NOT_A_FOLDER));
    every.check_read("loop", Err(TOO_MANY_LINKS));
    every.check_list("pool/x", Err(TOO_MANY_LINKS));
    // The chain's first link is number 0.
    every.check_read(&format!("chain{}", MAX_LINKS - 1), Ok("web1\n"));
    every.check_read(&format!("chain{MAX_LINKS}"), Err(TOO_MANY_LINKS));
}

#[cfg(unix)]
#[test]
fn links_are_read_without_being_followed() {
    let every = Every::new();
    every.check_read_link("a/chain", Ok("up/../a/b/../../a/up/hostname"));
    every.check_read_link("absolute-folder/up", Ok("../etc"));
    every.check_read_link("loop", Ok("pool"));
    every.check_read_link("a/escape", Ok("../../outside"));
    every.check_read_link("a/absolute-escape", Ok("/../outside"));
    every.check_read_link("a/up/hostname", Err(NO_LINK));
    every.check_read_link("escape-folder/root/beside", Err(RootError::Escapes));
    let mut kinds = vec![("absolute", Kind::Link), ("absolute-dangling", Kind::Link), ("absolute-escape", Kind::Link)];
    kinds.extend([("b", Kind::Directory), ("chain", Kind::Link), ("dangling", Kind::Link), ("escape", Kind::Link)]);
    kinds.extend([("escape-and-return", Kind::Link), ("up", Kind::Link)]);
    every.check_list("a", Ok(&kinds));
}

#[cfg(unix)]
#[test]
fn links_that_leave_the_root_are_refused() {
    let every = Every::new();
    every.check_read("a/escape", Err(RootError::Escapes));
    every.check_read("a/escape-and-return", Err(RootError::Escapes));
    every.check_read("a/absolute-escape", Err(RootError::Escapes));
    every.check_read("escape-folder/outside", Err(RootError::Escapes));
    every.check_list("escape-folder", Err(RootError::Escapes));
    every.check_kind("a/escape", Err(RootError::Escapes));
}
