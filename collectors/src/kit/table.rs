//! Tables: files with a row per object.

use super::failure::{ParseError, Problems};
use super::parse::{FromText, Line, Lines, Text};

/// The text of a file that is never empty. An empty one is reported.
pub fn filled<'a>(text: Text<'a>, problems: &mut Problems) -> Text<'a> {
    if text.bytes.is_empty() {
        problems.report(empty(text));
    }
    text
}

/// The rows of [`filled`].
pub fn rows<'a>(text: Text<'a>, problems: &mut Problems) -> Lines<'a> {
    filled(text, problems).lines()
}

/// The error of an empty file.
pub fn empty(text: Text<'_>) -> ParseError<'_> {
    text.error("the file", "at least one line", b"")
}

/// The next numbers of a row; an error if one is invalid. `fields` are their names in errors.
pub fn numbers<'a, T: FromText + Copy + Default, const N: usize>(
    line: Line<'a>,
    found: &mut impl Iterator<Item = &'a [u8]>,
    fields: [&'static str; N],
) -> Result<[T; N], ParseError<'a>> {
    let mut numbers = [T::default(); N];
    for (number, field) in numbers.iter_mut().zip(fields) {
        *number = line.number(field, found.next().unwrap_or_default())?;
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;

    #[track_caller]
    fn check_rows(content: &str, rows_expected: usize, complaint: Option<&str>) {
        let mut problems = Problems::default();
        let found = rows(Text::new(Mount::Proc, b"x", content.as_bytes()), &mut problems).count();
        assert_eq!(found, rows_expected, "{content:?}");
        let complaints: Vec<_> = problems.shown().iter().map(|failure| failure.reason().to_string()).collect();
        assert_eq!(complaints, complaint.into_iter().collect::<Vec<_>>(), "{content:?}");
    }

    #[test]
    fn a_last_row_without_a_newline_is_read_and_an_empty_file_is_reported() {
        check_rows("", 0, Some("proc/x: the file: expected at least one line, found nothing"));
        check_rows("a 1\n", 1, None);
        check_rows("a 1\nb 2\n", 2, None);
        check_rows("a 1\nb 2", 2, None);
        check_rows("a", 1, None);
    }

    #[track_caller]
    fn check(row: &str, expected: Result<[u64; 2], &str>) {
        let text = Text::new(Mount::Proc, b"x", row.as_bytes());
        let line = text.lines().next().expect("a line");
        let found = numbers(line, &mut line.fields(), ["first", "second"]);
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn a_bad_number_refuses_the_whole_row() {
        check("1 2 3", Ok([1, 2]));
        check("1 x", Err("proc/x:1: second: expected an unsigned integer, found \"x\""));
        check("1", Err("proc/x:1: second: expected an unsigned integer, found nothing"));
    }
}
