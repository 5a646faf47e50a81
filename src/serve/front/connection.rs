//! The state machine of one connection, from the handshake to the close. It never blocks: it reports the event it needs.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use mio::Interest;

use super::head::{self, HEAD_MAX_BYTES, Refusal};
use super::reply::{self, ReplyForm};
use crate::serve::handler::answer::Handle;
use crate::serve::request::Response;
use crate::serve::request::{Peer, Request, Security};
use crate::serve::stream::Stream;

/// Time limit of a complete head; arriving bytes do not extend it.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: longer than the intervals of scrapers.
const IDLE_TIME: Duration = Duration::from_secs(330);

/// Time limit for sending a complete response.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long unread input is drained before the connection is closed, so that a reset does not discard the response.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Maximum number of bytes that are drained.
const LINGER_MAX_BYTES: usize = 1 << 20;

/// Buffer for one read.
pub(super) type Scratch = [u8; HEAD_MAX_BYTES];

/// The phase of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Handshake,
    Head,
    Reply,
    Linger,
}

/// The result of [`Connection::advance`].
#[derive(Debug)]
pub(super) enum Step {
    /// The connection waits for an event or for its deadline.
    Wait,
    /// The client sent this request, which [`Connection::answer`] answers.
    Ask(Request),
    /// The client sent a malformed request, which [`Connection::refuse`] answers.
    Refuse(Refusal),
    /// The connection is closed.
    Gone,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    peer: Peer,
    security: Option<Arc<Security>>,
    phase: Phase,
    /// Deadline of the phase.
    deadline: Duration,
    /// Unparsed input: a part of a head, and pipelined requests after it.
    head: Vec<u8>,
    searched: usize,
    is_first: bool,
    form: Option<ReplyForm>,
    reply: Vec<u8>,
    written: usize,
    lingered: usize,
    /// The events the reactor waits for.
    pub(super) registered: Interest,
}

impl Connection {
    /// A connection that was accepted at `now`.
    pub(super) fn new(stream: Stream, peer: Peer, now: Duration) -> Self {
        Self {
            stream,
            peer,
            security: None,
            phase: Phase::Handshake,
            deadline: now + HEAD_TIME,
            head: Vec::new(),
            searched: 0,
            is_first: true,
            form: None,
            reply: Vec::new(),
            written: 0,
            lingered: 0,
            registered: Interest::READABLE,
        }
    }

    /// The client's address.
    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// When [`Connection::expire`] has to be called.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The event source of the socket.
    pub(super) fn source(&mut self) -> &mut dyn mio::event::Source {
        self.stream.source()
    }

    /// The only event that the connection needs now. Registering for writability all the time would keep the reactor busy
    /// where readiness is level-triggered.
    pub(super) fn interest(&self) -> Interest {
        match self.phase {
            Phase::Reply => Interest::WRITABLE,
            Phase::Handshake if self.stream.wants_to_write() => Interest::WRITABLE,
            _ => Interest::READABLE,
        }
    }

