//! Cache of everything read from the host while recording, and the roots that fill it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collectors::host::errno::Errno;
use collectors::host::root::resolve::{Last, Links, PathBuffer, resolve};
use collectors::host::root::tree::{Node, Special, Tree};
use collectors::host::root::{Kind, Metadata, Mount, Names, Root, RootError, Roots};

use super::Note;
use super::deadline::Deadline;

/// Maximum total size of the files of a recording. Files beyond it are noted and left out.
pub const TOTAL_CAP_BYTES: u64 = 1 << 30;

/// Reads through to the host and caches every result.
#[derive(Debug)]
pub(super) struct Cache {
    live: Roots,
    deadline: Deadline,
    seen: Mutex<Seen>,
}

/// Cached results by path in the tree, with all links above it resolved.
#[derive(Debug, Default)]
struct Seen {
    kinds: BTreeMap<Vec<u8>, Result<Kind, RootError>>,
    links: BTreeMap<Vec<u8>, Vec<u8>>,
    files: BTreeMap<Vec<u8>, Result<Vec<u8>, RootError>>,
    lists: BTreeMap<Vec<u8>, Result<Names, RootError>>,
    metadata: BTreeMap<Vec<u8>, Result<Metadata, RootError>>,
    total_bytes: u64,
    notes: Vec<Note>,
}

impl Cache {
    pub(super) fn new(live: Roots, deadline: Deadline) -> Self {
        Self { live, deadline, seen: Mutex::default() }
    }

    /// Number of files read.
    pub(super) fn count(&self) -> usize {
        self.seen().files.len()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn file(&self, mount: Mount, path: &[u8], cap_bytes: usize) -> Result<Vec<u8>, RootError> {
        let at = self.resolved(mount, path, Last::Followed)?;
        if let Some(known) = self.seen().files.get(&at) {
            return known.clone();
        }
        let found = self.ask(mount, &at, move |live, path| {
            let mut content = Vec::new();
            live.get(mount).read(path, &mut content, cap_bytes).map(|()| content)
        });
        let mut seen = self.seen();
        let size_bytes = found.as_ref().map_or(0, |content| content.len() as u64);
        if seen.total_bytes.saturating_add(size_bytes) > TOTAL_CAP_BYTES {
            seen.note(&at, format!("left out: the recording would hold more than {TOTAL_CAP_BYTES} bytes"));
            return Err(Errno::EFBIG.into());
        }
        seen.total_bytes = seen.total_bytes.saturating_add(size_bytes);
        if let Err(error @ RootError::TooLarge { .. }) = &found {
            seen.note(&at, format!("{error}; reading it is EFBIG in the recording"));
        }
        seen.files.insert(at, found.clone());
        found
    }

    pub(super) fn list(&self, mount: Mount, path: &[u8]) -> Result<Names, RootError> {
        let at = self.resolved(mount, path, Last::Followed)?;
        if let Some(known) = self.seen().lists.get(&at) {
            return known.clone();
        }
        let found = self.ask(mount, &at, move |live, path| {
            let mut names = Names::new();
            live.get(mount).list(path, &mut names).map(|()| names)
        });
        self.seen().lists.insert(at, found.clone());
        found
    }

    pub(super) fn link(&self, mount: Mount, path: &[u8]) -> Result<Vec<u8>, RootError> {
        let at = self.resolved(mount, path, Last::Kept)?;
        self.seen().links.get(&at).cloned().ok_or(Errno::EINVAL.into())
    }

    pub(super) fn metadata(&self, mount: Mount, path: &[u8]) -> Result<Metadata, RootError> {
        let at = self.resolved(mount, path, Last::Followed)?;
        if let Some(known) = self.seen().metadata.get(&at) {
            return *known;
        }
        let found = self.ask(mount, &at, move |live, path| live.get(mount).metadata(path));
        // A `.tree` holds whole seconds, so that a replay would answer with these.
        let whole =
            |found: Metadata| Metadata { modified: std::time::Duration::from_secs(found.modified.as_secs()), ..found };
        let found = found.map(whole);
        self.seen().metadata.insert(at, found);
        found
    }

    /// Path in the tree with every link above it followed and cached.
    fn resolved(&self, mount: Mount, path: &[u8], last: Last) -> Result<Vec<u8>, RootError> {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let mut resolved = PathBuffer::new();
        resolved.append(mount.name().as_bytes())?;
        resolve(&LiveLinks { cache: self, mount }, path, last, &mut resolved)?;
        Ok(resolved.as_bytes().to_vec())
    }

    /// Runs a call on the host for a path of the tree. A missed deadline is `ETIMEDOUT` and noted.
    fn ask<T: Send + 'static>(
        &self,
        mount: Mount,
        at: &[u8],
        question: impl FnOnce(&Roots, &[u8]) -> Result<T, RootError> + Send + 'static,
    ) -> Result<T, RootError> {
        let live = self.live.clone();
        let below = at.get(mount.name().len() + 1..).unwrap_or_default();
        // Paths of operators count from the root directory.
        let path = if mount == Mount::Host { [b"/", below].concat() } else { below.to_vec() };
        let answer = self.deadline.run(move || question(&live, &path));
        answer.unwrap_or_else(|reason| {
            self.seen().note(at, format!("{reason}; reading it is ETIMEDOUT in the recording"));
            Err(Errno::ETIMEDOUT.into())
        })
    }

