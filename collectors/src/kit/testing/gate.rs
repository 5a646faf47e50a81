//! Roots with files that block until a gate is opened.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::host::root::tree::Tree;
use crate::host::root::{Metadata, Mount, Names, Root, RootError, Roots};

/// A gate in front of files of /proc: reads of them block while it is closed.
#[derive(Debug)]
pub struct Gate {
    files: Vec<&'static str>,
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Number of blocked reads.
    waiting: usize,
    is_open: bool,
}

impl Gate {
    /// A closed gate in front of this file of /proc, and the roots of the tree behind it.
    pub fn before(file: &'static str, tree: Tree) -> (Arc<Self>, Roots) {
        Self::before_each(&[file], tree)
    }

    /// A closed gate in front of these files of /proc, and the roots of the tree behind it.
    pub fn before_each(files: &[&'static str], tree: Tree) -> (Arc<Self>, Roots) {
        let gate = Arc::new(Self { files: files.to_vec(), state: Mutex::default(), change: Condvar::new() });
        let below = Arc::new(tree).roots();
        let gated =
            |mount| -> Arc<dyn Root> { Arc::new(Gated { gate: Arc::clone(&gate), mount, below: below.clone() }) };
        let roots = Roots::new(gated);
        (gate, roots)
    }

    /// Number of blocked reads.
    pub fn waiting(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).waiting
    }

    /// Waits until a read is blocked.
    pub fn wait_for_reader(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.change.wait_while(state, |state| state.waiting == 0));
    }

    /// Lets blocked reads and later ones go on.
    pub fn open(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_open = true;
        self.change.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        self.change.notify_all();
        let opened = self.change.wait_while(state, |state| !state.is_open);
        opened.unwrap_or_else(PoisonError::into_inner).waiting -= 1;
    }
}

/// A mount of the host behind a gate.
#[derive(Debug)]
struct Gated {
    gate: Arc<Gate>,
    mount: Mount,
    below: Roots,
}

impl Root for Gated {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        if self.mount == Mount::Proc && self.gate.files.iter().any(|file| path == file.as_bytes()) {
            self.gate.pass();
        }
        self.below.get(self.mount).read(path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], names: &mut Names) -> Result<(), RootError> {
        self.below.get(self.mount).list(path, names)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.below.get(self.mount).read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.below.get(self.mount).metadata(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_blocks_until_the_gate_is_opened() {
        let tree = Tree::new().with_file("proc/loadavg", "1\n").with_file("proc/uptime", "2\n");
        let (gate, roots) = Gate::before("loadavg", tree);
        let read = |path: &[u8]| {
            let mut content = Vec::new();
            roots.get(Mount::Proc).read(path, &mut content, 64).map(|()| content)
        };
        assert_eq!(read(b"uptime"), Ok(b"2\n".to_vec()));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| read(b"loadavg"));
            gate.wait_for_reader();
            assert_eq!(gate.waiting(), 1);
            assert!(!blocked.is_finished());
            gate.open();
            assert_eq!(blocked.join().expect("a read"), Ok(b"1\n".to_vec()));
        });
        assert_eq!((gate.waiting(), read(b"loadavg")), (0, Ok(b"1\n".to_vec())));
    }
}
