//! Records a live host into a tree: the files that collectors read, and the kernel's answers.
//!
//! The collectors run once over roots that read through to the host and cache every result. A second read of the same
//! path returns the cached result, so that a recording is one moment, and replays to the page that was served while
//! recording. Then follow the declared files that were not read (other flags may need them) and those that globs name.

mod cache;
mod deadline;
mod kernel;
mod moments;
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

use cache::{Cache, RecordingRoot};
use deadline::Deadline;
use kernel::RecordingKernel;

pub use cache::TOTAL_CAP_BYTES;
pub use moments::combine;
pub use walk::{Glob, GlobError};

/// Extent of a recording.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Collectors to run, regardless of whether they are enabled by default.
    pub registrations: &'a [Registration],
    /// Flags of the collectors.
    pub flags: FlagValues,
    /// Additional files.
    pub globs: Vec<Glob>,
    /// Deadline of one file or kernel query.
    pub timeout: Duration,
}

impl<'a> Plan<'a> {
    /// Plan for these collectors with default flags.
    pub fn of(registrations: &'a [Registration]) -> Self {
        /// Some disk sensors take 6 s to answer.
        const TIMEOUT: Duration = Duration::from_secs(10);
        let mut flags = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        for registration in registrations {
            flags.enable(registration.declaration.name, true);
        }
        Self { registrations, flags, globs: Vec::new(), timeout: TIMEOUT }
    }
}

/// Difference between the recording and the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Note {
    /// Path in the tree.
    pub path: String,
    /// Reason, and the substitute in the recording.
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
    /// Files and kernel answers of the host.
    pub tree: Tree,
    /// Metrics page of the run that was recorded.
    pub page: Vec<u8>,
    /// Differences from the host.
    pub notes: Vec<Note>,
}

/// Names of the host. Always recorded, so that scrubbing can find them in other files.
const IDENTITIES: &[(Mount, &str)] = &[
    (Mount::Proc, "sys/kernel/hostname"),
    (Mount::Proc, "sys/kernel/domainname"),
    (Mount::Rootfs, "etc/hostname"),
    (Mount::Rootfs, "etc/machine-id"),
];

/// Called with the number of files read so far.
pub type Progress<'a> = &'a dyn Fn(usize);

/// Records one moment of a host. The error names the flag or path to change.
pub fn record(
    roots: &Roots,
    kernel: Arc<dyn Kernel>,
    plan: &Plan<'_>,
    progress: Progress<'_>,
) -> Result<Recording, String> {
    let cache = Arc::new(Cache::new(roots.clone(), Deadline::new(plan.timeout)));
    let asked = Arc::new(RecordingKernel::new(kernel, plan.timeout));
    let recording = Roots::new(|mount| Arc::new(RecordingRoot::new(Arc::clone(&cache), mount)));
    let recording = recording.with_sys_place(roots.sys_place());
    let shared: Arc<dyn Kernel> = Arc::clone(&asked) as Arc<dyn Kernel>;
    let scraper = Scraper::build(plan.registrations, &plan.flags, recording.clone(), shared)?;
    let mut page = Vec::new();
    let report = |_: &collectors::kit::scraper::Report<'_>| progress(cache.count());
    scraper.scrape(&Selection::ALL, |_| (), report, &mut page);
    for read in plan.registrations.iter().flat_map(|registration| registration.declaration.reads) {
        // The pattern of an operator's path does not tell the path, and a trailing `*` may match a device file whose
        // read has side effects. Thousands of tracepoints have a number; the scrape has read those of the operator.
        let is_safe = read.mount != Mount::Host
            && read.pattern.rsplit('/').next() != Some("*")
            && !read.pattern.contains("/tracing/events/");
        if is_safe {
            walk::declared(&recording, read);
            progress(cache.count());
        }
    }
    for (mount, path) in IDENTITIES {
        // A missing file is recorded as missing.
        let _ = recording.get(*mount).read(path.as_bytes(), &mut Vec::new(), collectors::kit::files::FILE_CAP_BYTES);
    }
    for glob in &plan.globs {
        walk::glob(&recording, glob, &|| progress(cache.count()));
    }
    asked.ask_all(&mount_points(&recording));
    let (mut tree, mut notes) = cache.finish();
    for (path, content) in asked.entries() {
        let node = collectors::host::root::tree::Node::file(content);
        tree.insert(path, node).map_err(|error: InsertError| format!("{path}: {error}"))?;
    }
    notes.extend(asked.notes());
    notes.sort();
    notes.dedup();
    Ok(Recording { tree, page, notes })
}

/// Mount points of the recorded mount table.
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

/// Decodes octal escapes such as `\040`.
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
