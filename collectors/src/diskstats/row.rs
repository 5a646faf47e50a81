//! One row of /proc/diskstats.

use super::FIELDS;
use crate::kit::failure::ParseError;
use crate::kit::parse::Line;

/// The number of fields after the device's name that are exported; later kernels may add more.
pub(super) const FIELDS_MAX: usize = FIELDS.len();
/// Minimum number of fields. Kernels before 2.6.25 print four for a partition, with other meanings.
pub(super) const FIELDS_MIN: usize = 11;

/// A device and its counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DiskRow<'a> {
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) device: &'a [u8],
    values: [u64; FIELDS_MAX],
    count: usize,
}

impl DiskRow<'_> {
    /// The counts in the row.
    pub(super) fn values(&self) -> &[u64] {
        self.values.get(..self.count).unwrap_or_default()
    }
}

/// Parses a row; `None` if it has fewer than [`FIELDS_MIN`] counts.
pub(super) fn parse(line: Line<'_>) -> Result<Option<DiskRow<'_>>, ParseError<'_>> {
    let mut fields = line.fields();
    if fields.clone().nth(2 + FIELDS_MIN).is_none() {
        return Ok(None);
    }
    let (major, minor) = (fields.number("major")?, fields.number("minor")?);
    let mut row = DiskRow { major, minor, device: fields.text("device")?, values: [0; FIELDS_MAX], count: 0 };
    for (value, ((name, _), _)) in row.values.iter_mut().zip(FIELDS) {
        let Some(number) = fields.number_if_present(name)? else { break };
        *value = number;
        row.count += 1;
    }
    Ok(Some(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::parse::Text;
    use procfs_core::FromBufRead;
    use proptest::prelude::*;

    fn line(text: &str) -> Line<'_> {
        Text::new(Mount::Proc, b"diskstats", text.as_bytes()).lines().next().expect("a line")
    }

    #[track_caller]
    fn check(counts: usize, expected: Option<usize>) {
        let numbers: Vec<String> = (1..=counts).map(|number| number.to_string()).collect();
        let text = format!("   8       1 sda1 {}\n", numbers.join(" "));
        let row = parse(line(&text)).expect("numbers");
        assert_eq!(row.as_ref().map(|row| row.values().len()), expected, "{counts} counts");
        if let Some(row) = row {
            assert_eq!((row.major, row.minor, row.device), (8, 1, &b"sda1"[..]));
            assert!(row.values().iter().copied().eq(1..=row.values().len() as u64));
        }
    }

    #[test]
    fn rows_of_every_kernel_are_parsed_to_the_last_known_column() {
        check(0, None);
        check(4, None);
        check(FIELDS_MIN - 1, None);
        check(FIELDS_MIN, Some(FIELDS_MIN));
        check(15, Some(15));
        check(FIELDS_MAX, Some(FIELDS_MAX));
        check(FIELDS_MAX + 4, Some(FIELDS_MAX));
        assert_eq!(parse(line("\n")), Ok(None));
    }

    #[test]
    fn errors_name_the_invalid_field() {
        let error = parse(line("8 0 sda 1 2 3 4 5 6 7 -8 9 10 11\n")).expect_err("a negative time");
        assert_eq!(error.to_string(), "proc/diskstats:1: time writing: expected an unsigned integer, found \"-8\"");
        assert!(parse(line("8 4294967296 sda 1 2 3 4 5 6 7 8 9 10 11\n")).is_err());
        assert!(parse(line("8 0 sda 1 2 3 18446744073709551616 5 6 7 8 9 10 11\n")).is_err());
        assert!(parse(line("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 x\n")).is_err());
    }

    proptest! {
        #[test]
        fn rows_come_back_and_the_second_opinion_agrees(
            major in 0..1000_i32, minor in 0..1000_i32, name in "[a-z][a-z0-9!-]{0,12}",
            counts in prop_oneof![Just(11_usize), Just(15), Just(17)], values: [u64; FIELDS_MAX],
        ) {
            let values = values.map(|value| value >> 1);
            let numbers: Vec<String> = values[..counts].iter().map(ToString::to_string).collect();
            let text = format!("{major:4} {minor:7} {name} {}\n", numbers.join(" "));
            let row = parse(line(&text)).expect("a row").expect("a row");
            prop_assert_eq!((row.device, row.values()), (name.as_bytes(), &values[..counts]));
            let second = procfs_core::DiskStats::from_buf_read(text.as_bytes()).expect("a row");
            let [second] = &second.0[..] else { panic!("one row") };
            prop_assert_eq!((second.major, second.minor, &second.name), (major, minor, &name));
            prop_assert_eq!(second.reads, values[0]);
            prop_assert_eq!(second.weighted_time_in_progress, values[10]);
            prop_assert_eq!(second.flushes, values[..counts].get(15).copied());
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"diskstats", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
