//! Answers of a handler, and the interface of the request handlers.

use std::sync::Arc;

use super::batch::Ticket;
use crate::serve::request::{Request, Response};

/// Work for a worker thread, such as a comparison of passwords.
pub type Job = Box<dyn FnOnce() -> Answer + Send>;

/// A handler's answer to a request.
pub enum Answer {
    /// The response is ready.
    Ready(Response),
    /// The answer needs much processor time: a worker thread computes it.
    Job(Job),
    /// The response is the page of a scrape, which the front runs.
    Scrape(Ticket),
}

impl Answer {
    /// Computes the response in this thread, which may block.
    pub fn wait(self) -> Response {
        match self {
            Self::Ready(response) => response,
            Self::Job(job) => job().wait(),
            Self::Scrape(ticket) => ticket.wait(),
        }
    }

    /// Applies `change` to the response.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Response) -> Response + Send + 'static) -> Self {
        match self {
            Self::Ready(response) => Self::Ready(change(response)),
            Self::Job(job) => Self::Job(Box::new(move || job().map(change))),
            Self::Scrape(ticket) => Self::Scrape(ticket.map(Box::new(change))),
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(response) => f.debug_tuple("Ready").field(response).finish(),
            Self::Job(_) => f.write_str("Job"),
            Self::Scrape(ticket) => f.debug_tuple("Scrape").field(ticket).finish(),
        }
    }
}

/// A handler of requests. A handler can wrap another one (middleware).
pub trait Handle: Send + Sync {
    /// Answers a request. The reactor's thread calls this, so it must not block.
    fn answer(self: Arc<Self>, request: Request) -> Answer;

    /// Changes the front's response to a malformed request.
    fn refused(&self, response: Response) -> Response {
        response
    }
}
