//! Tables: files of one row for each thing.

use super::failure::{ParseError, Problems};
use super::parse::{FromText, Line, Lines, Text};

/// The rows that have an end. What stands after the last of them was cut, and is noted as a problem: a number at its
/// end may be a piece of another.
pub fn rows<'a>(text: Text<'a>, problems: &mut Problems) -> Lines<'a> {
    let (whole, cut) = text.whole_lines();
    if !cut.is_empty() {
        problems.report(text.error("last row", "a row that ends", cut));
    }
    whole.lines()
}

/// The next numbers of a row, all of them or none: `fields` tells their names.
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
    use crate::kit::root::Mount;

    #[test]
    fn a_row_without_an_end_is_a_problem() {
        for (content, rows_expected, problems_expected) in
            [("", 0, 0), ("a 1\n", 1, 0), ("a 1\nb 2\n", 2, 0), ("a 1\nb 2", 1, 1), ("a", 0, 1)]
        {
            let mut problems = Problems::default();
            let found = rows(Text::new(Mount::Proc, b"x", content.as_bytes()), &mut problems).count();
            assert_eq!((found, problems.count()), (rows_expected, problems_expected), "{content:?}");
        }
    }

    #[track_caller]
    fn check(row: &str, expected: Result<[u64; 2], &str>) {
        let text = Text::new(Mount::Proc, b"x", row.as_bytes());
        let line = text.lines().next().expect("a line");
        let found = numbers(line, &mut line.fields(), ["first", "second"]);
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn numbers_of_a_row_are_there_together_or_not_at_all() {
        check("1 2 3", Ok([1, 2]));
        check("1 x", Err("proc/x:1: second: expected a whole number from 0 to 2^64 - 1, found `x`"));
        check("1", Err("proc/x:1: second: expected a whole number from 0 to 2^64 - 1, found nothing"));
    }
}
