//! HTTP/1.1 client that scrapes as Prometheus does: one kept-alive connection, gzip-compressed pages; and many at once.

#![expect(clippy::disallowed_methods, reason = "a client opens a connection of its own")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use collectors::host::kernel::clock;

/// Maximum time for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum size of a page.
const PAGE_MAX_BYTES: u64 = 1 << 30;

/// The content coding to request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Coding {
    /// gzip, as Prometheus requests it.
    Gzip,
    /// No compression.
    Identity,
}

/// A kept-alive connection.
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

    /// Requests the page and returns its body, still compressed if the server compressed it.
    pub(super) fn scrape(&mut self) -> io::Result<&[u8]> {
        self.stream.get_mut().write_all(self.request.as_bytes())?;
        self.body.clear();
        answer(&mut self.stream, &mut self.body)?;
        Ok(&self.body)
    }
}

/// Reads one HTTP/1.1 response.
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
        let length =
            length.ok_or_else(|| io::Error::other("the response has neither Content-Length nor chunked encoding"))?;
        return take(stream, length, body);
    }
    loop {
        let size = line(stream)?;
        let size = u64::from_str_radix(size.trim(), 16)
            .map_err(|_| io::Error::other(format!("`{size}` is not a chunk size")))?;
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
        return Err(io::Error::other(format!("page of {size_bytes} bytes exceeds the limit of {PAGE_MAX_BYTES}")));
    }
    let count = stream.take(size_bytes).read_to_end(body)?;
    if count as u64 == size_bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Throughput of parallel clients.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Throughput {
    /// Pages per second.
    pub(super) pages_per_second: f64,
    /// Requests that were refused or failed.
    pub(super) failed: u64,
}

/// Scrapes with this many clients for this long, each on its own connection.
pub(super) fn run_clients(address: SocketAddr, clients: usize, time: Duration) -> io::Result<Throughput> {
    let begin = clock::monotonic();
    let one = || {
        let (mut pages, mut failed) = (0_u64, 0_u64);
        let mut client = Client::connect(address, Coding::Gzip);
        while clock::monotonic().saturating_sub(begin) < time {
            if client.as_mut().is_ok_and(|client| client.scrape().is_ok()) {
                pages += 1;
                continue;
            }
            failed += 1;
            crate::load::wait(Duration::from_millis(1));
            client = Client::connect(address, Coding::Gzip);
        }
        (pages, failed)
    };
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let passed = clock::monotonic().saturating_sub(begin);
    if counts.len() < clients {
        return Err(io::Error::other("a client thread panicked"));
    }
    let (pages, failed) = counts.iter().fold((0, 0), |(pages, failed), one| (pages + one.0, failed + one.1));
    Ok(Throughput { pages_per_second: pages as f64 / passed.as_secs_f64(), failed })
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
    fn responses_with_a_length_and_in_chunks_are_read() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na 1and more", Ok("a 1"));
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na \r\nA\r\n1\nb 2\nc 3\n\r\n0\r\n\r\n",
            Ok("a 1\nb 2\nc 3\n"),
        );
    }

    #[test]
    fn malformed_responses_are_errors() {
        check("HTTP/1.1 503 Busy\r\n\r\n", Err("the exporter answered `HTTP/1.1 503 Busy`"));
        check("HTTP/1.1 200 OK\r\n\r\n", Err("the response has neither Content-Length nor chunked encoding"));
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", Err("`x` is not a chunk size"));
        check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na", Err("unexpected end of file"));
        check("", Err("the exporter closed the connection"));
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PAGE_MAX_BYTES + 1);
        check(&text, Err("page of 1073741825 bytes exceeds the limit of 1073741824"));
    }
}
