//! Mutations of valid inputs as proptest strategies: a failing input shrinks to few mutations of a short seed.

use proptest::prelude::*;
use proptest::sample::Index;

/// Words that are hard for parsers.
const WORDS: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"-0",
    b"+5",
    b"18446744073709551615",
    b"18446744073709551616",
    b"9223372036854775808",
    b"1e400",
    b"NaN",
    b"+Inf",
    b"0x7f",
    b"1.2.3",
    b"\xff\xfe",
    b"\0",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b"#",
    b"\r",
    b"\n",
    b"\n\n",
    b" ",
    b"\t",
    b"=",
    b":",
    b",",
    b"/",
    b"..",
    b"%",
    b"%zz",
    b"(",
    b")",
    b"[",
    b"*",
    b"&a",
    b"|",
    b"---",
    b"kB",
    b"N/A (no PMA)",
    b"<unknown>",
    b"\xef\xbb\xbf",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];
/// Maximum number of mutations.
const CHANGES_MAX: usize = 6;
/// Seeds are truncated to this size, so that shrinking ends.
const SEED_MAX_BYTES: usize = 64 << 10;

/// One mutation.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, Index),
    Insert(Index, Vec<u8>),
    Word(Index, &'static [u8]),
    RepeatLine(Index, u8),
    RemoveLine(Index),
    SwapLines(Index, Index),
    LongLine(Index, u16),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<Index>;
    let change = prop_oneof![
        1 => (at(), 1_u8..).prop_map(|(at, mask)| Change::Flip(at, mask)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        4 => (at(), prop::sample::select(WORDS)).prop_map(|(at, word)| Change::Word(at, word)),
        1 => (at(), 1_u8..4).prop_map(|(at, times)| Change::RepeatLine(at, times)),
        2 => at().prop_map(Change::RemoveLine),
        1 => (at(), at()).prop_map(|(first, second)| Change::SwapLines(first, second)),
        1 => (at(), 1_u16..).prop_map(|(at, length)| Change::LongLine(at, length)),
    ];
    prop::collection::vec(change, 0..CHANGES_MAX)
}

/// Mutated seeds, two joined seeds, and sometimes random bytes.
pub(super) fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let seeds: Vec<Vec<u8>> = seeds
        .into_iter()
        .map(|mut seed| {
            seed.truncate(SEED_MAX_BYTES);
            seed
        })
        .collect();
    let seeds = if seeds.is_empty() { vec![Vec::new()] } else { seeds };
    let one = prop::sample::select(seeds.clone());
    let changed = (one.clone(), changes()).prop_map(|(seed, changes)| changes.into_iter().fold(seed, apply));
    let joined = (one.clone(), one, any::<Index>(), any::<Index>()).prop_map(|(first, second, to, from)| {
        [&first[..to.index(first.len() + 1)], &second[from.index(second.len() + 1)..]].concat()
    });
    prop_oneof![12 => changed, 2 => joined, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn apply(mut input: Vec<u8>, change: Change) -> Vec<u8> {
    let place = |at: Index, input: &[u8]| at.index(input.len() + 1);
    match change {
        Change::Flip(at, mask) => {
            let at = place(at, &input);
            input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= mask);
        }
        Change::Cut(at) => input.truncate(place(at, &input)),
        Change::Remove(from, to) => {
            let (from, to) = (place(from, &input), place(to, &input));
            drop(input.drain(from.min(to)..from.max(to)));
        }
        Change::Insert(at, bytes) => {
            let at = place(at, &input);
            drop(input.splice(at..at, bytes));
        }
        Change::Word(at, word) => {
            let range = word_at(&input, place(at, &input));
            drop(input.splice(range, word.iter().copied()));
        }
        Change::RepeatLine(..) | Change::RemoveLine(_) | Change::SwapLines(..) | Change::LongLine(..) => {
            let mut lines: Vec<Vec<u8>> = input.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            change_lines(&mut lines, &change);
            return lines.concat();
        }
    }
    input
}

fn change_lines(lines: &mut Vec<Vec<u8>>, change: &Change) {
    if lines.is_empty() {
        return;
    }
    match change {
        Change::RepeatLine(at, times) => {
            let at = at.index(lines.len());
            let line = lines[at].clone();
            drop(lines.splice(at..at, (0..*times).map(|_| line.clone())));
        }
        Change::RemoveLine(at) => drop(lines.remove(at.index(lines.len()))),
        Change::SwapLines(first, second) => {
            let (first, second) = (first.index(lines.len()), second.index(lines.len()));
            lines.swap(first, second);
        }
        Change::LongLine(at, length) => {
            let at = at.index(lines.len());
            let end = lines[at].iter().rposition(|&byte| byte != b'\n').map_or(0, |last| last + 1);
            drop(lines[at].splice(end..end, std::iter::repeat_n(b'7', usize::from(*length))));
        }
        Change::Flip(..) | Change::Cut(_) | Change::Remove(..) | Change::Insert(..) | Change::Word(..) => {}
    }
}

/// The word of letters and digits at a position.
fn word_at(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let before = input[..at].iter().rev().take_while(is_word).count();
    let after = input[at..].iter().take_while(is_word).count();
    at - before..at + after
}
