//! One connection: authentication, sending and receiving by a deadline.

use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::retry_on_intr;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, socket_with,
};

use super::super::errno;
use super::address::Address;
use crate::host::errno::Errno;
use crate::host::kernel::clock;
use crate::host::kernel::dbus::{self, Call, Message};

/// Bytes that are received at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Maximum length of a line of the authentication.
const LINE_CAP_BYTES: usize = 1024;
/// A connection with a larger serial is replaced, so that serials never wrap.
const SERIAL_CAP: u32 = u32::MAX / 2;

/// A connection whose server has accepted it.
#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    /// When the question ends, by [`clock::monotonic`].
    deadline: Duration,
    /// The serial of the last call.
    serial: u32,
    /// The serial of the first call that a reply is expected to.
    first: u32,
    /// Of the calls from `first` on, which have their reply.
    replied: Vec<bool>,
    output: Vec<u8>,
    /// Bytes of `output` that were sent.
    sent: usize,
    input: Vec<u8>,
    /// Bytes of `input` that were read.
    read: usize,
    has_failed: bool,
    has_received: bool,
}

impl Connection {
    /// Connects, authenticates and, on a bus, gets a name.
    pub(super) fn open(address: &Address, timeout: Duration) -> Result<Self, Errno> {
        let mut outcome = Err(Errno::EINVAL);
        for socket in address.sockets() {
            outcome = socket.and_then(|socket| connected(&socket));
            if outcome.is_ok() {
                break;
            }
        }
        let mut connection = Self::new(outcome?, timeout);
        connection.authenticate()?;
        if address.is_bus {
            connection.hello()?;
        }
        Ok(connection)
    }

    fn new(socket: OwnedFd, timeout: Duration) -> Self {
        Self {
            socket,
            deadline: clock::monotonic().saturating_add(timeout),
            serial: 0,
            first: 1,
            replied: Vec::new(),
            output: Vec::new(),
            sent: 0,
            input: Vec::new(),
            read: 0,
            has_failed: false,
            has_received: false,
        }
    }

    /// Begins a question.
    pub(super) fn begin(&mut self, timeout: Duration) {
        self.deadline = clock::monotonic().saturating_add(timeout);
        self.has_received = false;
    }

    /// Whether it can make many calls more.
    pub(super) fn has_serials(&self) -> bool {
        self.serial < SERIAL_CAP
    }

    /// Whether it cannot be used any more: it failed, or a reply is missing.
    pub(super) fn is_broken(&self) -> bool {
        self.has_failed || self.replied.contains(&false)
    }

    /// Whether anything was received since the question began.
    pub(super) fn has_received(&self) -> bool {
        self.has_received
    }

    fn authenticate(&mut self) -> Result<(), Errno> {
        let user = rustix::process::geteuid().as_raw().to_string();
        self.output.extend_from_slice(b"\0AUTH EXTERNAL ");
        user.bytes().for_each(|byte| self.output.extend_from_slice(format!("{byte:02x}").as_bytes()));
        self.output.extend_from_slice(b"\r\n");
        if self.line(|line| line.starts_with(b"REJECTED"))? {
            // The server knows the user by another number, which it tells by the socket.
            self.output.extend_from_slice(b"AUTH EXTERNAL\r\n");
            if !self.line(|line| line.trim_ascii_end() == b"DATA")? {
                return Err(Errno::EACCES);
            }
            self.output.extend_from_slice(b"DATA\r\n");
            if self.line(|line| line.starts_with(b"REJECTED"))? {
                return Err(Errno::EACCES);
            }
        }
        self.output.extend_from_slice(b"BEGIN\r\n");
        Ok(())
    }

    /// Sends what was written, receives a line and hands it to `is`. A line that `is` not must be `OK`.
    fn line(&mut self, is: impl Fn(&[u8]) -> bool) -> Result<bool, Errno> {
        self.flush()?;
        loop {
            let received = self.input.get(self.read..).unwrap_or_default();
            let Some(end) = received.iter().position(|byte| *byte == b'\n') else {
                if received.len() > LINE_CAP_BYTES {
                    return Err(Errno::EPROTO);
                }
                self.step()?;
                continue;
            };
            let line = received.get(..end).unwrap_or_default();
            let (is, is_ok) = (is(line), line.starts_with(b"OK"));
            self.read += end + 1;
            return if is || is_ok { Ok(is) } else { Err(Errno::EPROTO) };
        }
    }

