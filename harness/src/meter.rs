//! Recording of file accesses: every path with its operation and count, and the bytes read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use collectors::host::root::{Metadata, Mount, Names, Root, RootError, Roots};
use simulator::fault::{Fault, FaultSite, Kind, When};

/// A path below one of the mounts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MountPath {
    /// The mount.
    pub mount: Mount,
    /// The path below the mount.
    pub path: Vec<u8>,
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

impl MountPath {
    fn place(&self) -> FaultSite {
        FaultSite::exact(self.mount, &self.path)
    }

    /// A fault at this path only, at all times.
    pub fn broken(&self, kind: Kind) -> Fault {
        Fault { site: self.place(), kind, when: When::ALWAYS }
    }
}

/// Operations of a root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// Reading a file.
    Read,
    /// Listing a directory.
    List,
    /// Reading a symbolic link.
    Link,
    /// Reading metadata without opening the file.
    Metadata,
}

/// Number of accesses and of successful ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AccessCount {
    /// Accesses.
    pub asked: usize,
    /// Accesses that succeeded.
    pub answered: usize,
}

/// All file accesses of a scrape.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accesses {
    /// Accesses by operation and path.
    pub paths: BTreeMap<(Operation, MountPath), AccessCount>,
    /// Total bytes read.
    pub read_bytes: u64,
}

impl Accesses {
    /// Number of accesses of an operation.
    pub fn count(&self, ask: Operation) -> usize {
        self.of(ask).map(|(_, times)| times.asked).sum()
    }

    /// Number of repeated accesses of an operation.
    pub fn repeated(&self, ask: Operation) -> usize {
        self.of(ask).map(|(_, times)| times.asked - 1).sum()
    }

    /// The files read, each once.
    pub fn files(&self) -> impl Iterator<Item = &MountPath> {
        self.of(Operation::Read).filter(|(_, times)| times.answered > 0).map(|(question, _)| question)
    }

    fn of(&self, ask: Operation) -> impl Iterator<Item = (&MountPath, AccessCount)> {
        let own = self.paths.iter().filter(move |((kind, _), _)| *kind == ask);
        own.map(|((_, question), times)| (question, *times))
    }
}

/// Roots that record every access and forward it.
#[derive(Clone, Debug)]
pub struct Meter {
    asked: Arc<Mutex<Accesses>>,
    roots: Roots,
}

impl Meter {
    /// A meter in front of these roots.
    pub fn new(below: &Roots) -> Self {
        let asked = Arc::new(Mutex::new(Accesses::default()));
        let over =
            |mount| -> Arc<dyn Root> { Arc::new(Metered { mount, below: below.clone(), asked: Arc::clone(&asked) }) };
        Self { roots: Roots::new(over).with_sys_place(below.sys_place()), asked }
    }

    /// The roots to scrape.
    pub fn roots(&self) -> Roots {
        self.roots.clone()
    }

    /// The accesses since the last call.
    pub fn take(&self) -> Accesses {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Metered {
    mount: Mount,
    below: Roots,
    asked: Arc<Mutex<Accesses>>,
}

impl Metered {
    fn note(&self, ask: Operation, path: &[u8], is_answered: bool, read_bytes: usize) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let question = MountPath { mount: self.mount, path: path.to_vec() };
        let times = asked.paths.entry((ask, question)).or_default();
        times.asked += 1;
        times.answered += usize::from(is_answered);
        asked.read_bytes += read_bytes as u64;
    }
}

impl Root for Metered {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        let answer = self.below.get(self.mount).read(path, into, cap_bytes);
        self.note(Operation::Read, path, answer.is_ok(), if answer.is_ok() { into.len() } else { 0 });
        answer
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        let answer = self.below.get(self.mount).list(path, into);
        self.note(Operation::List, path, answer.is_ok(), 0);
        answer
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        let answer = self.below.get(self.mount).read_link(path, into);
        self.note(Operation::Link, path, answer.is_ok(), 0);
        answer
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let answer = self.below.get(self.mount).metadata(path);
        self.note(Operation::Metadata, path, answer.is_ok(), 0);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::root::tree::Tree;

    #[test]
    fn every_access_is_recorded_and_forwarded() {
        let tree = Arc::new(Tree::new().with_file("proc/a", "12\n").with_file("proc/d/b", "x"));
        let meter = Meter::new(&tree.roots());
        let roots = meter.roots();
        let root = roots.get(Mount::Proc);
        let (mut content, mut names) = (Vec::new(), Names::new());
        for _ in 0..2 {
            root.read(b"a", &mut content, 10).expect("a file");
        }
        assert_eq!(content, b"12\n");
        root.read(b"gone", &mut content, 10).expect_err("no file");
        root.list(b"d", &mut names).expect("a directory");
        root.metadata(b"a").expect("a file");
        root.read_link(b"a", &mut content).expect_err("no link");
        let asked = meter.take();
        let counts =
            [Operation::Read, Operation::List, Operation::Link, Operation::Metadata].map(|ask| asked.count(ask));
        assert_eq!((counts, asked.repeated(Operation::Read), asked.read_bytes), ([3, 1, 1, 1], 1, 6));
        assert_eq!(asked.files().map(ToString::to_string).collect::<Vec<_>>(), ["proc/a"]);
        assert_eq!(meter.take(), Accesses::default());
    }
}
