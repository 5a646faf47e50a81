//! Threads for jobs that may block, perhaps forever.
//!
//! A [`Pool`] starts threads on demand, names and reuses them, and ends those that are idle. A detached job
//! ([`Pool::submit`]) has no deadline and no answer. Jobs with answers form a batch
//! ([`Pool::ask`], [`Pool::wait`]), and each may run for the same time. Then it is abandoned: its thread counts as stuck,
//! another one replaces it within [`Limits::stuck_max`], and its late answer is dropped. A thread that comes back late
//! takes jobs again if there is room, and ends otherwise. Neither the pool's owner nor the process waits for a stuck thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io, thread};

use crate::host::kernel::clock;

/// Time after which an idle thread ends.
const IDLE_MAX: Duration = Duration::from_secs(90);

/// Work for a thread of a pool.
pub trait Job: Send + 'static {
    /// Its result.
    type Answer: Copy + Send;

    /// Does the work.
    fn run(self) -> Self::Answer;
}

/// A job without an answer.
pub type Task = Box<dyn FnOnce() + Send>;

impl Job for Task {
    type Answer = ();

    fn run(self) {
        self();
    }
}

/// Names and limits of a pool's threads.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Name of every thread.
    pub name: &'static str,
    /// Maximum number of threads that are not stuck. Further jobs wait for one of them.
    pub threads_max: usize,
    /// Maximum number of stuck threads that are replaced. Beyond it fewer threads take jobs, in the end none.
    pub stuck_max: usize,
    /// Size of a thread's stack; `None` is the default of the standard library.
    pub stack_bytes: Option<usize>,
}

/// Threads and the queue of their jobs.
pub struct Pool<J: Job> {
    shared: Arc<Shared<J>>,
}

/// Identifies a job of the current batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket(usize);

/// The result of a job of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<A> {
    /// Its answer.
    Answered(A),
    /// It panicked.
    Panicked,
    /// It was abandoned, or no thread was left to take it.
    Late,
}

struct Shared<J: Job> {
    limits: Limits,
    state: Mutex<State<J>>,
    /// A job was added, or the pool was dropped.
    queued: Condvar,
    /// No job of the batch is open.
    answered: Condvar,
}

struct State<J: Job> {
    /// Jobs that no thread has taken; those of a batch with their index in `calls`.
    queue: VecDeque<(J, Option<usize>)>,
    calls: Vec<Progress<J::Answer>>,
    /// Indices of unused calls.
    free: Vec<usize>,
    /// Calls without an answer that were not abandoned.
    open: usize,
    /// Threads that are not stuck.
    active: usize,
    /// Active threads that run a job.
    running: usize,
    stuck: usize,
    is_closed: bool,
}

/// Progress of a job of a batch.
#[derive(Clone, Copy)]
enum Progress<A> {
    Unused,
    Waiting,
    Running { since: Duration },
    Stuck,
    Done(Outcome<A>),
}

impl<J: Job> fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

impl<J: Job> Pool<J> {
    /// A pool without threads.
    pub fn new(limits: Limits) -> Self {
        let state = State {
            queue: VecDeque::new(),
            calls: Vec::new(),
            free: Vec::new(),
            open: 0,
            active: 0,
            running: 0,
            stuck: 0,
            is_closed: false,
        };
        let (queued, answered) = Default::default();
        Self { shared: Arc::new(Shared { limits, state: Mutex::new(state), queued, answered }) }
    }

    /// Submits a detached job. It is dropped if no thread exists and none can be created.
    pub fn submit(&self, job: J) {
        let mut state = self.shared.lock();
        state.queue.push_back((job, None));
        // Without a new thread, one of the others takes it.
        let _ = self.shared.start_threads(&mut state);
        let refused = if state.active == 0 { state.queue.pop_back() } else { None };
        drop(state);
        match refused {
            Some(refused) => drop(refused),
            None => self.shared.queued.notify_one(),
        }
    }

    /// Adds a job to the batch. Its outcome is known after [`Pool::wait`].
    pub fn ask(&mut self, job: J) -> Ticket {
        let mut state = self.shared.lock();
        let at = state.free.pop().unwrap_or(state.calls.len());
        match state.calls.get_mut(at) {
            Some(call) => *call = Progress::Waiting,
            None => state.calls.push(Progress::Waiting),
        }
        state.queue.push_back((job, Some(at)));
        state.open += 1;
        Ticket(at)
    }

