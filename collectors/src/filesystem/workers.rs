//! Calls of `statfs` in threads, because one blocks forever if a server is unreachable.
//!
//! A path whose call was abandoned is not asked again until that call has returned.

use std::sync::Arc;
use std::time::Duration;

use crate::host::errno::Errno;
use crate::host::kernel::{Kernel, KernelError, StatFs};
use crate::kit::pool::{self, Job, Limits, Outcome, Pool};

/// Maximum number of stuck threads that are replaced. If all further threads are stuck too, every mount point times out.
pub(super) const STUCK_THREADS_MAX: usize = 64;
/// Maximum number of concurrent calls.
pub(super) const WORKERS_MAX: usize = 64;
/// Stack of a thread, which needs little of it.
const STACK_BYTES: usize = 256 << 10;

/// The answer to a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// The kernel's answer.
    Known(Result<StatFs, KernelError>),
    /// No answer within the timeout.
    Silent,
}

/// Identifies a question; `None` was not asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticket(Option<pool::Ticket>);

/// The questions of a scrape and the threads that ask them.
#[derive(Debug)]
pub(super) struct Workers {
    pool: Pool<StatFsCall>,
    timeout: Duration,
    /// The paths of this scrape. A call shares its path until it returns.
    paths: Vec<Arc<Vec<u8>>>,
    /// Paths of abandoned calls.
    stuck: Vec<Arc<Vec<u8>>>,
    /// Buffers for paths.
    unused: Vec<Arc<Vec<u8>>>,
}

struct StatFsCall {
    kernel: Arc<dyn Kernel>,
    path: Arc<Vec<u8>>,
}

impl Job for StatFsCall {
    type Answer = Result<StatFs, KernelError>;

    fn run(self) -> Self::Answer {
        self.kernel.statfs(&self.path)
    }
}

impl Workers {
    /// At least one and at most [`WORKERS_MAX`] threads, which start with the first question. A question that takes
    /// `timeout` is abandoned.
    pub(super) fn new(count: usize, timeout: Duration) -> Self {
        let pool = Pool::new(Limits {
            name: "statfs",
            threads_max: count.clamp(1, WORKERS_MAX),
            stuck_max: STUCK_THREADS_MAX,
            stack_bytes: Some(STACK_BYTES),
        });
        Self { pool, timeout, paths: Vec::new(), stuck: Vec::new(), unused: Vec::new() }
    }

    /// Adds a question, whose answer is known after [`Workers::wait`]. A path whose call is stuck is not asked.
    pub(super) fn ask(&mut self, kernel: &Arc<dyn Kernel>, path: &[u8]) -> Ticket {
        if self.stuck.iter().any(|stuck| ***stuck == *path && is_shared(stuck)) {
            return Ticket(None);
        }
        let mut shared = self.unused.pop().unwrap_or_default();
        let buffer = Arc::make_mut(&mut shared);
        buffer.clear();
        buffer.extend_from_slice(path);
        let ticket = self.pool.ask(StatFsCall { kernel: Arc::clone(kernel), path: Arc::clone(&shared) });
        self.paths.push(shared);
        Ticket(Some(ticket))
    }

    /// Waits until every question is answered or abandoned.
    pub(super) fn wait(&mut self) -> std::io::Result<()> {
        self.pool.wait(self.timeout)
    }

    /// The answer to a question of this scrape.
    pub(super) fn answer(&self, ticket: Ticket) -> Answer {
        match ticket.0.map(|ticket| self.pool.outcome(ticket)) {
            Some(Outcome::Answered(answer)) => Answer::Known(answer),
            Some(Outcome::Panicked) => Answer::Known(Err(Errno::EIO.into())),
            Some(Outcome::Late) | None => Answer::Silent,
        }
    }

    /// Removes this scrape's questions.
    pub(super) fn clear(&mut self) {
        self.pool.clear();
        self.unused.extend(self.stuck.extract_if(.., |path| !is_shared(path)));
        // In reverse order, so that the next scrape reuses each path's buffer.
        for path in self.paths.drain(..).rev() {
            let kept = if is_shared(&path) { &mut self.stuck } else { &mut self.unused };
            kept.push(path);
        }
    }
}

