//! A live host as a `.tree`: what collectors read of it, and what its kernel answered them.
//!
//! The collectors run once over a root that reads through to the host and keeps what it saw. Whoever asks a second time
//! gets the first answer, so that all of a recording is of one moment, and the page that was served while recording is
//! the page that the recording replays to. Then come the files that collectors have declared and did not ask for (their
//! flags can make them), and those that globs name.

mod kernel;
mod moments;
mod patience;
mod store;
mod tee;
mod walk;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::Kernel;
use collectors::host::root::tree::{InsertError, Tree};
use collectors::host::root::{Mount, Roots};
use collectors::kit::declare::Registration;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};

use kernel::RecordingKernel;
use patience::Patience;
use store::Store;
use tee::Tee;

pub use moments::combine;
pub use store::TOTAL_CAP_BYTES;
pub use walk::{Glob, GlobError};

/// What to record, and how patiently.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The collectors that are run. Each is on, whatever its default.
    pub registrations: &'a [Registration],
    /// Their flags.
    pub flags: FlagValues,
    /// Files besides those of the collectors.
    pub globs: Vec<Glob>,
    /// So long one file, or one question to the kernel, may take.
    pub timeout: Duration,
}

impl<'a> Plan<'a> {
    /// The files of these collectors with flags at their defaults.
    pub fn of(registrations: &'a [Registration]) -> Self {
        /// Some sensors of disks take 6 seconds and are no less alive.
        const TIMEOUT: Duration = Duration::from_secs(10);
        let mut flags = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        for registration in registrations {
            flags.enable(registration.declaration.name, true);
        }
        Self { registrations, flags, globs: Vec::new(), timeout: TIMEOUT }
    }
}

/// Something that is not in the recording as it was on the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Note {
    /// Its path in the tree.
    pub path: String,
    /// Why, and what stands in its place.
    pub reason: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// One moment of a host.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The host.
    pub tree: Tree,
    /// The page that its collectors made while it was recorded.
    pub page: Vec<u8>,
    /// What is not as it was.
    pub notes: Vec<Note>,
}

/// What the host is called: recorded whatever else is, so that whoever scrubs knows what to look for.
const IDENTITIES: &[(Mount, &str)] = &[
    (Mount::Proc, "sys/kernel/hostname"),
    (Mount::Proc, "sys/kernel/domainname"),
    (Mount::Rootfs, "etc/hostname"),
    (Mount::Rootfs, "etc/machine-id"),
];

/// Told of how many files have been read so far.
pub type Progress<'a> = &'a dyn Fn(usize);

/// Records one moment. The error names a flag or a path to change.
pub fn record(
    roots: &Roots,
    kernel: Arc<dyn Kernel>,
    plan: &Plan<'_>,
    progress: Progress<'_>,
) -> Result<Recording, String> {
    let store = Arc::new(Store::new(roots.clone(), Patience::new(plan.timeout)));
    let asked = Arc::new(RecordingKernel::new(kernel, plan.timeout));
    let tees = Roots::new(|mount| Arc::new(Tee::new(Arc::clone(&store), mount))).with_sys_place(roots.sys_place());
    let shared: Arc<dyn Kernel> = Arc::clone(&asked) as Arc<dyn Kernel>;
    let scraper = Scraper::build(plan.registrations, &plan.flags, tees.clone(), shared)?;
    let mut page = Vec::new();
    let told = |_: &collectors::kit::scraper::Report<'_>| progress(store.count());
    scraper.scrape(&Selection::ALL, |_| (), told, &mut page);
    for read in plan.registrations.iter().flat_map(|registration| registration.declaration.reads) {
        // What an operator's flag names is not known from its pattern, and `*` as a last name may be any file of a
        // device, of which some do something when they are read.
        let is_safe = read.mount != Mount::Host && read.pattern.rsplit('/').next() != Some("*");
        if is_safe {
            walk::declared(&tees, read);
            progress(store.count());
        }
    }
    for name in IDENTITIES {
        // Where one is not there, the host has no such name.
        let (mount, path) = name;
        let _ = tees.get(*mount).read(path.as_bytes(), &mut Vec::new(), collectors::kit::files::FILE_CAP_BYTES);
    }
    for glob in &plan.globs {
        walk::glob(&tees, glob, &|| progress(store.count()));
    }
    asked.ask_all(&mount_points(&tees));
    let (mut tree, mut notes) = store.finish();
    for (path, content) in asked.entries() {
        let node = collectors::host::root::tree::Node::file(content);
        tree.insert(path, node).map_err(|error: InsertError| format!("{path}: {error}"))?;
    }
    notes.extend(asked.notes());
    notes.sort();
    notes.dedup();
    Ok(Recording { tree, page, notes })
}

/// Where something is mounted, as far as a recorded table says it.
fn mount_points(roots: &Roots) -> Vec<Vec<u8>> {
    const FIELD: usize = 4;
    let mut table = Vec::new();
    let cap = collectors::kit::files::FILE_CAP_BYTES;
    let proc = roots.get(Mount::Proc);
    if proc.read(b"1/mountinfo", &mut table, cap).is_err() && proc.read(b"self/mountinfo", &mut table, cap).is_err() {
        return Vec::new();
    }
    let mut points: Vec<Vec<u8>> = table
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split(|&byte| byte == b' ').nth(FIELD))
        .map(octal_unescaped)
        .collect();
    points.sort_unstable();
    points.dedup();
    points
}

/// `\040` as the space that it stands for.
pub(crate) fn octal_unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(first);
        if first == b'\\'
            && let Some((&[high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7'], after)) =
                after.split_first_chunk()
        {
            bytes.pop();
            bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
            rest = after;
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
