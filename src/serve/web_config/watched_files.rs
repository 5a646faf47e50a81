//! The files of a web configuration, and detection of their changes.
#![expect(clippy::disallowed_methods, reason = "the operator's own files are read here, not those of a host")]

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac_sha256::Hash as Sha256;

use super::settings::Source;
use crate::yaml::Problem;

/// Maximum size of a file.
pub(super) const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// Age from which the modification time of a file identifies its content. A younger file may change again within the
/// resolution of its timestamps.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Reads files and records their metadata.
#[derive(Debug)]
pub(super) struct WatchedFiles {
    folder: PathBuf,
    stamps: Vec<(PathBuf, Stamp)>,
    content: Sha256Debug,
}

/// Metadata and digest of files at the time of reading.
#[derive(Default, Debug)]
pub(super) struct Snapshot {
    stamps: Vec<(PathBuf, Stamp)>,
    /// Digest of all contents and errors.
    pub(super) digest: [u8; 32],
}

/// Metadata that shows a change of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Stamp {
    /// The file is missing, or its metadata is not accessible.
    None,
    /// The file changed within [`SETTLED_AFTER`]: it has to be read again.
    Unsettled,
    Settled {
        modified: SystemTime,
        length_bytes: u64,
        /// Device, inode and change time; zeros on systems without them.
        identity: [u64; 3],
    },
}

struct Sha256Debug(Sha256);

impl std::fmt::Debug for Sha256Debug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

impl WatchedFiles {
    /// Files of which relative paths begin in the directory of this one.
    pub(super) fn beside(file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Self { folder, stamps: Vec::new(), content: Sha256Debug(Sha256::new()) }
    }

    /// Reads a file by its absolute path, or by its path relative to the directory of the configuration.
    pub(super) fn read(&mut self, path: impl AsRef<Path>) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        // The metadata is taken before the content: a change in between is detected at the next check.
        self.stamps.push((path.clone(), Stamp::of(&path)));
        let content = content(&path).map_err(|error| format!("{}: {error}", path.display()));
        let bytes = content.as_deref().unwrap_or_else(|error| error.as_bytes());
        self.content.0.update((bytes.len() as u64).to_le_bytes());
        self.content.0.update(bytes);
        content
    }

    /// Name for errors and content of a source that the configuration gives under `key`.
    pub(super) fn content(&mut self, source: &Source, key: &str) -> Result<(String, Vec<u8>), Problem> {
        match source {
            Source::Missing => Ok((key.to_owned(), Vec::new())),
            Source::Inline(text) => Ok((key.to_owned(), text.clone().into_bytes())),
            Source::File(key, path) => {
                let bytes = self.read(path).map_err(|error| Problem::general(format!("{key}: {error}")))?;
                Ok((format!("{key}: {path}"), bytes))
            }
        }
    }

    pub(super) fn snapshot(self) -> Snapshot {
        Snapshot { stamps: self.stamps, digest: self.content.0.finalize() }
    }
}

impl Snapshot {
    /// Directories of the files before and after links are resolved; `.` for a path without one.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let paths = self.stamps.iter().flat_map(|(path, _)| [Some(path.clone()), fs::canonicalize(path).ok()]);
        let folders = paths.flatten().filter_map(|path| path.parent().map(Path::to_owned));
        let mut folders: Vec<_> =
            folders.map(|folder| if folder == Path::new("") { PathBuf::from(".") } else { folder }).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Whether no file has changed: all are settled, and their metadata is the same.
    pub(super) fn is_current(&self) -> bool {
        self.stamps.iter().all(|(path, stamp)| *stamp != Stamp::Unsettled && *stamp == Stamp::of(path))
    }
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else { return Self::None };
        let Ok(modified) = metadata.modified() else { return Self::Unsettled };
        match SystemTime::now().duration_since(modified) {
            Ok(age) if age > SETTLED_AFTER => {
                Self::Settled { modified, length_bytes: metadata.len(), identity: identity(&metadata) }
            }
            _ => Self::Unsettled,
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [u64; 3] {
    use std::os::unix::fs::MetadataExt;
    let changed = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
    [metadata.dev(), metadata.ino(), changed.cast_unsigned()]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [u64; 3] {
    [0; 3]
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a FIFO could block forever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(io::Error::other(format!("larger than {FILE_MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(path: &Path) -> Snapshot {
        let mut files = WatchedFiles::beside(path);
        let _ = files.read(path.file_name().unwrap());
        files.snapshot()
    }

    fn age(path: &Path, age: Duration) {
        let times = SystemTime::now() - age;
        File::options().write(true).open(path).unwrap().set_modified(times).unwrap();
    }

    #[test]
    fn file_sizes_are_limited() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let read = |length: u64| {
            fs::write(&path, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
            WatchedFiles::beside(&path).read("a")
        };
        assert_eq!(read(FILE_MAX_BYTES).unwrap().len() as u64, FILE_MAX_BYTES);
        assert!(read(FILE_MAX_BYTES + 1).unwrap_err().ends_with("a: larger than 1048576 bytes"));
        assert!(WatchedFiles::beside(&path).read(folder.path()).unwrap_err().ends_with(": not a regular file"));
    }

    #[test]
    fn changes_are_detected_and_recently_changed_files_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let missing = snapshot(&path);
        assert!(missing.is_current());
        fs::write(&path, "one").unwrap();
        assert!(!missing.is_current());
        let unsettled = snapshot(&path);
        assert!(!unsettled.is_current());
        age(&path, Duration::from_secs(10));
        let settled = snapshot(&path);
        assert!(settled.is_current());
        assert_eq!(settled.digest, unsettled.digest);
        fs::write(&path, "two").unwrap();
        assert!(!settled.is_current());
        assert_ne!(snapshot(&path).digest, settled.digest);
        fs::remove_file(&path).unwrap();
        assert!(!settled.is_current());
        assert_eq!(snapshot(&path).digest, missing.digest);
    }

    #[cfg(unix)]
    #[test]
    fn folders_contain_links_and_their_targets() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let [live, archive] = ["live", "archive"].map(|name| fs::canonicalize(root.path()).unwrap().join(name));
        for folder in [&live, &archive] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(archive.join("key1"), "one").unwrap();
        symlink("../archive/key1", live.join("key")).unwrap();
        assert_eq!(snapshot(&live.join("key")).folders(), [archive, live.clone()]);
        assert_eq!(snapshot(&live.join("missing")).folders(), [live]);
        assert!(snapshot(Path::new("missing")).folders().contains(&PathBuf::from(".")));
    }

    #[cfg(unix)]
    #[test]
    fn a_replacement_with_equal_time_and_size_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let then = SystemTime::now() - Duration::from_secs(10);
        for (path, content) in [(&path, "one"), (&other, "two")] {
            fs::write(path, content).unwrap();
            File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        }
        let before = snapshot(&path);
        assert!(before.is_current());
        fs::rename(&other, &path).unwrap();
        assert!(!before.is_current());
    }
}
