//! HTTP client for pages: one HTTP/1.0 request per connection, limited in time and bytes.

#![expect(clippy::disallowed_methods, reason = "the harness opens connections here")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::exposition::Format;

/// Maximum time of a request, from connecting to the last byte.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Maximum size of a response.
pub const ANSWER_MAX_BYTES: usize = 256 << 20;

/// A response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The Content-Type header; empty if missing.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Address of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// Host and port, as in the Host header.
    pub authority: String,
    /// Path and query: `/metrics`.
    pub path: String,
}

impl Url {
    /// Parses `http://host[:port][/path]`; the default path is `/metrics`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://").ok_or_else(|| {
            let advice = "only http:// is supported; fetch the page with curl and pass it as a file or -";
            format!("{text}: {advice}")
        })?;
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        if authority.is_empty() || authority.contains('@') {
            return Err(format!("{text}: expected http://host:port/path, without a login"));
        }
        if text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return Err(format!("{text}: blanks and control characters must be percent-encoded, such as %20"));
        }
        let path = match path {
            "" => "/metrics".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            query => format!("/{query}"),
        };
        Ok(Self { authority: authority.to_owned(), path })
    }

    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let has_port = self.authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let found = if has_port {
            self.authority.to_socket_addrs()
        } else {
            format!("{}:80", self.authority).to_socket_addrs()
        };
        found.map(Iterator::collect)
    }

    /// Requests the page, preferring this format.
    pub fn get(&self, preferred: Format) -> io::Result<Answer> {
        self.get_with_timeout(preferred, ANSWER_TIMEOUT)
    }

    /// Requests the page with another timeout.
    pub fn get_with_timeout(&self, preferred: Format, timeout: Duration) -> io::Result<Answer> {
        self.get_within(accepting(preferred), timeout, ANSWER_MAX_BYTES)
    }

    /// Requests the page with a content coding such as `gzip`; the body is not decoded.
    pub fn get_coded(&self, coding: &str) -> io::Result<Answer> {
        self.get_within(&format!("Accept-Encoding: {coding}\r\n"), ANSWER_TIMEOUT, ANSWER_MAX_BYTES)
    }

    fn get_within(&self, headers: &str, timeout: Duration, max_bytes: usize) -> io::Result<Answer> {
        let fail =
            |error: io::Error| io::Error::new(error.kind(), format!("http://{}{}: {error}", self.authority, self.path));
        let until = Instant::now() + timeout;
        self.ask(headers, until, max_bytes).map_err(fail)
    }

    fn ask(&self, headers: &str, until: Instant, max_bytes: usize) -> io::Result<Answer> {
        let mut stream = connect(&self.addresses()?, until)?;
        // HTTP/1.0 has no chunked encoding; the response ends with the connection.
        let Self { authority, path } = self;
        stream.set_write_timeout(Some(left(until)?))?;
        // One write, so that a server that reads once gets the whole request.
        let request = format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        let mut chunk = [0; 1 << 13];
        loop {
            stream.set_read_timeout(Some(left(until)?))?;
            match stream.read(&mut chunk) {
                Ok(0) => return parse(bytes),
                Ok(length) => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    left(until).map(drop)?;
                }
                Err(error) => return Err(error),
            }
            if bytes.len() > max_bytes {
                return Err(io::Error::other(format!("the response exceeds {max_bytes} bytes")));
            }
        }
    }
}

/// The Accept header that prefers this format.
const fn accepting(preferred: Format) -> &'static str {
    match preferred {
        Format::Text => "Accept: text/plain;version=0.0.4\r\n",
        Format::OpenMetrics => "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n",
    }
}

/// The remaining time, or an error.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the response did not arrive in time");
    if left.is_zero() { Err(late()) } else { Ok(left) }
}

