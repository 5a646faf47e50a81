//! The reactor: it waits for all connections and advances each as far as it goes without waiting.

mod accept;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::host::schedule::{self, Event};
use collectors::kit::pool::{Limits, Pool, Task};
use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, Scratch, Step};
use super::connections::Connections;
use super::descriptors::Spare;
use super::head::HEAD_MAX_BYTES;
use super::offload::{Mailbox, Offload, Returned, broken};
use crate::log::{Field, Log};
use crate::serve::handler::answer::{Answer, Handle};
use crate::serve::handler::batch::{Run, Ticket};
use crate::serve::listen::Listener;
use crate::serve::request::Request;
use crate::serve::stream::Secure;

/// Requests of one connection that are answered before other connections are served.
const ANSWERED_AT_ONCE_MAX: usize = 8;

/// Maximum number of events that one wait returns.
const EVENTS_MAX: usize = 256;

/// Threads for jobs; further jobs wait.
const WORKERS: Limits = Limits { name: "worker", threads_max: 64, stuck_max: 0, stack_bytes: None };

/// Pause before the next attempt after accepting a connection failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Minimum time between two log lines about failed accepts.
const LOG_PAUSE: Duration = Duration::from_secs(60);

/// Interval of attempts to run a waiting scrape while no thread stands by.
const STANDBY_PAUSE: Duration = Duration::from_millis(20);

/// Maximum size of all unsent responses; beyond it the slowest connections are closed. A single response may be larger,
/// because pages of the largest hosts are.
const UNSENT_MAX_BYTES: usize = 32 << 20;

pub(super) const WAKE: Token = Token(usize::MAX);

/// A listener and its readiness.
struct Endpoint {
    listener: Listener,
    is_ready: bool,
    /// Time before which no connection is accepted.
    paused_until: Duration,
}

/// A connection whose request waits for a scrape.
struct Waiting {
    idx: usize,
    connection: Connection,
    ticket: Ticket,
}

/// The state of the server's event loop. One thread at a time has it.
pub(super) struct Reactor {
    poll: Poll,
    events: Events,
    endpoints: Vec<Endpoint>,
    connections: Connections,
    connections_max: usize,
    spare: Spare,
    workers: Pool<Task>,
    /// Slots of connections that can advance without an event.
    pending: Vec<usize>,
    waiting: Vec<Waiting>,
    /// No thread stands by for the scrapes that wait.
    lacks_standby: bool,
    mailbox: Arc<Mailbox>,
    secure: Option<Arc<dyn Secure>>,
    scratch: Box<Scratch>,
    logged: Option<Duration>,
}

/// Handler and log of the connections.
pub(super) struct Service {
    pub(super) handler: Arc<dyn Handle>,
    pub(super) log: Arc<Log>,
}

/// Next step of the thread that owns the reactor.
pub(super) enum Turn {
    /// Continue with the next turn, which waits for events.
    Wait,
    /// Run this scrape, which may block, and continue with the next turn.
    Run(Run),
    /// End: the server is stopped, and every request is answered.
    End,
}

