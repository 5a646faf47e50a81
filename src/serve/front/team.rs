//! The threads that serve: one leads, another stands by.
//!
//! The leader owns the reactor and runs scrapes itself, so that a scrape costs no context switch. During a scrape, the
//! reactor is on loan: when the scrape takes longer than [`TAKEOVER_AFTER`], the standby takes the reactor and leads.
//! The former leader becomes a standby when its scrape ends, which may be never. A standby exists before the first
//! connection is accepted. Without a standby no scrape is run, until a thread can be created or returns.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::host::schedule::{self, Condvar};

use super::alarm::Alarm;
use super::offload::Mailbox;
use super::reactor::{Reactor, Service, Turn};

/// Maximum time that a scrape delays other connections.
const TAKEOVER_AFTER: Duration = Duration::from_millis(20);

/// Maximum number of idle standbys: one to take over, and one more while the former leader is late.
const STANDBYS_KEPT_MAX: usize = 2;

/// Maximum number of threads: the leader, its standbys, and threads that stay with a blocked collector.
const THREADS_MAX: usize = 64;

/// Pause before the next attempt after creating a thread failed.
const SPAWN_PAUSE: Duration = Duration::from_millis(100);

/// State that the threads share.
pub(super) struct Team {
    service: Service,
    mailbox: Arc<Mailbox>,
    alarm: Alarm,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    loan: Option<Loan>,
    /// Number of loans so far.
    loans: u64,
    threads: usize,
    standbys: usize,
    spawn_failed: Option<Duration>,
    has_ended: bool,
}

/// The reactor, while its leader runs a scrape.
struct Loan {
    reactor: Box<Reactor>,
    number: u64,
    since: Duration,
}

impl State {
    /// Lends the reactor. Returns the number of the loan.
    fn lend(&mut self, reactor: Box<Reactor>) -> u64 {
        self.loans += 1;
        self.loan = Some(Loan { reactor, number: self.loans, since: clock::monotonic() });
        self.loans
    }

    /// Takes the reactor, if `is_wanted` applies to its loan.
    fn take(&mut self, is_wanted: impl FnOnce(&Loan) -> bool) -> Option<Box<Reactor>> {
        let loan = self.loan.take_if(|loan| is_wanted(loan))?;
        Some(loan.reactor)
    }
}

impl Team {
    /// Starts a leader and a standby.
    pub(super) fn start(reactor: Reactor, service: Service, mailbox: Arc<Mailbox>) -> io::Result<Arc<Self>> {
        let (alarm, state) = (Alarm::new()?, Mutex::default());
        let team = Arc::new(Self { service, mailbox, alarm, state, ended: Condvar::new() });
        team.add_standby(&mut team.lock())?;
        team.lock().threads += 1;
        let leader = Arc::clone(&team);
        let spawned = spawn(move || {
            leader.lead(Box::new(reactor));
            leader.stand_by();
        });
        if let Err(error) = spawned {
            team.end();
            return Err(error);
        }
        Ok(team)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_standby(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let team = Arc::clone(self);
        spawn(move || team.stand_by())?;
        state.threads += 1;
        state.standbys += 1;
        Ok(())
    }

    /// Whether a standby exists; creates one if needed.
    fn has_standby(self: &Arc<Self>) -> bool {
        let mut state = self.lock();
        if state.standbys > 0 {
            return true;
        }
        let now = clock::monotonic();
        if state.threads >= THREADS_MAX || state.spawn_failed.is_some_and(|before| now < before + SPAWN_PAUSE) {
            return false;
        }
        let is_added = self.add_standby(&mut state).is_ok();
        state.spawn_failed = Some(now).filter(|_| !is_added);
        is_added
    }

    /// Serves until another thread has taken the reactor, or the server has ended.
    fn lead(self: &Arc<Self>, mut reactor: Box<Reactor>) {
        loop {
            let turn = catch_unwind(AssertUnwindSafe(|| reactor.turn(&self.service, || self.has_standby())));
            match turn {
                Ok(Turn::Wait) => {}
                Ok(Turn::Run(run)) => {
                    let number = self.lock().lend(reactor);
                    self.alarm.set(TAKEOVER_AFTER);
                    run.run();
                    let Some(returned) = self.lock().take(|loan| loan.number == number) else {
                        self.mailbox.wake();
                        break;
                    };
                    reactor = returned;
                    self.alarm.clear();
                }
                // Connections are in an unknown state after a panic: the process ends, and the supervisor restarts it.
                Ok(Turn::End) | Err(_) => return self.end(),
            }
        }
        let mut state = self.lock();
        state.standbys += 1;
    }

    /// Waits for a late scrape, and leads in place of its thread. Ends if enough other threads stand by. The caller has
    /// counted this thread as a standby.
    fn stand_by(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            if state.has_ended || state.standbys > STANDBYS_KEPT_MAX {
                state.standbys = state.standbys.saturating_sub(1);
                state.threads -= 1;
                return;
            }
            drop(state);
            self.alarm.wait();
            let mut state = self.lock();
            let now = clock::monotonic();
            // The alarm may belong to a scrape that has ended since.
            if let Some(reactor) = state.take(|loan| now >= loan.since + TAKEOVER_AFTER) {
                state.standbys -= 1;
                drop(state);
                self.lead(reactor);
            }
        }
    }

    fn end(&self) {
        self.lock().has_ended = true;
        self.ended.notify_all();
        self.alarm.end();
    }

    /// Waits until the server has ended, at most for `time`. Returns whether it has.
    pub(super) fn wait(&self, time: Option<Duration>) -> bool {
        self.ended.wait_while(&self.state, self.lock(), time, |state| !state.has_ended).has_ended
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    schedule::spawn("serve", work)
}
