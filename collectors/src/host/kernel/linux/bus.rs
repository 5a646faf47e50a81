//! Connections to D-Bus: one is kept between scrapes, and each question has a deadline as a whole.
//!
//! The client is our own because only EXTERNAL authentication, calls with strings and a few types of answers are
//! needed; the crates for D-Bus bring executors and threads. A connection that failed in any way is closed, so that no
//! late reply can be taken for that of another call.

mod address;
mod connection;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(super) use self::address::Address;
use self::connection::Connection;
use crate::host::errno::Errno;
use crate::host::kernel::dbus::{Call, Kind, Message};

/// Maximum time of a question with all its calls.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(3);
/// Calls without a reply on one connection. The system bus refuses more than 128.
const CALLS_IN_FLIGHT: usize = 64;

/// A bus, or a program that is connected to without one.
#[derive(Debug)]
pub(super) struct Bus {
    address: Address,
    timeout: Duration,
    idle: Mutex<Option<Connection>>,
}

impl Bus {
    /// Opens nothing yet.
    pub(super) fn new(address: Address) -> Self {
        Self { address, timeout: QUESTION_TIMEOUT, idle: Mutex::new(None) }
    }

    /// Sets the maximum time of a question.
    #[cfg(test)]
    pub(super) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Hands a connection to `ask`, which makes calls on it. A question that meets another one opens its own connection,
    /// and one of the two is kept.
    pub(super) fn ask<T>(&self, mut ask: impl FnMut(&mut Calls<'_>) -> Result<T, Errno>) -> Result<T, Errno> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut connection) = kept.filter(Connection::has_serials) {
            connection.begin(self.timeout);
            let outcome = ask(&mut Calls(&mut connection));
            // The other end closed it between two scrapes, for example to restart.
            let is_stale = connection.is_broken() && !connection.has_received();
            if !(is_stale && matches!(outcome, Err(Errno::EPIPE | Errno::ECONNRESET))) {
                self.keep(connection);
                return outcome;
            }
        }
        let mut connection = Connection::open(&self.address, self.timeout)?;
        let outcome = ask(&mut Calls(&mut connection));
        self.keep(connection);
        outcome
    }

    /// Keeps a connection that can take another question.
    fn keep(&self, connection: Connection) {
        if !connection.is_broken() {
            *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        }
    }
}

/// A connection during one question.
#[derive(Debug)]
pub(super) struct Calls<'c>(&'c mut Connection);

impl Calls<'_> {
    /// Makes one call and hands its reply to `read`. A refusal is an error.
    pub(super) fn call<T>(
        &mut self,
        call: &Call<'_>,
        mut read: impl FnMut(&Message<'_>) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut outcome = Err(Errno::EBADMSG);
        self.pipeline(1, |_, make| make(call), |_, reply| outcome = reply.and_then(&mut read))?;
        outcome
    }

    /// Makes `count` calls with [`CALLS_IN_FLIGHT`] at once. `write` hands the call of a position to its second
    /// argument; `read` gets the position of a call with its reply or refusal, in any order.
    pub(super) fn pipeline(
        &mut self,
        count: usize,
        mut write: impl FnMut(usize, &mut dyn FnMut(&Call<'_>)),
        mut read: impl FnMut(usize, Result<&Message<'_>, Errno>),
    ) -> Result<(), Errno> {
        let Self(connection) = self;
        connection.expect_replies();
        let (mut written, mut replied) = (0, 0);
        while replied < count {
            while written < count && written - replied < CALLS_IN_FLIGHT {
                write(written, &mut |call| connection.write(call));
                written += 1;
            }
            connection.exchange(|position, message| {
                replied += 1;
                let refusal = (message.kind == Kind::Error).then(|| message.errno());
                read(position, refusal.map_or(Ok(message), Err));
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "bus/stand_in.rs"]
pub(super) mod stand_in;
#[cfg(test)]
#[path = "bus/tests.rs"]
mod tests;
