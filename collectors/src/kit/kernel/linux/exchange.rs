//! Netlink sockets: a question goes out, its whole answer is collected, and only then is it read.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::io::retry_on_intr;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, connect, netdevice, recv, send, socket_with,
};

use super::errno;
use crate::kit::errno::Errno;
use crate::kit::kernel::netlink::{Malformed, Message, Progress, messages, progress};

/// A kernel that is silent for longer than this does not answer at all.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(1);
/// What the kernel puts into one datagram of a dump at most.
const DATAGRAM_BYTES: usize = 32 * 1024;
/// About forty thousand devices, or a million neighbours.
const ANSWER_CAP_BYTES: usize = 64 * 1024 * 1024;
/// How often a dump is asked for again because the table changed under it. The last one is taken as it is.
const DUMP_ATTEMPTS: u32 = 3;
/// Sockets that are kept open; more questions at once than this open their own.
const IDLE_CAP: usize = 4;

/// Sockets of one netlink protocol, each used by one question at a time.
#[derive(Debug)]
pub(super) struct Exchanges {
    protocol: Option<Protocol>,
    idle: Mutex<Vec<Exchange>>,
}

impl Exchanges {
    /// Opens nothing yet. No protocol is rtnetlink.
    pub(super) fn new(protocol: Option<Protocol>) -> Self {
        Self { protocol, idle: Mutex::new(Vec::with_capacity(IDLE_CAP)) }
    }

    /// Sends the request that `write` makes of a sequence number, and hands its complete answer to `read`.
    ///
    /// A socket that the exchange failed on, or whose reader panicked, is closed: no late answer can be taken for
    /// another question's. One on which the kernel refused is as good as before.
    pub(super) fn ask<T>(
        &self,
        write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>,
        read: impl FnOnce(&Exchange) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut exchange = idle.map_or_else(|| Exchange::open(self.protocol), Ok)?;
        let outcome = exchange.ask(write)?.and_then(|()| read(&exchange));
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CAP {
            idle.push(exchange);
        }
        outcome
    }

    #[cfg(test)]
    pub(super) fn idle_count(&self) -> usize {
        self.idle.lock().unwrap().len()
    }
}

/// One socket, with the memory of its questions and answers.
#[derive(Debug)]
pub(super) struct Exchange {
    socket: OwnedFd,
    sequence: u32,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Exchange {
    fn open(protocol: Option<Protocol>) -> Result<Self, Errno> {
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol).map_err(errno)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(RECEIVE_TIMEOUT)).map_err(errno)?;
        // Connected to the kernel, the socket takes no messages of other processes.
        connect(&socket, &SocketAddrNetlink::new(0, 0)).map_err(errno)?;
        Ok(Self { socket, sequence: 0, request: Vec::new(), answer: Vec::new() })
    }

    /// The outer error is one of the exchange, the inner one the kernel's answer.
    fn ask(&mut self, write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>) -> Result<Result<(), Errno>, Errno> {
        for attempt in 1.. {
            self.sequence = self.sequence.wrapping_add(1);
            self.request.clear();
            if let Err(refused) = write(&mut self.request, self.sequence) {
                return Ok(Err(refused));
            }
            retry_on_intr(|| send(&self.socket, &self.request, SendFlags::empty())).map_err(errno)?;
            let (status, interrupted) = self.receive()?;
            if !interrupted || status.is_err() || attempt == DUMP_ATTEMPTS {
                return Ok(status);
            }
        }
        Ok(Ok(()))
    }

    /// Collects the answer's datagrams up to its end; tells how it ended and whether it was interrupted.
    fn receive(&mut self) -> Result<(Result<(), Errno>, bool), Errno> {
        self.answer.clear();
        let mut interrupted = false;
        loop {
            let start = self.answer.len();
            self.receive_datagram()?;
            let Progress { ended, interrupted: now } = progress(&self.answer[start..], self.sequence)?;
            interrupted |= now;
            if let Some(status) = ended {
                return Ok((status, interrupted));
            }
            if self.answer.len() > ANSWER_CAP_BYTES {
                return Err(Errno::ENOBUFS);
            }
        }
    }

    /// Adds one datagram, padded so that the next one begins where a message may begin.
    fn receive_datagram(&mut self) -> Result<(), Errno> {
        self.answer.reserve(DATAGRAM_BYTES);
        let (held, sent) = retry_on_intr(|| recv(&self.socket, spare_capacity(&mut self.answer), RecvFlags::TRUNC))
            .map_err(|error| match errno(error) {
                Errno::EAGAIN => Errno::ETIMEDOUT,
                other => other,
            })?;
        if held < sent || held == 0 {
            return Err(Errno::EBADMSG);
        }
        self.answer.resize(self.answer.len().next_multiple_of(4), 0);
        Ok(())
    }

    /// The messages of this kind in the answer to the last question.
    pub(super) fn messages(&self, kind: u16) -> impl Iterator<Item = Result<Message<'_>, Malformed>> {
        let wanted = move |message: &Message<'_>| message.kind == kind && message.sequence == self.sequence;
        messages(&self.answer).filter(move |message| message.as_ref().map_or(true, wanted))
    }

    /// Names of devices by their index.
    pub(super) fn devices(&self) -> Devices<'_> {
        Devices { socket: &self.socket, last: None }
    }
}

/// Asks for the names of devices, and remembers the last: the kernel tells addresses device by device.
pub(super) struct Devices<'a> {
    socket: &'a OwnedFd,
    last: Option<(u32, netdevice::InlinedName)>,
}

impl Devices<'_> {
    /// The device's name; `None` when it has gone, or when its name is not UTF-8.
    pub(super) fn name(&mut self, index: u32) -> Option<&[u8]> {
        if self.last.is_none_or(|(last, _)| last != index) {
            self.last = Some((index, netdevice::index_to_name_inlined(self.socket, index).ok()?));
        }
        self.last.as_ref().map(|(_, name)| name.as_bytes())
    }
}