    /// Builds the tree of everything cached.
    pub(super) fn finish(&self) -> (Tree, Vec<Note>) {
        let seen = self.seen();
        let mut tree = Tree::new();
        let mut notes = seen.notes.clone();
        let mut add = |path: &[u8], node: Node| {
            if let Err(error) = tree.insert(path, node) {
                notes.push(Note { path: path.escape_ascii().to_string(), reason: error.to_string() });
            }
        };
        // An entry that was listed but not read exists with an error in place of its content.
        for (path, list) in &seen.lists {
            match list {
                Ok(names) => {
                    add(path, Node::directory());
                    for (name, kind) in names.iter_kinds().filter(|(_, kind)| *kind != Kind::Link) {
                        let path = [path, &b"/"[..], name].concat();
                        if !seen.files.contains_key(&path) {
                            add(&path, unread(kind));
                        }
                    }
                }
                Err(error) if !error.is_missing() => add(path, Node::directory().with_error(errno(*error))),
                Err(_) => {}
            }
        }
        for (path, found) in &seen.metadata {
            if let Ok(found) = found
                && !seen.files.contains_key(path)
                && !matches!(seen.lists.get(path), Some(Err(_)))
                && (found.kind != Kind::Directory || path.contains(&b'/'))
            {
                add(path, dated(unread(found.kind), *found));
            }
        }
        for (path, found) in &seen.files {
            let node = match found {
                Ok(content) => Node::file(content.clone()),
                Err(error) if error.is_missing() => continue,
                Err(RootError::Special) => Node::special(Special::Fifo),
                // A directory that was read as a file.
                Err(RootError::Errno(Errno::EISDIR)) => Node::directory(),
                Err(error) => Node::file("").with_error(errno(*error)),
            };
            let known = seen.metadata.get(path).and_then(|found| found.ok());
            add(path, known.map_or(node.clone(), |found| dated(node, found)));
        }
        for (path, target) in &seen.links {
            add(path, Node::link(target.clone()));
        }
        (tree, notes)
    }
}

/// Node of an entry that was listed but not read.
fn unread(kind: Kind) -> Node {
    match kind {
        Kind::Directory => Node::directory(),
        Kind::Special => Node::special(Special::Device),
        Kind::File | Kind::Link => Node::file("").with_error(Errno::ENODATA),
    }
}

fn dated(node: Node, found: Metadata) -> Node {
    let node = node.with_modified_seconds(found.modified.as_secs());
    if found.kind == Kind::File { node.with_size_bytes(found.size_bytes) } else { node }
}

fn errno(error: RootError) -> Errno {
    match error {
        RootError::Errno(errno) => errno,
        RootError::TooLarge { .. } => Errno::EFBIG,
        RootError::Escapes => Errno::EXDEV,
        RootError::Special => Errno::ENXIO,
    }
}

impl Seen {
    fn note(&mut self, path: &[u8], reason: String) {
        self.notes.push(Note { path: path.escape_ascii().to_string(), reason });
    }
}

/// Resolves the links of one mount through the cache.
struct LiveLinks<'a> {
    cache: &'a Cache,
    mount: Mount,
}

impl Links for LiveLinks<'_> {
    fn kind(&self, path: &[u8]) -> Result<Kind, RootError> {
        if let Some(known) = self.cache.seen().kinds.get(path) {
            return *known;
        }
        let mount = self.mount;
        let found = self.cache.ask(mount, path, move |live, path| {
            let mut target = Vec::new();
            match live.get(mount).read_link(path, &mut target) {
                Ok(()) => Ok((Kind::Link, target)),
                Err(RootError::Errno(Errno::EINVAL)) => Ok((live.get(mount).metadata(path)?.kind, target)),
                Err(error) => Err(error),
            }
        });
        let mut seen = self.cache.seen();
        let found = found.map(|(kind, target)| {
            if kind == Kind::Link {
                seen.links.insert(path.to_vec(), target);
            }
            kind
        });
        seen.kinds.insert(path.to_vec(), found);
        found
    }

    fn target(&self, path: &[u8], into: &mut PathBuffer) -> Result<(), RootError> {
        let seen = self.cache.seen();
        into.append(seen.links.get(path).ok_or(Errno::EINVAL)?)
    }
}

/// Root that reads one mount through the cache.
#[derive(Debug)]
pub(super) struct RecordingRoot {
    cache: Arc<Cache>,
    mount: Mount,
}

impl RecordingRoot {
    pub(super) fn new(cache: Arc<Cache>, mount: Mount) -> Self {
        Self { cache, mount }
    }
}

impl Root for RecordingRoot {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        into.extend(self.cache.file(self.mount, path, cap_bytes)?);
        Ok(())
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let names = self.cache.list(self.mount, path)?;
        names.iter_kinds().for_each(|(name, kind)| into.push(name, kind));
        // Listed links are recorded as links, so that a replay lists them too.
        for (name, _) in names.iter_kinds().filter(|(_, kind)| *kind == Kind::Link) {
            let link = if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() };
            // It may have disappeared since.
            let _ = self.cache.link(self.mount, &link);
        }
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        into.extend(self.cache.link(self.mount, path)?);
        Ok(())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.cache.metadata(self.mount, path)
    }
}