fn connect(addresses: &[SocketAddr], until: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the host name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(address, left(until)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Parses a response that ended with its connection.
fn parse(mut answer: Vec<u8>) -> io::Result<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| io::Error::other("truncated response header"))?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!("expected status 200, found `{status}`")));
    }
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let header =
        |name: &str| headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let length: Option<usize> = header("content-length").and_then(|length| length.parse().ok());
    if let Some(length) = length.filter(|length| *length != body.len()) {
        return Err(io::Error::other(format!("truncated response: {} of {length} bytes", body.len())));
    }
    if header("transfer-encoding").is_some() {
        return Err(io::Error::other("the response to an HTTP/1.0 request is chunked"));
    }
    Ok(Answer { content_type: header("content-type").unwrap_or_default().to_owned(), body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// Serves one response to one request; returns the request and the client's result.
    fn answered(answer: &'static [u8], timeout: Duration, max_bytes: usize) -> (String, io::Result<Answer>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let mut asked = [0; 1 << 10];
            let length = client.read(&mut asked).expect("a request");
            client.write_all(answer).expect("the client listens");
            if answer.is_empty() {
                // Wait until the client gives up.
                let _ = client.read(&mut asked[length..]);
            }
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let url = Url::parse(&format!("http://{address}/x?y=z")).expect("a URL");
        let answer = url.get_within(accepting(Format::OpenMetrics), timeout, max_bytes);
        (server.join().expect("the server ends"), answer)
    }

    #[track_caller]
    fn check(answer: &'static [u8], expected: Result<(&str, &str), &str>) {
        let (_, found) = answered(answer, ANSWER_TIMEOUT, ANSWER_MAX_BYTES);
        match (found, expected) {
            (Ok(found), Ok((content_type, body))) => {
                assert_eq!((found.content_type.as_str(), found.body.as_slice()), (content_type, body.as_bytes()));
            }
            (Err(error), Err(expected)) => assert!(error.to_string().ends_with(expected), "{error}"),
            (found, _) => panic!("{found:?} in place of {expected:?}"),
        }
    }

    #[test]
    fn a_response_is_complete_or_an_error() {
        check(b"HTTP/1.1 200 OK\r\ncontent-TYPE: text/plain\r\n\r\na 1\n", Ok(("text/plain", "a 1\n")));
        check(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\na 1\n", Ok(("", "a 1\n")));
        check(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\na 1\n", Err("truncated response: 4 of 9 bytes"));
        check(b"HTTP/1.0 404 Not Found\r\n\r\n", Err("expected status 200, found `HTTP/1.0 404 Not Found`"));
        check(b"HTTP/1.0 200 OK\r\n", Err("truncated response header"));
        check(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Err("the response to an HTTP/1.0 request is chunked"),
        );
    }

    #[test]
    fn a_request_names_the_preferred_format() {
        let (asked, _) = answered(b"HTTP/1.0 200 OK\r\n\r\n", ANSWER_TIMEOUT, ANSWER_MAX_BYTES);
        assert!(asked.starts_with("GET /x?y=z HTTP/1.0\r\nHost: 127.0.0.1:"), "{asked}");
        assert!(asked.contains("\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain"), "{asked}");
    }

    #[test]
    fn a_response_is_limited_in_bytes_and_time() {
        let whole = b"HTTP/1.0 200 OK\r\n\r\n";
        let (_, exact) = answered(whole, ANSWER_TIMEOUT, whole.len());
        assert_eq!(exact.expect("an answer of the limit").body, b"");
        let (_, long) = answered(whole, ANSWER_TIMEOUT, whole.len() - 1);
        let error = long.expect_err("an answer above the limit").to_string();
        assert!(error.ends_with("/x?y=z: the response exceeds 18 bytes"), "{error}");
        let (_, late) = answered(b"", Duration::from_millis(100), ANSWER_MAX_BYTES);
        assert_eq!(late.expect_err("silence").kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn urls_are_parsed_or_refused_with_advice() {
        for (text, authority, path) in [
            ("http://localhost:9100", "localhost:9100", "/metrics"),
            ("http://[::1]:9100/m", "[::1]:9100", "/m"),
            ("http://web1?collect[]=cpu", "web1", "/?collect[]=cpu"),
        ] {
            let expected = Url { authority: authority.to_owned(), path: path.to_owned() };
            assert_eq!(Url::parse(text), Ok(expected), "{text}");
        }
        for (text, advice) in [
            ("https://x", "fetch the page with curl"),
            ("http:///metrics", "http://host:port/path"),
            ("http://user:pass@x", "without a login"),
            ("http://x/a b", "%20"),
        ] {
            assert!(Url::parse(text).is_err_and(|error| error.contains(advice)), "{text}");
        }
    }
}
