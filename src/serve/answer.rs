//! What is answered, and who answers.

use std::sync::Arc;

use super::request::Request;

/// A whole answer.
#[derive(PartialEq, Eq, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names and values. What frames the answer (`Content-Length`, `Connection`) and when it was given (`Date`) is the
    /// front's to add.
    pub headers: Vec<(&'static str, String)>,
    /// What follows them; the front leaves it out where the client asked for the head alone.
    pub body: Vec<u8>,
}

impl Response {
    /// A sentence for whoever asked.
    pub fn plain(status: u16, mut sentence: String) -> Self {
        sentence.push('\n');
        let content_type = ("Content-Type", "text/plain; charset=utf-8".to_owned());
        Self { status, headers: vec![content_type], body: sentence.into_bytes() }
    }
}

/// What makes a response, and may take its time.
pub type Job = Box<dyn FnOnce() -> Response + Send>;

/// What becomes of a request.
pub enum Answer {
    /// It is answered. The front's own thread, which serves everybody, has waited for this: it has to be quick.
    Ready(Response),
    /// It takes a while to answer, so a worker does. What the job holds is let go when it is done, before its response
    /// is written: slow readers occupy no slots.
    Job(Job),
}

impl Answer {
    /// The response, whatever it takes.
    pub fn wait(self) -> Response {
        match self {
            Self::Ready(response) => response,
            Self::Job(job) => job(),
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(response) => f.debug_tuple("Ready").field(response).finish(),
            Self::Job(_) => f.write_str("Job"),
        }
    }
}

/// Who answers. One can stand before another: it answers by itself, or passes the request on.
pub trait Handle: Send + Sync {
    /// Answers a request.
    fn answer(self: Arc<Self>, request: Request) -> Answer;

    /// Has a last look at a response that the front gives to what is no request.
    fn refused(&self, response: Response) -> Response {
        response
    }
}
