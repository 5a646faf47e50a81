//! Connections whose request a worker thread handles, and their return to the reactor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use collectors::host::schedule::{self, Event};

use super::connection::Connection;
use crate::serve::handler::answer::{Answer, Job};
use crate::serve::request::Response;

/// Messages of other threads to the reactor.
#[derive(Debug)]
pub(super) struct Mailbox {
    waker: mio::Waker,
    returned: Mutex<Vec<Returned>>,
    is_stopping: AtomicBool,
}

/// A connection that a worker returns, with the index of its slot.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) idx: usize,
    pub(super) connection: Connection,
    pub(super) answer: Answer,
}

impl Mailbox {
    pub(super) fn new(waker: mio::Waker) -> Self {
        Self { waker, returned: Mutex::default(), is_stopping: AtomicBool::new(false) }
    }

    /// Takes all returned connections.
    pub(super) fn returned(&self) -> Vec<Returned> {
        std::mem::take(&mut *self.returned.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the reactor's wait. If waking fails, the reactor continues at its next event.
    pub(super) fn wake(&self) {
        let _ = self.waker.wake();
        if let Some(schedule) = schedule::simulated() {
            schedule.notify(Event::Socket);
        }
    }

    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }
}

/// A connection that waits for a job. It is returned even if the job panics or never runs.
pub(super) struct Offload {
    pub(super) idx: usize,
    pub(super) connection: Option<Connection>,
    pub(super) mailbox: Arc<Mailbox>,
}

impl Offload {
    /// Runs the job and returns the connection with its answer.
    pub(super) fn run(mut self, job: Job) {
        let answer = catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| Answer::Ready(broken()));
        self.finish(answer);
    }

    fn finish(&mut self, answer: Answer) {
        let Some(connection) = self.connection.take() else { return };
        let returned = Returned { idx: self.idx, connection, answer };
        self.mailbox.returned.lock().unwrap_or_else(PoisonError::into_inner).push(returned);
        self.mailbox.wake();
    }
}

impl Drop for Offload {
    fn drop(&mut self) {
        // The job was dropped before it ran: no thread could be created.
        self.finish(Answer::Ready(busy()));
    }
}

/// The response to a request whose handler panicked.
pub(super) fn broken() -> Response {
    Response::plain(500, "The request failed; see the exporter's stderr.".to_owned())
}

/// The response to a request for whose job no thread could be created.
fn busy() -> Response {
    Response::plain(503, "No thread is available, try again later.".to_owned())
}
