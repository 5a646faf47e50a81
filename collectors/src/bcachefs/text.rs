//! Text formats of bcachefs.

use crate::kit::parse::{FromText, whole_part};
use crate::kit::prelude::*;

/// A number with an optional binary unit: `720`, `28.2k`, `2.05G`. Fractions of a byte are dropped.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Amount(pub(super) u64);

/// Binary units, each 1,024 times the previous one.
const UNITS: &[u8] = b"kmgtpe";

impl FromText for Amount {
    const EXPECTED: &'static str = "an unsigned integer, or one with a unit such as 28.2k, below 2^64";

    fn from_text(text: &[u8]) -> Option<Self> {
        if let Some(whole) = u64::from_text(text) {
            return Some(Self(whole));
        }
        let last = text.last()?.to_ascii_lowercase();
        let unit = UNITS.iter().position(|&unit| unit == last);
        let digits = if unit.is_some() { &text[..text.len() - 1] } else { text };
        if !digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
            return None;
        }
        let power = unit.map_or(0, |unit| unit + 1);
        whole_part(f64::from_text(digits)? * 1024_f64.powi(i32::try_from(power).ok()?)).map(Self)
    }
}

/// Parses a name with an optional colon, and the numbers after it.
pub(super) fn row<T: FromText + Copy + Default, const N: usize>(
    line: Line<'_>,
) -> Result<(&[u8], [T; N]), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("name")?;
    let mut values = [T::default(); N];
    for value in &mut values {
        *value = fields.number("number")?;
    }
    Ok((name.strip_suffix(b":").unwrap_or(name), values))
}

const SINCE_MOUNT: &[u8] = b"since mount:";
const SINCE_CREATION: &[u8] = b"since filesystem creation:";

/// Parses the value of a counter since file system creation; 0 if the file has only the value since the mount.
pub(super) fn counter(text: Text<'_>) -> Result<Amount, ParseError<'_>> {
    let mut is_known = false;
    for line in text.lines() {
        if let Some(value) = line.bytes.strip_prefix(SINCE_CREATION) {
            return line.number("since filesystem creation", value.trim_ascii());
        }
        is_known |= line.bytes.starts_with(SINCE_MOUNT);
    }
    let expected = "`since mount:` or `since filesystem creation:`";
    if is_known { Ok(Amount(0)) } else { Err(text.error("counter", expected, text.bytes)) }
}

/// Replaces `into` by the counter's name for a metric: each run of invalid characters becomes one `_`, together with
/// adjacent `_`.
pub(super) fn fill_name(name: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut rest = name;
    // The end of the last replacement, which stays.
    let mut fixed = 0;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if is_fine(byte) {
            into.push(byte);
            continue;
        }
        while into.len() > fixed && into.last() == Some(&b'_') {
            into.pop();
        }
        into.push(b'_');
        fixed = into.len();
        let end = rest.iter().position(|&byte| is_fine(byte)).unwrap_or(rest.len());
        let (_, after) = rest.split_at(end);
        let end = after.iter().position(|&byte| byte != b'_').unwrap_or(after.len());
        rest = after.get(end..).unwrap_or_default();
    }
}

fn is_fine(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
