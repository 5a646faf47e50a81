//! A fixed buffer for one line of the page, and writes of short texts into it.
//!
//! Writers take a position and return the next one. The position stays in a register, where the length of a vector would
//! be stored and loaded for each of the dozen parts of a line. Positions wrap at the maximum length, so that writes need
//! no bounds check; what a wrapped write stores is invalid, and the final position tells it. A sample of the bench
//! `encode` takes 28 ns and 611 instructions; 35 ns and 795 with vectors that are appended to.

use super::bytes;

/// Maximum length of a line; longer ones are appended to a vector.
pub const LINE_MAX_BYTES: usize = 256;

/// Maximum length of a piece.
const PIECE_MAX_BYTES: usize = 64;

/// Size of the buffer: a line, and the excess of a piece at its end.
pub const ROOM_BYTES: usize = LINE_MAX_BYTES + PIECE_MAX_BYTES;

/// The buffer of a line.
pub type Room = [u8; ROOM_BYTES];

/// The position after a text that does not fit; later positions are greater.
pub const TOO_LONG: usize = 1 << 20;

/// Writes `N` bytes at the position. The caller advances the position, by at most `N`.
#[inline]
pub(crate) fn put<const N: usize>(room: &mut Room, at: usize, bytes: &[u8; N]) {
    const { assert!(N <= PIECE_MAX_BYTES) };
    let at = at % LINE_MAX_BYTES;
    if let Some(place) = room.get_mut(at..at + N) {
        place.copy_from_slice(bytes);
    }
}

/// Appends the output of a writer.
pub(crate) fn append(out: &mut Vec<u8>, put: impl FnOnce(&mut Room, usize) -> usize) {
    let mut room = [0; ROOM_BYTES];
    let end = put(&mut room, 0);
    out.extend_from_slice(room.get(..end).unwrap_or_default());
}

/// Writes a byte; returns the next position.
#[inline]
pub(crate) fn put_byte(room: &mut Room, at: usize, byte: u8) -> usize {
    put(room, at, &[byte]);
    at + 1
}

/// Writes a text; returns the next position. Two overlapping copies of constant size are cheaper than a call of `memcpy`
/// for short texts.
#[inline]
pub(crate) fn put_all(room: &mut Room, at: usize, text: &[u8]) -> usize {
    match *text {
        [] => return at,
        [only] => put(room, at, &[only]),
        [first, last] => put(room, at, &[first, last]),
        [first, middle, last] => put(room, at, &[first, middle, last]),
        _ => match text.len() {
            4..=7 => put_ends::<4>(room, at, text),
            8..=16 => put_ends::<8>(room, at, text),
            17..=32 => put_ends::<16>(room, at, text),
            33..=64 => put_ends::<32>(room, at, text),
            _ => return TOO_LONG,
        },
    }
    at + text.len()
}

/// Writes the value of a label; returns [`TOO_LONG`] if it needs escaping.
#[inline]
pub(crate) fn put_plain(room: &mut Room, at: usize, text: &[u8]) -> usize {
    if bytes::is_plain(text) { put_all(room, at, text) } else { TOO_LONG }
}

#[inline]
fn put_ends<const N: usize>(room: &mut Room, at: usize, text: &[u8]) {
    if let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) {
        put(room, at, first);
        put(room, at + text.len() - N, last);
    }
}

/// A constant text of a family's lines.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The text, padded.
    text: [u8; PIECE_MAX_BYTES],
    length: usize,
}

impl Piece {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut piece = [0; PIECE_MAX_BYTES];
        match piece.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text);
                Self { text: piece, length: text.len() }
            }
            None => Self { text: piece, length: TOO_LONG },
        }
    }

    #[inline]
    pub(crate) fn put(&self, room: &mut Room, at: usize) -> usize {
        put(room, at, &self.text);
        at + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], put: impl Fn(&mut Room, usize) -> usize) {
        for at in [0, 1, LINE_MAX_BYTES - 1 - text.len()] {
            let mut room = [b'x'; ROOM_BYTES];
            let end = put(&mut room, at);
            if text.len() > PIECE_MAX_BYTES {
                assert!(end >= TOO_LONG);
            } else {
                assert_eq!(end, at + text.len());
                assert_eq!(&room[at..end], text);
                assert!(room[..at].iter().all(|&byte| byte == b'x'));
            }
        }
    }

    #[test]
    fn texts_of_every_length_fit_or_are_too_long() {
        let bytes: Vec<u8> = (b'0'..=b'z').cycle().take(PIECE_MAX_BYTES + 2).collect();
        for length in 0..=bytes.len() {
            let text = &bytes[..length];
            check(text, |room, at| put_all(room, at, text));
            check(text, |room, at| Piece::new(text).put(room, at));
        }
        check(b"0123", |room, at| put_plain(room, at, b"0123"));
        assert!(put_plain(&mut [0; ROOM_BYTES], 0, b"a\"b") >= TOO_LONG);
    }

    #[test]
    fn a_position_beyond_the_end_stays_beyond() {
        let mut room = [0; ROOM_BYTES];
        let mut at = 0;
        while at <= LINE_MAX_BYTES {
            at = put_all(&mut room, at, b"0123456789");
        }
        assert_eq!(at, 260);
        for later in [0, 1, 1_000] {
            assert!(put_byte(&mut room, TOO_LONG + later, b'x') > LINE_MAX_BYTES);
        }
    }
}
