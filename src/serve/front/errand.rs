//! Connections on their way to a worker and back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use collectors::host::kernel::clock;

use super::connection::Connection;
use crate::serve::answer::{Job, Response};

/// Where connections come back to, and where the front is told to end.
#[derive(Debug)]
pub(super) struct Home {
    waker: mio::Waker,
    returned: Mutex<Vec<Returned>>,
    is_stopping: AtomicBool,
}

/// A place, and the connection that belongs there, if it is still one.
pub(super) type Returned = (usize, Option<Connection>);

impl Home {
    pub(super) fn new(waker: mio::Waker) -> Self {
        Self { waker, returned: Mutex::default(), is_stopping: AtomicBool::new(false) }
    }

    /// Everything that has come back.
    pub(super) fn returned(&self) -> Vec<Returned> {
        std::mem::take(&mut *self.returned.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, returned: Returned) {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner).push(returned);
        // A front that cannot be woken looks when something else happens.
        let _ = self.waker.wake();
    }

    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        let _ = self.waker.wake();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }
}

/// A connection that waits for a job, and comes back whatever becomes of it.
pub(super) struct Errand {
    pub(super) at: usize,
    pub(super) connection: Option<Connection>,
    pub(super) home: Arc<Home>,
}

impl Errand {
    /// Does the job, and sends of the answer what the client takes at once; the front sends the rest.
    pub(super) fn run(mut self, job: Job) {
        let response = catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| broken());
        let Some(mut connection) = self.connection.take() else { return };
        connection.answer(response, self.home.is_stopping(), clock::monotonic());
        if !connection.send_some() {
            return;
        }
        self.connection = Some(connection);
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.as_mut().filter(|connection| connection.is_asking()) {
            // The job was dropped before it ran: there is no thread.
            connection.answer(busy(), true, clock::monotonic());
        }
        self.home.give_back((self.at, self.connection.take()));
    }
}

/// The answer in place of one that panicked.
pub(super) fn broken() -> Response {
    Response::plain(500, "Answering failed; the exporter's error output says why.".to_owned())
}

/// The answer where there is nobody to make one.
fn busy() -> Response {
    Response::plain(503, "There are no threads to be had, try again later.".to_owned())
}
