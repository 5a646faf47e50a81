//! Parser of os-release(5): `NAME=value` lines, the value optionally in quotes.

use crate::kit::prelude::*;

/// A name and its value, still quoted.
type Assignment<'a> = (&'a [u8], &'a [u8]);

/// Parses an assignment; `None` for an empty line or a comment.
pub(super) fn assignment(line: Line<'_>) -> Result<Option<Assignment<'_>>, ParseError<'_>> {
    let trimmed = line.bytes.trim_ascii();
    if trimmed.is_empty() || trimmed.starts_with(b"#") {
        return Ok(None);
    }
    let expected = "a name, `=` and a value";
    let (name, value) = line.split_at(b'=').ok_or_else(|| line.error("line", expected, trimmed))?;
    let name = name.strip_prefix(b"export ").unwrap_or(name).trim_ascii();
    if name.is_empty() { Err(line.error("line", expected, trimmed)) } else { Ok(Some((name, value))) }
}

/// Writes the value without its quotes to `into`. The error says what was expected.
pub(super) fn unquote(value: &[u8], into: &mut Vec<u8>) -> Result<(), &'static str> {
    into.clear();
    let mut rest = value.iter().copied();
    let mut quote = None;
    // Unquoted white space before a comment is trimmed.
    let mut length = 0;
    while let Some(byte) = rest.next() {
        let mut is_significant = true;
        match (quote, byte) {
            (_, byte) if byte.is_ascii_control() => return Err("a value without control characters"),
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                continue;
            }
            (Some(open), byte) if open == byte => {
                quote = None;
                continue;
            }
            (None, b'#') => {
                into.truncate(length);
                return Ok(());
            }
            (None, b' ') => {
                is_significant = false;
                into.push(byte);
            }
            (Some(b'"'), b'\\') => push_escaped(rest.next(), into)?,
            _ => into.push(byte),
        }
        if is_significant {
            length = into.len();
        }
    }
    if quote.is_some() { Err("a closing quote") } else { Ok(()) }
}

/// Appends the character after a backslash in double quotes: the shell's special characters are unescaped; others but
/// `n` and `t` keep the backslash.
fn push_escaped(byte: Option<u8>, into: &mut Vec<u8>) -> Result<(), &'static str> {
    match byte {
        None => return Err("a character after the backslash"),
        Some(byte) if byte.is_ascii_control() => return Err("a value without control characters"),
        Some(b'n') => into.push(b'\n'),
        Some(b't') => into.push(b'\t'),
        Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => into.push(byte),
        Some(byte) => into.extend_from_slice(&[b'\\', byte]),
    }
    Ok(())
}

/// The leading `major.minor` number of a version: 0 without digits, `None` if it is too large for an `f64`.
pub(super) fn major_minor(version: &[u8]) -> Option<f64> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let major = digits(version);
    if major == 0 {
        return Some(0.0);
    }
    let rest = version.get(major..).unwrap_or_default();
    let minor = rest.strip_prefix(b".").map_or(0, |rest| 1 + digits(rest));
    let text = std::str::from_utf8(version.get(..major + minor)?).ok()?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds since 1970 at the start of a day such as `2032-05-31`.
pub(super) fn day_seconds(day: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *day else { return None };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0, |number: i64, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=month_days).contains(&day) {
        return None;
    }
    Some((days_before_year(year) - days_before_year(1970) + days_before_month(month, is_leap) + day - 1) * 86_400)
}

