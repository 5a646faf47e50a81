//! Pseudonyms of words: serial numbers, names and identifiers of any form. Digits become digits, letters become letters
//! of the same case, other characters stay.

use super::key::Key;

/// Placeholders of firmware for values that were never set.
const NO_VALUES: &[&str] = &[
    "none",
    "n/a",
    "na",
    "null",
    "unknown",
    "not specified",
    "not available",
    "not applicable",
    "no asset tag",
    "no asset information",
    "asset tag",
    "asset-1234567890",
    "to be filled by o.e.m.",
    "default string",
    "empty",
    "system serial number",
    "base board serial number",
    "chassis serial number",
    "board serial number",
    "serial",
    "0123456789",
    "1234567890",
    "123456789",
    "invalid",
    "default",
    "oem",
    "(none)",
    "localhost",
    "unspecified",
];

/// Whether a value is a placeholder or repeats a single character.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let lower = value.to_ascii_lowercase();
    let mut bytes = value.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let first = bytes.next();
    NO_VALUES.iter().any(|known| known.as_bytes() == lower) || bytes.all(|byte| Some(byte) == first)
}

/// First character and size of a byte's character class.
fn class(byte: u8, is_hexadecimal: bool) -> Option<(u8, u8)> {
    match byte {
        b'0'..=b'9' => Some((b'0', 10)),
        b'a'..=b'f' if is_hexadecimal => Some((b'a', 6)),
        b'A'..=b'F' if is_hexadecimal => Some((b'A', 6)),
        b'a'..=b'z' => Some((b'a', 26)),
        b'A'..=b'Z' => Some((b'A', 26)),
        _ => None,
    }
}

/// Pseudonym of a word. Case is carried over, so that `AB` and `ab` have pseudonyms that differ in case only.
pub(super) fn word(key: &Key, domain: &str, text: &[u8]) -> Vec<u8> {
    /// Shorter words of hexadecimal digits may be ordinary words, such as `beef`.
    const HEXADECIMAL_MIN_BYTES: usize = 6;
    let letters_and_digits = || text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let is_hexadecimal = letters_and_digits().all(u8::is_ascii_hexdigit)
        && letters_and_digits().any(u8::is_ascii_digit)
        && letters_and_digits().count() >= HEXADECIMAL_MIN_BYTES;
    let lower = text.to_ascii_lowercase();
    let classes: Vec<Option<(u8, u8)>> = lower.iter().map(|&byte| class(byte, is_hexadecimal)).collect();
    // The positions of other characters are part of the domain.
    let shape: Vec<u8> =
        lower.iter().zip(&classes).map(|(&byte, class)| class.map_or(byte, |(first, _)| first)).collect();
    let sizes = || classes.iter().flatten().map(|&(_, size)| u128::from(size));
    let moved = match sizes().try_fold(1_u128, u128::checked_mul) {
        Some(size) => {
            let digits =
                lower.iter().zip(&classes).filter_map(|(&byte, class)| class.map(|(first, size)| (byte - first, size)));
            let number = digits.fold(0_u128, |number, (digit, size)| number * u128::from(size) + u128::from(digit));
            let mut rest = key.displace(domain, &shape, size, number);
            let mut moved = lower.clone();
            for (byte, class) in moved.iter_mut().zip(&classes).rev() {
                if let Some((first, size)) = class {
                    *byte = first + u8::try_from(rest % u128::from(*size)).unwrap_or_default();
                    rest /= u128::from(*size);
                }
            }
            moved
        }
        // The domain exceeds 128 bits; collisions of a random stream are negligible.
        None => stream(key, domain, &lower, &classes),
    };
    moved
        .iter()
        .zip(text)
        .map(|(moved, old)| if old.is_ascii_uppercase() { moved.to_ascii_uppercase() } else { *moved })
        .collect()
}

fn stream(key: &Key, domain: &str, lower: &[u8], classes: &[Option<(u8, u8)>]) -> Vec<u8> {
    let mut random = vec![0; 4 * lower.len()];
    key.stream(domain, lower, &mut random);
    let numbers = random.chunks_exact(4).map(|chunk| chunk.try_into().map_or(0, u32::from_le_bytes));
    let moved = lower.iter().zip(classes).zip(numbers).map(|((&byte, class), number)| match class {
        Some((first, size)) => first + u8::try_from(number % u32::from(*size)).unwrap_or_default(),
        None => byte,
    });
    moved.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: Key = Key::new([9; 32]);

    #[test]
    fn character_classes_are_kept() {
        let moved = String::from_utf8(word(&KEY, "serial", b"WD-WCC4E 123x")).unwrap();
        let form = |text: &str| -> String {
            let kind = |character: char| match character {
                '0'..='9' => '0',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                other => other,
            };
            text.chars().map(kind).collect()
        };
        assert_eq!(form(&moved), "AA-AAA0A 000a");
        let hexadecimal = word(&KEY, "serial", b"00e1f2a3b4c5d6e7");
        assert!(hexadecimal.iter().all(u8::is_ascii_hexdigit));
    }

    #[test]
    fn pseudonyms_differ_in_case_only_if_the_words_do() {
        assert_eq!(word(&KEY, "x", b"S3Z8nb"), {
            let lower = word(&KEY, "x", b"s3z8nb");
            let mut expected = lower.to_ascii_uppercase();
            expected[4..].copy_from_slice(&lower[4..]);
            expected
        });
    }

    #[test]
    fn placeholders_are_recognised() {
        for text in ["", "0", "0000-0000", "Default string", "To Be Filled By O.E.M.", " None\n", "........"] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["PF2ABC12", "1234", "01", "S466"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_change_and_keep_their_length(text in "[a-zA-Z0-9 _-]{1,60}") {
            let moved = word(&KEY, "serial", text.as_bytes());
            prop_assert_eq!(moved.len(), text.len());
            prop_assert_eq!(moved == text.as_bytes(), !text.bytes().any(|byte| byte.is_ascii_alphanumeric()));
        }
    }
}
