//! A root that reads through to the host and keeps what it saw.

use std::sync::Arc;

use collectors::host::root::{Metadata, Mount, Names, Root, RootError};

use super::store::Store;

#[derive(Debug)]
pub(super) struct Tee {
    store: Arc<Store>,
    mount: Mount,
}

impl Tee {
    pub(super) fn new(store: Arc<Store>, mount: Mount) -> Self {
        Self { store, mount }
    }
}

impl Root for Tee {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        into.extend(self.store.file(self.mount, path, cap_bytes)?);
        Ok(())
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let names = self.store.list(self.mount, path)?;
        names.iter_kinds().for_each(|(name, kind)| into.push(name, kind));
        // A link is in the recording as what it is.
        for (name, _) in names.iter_kinds().filter(|(_, kind)| *kind == collectors::host::root::Kind::Link) {
            let link = if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() };
            // One that has gone meanwhile is none.
            let _ = self.store.link(self.mount, &link);
        }
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        into.extend(self.store.link(self.mount, path)?);
        Ok(())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.store.metadata(self.mount, path)
    }
}
