//! Attributes: files of /sys that hold one value each.

use super::declare::Cx;
use super::failure::ParseError;
use super::parse::{FromText, Text};
use super::read::{File, Read};
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};

/// So much of an attribute is its value; node_exporter reads no more of it.
pub const ATTRIBUTE_CAP_BYTES: usize = 128;

/// The value of an attribute, without white space around it.
pub fn value<'a>(text: &Text<'a>) -> &'a [u8] {
    text.bytes.get(..ATTRIBUTE_CAP_BYTES).unwrap_or(text.bytes).trim_ascii()
}

/// Whether the device merely does not have this attribute, or not now: drivers refuse what makes no sense for them.
pub fn is_unavailable(error: RootError) -> bool {
    use Errno as E;
    matches!(error, RootError::Errno(E::ENOENT | E::EACCES | E::EPERM | E::EINVAL | E::EOPNOTSUPP))
}

/// Whether the attribute is not there, or not shown to this process.
pub fn is_hidden(error: RootError) -> bool {
    error.is_missing() || error.is_denied()
}

/// Whether this kernel or driver does not have the attribute at all.
pub fn is_absent(error: RootError) -> bool {
    error == RootError::Errno(Errno::ENOENT)
}

/// No error is to be expected.
pub fn never(_: RootError) -> bool {
    false
}

/// The number that an attribute holds. There is none where reading fails; that is noted unless it `is_expected`.
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

/// The same, with the number of an attribute that this kernel does not have.
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

/// Replaces `into` by the value of an attribute; `false`, and empty, where reading fails. That is noted unless it
/// `is_expected`.
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

/// Replaces `into` by the value of an attribute that every device fills; `false`, and empty, where reading fails or
/// there is nothing in it, both of which are noted.
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

/// What follows `prefix` in the names that begin with it and go on with a digit: `0` of `thermal_zone0`.
pub fn numbered<'a>(names: &'a Names, prefix: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let rests = names.iter().filter_map(move |name| name.strip_prefix(prefix));
    rests.filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::{Kind, Mount};

    #[test]
    fn numbered_names_go_on_with_a_digit() {
        let mut names = Names::new();
        for name in ["mc", "mc0", "mc12x", "mcx1", "xmc1"] {
            names.push(name.as_bytes(), Kind::Directory);
        }
        assert_eq!(numbered(&names, b"mc").collect::<Vec<_>>(), [b"0".as_slice(), b"12x"]);
    }

    #[test]
    fn a_value_ends_at_its_limit() {
        let long = [b'x'; ATTRIBUTE_CAP_BYTES + 1];
        for (length, expected) in
            [(0, 0), (ATTRIBUTE_CAP_BYTES, ATTRIBUTE_CAP_BYTES), (long.len(), ATTRIBUTE_CAP_BYTES)]
        {
            assert_eq!(value(&Text::new(Mount::Sys, b"x", &long[..length])).len(), expected);
        }
        assert_eq!(value(&Text::new(Mount::Sys, b"x", b" up\n")), b"up");
    }

    #[test]
    fn a_device_that_has_gone_is_not_one_without_the_attribute() {
        for errno in Errno::ALL {
            let expected = ["ENOENT", "EACCES", "EPERM", "EINVAL", "EOPNOTSUPP"].contains(&errno.name());
            assert_eq!(is_unavailable((*errno).into()), expected, "{errno:?}");
        }
        assert!(!is_unavailable(RootError::Escapes));
    }
}
