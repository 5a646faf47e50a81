//! Folders of snapshots: no file without a test.

use std::collections::BTreeSet;
use std::path::Path;

use crate::load;

/// Set by `nodelab accept`, which updates snapshots and removes those that no test writes any more.
pub const ACCEPT_VARIABLE: &str = "NODELAB_ACCEPT";

/// Asserts that a folder contains exactly these files. While [`ACCEPT_VARIABLE`] is set, other files are removed.
///
/// # Panics
/// If the folder has other files, or cannot be read.
#[track_caller]
pub fn assert_complete(folder: &Path, written: &BTreeSet<String>) {
    let is_accepting = load::variable(ACCEPT_VARIABLE).is_some();
    let stale: Vec<String> = load::names(folder)
        .unwrap_or_else(|error| panic!("{error}"))
        .into_iter()
        .filter(|name| !written.contains(name))
        .collect();
    if is_accepting {
        for name in &stale {
            load::remove(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
        }
    } else {
        assert!(stale.is_empty(), "{}: no test writes {stale:?}; run nodelab accept", folder.display());
    }
    let missing: Vec<&String> = written.iter().filter(|name| !load::exists(&folder.join(name))).collect();
    assert!(missing.is_empty(), "{}: {missing:?} are missing; run nodelab accept", folder.display());
}
