//! Accepting of connections, and closing of others to make room.

use std::io;
use std::time::Duration;

use collectors::host::kernel::clock;
use mio::Token;

use super::{ACCEPT_PAUSE, Reactor, Service};
use crate::log::Log;
use crate::serve::front::connection::Connection;
use crate::serve::front::descriptors::is_exhaustion;
use crate::serve::request::Peer;
use crate::serve::stream::{Socket, Stream};

/// Maximum number of connections that are accepted from a listener in one turn.
const ACCEPTED_AT_ONCE_MAX: usize = 64;

impl Reactor {
    pub(super) fn hold_spare(&mut self) {
        if let Some(endpoint) = self.endpoints.first() {
            self.spare.hold(&endpoint.listener);
        }
    }

    pub(super) fn accept(&mut self, service: &Service) {
        let now = clock::monotonic();
        for number in 0..self.endpoints.len() {
            for _ in 0..ACCEPTED_AT_ONCE_MAX {
                let endpoint = self.endpoints.get_mut(number);
                let Some(endpoint) = endpoint.filter(|endpoint| endpoint.is_ready && endpoint.paused_until <= now)
                else {
                    break;
                };
                match endpoint.listener.accept() {
                    Ok((socket, peer)) => self.admit(socket, peer, now),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => endpoint.is_ready = false,
                    Err(error) if is_exhaustion(&error) => self.make_room(number, &error, now, &service.log),
                    // The client disconnected before it was accepted.
                    Err(_) => {}
                }
            }
        }
    }

    fn admit(&mut self, socket: Socket, peer: Peer, now: Duration) {
        if self.connections.count() >= self.connections_max {
            // When every connection has a request in progress, the new one is closed.
            let Some(at) = self.connections.first_to_close() else { return };
            self.dismiss(at);
        }
        let Ok(session) = self.secure.as_ref().map(|secure| secure.begin()).transpose() else { return };
        let mut connection = Connection::new(Stream::new(socket, session), peer, now);
        let token = Token(self.connections.next_slot());
        let interest = connection.registered;
        if self.poll.registry().register(connection.source(), token, interest).is_ok() {
            self.connections.add(connection);
        }
    }

    pub(super) fn dismiss(&mut self, at: usize) {
        drop(self.connections.take(at));
        self.connections.leave(at);
    }

    /// Handles exhaustion of descriptors: closes one connection, and the one that waits to be accepted.
    fn make_room(&mut self, number: usize, error: &io::Error, now: Duration, log: &Log) {
        self.log_failure("accepting a connection failed, an open one is closed to make room", error, log);
        let has_room = self.connections.first_to_close().map(|at| self.dismiss(at)).is_some();
        let Some(endpoint) = self.endpoints.get_mut(number) else { return };
        if self.spare.release() {
            drop(endpoint.listener.accept());
        }
        if !has_room {
            endpoint.paused_until = now + ACCEPT_PAUSE;
        }
    }
}