    /// Size of the response, which is freed after its last byte is sent.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.reply.len()
    }

    /// Advances as far as possible without waiting.
    pub(super) fn advance(&mut self, scratch: &mut Scratch, now: Duration) -> Step {
        let step = self.step(scratch, now);
        match step {
            Ok(step) => step,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Wait,
            Err(_) => Step::Gone,
        }
    }

    fn step(&mut self, scratch: &mut Scratch, now: Duration) -> io::Result<Step> {
        loop {
            match self.phase {
                Phase::Handshake => {
                    self.stream.handshake()?;
                    self.security = self.stream.security();
                    self.phase = Phase::Head;
                }
                Phase::Head => match self.request() {
                    Ok(Some(request)) => {
                        self.form = Some(ReplyForm::of(&request));
                        return Ok(Step::Ask(request));
                    }
                    Ok(None) => {
                        let length = read(&mut self.stream, scratch.get_mut(self.head.len()..).unwrap_or_default())?;
                        if length == 0 {
                            return Ok(Step::Gone);
                        }
                        if self.head.is_empty() && !self.is_first {
                            self.deadline = now + HEAD_TIME;
                        }
                        let end = self.head.len() + length;
                        let fresh = scratch.get(self.head.len()..end).unwrap_or_default();
                        self.head.extend_from_slice(fresh);
                    }
                    Err(refusal) => return Ok(Step::Refuse(refusal)),
                },
                Phase::Reply => {
                    self.send()?;
                    self.sent(now)?;
                }
                Phase::Linger => {
                    let length = read(&mut self.stream, scratch)?;
                    self.lingered += length;
                    if length == 0 || self.lingered > LINGER_MAX_BYTES {
                        return Ok(Step::Gone);
                    }
                }
            }
        }
    }

    /// The next complete request. Input after it stays buffered.
    fn request(&mut self) -> Result<Option<Request>, Refusal> {
        let Some(end) = head::end(&self.head, &mut self.searched)? else { return Ok(None) };
        let request = head::parse(self.head.get(..end).unwrap_or_default(), self.peer, self.security.clone())?;
        self.head = self.head.split_off(end);
        self.searched = 0;
        self.is_first = false;
        Ok(Some(request))
    }

    /// Answers [`Step::Ask`]; the response is sent by the next [`Connection::advance`].
    pub(super) fn answer(&mut self, response: Response, is_last: bool, now: Duration) {
        if let Some(mut form) = self.form {
            form.keeps_connection &= !is_last;
            self.form = Some(form);
            self.reply(reply::bytes(response, form), now);
        }
    }

    /// Whether a request is unanswered.
    fn has_request(&self) -> bool {
        self.phase == Phase::Head && self.form.is_some()
    }

    /// Answers [`Step::Refuse`] with the handler's headers.
    pub(super) fn refuse(&mut self, refusal: Refusal, handler: &dyn Handle, now: Duration) {
        self.head = Vec::new();
        self.form = None;
        self.reply(reply::refused(refusal, handler), now);
    }

    fn reply(&mut self, bytes: Vec<u8>, now: Duration) {
        self.reply = bytes;
        self.written = 0;
        self.phase = Phase::Reply;
        self.deadline = now + WRITE_TIME;
    }

    fn send(&mut self) -> io::Result<()> {
        while let Some(rest) = self.reply.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.stream.flush()
    }

    /// Continues after the response: with the next request, or with the close.
    fn sent(&mut self, now: Duration) -> io::Result<()> {
        self.reply = Vec::new();
        self.written = 0;
        if self.form.take().is_some_and(|form| form.keeps_connection) {
            self.phase = Phase::Head;
            self.deadline = now + if self.head.is_empty() { IDLE_TIME } else { HEAD_TIME };
        } else {
            self.phase = Phase::Linger;
            self.head = Vec::new();
            self.deadline = now + LINGER_TIME;
            self.stream.finish()?;
        }
        Ok(())
    }

    /// Handles the deadline. Returns whether to close the connection; otherwise the next [`Connection::advance`] sends 408.
    pub(super) fn expire(&mut self, handler: &dyn Handle, now: Duration) -> bool {
        if self.phase != Phase::Head || (self.head.is_empty() && !self.is_first) {
            return true;
        }
        self.refuse(head::LATE, handler, now);
        // The response is short: a client that does not read it at once gets no more time.
        self.deadline = now + LINGER_TIME;
        false
    }

    /// Whether no request is unanswered and no response is unsent, so that a stopping server can close it.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Handshake | Phase::Head) && !self.has_request()
    }
}

