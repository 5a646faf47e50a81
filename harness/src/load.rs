//! File access of the harness: every file that it reads or writes.

#![expect(clippy::disallowed_methods, reason = "the harness reads and writes files in this module only")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::{Duration, SystemTime};

use collectors::host::root::dir::Dir;
#[cfg(unix)]
use collectors::host::root::tree::What;
use collectors::host::root::tree::{Node, Tree};
use collectors::host::tree_text;
#[cfg(target_os = "linux")]
use node_exporter::flags::Paths;
use simulator::recording::archive;
use simulator::scenario::Scenario;

/// Folder of the scenarios, relative to the workspace.
pub const SCENARIOS: &str = "fixtures/scenarios";

/// The workspace folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads a file; the error contains its path.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Reads a text file; invalid UTF-8 becomes U+FFFD.
pub fn text(path: &Path) -> io::Result<String> {
    bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries =
        fs::read_dir(folder).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    let names: io::Result<Vec<_>> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    names.map(|mut names| {
        names.sort();
        names
    })
}

/// The names in a folder; empty if it does not exist.
pub fn names_if_any(folder: &Path) -> io::Result<Vec<String>> {
    if folder.is_dir() { names(folder) } else { Ok(Vec::new()) }
}

/// Writes a file; its folder must exist.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(path, content).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Creates a folder and its parents.
pub fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// A host of fixtures/hosts, by name.
pub fn host(name: &str) -> io::Result<Tree> {
    tree(&workspace().join("fixtures/hosts").join(name).with_extension("tree"))
}

/// The host in a `.tree` file.
pub fn tree(path: &Path) -> io::Result<Tree> {
    tree_text::parse(&bytes(path)?).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// Names of all hosts of fixtures/hosts.
pub fn hosts() -> io::Result<Vec<String>> {
    let names = names(&workspace().join("fixtures/hosts"))?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".tree")).map(str::to_owned).collect())
}

/// The scenario in a file; the error contains the file and line.
pub fn scenario(path: &Path) -> io::Result<Scenario> {
    let fail = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    let text = String::from_utf8(bytes(path)?).map_err(|error| fail(&error))?;
    Scenario::parse(&text).map_err(|error| fail(&error))
}

/// Names of all scenarios of fixtures/scenarios.
pub fn scenarios() -> io::Result<Vec<String>> {
    let names = names(&workspace().join(SCENARIOS))?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".toml")).map(str::to_owned).collect())
}

/// A scenario of fixtures/scenarios, by name.
pub fn named_scenario(name: &str) -> io::Result<Scenario> {
    scenario(&workspace().join(SCENARIOS).join(name).with_extension("toml"))
}

/// Adds a folder to the tree, below the path `place`. Symbolic links stay links.
pub fn folder(folder: &Path, place: &str, tree: &mut Tree) -> io::Result<()> {
    for name in names(folder)? {
        let path = folder.join(&name);
        let at = format!("{place}/{name}");
        let kind = fs::symlink_metadata(&path)?.file_type();
        let node = if kind.is_symlink() {
            Node::link(fs::read_link(&path)?.to_string_lossy().replace('\\', "/"))
        } else if kind.is_dir() {
            self::folder(&path, &at, tree)?;
            continue;
        } else {
            Node::file(bytes(&path)?)
        };
        tree.insert(&at, node).map_err(|error| io::Error::other(format!("{at}: {error}")))?;
    }
    Ok(())
}

/// A host in any form: a `.tree` file, an archive, or a directory.
pub fn any_host(path: &Path) -> io::Result<Tree> {
    let fail = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    if !path.is_dir() {
        return archive::read(&bytes(path)?).map_err(|error| fail(&error));
    }
    let root = Dir::open(path).map_err(|error| fail(&error))?;
    let mut tree = Tree::new();
    archive::copy(&root, b"", &mut tree, &archive::place).map_err(|error| fail(&error))?;
    Ok(tree)
}

/// Writes a host in the form of the file name: `.tree`, `.tar`, or a directory, which must be new or empty. Returns the
/// paths that cannot exist on disk.
pub fn write_host(tree: &Tree, path: &Path) -> io::Result<Vec<String>> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("tree") => write(path, &tree_text::write(tree))?,
        Some("tar") => write(path, &archive::write_tar(tree)?)?,
        _ => return write_folder(tree, path),
    }
    Ok(Vec::new())
}

/// The host of this process.
#[cfg(target_os = "linux")]
pub fn live(paths: &Paths) -> io::Result<node_exporter::host::Host> {
    node_exporter::host::this(paths).map_err(io::Error::other)
}

/// Sleeps.
pub fn wait(time: std::time::Duration) {
    std::thread::sleep(time);
}

#[cfg(unix)]
fn write_folder(tree: &Tree, path: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(path)?;
    // Existing entries could be links to other places.
    if !names(path)?.is_empty() {
        return Err(io::Error::other(format!("{}: the directory is not empty", path.display())));
    }
    unpack(tree, path)
}

#[cfg(not(unix))]
fn write_folder(_: &Tree, path: &Path) -> io::Result<Vec<String>> {
    let problem = "file systems here do not allow `:` in names and symbolic links; write a .tar or .tree";
    Err(io::Error::other(format!("{}: {problem}", path.display())))
}

/// Writes a tree to disk below `folder`. Returns the paths of failing and special files, which cannot be written.
#[cfg(unix)]
pub fn unpack(tree: &Tree, folder: &Path) -> io::Result<Vec<String>> {
    let mut left_out = Vec::new();
    let mut made = PathBuf::new();
    for (path, node) in tree.iter() {
        let name = String::from_utf8_lossy(path).into_owned();
        let target = folder.join(&name);
        if node.error().is_some() || node.mode() & 0o400 == 0 {
            left_out.push(name);
            continue;
        }
        let above = target.parent().unwrap_or(folder);
        if above != made {
            fs::create_dir_all(above)?;
            above.clone_into(&mut made);
        }
        match node.what() {
            What::Directory => fs::create_dir_all(&target)?,
            What::File(content) => {
                write(&target, content)?;
                let seconds = node.modified_seconds();
                if seconds > 0 {
                    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
                    fs::File::options().write(true).open(&target)?.set_modified(modified)?;
                }
            }
            What::Link(to) => std::os::unix::fs::symlink(String::from_utf8_lossy(to).as_ref(), &target)?,
            What::Special(_) => left_out.push(name),
        }
    }
    Ok(left_out)
}

/// Size of a file.
pub fn size_bytes(path: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(path);
    metadata
        .map(|metadata| metadata.len())
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Whether the path exists.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether the path is a folder.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}
