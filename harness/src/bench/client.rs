//! A client that scrapes as Prometheus does: one connection that is kept, and pages packed with gzip.

#![expect(clippy::disallowed_methods, reason = "a client opens a connection of its own")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer has this long to arrive.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// A page may be as large as that.
const PAGE_MAX_BYTES: u64 = 1 << 30;

/// How the page is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Coding {
    /// As Prometheus wants it.
    Gzip,
    /// As it is.
    Identity,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    request: String,
    body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(super) fn connect(address: SocketAddr, coding: Coding) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_nodelay(true)?;
        let coding = match coding {
            Coding::Gzip => "gzip",
            Coding::Identity => "identity",
        };
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Prometheus/2.42.0\r\n\
             Accept: text/plain;version=0.0.4;q=1,*/*;q=0.1\r\nAccept-Encoding: {coding}\r\n\
             X-Prometheus-Scrape-Timeout-Seconds: 30\r\n\r\n"
        );
        Ok(Self { stream: BufReader::new(stream), request, body: Vec::new() })
    }

    /// Asks for the page and takes it; its body as it came, packed if it was.
    pub(super) fn scrape(&mut self) -> io::Result<&[u8]> {
        self.stream.get_mut().write_all(self.request.as_bytes())?;
        self.body.clear();
        answer(&mut self.stream, &mut self.body)?;
        Ok(&self.body)
    }
}

/// Reads one answer of HTTP/1.1.
fn answer(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    let status = line(stream)?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!("the exporter answered `{status}`")));
    }
    let (mut length, mut is_chunked) = (None, false);
    loop {
        let header = line(stream)?.to_ascii_lowercase();
        match header.split_once(':') {
            None if header.is_empty() => break,
            Some(("content-length", value)) => length = value.trim().parse::<u64>().ok(),
            Some(("transfer-encoding", value)) => is_chunked = value.trim() == "chunked",
            _ => {}
        }
    }
    if !is_chunked {
        let length = length.ok_or_else(|| io::Error::other("the answer does not say how long it is"))?;
        return take(stream, length, body);
    }
    loop {
        let size = line(stream)?;
        let size = u64::from_str_radix(size.trim(), 16)
            .map_err(|_| io::Error::other(format!("`{size}` is no size of a chunk")))?;
        take(stream, size, body)?;
        line(stream)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    if stream.read_line(&mut text)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the exporter closed the connection"));
    }
    Ok(text.trim_end().to_owned())
}

fn take(stream: &mut impl BufRead, size_bytes: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if size_bytes > PAGE_MAX_BYTES {
        return Err(io::Error::other(format!("a page of {size_bytes} bytes is beyond {PAGE_MAX_BYTES}")));
    }
    let count = stream.take(size_bytes).read_to_end(body)?;
    if count as u64 == size_bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let mut body = Vec::new();
        let result = answer(&mut text.as_bytes(), &mut body).map_err(|error| error.to_string());
        let found = result.map(|()| String::from_utf8(body).expect("text"));
        assert_eq!(found.as_ref().map(String::as_str).map_err(String::as_str), expected);
    }

    #[test]
    fn answers_with_a_length_and_in_chunks_are_read() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na 1and more", Ok("a 1"));
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na \r\nA\r\n1\nb 2\nc 3\n\r\n0\r\n\r\n",
            Ok("a 1\nb 2\nc 3\n"),
        );
    }

    #[test]
    fn what_is_no_page_is_an_error() {
        check("HTTP/1.1 503 Busy\r\n\r\n", Err("the exporter answered `HTTP/1.1 503 Busy`"));
        check("HTTP/1.1 200 OK\r\n\r\n", Err("the answer does not say how long it is"));
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", Err("`x` is no size of a chunk"));
        check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na", Err("unexpected end of file"));
        check("", Err("the exporter closed the connection"));
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PAGE_MAX_BYTES + 1);
        check(&text, Err("a page of 1073741825 bytes is beyond 1073741824"));
    }
}
