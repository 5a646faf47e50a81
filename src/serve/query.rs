//! The target of a request: path and collector filters.

use std::borrow::Cow;
use std::fmt::Write;

/// Path and query of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The decoded path.
    pub(super) path: Vec<u8>,
    /// The values of `collect[]`.
    pub(super) collect: Vec<String>,
    /// The values of `exclude[]`.
    pub(super) exclude: Vec<String>,
}

/// Parses a target. The error is a sentence for the client.
pub(super) fn parse(url: &str) -> Result<Target, String> {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = decode(path_of(path), false).ok_or("The percent-encoding of the path is invalid.")?.into_owned();
    let mut target = Target { path, collect: Vec::new(), exclude: Vec::new() };
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let encoded = || format!("The percent-encoding of the parameter `{parameter}` is invalid.");
        let values = match &*decode(name, true).ok_or_else(encoded)? {
            b"collect[]" => &mut target.collect,
            b"exclude[]" => &mut target.exclude,
            _ => continue,
        };
        let value = decode(value, true).ok_or_else(encoded)?;
        values.push(String::from_utf8_lossy(&value).into_owned());
    }
    Ok(target)
}

/// The address of the cleaned path, with the query, for a target whose path has empty, `.` or `..` segments. Go's
/// `ServeMux` redirects to it.
pub(super) fn cleaned(url: &str) -> Option<String> {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let before_query = url.split('?').next().unwrap_or_default();
    let path = path_of(before_query);
    let mut kept = Vec::new();
    for segment in path.strip_prefix('/')?.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let mut clean: String = kept.iter().flat_map(|segment| ["/", *segment]).collect();
    if path.ends_with('/') || kept.is_empty() {
        clean.push('/');
    }
    if clean == path {
        return None;
    }
    // A browser reads `/\host` as the address of another host.
    let mut address = String::with_capacity(url.len());
    for byte in clean.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~$&+,/:;=@%".contains(&byte) {
            address.push(char::from(byte));
        } else {
            // Writing to a `String` does not fail.
            _ = write!(address, "%{byte:02X}");
        }
    }
    address.push_str(url.get(before_query.len()..).unwrap_or_default());
    Some(address)
}

/// The path of a target, which contains the host too if a proxy sent it.
fn path_of(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else { return url };
    if scheme.contains('/') {
        return url;
    }
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

/// Decodes percent-encoding; `None` if a `%` is not followed by two hexadecimal digits.
fn decode(text: &str, is_query: bool) -> Option<Cow<'_, [u8]>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            b'+' if is_query => b' ',
            byte => byte,
        });
    }
    Some(Cow::Owned(decoded))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(url: &str, path: &str, collect: &[&str], exclude: &[&str]) {
        let target = parse(url).unwrap();
        assert_eq!(String::from_utf8_lossy(&target.path), path);
        assert_eq!(
            (target.collect, target.exclude),
            (collect.iter().map(ToString::to_string).collect(), exclude.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn paths_are_cleaned_as_by_go() {
        for (url, expected) in [
            ("/", None),
            ("/metrics", None),
            ("/metrics/", None),
            ("/.a/..b/c..", None),
            ("/metrics?a=//", None),
            ("/%2e%2e/metrics", None),
            ("http://x//metrics", Some("/metrics")),
            ("//", Some("/")),
            ("/.", Some("/")),
            ("/..", Some("/")),
            ("//metrics", Some("/metrics")),
            ("/x/../metrics", Some("/metrics")),
            ("/metrics//", Some("/metrics/")),
            ("/metrics/.", Some("/metrics")),
            ("//metrics?collect[]=time&a=?b#c", Some("/metrics?collect[]=time&a=?b")),
            ("//\\host/\"<%20", Some("/%5Chost/%22%3C%20")),
            ("///host", Some("/host")),
        ] {
            assert_eq!(cleaned(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn paths_and_parameters_are_decoded() {
        check("/metrics", "/metrics", &[], &[]);
        check("/metr%69cs?", "/metrics", &[], &[]);
        check("/a+b", "/a+b", &[], &[]);
        check("/metrics?collect[]=cpu&collect%5B%5D=load%61vg", "/metrics", &["cpu", "loadavg"], &[]);
        check("/metrics?exclude[]=a+b&x=1&&collect=no", "/metrics", &[], &["a b"]);
        check("/metrics?collect[]", "/metrics", &[""], &[]);
        check("/metrics?collect[]=%ff", "/metrics", &["\u{fffd}"], &[]);
        check("/metrics?collect[]=a=b#collect[]=c", "/metrics", &["a=b"], &[]);
        check("http://host:9100/metrics?exclude[]=a", "/metrics", &[], &["a"]);
        check("http://host", "/", &[], &[]);
        check("/x://y", "/x://y", &[], &[]);
    }

    #[test]
    fn invalid_percent_encoding_is_refused() {
        assert_eq!(parse("/%4"), Err("The percent-encoding of the path is invalid.".to_owned()));
        assert_eq!(parse("/?a=%zz"), Ok(Target { path: b"/".to_vec(), collect: vec![], exclude: vec![] }));
        let refused = "The percent-encoding of the parameter `collect[]=%zz` is invalid.";
        assert_eq!(parse("/?collect[]=%zz"), Err(refused.to_owned()));
    }

    proptest! {
        #[test]
        fn values_round_trip(values in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let encode = |value: &Vec<u8>| value.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            let query: Vec<_> = values.iter().map(|value| format!("exclude[]={}", encode(value))).collect();
            let expected: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
            prop_assert_eq!(parse(&format!("/?{}", query.join("&"))).unwrap().exclude, expected);
        }

        #[test]
        fn arbitrary_targets_do_not_panic(url: String) {
            let _ = parse(&url);
        }
    }
}
