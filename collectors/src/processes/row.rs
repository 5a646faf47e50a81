//! `/proc/PID/stat`, of which two fields are wanted.

use crate::kit::prelude::*;

/// What is wanted of a process or thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// The letter of its state.
    pub(super) state: u8,
    /// How many threads its process has.
    pub(super) threads: i64,
}

/// `num_threads` is so many fields behind the state.
const FIELDS_BETWEEN: usize = 16;

/// The name of a process may have brackets, spaces and newlines in it: what follows begins behind the last bracket.
pub(super) fn parse(text: Text<'_>) -> Result<Row, ParseError<'_>> {
    let Some(end) = memchr::memrchr(b')', text.bytes) else {
        return Err(text.error("comm", "a name in brackets", text.trimmed()));
    };
    let rest = Text::new(text.mount, text.path, &text.bytes[end + 1..]);
    let mut fields = rest.bytes.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let state = fields.next().unwrap_or_default();
    let &[letter] = state else { return Err(text.error("state", "a letter", state)) };
    if !letter.is_ascii_alphabetic() {
        return Err(text.error("state", "a letter", state));
    }
    let found = fields.nth(FIELDS_BETWEEN).unwrap_or_default();
    Ok(Row { state: letter, threads: Text { bytes: found, ..rest }.number("num_threads")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    #[track_caller]
    fn check(content: &str, expected: Result<(u8, i64), &str>) {
        let found = parse(Text::new(Mount::Proc, b"1/stat", content.as_bytes()));
        let found = found.map(|row| (row.state, row.threads)).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_name_may_hold_anything() {
        let rest = "1 1 1 0 -1 1 0 0 0 0 1 2 0 0 20 0 7 0 17";
        check(&format!("1 (a) S {rest}\n"), Ok((b'S', 7)));
        check(&format!("1 (a) Z 1 (b) D {rest}\n"), Ok((b'D', 7)));
        check(&format!("1 (a\n) R) I {rest}\n"), Ok((b'I', 7)));
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        check("", Err("proc/1/stat: comm: expected a name in brackets, found nothing"));
        check("1 (a)", Err("proc/1/stat: state: expected a letter, found nothing"));
        check("1 (a) SS 1", Err("proc/1/stat: state: expected a letter, found \"SS\""));
        check("1 (a) 5 1", Err("proc/1/stat: state: expected a letter, found \"5\""));
        let number = "proc/1/stat: num_threads: expected a signed integer, found";
        check("1 (a) S 1 1", Err(&format!("{number} nothing")));
        check("1 (a) S 1 1 1 0 -1 1 0 0 0 0 1 2 0 0 20 0 x", Err(&format!("{number} \"x\"")));
    }

    proptest! {
        #[test]
        fn rows_come_back_and_the_second_opinion_agrees(
            name in "[ -~]{0,15}",
            state in "[RSDZTI]",
            threads in 1..100_000_u32,
        ) {
            let row = format!(
                "741 ({name}) {state} 1 741 741 0 -1 4194560 9 0 0 0 12 7 0 0 20 0 {threads} 0 17 9482240 512 \
                18446744073709551615 1 1 0 0 0 0 0 4096 17 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
            );
            let found = parse(Text::new(Mount::Proc, b"741/stat", row.as_bytes())).expect("a row of the kernel");
            let second = procfs_core::process::Stat::from_read(row.as_bytes()).expect("a row of the kernel");
            prop_assert_eq!((char::from(found.state), found.threads), (second.state, second.num_threads));
            prop_assert_eq!(found.threads, i64::from(threads));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = parse(Text::new(Mount::Proc, b"1/stat", &bytes));
        }
    }
}
