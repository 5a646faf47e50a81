//! Netlink exchanges: a request is sent, its complete answer is collected and then parsed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::net::{Protocol, netdevice};

use super::socket::{Channel, Socket};
use crate::host::errno::Errno;
use crate::host::kernel::netlink::{Malformed, Message, Progress, messages, progress};

/// Timeout of an answer.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum size of an answer: about forty thousand devices, or a million neighbours.
const ANSWER_CAP_BYTES: usize = 64 * 1024 * 1024;
/// Maximum requests for a dump that is interrupted by changes of the table. The last dump is used even if interrupted.
const DUMP_ATTEMPTS: u32 = 3;
/// Maximum number of open idle sockets; further concurrent questions open temporary ones.
const IDLE_CAP: usize = 4;

/// Sockets of one netlink protocol, each used by one question at a time.
#[derive(Debug)]
pub(super) struct Exchanges {
    protocol: Option<Protocol>,
    idle: Mutex<Vec<Exchange>>,
}

impl Exchanges {
    /// Exchanges without an open socket. `None` is rtnetlink.
    pub(super) fn new(protocol: Option<Protocol>) -> Self {
        Self { protocol, idle: Mutex::new(Vec::with_capacity(IDLE_CAP)) }
    }

    /// Sends the request that `write` builds for a sequence number, and passes the complete answer to `read`.
    ///
    /// After a failed exchange or a panic of `read` the socket is closed, so that a late answer cannot be mistaken for that
    /// of another question. After an error of the kernel it stays open.
    pub(super) fn ask<T>(
        &self,
        write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>,
        read: impl FnOnce(&Exchange) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut exchange = self.take()?;
        let outcome = exchange.ask(write)?.and_then(|()| read(&exchange));
        self.put_back(exchange);
        outcome
    }

    /// Sends the request that `write` makes of a sequence number, and hands the messages of its answer to `read` while
    /// they arrive, so that an answer of any size takes the memory of one datagram. The table may change meanwhile: then
    /// the answer is neither the old nor the new one, and is not asked for again.
    pub(super) fn stream(
        &self,
        write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>,
        mut read: impl FnMut(&Message<'_>, &mut Devices<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let mut exchange = self.take()?;
        let outcome = exchange.stream(write, |socket, messages| {
            let mut devices = Devices { socket, last: None };
            for message in messages {
                read(&message?, &mut devices)?;
            }
            Ok(())
        })?;
        self.put_back(exchange);
        outcome
    }

    fn take(&self) -> Result<Exchange, Errno> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(exchange) => Ok(exchange),
            None => Ok(Exchange::new(Socket::open(self.protocol, RECEIVE_TIMEOUT)?)),
        }
    }

    fn put_back(&self, exchange: Exchange) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CAP {
            idle.push(exchange);
        }
    }

    #[cfg(test)]
    pub(super) fn idle_count(&self) -> usize {
        self.idle.lock().unwrap().len()
    }
}

/// A channel with its buffers.
#[derive(Debug)]
pub(super) struct Exchange<C = Socket> {
    channel: C,
    sequence: u32,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl<C: Channel> Exchange<C> {
    fn new(channel: C) -> Self {
        Self { channel, sequence: 0, request: Vec::new(), answer: Vec::new() }
    }

    /// Runs an exchange. The outer error is that of the exchange, the inner one that of the kernel.
    fn ask(&mut self, write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>) -> Result<Result<(), Errno>, Errno> {
        for attempt in 1.. {
            if let Err(refused) = self.send(&write)? {
                return Ok(Err(refused));
            }
            let (status, interrupted) = self.receive()?;
            if !interrupted || status.is_err() || attempt == DUMP_ATTEMPTS {
                return Ok(status);
            }
        }
        Ok(Ok(()))
    }

    /// Sends a request with the next sequence number. The outer error is one of the exchange, the inner one of `write`.
    fn send(&mut self, write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>) -> Result<Result<(), Errno>, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        self.request.clear();
        if let Err(refused) = write(&mut self.request, self.sequence) {
            return Ok(Err(refused));
        }
        self.channel.send(&self.request).map(Ok)
    }

