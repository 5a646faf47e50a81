//! Serialization of responses.

use std::io;

use super::head::Refusal;
use crate::serve::handler::answer::Handle;
use crate::serve::request::Response;
use crate::serve::request::{Method, Request, Version};

/// Properties of a request that its response depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ReplyForm {
    version: Version,
    method: Method,
    pub(super) keeps_connection: bool,
}

impl ReplyForm {
    /// The form of the response to this request.
    pub(super) fn of(request: &Request) -> Self {
        let keeps_connection = request.keeps_connection();
        Self { version: request.version(), method: request.method(), keeps_connection }
    }

    /// The form of the response to a malformed request.
    const REFUSED: Self = Self { version: Version::Http11, method: Method::Get, keeps_connection: false };
}

/// Capacity reserved for a response head.
const HEAD_BYTES: usize = 512;

/// Smallest body before which the head is inserted in place: a copy of it would take twice the memory.
const COPIED_MAX_BYTES: usize = 1 << 20;

/// Serializes a response.
pub(super) fn bytes(response: Response, form: ReplyForm) -> Vec<u8> {
    let Response { status, headers, mut body } = response;
    let header = |name: &str, value: &str| tiny_http::Header::from_bytes(name, value).ok();
    let headers = headers.iter().filter_map(|(name, value)| header(name, value));
    let headers = headers.chain(header("Server", "node_exporter")).collect();
    let printed = tiny_http::Response::new(status.into(), headers, io::empty(), Some(body.len()), None);
    let version = match form.version {
        Version::Http10 => (1, 0),
        Version::Http11 => (1, 1),
    };
    let mut bytes = Vec::with_capacity(HEAD_BYTES + if body.len() < COPIED_MAX_BYTES { body.len() } else { 0 });
    // The length is known, so chunks are not needed. The body is appended below instead of passed as a reader.
    let printed = printed.with_chunked_threshold(usize::MAX);
    if printed.raw_print(&mut bytes, version.into(), &[], true, None).is_err() {
        // Writing to a `Vec` does not fail.
        return Vec::new();
    }
    let connection: &[u8] = match (form.version, form.keeps_connection) {
        (_, false) => b"Connection: close\r\n\r\n",
        (Version::Http10, true) => b"Connection: keep-alive\r\n\r\n",
        (Version::Http11, true) => b"\r\n",
    };
    // `tiny_http` does not print this header, so it is inserted before the empty line.
    bytes.truncate(bytes.len().saturating_sub(2));
    bytes.extend_from_slice(connection);
    if form.method == Method::Head {
        return bytes;
    }
    if body.len() < COPIED_MAX_BYTES {
        bytes.extend_from_slice(&body);
        return bytes;
    }
    body.splice(..0, bytes);
    body
}

/// Serializes the response to a malformed request.
pub(super) fn refused(refusal: Refusal, handler: &dyn Handle) -> Vec<u8> {
    let mut response = Response::plain(refusal.status, refusal.sentence.to_owned());
    if refusal.status == 405 {
        response.headers.push(("Allow", "GET, HEAD, POST".to_owned()));
    }
    bytes(handler.refused(response), ReplyForm::REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::handler::answer::Answer;
    use std::sync::Arc;

    #[track_caller]
    fn check(form: ReplyForm, start: &str, connection: Option<&str>, body: &str) {
        let response = Response { status: 200, headers: vec![("X-A", "b".to_owned())], body: b"12345".to_vec() };
        let text = String::from_utf8(bytes(response, form)).unwrap();
        let (head, found) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(start) && head.contains("\r\nX-A: b\r\n") && head.contains("\r\nDate: "), "{head}");
        assert!(head.contains("\r\nContent-Length: 5"), "{head}");
        assert_eq!(head.lines().find_map(|line| line.strip_prefix("Connection: ")), connection);
        assert_eq!(found, body);
    }

    #[test]
    fn the_connection_header_depends_on_version_and_keep_alive() {
        let form = |version, method, keeps_connection| ReplyForm { version, method, keeps_connection };
        check(form(Version::Http11, Method::Get, true), "HTTP/1.1 200 OK\r\n", None, "12345");
        check(form(Version::Http11, Method::Get, false), "HTTP/1.1 200 OK\r\n", Some("close"), "12345");
        check(form(Version::Http10, Method::Get, true), "HTTP/1.0 200 OK\r\n", Some("keep-alive"), "12345");
        check(form(Version::Http11, Method::Head, true), "HTTP/1.1 200 OK\r\n", None, "");
    }

    #[test]
    fn a_large_body_follows_its_head() {
        let form = ReplyForm { version: Version::Http11, method: Method::Get, keeps_connection: true };
        for size_bytes in [COPIED_MAX_BYTES - 1, COPIED_MAX_BYTES] {
            let body: Vec<u8> = (b'a'..=b'z').cycle().take(size_bytes).collect();
            let sent = bytes(Response { status: 200, headers: Vec::new(), body: body.clone() }, form);
            let (head, found) = sent.split_at(sent.len() - size_bytes);
            assert!(found == body && head.starts_with(b"HTTP/1.1 200 OK\r\n") && head.ends_with(b"\r\n\r\n"));
        }
    }

    struct Marking;

    impl Handle for Marking {
        fn answer(self: Arc<Self>, _: Request) -> Answer {
            Answer::Ready(Response::plain(404, String::new()))
        }

        fn refused(&self, mut response: Response) -> Response {
            response.headers.push(("X-A", "b".to_owned()));
            response
        }
    }

    #[test]
    fn refusals_close_the_connection() {
        let text = String::from_utf8(refused(Refusal { status: 405, sentence: "No." }, &Marking)).unwrap();
        assert!(text.contains("\r\nX-A: b\r\n"), "{text}");
        assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{text}");
        assert!(
            text.contains("\r\nAllow: GET, HEAD, POST\r\n") && text.contains("\r\nConnection: close\r\n\r\nNo.\n"),
            "{text}"
        );
    }
}
