//! Threads that call `statfs`, which blocks forever if a server is unreachable.
//!
//! A thread that exceeds the timeout is abandoned: another one replaces it, and its path is not asked again until it has
//! returned, when it ends. Neither a scrape nor the process waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::errno::Errno;
use crate::host::kernel::{Kernel, KernelError, StatFs, clock};

/// Maximum number of abandoned threads that are replaced. When all threads beyond it are stuck too, every path times out.
pub(super) const STUCK_THREADS_MAX: usize = 64;
/// Maximum number of concurrent calls.
pub(super) const WORKERS_MAX: usize = 64;
/// Maximum length of a path in the kernel.
const PATH_BYTES: usize = 4096;
/// Stack of a thread, which holds one such path and little else.
const STACK_BYTES: usize = 256 << 10;

/// The answer to a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// The kernel's answer.
    Known(Result<StatFs, KernelError>),
    /// No answer within the timeout.
    Silent,
}

/// Identifies a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticket(Option<usize>);

/// The threads and their questions.
#[derive(Debug)]
pub(super) struct Workers {
    shared: Arc<Shared>,
    count: usize,
    timeout: Duration,
}

#[derive(Default, Debug)]
struct Shared {
    state: Mutex<State>,
    /// A question was added, or the threads are to end.
    asked: Condvar,
    /// Every question of this scrape is answered.
    answered: Condvar,
}

#[derive(Default, Debug)]
struct State {
    questions: Vec<Question>,
    /// The questions of this scrape, and the number that threads have taken.
    batch: Vec<usize>,
    taken: usize,
    /// Questions of the batch without an answer.
    open: usize,
    /// Unused questions.
    free: Vec<usize>,
    /// Threads that were not abandoned.
    active: usize,
    /// Threads that were abandoned and have not returned.
    stuck: usize,
    is_closed: bool,
}

#[derive(Default, Debug)]
struct Question {
    path: Vec<u8>,
    kernel: Option<Arc<dyn Kernel>>,
    progress: Progress,
}

#[derive(Clone, Copy, Default, PartialEq, Debug)]
enum Progress {
    #[default]
    Unused,
    Waiting,
    Running {
        since: Duration,
    },
    /// Abandoned, and not returned.
    Stuck,
    Done(Result<StatFs, KernelError>),
}

impl Workers {
    /// At least one and at most [`WORKERS_MAX`] threads, which start with the first question. A question that takes
    /// `timeout` is abandoned.
    pub(super) fn new(count: usize, timeout: Duration) -> Self {
        Self { shared: Arc::default(), count: count.clamp(1, WORKERS_MAX), timeout }
    }

    /// Adds a question, whose answer is known after [`Workers::wait`]. A path whose thread is stuck is not asked.
    pub(super) fn ask(&mut self, kernel: &Arc<dyn Kernel>, path: &[u8]) -> Ticket {
        let mut state = self.shared.lock();
        let State { questions, batch, free, open, .. } = &mut *state;
        if questions.iter().any(|question| question.progress == Progress::Stuck && question.path == path) {
            return Ticket(None);
        }
        let at = free.pop().unwrap_or(questions.len());
        if at == questions.len() {
            questions.push(Question::default());
        }
        if let Some(question) = questions.get_mut(at) {
            question.path.clear();
            question.path.extend_from_slice(path);
            question.kernel = Some(Arc::clone(kernel));
            question.progress = Progress::Waiting;
            batch.push(at);
            *open += 1;
        }
        Ticket(Some(at))
    }

    /// Waits until every question is answered or abandoned.
    pub(super) fn wait(&mut self) -> std::io::Result<()> {
        let mut state = self.shared.lock();
        (0..state.open.min(self.count)).for_each(|_| self.shared.asked.notify_one());
        while state.open > 0 {
            if let Err(error) = self.start_threads(&mut state) {
                if state.active == 0 {
                    return Err(error);
                }
            } else if state.active == 0 {
                // The maximum number of threads is stuck.
                return Ok(());
            }
            let time = state.time_to_next_timeout(self.timeout);
            let open = |state: &mut State| state.open > 0;
            let waited = self.shared.answered.wait_timeout_while(state, time, open);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.abandon(self.timeout);
        }
        Ok(())
    }

    /// The answer to a question of this scrape.
    pub(super) fn answer(&self, ticket: Ticket) -> Answer {
        let state = self.shared.lock();
        match ticket.0.and_then(|at| state.questions.get(at)).map(|question| question.progress) {
            Some(Progress::Done(answer)) => Answer::Known(answer),
            _ => Answer::Silent,
        }
    }

