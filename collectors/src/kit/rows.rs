//! Files with rows of a name and numbers.

use super::failure::{ParseError, Problems};
use super::parse::{Fields, FromText, Line, Text};
use super::table;

/// The rows of a file by name. The last of several rows of one name is used.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, const N: usize> {
    rows: [Option<Row<'a>>; N],
    has_strangers: bool,
}

/// A row of the file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The whole line, for errors.
    pub line: Line<'a>,
    rest: &'a [u8],
}

impl<'a, const N: usize> Rows<'a, N> {
    /// The rows of a file that is never empty: an empty one is an error. `judge` returns the error of a line with another
    /// name.
    pub fn of(
        text: Text<'a>,
        names: [&str; N],
        problems: &mut Problems,
        judge: impl Fn(Line<'a>) -> Result<(), ParseError<'a>>,
    ) -> Result<Self, ParseError<'a>> {
        if text.bytes.is_empty() {
            return Err(table::empty(text));
        }
        Ok(Self::find(text, names, |line| problems.value(judge(line)).is_some()))
    }

    /// Finds the rows of these names. `is_fine` checks lines with other names.
    fn find(text: Text<'a>, names: [&str; N], mut is_fine: impl FnMut(Line<'a>) -> bool) -> Self {
        let mut found = Self { rows: [None; N], has_strangers: false };
        for line in text.lines() {
            let mut fields = line.fields();
            let name = fields.next().unwrap_or_default();
            let place = names.iter().position(|wanted| wanted.as_bytes() == name);
            match place.and_then(|at| found.rows.get_mut(at)) {
                Some(row) => *row = Some(Row { line, rest: fields.rest() }),
                None => found.has_strangers |= !is_fine(line),
            }
        }
        // A file without a known row is corrupt.
        found.has_strangers |= found.rows.iter().all(Option::is_none);
        found
    }

    /// The results of `read` for each row, in the order of the names; `Ok(None)` for a missing row. If a line could not be
    /// parsed, missing rows are skipped, because that line may be one of them.
    pub fn each<T>(
        self,
        mut read: impl FnMut(usize, Row<'a>) -> Result<T, ParseError<'a>>,
    ) -> impl Iterator<Item = (usize, Result<Option<T>, ParseError<'a>>)> {
        let Self { rows, has_strangers } = self;
        rows.into_iter().enumerate().filter_map(move |(at, row)| match row {
            Some(row) => Some((at, read(at, row).map(Some))),
            None => (!has_strangers).then_some((at, Ok(None))),
        })
    }
}

impl<'a> Row<'a> {
    /// The numbers of a row of exactly `N` numbers; `expected` describes the row.
    pub fn exactly<T: FromText + Copy + Default, const N: usize>(
        self,
        expected: &'static str,
    ) -> Result<[T; N], ParseError<'a>> {
        exactly(self.line, self.line.fields_of(self.rest), expected)
    }

    /// The first numbers of the row, padded with 0, and the number of all numbers.
    pub fn numbers<T: FromText + Copy + Default, const N: usize>(self) -> Result<([T; N], usize), ParseError<'a>> {
        numbers(self.line, self.line.fields_of(self.rest))
    }

    /// The first numbers, padded with 0, of a row that begins with the count of its numbers, at least `least`.
    pub fn counted<const N: usize>(self, least: u64, expected: &'static str) -> Result<[u64; N], ParseError<'a>> {
        let mut fields = self.line.fields_of(self.rest);
        let count: u64 = fields.number("the count of numbers")?;
        let (values, found) = numbers(self.line, fields)?;
        if count < least || u64::try_from(found) != Ok(count) {
            return Err(self.line.error("the row", expected, self.line.bytes));
        }
        Ok(values)
    }
}

/// The numbers of exactly `N` fields; `expected` describes them.
pub fn exactly<'a, T: FromText + Copy + Default, const N: usize>(
    line: Line<'a>,
    fields: Fields<'a>,
    expected: &'static str,
) -> Result<[T; N], ParseError<'a>> {
    let (values, count) = numbers(line, fields)?;
    if count == N { Ok(values) } else { Err(line.error("the row", expected, line.bytes)) }
}

