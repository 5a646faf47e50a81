use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::stand_in::{StandIn, authenticate, line, refuse, reply, serve};
use super::*;
use crate::host::kernel::clock;
use crate::host::kernel::dbus::Writer;

const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = Duration::from_secs(60);

/// Calls `Echo` with a text, and returns the text of the reply.
fn echo(bus: &Bus, text: &str) -> Result<String, Errno> {
    bus.ask(|calls| {
        calls.call(&echo_call(&[text]), |message| {
            Ok(String::from_utf8(message.body_of(b"s")?.text()?.to_vec()).unwrap())
        })
    })
}

fn echo_call<'a>(arguments: &'a [&'a str]) -> Call<'a> {
    Call { destination: "org.example", path: b"/a", interface: "org.example", member: "Echo", arguments }
}

fn answer_echo(call: &Message<'_>, into: &mut Vec<u8>) {
    let text = call.body_of(b"s").unwrap().text().unwrap();
    match text {
        b"refuse" => refuse(call, into, "org.freedesktop.DBus.Error.AccessDenied"),
        text => reply(call, into, b"s", |writer| writer.text(text)),
    }
}

#[test]
fn one_connection_serves_all_questions() {
    let server = StandIn::new(answer_echo);
    let bus = server.bus().with_timeout(LONG);
    for text in ["a", "", "b"] {
        assert_eq!(echo(&bus, text), Ok(text.to_owned()));
    }
    assert_eq!(echo(&bus, "refuse"), Err(Errno::EACCES));
    assert_eq!(echo(&bus, "c"), Ok("c".to_owned()));
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_connection_that_was_closed_is_replaced() {
    let server = StandIn::raw(|_, mut stream| {
        authenticate(&mut stream);
        let calls = AtomicUsize::new(0);
        let once = stream.try_clone().unwrap();
        serve(stream, &move |call, into| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => answer_echo(call, into),
            _ => once.shutdown(std::net::Shutdown::Both).unwrap(),
        });
    });
    let bus = server.bus().with_timeout(LONG);
    for (text, connections) in [("a", 1), ("b", 2), ("c", 3)] {
        assert_eq!((echo(&bus, text), server.accepted()), (Ok(text.to_owned()), connections));
    }
}

/// A server that always closes is not asked without end.
#[test]
fn a_server_that_closes_at_once_is_an_error() {
    let server = StandIn::raw(|_, mut stream| authenticate(&mut stream));
    let bus = server.bus().with_timeout(LONG);
    assert!(matches!(echo(&bus, "a"), Err(Errno::ECONNRESET | Errno::EPIPE)));
    assert_eq!(server.accepted(), 1);
}

#[track_caller]
fn is_late(server: &StandIn) {
    let bus = server.bus().with_timeout(SHORT);
    let before = clock::monotonic();
    assert_eq!(echo(&bus, "a"), Err(Errno::ETIMEDOUT));
    let waited = clock::monotonic().saturating_sub(before);
    assert!(waited >= SHORT && waited < LONG / 2, "{waited:?}");
}

#[test]
fn silence_ends_at_the_deadline_wherever_it_begins() {
    is_late(&StandIn::raw(|_, mut stream| drop(stream.read_to_end(&mut Vec::new()))));
    is_late(&StandIn::raw(|_, mut stream| {
        authenticate(&mut stream);
        let _ = stream.read_to_end(&mut Vec::new());
    }));
    is_late(&StandIn::new(|_, _| ()));
}

#[test]
fn a_server_that_sends_only_signals_is_late() {
    is_late(&StandIn::raw(|_, mut stream| {
        authenticate(&mut stream);
        let mut signal = Vec::new();
        let mut writer = Writer::begin(&mut signal, Kind::Other, 1);
        writer.body(b"");
        writer.end();
        while stream.write_all(&signal).is_ok() {}
    }));
}

/// A late reply must not be taken for that of the next question.
#[test]
fn a_connection_with_a_missing_reply_is_closed() {
    let server = StandIn::raw(|number, mut stream| {
        authenticate(&mut stream);
        serve(stream, &move |call, into| {
            if number > 0 {
                answer_echo(call, into);
            }
        });
    });
    let bus = server.bus().with_timeout(SHORT);
    assert_eq!(echo(&bus, "late"), Err(Errno::ETIMEDOUT));
    let bus = bus.with_timeout(LONG);
    assert_eq!((echo(&bus, "a"), server.accepted()), (Ok("a".to_owned()), 2));
}

#[test]
fn a_server_without_a_listener_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none");
    let bus = Bus::new(Address::new(&format!("unix:path={}", path.display()), true));
    assert_eq!(echo(&bus, "a"), Err(Errno::ENOENT));
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert_eq!(echo(&bus, "a"), Err(Errno::ECONNREFUSED));
}

