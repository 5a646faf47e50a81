//! Requests as handlers get them, and responses. Requests are complete, valid heads. Requests with bodies are refused.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

/// Supported methods. Every other method is refused while the head is parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// A request for a response with a body.
    Get,
    /// A request for the head of a response.
    Head,
    /// A request to do something, or for a page, which is that of GET.
    Post,
}

/// HTTP version of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// HTTP/1.0: the connection is closed unless the client asks to keep it.
    Http10,
    /// HTTP/1.1: the connection is kept unless the client asks to close it.
    Http11,
}

/// Address of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// TCP.
    Internet(SocketAddr),
    /// A Unix socket, whose clients have no addresses.
    Unix,
    /// vsock.
    Vsock {
        /// Context ID of the machine.
        machine: u32,
        /// Port of the machine.
        port: u32,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
            Self::Vsock { machine, port } => write!(f, "vsock://{machine}:{port}"),
        }
    }
}

/// Properties of an encrypted connection.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Security {
    /// Certificate chain of the client in DER form, its own first; empty without a certificate.
    pub client_certificates: Vec<Vec<u8>>,
}

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub(super) text: String,
    pub(super) method: Method,
    pub(super) target: Range<usize>,
    pub(super) version: Version,
    pub(super) headers: Vec<(Range<usize>, Range<usize>)>,
    pub(super) peer: Peer,
    pub(super) security: Option<Arc<Security>>,
}

impl Request {
    /// A request without a connection.
    pub fn new(method: Method, target: &str, headers: &[(&str, &str)], peer: Peer) -> Self {
        let mut text = target.to_owned();
        let target = 0..text.len();
        let mut push = |part: &str| {
            text.push_str(part);
            text.len() - part.len()..text.len()
        };
        let headers = headers.iter().map(|(name, value)| (push(name), push(value))).collect();
        Self { text, method, target, version: Version::Http11, headers, peer, security: None }
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The HTTP version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Path and query as sent.
    pub fn target(&self) -> &str {
        self.part(&self.target)
    }

    /// Value of the first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// Values of all headers of this name, in any case.
    pub fn headers_named(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers().filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values of all headers, in the order of the request.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (self.part(name), self.part(value)))
    }

    /// Whether a header of this name lists this word, both in any case.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.headers_named(name).flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(word))
    }

    /// Address of the client.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Properties of the encrypted connection; `None` for a plain one.
    pub fn security(&self) -> Option<&Security> {
        self.security.as_deref()
    }

    /// Whether the connection is kept for another request.
    pub fn keeps_connection(&self) -> bool {
        match self.version {
            Version::Http10 => self.lists("Connection", "keep-alive") && !self.lists("Connection", "close"),
            Version::Http11 => !self.lists("Connection", "close"),
        }
    }
}

/// Origin of a connection. IPv6 addresses are grouped by /64, because one client usually has a whole /64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Origin {
    Ipv4([u8; 4]),
    Ipv6([u16; 4]),
    Unix,
    Machine(u32),
}

impl Origin {
    pub(super) fn of(peer: Peer) -> Self {
        match peer {
            Peer::Internet(address) => match address.ip().to_canonical() {
                IpAddr::V4(address) => Self::Ipv4(address.octets()),
                IpAddr::V6(address) => {
                    let [network @ .., _, _, _, _] = address.segments();
                    Self::Ipv6(network)
                }
            },
            Peer::Unix => Self::Unix,
            Peer::Vsock { machine, .. } => Self::Machine(machine),
        }
    }
}

/// A complete response.
#[derive(PartialEq, Eq, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names and values of headers. The front adds the framing (`Content-Length`, `Connection`) and `Date`.
    pub headers: Vec<(&'static str, String)>,
    /// The body; the front omits it from a response to HEAD.
    pub body: Vec<u8>,
}

impl Response {
    /// A plain-text response of one sentence. Browsers must not take it for HTML, because it may quote the request.
    pub fn plain(status: u16, mut sentence: String) -> Self {
        sentence.push('\n');
        let content_type = ("Content-Type", "text/plain; charset=utf-8".to_owned());
        let no_sniffing = ("X-Content-Type-Options", "nosniff".to_owned());
        Self { status, headers: vec![content_type, no_sniffing], body: sentence.into_bytes() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A GET request for this target.
    pub(crate) fn get(target: &str) -> Request {
        Request::new(Method::Get, target, &[], Peer::Unix)
    }

    #[test]
    fn names_of_headers_are_compared_without_case() {
        let headers = [("Host", "x"), ("ACCEPT", "a"), ("accept", "b, C ,d"), ("Connection", "TE, Close")];
        let request = Request::new(Method::Head, "/x?y", &headers, Peer::Unix);
        assert_eq!((request.method(), request.target(), request.header("Accept")), (Method::Head, "/x?y", Some("a")));
        assert_eq!(request.headers_named("accept").collect::<Vec<_>>(), ["a", "b, C ,d"]);
        assert_eq!(request.header("Authorization"), None);
        assert!(request.lists("accept", "c") && !request.lists("accept", "e"));
        assert_eq!(request.headers().count(), headers.len());
        assert!(!request.keeps_connection() && get("/").keeps_connection());
    }

    #[test]
    fn http_1_0_keeps_the_connection_on_request_only() {
        let keeps = |value| {
            let request = Request::new(Method::Get, "/", &[("connection", value)], Peer::Unix);
            Request { version: Version::Http10, ..request }.keeps_connection()
        };
        assert!(keeps("Keep-Alive"));
        assert!(!keeps("close") && !keeps("keep-alive, close") && !keeps("x"));
    }

    #[test]
    fn peers_are_printed() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9100));
        assert_eq!(Peer::Internet(address).to_string(), "127.0.0.1:9100");
        assert_eq!(Peer::Unix.to_string(), "unix");
        assert_eq!(Peer::Vsock { machine: 3, port: 9100 }.to_string(), "vsock://3:9100");
    }
}
