//! Replays a recorded host.
//!
//! A recording of one moment never changes. In a recording of two moments, counters keep their recorded rate, and other
//! numbers oscillate between the two recorded values. Everything else (devices, links, processes) is that of the first
//! moment until the second is reached, and that of the second from then on.

mod motion;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{Kernel, KernelError, Question};
use collectors::host::root::tree::{LATER, Tree};
use collectors::host::root::{Metadata, Mount, Names, Root, RootError, Roots};

/// A recorded host and a clock.
#[derive(Clone, Debug)]
pub struct Replay {
    moments: Arc<Moments>,
}

struct Moments {
    first: Arc<Tree>,
    first_roots: Roots,
    later: Option<Later>,
    /// Time of the first moment since 1970.
    start: Duration,
    /// Time since the first moment.
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
}

/// The second moment.
struct Later {
    tree: Arc<Tree>,
    roots: Roots,
    /// Time between the moments.
    after: Duration,
}

impl fmt::Debug for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.later.as_ref().map(|later| later.after);
        f.debug_struct("Moments").field("start", &self.start).field("after", &after).finish_non_exhaustive()
    }
}

impl Replay {
    /// Replays a tree; `elapsed` returns the time since its first moment. The error names the invalid entry.
    pub fn new(tree: Arc<Tree>, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Result<Self, String> {
        let now = |tree: &Tree| -> Result<Duration, String> {
            let answers = Canned::parse(|name| tree.content(name)).map_err(|error| error.to_string())?;
            Ok((&answers as &dyn Kernel).now())
        };
        let start = now(&tree)?;
        let later = match second_moment(&tree)? {
            None => None,
            Some(second) => {
                let error = || format!("{LATER}/kernel/clock: expected a time after that of the first moment");
                let after = now(&second)?.checked_sub(start).filter(|after| !after.is_zero()).ok_or_else(error)?;
                let tree = Arc::new(second);
                Some(Later { roots: tree.roots(), tree, after })
            }
        };
        let moments = Moments { first_roots: tree.roots(), first: tree, later, start, elapsed: Arc::new(elapsed) };
        Ok(Self { moments: Arc::new(moments) })
    }

    /// Whether the recording has two moments.
    pub fn is_moving(&self) -> bool {
        self.moments.later.is_some()
    }

    /// Files of the host.
    pub fn roots(&self) -> Roots {
        Roots::new(|mount| Arc::new(ReplayRoot { moments: Arc::clone(&self.moments), mount }))
    }

    /// Kernel of the host.
    pub fn kernel(&self) -> Arc<dyn Kernel> {
        Arc::new(ReplayKernel::new(Arc::clone(&self.moments)))
    }

    /// Current content of a file by its path in the tree, such as `kernel/uname`. Links are not followed.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.moments.content(path, (self.moments.elapsed)())
    }
}

/// Complete tree of the second moment, if there is one.
fn second_moment(tree: &Tree) -> Result<Option<Tree>, String> {
    let below = format!("{LATER}/").into_bytes();
    if !tree.has_entries(LATER) {
        return Ok(None);
    }
    let mut second = tree.clone();
    second.remove(LATER);
    for (path, node) in tree.iter() {
        let Some(inside) = path.strip_prefix(below.as_slice()) else { continue };
        if node.error() == Some(Errno::ENOENT) {
            second.remove(inside);
            continue;
        }
        if second.get(inside).is_some_and(|there| there.kind() != node.kind()) {
            second.remove(inside);
        }
        second.insert(inside, node.clone()).map_err(|error| format!("{}: {error}", path.escape_ascii()))?;
    }
    Ok(Some(second))
}

impl Moments {
    /// The second moment, if it has been reached.
    fn reached(&self, elapsed: Duration) -> Option<&Later> {
        self.later.as_ref().filter(|later| elapsed >= later.after)
    }

    fn roots_at(&self, elapsed: Duration) -> &Roots {
        self.reached(elapsed).map_or(&self.first_roots, |later| &later.roots)
    }

