//! Storage of a queue: an interface, which tests implement with crashes, and a directory.
#![expect(clippy::disallowed_methods, reason = "the queue's own directory is read and written here")]

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A flat directory of a queue.
///
/// Appends reach the disk at [`Storage::sync`]; creations and removals at [`Storage::sync_directory`]. After a
/// crash an implementation may show any part of what was not synchronised.
pub trait Storage: Send {
    /// Names and lengths of all files.
    fn list(&mut self) -> io::Result<Vec<(String, u64)>>;

    /// Creates an empty file; an existing one is truncated.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// Appends to a file. After an error any prefix may have been written.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes the content of a file durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Reads at an offset, as far as the file goes; returns the number of bytes.
    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes at the beginning of an existing file. After a crash without [`Storage::sync`] those bytes may be anything.
    fn overwrite(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes creations and removals durable.
    fn sync_directory(&mut self) -> io::Result<()>;
}

/// Name of the lock file.
const LOCK: &str = "lock";
/// Name of the file with the name of the target.
const NAME: &str = "target";

/// A queue with samples in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredQueue {
    /// Name of the folder.
    pub folder: String,
    /// Name of the target that it was written for; empty if unknown.
    pub target: String,
    /// Size of its segments.
    pub bytes: u64,
}

/// The queues with samples in the folders below a directory.
pub fn queues_below(path: &Path) -> Vec<StoredQueue> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let stored = |entry: io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let is_segment = |file: &std::fs::DirEntry| file.path().extension().is_some_and(|end| end == "segment");
        let files = std::fs::read_dir(entry.path()).ok()?.filter_map(Result::ok).filter(is_segment);
        let bytes = files.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
        let target = std::fs::read_to_string(entry.path().join(NAME)).unwrap_or_default();
        (bytes > 0).then_some(StoredQueue { folder: entry.file_name().into_string().ok()?, target, bytes })
    };
    entries.filter_map(stored).collect()
}

/// A directory of the running system, locked against other processes.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Lock of the directory.
    _lock: File,
    /// The last file of an append.
    appending: Option<(String, File)>,
}

impl Directory {
    /// Opens a directory for a target, and creates it if needed. Fails while another process uses it.
    pub fn open(path: &Path, target: &str) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another process uses this directory")
            }
            std::fs::TryLockError::Error(error) => error,
        })?;
        // It tells operators whose queue this is. The queue works without it, for example on a full disk.
        if std::fs::read_to_string(path.join(NAME)).ok().as_deref() != Some(target) {
            _ = std::fs::write(path.join(NAME), target);
        }
        Ok(Self { path: path.to_owned(), _lock: lock, appending: None })
    }

    fn handle(&mut self, name: &str) -> io::Result<&mut File> {
        if self.appending.as_ref().is_none_or(|(open, _)| open != name) {
            let file = OpenOptions::new().append(true).open(self.path.join(name))?;
            self.appending = Some((name.to_owned(), file));
        }
        match &mut self.appending {
            Some((_, file)) => Ok(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn close(&mut self, name: &str) {
        self.appending.take_if(|(open, _)| open == name);
    }
}

impl Storage for Directory {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && name != LOCK
                && name != NAME
            {
                files.push((name, entry.metadata()?.len()));
            }
        }
        Ok(files)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.close(name);
        let file = OpenOptions::new().create(true).write(true).truncate(true).open(self.path.join(name))?;
        self.appending = Some((name.to_owned(), file));
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.handle(name)?.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        match &self.appending {
            Some((open, file)) if open == name => file.sync_data(),
            _ => OpenOptions::new().write(true).open(self.path.join(name))?.sync_data(),
        }
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = File::open(self.path.join(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while filled < into.len() {
            match file.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn overwrite(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(self.path.join(name))?;
        file.write_all(bytes)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.close(name);
        std::fs::remove_file(self.path.join(name))
    }

    /// Windows has no handle of a directory to synchronise; NTFS journals these changes in order.
    fn sync_directory(&mut self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

impl<S: Storage + ?Sized> Storage for Box<S> {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        (**self).list()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        (**self).create(name)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).append(name, bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        (**self).sync(name)
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(name, offset, into)
    }

    fn overwrite(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).overwrite(name, bytes)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        (**self).sync_directory()
    }
}

/// Files in memory, for a queue without a directory.
#[derive(Debug, Default)]
pub struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn file(&mut self, name: &str) -> io::Result<&mut Vec<u8>> {
        self.0.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for Memory {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        Ok(self.0.iter().map(|(name, content)| (name.clone(), content.len() as u64)).collect())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.0.insert(name.to_owned(), Vec::new());
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let content = self.file(name)?;
        let rest = content.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn overwrite(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let content = self.file(name)?;
        content.resize(content.len().max(bytes.len()), 0);
        content[..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        Ok(())
    }
}
