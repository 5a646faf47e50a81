//! A virtual clock, and threads of which one runs at a time: the seed decides which.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::schedule::{Event, Schedule, Work};

/// A generator of random numbers (xorshift).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        let count = u64::try_from(all.len()).expect("a count");
        all[usize::try_from(self.below(count)).expect("an index")]
    }
}

/// Time at which every simulation begins.
pub(crate) const START: Duration = Duration::from_secs(1_000);

/// Maximum number of switches: more are a loop without progress.
const SWITCHES_MAX: u64 = 200_000;

/// Event of a pause that nothing ends early.
const PAUSE: Event = Event::Other(0);

/// Event of files that no longer block.
pub(crate) const UNBLOCKED: Event = Event::Other(1);

struct Parked {
    event: Event,
    until: Option<Duration>,
    is_ready: bool,
}

#[derive(Default)]
struct State {
    now: Duration,
    current: usize,
    parked: BTreeMap<usize, Parked>,
    threads: usize,
    live: usize,
    live_max: usize,
    switches: u64,
    /// Until then no thread can be created.
    spawning_from: Duration,
    problem: Option<String>,
}

/// A simulated process.
pub(crate) struct World {
    state: Mutex<State>,
    random: Mutex<Random>,
    turn: Condvar,
}

thread_local! {
    static CURRENT: RefCell<Option<(Arc<World>, usize)>> = const { RefCell::new(None) };
}

fn current() -> Option<(Arc<World>, usize)> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// The schedule of all worlds of this process.
#[derive(Debug)]
pub(crate) struct Worlds;

impl Schedule for Worlds {
    fn is_simulated(&self) -> bool {
        CURRENT.try_with(|current| current.borrow().is_some()).unwrap_or(false)
    }

    fn monotonic(&self) -> Duration {
        current().map_or(START, |(world, _)| world.now())
    }

    fn spawn(&self, work: Work) -> io::Result<()> {
        current().map_or(Err(io::ErrorKind::NotFound.into()), |(world, _)| World::spawn(&world, work))
    }

    fn wait(&self, event: Event, time: Option<Duration>) {
        if let Some((world, own)) = current() {
            world.park(own, event, time);
        }
    }

    fn notify(&self, event: Event) {
        if let Some((world, _)) = current() {
            world.notify(event);
        }
    }
}

impl World {
    /// Runs `main` as the first thread of a world. Returns its result and the problem of the world, if there is one.
    pub(crate) fn run<T>(seed: u64, main: impl FnOnce(&Arc<Self>) -> T) -> Result<T, String> {
        let state = State { now: START, live: 1, threads: 1, ..State::default() };
        let random = Mutex::new(Random::new(seed));
        let world = Arc::new(Self { state: Mutex::new(state), random, turn: Condvar::new() });
        CURRENT.set(Some((Arc::clone(&world), 0)));
        let result = catch_unwind(AssertUnwindSafe(|| main(&world)));
        CURRENT.set(None);
        let problem = world.lock().problem.take();
        match (result, problem) {
            (_, Some(problem)) => Err(problem),
            (Ok(result), None) => Ok(result),
            (Err(payload), None) => Err(words(&*payload)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.lock().now
    }

    /// Number of threads, and its maximum so far.
    pub(crate) fn threads(&self) -> (usize, usize) {
        let state = self.lock();
        (state.live, state.live_max)
    }

    pub(crate) fn fail(&self, problem: String) {
        self.lock().problem.get_or_insert(problem);
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    /// Until `from` no thread can be created.
    pub(crate) fn refuse_threads_until(&self, from: Duration) {
        self.lock().spawning_from = from;
    }

    fn spawn(world: &Arc<Self>, work: Work) -> io::Result<()> {
        let mut state = world.lock();
        if state.now < state.spawning_from {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let number = state.threads;
        state.threads += 1;
        state.live += 1;
        state.live_max = state.live_max.max(state.live);
        state.parked.insert(number, Parked { event: PAUSE, until: None, is_ready: true });
        drop(state);
        let world = Arc::clone(world);
        std::thread::Builder::new().spawn(move || {
            world.await_turn(world.lock(), number);
            CURRENT.set(Some((Arc::clone(&world), number)));
            let result = catch_unwind(AssertUnwindSafe(work));
            CURRENT.set(None);
            if let Err(payload) = result {
                world.fail(format!("a thread panicked: {}", words(&*payload)));
            }
            let mut state = world.lock();
            state.live -= 1;
            world.pass_on(&mut state);
        })?;
        Ok(())
    }

    fn notify(&self, event: Event) {
        for parked in self.lock().parked.values_mut().filter(|parked| parked.event == event) {
            parked.is_ready = true;
        }
    }

    /// Lets time pass.
    pub(crate) fn pause(&self, time: Duration) {
        if let Some((_, own)) = current() {
            let until = self.now() + time;
            while self.now() < until {
                self.park(own, PAUSE, Some(until.saturating_sub(self.now())));
            }
        }
    }

    fn park(&self, own: usize, event: Event, time: Option<Duration>) {
        let mut state = self.lock();
        let until = time.map(|time| state.now.saturating_add(time));
        state.parked.insert(own, Parked { event, until, is_ready: false });
        state.switches += 1;
        if state.switches > SWITCHES_MAX {
            state.problem.get_or_insert_with(|| "no progress".to_owned());
        }
        self.pass_on(&mut state);
        self.await_turn(state, own);
    }

    fn await_turn(&self, state: MutexGuard<'_, State>, own: usize) {
        let is_waiting = |state: &mut State| state.current != own || state.parked.contains_key(&own);
        drop(self.turn.wait_while(state, is_waiting).unwrap_or_else(PoisonError::into_inner));
    }

    /// Chooses the next thread. If none can go on, the clock goes to the next deadline.
    fn pass_on(&self, state: &mut State) {
        // After a problem the first thread, which ends the simulation, comes first.
        let is_over = state.problem.is_some();
        let mut ready: Vec<usize> =
            state.parked.iter().filter(|(_, parked)| parked.is_ready).map(|(number, _)| *number).collect();
        if ready.is_empty() {
            let next = state.parked.values().filter_map(|parked| parked.until).min();
            if let Some(next) = next {
                state.now = state.now.max(next);
                let is_due = |parked: &Parked| parked.until.is_some_and(|until| until <= next);
                ready = state.parked.iter().filter(|(_, parked)| is_due(parked)).map(|(number, _)| *number).collect();
            }
        }
        if ready.is_empty() && state.parked.contains_key(&0) {
            state.problem.get_or_insert_with(|| "all threads wait, and nothing will wake one".to_owned());
            ready.push(0);
        }
        if is_over && state.parked.contains_key(&0) {
            ready = vec![0];
        }
        if ready.is_empty() {
            return;
        }
        let chosen = self.random.lock().unwrap_or_else(PoisonError::into_inner).pick(&ready);
        state.parked.remove(&chosen);
        state.current = chosen;
        self.turn.notify_all();
    }
}

fn words(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