/// The first numbers of these fields, padded with 0, and the number of all fields.
pub fn numbers<'a, T: FromText + Copy + Default, const N: usize>(
    line: Line<'a>,
    fields: Fields<'a>,
) -> Result<([T; N], usize), ParseError<'a>> {
    let mut values = [T::default(); N];
    let mut count = 0;
    for found in fields {
        let value = line.number("a column", found)?;
        if let Some(place) = values.get_mut(count) {
            *place = value;
        }
        count += 1;
    }
    Ok((values, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    fn text(bytes: &str) -> Text<'_> {
        Text::new(Mount::Proc, b"x", bytes.as_bytes())
    }

    fn row(line: &str) -> Row<'_> {
        Rows::find(text(line), ["a"], |_| true).rows[0].expect("a row")
    }

    #[track_caller]
    fn check_rows(content: &str, expected: &[(usize, Option<u64>)]) {
        let rows = Rows::find(text(content), ["a", "b"], |line| line.bytes.starts_with(b"ok"));
        let found = rows.each(|_, row| row.exactly::<u64, 1>("1 number").map(|[value]| value));
        let found: Vec<_> = found.filter_map(|(at, value)| Some((at, value.ok()?))).collect();
        assert_eq!(found, expected, "{content}");
    }

    #[test]
    fn a_missing_row_differs_from_an_invalid_one() {
        check_rows("b 2\na 1\n", &[(0, Some(1)), (1, Some(2))]);
        check_rows("b 2\nok 3\n", &[(0, None), (1, Some(2))]);
        check_rows("b 2\n? 3\n", &[(1, Some(2))]);
        check_rows("b x\n", &[(0, None)]);
        check_rows("", &[]);
        check_rows("ok 3\n", &[]);
        check_rows("a 1\na 2\nb 3\n", &[(0, Some(2)), (1, Some(3))]);
    }

    #[test]
    fn an_empty_file_is_an_error_and_unknown_rows_are_reported() {
        let mut problems = Problems::default();
        let judge = |line: Line<'static>| Err(line.error("the row", "a or b", line.bytes));
        assert!(Rows::of(text(""), ["a", "b"], &mut problems, judge).is_err());
        let rows = Rows::of(text("a 1\nc 2\n"), ["a", "b"], &mut problems, judge).expect("lines");
        assert_eq!((rows.each(|_, row| row.numbers::<u64, 1>()).count(), problems.count()), (1, 1));
        assert_eq!(problems.shown()[0].reason().to_string(), "proc/x:2: the row: expected a or b, found \"c 2\"");
    }

    #[test]
    fn the_number_of_columns_is_checked() {
        assert_eq!(row("a 1 2").exactly("2 numbers").ok(), Some([1_u64, 2]));
        for line in ["a 1", "a 1 2 3"] {
            let error = row(line).exactly::<u64, 2>("2 numbers").expect_err("another count").to_string();
            assert!(error.contains("proc/x:1: the row: expected 2 numbers, found \"a 1"), "{error}");
        }
        assert_eq!(row("a 1 2 3").numbers().ok(), Some(([1_u64, 2], 3)));
        assert_eq!(row("a").numbers().ok(), Some(([0_u64; 2], 0)));
    }

    #[test]
    fn the_count_at_the_start_of_a_row_is_checked() {
        let counted = |line| row(line).counted::<3>(2, "its count of numbers").map_err(|error| error.to_string());
        assert_eq!(counted("a 2 5 6"), Ok([5, 6, 0]));
        assert_eq!(counted("a 4 5 6 7 8"), Ok([5, 6, 7]));
        for line in ["a", "a 1 5", "a 2 5", "a 2 5 6 7", "a 2 5 x", "a -1"] {
            assert!(counted(line).is_err(), "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let rows = Rows::find(Text::new(Mount::Proc, b"x", &bytes), ["a", "b"], |_| false);
            let count = rows.each(|_, row| row.counted::<2>(1, "two")).count();
            prop_assert!(count <= 2);
        }
    }
}
