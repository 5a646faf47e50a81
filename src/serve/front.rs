//! The front: it owns the listeners and the connections, and passes on requests that are complete and sound.
//!
//! One thread waits for all connections at once (`reactor`), so that a client who is slow, or silent, occupies nothing
//! but its place, of which there are only so many (`crowd`, `descriptors`). Its request is read strictly (`head`).
//! What takes time to answer is a worker's ([`collectors::kit::workers`]), who has the connection meanwhile (`errand`): what a client
//! sends before its answer stays unread. An answer is complete before its first byte is sent (`reply`), and is
//! sent as the client takes it.

mod connection;
mod crowd;
mod descriptors;
mod errand;
mod head;
mod reactor;
mod reply;

use std::io;
use std::sync::Arc;

use errand::Home;
use reactor::{Reactor, Service, WAKE};

use super::answer::Handle;
use super::listen::Listener;
use super::request::{Peer, Request};
use super::stream::Secure;
use crate::log::Log;

/// What a connection makes of bytes that come in pieces of this size: a request, nothing yet, or the status of a refusal.
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

/// A server that listens.
pub struct Front {
    reactor: Reactor,
    home: Arc<Home>,
    connections_max: usize,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("connections_max", &self.connections_max).finish_non_exhaustive()
    }
}

/// Ends a [`Front::run`].
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Home>);

impl Stopper {
    /// Nobody is let in any more; what was asked before is answered still.
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl Front {
    /// Serves what arrives at these listeners, once [`Front::run`] is called. With `secure`, all of it is encrypted.
    pub fn new(listeners: Vec<Listener>, secure: Option<Arc<dyn Secure>>) -> io::Result<Self> {
        let connections_max = descriptors::connections_max();
        let poll = mio::Poll::new()?;
        let home = Arc::new(Home::new(mio::Waker::new(poll.registry(), WAKE)?));
        let reactor = Reactor::new(poll, Arc::clone(&home), listeners, connections_max, secure)?;
        Ok(Self { reactor, home, connections_max })
    }

    /// So many connections are held at the same time.
    pub fn connections_max(&self) -> usize {
        self.connections_max
    }

    /// What ends [`Front::run`].
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.home))
    }

    /// Answers until it is stopped and everything that was asked before is answered.
    pub fn run(mut self, handler: &Arc<dyn Handle>, log: &Log) {
        self.reactor.run(Service { handler, log });
    }
}
