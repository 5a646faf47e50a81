//! Identities recognised by form, at any position.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::address;
use super::key::Key;
use super::span::{Category, Span, before, is_within_word};
use super::word::word;

/// Category and replacement of a match; `None` if it is no identity.
type Found = Option<(Category, Vec<u8>)>;
/// Replaces a match, given the whole text and the match's range.
type Make = fn(&Key, &[u8], &Range<usize>) -> Found;
/// A coarse pattern, and the function that decides and replaces.
type Form = (Regex, Make);

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let forms: [(&str, Make); 11] = [
        (r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5,31}", pairs),
        (r"[0-9A-Fa-f]{8}(?:[-_][0-9A-Fa-f]{4}){3}[-_][0-9A-Fa-f]{12}", uuid),
        (r"[A-Za-z0-9]{6}(?:-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}", lvm_uuid),
        (r"LVM-[A-Za-z0-9]{64}", lvm_pair),
        (r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", colons),
        (r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", dotted),
        (r"(?:0x|naa\.|eui\.|scsi-[23]|mpath-[23])[0-9A-Fa-f]{16,32}", world_wide),
        (r"(?:en|wl|ww|sl|ib)x[0-9a-f]{12}", named_by_mac),
        (r"[0-9A-Fa-f]{16,}", hexadecimal),
        (r"overlay2?/l/[A-Z0-9]{26}", layer),
        (r"by-uuid/[0-9A-F]{4}-[0-9A-F]{4}", short_uuid),
    ];
    let compiled = forms.into_iter().filter_map(|(pattern, make)| {
        let regex = RegexBuilder::new(pattern).unicode(false).build();
        debug_assert!(regex.is_ok(), "{pattern}");
        Some((regex.ok()?, make))
    });
    compiled.collect()
});

/// Finds every identity by form. With `has_versions`, dotted quads are versions and stay.
pub(super) fn find(key: &Key, text: &[u8], has_versions: bool, into: &mut Vec<Span>) {
    for (regex, make) in FORMS.iter() {
        for found in regex.find_iter(text) {
            let range = trimmed(text, found.range());
            let Some((category, replacement)) = make(key, text, &range) else { continue };
            let is_version = has_versions && category == Category::Ipv4;
            let is_kept = text.get(range.clone()) == Some(replacement.as_slice());
            if !is_version {
                // An unchanged span still keeps other rules from matching inside it.
                debug_assert!(!is_kept || !replacement.is_empty());
                into.push(Span { range, category, replacement });
            }
        }
    }
}

/// Pseudonym of a text that is one identity of a known form as a whole.
pub(super) fn whole(key: &Key, text: &[u8]) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    find(key, text, false, &mut found);
    found.into_iter().find(|span| span.range == (0..text.len())).map(|span| span.replacement)
}

/// Drops a trailing `.` or `:`, which is punctuation.
fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let found = text.get(range.clone()).unwrap_or_default();
    let is_double = found.ends_with(b"::");
    let end = match found.last() {
        Some(b'.') => range.end - 1,
        Some(b':') if !is_double => range.end - 1,
        _ => range.end,
    };
    range.start..end
}

fn of<'a>(text: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    text.get(range.clone()).unwrap_or_default()
}

