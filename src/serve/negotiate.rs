//! Content negotiation by `Accept` and `Accept-Encoding`.

use collectors::kit::page::Format;

use super::compress::Coding;

/// An element of a list such as `gzip;q=0.5, *`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Clause<'a> {
    name: &'a str,
    parameters: &'a str,
    /// Preference in thousandths.
    weight: u16,
}

/// The elements of these headers, without those whose weight is malformed.
fn clauses<'a>(headers: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Clause<'a>> {
    headers.flat_map(|header| header.split(',')).filter_map(|clause| {
        let (name, parameters) = clause.split_once(';').unwrap_or((clause, ""));
        let name = Some(name.trim()).filter(|name| !name.is_empty())?;
        let weight = parameter(parameters, "q").map_or(Some(WEIGHT_MAX), weight)?;
        Some(Clause { name, parameters, weight })
    })
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().trim_matches('"'))
}

const WEIGHT_MAX: u16 = 1000;

/// Parses a weight such as `1`, `0.5` or `0.125` to thousandths.
fn weight(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !(part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(WEIGHT_MAX),
        _ => None,
    }
}

/// The coding of a response to a request with these `Accept-Encoding` headers; `None` if no supported coding is accepted.
/// Between codings of equal weight, a named one is preferred to one that `*` matches.
pub(super) fn coding<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Coding> {
    let clauses: Vec<_> = clauses(headers).collect();
    let find = |name: &str| clauses.iter().find(|clause| clause.name.eq_ignore_ascii_case(name));
    let any = find("*").map(|clause| (clause.weight, false));
    let choice = |coding: &Coding| {
        // A client that does not mention `identity` accepts it as the last choice.
        let unnamed = any.or((*coding == Coding::Identity).then_some((1, false)));
        find(coding.name()).map(|clause| (clause.weight, true)).or(unnamed).filter(|(weight, _)| *weight > 0)
    };
    let accepted = Coding::OFFERED.iter().filter_map(|coding| Some((choice(coding)?, *coding)));
    accepted.max_by_key(|(choice, _)| *choice).map(|(_, coding)| coding)
}

/// The format of a page for a request with these `Accept` headers: OpenMetrics if it `is_offered` and has the highest
/// weight, otherwise text, as in client_golang. Between formats of equal weight, a named one is preferred to a wildcard.
pub(super) fn format<'a>(headers: impl Iterator<Item = &'a str>, is_offered: bool) -> Format {
    let accepted = clauses(headers).filter(|clause| clause.weight > 0).filter_map(|clause| {
        let Clause { name, parameters, weight } = clause;
        let version = parameter(parameters, "version");
        let is_utf8 = parameter(parameters, "charset").is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"));
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted) && is_utf8;
        let format = if is_offered && is("application/openmetrics-text") && matches!(version, None | Some("1.0.0")) {
            Format::OpenMetrics
        } else if is("text/plain") && matches!(version, None | Some("0.0.4")) || matches!(name, "text/*" | "*/*") {
            Format::Text
        } else {
            return None;
        };
        Some((weight, !name.ends_with('*'), format))
    });
    // The first of two equal ones wins.
    let best = accepted.reduce(|best, next| if (next.0, next.1) > (best.0, best.1) { next } else { best });
    best.map(|(.., format)| format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_coding(headers: &[&str], expected: Option<Coding>) {
        assert_eq!(coding(headers.iter().copied()), expected, "{headers:?}");
    }

    #[test]
    fn the_coding_with_the_highest_weight_is_chosen() {
        use Coding::{Gzip, Identity, Zstd};
        let has = |coding: Coding| if Coding::OFFERED.contains(&coding) { coding } else { Identity };
        check_coding(&[], Some(Identity));
        check_coding(&[""], Some(Identity));
        check_coding(&["gzip"], Some(has(Gzip)));
        check_coding(&["GZIP;Q=0.001"], Some(if has(Gzip) == Gzip { Gzip } else { Identity }));
        check_coding(&["deflate, br"], Some(Identity));
        check_coding(&["zstd;q=0.5, gzip;q=0.4"], Some(if has(Zstd) == Zstd { Zstd } else { has(Gzip) }));
        check_coding(&["zstd;q=0.5", "gzip; q=0.6"], Some(if has(Gzip) == Gzip { Gzip } else { has(Zstd) }));
        check_coding(&["gzip, identity"], Some(Identity));
        check_coding(&["gzip;q=0, zstd;q=0"], Some(Identity));
        check_coding(&["*"], Some(Identity));
        check_coding(&["*;q=0.5, identity;q=0.1, zstd;q=0"], Some(has(Gzip)));
        check_coding(&["gzip;q=2, gzip;q=0.1234"], Some(Identity));
        check_coding(&["identity;q=0"], None);
        check_coding(&["*;q=0"], None);
        check_coding(&["br, *;q=0"], None);
    }

    #[track_caller]
    fn check_format(accept: &str, expected: Format) {
        let found = |is_offered| format(std::iter::once(accept), is_offered);
        assert_eq!((found(true), found(false)), (expected, Format::Text), "{accept}");
    }

    #[test]
    fn openmetrics_is_chosen_when_it_has_the_highest_weight() {
        use Format::{OpenMetrics, Text};
        // Headers of Prometheus 2 and 3.
        check_format(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OpenMetrics,
        );
        check_format(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OpenMetrics,
        );
        check_format("application/openmetrics-text", OpenMetrics);
        check_format("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=UTF-8", OpenMetrics);
        check_format("*/*, application/openmetrics-text", OpenMetrics);
        check_format("text/plain;q=0.5, application/openmetrics-text;q=0.6", OpenMetrics);
        check_format("text/plain;q=0.6, application/openmetrics-text;q=0.5", Text);
        check_format("text/plain, application/openmetrics-text", Text);
        check_format("application/openmetrics-text;q=0", Text);
        check_format("application/openmetrics-text;version=0.0.1", Text);
        check_format("application/openmetrics-text;charset=latin1", Text);
        check_format("application/json", Text);
        check_format("*/*", Text);
        check_format("", Text);
    }

    #[test]
    fn weights_have_three_decimals_at_most() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.05", Some(50)),
            ("0.999", Some(999)),
            ("0.9999", None),
            ("1.001", None),
            ("2", None),
            ("", None),
            (".5", None),
            ("+1", None),
            ("NaN", None),
        ] {
            assert_eq!(weight(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_headers_do_not_panic(headers: Vec<String>) {
            let _ = coding(headers.iter().map(String::as_str));
            let _ = format(headers.iter().map(String::as_str), true);
        }
    }
}