    /// Waits until every job of the batch has an answer or has run for `time_max`, and abandons the latter. The error is
    /// that no thread could be created.
    pub fn wait(&mut self, time_max: Duration) -> io::Result<()> {
        let Shared { limits, queued, answered, .. } = &*self.shared;
        let mut state = self.shared.lock();
        (0..state.open.min(limits.threads_max)).for_each(|_| queued.notify_one());
        while state.open > 0 {
            let started = self.shared.start_threads(&mut state);
            if state.active == 0 {
                // Without an error, the maximum number of threads is stuck.
                return started;
            }
            let time = state.time_to_abandon(time_max);
            let waited = answered.wait_timeout_while(state, time, |state| state.open > 0);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.abandon(time_max);
        }
        Ok(())
    }

    /// The outcome of a job of this batch.
    pub fn outcome(&self, ticket: Ticket) -> Outcome<J::Answer> {
        match self.shared.lock().calls.get(ticket.0) {
            Some(Progress::Done(outcome)) => *outcome,
            _ => Outcome::Late,
        }
    }

    /// Ends the batch. Jobs that no thread has taken are dropped, those that run are abandoned.
    pub fn clear(&mut self) {
        let mut state = self.shared.lock();
        state.abandon(Duration::ZERO);
        state.drop_calls();
    }

    /// Names and limits of its threads.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Number of threads that are not stuck, and of those that are.
    #[cfg(test)]
    pub(crate) fn threads(&self) -> (usize, usize) {
        let state = self.shared.lock();
        (state.active, state.stuck)
    }
}

impl<J: Job> Drop for Pool<J> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.drop_calls();
        drop(state);
        self.shared.queued.notify_all();
    }
}

impl<J: Job> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread for each waiting job, within the limits.
    fn start_threads(self: &Arc<Self>, state: &mut State<J>) -> io::Result<()> {
        let Limits { name, threads_max, stuck_max, stack_bytes } = self.limits;
        let allowed = threads_max.saturating_add(stuck_max).saturating_sub(state.stuck).min(threads_max);
        let wanted = state.running.saturating_add(state.queue.len()).min(allowed);
        while state.active < wanted {
            let shared = Arc::clone(self);
            let mut thread = thread::Builder::new().name(name.to_owned());
            if let Some(stack_bytes) = stack_bytes {
                thread = thread.stack_size(stack_bytes);
            }
            thread.spawn(move || shared.work())?;
            state.active += 1;
        }
        Ok(())
    }

    /// The loop of a thread, until it is not needed.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            let Some((job, at)) = state.queue.pop_front() else {
                let is_idle = |state: &mut State<J>| state.queue.is_empty() && !state.is_closed;
                let waited = self.queued.wait_timeout_while(state, IDLE_MAX, is_idle);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                if state.queue.is_empty() {
                    state.active -= 1;
                    return;
                }
                continue;
            };
            state.begin(at);
            drop(state);
            // The job is dropped before its outcome is known.
            let outcome = catch_unwind(AssertUnwindSafe(|| job.run())).map_or(Outcome::Panicked, Outcome::Answered);
            state = self.lock();
            if !state.end(at, outcome, self.limits.threads_max) {
                return;
            }
            if state.open == 0 && at.is_some() {
                self.answered.notify_all();
            }
        }
    }
}

impl<J: Job> State<J> {
    /// When the first running job of the batch exceeds the time.
    fn time_to_abandon(&self, time_max: Duration) -> Duration {
        let since = |call: &Progress<_>| match call {
            Progress::Running { since } => Some(*since),
            _ => None,
        };
        let first = self.calls.iter().filter_map(since).min();
        first.map_or(time_max, |since| since.saturating_add(time_max).saturating_sub(clock::monotonic()))
    }

    /// Abandons the jobs of the batch that have run for this time.
    fn abandon(&mut self, time_max: Duration) {
        let now = clock::monotonic();
        for call in &mut self.calls {
            if matches!(call, Progress::Running { since } if now.saturating_sub(*since) >= time_max) {
                *call = Progress::Stuck;
                self.open -= 1;
                self.active -= 1;
                self.running -= 1;
                self.stuck += 1;
            }
        }
    }

