//! Label values and their escaping.

use std::io::Write;
use std::net::IpAddr;

use super::line::{self, Room};
use super::{bytes, digits};
use crate::host::kernel::IpNetwork;

/// A value of a label.
pub trait Label {
    /// Appends the escaped value: `\`, `"` and newline get a backslash, invalid UTF-8 becomes U+FFFD.
    fn write_to(&self, out: &mut Vec<u8>);

    /// Appends the value like [`Label::write_to`]. Returns `false` and appends nothing if the sample does not have the label,
    /// which differs from an empty value.
    fn write_if_present(&self, out: &mut Vec<u8>) -> bool {
        self.write_to(out);
        true
    }

    /// Writes the value into a line buffer; returns the next position. For [`line::TOO_LONG`], the default, the caller falls
    /// back to [`Label::write_if_present`].
    fn put(&self, room: &mut Room, at: usize) -> usize {
        let _ = (room, at);
        line::TOO_LONG
    }
}

/// The labels of a sample: a struct of [`label_sets!`](crate::label_sets) with a field per label, or `()`.
pub trait Labels: Copy {
    /// The label names, in the order of the page.
    const NAMES: &'static [&'static str];

    /// Passes the values to `take`, in the order of the label names.
    fn with<R>(self, take: impl FnOnce(&[&dyn Label]) -> R) -> R;
}

/// The empty set of labels.
impl Labels for () {
    const NAMES: &'static [&'static str] = &[];

    #[inline]
    fn with<R>(self, take: impl FnOnce(&[&dyn Label]) -> R) -> R {
        take(&[])
    }
}

/// Declares sets of labels: structs with a field per label, in alphabetical order.
///
/// ```
/// use collectors::kit::label::Labels;
///
/// collectors::label_sets! {
///     PerMode { cpu, mode, r#type }
/// }
///
/// assert_eq!(PerMode::NAMES, ["cpu", "mode", "type"]);
/// PerMode { r#type: &"guest", mode: &"idle", cpu: &7_u64 }.with(|values| assert_eq!(values.len(), 3));
/// ```
/// Values without names, which could be swapped, do not compile:
/// ```compile_fail,E0423
/// collectors::label_sets! {
///     PerMode { cpu, mode }
/// }
/// let _ = PerMode(&"idle", &7_u64);
/// ```
/// An array of values does not compile:
/// ```compile_fail,E0277
/// use collectors::kit::label::{Label, Labels};
/// fn emit(_: impl Labels) {}
/// emit([&"idle" as &dyn Label, &7_u64]);
/// ```
#[macro_export]
macro_rules! label_sets {
    ($($set:ident { $($label:ident),+ $(,)? })*) => {$(
        #[derive(Clone, Copy)]
        struct $set<'a> {
            $($label: &'a dyn $crate::kit::label::Label,)+
        }

        impl $crate::kit::label::Labels for $set<'_> {
            const NAMES: &'static [&'static str] = &[$($crate::kit::label::name_of(stringify!($label))),+];

            #[inline]
            fn with<R>(self, take: impl FnOnce(&[&dyn $crate::kit::label::Label]) -> R) -> R {
                take(&[$(self.$label),+])
            }
        }
    )*};
}

/// The label name of a field: `type` for `r#type`.
pub const fn name_of(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// An optional label.
impl<L: Label> Label for Option<L> {
    fn write_to(&self, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.write_to(out);
        }
    }

    fn write_if_present(&self, out: &mut Vec<u8>) -> bool {
        self.write_to(out);
        self.is_some()
    }

    fn put(&self, room: &mut Room, at: usize) -> usize {
        self.as_ref().map_or(line::TOO_LONG, |value| value.put(room, at))
    }
}

/// Text, which rarely needs escaping.
macro_rules! text_labels {
    ($($type:ty),*) => {
        $(impl Label for $type {
            fn write_to(&self, out: &mut Vec<u8>) {
                push_escaped(self.as_ref(), out);
            }

            fn put(&self, room: &mut Room, at: usize) -> usize {
                line::put_plain(room, at, self.as_ref())
            }
        })*
    };
}

