//! The one thread that waits for all connections.

mod accept;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::kit::workers::Workers;
use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, Scratch, Step};
use super::crowd::Crowd;
use super::descriptors::Spare;
use super::errand::{Errand, Home, broken};
use super::head::HEAD_MAX_BYTES;
use crate::log::{Field, Log};
use crate::serve::answer::{Answer, Handle};
use crate::serve::listen::Listener;
use crate::serve::request::Request;
use crate::serve::stream::Secure;

/// So many requests of one connection are answered before others are looked at.
const ANSWERED_AT_ONCE_MAX: usize = 8;

/// So many connections are told of at once.
const EVENTS_MAX: usize = 256;

/// So many requests that take their time are answered at once; what comes in beyond waits.
const WORKERS_MAX: usize = 64;

/// When no connection can be accepted, it is tried again after so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// That this happens is logged once in so long.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(60);

/// Answers that are kept for clients who do not take them; beyond, the slowest of them lose theirs. One may be larger by
/// itself, as the pages of the largest machines are.
const KEPT_MAX_BYTES: usize = 32 << 20;

pub(super) const WAKE: Token = Token(usize::MAX);

/// A listener, and whether somebody may be waiting there.
struct Door {
    listener: Listener,
    is_ready: bool,
    /// It is not looked at before then.
    closed_until: Duration,
}

/// Everything that the thread has.
pub(super) struct Reactor {
    poll: Poll,
    doors: Vec<Door>,
    crowd: Crowd,
    crowd_max: usize,
    spare: Spare,
    workers: Arc<Workers>,
    /// Whose turn was cut short.
    again: Vec<usize>,
    home: Arc<Home>,
    secure: Option<Arc<dyn Secure>>,
    scratch: Box<Scratch>,
    complained: Option<Duration>,
}

/// Whom the thread works for.
#[derive(Clone, Copy)]
pub(super) struct Service<'a> {
    pub(super) handler: &'a Arc<dyn Handle>,
    pub(super) log: &'a Log,
}

impl Reactor {
    pub(super) fn new(
        poll: Poll,
        home: Arc<Home>,
        listeners: Vec<Listener>,
        crowd_max: usize,
        secure: Option<Arc<dyn Secure>>,
    ) -> io::Result<Self> {
        let mut doors = Vec::new();
        for (number, mut listener) in listeners.into_iter().enumerate() {
            poll.registry().register(listener.source(), Token(crowd_max + number), Interest::READABLE)?;
            doors.push(Door { listener, is_ready: true, closed_until: Duration::ZERO });
        }
        Ok(Self {
            poll,
            doors,
            crowd: Crowd::default(),
            crowd_max,
            spare: Spare::default(),
            workers: Arc::new(Workers::new("worker", WORKERS_MAX)),
            again: Vec::new(),
            home,
            secure,
            scratch: Box::new([0; HEAD_MAX_BYTES]),
            complained: None,
        })
    }

