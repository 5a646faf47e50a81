//! Who is let in, and who has to go for it.

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

/// So many connections are accepted before those that are here are looked at again.
const ACCEPTED_AT_ONCE_MAX: usize = 64;

impl Reactor {
    pub(super) fn hold_spare(&mut self) {
        if let Some(door) = self.doors.first() {
            self.spare.hold(&door.listener);
        }
    }

    pub(super) fn accept(&mut self, service: Service<'_>) {
        let now = clock::monotonic();
        for number in 0..self.doors.len() {
            for _ in 0..ACCEPTED_AT_ONCE_MAX {
                let Some(door) = self.doors.get_mut(number).filter(|door| door.is_ready && door.closed_until <= now)
                else {
                    break;
                };
                match door.listener.accept() {
                    Ok((socket, peer)) => self.admit(socket, peer, now),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => door.is_ready = false,
                    Err(error) if is_exhaustion(&error) => self.make_room(number, &error, now, service.log),
                    // Whoever was to be accepted has gone.
                    Err(_) => {}
                }
            }
        }
    }

    fn admit(&mut self, socket: Socket, peer: Peer, now: Duration) {
        if self.crowd.count() >= self.crowd_max {
            // Where everybody is with a worker, the newcomer has to go.
            let Some(at) = self.crowd.least_missed() else { return };
            self.dismiss(at);
        }
        let Ok(session) = self.secure.as_ref().map(|secure| secure.begin()).transpose() else { return };
        let mut connection = Connection::new(Stream::new(socket, session), peer, now);
        let token = Token(self.crowd.next_place());
        let interest = connection.registered;
        if self.poll.registry().register(connection.source(), token, interest).is_ok() {
            self.crowd.add(connection);
        }
    }

    pub(super) fn dismiss(&mut self, at: usize) {
        drop(self.crowd.take(at));
        self.crowd.leave(at);
    }

    /// There are no descriptors left: whoever waits is told by being closed, and somebody who is here has to go.
    fn make_room(&mut self, number: usize, error: &io::Error, now: Duration, log: &Log) {
        self.complain("no connection can be accepted, one that is open is closed", error, log);
        let has_room = self.crowd.least_missed().map(|at| self.dismiss(at)).is_some();
        let Some(door) = self.doors.get_mut(number) else { return };
        if self.spare.give_up() {
            drop(door.listener.accept());
        }
        if !has_room {
            door.closed_until = now + ACCEPT_PAUSE;
        }
    }
}