#[test]
fn hostile_bytes_end_the_connection() {
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"l\x02\x00\x01\xff\xff\xff\xff\x01\x00\x00\x00\xff\xff\xff\xff",
        // A reply to a call that was never made.
        b"l\x02\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x05\x01u\x00\x09\x00\x00\x00",
    ] {
        let server = StandIn::raw(move |number, mut stream| {
            authenticate(&mut stream);
            serve(stream, &move |call, into| match number {
                0 => into.extend_from_slice(bytes),
                _ => answer_echo(call, into),
            });
        });
        let bus = server.bus().with_timeout(LONG);
        assert_eq!(echo(&bus, "a"), Err(Errno::EBADMSG), "{}", bytes.escape_ascii());
        assert_eq!((echo(&bus, "b"), server.accepted()), (Ok("b".to_owned()), 2));
    }
}

#[test]
fn a_user_of_another_number_is_told_by_the_socket() {
    let accepts = |first: &'static str, second: &'static str| {
        let server = StandIn::raw(move |_, mut stream| {
            let mut say = |text: &str| stream.write_all(text.as_bytes()).unwrap();
            say("REJECTED EXTERNAL\r\n");
            say(first);
            say(second);
            if second.starts_with("OK") {
                for expected in ["\0AUTH EXTERNAL", "AUTH EXTERNAL\r\n", "DATA\r\n", "BEGIN\r\n"] {
                    let line = line(&mut stream);
                    assert!(line.starts_with(expected), "{line:?}");
                }
                serve(stream, &answer_echo);
            } else {
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        echo(&server.bus().with_timeout(LONG), "a")
    };
    assert_eq!(accepts("DATA\r\n", "OK 00\r\n"), Ok("a".to_owned()));
    assert_eq!(accepts("DATA\r\n", "REJECTED EXTERNAL\r\n"), Err(Errno::EACCES));
    assert_eq!(accepts("REJECTED ANONYMOUS\r\n", ""), Err(Errno::EPROTO));
}

#[test]
fn a_line_without_end_is_refused() {
    let server = StandIn::raw(|_, mut stream| while stream.write_all(&[b'x'; 100]).is_ok() {});
    assert_eq!(echo(&server.bus().with_timeout(LONG), "a"), Err(Errno::EPROTO));
}

#[test]
fn calls_are_made_at_once_up_to_a_limit_and_answered_in_any_order() {
    const COUNT: usize = 1_000;
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let held = std::sync::Mutex::new(Vec::new());
    // Answers in groups, the last call of each first.
    let server = StandIn::new(move |call, into| {
        let mut answer = Vec::new();
        answer_echo(call, &mut answer);
        let mut held = held.lock().unwrap();
        held.push(answer);
        seen.fetch_max(held.len(), Ordering::SeqCst);
        let is_last = matches!(call.body_of(b"s").unwrap().text(), Ok(b"999" | b"after"));
        if held.len() == CALLS_IN_FLIGHT || is_last {
            held.drain(..).rev().for_each(|answer| into.extend_from_slice(&answer));
        }
    });
    let bus = server.bus().with_timeout(LONG);
    let mut found = vec![None; COUNT];
    let texts: Vec<String> = (0..COUNT).map(|number| number.to_string()).collect();
    let outcome = bus.ask(|calls| {
        calls.pipeline(
            COUNT,
            |position, make| make(&echo_call(&[&texts[position]])),
            |position, reply| {
                let text = reply.unwrap().body_of(b"s").unwrap().text().unwrap();
                found[position] = Some(String::from_utf8(text.to_vec()).unwrap());
            },
        )
    });
    assert_eq!(outcome, Ok(()));
    assert!(found.iter().zip(&texts).all(|(found, text)| found.as_ref() == Some(text)));
    assert_eq!(most.load(Ordering::SeqCst), CALLS_IN_FLIGHT);
    assert_eq!(echo(&bus, "after"), Ok("after".to_owned()));
    assert_eq!(server.accepted(), 1);
}

#[test]
fn no_calls_are_no_exchange() {
    let server = StandIn::new(answer_echo);
    let outcome = server.bus().ask(|calls| calls.pipeline(0, |_, _| unreachable!(), |_, _| unreachable!()));
    assert_eq!(outcome, Ok(()));
}
