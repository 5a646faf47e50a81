//! Parsers of untrusted bytes as pure functions, for fuzzing.

use super::front;
use super::negotiate;
use super::query;
use super::request::Request;
use super::web_config;

/// Parses the head of a request: a request, nothing while the head is incomplete, or the status of a refusal.
///
/// # Panics
/// When it matters in which pieces the bytes come.
pub fn request(bytes: &[u8]) -> Result<Option<Request>, u16> {
    let whole = front::read_head(bytes, bytes.len());
    let dripping = front::read_head(bytes, 1);
    assert_eq!(dripping, whole, "the same bytes, one by one");
    if let Ok(Some(request)) = &whole {
        let _ = address(request.target());
        let _ = negotiate::coding(request.headers_named("accept-encoding"));
        let _ = negotiate::format(request.headers_named("accept"), true);
    }
    whole
}

/// Whether an address is one; else a sentence for the client.
pub fn address(url: &str) -> Result<(), String> {
    query::parse(url).map(drop)
}

/// Whether this is the text of a web configuration; else what is wrong with it. No other file is looked at.
pub fn web_config(text: &str) -> Result<(), String> {
    web_config::check(text)
}
