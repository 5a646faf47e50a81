//! Strict parsing of request heads. A head with two interpretations is refused, because a proxy in front of this server
//! may have chosen the other one (request smuggling).

use std::ops::Range;
use std::sync::Arc;

use crate::serve::request::{Method, Peer, Request, Security, Version};

/// Maximum length of a head, including its last empty line.
pub(super) const HEAD_MAX_BYTES: usize = 16 << 10;

/// Maximum number of headers.
const HEADERS_MAX: usize = 64;

const END: &[u8] = b"\r\n\r\n";

/// Reason to refuse a malformed request; the connection is closed after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) sentence: &'static str,
}

const fn refusal(status: u16, sentence: &'static str) -> Refusal {
    Refusal { status, sentence }
}

const LINE: Refusal = refusal(400, "The request line is malformed.");
const LINE_END: Refusal = refusal(400, "A line does not end with a carriage return and a line feed.");
const HEADER: Refusal = refusal(400, "A header is malformed.");
const HOST: Refusal = refusal(400, "Expected one valid Host header.");
const FRAMING: Refusal = refusal(400, "The length of the body is ambiguous.");
const VERSION: Refusal = refusal(505, "Expected HTTP/1.0 or HTTP/1.1.");
const METHOD: Refusal = refusal(405, "Expected the method GET, HEAD or POST.");
const BODY: Refusal = refusal(413, "Expected a request without a body.");
const CODING: Refusal = refusal(501, "The transfer coding is not supported.");
const LENGTH: Refusal = refusal(431, "The head is longer than 16 KiB.");
const COUNT: Refusal = refusal(431, "There are more than 64 headers.");
/// Refusal of a head that exceeds its time limit.
pub(super) const LATE: Refusal = refusal(408, "The request was not complete in time.");

/// End of the head at the start of `bytes`; `None` if it is incomplete. `searched` is the length that earlier calls
/// have searched.
pub(super) fn end(bytes: &[u8], searched: &mut usize) -> Result<Option<usize>, Refusal> {
    // Old clients send an empty line before a request; it does not end the head.
    let begin = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    if *searched <= begin && bytes.get(begin).is_some_and(|byte| !is_token(*byte) && *byte != b'\r') {
        return Err(LINE);
    }
    // The bytes searched before may end in the middle of the empty line.
    let from = searched.saturating_sub(END.len() - 1).max(begin);
    let fresh = bytes.get(from..).unwrap_or_default();
    let end = fresh.windows(END.len()).position(|window| window == END).map(|at| from + at + END.len());
    let looked_at = bytes.get(*searched..end.unwrap_or(bytes.len())).unwrap_or_default();
    for at in looked_at.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| *searched + at) {
        if at == 0 || bytes.get(at - 1) != Some(&b'\r') {
            return Err(LINE_END);
        }
    }
    *searched = bytes.len();
    match end {
        None if bytes.len() >= HEAD_MAX_BYTES => Err(LENGTH),
        Some(end) if end > HEAD_MAX_BYTES => Err(LENGTH),
        end => Ok(end),
    }
}

/// Parses a complete head, as delimited by [`end`].
pub(super) fn parse(head: &[u8], peer: Peer, security: Option<Arc<Security>>) -> Result<Request, Refusal> {
    // Values of headers may have any encoding; the parts that are interpreted are ASCII.
    let text = String::from_utf8_lossy(head.strip_suffix(END).unwrap_or(head)).into_owned();
    let mut at = if text.starts_with("\r\n") { 2 } else { 0 };
    let mut lines = text.get(at..).unwrap_or_default().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let (method, target, version) = request_line(first)?;
    let target = at + method.len() + 1..at + method.len() + 1 + target.len();
    let method = known(method);
    at += first.len() + 2;
    let mut headers = Vec::with_capacity(8);
    for line in lines {
        if headers.len() == HEADERS_MAX {
            return Err(COUNT);
        }
        headers.push(header(line, at)?);
        at += line.len() + 2;
    }
    let mut request = Request { text, method: Method::Get, target, version, headers, peer, security };
    check_body(&request)?;
    check_host(&request)?;
    request.method = method?;
    Ok(request)
}

fn known(method: &str) -> Result<Method, Refusal> {
    match method {
        "GET" => Ok(Method::Get),
        "HEAD" => Ok(Method::Head),
        "POST" => Ok(Method::Post),
        _ => Err(METHOD),
    }
}

fn request_line(line: &str) -> Result<(&str, &str, Version), Refusal> {
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(LINE);
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(LINE);
    }
    let version = match version {
        "HTTP/1.1" => Version::Http11,
        "HTTP/1.0" => Version::Http10,
        version if version.starts_with("HTTP/") => return Err(VERSION),
        _ => return Err(LINE),
    };
    let has_scheme = ["http://", "https://"].iter().any(|scheme| {
        let start = target.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if !(target.starts_with('/') || has_scheme) || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(LINE);
    }
    Ok((method, target, version))
}

