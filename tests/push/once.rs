//! `--push.once`: the status tells whether every target took all samples.

use std::process::Command;

use crate::receiver::{Receiver, Reply};

/// Standard error and the exit status of a push.
fn push_once(arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node_exporter"));
    command.args(["--simulate", "--push.once", "--push.timeout=1s"]);
    command.args(["--collector.disable-defaults", "--collector.loadavg"]);
    let output = command.args(arguments).output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[track_caller]
fn check(decide: impl Fn(usize) -> Reply + Send + Sync + 'static, kind: &str, expected: Result<(), &str>) {
    let receiver = Receiver::start(move |number, _| decide(number));
    let target = format!("--push.to={kind}=http://{}", receiver.address);
    let (log, status) = push_once(&[&target]);
    match expected {
        Ok(()) => assert_eq!(status, Some(0), "{log}"),
        Err(reason) => {
            assert_eq!(status, Some(1), "{log}");
            let sentence = format!("1 of 1 targets did not take all samples: {kind}=http://{}", receiver.address);
            assert!(log.contains(&sentence) && log.contains(reason), "{sentence} … {reason}\nis not in\n{log}");
        }
    }
}

#[test]
fn a_target_that_takes_all_samples_ends_with_status_0() {
    for kind in ["pushgateway", "import", "remote-write"] {
        check(|_| Reply::status(204), kind, Ok(()));
    }
    // Twice not now, then taken.
    check(|number| Reply::status(if number < 1 { 503 } else { 204 }), "import", Ok(()));
}

#[test]
fn a_target_that_refuses_or_is_silent_ends_with_status_1() {
    for kind in ["pushgateway", "import", "remote-write", "remote-write-2"] {
        let refuse = |_| Reply::Status(400, String::new(), "out of \x1b[1morder\nsecond".to_owned());
        check(refuse, kind, Err("refused: status 400: out of \\\\u{1b}[1morder"));
    }
    check(|_| Reply::status(503), "import", Err("no delivery in time"));
    check(|_| Reply::Silence, "remote-write", Err("no delivery in time"));
}

#[test]
fn a_target_that_is_away_is_named_beside_one_that_takes() {
    let receiver = Receiver::start(|_, _| Reply::status(200));
    let good = format!("--push.to=import=http://{}", receiver.address);
    let (log, status) = push_once(&[&good, "--push.to=import=http://user:secret@127.0.0.1:1"]);
    assert_eq!(status, Some(1), "{log}");
    let sentence = "1 of 2 targets did not take all samples: import=http://127.0.0.1:1: no delivery";
    assert!(log.contains(sentence) && !log.contains("secret"), "{log}");
    assert_eq!(receiver.received().len(), 1);
}

#[test]
fn answers_that_are_cut_count_by_their_status() {
    // The status is there; what follows it changes nothing.
    check(|_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "import", Ok(()));
    // No status, or a connection that is closed: once again, with success.
    for cut in [&b""[..], b"HTTP/1.1 2", b"no HTTP\r\n\r\n"] {
        check(move |number| if number == 0 { Reply::Bytes(cut) } else { Reply::status(200) }, "import", Ok(()));
    }
}

#[test]
fn the_same_samples_come_again_after_a_failure() {
    let receiver = Receiver::start(|number, _| Reply::status(if number == 0 { 500 } else { 204 }));
    let target = format!("--push.to=pushgateway=http://user:secret@{}/metrics/job/x", receiver.address);
    let (log, status) = push_once(&[&target, "--push.label=node=n1"]);
    assert_eq!(status, Some(0), "{log}");
    let received = receiver.wait_for(2);
    assert_eq!(received[0].body, received[1].body);
    for request in received {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/metrics/job/x"));
        assert_eq!(request.header("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
        assert!(request.text().contains("\nnode_load1{node=\"n1\"} "), "{}", request.text());
    }
}
