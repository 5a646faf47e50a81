//! Responses, and the interface of the request handlers.

use std::sync::Arc;

use super::batch::Ticket;
use super::request::Request;

/// A complete response.
#[derive(PartialEq, Eq, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names and values of headers. The front adds the framing (`Content-Length`, `Connection`) and `Date`.
    pub headers: Vec<(&'static str, String)>,
    /// The body; the front omits it from a response to HEAD.
    pub body: Vec<u8>,
}

impl Response {
    /// A plain-text response of one sentence.
    pub fn plain(status: u16, mut sentence: String) -> Self {
        sentence.push('\n');
        let content_type = ("Content-Type", "text/plain; charset=utf-8".to_owned());
        Self { status, headers: vec![content_type], body: sentence.into_bytes() }
    }
}

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