    /// Forgets the calls that no thread has.
    fn drop_calls(&mut self) {
        self.queue.retain(|(_, at)| at.is_none());
        self.free.clear();
        for (at, call) in self.calls.iter_mut().enumerate() {
            if matches!(call, Progress::Waiting | Progress::Done(_)) {
                *call = Progress::Unused;
            }
            if matches!(call, Progress::Unused) {
                self.free.push(at);
            }
        }
        self.open = 0;
    }

    /// Records that a thread has taken a job.
    fn begin(&mut self, at: Option<usize>) {
        self.running += 1;
        if let Some(call) = at.and_then(|at| self.calls.get_mut(at)) {
            *call = Progress::Running { since: clock::monotonic() };
        }
    }

    /// Records the outcome of a job. Returns whether its thread takes another one.
    fn end(&mut self, at: Option<usize>, outcome: Outcome<J::Answer>, threads_max: usize) -> bool {
        if let Some((at, call)) = at.and_then(|at| Some((at, self.calls.get_mut(at)?))) {
            if matches!(call, Progress::Stuck) {
                *call = Progress::Unused;
                self.free.push(at);
                self.stuck -= 1;
                let has_room = self.active < threads_max;
                self.active += usize::from(has_room);
                return has_room;
            }
            *call = Progress::Done(outcome);
            self.open -= 1;
        }
        self.running -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Receiver, Sender};

    const THREADS_MAX: usize = 8;
    const LONG: Duration = Duration::from_secs(20);

    fn pool<J: Job>(threads_max: usize, stuck_max: usize) -> Pool<J> {
        Pool::new(Limits { name: "worker", threads_max, stuck_max, stack_bytes: None })
    }