    fn now(&self, elapsed: Duration) -> Duration {
        if self.later.is_some() { self.start.saturating_add(elapsed) } else { self.start }
    }

    fn content(&self, path: &str, elapsed: Duration) -> Option<Vec<u8>> {
        let first = self.first.content(path);
        let Some(later) = &self.later else { return first.map(<[u8]>::to_vec) };
        let second = later.tree.content(path);
        match (first, second) {
            (Some(first), Some(second)) => Some(motion::at(path, first, second, elapsed, later.after)),
            (Some(only), None) if elapsed < later.after => Some(only.to_vec()),
            (None, Some(only)) if elapsed >= later.after => Some(only.to_vec()),
            _ => None,
        }
    }
}

/// Root of one mount of a replayed host.
#[derive(Debug)]
struct ReplayRoot {
    moments: Arc<Moments>,
    mount: Mount,
}

impl ReplayRoot {
    fn now(&self) -> &dyn Root {
        self.moments.roots_at((self.moments.elapsed)()).get(self.mount)
    }
}

impl Root for ReplayRoot {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        let elapsed = (self.moments.elapsed)();
        let Some(later) = &self.moments.later else { return self.now().read(path, into, cap_bytes) };
        let (first, second) = (self.moments.first_roots.get(self.mount), later.roots.get(self.mount));
        let (now, other) = if elapsed < later.after { (first, second) } else { (second, first) };
        now.read(path, into, cap_bytes)?;
        let mut other_content = Vec::new();
        if other.read(path, &mut other_content, cap_bytes).is_ok() && other_content != *into {
            let name = format!("{}/{}", self.mount.name(), String::from_utf8_lossy(path));
            let (first, second) =
                if elapsed < later.after { (&*into, &other_content) } else { (&other_content, &*into) };
            let interpolated = motion::at(&name, first, second, elapsed, later.after);
            *into = interpolated;
        }
        if into.len() > cap_bytes {
            let size_bytes = into.len() as u64;
            into.clear();
            return Err(RootError::TooLarge { size_bytes, cap_bytes: cap_bytes as u64 });
        }
        Ok(())
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        self.now().list(path, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.now().read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.now().metadata(path)
    }
}

/// Answers from the entries below `kernel/`, as they are at the moment of the question.
#[derive(Debug)]
struct ReplayKernel {
    moments: Arc<Moments>,
    /// The answers of the moment that was asked about last.
    latest: Mutex<Option<(Duration, Arc<Canned>)>>,
}

impl ReplayKernel {
    fn new(moments: Arc<Moments>) -> Self {
        Self { moments, latest: Mutex::new(None) }
    }

    fn elapsed(&self) -> Duration {
        (self.moments.elapsed)()
    }

    fn answers(&self) -> Arc<Canned> {
        // Answers move by whole seconds, so that those of one scrape are of one moment.
        let is_moving = self.moments.later.is_some();
        let moment = if is_moving { Duration::from_secs(self.elapsed().as_secs()) } else { Duration::ZERO };
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = &*latest
            && *at == moment
        {
            return Arc::clone(known);
        }
        let entries: Vec<(&str, Option<Vec<u8>>)> =
            Canned::ENTRIES.iter().map(|name| (*name, self.moments.content(name, moment))).collect();
        let content = |name: &str| entries.iter().find(|(entry, _)| *entry == name)?.1.as_deref();
        // Both moments have been parsed; what lies between them is of the same form.
        let known = Arc::new(Canned::parse(content).unwrap_or_default());
        *latest = Some((moment, Arc::clone(&known)));
        known
    }
}

impl Kernel for ReplayKernel {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        match question {
            Question::Now(into) => *into = self.moments.now(self.elapsed()),
            Question::Monotonic(into) => *into = self.elapsed(),
            other => self.answers().ask(other)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::root::tree::Node;
    use std::sync::atomic::{AtomicU64, Ordering};

