//! Responses, and the interface of the request handlers.

use std::sync::Arc;

use super::batch::Ticket;
use super::request::Request;

/// A complete response.
#[derive(PartialEq, Eq, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names and values. The front adds the framing (`Content-Length`, `Connection`) and `Date`.
    pub headers: Vec<(&'static str, String)>,
    /// The body; the front leaves it out of the response to HEAD.
    pub body: Vec<u8>,
}

impl Response {
    /// A response of one sentence.
    pub fn plain(status: u16, mut sentence: String) -> Self {
        sentence.push('\n');
        let content_type = ("Content-Type", "text/plain; charset=utf-8".to_owned());
        Self { status, headers: vec![content_type], body: sentence.into_bytes() }
    }
}

/// Work for a thread of its own, such as the comparison of a password.
pub type Job = Box<dyn FnOnce() -> Answer + Send>;

/// A handler's answer to a request.
pub enum Answer {
    /// The response is ready.
    Ready(Response),
    /// The answer takes a processor for long: a worker thread computes it.
    Job(Job),
    /// The response is a page of a scrape that the front has to run.
    Scrape(Ticket),
}

impl Answer {
    /// The response, computed in this thread however long that takes.
    pub fn wait(self) -> Response {
        match self {
            Self::Ready(response) => response,
            Self::Job(job) => job().wait(),
            Self::Scrape(ticket) => ticket.wait(),
        }
    }

    /// The answer whose response is changed by `change`.
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

/// Answers requests. A handler can stand before another one and pass requests on.
pub trait Handle: Send + Sync {
    /// Answers a request. The thread of all connections calls this, so it does not wait for anything.
    fn answer(self: Arc<Self>, request: Request) -> Answer;

    /// Changes a response that the front gives to a malformed request.
    fn refused(&self, response: Response) -> Response {
        response
    }
}
