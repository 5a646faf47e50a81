//! Malformed requests.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::clients::{read_to_end, send};
use crate::{alone, growth_kilobytes, peak_kilobytes, warm};

/// Maximum memory growth by an attack.
const GROWTH_MAX_KILOBYTES: u64 = 1_024;

#[track_caller]
fn check(name: &str, growth_max_kilobytes: u64, attack: impl FnOnce(std::net::SocketAddr) -> String, expected: &str) {
    let _alone = alone();
    let exporter = warm(&[]);
    // The first error response allocates memory once.
    assert!(send(exporter.address(), b"\r\n\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let before = peak_kilobytes(&exporter);
    let answer = attack(exporter.address());
    assert!(answer.starts_with(expected), "{name}: {answer}");
    let growth = growth_kilobytes(&exporter, before);
    println!("{name}: {growth} kB more than {before} kB");
    assert!(growth <= growth_max_kilobytes, "{name}: {growth} kB");
    assert_eq!(exporter.get("/metrics").status, 200);
}

/// Sends a start and then pieces up to a limit; returns the response.
fn flood(to: std::net::SocketAddr, start: &[u8], piece: &[u8], bytes: usize) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    let reading = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || read_to_end(&mut { reading }));
    let pieces = piece.repeat((1 << 16) / piece.len());
    let mut sent = stream.write(start).unwrap();
    while sent < bytes {
        match stream.write(&pieces) {
            Ok(length) => sent += length,
            Err(_) => break,
        }
    }
    assert!(sent < bytes, "all of it was read");
    reader.join().unwrap()
}

const START: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n";

#[test]
fn a_giant_header_is_refused() {
    let start = [START, b"A: "].concat();
    check("a header of 300 MiB", GROWTH_MAX_KILOBYTES, |to| flood(to, &start, b"a", 300 << 20), "HTTP/1.1 431 ");
}

#[test]
fn endless_headers_are_refused() {
    check("300 MiB of headers", GROWTH_MAX_KILOBYTES, |to| flood(to, START, b"a: b\r\n", 300 << 20), "HTTP/1.1 431 ");
}

#[test]
fn many_headers_are_refused() {
    let request = [START, &b"a: b\r\n".repeat(64), b"\r\n"].concat();
    check("65 headers", GROWTH_MAX_KILOBYTES, |to| send(to, &request), "HTTP/1.1 431 ");
}

#[test]
fn a_body_of_any_length_is_refused() {
    for length in ["1", "9223372036854775807", "18446744073709551615", "99999999999999999999"] {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let attack = |to| (0..4).map(|_| send(to, request.as_bytes())).next_back().unwrap();
        check(&format!("a body of {length}"), GROWTH_MAX_KILOBYTES, attack, "HTTP/1.1 413 ");
    }
    let request = [START, b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"].concat();
    check("a body in chunks", GROWTH_MAX_KILOBYTES, |to| flood(to, &request, b"a", 300 << 20), "HTTP/1.1 413 ");
}

#[test]
fn other_protocols_are_refused() {
    check("noise", GROWTH_MAX_KILOBYTES, |to| flood(to, b"\x16\x03\x01", b"\x00\xff", 300 << 20), "HTTP/1.1 400 ");
}

#[test]
fn requests_after_a_refused_one_are_not_answered() {
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    let _alone = alone();
    let exporter = warm(&[]);
    let mut stream = TcpStream::connect(exporter.address()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
}
