//! Parser of kstat files: a line about the file, a header line, then a row per value.

use crate::kit::parse::Lines;
use crate::kit::prelude::*;

/// The value of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KstatValue<'a> {
    Unsigned(u64),
    Signed(i64),
    Text(&'a [u8]),
}

/// The header line.
const HEADER: [&[u8]; 3] = [b"name", b"type", b"data"];

/// The rows of a file, after the header.
pub(super) fn rows(text: Text<'_>) -> Result<Lines<'_>, ParseError<'_>> {
    rows_after_header(text).ok_or_else(|| {
        text.error("header", "`name type data`", text.lines().next().map_or(b"".as_slice(), |line| line.bytes))
    })
}

fn rows_after_header(text: Text<'_>) -> Option<Lines<'_>> {
    let mut lines = text.lines();
    lines.find(|line| line.fields().eq(HEADER)).map(|_| lines)
}

/// The name and value of a row; `None` for a blank row and for types that are not exported.
pub(super) fn parse(line: Line<'_>) -> Result<Option<(&[u8], KstatValue<'_>)>, ParseError<'_>> {
    let mut fields = line.fields();
    let Some(name) = fields.next() else { return Ok(None) };
    let value = match fields.next().unwrap_or_default() {
        b"3" => KstatValue::Signed(line.number(name, fields.next().unwrap_or_default())?),
        b"4" => KstatValue::Unsigned(line.number(name, fields.next().unwrap_or_default())?),
        b"7" => KstatValue::Text(fields.rest()),
        b"0" | b"1" | b"2" | b"5" | b"6" => return Ok(None),
        other => return Err(line.error("type", "a digit from 0 to 7", other)),
    };
    Ok(Some((name, value)))
}

/// The part of a row's name that metrics are named after: all after the last dot.
pub(super) fn family_part(name: &[u8]) -> &[u8] {
    memchr::memrchr(b'.', name).map_or(name, |at| &name[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    /// The number of rows, or the error.
    fn count(content: &str) -> Result<usize, String> {
        let found = rows(Text::new(Mount::Proc, b"x", content.as_bytes()));
        found.map(Iterator::count).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_follow_the_header() {
        assert_eq!(count("5 1 0x01 2 80 1 2\nname type data\na 4 1\nb 4 2\n"), Ok(2));
        assert_eq!(count("5 1 0x01 9 80 1 2\nname type data\na 4 1\n"), Ok(1));
        assert_eq!(count("name   type data\n"), Ok(0));
        for content in ["", "x\n", "name type\na 4 1\n", "name type data x\n"] {
            assert!(count(content).expect_err("no titles").contains("`name type data`"), "{content}");
        }
    }

    #[test]
    fn a_last_row_without_a_newline_is_read() {
        assert_eq!(count("5 1 0x01 2 80 1 2\nname type data\na 4 1\nb 4 2"), Ok(2));
        assert!(count("5 1 0x01 2 80 1 2\nname type da").is_err());
    }

    #[track_caller]
    fn check(row: &str, expected: Result<Option<(&str, KstatValue<'_>)>, &str>) {
        let line = Text::new(Mount::Proc, b"x", row.as_bytes()).lines().next().expect("a line");
        let found = parse(line).map_err(|error| error.to_string());
        let expected = expected.map(|row| row.map(|(name, value)| (name.as_bytes(), value)));
        assert_eq!(found, expected.map_err(str::to_owned), "{row}");
    }

    #[test]
    fn rows_of_unknown_types_are_errors() {
        check("hits                            4    7", Ok(Some(("hits", KstatValue::Unsigned(7)))));
        check("need_free  3  -7", Ok(Some(("need_free", KstatValue::Signed(-7)))));
        check("dataset_name  7  vault/a  b ", Ok(Some(("dataset_name", KstatValue::Text(b"vault/a  b")))));
        check("dataset_name  7  ", Ok(Some(("dataset_name", KstatValue::Text(b"")))));
        for other in ["a 0 x", "a 1 7", "a 2 7", "a 5 7", "a 6 7", " "] {
            check(other, Ok(None));
        }
        check("hits", Err("proc/x:1: type: expected a digit from 0 to 7, found nothing"));
        check("hits 8 7", Err("proc/x:1: type: expected a digit from 0 to 7, found \"8\""));
        check("hits 44 7", Err("proc/x:1: type: expected a digit from 0 to 7, found \"44\""));
        check("hits 4", Err("proc/x:1: hits: expected an unsigned integer, found nothing"));
        check("hits 4 -1", Err("proc/x:1: hits: expected an unsigned integer, found \"-1\""));
        check("hits 3 x", Err("proc/x:1: hits: expected a signed integer, found \"x\""));
    }

    #[test]
    fn families_are_named_after_the_last_part() {
        for (name, expected) in [("zio-size", "zio-size"), ("a.b.c", "c"), ("a.", ""), ("", "")] {
            assert_eq!(family_part(name.as_bytes()), expected.as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_round_trip(unsigned: u64, signed: i64) {
            check(&format!("a 4 {unsigned}"), Ok(Some(("a", KstatValue::Unsigned(unsigned)))));
            check(&format!("a 3 {signed}"), Ok(Some(("a", KstatValue::Signed(signed)))));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let text = Text::new(Mount::Proc, b"x", &bytes);
            let _ = rows(text);
            for line in text.lines() {
                let _ = parse(line);
            }
        }
    }
}
