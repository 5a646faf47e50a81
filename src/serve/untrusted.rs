//! Parsers of untrusted input as pure functions, for fuzzing.

use super::front;
use super::negotiate;
use super::query;
use super::request::Request;
use super::web_config;

/// Parses the head of a request. Returns the request, `None` if the head is incomplete, or the status of its refusal.
///
/// # Panics
/// If the result depends on the pieces in which the bytes arrive.
pub fn request(bytes: &[u8]) -> Result<Option<Request>, u16> {
    let whole = front::read_head(bytes, bytes.len());
    let dripping = front::read_head(bytes, 1);
    assert_eq!(dripping, whole, "parsed byte by byte");
    if let Ok(Some(request)) = &whole {
        let _ = address(request.target());
        let _ = negotiate::coding(request.headers_named("accept-encoding"));
        let _ = negotiate::format(request.headers_named("accept"), true);
    }
    whole
}

/// Parses the target of a request. The error is a sentence for the client.
pub fn address(url: &str) -> Result<(), String> {
    query::parse(url).map(drop)
}

/// Parses the text of a web configuration, without the files that it names.
pub fn web_config(text: &str) -> Result<(), String> {
    web_config::check(text)
}