    fn wait_until<J: Job>(pool: &Pool<J>, expected: (usize, usize)) {
        let begin = clock::monotonic();
        while pool.threads() != expected {
            assert!(clock::monotonic().saturating_sub(begin) < LONG, "{:?}", pool.threads());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// A job that answers with its number, blocks until its sender is gone, or panics.
    enum Number {
        Known(u32),
        Blocked(Receiver<()>),
        Panic,
    }

    impl Job for Number {
        type Answer = u32;

        fn run(self) -> u32 {
            match self {
                Self::Known(number) => number,
                Self::Blocked(gate) => {
                    let _is_open = gate.recv();
                    0
                }
                Self::Panic => std::panic::resume_unwind(Box::new(())),
            }
        }
    }

    fn blocked() -> (Sender<()>, Number) {
        let (sender, receiver) = mpsc::channel();
        (sender, Number::Blocked(receiver))
    }

    /// The outcomes of a batch.
    #[track_caller]
    fn ask(pool: &mut Pool<Number>, time_max: Duration, jobs: impl IntoIterator<Item = Number>) -> Vec<Outcome<u32>> {
        let tickets: Vec<_> = jobs.into_iter().map(|job| pool.ask(job)).collect();
        pool.wait(time_max).expect("threads");
        let outcomes = tickets.into_iter().map(|ticket| pool.outcome(ticket)).collect();
        pool.clear();
        outcomes
    }

    #[test]
    fn detached_jobs_run_in_parallel_up_to_the_limit() {
        let pool: Pool<Task> = pool(THREADS_MAX, 0);
        let (sender, receiver) = mpsc::channel();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        for number in 0..=THREADS_MAX {
            let (sender, gate) = (sender.clone(), Arc::clone(&gate));
            pool.submit(Box::new(move || {
                sender.send(number).unwrap();
                drop(gate.1.wait_while(gate.0.lock().unwrap(), |is_open| !*is_open).unwrap());
            }));
        }
        let begun: Vec<_> = (0..THREADS_MAX).map(|_| receiver.recv().unwrap()).collect();
        assert_eq!(begun.len(), THREADS_MAX);
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        assert_eq!(pool.threads(), (THREADS_MAX, 0));
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        assert!(receiver.recv().is_ok());
    }

    #[test]
    fn a_panicking_job_does_not_end_its_thread() {
        let detached: Pool<Task> = pool(1, 0);
        let (sender, receiver) = mpsc::channel();
        for number in 0..3 {
            let sender = sender.clone();
            detached.submit(Box::new(move || {
                sender.send((number, thread::current().id())).unwrap();
                std::panic::resume_unwind(Box::new(()));
            }));
        }
        let found: Vec<_> = receiver.iter().take(3).collect();
        assert!(found.iter().all(|(_, id)| *id == found[0].1), "{found:?}");
        let mut pool = pool(1, 0);
        let expected = [Outcome::Panicked, Outcome::Answered(7)];
        assert_eq!(ask(&mut pool, LONG, [Number::Panic, Number::Known(7)]), expected);
        assert_eq!(pool.threads(), (1, 0));
    }

    #[test]
    fn threads_have_the_name_of_their_pool() {
        let pool: Pool<Task> = pool(1, 0);
        let (sender, receiver) = mpsc::channel();
        pool.submit(Box::new(move || sender.send(thread::current().name().map(str::to_owned)).unwrap()));
        assert_eq!(receiver.recv().unwrap().as_deref(), Some("worker"));
    }

    #[test]
    fn a_stuck_thread_is_replaced_and_its_late_answer_is_dropped() {
        let mut pool = pool(1, 1);
        let (gate, job) = blocked();
        let expected = [Outcome::Late, Outcome::Answered(1)];
        assert_eq!(ask(&mut pool, Duration::from_millis(50), [job, Number::Known(1)]), expected);
        assert_eq!(pool.threads(), (1, 1));
        drop(gate);
        // There is no room for a second thread.
        wait_until(&pool, (1, 0));
        assert_eq!(ask(&mut pool, LONG, [Number::Known(2), Number::Known(3)]), [2, 3].map(Outcome::Answered));
        let state = pool.shared.lock();
        assert_eq!((state.calls.len(), state.free.len(), state.queue.len(), state.running), (2, 2, 0, 0));
    }

    #[test]
    fn without_a_thread_left_every_job_is_late_at_once() {
        let mut pool = pool(2, 1);
        let (gates, jobs): (Vec<_>, Vec<_>) = (0..3).map(|_| blocked()).unzip();
        assert_eq!(ask(&mut pool, Duration::from_millis(50), jobs), [Outcome::Late; 3]);
        assert_eq!(pool.threads(), (0, 3));
        assert_eq!(ask(&mut pool, LONG, [Number::Known(1)]), [Outcome::Late]);
        drop(gates);
        wait_until(&pool, (2, 0));
        assert_eq!(ask(&mut pool, LONG, [Number::Known(1)]), [Outcome::Answered(1)]);
    }

    #[test]
    fn a_batch_that_is_cleared_early_leaves_no_job() {
        let mut pool = pool(1, 1);
        let (_gate, job) = blocked();
        pool.ask(job);
        pool.clear();
        assert_eq!(ask(&mut pool, LONG, [Number::Known(1)]), [Outcome::Answered(1)]);
        assert_eq!(pool.threads(), (1, 0));
    }

    #[test]
    fn a_thread_that_cannot_be_created_costs_its_jobs_and_nothing_else() {
        let limits = Limits { name: "worker", threads_max: 1, stuck_max: 0, stack_bytes: Some(usize::MAX / 2) };
        let mut refused: Pool<Number> = Pool::new(limits);
        let ticket = refused.ask(Number::Known(1));
        assert!(refused.wait(LONG).is_err());
        assert_eq!(refused.outcome(ticket), Outcome::Late);
        refused.clear();
        let (gate, job) = blocked();
        refused.submit(job);
        assert!(gate.send(()).is_err(), "it is dropped");
        assert_eq!(refused.threads(), (0, 0));
    }

    #[test]
    fn threads_end_with_their_pool_and_finish_detached_jobs() {
        let pool: Pool<Task> = pool(3, 0);
        let (sender, receiver) = mpsc::channel();
        for number in 0..9 {
            let sender = sender.clone();
            pool.submit(Box::new(move || sender.send(number).unwrap()));
        }
        drop(sender);
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        assert_eq!(receiver.iter().count(), 9);
        let begin = clock::monotonic();
        while shared.strong_count() > 0 {
            assert!(clock::monotonic().saturating_sub(begin) < LONG);
            thread::sleep(Duration::from_millis(1));
        }
    }
}
