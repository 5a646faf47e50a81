//! Room for one line of the page, and short pieces of text that are put there.
//!
//! Whoever puts something says where, and gives where it ends: that place stays in a register, where a vector's length
//! would be stored and loaded again for each of the dozen pieces of a line. Places beyond the longest line are wrapped, so
//! that none has to be compared with the room's end before it is written to; what is written then is worth nothing, and
//! where the line ends tells so.

use super::bytes;

/// Longer lines are made in another way.
pub const LINE_MAX_BYTES: usize = 256;

/// The longest piece.
const PIECE_MAX_BYTES: usize = 64;

/// A line, and what a piece at its end may write beyond.
pub const ROOM_BYTES: usize = LINE_MAX_BYTES + PIECE_MAX_BYTES;

/// Room for a line.
pub type Room = [u8; ROOM_BYTES];

/// Where everything ends that does not fit, and whatever is put after it.
pub const TOO_LONG: usize = 1 << 20;

/// Puts down so many bytes, whose number is known while compiling; how many of them count is the caller's to know.
#[inline]
pub(crate) fn put<const N: usize>(room: &mut Room, at: usize, bytes: &[u8; N]) {
    const { assert!(N <= PIECE_MAX_BYTES) };
    let at = at % LINE_MAX_BYTES;
    if let Some(place) = room.get_mut(at..at + N) {
        place.copy_from_slice(bytes);
    }
}

/// Appends what is put at the beginning of a line.
pub(crate) fn append(out: &mut Vec<u8>, put: impl FnOnce(&mut Room, usize) -> usize) {
    let mut room = [0; ROOM_BYTES];
    let end = put(&mut room, 0);
    out.extend_from_slice(room.get(..end).unwrap_or_default());
}

/// Puts one byte; gives where it ends.
#[inline]
pub(crate) fn put_byte(room: &mut Room, at: usize, byte: u8) -> usize {
    put(room, at, &[byte]);
    at + 1
}

/// Puts some bytes; gives where they end. Most are few, for which calling `memcpy` costs more than the bytes do: two copies
/// of known size, which overlap, are all of them.
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

/// The same of a label's value that stands on the page as it is; [`TOO_LONG`] for any other.
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

/// A piece of text that is put down often.
#[derive(Debug)]
pub(crate) struct Piece {
    /// What it is, and whatever after it.
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
    fn every_length_is_put_down_whole_or_is_too_long() {
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
    fn what_goes_on_after_the_end_shows_in_where_it_ends() {
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