    /// Hands the messages of each datagram to `read`, without the memory of those before. The outer error is one of the
    /// exchange or of `read`, the inner one the kernel's answer.
    fn stream(
        &mut self,
        write: impl Fn(&mut Vec<u8>, u32) -> Result<(), Errno>,
        mut read: impl FnMut(&C, &mut dyn Iterator<Item = Result<Message<'_>, Malformed>>) -> Result<(), Errno>,
    ) -> Result<Result<(), Errno>, Errno> {
        if let Err(refused) = self.send(write)? {
            return Ok(Err(refused));
        }
        loop {
            self.answer.clear();
            self.channel.receive(&mut self.answer)?;
            if self.answer.is_empty() {
                return Err(Errno::EBADMSG);
            }
            let Progress { ended, .. } = progress(&self.answer, self.sequence)?;
            let sequence = self.sequence;
            let is_ours = move |message: &Message<'_>| message.sequence == sequence;
            read(&self.channel, &mut messages(&self.answer).filter(|message| message.as_ref().map_or(true, is_ours)))?;
            if let Some(status) = ended {
                return Ok(status);
            }
        }
    }

    /// Collects the datagrams of an answer. Returns how it ended and whether it was interrupted.
    fn receive(&mut self) -> Result<(Result<(), Errno>, bool), Errno> {
        self.answer.clear();
        let mut interrupted = false;
        loop {
            let start = self.answer.len();
            self.channel.receive(&mut self.answer)?;
            // The next datagram must begin at an aligned offset.
            self.answer.resize(self.answer.len().next_multiple_of(4), 0);
            let received = self.answer.get(start..).filter(|received| !received.is_empty()).ok_or(Errno::EBADMSG)?;
            let Progress { ended, interrupted: now } = progress(received, self.sequence)?;
            interrupted |= now;
            if self.answer.len() > ANSWER_CAP_BYTES {
                return Err(Errno::ENOBUFS);
            }
            if let Some(status) = ended {
                return Ok((status, interrupted));
            }
        }
    }

    /// The messages of this kind in the last answer.
    pub(super) fn messages(&self, kind: u16) -> impl Iterator<Item = Result<Message<'_>, Malformed>> {
        let wanted = move |message: &Message<'_>| message.kind == kind && message.sequence == self.sequence;
        messages(&self.answer).filter(move |message| message.as_ref().map_or(true, wanted))
    }
}

impl Exchange {
    /// Device names by index.
    pub(super) fn devices(&self) -> Devices<'_> {
        Devices { socket: &self.channel, last: None }
    }
}

/// Lookup of device names, with a cache of the last one: the kernel lists addresses device by device.
pub(super) struct Devices<'a> {
    socket: &'a Socket,
    last: Option<(u32, netdevice::InlinedName)>,
}