/// Ranges of name and value of a header line that begins at `at`.
fn header(line: &str, at: usize) -> Result<(Range<usize>, Range<usize>), Refusal> {
    const BLANK: [char; 2] = [' ', '\t'];
    let (name, value) = line.split_once(':').ok_or(HEADER)?;
    let is_text = |byte: u8| byte == b'\t' || !byte.is_ascii_control();
    if name.is_empty() || !name.bytes().all(is_token) || !value.bytes().all(is_text) {
        return Err(HEADER);
    }
    let begin = at + line.len() - value.trim_start_matches(BLANK).len();
    let trimmed = value.trim_matches(BLANK);
    Ok((at..at + name.len(), begin..begin + trimmed.len()))
}

/// Checks that there is no body and no ambiguous length of one.
fn check_body(request: &Request) -> Result<(), Refusal> {
    let mut lengths = request.headers_named("Content-Length");
    let (length, second) = (lengths.next(), lengths.next());
    let mut codings = request.headers_named("Transfer-Encoding").peekable();
    if codings.peek().is_some() {
        if length.is_some() || request.version() == Version::Http10 {
            return Err(FRAMING);
        }
        return Err(if codings.all(|coding| coding.eq_ignore_ascii_case("chunked")) { BODY } else { CODING });
    }
    match (length, second) {
        (None, _) => Ok(()),
        (Some(length), None) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            // The digits are not parsed, so that a number of any length is accepted or refused without overflow.
            if length.bytes().all(|digit| digit == b'0') { Ok(()) } else { Err(BODY) }
        }
        _ => Err(FRAMING),
    }
}

fn check_host(request: &Request) -> Result<(), Refusal> {
    let is_sound =
        |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(&byte));
    let mut hosts = request.headers_named("Host");
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_sound(host) => Ok(()),
        (None, _) if request.version() == Version::Http10 => Ok(()),
        _ => Err(HOST),
    }
}