    /// Removes this scrape's questions.
    pub(super) fn clear(&mut self) {
        let mut state = self.shared.lock();
        let State { questions, batch, free, taken, open, .. } = &mut *state;
        // In reverse order, so that the next scrape reuses each path's buffer.
        for at in batch.drain(..).rev() {
            let Some(question) = questions.get_mut(at) else { continue };
            if matches!(question.progress, Progress::Waiting | Progress::Done(_)) {
                question.progress = Progress::Unused;
                question.kernel = None;
                free.push(at);
            }
        }
        (*taken, *open) = (0, 0);
    }

    /// Starts the threads that are needed.
    fn start_threads(&self, state: &mut State) -> std::io::Result<()> {
        let waiting = state.batch.len().saturating_sub(state.taken);
        let allowed = (self.count + STUCK_THREADS_MAX).saturating_sub(state.stuck);
        let wanted = state.since().count().saturating_add(waiting).min(self.count).min(allowed);
        while state.active < wanted {
            let shared = Arc::clone(&self.shared);
            let count = self.count;
            let thread = std::thread::Builder::new().name("statfs".into()).stack_size(STACK_BYTES);
            thread.spawn(move || shared.work(count))?;
            state.active += 1;
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.asked.notify_all();
    }
}

impl State {
    /// When the running questions began.
    fn since(&self) -> impl Iterator<Item = Duration> {
        self.batch.iter().filter_map(|&at| match self.questions.get(at)?.progress {
            Progress::Running { since } => Some(since),
            _ => None,
        })
    }

    fn time_to_next_timeout(&self, timeout: Duration) -> Duration {
        let first = self.since().min();
        first.map_or(timeout, |since| since.saturating_add(timeout).saturating_sub(clock::monotonic()))
    }

    /// Abandons the questions that exceed the timeout.
    fn abandon(&mut self, timeout: Duration) {
        let now = clock::monotonic();
        for &at in &self.batch {
            let Some(question) = self.questions.get_mut(at) else { continue };
            if matches!(question.progress, Progress::Running { since } if now.saturating_sub(since) >= timeout) {
                question.progress = Progress::Stuck;
                self.open -= 1;
                self.active -= 1;
                self.stuck += 1;
            }
        }
    }

    /// Takes the next question, whose path is copied to `path`.
    fn take(&mut self, path: &mut Vec<u8>) -> Option<(usize, Arc<dyn Kernel>)> {
        let at = *self.batch.get(self.taken)?;
        self.taken += 1;
        let question = self.questions.get_mut(at)?;
        path.clear();
        path.extend_from_slice(&question.path);
        question.progress = Progress::Running { since: clock::monotonic() };
        question.kernel.clone().map(|kernel| (at, kernel))
    }

    /// Stores an answer. Returns whether its thread remains one of `count`.
    fn put(&mut self, at: usize, answer: Result<StatFs, KernelError>, count: usize) -> bool {
        let Some(question) = self.questions.get_mut(at) else { return false };
        if question.progress != Progress::Stuck {
            question.progress = Progress::Done(answer);
            self.open -= 1;
            return true;
        }
        question.progress = Progress::Unused;
        question.kernel = None;
        self.free.push(at);
        self.stuck -= 1;
        let has_place = self.active < count;
        self.active += usize::from(has_place);
        has_place
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop of a thread, until it is not needed.
    fn work(&self, count: usize) {
        let mut path = Vec::with_capacity(PATH_BYTES);
        let mut state = self.lock();
        while !state.is_closed {
            let Some((at, kernel)) = state.take(&mut path) else {
                state = self.asked.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            let answer = catch_unwind(AssertUnwindSafe(|| kernel.statfs(&path))).unwrap_or(Err(Errno::EIO.into()));
            drop(kernel);
            state = self.lock();
            if !state.put(at, answer, count) {
                return;
            }
            if state.open == 0 {
                self.answered.notify_all();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::canned::{Canned, Refusal};

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
        let state = workers.shared.lock();
        (state.active, state.stuck)
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
        let state = workers.shared.lock();
        assert_eq!((state.questions.len(), state.free.len(), state.batch.len()), (4, 4, 0));
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
        assert_eq!(Workers::new(0, SHORT).count, 1);
        assert_eq!(Workers::new(WORKERS_MAX, SHORT).count, WORKERS_MAX);
        assert_eq!(Workers::new(WORKERS_MAX + 1, SHORT).count, WORKERS_MAX);
    }

    #[test]
    fn threads_end_with_their_owner() {
        let kernel = Arc::new(Canned::default().with_statfs("/a", NUMBERS));
        let mut workers = Workers::new(3, SHORT);
        ask(&mut workers, &kernel, &["/a", "/a", "/a"]);
        let shared = Arc::downgrade(&workers.shared);
        drop(workers);
        let begin = clock::monotonic();
        while shared.strong_count() > 0 {
            assert!(passed_since(begin) < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
