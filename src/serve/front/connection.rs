//! The state machine of one connection, from its handshake to its end. It never waits: it says which event it needs.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use mio::Interest;

use super::head::{self, HEAD_MAX_BYTES, Refusal};
use super::reply::{self, Manner};
use crate::serve::answer::{Handle, Response};
use crate::serve::request::{Peer, Request, Security};
use crate::serve::stream::Stream;

/// Time for a complete head, however steadily it arrives.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a connection without a request is kept: longer than the interval of scrapers.
const IDLE_TIME: Duration = Duration::from_secs(330);

/// Time for a client to take the complete response.
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
    /// It waits for the socket, or for its deadline.
    Wait,
    /// The client sent this request, which [`Connection::answer`] answers.
    Ask(Request),
    /// The client sent a malformed request, which [`Connection::refuse`] answers.
    Refuse(Refusal),
    /// The connection has ended.
    Gone,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    peer: Peer,
    security: Option<Arc<Security>>,
    phase: Phase,
    /// When this phase ends.
    deadline: Duration,
    /// Input: the head so far, and what follows it.
    head: Vec<u8>,
    searched: usize,
    is_first: bool,
    manner: Option<Manner>,
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
            manner: None,
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

    /// The event that the connection needs. Only that: a socket that is always writable would keep the reactor busy where
    /// readiness is level-triggered.
    pub(super) fn interest(&self) -> Interest {
        match self.phase {
            Phase::Reply => Interest::WRITABLE,
            Phase::Handshake if self.stream.wants_to_write() => Interest::WRITABLE,
            _ => Interest::READABLE,
        }
    }

    /// Memory of the response, which is freed when the client has taken the last byte.
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
                        self.manner = Some(Manner::of(&request));
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

    /// The next complete request. The input after it stays.
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
        if let Some(mut manner) = self.manner {
            manner.keeps_connection &= !is_last;
            self.manner = Some(manner);
            self.reply(reply::bytes(response, manner), now);
        }
    }

    /// Whether a request of it is not answered.
    fn is_asking(&self) -> bool {
        self.phase == Phase::Head && self.manner.is_some()
    }

    /// Answers [`Step::Refuse`] with the handler's headers.
    pub(super) fn refuse(&mut self, refusal: Refusal, handler: &dyn Handle, now: Duration) {
        self.head = Vec::new();
        self.manner = None;
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

    /// The response is sent: waits for the next request, or for the end.
    fn sent(&mut self, now: Duration) -> io::Result<()> {
        self.reply = Vec::new();
        self.written = 0;
        if self.manner.take().is_some_and(|manner| manner.keeps_connection) {
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

    /// Handles the deadline. Returns whether the connection ends; else the next [`Connection::advance`] sends 408.
    pub(super) fn expire(&mut self, handler: &dyn Handle, now: Duration) -> bool {
        if self.phase != Phase::Head || (self.head.is_empty() && !self.is_first) {
            return true;
        }
        self.refuse(head::LATE, handler, now);
        // A client that does not take these few bytes at once is not waited for.
        self.deadline = now + LINGER_TIME;
        false
    }

    /// Whether the server may end without it: every request is answered.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Handshake | Phase::Head) && !self.is_asking()
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
#[expect(clippy::disallowed_methods, reason = "a connection has two ends")]
mod tests {
    use super::*;
    use crate::serve::stream::Socket;
    use std::net::{Shutdown, TcpListener, TcpStream};

    const START: Duration = Duration::from_secs(1000);
    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    /// Reads until data sent over loopback has arrived.
    const TRIES: usize = 2_000;

    /// Is never asked, and lets refusals be as they are.
    struct Nobody;

    impl Handle for Nobody {
        fn answer(self: std::sync::Arc<Self>, request: Request) -> super::super::super::answer::Answer {
            panic!("{request:?}")
        }
    }

    /// A connection whose time is told.
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
                    self.connection.refuse(refusal, &Nobody, now);
                    self.connection.advance(&mut space, now)
                }
                step => step,
            }
        }

        /// Until something comes of what was sent.
        fn until(&mut self, seconds: u64, is_so: impl Fn(&Connection) -> bool) -> Option<Step> {
            for _ in 0..TRIES {
                match self.advance(seconds) {
                    Step::Wait if !is_so(&self.connection) => std::thread::sleep(Duration::from_millis(1)),
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
            self.connection.expire(&Nobody, START + Duration::from_secs(seconds))
        }
    }

    #[test]
    fn a_head_has_ten_seconds_however_steadily_it_comes() {
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
    fn a_connection_that_is_kept_may_be_silent_until_it_begins_to_ask() {
        let mut pair = Pair::new();
        assert_eq!(pair.ask(3).target(), "/");
        assert!(pair.connection.is_asking() && !pair.connection.is_idle());
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
    fn requests_that_come_at_once_are_asked_one_by_one() {
        let mut pair = Pair::new();
        pair.client.write_all(&GET.repeat(3)).unwrap();
        for _ in 0..2 {
            assert!(matches!(pair.until(0, |_| false), Some(Step::Ask(_))));
            // Nothing more is read before the answer.
            pair.connection.answer(Response::plain(200, "x".to_owned()), false, START);
        }
        assert!(matches!(pair.until(0, |_| false), Some(Step::Ask(_))));
        pair.connection.answer(Response::plain(200, "x".to_owned()), true, START);
        assert!(matches!(pair.advance(0), Step::Wait));
        assert_eq!(pair.connection.phase, Phase::Linger);
    }

    #[test]
    fn an_answer_has_thirty_seconds_and_is_written_as_it_is_taken() {
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
    fn after_the_last_answer_only_so_much_is_read() {
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
    fn a_client_that_goes_is_gone() {
        let mut pair = Pair::new();
        pair.client.write_all(b"GET").unwrap();
        pair.client.shutdown(Shutdown::Write).unwrap();
        assert!(matches!(pair.until(0, |_| false), Some(Step::Gone)));
    }
}