/// Days from the start of year 0 to the start of `year`.
fn days_before_year(year: i64) -> i64 {
    // Leap years from year 0 to the previous year.
    let leaps = if year == 0 { 0 } else { (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1 };
    year * 365 + leaps
}

fn days_before_month(month: i64, is_leap: bool) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = usize::try_from(month - 1).ok().and_then(|month| BEFORE.get(month)).copied().unwrap_or(0);
    before + i64::from(is_leap && month > 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: &str, expected: Result<&str, &str>) {
        let mut into = b"old".to_vec();
        let found = unquote(value.as_bytes(), &mut into);
        assert_eq!(found.map(|()| String::from_utf8_lossy(&into).into_owned()), expected.map(str::to_owned), "{value}");
    }

    #[test]
    fn quotes_are_removed() {
        check("larch", Ok("larch"));
        check("", Ok(""));
        check("\"\"", Ok(""));
        check("\"Larch 13 (siskin)\"", Ok("Larch 13 (siskin)"));
        check("'it\"s $x \\n # one'", Ok("it\"s $x \\n # one"));
        check("\"a # b\"  # a comment", Ok("a # b"));
        check("two words # a comment", Ok("two words"));
        check("\"ends in a blank \"", Ok("ends in a blank "));
        check("\"Käse ☃\"", Ok("Käse ☃"));
        check("back\\slash", Ok("back\\slash"));
    }

    #[test]
    fn backslashes_escape_the_shells_characters() {
        check(r#""\"\\\$\`""#, Ok("\"\\$`"));
        check(r#""a\nb\tc\d""#, Ok("a\nb\tc\\d"));
    }

    #[test]
    fn unterminated_values_are_refused() {
        check("\"open", Err("a closing quote"));
        check("'open\"", Err("a closing quote"));
        check("\"open\\", Err("a character after the backslash"));
        check("a\tb", Err("a value without control characters"));
        check("\"\\\u{7}\"", Err("a value without control characters"));
    }

    /// Parses one line: its name and value, or why there is none.
    #[track_caller]
    fn check_line(line: &str, expected: Result<(&str, &str), &str>) {
        let text = Text::new(Mount::Rootfs, b"etc/os-release", line.as_bytes());
        let found = match assignment(text.lines().next().expect("a line")) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err("nothing"),
            Err(_) => Err("an error"),
        };
        assert_eq!(found, expected.map(|(name, value)| (name.as_bytes(), value.as_bytes())), "{line}");
    }

    #[test]
    fn a_line_is_an_assignment_a_comment_or_an_error() {
        check_line("ID=larch\r\n", Ok(("ID", "larch")));
        check_line("  export ID = \"a=b\" \n", Ok(("ID", "\"a=b\"")));
        check_line("# ID=larch\n", Err("nothing"));
        check_line("  \n", Err("nothing"));
        check_line("larch\n", Err("an error"));
        check_line("=larch\n", Err("an error"));
    }

    #[test]
    fn versions_are_parsed_up_to_the_minor_number() {
        for (version, expected) in [
            ("20.04", Some(20.04)),
            ("9.4.1", Some(9.4)),
            ("13", Some(13.0)),
            ("7.", Some(7.0)),
            ("12-beta", Some(12.0)),
            ("rolling", Some(0.0)),
            ("", Some(0.0)),
            (".5", Some(0.0)),
            ("-1", Some(0.0)),
        ] {
            assert_eq!(major_minor(version.as_bytes()), expected, "{version}");
        }
        assert_eq!(major_minor("9".repeat(400).as_bytes()), None);
    }

    #[test]
    fn days_must_exist_in_the_calendar() {
        for (day, expected) in [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-86_400)),
            ("2032-05-31", Some(1_969_574_400)),
            ("2024-02-29", Some(1_709_164_800)),
            ("2000-03-01", Some(951_868_800)),
            ("0000-01-01", Some(-62_167_219_200)),
            ("9999-12-31", Some(253_402_214_400)),
            ("2023-02-29", None),
            ("1900-02-29", None),
            ("2024-04-31", None),
            ("2024-00-01", None),
            ("2024-13-01", None),
            ("2024-01-00", None),
            ("2024-1-01", None),
            ("24-01-01", None),
            ("2024-01-01T", None),
            ("+024-01-01", None),
            ("", None),
        ] {
            assert_eq!(day_seconds(day.as_bytes()), expected, "{day}");
        }
    }

    proptest! {
        #[test]
        fn quoted_values_round_trip(value in "[^\\x00-\\x1f\\x7f]{0,20}") {
            let mut quoted = String::from("\"");
            for character in value.chars() {
                if "\"\\$`".contains(character) {
                    quoted.push('\\');
                }
                quoted.push(character);
            }
            quoted.push('"');
            let mut into = Vec::new();
            prop_assert_eq!(unquote(quoted.as_bytes(), &mut into), Ok(()));
            prop_assert_eq!(String::from_utf8(into).expect("text"), value);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let mut into = Vec::new();
            let _ = (unquote(&bytes, &mut into), major_minor(&bytes), day_seconds(&bytes));
            for line in Text::new(Mount::Rootfs, b"etc/os-release", &bytes).lines() {
                let _ = assignment(line);
            }
        }

        #[test]
        fn days_are_consecutive(day in 0_i64..100_000) {
            // Counts days year by year, independently of the implementation.
            let (mut year, mut left) = (1970, day);
            let length = |year: i64| 365 + i64::from(day_seconds(format!("{year:04}-02-29").as_bytes()).is_some());
            while left >= length(year) {
                left -= length(year);
                year += 1;
            }
            let first = day_seconds(format!("{year:04}-01-01").as_bytes()).expect("a day");
            prop_assert_eq!(first + left * 86_400, day * 86_400);
        }
    }
}