/// Whether the character is allowed in methods and header names.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Option<Request>, Refusal> {
        let end = end(bytes, &mut 0)?;
        end.map(|end| parse(&bytes[..end], Peer::Unix, None)).transpose()
    }

    /// Parses byte by byte.
    fn drip(bytes: &[u8]) -> Result<Option<Request>, Refusal> {
        let mut searched = 0;
        for length in 1..=bytes.len() {
            if let Some(end) = end(&bytes[..length], &mut searched)? {
                return parse(&bytes[..end], Peer::Unix, None).map(Some);
            }
        }
        Ok(None)
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let request = read(text.as_bytes()).unwrap().expect("a whole head");
        let headers: Vec<_> = request.headers().map(|(name, value)| format!("{name}={value}")).collect();
        let told = format!("{:?} {} {:?} {}", request.method(), request.target(), request.version(), headers.join("|"));
        assert_eq!(told, expected);
        assert!(drip(text.as_bytes()).unwrap().is_some());
    }

    #[track_caller]
    fn refuse(text: &str, expected: Refusal) {
        assert_eq!(read(text.as_bytes()).err(), Some(expected), "{text:?}");
        assert_eq!(drip(text.as_bytes()).err(), Some(expected), "{text:?}, byte by byte");
    }

    #[test]
    fn valid_heads_are_parsed() {
        check("GET / HTTP/1.1\r\nHost: x\r\n\r\nrest", "Get / Http11 Host=x");
        check("\r\nHEAD /a?b HTTP/1.0\r\n\r\n", "Head /a?b Http10 ");
        check("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "Post /a Http11 Host=x|Content-Length=0");
        check("GET HTTP://x/a HTTP/1.1\r\nhost:x:1\r\n\r\n", "Get HTTP://x/a Http11 host=x:1");
        check("GET / HTTP/1.1\r\nHost: \t\r\nA:b \t c \t\r\nB:\r\n\r\n", "Get / Http11 Host=|A=b \t c|B=");
        check("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 000\r\n\r\n", "Get / Http11 Host=x|Content-Length=000");
        let latin = read(b"GET / HTTP/1.1\r\nHost: x\r\nA: \xe9\r\nB: c\r\n\r\n").unwrap().unwrap();
        assert_eq!((latin.header("a"), latin.header("b")), (Some("\u{fffd}"), Some("c")));
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: x\r\n\r"), Ok(None));
    }

    #[test]
    fn malformed_requests_are_refused() {
        for line in [
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "G(T / HTTP/1.1",
            "GET x HTTP/1.1",
            "GET * HTTP/1.1",
            "GET /\u{e9} HTTP/1.1",
            "GET /\t HTTP/1.1",
            "GET / HTTX",
        ] {
            refuse(&format!("{line}\r\nHost: x\r\n\r\n"), LINE);
        }
        refuse("\u{16}\u{3}\u{1}", LINE);
        refuse("GET / HTTP/2.0\r\n\r\n", VERSION);
        refuse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION);
        refuse("GET / HTTP/1.1\nHost: x\n\n", LINE_END);
        refuse("GET / HTTP/1.1\r\nHost: x\n\r\n", LINE_END);
        refuse("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", METHOD);
        refuse("PUT /metrics HTTP/1.1\r\nHost: x\r\n\r\n", METHOD);
        let post = b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(parse(post, Peer::Unix, None).unwrap().method(), Method::Post);
        refuse("get / HTTP/1.1\r\nHost: x\r\n\r\n", METHOD);
    }

    #[track_caller]
    fn refuse_header(lines: &str, expected: Refusal) {
        refuse(&format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n"), expected);
    }

    #[test]
    fn malformed_headers_are_refused() {
        for line in ["A", ": b", "A : b", " A: b", "A: b\r\n c", "A\u{e9}: b", "A: \0", "A: b\rc", "A: \u{7f}"] {
            refuse_header(line, HEADER);
        }
        for (text, version) in [
            ("Host: x\r\nHost: x", "1.1"),
            ("", "1.1"),
            ("Host: a b", "1.1"),
            ("Host: a/b", "1.1"),
            ("Host: x\r\nhost: x", "1.0"),
        ] {
            let blank = if text.is_empty() { "A: b" } else { text };
            refuse(&format!("GET / HTTP/{version}\r\n{blank}\r\n\r\n"), HOST);
        }
    }

    #[test]
    fn bodies_are_refused_whatever_their_length() {
        for length in ["1", "010", "9223372036854775807", "18446744073709551615", "99999999999999999999999999"] {
            refuse_header(&format!("Content-Length: {length}"), BODY);
        }
        for length in ["+5", "-1", "", "0x1", "1, 1", "5 5", "0\r\nContent-Length: 0"] {
            refuse_header(&format!("Content-Length: {length}"), FRAMING);
        }
        refuse_header("Transfer-Encoding: Chunked", BODY);
        refuse_header("Transfer-Encoding: chunked\r\nContent-Length: 0", FRAMING);
        refuse_header("Transfer-Encoding: identity", CODING);
        refuse_header("Transfer-Encoding: gzip, chunked", CODING);
        refuse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", FRAMING);
        refuse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n", BODY);
    }

    fn with_length(bytes: usize) -> String {
        let frame = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(bytes - frame))
    }

    #[test]
    fn length_and_number_of_headers_are_limited() {
        assert!(read(with_length(HEAD_MAX_BYTES).as_bytes()).unwrap().is_some());
        refuse(&with_length(HEAD_MAX_BYTES + 1), LENGTH);
        refuse(&"a".repeat(HEAD_MAX_BYTES), LENGTH);
        let with_headers = |count: usize| format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a:b\r\n".repeat(count - 1));
        assert!(read(with_headers(HEADERS_MAX).as_bytes()).unwrap().is_some());
        refuse(&with_headers(HEADERS_MAX + 1), COUNT);
    }

    proptest! {
        #[test]
        fn parsing_at_once_and_byte_by_byte_agree(
            text in "(\r\n)?(GET|P) /[a ]{0,3} HTTP/1\\.[01](\r?\n?[A-Ca-c: \t\u{e9}0]{0,5}){0,6}\r?\n\r?\n?\\PC{0,3}",
            any: Vec<u8>,
        ) {
            for bytes in [text.as_bytes(), &any] {
                let (at_once, dripped) = (read(bytes), drip(bytes));
                prop_assert_eq!(at_once.is_ok(), dripped.is_ok());
                let told = |read: Result<Option<Request>, Refusal>| read.map(|request| request.map(|request| request.text));
                if let (Ok(Some(first)), Ok(second)) = (told(at_once), told(dripped)) {
                    prop_assert_eq!(Some(first), second);
                }
            }
        }

        #[test]
        fn path_and_headers_round_trip(
            path in "/[!-~]{0,20}",
            headers in prop::collection::vec(("X-[A-Za-z0-9-]{1,9}", "[!-~]([ -~]{0,9}[!-~])?"), 0..9),
        ) {
            let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{}\r\n", lines.concat());
            let request = read(text.as_bytes()).unwrap().unwrap();
            prop_assert_eq!(request.target(), path);
            let found: Vec<_> = request.headers().skip(1).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(found, headers);
        }
    }
}