fn number(digits: &[u8]) -> Option<u128> {
    u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Hexadecimal digits in the case of the original.
fn in_case_of(before: &[u8], digits: String) -> Vec<u8> {
    let is_upper = before.iter().any(u8::is_ascii_uppercase);
    if is_upper { digits.to_ascii_uppercase().into() } else { digits.into() }
}

/// Bytes separated by `:` or `-`.
fn pairs(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let found = of(text, range);
    let separator = *found.get(2)?;
    let is_even = found.iter().skip(2).step_by(3).all(|byte| *byte == separator);
    let is_cut = text.get(range.end) == Some(&separator) && text.get(range.end + 1).is_some_and(u8::is_ascii_hexdigit);
    if !is_even || is_cut || is_within_word(text, range) {
        return None;
    }
    let digits: Vec<u8> = found.iter().copied().filter(|byte| *byte != separator).collect();
    let (category, moved) = match digits.len() {
        12 => (Category::Mac, mac_digits(key, &digits)?),
        16 => (Category::Identifier64, id_digits(key, &digits)?),
        32 => (Category::Uuid, uuid_digits(key, &digits)?),
        // IP over InfiniBand: queue pair and subnet prefix, then the GUID of the port.
        40 => (Category::Identifier64, [digits.get(..24)?, &id_digits(key, digits.get(24..)?)?].concat()),
        _ => (Category::Identifier, word(key, "hex", &digits)),
    };
    let text: Vec<&[u8]> = moved.chunks(2).collect();
    Some((category, text.join(&separator)))
}

pub(super) fn mac_digits(key: &Key, digits: &[u8]) -> Option<Vec<u8>> {
    let moved = address::mac(key, u64::try_from(number(digits)?).ok()?);
    Some(in_case_of(digits, format!("{moved:012x}")))
}

fn id_digits(key: &Key, digits: &[u8]) -> Option<Vec<u8>> {
    let moved = address::identifier_64(key, u64::try_from(number(digits)?).ok()?);
    Some(in_case_of(digits, format!("{moved:016x}")))
}

pub(super) fn uuid_digits(key: &Key, digits: &[u8]) -> Option<Vec<u8>> {
    Some(in_case_of(digits, format!("{:032x}", address::identifier_128(key, number(digits)?))))
}

fn uuid(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    if is_within_word(text, range) {
        return None;
    }
    let found = of(text, range);
    let digits: Vec<u8> = found.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let mut moved = uuid_digits(key, &digits)?.into_iter();
    let with_separators =
        found.iter().map(|&byte| if byte.is_ascii_hexdigit() { moved.next().unwrap_or(byte) } else { byte });
    Some((Category::Uuid, with_separators.collect()))
}

fn lvm_uuid(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let found = of(text, range);
    if is_within_word(text, range) || !found.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let letters: Vec<u8> = found.iter().copied().filter(|byte| *byte != b'-').collect();
    let mut moved = word(key, "lvm", &letters).into_iter();
    let with_separators = found.iter().map(|&byte| if byte == b'-' { byte } else { moved.next().unwrap_or(byte) });
    Some((Category::Uuid, with_separators.collect()))
}

/// UUIDs of an LVM volume group and volume.
fn lvm_pair(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    const NAME_BYTES: usize = 4;
    let (name, both) = of(text, range).split_at_checked(NAME_BYTES)?;
    let (group, volume) = both.split_at_checked(32)?;
    Some((Category::Uuid, [name, &word(key, "lvm", group), &word(key, "lvm", volume)].concat()))
}

/// An IPv6 address, or a GUID of four groups.
fn colons(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    if is_within_word(text, range) {
        return None;
    }
    let found = std::str::from_utf8(of(text, range)).ok()?;
    let groups: Vec<&str> = found.split(':').collect();
    if groups.len() == 4 && groups.iter().all(|group| group.len() == 4) {
        let digits = id_digits(key, groups.concat().as_bytes())?;
        let groups: Vec<&[u8]> = digits.chunks(4).collect();
        return Some((Category::Identifier64, groups.join(&b':')));
    }
    let before: Ipv6Addr = found.parse().ok()?;
    let after = address::ipv6(key, before);
    let is_full = groups.len() == 8 && groups.iter().all(|group| group.len() == 4);
    let full = || after.segments().map(|group| format!("{group:04x}")).join(":");
    let written = if before == after {
        found.to_owned()
    } else if is_full {
        full()
    } else {
        after.to_string()
    };
    Some((Category::Ipv6, in_case_of(found.as_bytes(), written)))
}

fn dotted(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let is_cut = text.get(range.end) == Some(&b'.') && text.get(range.end + 1).is_some_and(u8::is_ascii_digit);
    if is_within_word(text, range) || is_cut || before(text, range.start) == Some(b'.') {
        return None;
    }
    let address: Ipv4Addr = std::str::from_utf8(of(text, range)).ok()?.parse().ok()?;
    Some((Category::Ipv4, address::ipv4(key, address).to_string().into()))
}

/// A WWN after a prefix. Digits beyond 64 bits are a number of the vendor.
fn world_wide(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let found = of(text, range);
    if is_within_word(text, range) {
        return None;
    }
    let digits_at = found.len() - found.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    // `scsi-3` and `mpath-3`: the first digit is the designator type.
    let digits_at = digits_at + usize::from(found.starts_with(b"scsi-") || found.starts_with(b"mpath-"));
    let (prefix, digits) = found.split_at_checked(digits_at)?;
    Some((Category::Identifier64, [prefix, &world_wide_digits(key, digits)?].concat()))
}

fn world_wide_digits(key: &Key, digits: &[u8]) -> Option<Vec<u8>> {
    let (first, rest) = digits.split_at_checked(16)?;
    Some([id_digits(key, first)?, word(key, "vendor", rest)].concat())
}

fn named_by_mac(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let (prefix, digits) = of(text, range).split_at_checked(3)?;
    Some((Category::Mac, [prefix, &mac_digits(key, digits)?].concat()))
}

/// Hexadecimal digits with letters among them, so that they are no decimal number.
fn hexadecimal(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let found = of(text, range);
    let has_digits = found.iter().any(u8::is_ascii_digit);
    let has_letters = found.iter().any(u8::is_ascii_alphabetic);
    let is_fraction = before(text, range.start) == Some(b'.')
        && found
            .split_last()
            .is_some_and(|(last, rest)| matches!(last, b'e' | b'E') && rest.iter().all(u8::is_ascii_digit))
        && matches!(text.get(range.end), Some(b'+' | b'-'));
    let is_padded_number = found.starts_with(b"00000000");
    if is_within_word(text, range)
        || !has_digits
        || !has_letters
        || is_fraction
        || (is_padded_number && found.len() == 16)
    {
        return None;
    }
    match found.len() {
        16 => Some((Category::Identifier64, id_digits(key, found)?)),
        32 => Some((Category::Uuid, uuid_digits(key, found)?)),
        33 => {
            let (kind, digits) = found.split_at_checked(1)?;
            Some((Category::Identifier64, [kind, &world_wide_digits(key, digits)?].concat()))
        }
        _ => Some((Category::Identifier, word(key, "hex", found))),
    }
}

/// Short name of a container layer.
fn layer(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let found = of(text, range);
    let (path, name) = found.split_at_checked(found.len().checked_sub(26)?)?;
    Some((Category::Identifier, [path, &word(key, "layer", name)].concat()))
}

/// UUID of a FAT file system.
fn short_uuid(key: &Key, text: &[u8], range: &Range<usize>) -> Found {
    let found = of(text, range);
    let (path, name) = found.split_at_checked(found.len().checked_sub(9)?)?;
    Some((Category::Uuid, [path, &word(key, "serial", name)].concat()))
}

#[cfg(test)]
mod tests {
    use super::super::span::{disjoint, replaced};
    use super::*;

    const KEY: Key = Key::new([5; 32]);

    fn scrubbed(text: &str) -> String {
        let mut spans = Vec::new();
        find(&KEY, text.as_bytes(), false, &mut spans);
        String::from_utf8(replaced(text.as_bytes(), &disjoint(spans))).unwrap()
    }

    #[track_caller]
    fn check_gone(original: &str) {
        for (before, after) in [("", ""), ("x=", ","), ("[", "]"), ("a ", " b"), ("/", "/c"), ("\"", "\".")] {
            let found = scrubbed(&format!("{before}{original}{after}"));
            assert!(!found.contains(original), "{found}");
            assert!(found.starts_with(before) && found.ends_with(after), "{found}");
            assert_eq!(found, format!("{before}{}{after}", scrubbed(original)));
        }
    }

    #[track_caller]
    fn check_kept(text: &str) {
        assert_eq!(scrubbed(text), text);
    }

    #[test]
    fn identities_are_recognised_by_form() {
        for original in [
            "52:54:00:12:34:56",
            "52-54-00-AB-CD-EF",
            "50:06:0b:00:00:c2:62:00",
            "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0e:80:91",
            "0002:c903:00a5:1234",
            "fe80:0000:0000:0000:0002:c903:00a5:1234",
            "2a00:1450:4001:81b::200e",
            "fe80::5054:ff:fe12:3456",
            "192.168.7.23",
            "8.8.4.4",
            "123e4567-e89b-42d3-a456-426614174000",
            "pod123e4567_e89b_42d3_a456_426614174000".trim_start_matches("pod"),
            "0123456789abcdef0123456789abcdef",
            "0x5000c500a1b2c3d4",
            "naa.5000c500a1b2c3d4",
            "naa.600508b1001c4d41d9c3a7f24f0e9a55",
            "3600508b1001c4d41d9c3a7f24f0e9a55",
            "enx525400123456",
            "Qx3fX0-A1b2-C3d4-E5f6-G7h8-I9j0-KlMnOp",
            "overlay2/l/ABCDEFGHIJKLMNOPQRSTUVWX12",
            "4f2b6d4e1c0a9b8f7e6d5c4b3a2918070605040302010f0e0d0c0b0a09080706",
        ] {
            check_gone(original);
        }
        check_gone("by-uuid/A1B2-C3D4");
    }

    #[test]
    fn kernel_numbers_and_names_stay() {
        for text in [
            "cpu  1234567890123456 0 5678 99999999999999999999",
            "0000:00:1f.3",
            "pci0000:00/0000:00:03.0",
            "00000000,0000ffff",
            "12:34:56",
            "0:0:0:0",
            "ff:ff:ff:ff:ff:ff 00:00:00:00:00:00",
            "127.0.0.1 ::1 0.0.0.0 255.255.255.0",
            "1.2.3.4.5",
            "0xffffffffffffffff",
            "00000000deadbeef",
            "node_time_seconds 1.7952482961447704e+09",
            "Linux version 6.12.38+deb13-amd64",
        ] {
            check_kept(text);
        }
    }

    #[test]
    fn notations_of_one_identity_agree() {
        let colon = scrubbed("52:54:00:12:34:56");
        assert_eq!(scrubbed("enx525400123456"), format!("enx{}", colon.replace(':', "")));
        assert_eq!(scrubbed("52-54-00-12-34-56"), colon.replace(':', "-"));
        let uuid = scrubbed("123e4567-e89b-42d3-a456-426614174000");
        assert_eq!(scrubbed("123e4567e89b42d3a456426614174000"), uuid.replace('-', ""));
        assert_eq!(scrubbed("123E4567_E89B_42D3_A456_426614174000"), uuid.replace('-', "_").to_uppercase());
        let short = scrubbed("fe80::5054:ff:fe12:3456").parse::<Ipv6Addr>().unwrap();
        assert_eq!(scrubbed("fe80:0000:0000:0000:5054:00ff:fe12:3456").parse::<Ipv6Addr>().unwrap(), short);
        let world = scrubbed("0x5000c500a1b2c3d4");
        assert_eq!(scrubbed("50:00:c5:00:a1:b2:c3:d4").replace(':', ""), world.trim_start_matches("0x"));
        let lvm = scrubbed("Qx3fX0-A1b2-C3d4-E5f6-G7h8-I9j0-KlMnOp").replace('-', "");
        let pair = scrubbed("LVM-Qx3fX0A1b2C3d4E5f6G7h8I9j0KlMnOpQx3fX0A1b2C3d4E5f6G7h8I9j0KlMnOp");
        assert_eq!(pair, format!("LVM-{lvm}{lvm}"));
    }
}