/// Whether a call has not returned.
fn is_shared(path: &Arc<Vec<u8>>) -> bool {
    Arc::strong_count(path) > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::canned::{Canned, Refusal};
    use crate::host::kernel::clock;

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Refusal = Refusal::Hang(Duration::from_secs(30));
    const NUMBERS: StatFs =
        StatFs { block_size: 1, blocks: 2, blocks_free: 3, blocks_available: 4, files: 5, files_free: 6 };

    /// Asks for these paths and returns the answers.
    #[track_caller]
    fn ask(workers: &mut Workers, kernel: &Arc<Canned>, paths: &[&str]) -> Vec<Answer> {
        let kernel: Arc<dyn Kernel> = Arc::<Canned>::clone(kernel);
        let tickets: Vec<_> = paths.iter().map(|path| workers.ask(&kernel, path.as_bytes())).collect();
        workers.wait().expect("threads");
        let answers = tickets.into_iter().map(|ticket| workers.answer(ticket)).collect();
        workers.clear();
        answers
    }

    fn passed_since(begin: Duration) -> Duration {
        clock::monotonic().saturating_sub(begin)
    }

    fn threads(workers: &Workers) -> (usize, usize) {
        workers.pool.threads()
    }

    fn wait_until(workers: &Workers, expected: (usize, usize)) {
        let begin = clock::monotonic();
        while threads(workers) != expected {
            assert!(passed_since(begin) < Duration::from_secs(20), "{:?}", threads(workers));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn answers_match_their_questions_and_threads_stay() {
        let kernel = Canned::default().with_statfs("/a", NUMBERS);
        let kernel = Arc::new(kernel.with_refused_statfs("/b", Refusal::Error(Errno::EACCES)));
        let mut workers = Workers::new(2, Duration::from_secs(20));
        for _ in 0..3 {
            let expected = [Ok(NUMBERS), Err(Errno::EACCES.into()), Err(Errno::ENOENT.into()), Ok(NUMBERS)];
            assert_eq!(ask(&mut workers, &kernel, &["/a", "/b", "/c", "/a"]), expected.map(Answer::Known));
            assert_eq!(threads(&workers), (2, 0));
        }
        assert_eq!(ask(&mut workers, &kernel, &[]), []);
        assert_eq!((workers.unused.len(), workers.stuck.len(), workers.paths.len()), (4, 0, 0));
    }

    #[test]
    fn a_thread_that_hangs_is_abandoned_replaced_and_reused() {
        let kernel = Canned::default().with_statfs("/a", NUMBERS).with_refused_statfs("/dead", LONG);
        let kernel = Arc::new(kernel);
        let mut workers = Workers::new(1, SHORT);
        let expected = [Answer::Silent, Answer::Known(Ok(NUMBERS))];
        assert_eq!(ask(&mut workers, &kernel, &["/dead", "/a"]), expected);
        assert_eq!(threads(&workers), (1, 1));
        // It is not asked again, which costs neither a thread nor time.
        let begin = clock::monotonic();
        assert_eq!(ask(&mut workers, &kernel, &["/dead", "/a"]), expected);
        assert!(passed_since(begin) < SHORT, "{:?}", passed_since(begin));
        assert_eq!(threads(&workers), (1, 1));
        kernel.release();
        wait_until(&workers, (1, 0));
        let expected = [Answer::Known(Err(Errno::ETIMEDOUT.into())), Answer::Known(Ok(NUMBERS))];
        assert_eq!(ask(&mut workers, &kernel, &["/dead", "/a"]), expected);
    }

    #[test]
    fn the_number_of_stuck_threads_is_limited() {
        let paths: Vec<String> = (0..STUCK_THREADS_MAX + 3).map(|number| format!("/dead{number}")).collect();
        let kernel = paths.iter().fold(Canned::default(), |kernel, path| kernel.with_refused_statfs(path, LONG));
        let kernel = Arc::new(kernel.with_statfs("/a", NUMBERS));
        let mut workers = Workers::new(WORKERS_MAX, SHORT);
        let mut asked: Vec<&str> = paths.iter().map(String::as_str).collect();
        // One less than the limit leaves all threads.
        let silent = |count: usize| vec![Answer::Silent; count];
        let first = STUCK_THREADS_MAX;
        assert_eq!(ask(&mut workers, &kernel, &asked[..first]), silent(first));
        assert_eq!(ask(&mut workers, &kernel, &["/a"]), [Answer::Known(Ok(NUMBERS))]);
        assert_eq!(threads(&workers).1, STUCK_THREADS_MAX);
        assert_eq!(ask(&mut workers, &kernel, &asked), silent(asked.len()));
        let mut narrow = Workers::new(1, Duration::from_millis(1));
        asked.push("/a");
        assert_eq!(ask(&mut narrow, &kernel, &asked), silent(asked.len()));
        assert_eq!(threads(&narrow), (0, STUCK_THREADS_MAX + 1));
        kernel.release();
        wait_until(&narrow, (1, 0));
    }

    #[test]
    fn the_number_of_threads_is_clamped() {
        for (count, expected) in [(0, 1), (WORKERS_MAX, WORKERS_MAX), (WORKERS_MAX + 1, WORKERS_MAX)] {
            assert_eq!(Workers::new(count, SHORT).pool.limits().threads_max, expected);
        }
    }
}
