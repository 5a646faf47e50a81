//! The files of a web configuration, and whether they are still what they were.
#![expect(clippy::disallowed_methods, reason = "the operator's own files are read here, not those of a host")]

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac_sha256::Hash as Sha256;

use super::file::Source;
use crate::yaml::Problem;

/// Larger files are refused.
pub(super) const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// A file that was changed so short a time ago may change again without a trace in its times.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Reads files and keeps in mind what they looked like.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    stamps: Vec<(PathBuf, Stamp)>,
    content: Sha256Debug,
}

/// Metadata of files at the time of reading.
#[derive(Default, Debug)]
pub(super) struct Looks {
    stamps: Vec<(PathBuf, Stamp)>,
    /// Of all that was read, errors included.
    pub(super) digest: [u8; 32],
}

/// Metadata that shows a change of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Stamp {
    /// Not there, or not to be looked at.
    None,
    /// Still warm: it has to be read again.
    Unsettled,
    Settled {
        modified: SystemTime,
        length_bytes: u64,
        /// Inode and times, where the system has them.
        identity: [u64; 3],
    },
}

struct Sha256Debug(Sha256);

impl std::fmt::Debug for Sha256Debug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

impl Files {
    /// Relative paths begin in the folder of this file.
    pub(super) fn beside(file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Self { folder, stamps: Vec::new(), content: Sha256Debug(Sha256::new()) }
    }

    /// Reads a file that stands beside the first one, or where its absolute path says.
    pub(super) fn read(&mut self, path: impl AsRef<Path>) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        // The look comes first: what changes in between is seen as a change later.
        self.stamps.push((path.clone(), Stamp::of(&path)));
        let content = content(&path).map_err(|error| format!("{}: {error}", path.display()));
        let bytes = content.as_deref().unwrap_or_else(|error| error.as_bytes());
        self.content.0.update((bytes.len() as u64).to_le_bytes());
        self.content.0.update(bytes);
        content
    }

    /// Content of a key, and its name for errors.
    pub(super) fn content(&mut self, source: &Source, key: &str) -> Result<(String, Vec<u8>), Problem> {
        match source {
            Source::Nowhere => Ok((key.to_owned(), Vec::new())),
            Source::Here(text) => Ok((key.to_owned(), text.clone().into_bytes())),
            Source::File(key, path) => {
                let bytes = self.read(path).map_err(|error| Problem::general(format!("{key}: {error}")))?;
                Ok((format!("{key}: {path}"), bytes))
            }
        }
    }

    pub(super) fn looks(self) -> Looks {
        Looks { stamps: self.stamps, digest: self.content.0.finalize() }
    }
}

impl Looks {
    /// The folders of the files, and of what they link to; `.` where a path has none.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let paths = self.stamps.iter().flat_map(|(path, _)| [Some(path.clone()), fs::canonicalize(path).ok()]);
        let folders = paths.flatten().filter_map(|path| path.parent().map(Path::to_owned));
        let mut folders: Vec<_> =
            folders.map(|folder| if folder == Path::new("") { PathBuf::from(".") } else { folder }).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Whether all files look as they did, and long enough to be sure.
    pub(super) fn are_the_same(&self) -> bool {
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
    // Opening a FIFO could wait for ever.
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

    fn looks(path: &Path) -> Looks {
        let mut files = Files::beside(path);
        let _ = files.read(path.file_name().unwrap());
        files.looks()
    }

    fn age(path: &Path, age: Duration) {
        let times = SystemTime::now() - age;
        File::options().write(true).open(path).unwrap().set_modified(times).unwrap();
    }

    #[test]
    fn files_have_a_largest_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let read = |length: u64| {
            fs::write(&path, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
            Files::beside(&path).read("a")
        };
        assert_eq!(read(FILE_MAX_BYTES).unwrap().len() as u64, FILE_MAX_BYTES);
        assert!(read(FILE_MAX_BYTES + 1).unwrap_err().ends_with("a: larger than 1048576 bytes"));
        assert!(Files::beside(&path).read(folder.path()).unwrap_err().ends_with(": not a regular file"));
    }

    #[test]
    fn changes_are_seen_and_what_is_still_warm_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let missing = looks(&path);
        assert!(missing.are_the_same());
        fs::write(&path, "one").unwrap();
        assert!(!missing.are_the_same());
        let warm = looks(&path);
        assert!(!warm.are_the_same());
        age(&path, Duration::from_secs(10));
        let cold = looks(&path);
        assert!(cold.are_the_same());
        assert_eq!(cold.digest, warm.digest);
        fs::write(&path, "two").unwrap();
        assert!(!cold.are_the_same());
        assert_ne!(looks(&path).digest, cold.digest);
        fs::remove_file(&path).unwrap();
        assert!(!cold.are_the_same());
        assert_eq!(looks(&path).digest, missing.digest);
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_those_of_links_and_of_what_they_lead_to() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let [live, archive] = ["live", "archive"].map(|name| fs::canonicalize(root.path()).unwrap().join(name));
        for folder in [&live, &archive] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(archive.join("key1"), "one").unwrap();
        symlink("../archive/key1", live.join("key")).unwrap();
        assert_eq!(looks(&live.join("key")).folders(), [archive, live.clone()]);
        assert_eq!(looks(&live.join("missing")).folders(), [live]);
        assert!(looks(Path::new("missing")).folders().contains(&PathBuf::from(".")));
    }

    #[cfg(unix)]
    #[test]
    fn another_file_of_the_same_age_and_size_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let then = SystemTime::now() - Duration::from_secs(10);
        for (path, content) in [(&path, "one"), (&other, "two")] {
            fs::write(path, content).unwrap();
            File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        }
        let before = looks(&path);
        assert!(before.are_the_same());
        fs::rename(&other, &path).unwrap();
        assert!(!before.are_the_same());
    }
}