text_labels!([u8], &[u8], Vec<u8>, str, &str, String);

/// A number, which always fits into the line buffer.
macro_rules! number_labels {
    ($($type:ty: $put:expr;)*) => {
        $(impl Label for $type {
            fn write_to(&self, out: &mut Vec<u8>) {
                line::append(out, |room, at| self.put(room, at));
            }

            #[inline]
            fn put(&self, room: &mut Room, at: usize) -> usize {
                $put(*self, room, at)
            }
        })*
    };
}

number_labels! {
    u8: put_whole;
    u16: put_whole;
    u32: put_whole;
    u64: put_whole;
    usize: |value, room, at| put_whole(value as u64, room, at);
    i32: put_signed;
    i64: put_signed;
}

#[inline]
fn put_whole(value: impl Into<u64>, room: &mut Room, at: usize) -> usize {
    digits::put_whole(value.into(), room, at)
}

#[inline]
fn put_signed(value: impl Into<i64>, room: &mut Room, at: usize) -> usize {
    let value = value.into();
    let at = if value < 0 { line::put_byte(room, at, b'-') } else { at };
    put_whole(value.unsigned_abs(), room, at)
}

/// A value of several pieces: `Joined(&[b"cpu", number])`.
#[derive(Debug)]
pub struct Joined<'a>(pub &'a [&'a [u8]]);

impl Label for Joined<'_> {
    fn write_to(&self, out: &mut Vec<u8>) {
        for piece in self.0 {
            push_escaped(piece, out);
        }
    }

    fn put(&self, room: &mut Room, at: usize) -> usize {
        self.0.iter().fold(at, |at, piece| line::put_plain(room, at, piece))
    }
}

/// A hardware address, printed as `02:00:5e:00:53:01`.
#[derive(Debug)]
pub struct HardwareAddress<'a>(pub &'a [u8]);

impl Label for HardwareAddress<'_> {
    fn write_to(&self, out: &mut Vec<u8>) {
        let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
        for (at, &byte) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b':');
            }
            out.extend([digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}

/// An IP address, printed as `192.0.2.1` or `2001:db8::1`. An IPv4 address that is written as one of IPv6 is printed as
/// the IPv4 address that it is, as Go does.
#[derive(Clone, Copy, Debug)]
pub struct IpLabel(pub IpAddr);

impl Label for IpLabel {
    fn write_to(&self, out: &mut Vec<u8>) {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{}", self.0.to_canonical());
    }

    fn put(&self, room: &mut Room, at: usize) -> usize {
        put_ip(self.0.to_canonical(), room, at)
    }
}

/// Maximum length of an address: IPv6 with an IPv4 address at its end.
const IP_MAX_BYTES: usize = 45;

fn put_ip(address: IpAddr, room: &mut Room, at: usize) -> usize {
    match address {
        IpAddr::V4(address) => {
            let [first, rest @ ..] = address.octets();
            rest.iter().fold(put_whole(first, room, at), |at, &byte| {
                let at = line::put_byte(room, at, b'.');
                put_whole(byte, room, at)
            })
        }
        IpAddr::V6(address) => {
            let mut text = [0; IP_MAX_BYTES];
            let mut rest = text.as_mut_slice();
            if write!(rest, "{address}").is_err() {
                return line::TOO_LONG;
            }
            let length = IP_MAX_BYTES - rest.len();
            line::put_all(room, at, &text[..length])
        }
    }
}

/// A network, printed as `192.0.2.0/24`. An IPv4 address that is written as one of IPv6 stays one, with its prefix.
#[derive(Clone, Copy, Debug)]
pub struct NetworkLabel(pub IpNetwork);

impl Label for NetworkLabel {
    fn write_to(&self, out: &mut Vec<u8>) {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{}/{}", self.0.address, self.0.prefix_length);
    }

    fn put(&self, room: &mut Room, at: usize) -> usize {
        let at = put_ip(self.0.address, room, at);
        let at = line::put_byte(room, at, b'/');
        put_whole(self.0.prefix_length, room, at)
    }
}

/// A value that is replaced by a text where the sample has none. Unlike an optional label, the label is always printed.
#[derive(Clone, Copy, Debug)]
pub struct OrText<L>(pub Option<L>, pub &'static str);

impl<L: Label> Label for OrText<L> {
    fn write_to(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Some(value) => value.write_to(out),
            None => self.1.write_to(out),
        }
    }

    fn put(&self, room: &mut Room, at: usize) -> usize {
        match &self.0 {
            Some(value) => value.put(room, at),
            None => self.1.put(room, at),
        }
    }
}

fn push_escaped(value: &[u8], out: &mut Vec<u8>) {
    if bytes::is_plain(value) {
        out.extend_from_slice(value);
        return;
    }
    for chunk in value.utf8_chunks() {
        push_escaped_text(chunk.valid(), b"\\\"", out);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice(REPLACEMENT.as_bytes());
        }
    }
}