impl Reactor {
    pub(super) fn new(
        poll: Poll,
        mailbox: Arc<Mailbox>,
        listeners: Vec<Listener>,
        connections_max: usize,
        secure: Option<Arc<dyn Secure>>,
    ) -> io::Result<Self> {
        let mut endpoints = Vec::new();
        for (number, mut listener) in listeners.into_iter().enumerate() {
            poll.registry().register(listener.source(), Token(connections_max + number), Interest::READABLE)?;
            endpoints.push(Endpoint { listener, is_ready: true, paused_until: Duration::ZERO });
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            endpoints,
            connections: Connections::default(),
            connections_max,
            spare: Spare::default(),
            workers: Pool::new(WORKERS),
            pending: Vec::new(),
            waiting: Vec::new(),
            lacks_standby: false,
            mailbox,
            secure,
            scratch: Box::new([0; HEAD_MAX_BYTES]),
            logged: None,
        })
    }

    /// Waits for events and handles them. `has_standby` says whether a scrape can be run.
    pub(super) fn turn(&mut self, service: &Service, has_standby: impl FnOnce() -> bool) -> Turn {
        self.answer_waiting(service);
        self.hold_spare();
        let timeout = self.timeout();
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        match poll(&mut self.poll, &mut events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.log_failure("waiting for connections failed", &error, &service.log);
                std::thread::sleep(ACCEPT_PAUSE);
            }
            _ => {}
        }
        for event in &events {
            match event.token().0 {
                idx if idx < self.connections_max => self.serve(idx, service),
                number => self.mark_ready(number - self.connections_max),
            }
        }
        self.events = events;
        for idx in std::mem::take(&mut self.pending) {
            self.serve(idx, service);
        }
        for Returned { idx, connection, answer } in self.mailbox.returned() {
            if let Some(connection) = self.settle(idx, connection, answer) {
                self.advance(idx, connection, service);
            }
        }
        self.accept(service);
        self.expire(service);
        self.shed();
        if self.mailbox.is_stopping() && self.close(service) {
            return Turn::End;
        }
        self.next_run(has_standby).map_or(Turn::Wait, Turn::Run)
    }

    /// The scrape that should run now, if there is one and a thread stands by.
    fn next_run(&mut self, has_standby: impl FnOnce() -> bool) -> Option<Run> {
        self.lacks_standby = false;
        if self.waiting.is_empty() {
            return None;
        }
        let now = clock::monotonic();
        let run = self.waiting.iter().find(|waiting| waiting.ticket.runs_at().is_some_and(|runs_at| runs_at <= now))?;
        if has_standby() {
            return Some(run.ticket.run());
        }
        self.lacks_standby = true;
        None
    }

    /// Answers the requests whose scrape is done or whose deadline has passed.
    fn answer_waiting(&mut self, service: &Service) {
        let mut rest = std::mem::take(&mut self.waiting);
        let answered = rest.extract_if(.., |waiting| waiting.ticket.is_due());
        for Waiting { idx, connection, mut ticket } in answered.collect::<Vec<_>>() {
            match ticket.cut() {
                Some(response) => {
                    drop(ticket);
                    if let Some(connection) = self.settle(idx, connection, Answer::Ready(response)) {
                        self.advance(idx, connection, service);
                    }
                }
                None => self.waiting.push(Waiting { idx, connection, ticket }),
            }
        }
        rest.append(&mut self.waiting);
        self.waiting = rest;
    }

    fn timeout(&self) -> Option<Duration> {
        // When the last connection of a stopped server is gone, no event follows.
        let is_over = self.mailbox.is_stopping() && self.connections.count() == 0;
        if is_over || !self.pending.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = clock::monotonic();
        let ready = self.endpoints.iter().filter(|endpoint| endpoint.is_ready).map(|endpoint| endpoint.paused_until);
        let run_from = if self.lacks_standby { now + STANDBY_PAUSE } else { Duration::ZERO };
        let waiting = self.waiting.iter().flat_map(|waiting| {
            let runs_at = waiting.ticket.runs_at().map(|runs_at| runs_at.max(run_from));
            runs_at.into_iter().chain([waiting.ticket.until()])
        });
        let next = ready.chain(waiting).chain(self.connections.deadline()).min()?;
        // The wait is truncated to whole milliseconds, and must not end early.
        let wait = next.saturating_sub(now);
        Some(if wait.is_zero() { wait } else { wait + Duration::from_millis(1) })
    }

    /// The listener of this number is readable. The waker has no number.
    fn mark_ready(&mut self, number: usize) {
        if let Some(endpoint) = self.endpoints.get_mut(number) {
            endpoint.is_ready = true;
        }
    }

    fn serve(&mut self, idx: usize, service: &Service) {
        if let Some(connection) = self.connections.take(idx) {
            self.advance(idx, connection, service);
        }
    }

    /// Gives a connection its answer. Returns the connection if the response is ready; otherwise keeps it until then.
    fn settle(&mut self, idx: usize, mut connection: Connection, answer: Answer) -> Option<Connection> {
        match answer {
            Answer::Ready(response) => {
                connection.answer(response, self.mailbox.is_stopping(), clock::monotonic());
                return Some(connection);
            }
            Answer::Job(job) => {
                let offload = Offload { idx, connection: Some(connection), mailbox: Arc::clone(&self.mailbox) };
                self.workers.submit(Box::new(move || offload.run(job)));
            }
            Answer::Scrape(ticket) => self.waiting.push(Waiting { idx, connection, ticket }),
        }
        None
    }

    /// Advances a connection that was taken from its slot.
    fn advance(&mut self, idx: usize, mut connection: Connection, service: &Service) {
        for answered in 1.. {
            match connection.advance(&mut self.scratch, clock::monotonic()) {
                Step::Wait => break,
                Step::Gone => return self.connections.leave(idx),
                Step::Refuse(refusal) => connection.refuse(refusal, &*service.handler, clock::monotonic()),
                Step::Ask(request) => {
                    let Some(settled) = self.settle(idx, connection, ask(&service.handler, request)) else { return };
                    connection = settled;
                    if answered == ANSWERED_AT_ONCE_MAX {
                        self.pending.push(idx);
                        return self.connections.put(idx, connection);
                    }
                }
            }
        }
        let wanted = connection.interest();
        if wanted != connection.registered {
            connection.registered = wanted;
            if self.poll.registry().reregister(connection.source(), Token(idx), wanted).is_err() {
                return self.connections.leave(idx);
            }
        }
        self.connections.put(idx, connection);
    }

    fn log_failure(&mut self, message: &str, error: &io::Error, log: &Log) {
        let now = clock::monotonic();
        if self.logged.is_none_or(|before| now >= before + LOG_PAUSE) {
            self.logged = Some(now);
            log.error(message, &[("err", Field::Text(error))]);
        }
    }

    fn expire(&mut self, service: &Service) {
        let now = clock::monotonic();
        while let Some(idx) = self.connections.late(now) {
            let Some(mut connection) = self.connections.take(idx) else { return };
            if connection.expire(&*service.handler, now) {
                self.connections.leave(idx);
            } else {
                self.advance(idx, connection, service);
            }
        }
    }

    fn shed(&mut self) {
        while self.connections.unsent_bytes() > UNSENT_MAX_BYTES {
            let Some(idx) = self.connections.slowest().filter(|idx| !self.connections.is_only_unsent(*idx)) else {
                return;
            };
            self.dismiss(idx);
        }
    }

    /// Stops accepting connections, and closes those without a request. Returns whether all are closed.
    fn close(&mut self, service: &Service) -> bool {
        if !self.endpoints.is_empty() {
            for mut endpoint in self.endpoints.drain(..) {
                let _ = self.poll.registry().deregister(endpoint.listener.source());
            }
            self.spare.release();
            // Requests that arrived before the stop are answered, even if their event is still pending.
            for idx in self.connections.present() {
                self.serve(idx, service);
            }
        }
        for idx in self.connections.present() {
            if let Some(connection) = self.connections.take(idx) {
                if connection.is_idle() {
                    self.connections.leave(idx);
                } else {
                    self.connections.put(idx, connection);
                }
            }
        }
        self.connections.count() == 0
    }
}

/// Waits for events. A simulation waits in place of the kernel.
fn poll(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    let Some(schedule) = schedule::simulated() else { return poll.poll(events, timeout) };
    poll.poll(events, Some(Duration::ZERO))?;
    if events.is_empty() && timeout != Some(Duration::ZERO) {
        schedule.notify(Event::Socket);
        schedule.wait(Event::Socket, timeout);
        poll.poll(events, Some(Duration::ZERO))?;
    }
    Ok(())
}

/// The handler's answer. A handler that panics costs one request.
fn ask(handler: &Arc<dyn Handle>, request: Request) -> Answer {
    let answered = catch_unwind(AssertUnwindSafe(|| Arc::clone(handler).answer(request)));
    answered.unwrap_or_else(|_| Answer::Ready(broken()))
}
