//! Attributes: files of /sys that hold one value each.

use super::errno::Errno;
use super::parse::Text;
use super::root::RootError;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::root::Mount;

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
