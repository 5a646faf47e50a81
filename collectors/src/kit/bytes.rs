//! Appending short pieces of text. Most of a page is made of pieces of a few bytes, for which calling `memcpy` costs more
//! than the bytes do: copies whose size is known while compiling are two instructions each.

/// Appends `bytes`.
#[inline]
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        0..=3 => bytes.iter().for_each(|&byte| out.push(byte)),
        4..=7 => overlapping::<4>(out, bytes),
        8..=16 => overlapping::<8>(out, bytes),
        17..=32 => overlapping::<16>(out, bytes),
        33..=64 => overlapping::<32>(out, bytes),
        _ => out.extend_from_slice(bytes),
    }
}

/// Appends between `N` and twice `N` bytes: the first `N`, and the last `N` over what of them is there already.
#[inline]
fn overlapping<const N: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
        out.extend_from_slice(first);
        out.truncate(start + bytes.len() - N);
        out.extend_from_slice(last);
    }
}

/// A piece of text that is appended often.
#[derive(Debug)]
pub(crate) struct Piece {
    /// What it is, if it is short enough, and whatever after it.
    short: [u8; Piece::SHORT_MAX],
    length: usize,
    /// What it is, if it is not.
    long: Box<[u8]>,
}

impl Piece {
    /// Longer pieces are appended like any other text.
    const SHORT_MAX: usize = 48;

    pub(crate) fn new(text: &[u8]) -> Self {
        let mut short = [0; Self::SHORT_MAX];
        match short.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text);
                Self { short, length: text.len(), long: Box::default() }
            }
            None => Self { short, length: 0, long: text.into() },
        }
    }

    #[inline]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.short);
        out.truncate(start + self.length);
        if !self.long.is_empty() {
            out.extend_from_slice(&self.long);
        }
    }
}

/// How many bytes two slices have in common at their beginning.
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

/// Whether all is ASCII but `"`, `\` and newline: what stands on the page as it is.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let chunks_are_plain = chunks.iter().all(|&chunk| word_is_plain(u64::from_le_bytes(chunk)));
    // The rest is looked at together with bytes that were looked at already, if there are so many.
    let rest_is_plain = || match bytes.last_chunk::<8>() {
        Some(&last) => word_is_plain(u64::from_le_bytes(last)),
        None => rest.iter().all(|&byte| byte.is_ascii() && !matches!(byte, b'\\' | b'"' | b'\n')),
    };
    chunks_are_plain && (rest.is_empty() || rest_is_plain())
}

/// The same of eight bytes at once: a byte of zero borrows from its top bit, which no ASCII has.
#[inline]
const fn word_is_plain(word: u64) -> bool {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
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
    fn every_length_is_appended_whole() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let mut out = b"before".to_vec();
            append(&mut out, &bytes[..length]);
            assert_eq!(out, [b"before", &bytes[..length]].concat(), "{length}");
        }
    }

    #[test]
    fn pieces_of_every_length_are_appended_whole() {
        let bytes: Vec<u8> = (1..=120).collect();
        for length in 0..=bytes.len() {
            let mut out = b"before".to_vec();
            Piece::new(&bytes[..length]).append_to(&mut out);
            assert_eq!(out, [b"before", &bytes[..length]].concat(), "{length}");
        }
    }

    #[test]
    fn the_first_byte_that_differs_is_found_wherever_it_is() {
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
    fn a_special_byte_is_found_wherever_it_is() {
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
        fn common_lengths_are_those_of_a_slow_search(a in "[ab]{0,20}", b in "[ab]{0,20}") {
            let expected = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(common_length(a.as_bytes(), b.as_bytes()), expected);
        }
    }
}
