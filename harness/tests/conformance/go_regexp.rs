//! Go's own test data of regular expressions, read in place.

use collectors::kit::pattern;
use harness::load;
use harness::requirements::Requirement;
use regex::Regex;

fn data(name: &str) -> String {
    let path = Requirement::ConformanceData.path().join("../go-regexp").join(name);
    String::from_utf8(load::bytes(&path).expect("the data can be read")).expect("the data is UTF-8")
}

/// Unquotes a string literal of Go.
fn unquoted(literal: &str) -> String {
    let inner = literal.strip_prefix('"').and_then(|literal| literal.strip_suffix('"')).expect("a quoted string");
    let mut bytes = Vec::new();
    let mut rest = inner.chars();
    while let Some(letter) = rest.next() {
        let written = match letter {
            '\\' => match rest.next().expect("an escaped character") {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'f' => '\x0c',
                'v' => '\x0b',
                'a' => '\x07',
                'x' => {
                    let digits: String = rest.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
                    continue;
                }
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).expect("digits")).expect("a character")
                }
                other => other,
            },
            other => other,
        };
        bytes.extend_from_slice(written.encode_utf8(&mut [0; 4]).as_bytes());
    }
    pattern::text_of(&bytes)
}

/// The groups of the first match, in the notation of the data.
fn places(regex: &Regex, text: &str) -> String {
    let Some(captures) = regex.captures(text) else { return "-".to_owned() };
    let place = |group: Option<regex::Match<'_>>| {
        group.map_or_else(|| "-".to_owned(), |group| format!("{}-{}", group.start(), group.end()))
    };
    captures.iter().map(place).collect::<Vec<_>>().join(" ")
}

/// Start of the first match.
fn start(places: &str) -> &str {
    places.split('-').next().unwrap_or_default()
}

/// The data has four results for a text: a match of the whole text and the first match, each leftmost-first and
/// leftmost-longest. Of the last two only the existence and the start of a match are compared.
pub(crate) fn every_search_of_re2_finds_what_go_finds() {
    let data = data("re2-search.txt");
    let (mut texts, mut compiled, mut results) = (Vec::new(), None, 0);
    let mut are_texts = true;
    let mut searches = 0;
    for line in data.lines().filter(|line| !line.starts_with('#')) {
        match line {
            "strings" => (texts, are_texts) = (Vec::new(), true),
            "regexps" => are_texts = false,
            _ if line.starts_with('"') && are_texts => texts.push(unquoted(line)),
            _ if line.starts_with('"') => {
                let pattern = unquoted(line);
                results = 0;
                compiled = match (pattern::compile(&pattern), pattern::compile(&format!(r"\A(?:{pattern})\z"))) {
                    (Ok(first), Ok(whole)) => Some((pattern, first, whole)),
                    // The only expression of the data that Go refuses.
                    (Err(error), _) if error.starts_with(r"invalid escape sequence: `\C`") => None,
                    (first, whole) => panic!("{pattern}: {first:?}, {whole:?}"),
                };
            }
            _ if line.contains(';') => {
                let text = texts.get(results).expect("a text for each line of results");
                results += 1;
                let Some((pattern, first, whole)) = &compiled else { continue };
                let expected: Vec<&str> = line.split(';').collect();
                let found = [places(whole, text), places(first, text)];
                assert_eq!(found[..], expected[..2], "{pattern} on {text:?}");
                assert_eq!(
                    found.each_ref().map(|found| start(found)),
                    [2, 3].map(|at| start(expected[at])),
                    "{pattern} on {text:?}"
                );
                searches += 1;
            }
            _ => {}
        }
    }
    assert!(searches > 1_500, "only {searches} searches");
}

/// Fowler's tests expect the longest match. Compared are the existence of a match, which filters depend on, and its start.
pub(crate) fn every_expression_of_fowler_matches_where_go_matches() {
    let mut cases = 0;
    for name in ["basic.dat", "nullsubexpr.dat", "repetition.dat"] {
        let data = data(name);
        let mut last_pattern = "";
        for line in data.lines() {
            let fields: Vec<&str> = line.split('\t').filter(|field| !field.is_empty()).collect();
            let [flags, pattern, text, expected, ..] = *fields.as_slice() else { continue };
            let flags = flags.rsplit(':').next().unwrap_or_default();
            let pattern = if pattern == "SAME" { last_pattern } else { pattern };
            last_pattern = pattern;
            if flags.starts_with(['#', '{', '?', '|', ';', '&']) || flags == "NOTE" || !flags.contains(['E', 'L']) {
                continue;
            }
            let written = if flags.contains('$') { unquoted(&format!("\"{pattern}\"")) } else { pattern.to_owned() };
            let text = match text {
                "NULL" => String::new(),
                _ if flags.contains('$') => unquoted(&format!("\"{text}\"")),
                _ => text.to_owned(),
            };
            let written = if flags.contains('L') { format!(r"\Q{written}\E") } else { written };
            // In POSIX syntax `^` and `$` match at every line.
            let flags = if flags.contains('i') { "(?im)" } else { "(?m)" };
            let compiled = pattern::compile(&format!("{flags}{written}"));
            if expected.starts_with("BAD") {
                assert!(compiled.is_err(), "{name}: {written} is taken");
            } else {
                let regex = compiled.unwrap_or_else(|error| panic!("{name}: {written}: {error}"));
                let found = regex.find(&text).map(|found| found.start().to_string());
                let expected = expected.strip_prefix('(').and_then(|places| places.split(',').next());
                assert_eq!(found.as_deref(), expected, "{name}: {written} on {text:?}");
            }
            cases += 1;
        }
    }
    assert!(cases > 200, "only {cases} cases");
}
