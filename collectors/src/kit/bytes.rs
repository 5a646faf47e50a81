//! Search in short texts, eight bytes at a time.

/// The length of the common prefix of two slices.
#[inline]
pub(crate) fn common_length(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    while let (Some(first), Some(second)) = (chunk(a, same), chunk(b, same)) {
        let difference = first ^ second;
        if difference != 0 {
            return same + difference.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    same + a.iter().zip(b).skip(same).take_while(|(a, b)| a == b).count()
}

#[inline]
fn chunk(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|&chunk| u64::from_le_bytes(chunk))
}

/// The index of the first white space.
#[inline]
pub(crate) fn whitespace(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = chunk(bytes, at) {
        let low = below_exclamation_mark(word);
        if low == 0 {
            at += 8;
            continue;
        }
        at += low.trailing_zeros() as usize / 8;
        if bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            return Some(at);
        }
        at += 1;
    }
    bytes.iter().skip(at).position(u8::is_ascii_whitespace).map(|after| at + after)
}

/// A word whose lowest set bit is the top bit of the first byte below `!`; zero if there is no such byte. Later bytes
/// may be wrong.
const fn below_exclamation_mark(word: u64) -> u64 {
    word.wrapping_sub(u64::from_le_bytes([b'!'; 8])) & !word & HIGH
}

const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Whether the text needs no escaping on the page: it is ASCII without `"`, `\` and newline.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    // The last word overlaps the one before it.
    if let Some(&last) = bytes.last_chunk::<8>() {
        let (chunks, _) = bytes.as_chunks::<8>();
        return chunks.iter().chain([&last]).all(|&chunk| word_is_plain(u64::from_le_bytes(chunk)));
    }
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(&first), Some(&last)) => {
            let [first, last] = [first, last].map(u32::from_le_bytes).map(u64::from);
            word_is_plain(first | (last << 32))
        }
        _ => bytes.iter().all(|&byte| byte.is_ascii() && !matches!(byte, b'\\' | b'"' | b'\n')),
    }
}

/// [`is_plain`] of eight bytes: subtracting 1 from a zero byte sets its top bit, which ASCII does not have.
#[inline]
const fn word_is_plain(word: u64) -> bool {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(LOW) & !word
    }
    let special =
        zeros(word ^ (LOW * b'"' as u64)) | zeros(word ^ (LOW * b'\\' as u64)) | zeros(word ^ (LOW * b'\n' as u64));
    (word | special) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_different_byte_is_found_at_every_position() {
        let bytes = vec![b'x'; 40];
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] = b'y';
            assert_eq!(common_length(&bytes, &other), at);
            assert_eq!(common_length(&bytes, &bytes[..at]), at);
        }
        assert_eq!(common_length(&bytes, &bytes), bytes.len());
    }

    #[test]
    fn a_special_byte_is_found_at_every_position() {
        for length in 0..30 {
            let plain = vec![b'!'; length];
            assert!(is_plain(&plain));
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = plain.clone();
                    bytes[at] = byte;
                    let expected = byte.is_ascii() && !matches!(byte, b'\\' | b'"' | b'\n');
                    assert_eq!(is_plain(&bytes), expected, "{byte} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_has_no_special_byte(bytes: Vec<u8>) {
            let expected = bytes.iter().all(|&byte| byte.is_ascii() && !matches!(byte, b'\\' | b'"' | b'\n'));
            prop_assert_eq!(is_plain(&bytes), expected);
        }

        #[test]
        fn white_space_is_found_where_it_is(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..64, Just(b'x')], 0..40)) {
            prop_assert_eq!(whitespace(&bytes), bytes.iter().position(u8::is_ascii_whitespace));
        }

        #[test]
        fn common_lengths_are_those_of_a_slow_search(a in "[ab]{0,20}", b in "[ab]{0,20}") {
            let expected = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(common_length(a.as_bytes(), b.as_bytes()), expected);
        }
    }
}
