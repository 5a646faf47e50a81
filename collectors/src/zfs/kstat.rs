//! Files of the kernel's statistics as ZFS writes them: a line about the file, a line of titles, a row for each value.

use crate::kit::parse::Lines;
use crate::kit::prelude::*;

/// What a row holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Unsigned(u64),
    Signed(i64),
    Text(&'a [u8]),
}

/// The titles of the columns.
const TITLES: [&[u8]; 3] = [b"name", b"type", b"data"];

/// The rows of a file.
pub(super) fn rows(text: Text<'_>) -> Result<Lines<'_>, ParseError<'_>> {
    below_titles(text).ok_or_else(|| {
        text.error(
            "the file",
            "a line of `name type data`",
            text.lines().next().map_or(b"".as_slice(), |line| line.bytes),
        )
    })
}

fn below_titles(text: Text<'_>) -> Option<Lines<'_>> {
    let mut lines = text.lines();
    lines.find(|line| line.fields().eq(TITLES)).map(|_| lines)
}

/// The name and the value of a row. The types that nobody shows are passed over, and so is a row of nothing.
pub(super) fn parse(line: Line<'_>) -> Result<Option<(&[u8], Value<'_>)>, ParseError<'_>> {
    let mut fields = line.fields();
    let Some(name) = fields.next() else { return Ok(None) };
    let value = match fields.next().unwrap_or_default() {
        b"3" => Value::Signed(line.number(name, fields.next().unwrap_or_default())?),
        b"4" => Value::Unsigned(line.number(name, fields.next().unwrap_or_default())?),
        b"7" => Value::Text(fields.rest()),
        b"0" | b"1" | b"2" | b"5" | b"6" => return Ok(None),
        other => return Err(line.error("the type", "a digit from 0 to 7", other)),
    };
    Ok(Some((name, value)))
}

/// What a family is called after a row: what follows the last dot.
pub(super) fn family(name: &[u8]) -> &[u8] {
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
    fn rows_stand_below_the_titles() {
        assert_eq!(count("5 1 0x01 2 80 1 2\nname type data\na 4 1\nb 4 2\n"), Ok(2));
        assert_eq!(count("5 1 0x01 9 80 1 2\nname type data\na 4 1\n"), Ok(1));
        assert_eq!(count("name   type data\n"), Ok(0));
        for content in ["", "x\n", "name type\na 4 1\n", "name type data x\n"] {
            assert!(count(content).expect_err("no titles").contains("a line of `name type data`"), "{content}");
        }
    }

    #[test]
    fn a_last_row_without_a_newline_counts() {
        assert_eq!(count("5 1 0x01 2 80 1 2\nname type data\na 4 1\nb 4 2"), Ok(2));
        assert!(count("5 1 0x01 2 80 1 2\nname type da").is_err());
    }

    #[track_caller]
    fn check(row: &str, expected: Result<Option<(&str, Value<'_>)>, &str>) {
        let line = Text::new(Mount::Proc, b"x", row.as_bytes()).lines().next().expect("a line");
        let found = parse(line).map_err(|error| error.to_string());
        let expected = expected.map(|row| row.map(|(name, value)| (name.as_bytes(), value)));
        assert_eq!(found, expected.map_err(str::to_owned), "{row}");
    }

    #[test]
    fn a_row_is_of_one_of_the_types_that_are_shown() {
        check("hits                            4    7", Ok(Some(("hits", Value::Unsigned(7)))));
        check("need_free  3  -7", Ok(Some(("need_free", Value::Signed(-7)))));
        check("dataset_name  7  vault/a  b ", Ok(Some(("dataset_name", Value::Text(b"vault/a  b")))));
        check("dataset_name  7  ", Ok(Some(("dataset_name", Value::Text(b"")))));
        for other in ["a 0 x", "a 1 7", "a 2 7", "a 5 7", "a 6 7", " "] {
            check(other, Ok(None));
        }
        check("hits", Err("proc/x:1: the type: expected a digit from 0 to 7, found nothing"));
        check("hits 8 7", Err("proc/x:1: the type: expected a digit from 0 to 7, found \"8\""));
        check("hits 44 7", Err("proc/x:1: the type: expected a digit from 0 to 7, found \"44\""));
        check("hits 4", Err("proc/x:1: hits: expected an unsigned integer, found nothing"));
        check("hits 4 -1", Err("proc/x:1: hits: expected an unsigned integer, found \"-1\""));
        check("hits 3 x", Err("proc/x:1: hits: expected a signed integer, found \"x\""));
    }

    #[test]
    fn a_family_is_called_after_the_last_part_of_a_name() {
        for (name, expected) in [("zio-size", "zio-size"), ("a.b.c", "c"), ("a.", ""), ("", "")] {
            assert_eq!(family(name.as_bytes()), expected.as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_come_back(unsigned: u64, signed: i64) {
            check(&format!("a 4 {unsigned}"), Ok(Some(("a", Value::Unsigned(unsigned)))));
            check(&format!("a 3 {signed}"), Ok(Some(("a", Value::Signed(signed)))));
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