    /// Serves until it is told to stop and everything that was asked before is answered.
    pub(super) fn run(&mut self, service: Service<'_>) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            self.hold_spare();
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    self.complain("waiting for connections failed", &error, service.log);
                    std::thread::sleep(ACCEPT_PAUSE);
                }
                _ => {}
            }
            for event in &events {
                match event.token().0 {
                    at if at < self.crowd_max => self.serve(at, service),
                    number => self.ring(number - self.crowd_max),
                }
            }
            for at in std::mem::take(&mut self.again) {
                self.serve(at, service);
            }
            for (at, connection) in self.home.returned() {
                match connection {
                    Some(connection) => self.advance(at, connection, service),
                    None => self.crowd.leave(at),
                }
            }
            self.accept(service);
            self.expire(service);
            self.shed();
            if self.home.is_stopping() && self.close(service) {
                return;
            }
        }
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let ready = self.doors.iter().filter(|door| door.is_ready).map(|door| door.closed_until);
        let next = ready.chain(self.crowd.deadline()).min()?;
        // A wait is cut to whole milliseconds, and must not end before its time.
        let wait = next.saturating_sub(clock::monotonic());
        Some(if wait.is_zero() { wait } else { wait + Duration::from_millis(1) })
    }

    /// Somebody is at the door of this number, or the waker was heard, which has none.
    fn ring(&mut self, number: usize) {
        if let Some(door) = self.doors.get_mut(number) {
            door.is_ready = true;
        }
    }

    fn serve(&mut self, at: usize, service: Service<'_>) {
        if let Some(connection) = self.crowd.take(at) {
            self.advance(at, connection, service);
        }
    }

    /// Goes on with a connection that was taken from its place.
    fn advance(&mut self, at: usize, mut connection: Connection, service: Service<'_>) {
        for answered in 1.. {
            match connection.advance(&mut self.scratch, clock::monotonic()) {
                Step::Wait => break,
                Step::Gone => return self.crowd.leave(at),
                Step::Refuse(refusal) => connection.refuse(refusal, &**service.handler, clock::monotonic()),
                Step::Ask(request) => match ask(service.handler, request) {
                    Answer::Ready(response) => {
                        connection.answer(response, self.home.is_stopping(), clock::monotonic());
                        if answered == ANSWERED_AT_ONCE_MAX {
                            self.again.push(at);
                            return self.crowd.put(at, connection);
                        }
                    }
                    Answer::Job(job) => {
                        let errand = Errand { at, connection: Some(connection), home: Arc::clone(&self.home) };
                        return self.workers.submit(Box::new(move || errand.run(job)));
                    }
                },
            }
        }
        let wanted = connection.interest();
        if wanted != connection.registered {
            connection.registered = wanted;
            if self.poll.registry().reregister(connection.source(), Token(at), wanted).is_err() {
                return self.crowd.leave(at);
            }
        }
        self.crowd.put(at, connection);
    }

    fn complain(&mut self, message: &str, error: &io::Error, log: &Log) {
        let now = clock::monotonic();
        if self.complained.is_none_or(|before| now >= before + COMPLAINT_PAUSE) {
            self.complained = Some(now);
            log.error(message, &[("err", Field::Text(error))]);
        }
    }

    fn expire(&mut self, service: Service<'_>) {
        let now = clock::monotonic();
        while let Some(at) = self.crowd.late(now) {
            let Some(mut connection) = self.crowd.take(at) else { return };
            if connection.expire(&**service.handler, now) {
                self.crowd.leave(at);
            } else {
                self.advance(at, connection, service);
            }
        }
    }

    fn shed(&mut self) {
        while self.crowd.kept_bytes() > KEPT_MAX_BYTES {
            let Some(at) = self.crowd.slowest().filter(|at| !self.crowd.keeps_for_nobody_but(*at)) else { return };
            self.dismiss(at);
        }
    }

    /// Accepts nobody any more, and lets go of everybody who has asked nothing. Whether all have gone.
    fn close(&mut self, service: Service<'_>) -> bool {
        if !self.doors.is_empty() {
            for mut door in self.doors.drain(..) {
                let _ = self.poll.registry().deregister(door.listener.source());
            }
            self.spare.give_up();
            // What was sent before the end counts, seen or not.
            for at in self.crowd.present() {
                self.serve(at, service);
            }
        }
        for at in self.crowd.present() {
            if let Some(connection) = self.crowd.take(at) {
                if connection.is_idle() {
                    self.crowd.leave(at);
                } else {
                    self.crowd.put(at, connection);
                }
            }
        }
        self.crowd.count() == 0
    }
}

/// A handler that panics costs one answer.
fn ask(handler: &Arc<dyn Handle>, request: Request) -> Answer {
    let answered = catch_unwind(AssertUnwindSafe(|| Arc::clone(handler).answer(request)));
    answered.unwrap_or_else(|_| Answer::Ready(broken()))
}
