//! A D-Bus server for tests: it accepts every client and answers its calls as the test says.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Address, Bus};
use crate::host::kernel::dbus::{self, Message, Writer};

/// A server in a directory of its own. Its threads end with their connections.
pub(in super::super) struct StandIn {
    _directory: tempfile::TempDir,
    address: String,
    accepted: Arc<AtomicUsize>,
}

impl StandIn {
    /// Serves each connection by `serve`, which gets its number.
    pub(in super::super) fn raw(serve: impl Fn(usize, UnixStream) + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (counter, serve) = (Arc::clone(&accepted), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (number, serve) = (counter.fetch_add(1, Ordering::SeqCst), Arc::clone(&serve));
                thread::spawn(move || serve(number, stream.unwrap()));
            }
        });
        Self { _directory: directory, address: format!("unix:path={}", path.display()), accepted }
    }

    /// Authenticates each client and hands its calls, except for `Hello`, to `answer`, which writes to its last argument.
    pub(in super::super) fn new(answer: impl Fn(&Message<'_>, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self::raw(move |_, mut stream| {
            authenticate(&mut stream);
            serve(stream, &answer);
        })
    }

    /// A client with a bus's `Hello`.
    pub(in super::super) fn bus(&self) -> Bus {
        Bus::new(Address::new(&self.address, true))
    }

    /// The number of connections that were made.
    pub(in super::super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Receives a line byte by byte, so that nothing behind it is lost.
pub(super) fn line(stream: &mut UnixStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|count| count == 1) {
        line.push(byte[0]);
        if byte == *b"\n" {
            break;
        }
    }
    String::from_utf8(line).unwrap()
}

/// Accepts the first attempt of a client.
pub(in super::super) fn authenticate(stream: &mut UnixStream) {
    let user = rustix::process::geteuid().as_raw().to_string();
    let user = user.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(line(stream), format!("\0AUTH EXTERNAL {user}\r\n"));
    stream.write_all(b"OK 0123456789abcdef\r\n").unwrap();
    assert_eq!(line(stream), "BEGIN\r\n");
}

/// Answers the calls of a client until it closes the connection.
pub(in super::super) fn serve(mut stream: UnixStream, answer: &dyn Fn(&Message<'_>, &mut Vec<u8>)) {
    let (mut input, mut output, mut chunk) = (Vec::new(), Vec::new(), [0; 4096]);
    loop {
        while let Some(size) = dbus::message_size(&input).unwrap().filter(|size| *size <= input.len()) {
            let call: Vec<u8> = input.drain(..size).collect();
            let call = dbus::message(&call).unwrap();
            if call.member == b"Hello" {
                reply(&call, &mut output, b"s", |writer| writer.text(b":1.1"));
            } else {
                answer(&call, &mut output);
            }
        }
        if stream.write_all(&output).is_err() {
            return;
        }
        output.clear();
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => input.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Adds a reply to a call.
pub(in super::super) fn reply(
    call: &Message<'_>,
    into: &mut Vec<u8>,
    signature: &[u8],
    body: impl FnOnce(&mut Writer<'_>),
) {
    let mut writer = Writer::reply(into, 1, call.serial, b":1.1");
    writer.body(signature);
    body(&mut writer);
    writer.end();
}

/// Adds a refusal of a call.
pub(in super::super) fn refuse(call: &Message<'_>, into: &mut Vec<u8>, name: &str) {
    let mut writer = Writer::error(into, 1, call.serial, b":1.1", name);
    writer.body(b"");
    writer.end();
}