impl Devices<'_> {
    /// The name of a device; `None` if the device was removed or its name is not UTF-8.
    pub(super) fn name(&mut self, index: u32) -> Option<&[u8]> {
        if self.last.is_none_or(|(last, _)| last != index) {
            self.last = Some((index, self.socket.device_name(index)?));
        }
        self.last.as_ref().map(|(_, name)| name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::netlink::{
        Builder, FLAG_DUMP, FLAG_DUMP_INTERRUPTED, FLAG_REQUEST, KIND_DONE, KIND_ERROR, KIND_OVERRUN,
    };

    const KIND: u16 = 16;
    const MULTIPART: u16 = 2;

    /// A step of a scripted kernel: takes the sequence number of a request and returns the answer.
    type Step = Box<dyn FnMut(u32) -> Result<Vec<u8>, Errno>>;

    /// A kernel that sends scripted answers.
    struct Scripted {
        steps: std::vec::IntoIter<Step>,
        asked: Vec<u32>,
    }

    impl Channel for Scripted {
        fn send(&mut self, request: &[u8]) -> Result<(), Errno> {
            self.asked.push(messages(request).next().unwrap().unwrap().sequence);
            Ok(())
        }

        fn receive(&mut self, into: &mut Vec<u8>) -> Result<(), Errno> {
            let mut step = self.steps.next().expect("no more is asked for than is written down");
            into.extend(step(*self.asked.last().expect("a request before its answer"))?);
            Ok(())
        }
    }

    fn scripted(steps: Vec<Step>) -> Exchange<Scripted> {
        Exchange::new(Scripted { steps: steps.into_iter(), asked: Vec::new() })
    }

    /// A message as part of a datagram.
    fn message(kind: u16, flags: u16, body: &'static [u8]) -> Step {
        Box::new(move |sequence| Ok(encoded(kind, flags, sequence, body)))
    }

    fn encoded(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, kind, flags, sequence);
        builder.body(body);
        builder.finish().unwrap();
        bytes
    }

    fn done() -> Step {
        message(KIND_DONE, MULTIPART, &[0; 4])
    }

    fn ask(exchange: &mut Exchange<Scripted>) -> Result<Result<(), Errno>, Errno> {
        exchange.ask(|into, sequence| Builder::new(into, 18, FLAG_REQUEST | FLAG_DUMP, sequence).finish())
    }

    #[track_caller]
    fn check(steps: Vec<Step>, expected: Result<Result<(), Errno>, Errno>, asked: usize, found: &[&[u8]]) {
        let mut exchange = scripted(steps);
        assert_eq!(ask(&mut exchange), expected);
        assert_eq!(exchange.channel.asked.len(), asked, "requests");
        assert_eq!(exchange.channel.steps.len(), 0, "unread datagrams");
        let payloads: Vec<_> = exchange.messages(KIND).map(|message| message.unwrap().payload).collect();
        assert_eq!(payloads, found);
    }

    fn sound(body: &'static [u8]) -> Step {
        message(KIND, MULTIPART, body)
    }

    fn interrupted(body: &'static [u8]) -> Step {
        message(KIND, MULTIPART | FLAG_DUMP_INTERRUPTED, body)
    }

    #[test]
    fn an_answer_is_the_datagrams_up_to_its_end() {
        check(vec![sound(b"aaaa"), sound(b"bbbb"), done()], Ok(Ok(())), 1, &[b"aaaa", b"bbbb"]);
        check(vec![done()], Ok(Ok(())), 1, &[]);
        let number = |number: i32| -> &'static [u8] { number.to_ne_bytes().to_vec().leak() };
        check(vec![message(KIND_ERROR, 0, number(-1))], Ok(Err(Errno::EPERM)), 1, &[]);
        check(vec![sound(b"aaaa"), message(KIND_OVERRUN, 0, &[])], Err(Errno::ENOBUFS), 1, &[b"aaaa"]);
    }

    #[test]
    fn messages_with_other_sequence_numbers_are_skipped() {
        let late: Step = Box::new(|sequence| Ok(encoded(KIND, 2, sequence.wrapping_sub(1), b"late")));
        let ended: Step = Box::new(|sequence| Ok(encoded(KIND_DONE, 2, sequence.wrapping_sub(1), &[0; 4])));
        check(vec![late, ended, sound(b"aaaa"), done()], Ok(Ok(())), 1, &[b"aaaa"]);
    }

    #[test]
    fn an_interrupted_dump_is_repeated() {
        let steps = vec![interrupted(b"old1"), sound(b"old2"), done(), sound(b"new1"), done()];
        check(steps, Ok(Ok(())), 2, &[b"new1"]);
        let at_its_end = message(KIND_DONE, MULTIPART | FLAG_DUMP_INTERRUPTED, &[0; 4]);
        check(vec![sound(b"old1"), at_its_end, done()], Ok(Ok(())), 2, &[]);
    }

    #[test]
    fn a_dump_that_stays_interrupted_is_used_after_the_last_attempt() {
        let of = |changed: u32| {
            let round = |number| if number < changed { interrupted(b"same") } else { sound(b"same") };
            (0..=changed).take(DUMP_ATTEMPTS as usize).flat_map(|number| [round(number), done()]).collect::<Vec<_>>()
        };
        check(of(DUMP_ATTEMPTS - 1), Ok(Ok(())), DUMP_ATTEMPTS as usize, &[b"same"]);
        check(of(DUMP_ATTEMPTS), Ok(Ok(())), DUMP_ATTEMPTS as usize, &[b"same"]);
    }

    #[test]
    fn an_error_of_the_kernel_is_not_retried() {
        let number = (-12_i32).to_ne_bytes().to_vec().leak();
        let refused = message(KIND_DONE, MULTIPART | FLAG_DUMP_INTERRUPTED, number);
        check(vec![interrupted(b"some"), refused], Ok(Err(Errno::ENOMEM)), 1, &[b"some"]);
    }

    #[test]
    fn the_size_of_an_answer_is_limited() {
        const PIECE_BYTES: usize = 1024 * 1024;
        const DONE_BYTES: usize = 20;
        let piece = |size_bytes: usize| -> Step {
            Box::new(move |sequence| Ok(encoded(KIND, MULTIPART, sequence, &vec![0; size_bytes - 16])))
        };
        // With one message more or less, the answer ends at its limit or four bytes beyond.
        let of = |beyond: usize| {
            let mut steps: Vec<Step> = (1..ANSWER_CAP_BYTES / PIECE_BYTES).map(|_| piece(PIECE_BYTES)).collect();
            steps.extend([piece(PIECE_BYTES - DONE_BYTES + beyond), done()]);
            let mut exchange = scripted(steps);
            (ask(&mut exchange), exchange.answer.len())
        };
        assert_eq!(of(0), (Ok(Ok(())), ANSWER_CAP_BYTES));
        assert_eq!(of(4), (Err(Errno::ENOBUFS), ANSWER_CAP_BYTES + 4));
    }

    #[track_caller]
    fn check_stream(steps: Vec<Step>, expected: Result<Result<(), Errno>, Errno>, found: &[&[u8]]) {
        let mut exchange = scripted(steps);
        let mut payloads = Vec::new();
        let write = |into: &mut Vec<u8>, sequence| Builder::new(into, 26, FLAG_REQUEST | FLAG_DUMP, sequence).finish();
        let outcome = exchange.stream(write, |_, messages| {
            for message in messages {
                let message = message?;
                payloads.extend((message.kind == KIND).then(|| message.payload.to_vec()));
            }
            Ok(())
        });
        assert_eq!(outcome, expected);
        assert_eq!(exchange.channel.steps.len(), 0, "unread datagrams");
        assert_eq!(payloads, found);
        assert!(exchange.answer.len() <= 20, "one datagram at a time: {}", exchange.answer.len());
    }

    #[test]
    fn a_stream_is_read_while_it_arrives() {
        check_stream(vec![sound(b"aaaa"), sound(b"bbbb"), done()], Ok(Ok(())), &[b"aaaa", b"bbbb"]);
        // Unlike a collected answer, one that was interrupted is taken as it is.
        check_stream(vec![interrupted(b"some"), sound(b"more"), done()], Ok(Ok(())), &[b"some", b"more"]);
        let late: Step = Box::new(|sequence| Ok(encoded(KIND, 2, sequence.wrapping_sub(1), b"late")));
        check_stream(vec![late, done()], Ok(Ok(())), &[]);
        let refused = message(KIND_ERROR, 0, (-1_i32).to_ne_bytes().to_vec().leak());
        check_stream(vec![refused], Ok(Err(Errno::EPERM)), &[]);
        check_stream(vec![sound(b"aaaa"), Box::new(|_| Err(Errno::ETIMEDOUT))], Err(Errno::ETIMEDOUT), &[b"aaaa"]);
        check_stream(vec![Box::new(|_| Ok(Vec::new()))], Err(Errno::EBADMSG), &[]);
        check_stream(vec![sound(b"aaaa"), message(KIND_OVERRUN, 0, &[])], Err(Errno::ENOBUFS), &[b"aaaa"]);
        check_stream(vec![Box::new(|_| Ok(vec![0; 7]))], Err(Errno::EBADMSG), &[]);
    }

    #[test]
    fn an_error_of_the_channel_ends_the_exchange() {
        let silence: Step = Box::new(|_| Err(Errno::ETIMEDOUT));
        check(vec![sound(b"aaaa"), silence], Err(Errno::ETIMEDOUT), 1, &[b"aaaa"]);
        let nothing: Step = Box::new(|_| Ok(Vec::new()));
        check(vec![nothing], Err(Errno::EBADMSG), 1, &[]);
        let padded: Step = Box::new(|sequence| {
            let mut bytes = encoded(KIND, MULTIPART, sequence, b"aa\0\0");
            bytes[..4].copy_from_slice(&18_u32.to_ne_bytes());
            bytes.truncate(18);
            Ok(bytes)
        });
        check(vec![padded, sound(b"bbbb"), done()], Ok(Ok(())), 1, &[b"aa", b"bbbb"]);
    }

    #[test]
    fn a_request_that_cannot_be_written_is_not_sent() {
        let mut exchange = scripted(Vec::new());
        assert_eq!(exchange.ask(|_, _| Err(Errno::ENODEV)), Ok(Err(Errno::ENODEV)));
        assert_eq!(exchange.channel.asked, []);
    }
}
