//! Values of PCI device attributes.

use crate::kit::label::Label;
use crate::kit::parse::{AnyBase, FromText, Hexadecimal};

/// The address of a device, such as `0000:00:1f.6`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Location {
    segment: u32,
    bus: u32,
    device: u32,
    function: u32,
}

impl Location {
    /// Parses an address.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut pieces = text.split(|&byte| byte == b':');
        let (segment, bus, rest, None) = (pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()) else {
            return None;
        };
        let mut pieces = rest.split(|&byte| byte == b'.');
        let (device, function, None) = (pieces.next()?, pieces.next()?, pieces.next()) else { return None };
        Some(Self { segment: part(segment)?, bus: part(bus)?, device: part(device)?, function: part(function)? })
    }

    /// Label values of segment, bus, device and function.
    pub(super) fn labels(self) -> [Hex; 4] {
        let Self { segment, bus, device, function } = self;
        [Hex::plain(segment, 4), Hex::plain(bus, 2), Hex::plain(device, 2), Hex::plain(function, 1)]
    }
}

/// Parses hexadecimal digits without a prefix.
fn part(text: &[u8]) -> Option<u32> {
    let number = Hexadecimal::from_text(text).filter(|_| text.iter().all(u8::is_ascii_hexdigit))?;
    u32::try_from(number.0).ok()
}

/// A label value: a number with at least `digits` hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hex {
    number: u32,
    digits: usize,
    prefix: &'static [u8],
}

impl Hex {
    /// A number without a prefix.
    pub(super) fn plain(number: u32, digits: usize) -> Self {
        Self { number, digits, prefix: b"" }
    }

    /// A number with the prefix `0x`.
    pub(super) fn prefixed(number: u32, digits: usize) -> Self {
        Self { number, digits, prefix: b"0x" }
    }
}

/// Hexadecimal digits of a 32-bit number.
const HEX_DIGITS_MAX: usize = 8;

impl Label for Hex {
    fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix);
        for place in (0..HEX_DIGITS_MAX).rev() {
            let rest = self.number >> (4 * place);
            if rest > 0 || place < self.digits.max(1) {
                let digit = char::from_digit(rest & 0xf, 16).unwrap_or('0');
                out.extend(u8::try_from(digit));
            }
        }
    }
}

/// A vendor, device or class ID of up to 31 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity(pub(super) u32);

impl FromText for Identity {
    const EXPECTED: &'static str = "a number from 0 to 2^31 - 1, in hexadecimal after 0x";

    fn from_text(text: &[u8]) -> Option<Self> {
        let AnyBase(number) = AnyBase::from_text(text)?;
        i32::try_from(number).ok().and_then(|number| u32::try_from(number).ok()).map(Self)
    }
}

/// A link speed in transfers per second, from text such as `16.0 GT/s PCIe`; older kernels omit `PCIe`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Speed(pub(super) f64);

impl Speed {
    /// The value exported for a device without a link.
    pub(super) const NONE: Self = Self(-1.0);
}

impl FromText for Speed {
    const EXPECTED: &'static str = "a speed such as `8.0 GT/s PCIe`";

    fn from_text(text: &[u8]) -> Option<Self> {
        let at = text.iter().position(|&byte| byte == b' ')?;
        let is_unit = matches!(&text[at + 1..], b"GT/s PCIe" | b"GT/s");
        let transfers = f64::from_text(&text[..at]).filter(|transfers| transfers.is_finite() && *transfers >= 0.0)?;
        is_unit.then_some(Self(transfers * GIGA))
    }
}

const GIGA: f64 = 1e9;

/// A signed decimal integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal(pub(super) i64);

impl FromText for Decimal {
    const EXPECTED: &'static str = i64::EXPECTED;

    fn from_text(text: &[u8]) -> Option<Self> {
        i64::from_text(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(label: Hex) -> String {
        let mut out = Vec::new();
        label.write_to(&mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn an_address_has_four_parts() {
        let location = Location::parse(b"10000:e1:1f.7").expect("a place");
        assert_eq!(location.labels().map(shown), ["10000", "e1", "1f", "7"]);
        for bad in
            ["", "0000:00:1f", "0000:00:1f.6.7", "0:0000:00:1f.6", "x:00:1f.6", "0x0:00:1f.6", "100000000:00:1f.6"]
        {
            assert_eq!(Location::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn speeds_require_a_unit() {
        assert_eq!(Speed::from_text(b"2.5 GT/s PCIe"), Some(Speed(2.5e9)));
        assert_eq!(Speed::from_text(b"8 GT/s"), Some(Speed(8e9)));
        for bad in ["", "8", "8 ", "8 MT/s", "x GT/s PCIe", "-8 GT/s PCIe", "nan GT/s PCIe", "8  GT/s"] {
            assert_eq!(Speed::from_text(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn identities_have_at_most_31_bits() {
        assert_eq!(Identity::from_text(b"0x7fffffff"), Some(Identity(0x7fff_ffff)));
        assert_eq!(Identity::from_text(b"32902"), Some(Identity(0x8086)));
        for bad in ["0x80000000", "-1", "0x", ""] {
            assert_eq!(Identity::from_text(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn hex_labels_match_format(number: u32) {
            prop_assert_eq!(shown(Hex::plain(number, 4)), format!("{number:04x}"));
            prop_assert_eq!(shown(Hex::prefixed(number >> 16, 6)), format!("{:#08x}", number >> 16));
        }

        #[test]
        fn addresses_round_trip(segment: u32, bus: u8, device in 0_u32..32, function in 0_u32..8) {
            let text = format!("{segment:04x}:{bus:02x}:{device:02x}.{function:x}");
            let expected = Location { segment, bus: u32::from(bus), device, function };
            prop_assert_eq!(Location::parse(text.as_bytes()), Some(expected));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = (Location::parse(&bytes), Speed::from_text(&bytes), Identity::from_text(&bytes));
        }
    }
}
