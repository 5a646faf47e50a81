//! A handler that a change of the configuration replaces, and the request for it.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::handler::Handler;
use super::handler::answer::{Answer, Handle};
use super::request::Response;
use super::request::{Method, Request};

/// Path of the request to read the configuration again.
pub const RELOAD: &str = "/-/reload";

/// Reads the configuration again; the error is a sentence for the operator.
pub type Reload = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// A handler that passes requests to the one in force. A request that runs keeps the handler it began with.
pub struct Replaceable {
    handler: RwLock<Arc<Handler>>,
    /// Set where `--web.enable-lifecycle` allows it.
    reload: OnceLock<Reload>,
}

impl std::fmt::Debug for Replaceable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replaceable").finish_non_exhaustive()
    }
}

impl Replaceable {
    /// Begins with a handler.
    pub fn new(handler: Handler) -> Self {
        Self { handler: RwLock::new(Arc::new(handler)), reload: OnceLock::new() }
    }

    /// Passes further requests to another handler.
    pub fn replace(&self, handler: Handler) {
        *self.handler.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(handler);
    }

    /// Allows [`RELOAD`]. A second call changes nothing.
    pub fn allow_reload(&self, reload: Reload) {
        _ = self.reload.set(reload);
    }

    fn handler(&self) -> Arc<Handler> {
        Arc::clone(&self.handler.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reload(self: Arc<Self>, method: Method) -> Answer {
        let sentence = |status, sentence: &str| Answer::Ready(Response::plain(status, sentence.to_owned()));
        if method != Method::Post {
            return sentence(405, "Expected the method POST.");
        }
        if self.reload.get().is_none() {
            return sentence(403, "Reload is off: start the exporter with --web.enable-lifecycle.");
        }
        // Reading files and stopping a target's thread take time.
        Answer::Job(Box::new(move || match self.reload.get().map(|reload| reload()) {
            Some(Err(error)) => Answer::Ready(Response::plain(500, error)),
            _ => Answer::Ready(Response::plain(200, "The configuration was read again.".to_owned())),
        }))
    }
}

impl Handle for Replaceable {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        if request.target() == RELOAD { self.reload(request.method()) } else { self.handler().answer(request) }
    }
}