fn read(stream: &mut Stream, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test is the client")]
mod tests {
    use super::*;
    use crate::serve::stream::Socket;
    use std::net::{Shutdown, TcpListener, TcpStream};

    const START: Duration = Duration::from_secs(1000);
    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    /// Maximum number of attempts until data sent over loopback has arrived.
    const TRIES: usize = 2_000;

    /// A handler that gets no request and does not change refusals.
    struct NoHandler;

    impl Handle for NoHandler {
        fn answer(self: std::sync::Arc<Self>, request: Request) -> crate::serve::handler::answer::Answer {
            panic!("{request:?}")
        }
    }

    /// A client and a server connection with a simulated clock.
    struct Pair {
        connection: Connection,
        client: TcpStream,
    }

    impl Pair {
        fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, address) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let stream = Stream::new(Socket::Tcp(mio::net::TcpStream::from_std(stream)), None);
            Self { connection: Connection::new(stream, Peer::Internet(address), START), client }
        }

        fn advance(&mut self, seconds: u64) -> Step {
            let (mut space, now) = ([0; HEAD_MAX_BYTES], START + Duration::from_secs(seconds));
            match self.connection.advance(&mut space, now) {
                Step::Refuse(refusal) => {
                    self.connection.refuse(refusal, &NoHandler, now);
                    self.connection.advance(&mut space, now)
                }
                step => step,
            }
        }

        /// Advances until there is a step other than `Wait`, or the condition holds.
        fn until(&mut self, seconds: u64, is_reached: impl Fn(&Connection) -> bool) -> Option<Step> {
            for _ in 0..TRIES {
                match self.advance(seconds) {
                    Step::Wait if !is_reached(&self.connection) => std::thread::sleep(Duration::from_millis(1)),
                    step => return Some(step),
                }
            }
            None
        }

        fn ask(&mut self, seconds: u64) -> Request {
            self.client.write_all(GET).unwrap();
            match self.until(seconds, |_| false) {
                Some(Step::Ask(request)) => request,
                other => panic!("{other:?}"),
            }
        }

        fn answer(&mut self, bytes: usize, seconds: u64) -> Step {
            let response = Response { status: 200, headers: Vec::new(), body: vec![b'a'; bytes] };
            self.connection.answer(response, false, START + Duration::from_secs(seconds));
            self.advance(seconds)
        }

        #[track_caller]
        fn check_deadline(&self, seconds: u64) {
            assert_eq!(self.connection.deadline(), START + Duration::from_secs(seconds));
        }

        fn expire(&mut self, seconds: u64) -> bool {
            self.connection.expire(&NoHandler, START + Duration::from_secs(seconds))
        }
    }

    #[test]
    fn arriving_bytes_do_not_extend_the_ten_seconds_of_a_head() {
        let mut pair = Pair::new();
        for (second, byte) in (1..).zip(b"GET /") {
            pair.client.write_all(&[*byte]).unwrap();
            let length = usize::try_from(second).unwrap();
            assert!(matches!(pair.until(second, |connection| connection.head.len() == length), Some(Step::Wait)));
            pair.check_deadline(10);
        }
        assert!(!pair.expire(10));
        assert!(matches!(pair.advance(10), Step::Wait));
        pair.check_deadline(11);
        assert!(pair.expire(11));
        drop(pair.connection);
        let mut answer = String::new();
        pair.client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }

    #[test]
    fn a_kept_connection_has_the_idle_time_until_its_next_request_begins() {
        let mut pair = Pair::new();
        assert_eq!(pair.ask(3).target(), "/");
        assert!(pair.connection.has_request() && !pair.connection.is_idle());
        assert!(matches!(pair.answer(5, 4), Step::Wait));
        assert!(pair.connection.is_idle());
        pair.check_deadline(4 + 330);
        pair.client.write_all(b"GET").unwrap();
        pair.until(100, |connection| !connection.head.is_empty()).unwrap();
        pair.check_deadline(110);
        let mut silent = Pair::new();
        silent.ask(0);
        silent.answer(5, 1);
        assert!(silent.expire(331));
    }

    #[test]
    fn pipelined_requests_are_answered_one_by_one() {
        let mut pair = Pair::new();
        pair.client.write_all(&GET.repeat(3)).unwrap();
        for _ in 0..2 {
            assert!(matches!(pair.until(0, |_| false), Some(Step::Ask(_))));
            // Further input is not read before the response.
            pair.connection.answer(Response::plain(200, "x".to_owned()), false, START);
        }
        assert!(matches!(pair.until(0, |_| false), Some(Step::Ask(_))));
        pair.connection.answer(Response::plain(200, "x".to_owned()), true, START);
        assert!(matches!(pair.advance(0), Step::Wait));
        assert_eq!(pair.connection.phase, Phase::Linger);
    }

    #[test]
    fn a_response_has_thirty_seconds_and_is_sent_as_the_client_reads() {
        const LARGE: usize = 64 << 20;
        let mut pair = Pair::new();
        pair.ask(1);
        assert!(matches!(pair.answer(LARGE, 5), Step::Wait));
        let (kept, written) = (pair.connection.unsent_bytes(), pair.connection.written);
        assert!(kept > LARGE && written > 0 && written < kept);
        assert_eq!(pair.connection.interest(), Interest::WRITABLE);
        pair.check_deadline(35);
        let mut taken = vec![0; pair.connection.written];
        pair.client.read_exact(&mut taken).unwrap();
        pair.until(6, |connection| connection.written > written).unwrap();
        assert!(pair.connection.written > written);
        assert_eq!(pair.connection.unsent_bytes(), kept);
        pair.check_deadline(35);
        assert!(pair.expire(35));
    }

    #[test]
    fn draining_after_the_last_response_is_limited() {
        let mut pair = Pair::new();
        pair.client.write_all(b"\n").unwrap();
        pair.until(0, |connection| connection.phase == Phase::Linger).unwrap();
        pair.check_deadline(1);
        let mut client = pair.client.try_clone().unwrap();
        let writer = std::thread::spawn(move || client.write_all(&vec![b'a'; 8 * LINGER_MAX_BYTES]).is_err());
        assert!(matches!(pair.until(0, |_| false), Some(Step::Gone)));
        assert!(pair.connection.lingered > LINGER_MAX_BYTES);
        drop(pair.connection);
        assert!(writer.join().unwrap());
    }

    #[test]
    fn a_disconnect_closes_the_connection() {
        let mut pair = Pair::new();
        pair.client.write_all(b"GET").unwrap();
        pair.client.shutdown(Shutdown::Write).unwrap();
        assert!(matches!(pair.until(0, |_| false), Some(Step::Gone)));
    }
}