    const TEXT: &str = "\
nodelab tree 1
== kernel/clock
unix_seconds 1700000000
== kernel/statfs
/ block_size=4096 blocks=100 blocks_free=50 blocks_available=50 files=9 files_free=9
== later/kernel/clock
unix_seconds 1700000010
== later/kernel/statfs
/ block_size=4096 blocks=100 blocks_free=40 blocks_available=40 files=9 files_free=9
== later/proc/7/ error=ENOENT
== later/proc/8/stat
8 (b)
== later/proc/self -> 8
== later/proc/stat
cpu  200 0 30
procs_running 3
== proc/7/stat
7 (a)
== proc/self -> 7
== proc/stat
cpu  100 0 30
procs_running 1
== proc/version
x
";

    /// A replay, and its clock in seconds.
    fn replay(text: &str) -> (Replay, Arc<AtomicU64>) {
        let tree = collectors::host::tree_text::parse(text.as_bytes()).unwrap();
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&seconds);
        let replay = Replay::new(Arc::new(tree), move || Duration::from_secs(clock.load(Ordering::Relaxed))).unwrap();
        (replay, seconds)
    }

    fn read(replay: &Replay, path: &str) -> Result<String, RootError> {
        let mut bytes = Vec::new();
        replay.roots().get(Mount::Proc).read(path.as_bytes(), &mut bytes, 1000)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn numbers_change_between_and_after_two_moments() {
        let (replay, seconds) = replay(TEXT);
        for (at, expected) in [
            (0, "cpu  100 0 30\nprocs_running 1\n"),
            (5, "cpu  150 0 30\nprocs_running 2\n"),
            (10, "cpu  200 0 30\nprocs_running 3\n"),
            (15, "cpu  250 0 30\nprocs_running 2\n"),
            (20, "cpu  300 0 30\nprocs_running 1\n"),
            (1000, "cpu 10100 0 30\nprocs_running 1\n"),
        ] {
            seconds.store(at, Ordering::Relaxed);
            assert_eq!(read(&replay, "stat").unwrap(), expected, "after {at} s");
            assert_eq!(replay.kernel().now(), Duration::from_secs(1_700_000_000 + at));
        }
        assert_eq!(read(&replay, "version").unwrap(), "x\n");
    }

    #[test]
    fn kernel_answers_change_with_the_files() {
        let (replay, seconds) = replay(TEXT);
        let kernel = replay.kernel();
        let free = || kernel.statfs(b"/").unwrap().blocks_free;
        assert_eq!(free(), 50);
        seconds.store(5, Ordering::Relaxed);
        assert_eq!(free(), 45);
        seconds.store(20, Ordering::Relaxed);
        assert_eq!(free(), 50);
    }

    #[test]
    fn entries_appear_and_disappear_at_the_second_moment() {
        let (replay, seconds) = replay(TEXT);
        assert_eq!(read(&replay, "self/stat").unwrap(), "7 (a)\n");
        assert_eq!(read(&replay, "8/stat"), Err(Errno::ENOENT.into()));
        seconds.store(10, Ordering::Relaxed);
        assert_eq!(read(&replay, "self/stat").unwrap(), "8 (b)\n");
        assert_eq!(read(&replay, "7/stat"), Err(Errno::ENOENT.into()));
        let mut names = Names::new();
        replay.roots().get(Mount::Proc).list(b"", &mut names).unwrap();
        assert!(names.contains(b"8") && !names.contains(b"7"));
    }

    #[test]
    fn a_recording_of_one_moment_never_changes() {
        let (before, _) = TEXT.split_once("== later").unwrap();
        let (replay, seconds) = replay(&format!("{before}== proc/stat\ncpu 1\n"));
        seconds.store(1000, Ordering::Relaxed);
        assert_eq!(read(&replay, "stat").unwrap(), "cpu 1\n");
        assert_eq!(replay.kernel().now(), Duration::from_secs(1_700_000_000));
        assert!(!replay.is_moving());
    }

    #[test]
    fn a_second_moment_without_a_later_time_is_refused() {
        let tree = Tree::new().with("later/proc/stat", Node::file("cpu 1\n"));
        let error = Replay::new(Arc::new(tree), || Duration::ZERO).unwrap_err();
        assert_eq!(error, "later/kernel/clock: expected a time after that of the first moment");
    }
}
