//! The front: it owns listeners and connections, and passes complete, well-formed requests to the handler.
//!
//! One reactor waits for all connections (`reactor`), so that a slow or silent client occupies a slot and no thread;
//! the number of slots is limited (`connections`, `descriptors`). Heads are parsed strictly (`head`). The thread that
//! has the reactor runs scrapes itself, and another one takes the reactor over when a scrape is late (`team`). Comparing
//! passwords is done by worker threads (`offload`). While a request is answered, the input after it stays unread. A
//! response is complete before its first byte is sent (`reply`), and is sent as the client takes it.

mod alarm;
mod connection;
mod connections;
mod descriptors;
mod head;
mod offload;
mod reactor;
mod reply;
mod team;

use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use descriptors::DESCRIPTORS_MIN;
use offload::Mailbox;
use reactor::{Reactor, Service, WAKE};
use team::Team;

use super::handler::answer::Handle;
use super::listen::Listener;
use super::request::{Peer, Request};
use super::stream::Secure;
use crate::log::Log;

/// Parses bytes that arrive in pieces of this size. Returns the request, `None` if it is incomplete, or the status of
/// its refusal.
pub(super) fn read_head(bytes: &[u8], piece_bytes: usize) -> Result<Option<Request>, u16> {
    let peer = Peer::Unix;
    let mut searched = 0;
    let mut here = 0;
    while here < bytes.len() {
        // A connection's memory has room for the longest head and no more.
        here = (here + piece_bytes.max(1)).min(bytes.len()).min(head::HEAD_MAX_BYTES);
        let so_far = bytes.get(..here).unwrap_or_default();
        if let Some(end) = head::end(so_far, &mut searched).map_err(|refusal| refusal.status)? {
            let head = so_far.get(..end).unwrap_or_default();
            return head::parse(head, peer, None).map(Some).map_err(|refusal| refusal.status);
        }
    }
    Ok(None)
}

/// A server with open listeners.
pub struct Front {
    reactor: Reactor,
    mailbox: Arc<Mailbox>,
    connections_max: usize,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("connections_max", &self.connections_max).finish_non_exhaustive()
    }
}

/// Stops a server.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Mailbox>);

impl Stopper {
    /// Accepts no more connections; requests that were sent before are answered.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// A running server.
pub struct Serving(Arc<Team>);

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Serving")
    }
}

impl Serving {
    /// Waits until the server is stopped and every request is answered, at most for `time`. Returns whether it has ended.
    pub fn wait(&self, time: Option<Duration>) -> bool {
        self.0.wait(time)
    }
}

impl Front {
    /// A server for these listeners. With `secure`, all connections are encrypted.
    pub fn new(listeners: Vec<Listener>, secure: Option<Arc<dyn Secure>>) -> io::Result<Self> {
        let connections_max = descriptors::connections_max();
        let poll = mio::Poll::new()?;
        let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), WAKE)?));
        let reactor = Reactor::new(poll, Arc::clone(&mailbox), listeners, connections_max, secure)?;
        Ok(Self { reactor, mailbox, connections_max })
    }

    /// Maximum number of concurrent connections.
    pub fn connections_max(&self) -> usize {
        self.connections_max
    }

    /// Handle that stops the server.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.mailbox))
    }

    /// Starts the threads that serve. The error is that of creating a thread or the timer.
    pub fn start(self, handler: &Arc<dyn Handle>, log: &Arc<Log>) -> io::Result<Serving> {
        let service = Service { handler: Arc::clone(handler), log: Arc::clone(log) };
        Team::start(self.reactor, service, self.mailbox).map(Serving)
    }

    /// Serves until the server is stopped and every request is answered.
    pub fn run(self, handler: &Arc<dyn Handle>, log: &Arc<Log>) -> io::Result<()> {
        self.start(handler, log)?.wait(None);
        Ok(())
    }
}