const REPLACEMENT: &str = "\u{fffd}";

/// Escapes a HELP text: `\` and newline only.
pub(crate) fn push_escaped_help(help: &str, out: &mut Vec<u8>) {
    push_escaped_text(help, b"\\", out);
}

fn push_escaped_text(text: &str, escaped: &[u8], out: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            byte if escaped.contains(&byte) => out.extend_from_slice(&[b'\\', byte]),
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: &dyn Label, expected: &str) {
        let mut out = Vec::new();
        value.write_to(&mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let mut room = [0; line::ROOM_BYTES];
        let end = value.put(&mut room, 0);
        assert!(end >= line::TOO_LONG || room[..end] == *expected.as_bytes(), "{}", String::from_utf8_lossy(&room));
    }

    #[test]
    fn special_characters_are_escaped() {
        check(&"plain", "plain");
        check(&"a\\b\"c\nd", "a\\\\b\\\"c\\nd");
        check(&"käse", "käse");
        check(&b"\xff\xfe/mnt".as_slice(), "\u{fffd}\u{fffd}/mnt");
        check(&b"caf\xc3\" x".as_slice(), "caf\u{fffd}\\\" x");
        check(&-3_i64, "-3");
        check(&Joined(&[b"cpu", b"1\""]), "cpu1\\\"");
    }

    #[test]
    fn hardware_addresses_have_colons() {
        check(&HardwareAddress(&[0x02, 0xaf, 0x90, 0xff]), "02:af:90:ff");
        check(&HardwareAddress(&[]), "");
    }

    #[test]
    fn ip_addresses_are_canonical() {
        let label = |address: &str| IpLabel(address.parse().expect("an address"));
        check(&label("192.0.2.1"), "192.0.2.1");
        check(&label("2001:db8:0:0::1"), "2001:db8::1");
        check(&label("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn networks_have_the_length_of_their_prefix() {
        let label = |address: &str, prefix_length| {
            NetworkLabel(IpNetwork { address: address.parse().expect("an address"), prefix_length })
        };
        check(&label("192.0.2.0", 24), "192.0.2.0/24");
        check(&label("2001:db8::", 32), "2001:db8::/32");
        check(&label("::ffff:192.0.2.0", 120), "::ffff:192.0.2.0/120");
        let longest = "1111:2222:3333:4444:5555:6666:7777:8888";
        check(&label(longest, 128), &format!("{longest}/128"));
    }

    #[test]
    fn a_text_replaces_a_missing_value() {
        check(&OrText(Some(7_u16), "none"), "7");
        check(&OrText(None::<u16>, "none"), "none");
        let mut out = Vec::new();
        assert!(OrText(None::<u16>, "").write_if_present(&mut out) && out.is_empty());
    }

    proptest! {
        #[test]
        fn any_value_becomes_one_line_of_utf_8(bytes: Vec<u8>) {
            let mut out = Vec::new();
            bytes.as_slice().write_to(&mut out);
            let text = String::from_utf8(out).expect("labels are UTF-8");
            prop_assert!(!text.contains('\n'));
            let unescaped = text.replace("\\\\", "").replace("\\\"", "").replace("\\n", "");
            prop_assert!(!unescaped.contains(['"', '\\']));
        }
    }
}