    fn hello(&mut self) -> Result<(), Errno> {
        const BUS: &str = "org.freedesktop.DBus";
        self.expect_replies();
        self.write(&Call {
            destination: BUS,
            path: b"/org/freedesktop/DBus",
            interface: BUS,
            member: "Hello",
            arguments: &[],
        });
        let mut outcome = Ok(());
        self.exchange(|_, message| {
            if message.kind == dbus::Kind::Error {
                outcome = Err(message.errno());
            }
        })?;
        outcome
    }

    /// Counts the positions of calls from the next one on.
    pub(super) fn expect_replies(&mut self) {
        self.first = self.serial + 1;
        self.replied.clear();
    }

    /// Writes a call, which the next [`Connection::exchange`] sends.
    pub(super) fn write(&mut self, call: &Call<'_>) {
        self.serial += 1;
        self.replied.push(false);
        call.write(self.serial, &mut self.output);
    }

    /// Sends what was written and hands replies with the positions of their calls to `read`, one at least.
    pub(super) fn exchange(&mut self, read: impl FnMut(usize, &Message<'_>)) -> Result<(), Errno> {
        let outcome = self.try_exchange(read);
        self.has_failed |= outcome.is_err();
        outcome
    }

    fn try_exchange(&mut self, mut read: impl FnMut(usize, &Message<'_>)) -> Result<(), Errno> {
        loop {
            let mut has_reply = false;
            while let Some(bytes) = next_message(&self.input, self.read)? {
                self.read += bytes.len();
                let message = dbus::message(bytes)?;
                // Signals and calls are not for us.
                let Some(serial) = message.reply_serial else { continue };
                let position = serial.checked_sub(self.first).and_then(|position| usize::try_from(position).ok());
                let position = position.ok_or(Errno::EBADMSG)?;
                let replied = self.replied.get_mut(position).filter(|replied| !**replied).ok_or(Errno::EBADMSG)?;
                *replied = true;
                has_reply = true;
                read(position, &message);
            }
            if has_reply {
                return Ok(());
            }
            self.step()?;
        }
    }

    /// Sends what can be sent and receives what is there, and waits for it.
    fn step(&mut self) -> Result<(), Errno> {
        loop {
            // Also while something always comes.
            let left = self.deadline.checked_sub(clock::monotonic()).filter(|left| !left.is_zero());
            let left = Timespec::try_from(left.ok_or(Errno::ETIMEDOUT)?).map_err(|_| Errno::EINVAL)?;
            self.flush()?;
            if self.receive()? {
                return Ok(());
            }
            let wanted = if self.output.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            retry_on_intr(|| poll(&mut [PollFd::new(&self.socket, wanted)], Some(&left))).map_err(errno)?;
        }
    }

    fn flush(&mut self) -> Result<(), Errno> {
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match retry_on_intr(|| send(&self.socket, rest, SendFlags::NOSIGNAL)).map_err(errno) {
                Ok(count) => self.sent += count,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.sent = 0;
        Ok(())
    }

    /// Whether anything was received.
    fn receive(&mut self) -> Result<bool, Errno> {
        self.input.drain(..self.read);
        self.read = 0;
        self.input.reserve(CHUNK_BYTES);
        match retry_on_intr(|| recv(&self.socket, spare_capacity(&mut self.input), RecvFlags::empty())).map_err(errno) {
            Ok((0, _)) => Err(Errno::ECONNRESET),
            Ok(_) => {
                self.has_received = true;
                Ok(true)
            }
            Err(Errno::EAGAIN) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The message at a position, if it was received whole.
fn next_message(input: &[u8], at: usize) -> Result<Option<&[u8]>, Errno> {
    let rest = input.get(at..).unwrap_or_default();
    Ok(dbus::message_size(rest)?.and_then(|size| rest.get(..size)))
}

/// A socket that is connected and never blocks.
fn connected(address: &SocketAddrUnix) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(errno)?;
    retry_on_intr(|| connect(&socket, address)).map_err(errno)?;
    Ok(socket)
}
