//! Attributes: files of /sys with one value each.

use super::declare::Cx;
use super::failure::ParseError;
use super::parse::{FromText, Text};
use super::read::{File, Read};
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};

/// Maximum length of a value; node_exporter reads no more of an attribute.
pub const ATTRIBUTE_CAP_BYTES: usize = 128;

/// The trimmed value of an attribute.
pub fn value<'a>(text: &Text<'a>) -> &'a [u8] {
    trimmed(text.bytes)
}

/// The trimmed value of an attribute with this content.
pub fn trimmed(content: &[u8]) -> &[u8] {
    content.get(..ATTRIBUTE_CAP_BYTES).unwrap_or(content).trim_ascii()
}

/// Whether the device does not support the attribute at all or at the moment.
pub fn is_unavailable(error: RootError) -> bool {
    use Errno as E;
    matches!(error, RootError::Errno(E::ENOENT | E::EACCES | E::EPERM | E::EINVAL | E::EOPNOTSUPP))
}

/// Whether the attribute is missing or not readable by this process.
pub fn is_hidden(error: RootError) -> bool {
    error.is_missing() || error.is_denied()
}

/// Whether the kernel or driver does not have the attribute.
pub fn is_absent(error: RootError) -> bool {
    error == RootError::Errno(Errno::ENOENT)
}

/// Expects no error.
pub fn never(_: RootError) -> bool {
    false
}

/// Reads the number of an attribute. A read error is reported unless it `is_expected`.
pub fn number<T: FromText, C, const N: usize>(
    cx: &mut Cx<'_, C>,
    attribute: Read<C, File, N>,
    names: [&[u8]; N],
    is_expected: fn(RootError) -> bool,
) -> Option<T> {
    match cx.files.read(attribute, names) {
        Ok(text) => cx.problems.value(parsed(text)),
        Err(error) if is_expected(error.error) => None,
        Err(error) => {
            cx.problems.report(error);
            None
        }
    }
}

/// Reads the number of an attribute; returns `absent` if the kernel does not have it.
pub fn number_or<T: FromText, C, const N: usize>(
    cx: &mut Cx<'_, C>,
    attribute: Read<C, File, N>,
    names: [&[u8]; N],
    absent: T,
) -> Option<T> {
    match cx.files.read(attribute, names) {
        Ok(text) => cx.problems.value(parsed(text)),
        Err(error) if error.error == RootError::Errno(Errno::ENOENT) => Some(absent),
        Err(error) => {
            cx.problems.report(error);
            None
        }
    }
}

fn parsed<T: FromText>(text: Text<'_>) -> Result<T, ParseError<'_>> {
    let found = value(&text);
    T::from_text(found).ok_or_else(|| text.error("value", T::EXPECTED, found))
}

/// Replaces `into` by the value of an attribute. Returns `false` with an empty `into` if it cannot be read. A read error
/// is reported unless it `is_expected`.
pub fn word<C, const N: usize>(
    cx: &mut Cx<'_, C>,
    attribute: Read<C, File, N>,
    names: [&[u8]; N],
    is_expected: fn(RootError) -> bool,
    into: &mut Vec<u8>,
) -> bool {
    into.clear();
    match cx.files.read(attribute, names) {
        Ok(text) => {
            into.extend_from_slice(value(&text));
            true
        }
        Err(error) if is_expected(error.error) => false,
        Err(error) => {
            cx.problems.report(error);
            false
        }
    }
}

/// Replaces `into` by the value of an attribute that is never empty. Returns `false` with an empty `into` after a read
/// error or for an empty value; both are reported.
pub fn filled_word<C, const N: usize>(
    cx: &mut Cx<'_, C>,
    attribute: Read<C, File, N>,
    names: [&[u8]; N],
    into: &mut Vec<u8>,
) -> bool {
    into.clear();
    match cx.files.read(attribute, names) {
        Ok(text) => match value(&text) {
            b"" => cx.problems.report(text.error("value", "a word", b"")),
            found => into.extend_from_slice(found),
        },
        Err(error) => cx.problems.report(error),
    }
    !into.is_empty()
}

/// The numbers in names that consist of `prefix` and digits: `0` of `thermal_zone0`.
pub fn numbered<'a>(names: &'a Names, prefix: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let rests = names.iter().filter_map(move |name| name.strip_prefix(prefix));
    rests.filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::{Kind, Mount};

    #[test]
    fn numbers_follow_the_prefix() {
        let mut names = Names::new();
        for name in ["mc", "mc0", "mc12x", "mcx1", "xmc1"] {
            names.push(name.as_bytes(), Kind::Directory);
        }
        assert_eq!(numbered(&names, b"mc").collect::<Vec<_>>(), [b"0".as_slice(), b"12x"]);
    }

    #[test]
    fn long_values_are_truncated() {
        let long = [b'x'; ATTRIBUTE_CAP_BYTES + 1];
        for (length, expected) in
            [(0, 0), (ATTRIBUTE_CAP_BYTES, ATTRIBUTE_CAP_BYTES), (long.len(), ATTRIBUTE_CAP_BYTES)]
        {
            assert_eq!(value(&Text::new(Mount::Sys, b"x", &long[..length])).len(), expected);
        }
        assert_eq!(value(&Text::new(Mount::Sys, b"x", b" up\n")), b"up");
    }

    #[test]
    fn a_removed_device_differs_from_one_without_the_attribute() {
        for errno in Errno::ALL {
            let expected = ["ENOENT", "EACCES", "EPERM", "EINVAL", "EOPNOTSUPP"].contains(&errno.name());
            assert_eq!(is_unavailable((*errno).into()), expected, "{errno:?}");
        }
        assert!(!is_unavailable(RootError::Escapes));
    }
}
