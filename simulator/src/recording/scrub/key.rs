//! Keyed permutations, from which pseudonyms are made.
//!
//! Hashes are no pseudonyms: a vendor has few MAC addresses, a series few serial numbers and a network 254 hosts, so a
//! table of all hashes reveals the original. A keyed permutation cannot be tabulated without the key. Each domain has
//! its own, without fixed points: no value is its own pseudonym, two values never share one, and neighbours are
//! scattered.
//!
//! The construction is swap-or-not (Hoang, Morris and Rogaway, 2012), which is secure on domains of any size, with
//! keyed BLAKE3 as its round function.

use std::fmt;

/// Length of a key.
pub const KEY_BYTES: usize = 32;

/// Secret key of the pseudonyms. `Debug` does not show it, and nothing writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key from random bytes.
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Parses 64 hexadecimal digits; surrounding whitespace is ignored.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim();
        let mut bytes = [0; KEY_BYTES];
        if digits.len() != 2 * KEY_BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    fn hasher(&self, domain: &str, tweak: &[u8]) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        // Lengths first, so that different pairs never hash the same bytes.
        for part in [domain.as_bytes(), tweak] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher
    }

    /// Fills `into` with pseudorandom bytes for a domain and a tweak.
    pub(super) fn stream(&self, domain: &str, tweak: &[u8], into: &mut [u8]) {
        self.hasher(domain, tweak).update(b"stream").finalize_xof().fill(into);
    }

    /// Pseudonym of `value` among `0..size`, never `value` itself. `tweak` separates permutations of one domain.
    pub(super) fn displace(&self, domain: &str, tweak: &[u8], size: u128, value: u128) -> u128 {
        if size < 2 || value >= size {
            return value;
        }
        let permutation = Permutation::new(self, domain, tweak, size);
        // Conjugating a shift by a permutation leaves no fixed point.
        permutation.backward(add(permutation.forward(value), permutation.shift, size))
    }
}

/// Permutation of `0..size`.
struct Permutation {
    size: u128,
    shift: u128,
    rounds: Vec<u128>,
    hasher: blake3::Hasher,
}

impl Permutation {
    fn new(key: &Key, domain: &str, tweak: &[u8], size: u128) -> Self {
        /// The security proof needs about 6 rounds per bit against an adversary who knows most of the domain.
        const ROUNDS_PER_BIT: u32 = 8;
        const ROUNDS_MIN: u32 = 64;
        let bits = u128::BITS - (size - 1).leading_zeros();
        let count = (bits * ROUNDS_PER_BIT).max(ROUNDS_MIN) as usize;
        let hasher = key.hasher(domain, tweak);
        let mut bytes = vec![0; 16 * (count + 1)];
        hasher.clone().update(b"rounds").finalize_xof().fill(&mut bytes);
        let mut numbers = bytes.chunks_exact(16).map(|chunk| chunk.try_into().map_or(0, u128::from_le_bytes));
        let shift = 1 + numbers.next().unwrap_or_default() % (size - 1);
        let rounds = numbers.map(|number| number % size).collect();
        Self { size, shift, rounds, hasher }
    }

    fn forward(&self, value: u128) -> u128 {
        self.rounds.iter().enumerate().fold(value, |value, (number, round)| self.step(number, *round, value))
    }

    fn backward(&self, value: u128) -> u128 {
        self.rounds.iter().enumerate().rev().fold(value, |value, (number, round)| self.step(number, *round, value))
    }

    /// One round: pairs every value with another and swaps the two or not. It is its own inverse.
    fn step(&self, number: usize, round: u128, value: u128) -> u128 {
        let other = add(round, self.size - value, self.size);
        let mut hasher = self.hasher.clone();
        hasher.update(&(number as u64).to_le_bytes()).update(&value.max(other).to_le_bytes());
        let swaps = hasher.finalize().as_bytes().first().is_some_and(|byte| byte & 1 == 1);
        if swaps { other } else { value }
    }
}

/// `a + b` modulo `size`, for `a < size` and `b <= size`.
fn add(a: u128, b: u128, size: u128) -> u128 {
    let until_wrap = size - a;
    if b >= until_wrap { b - until_wrap } else { a + b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const KEY: Key = Key::new([7; KEY_BYTES]);

    #[test]
    fn the_map_is_a_permutation_without_fixed_points() {
        for size in [2, 3, 10, 254, 1000] {
            let images: BTreeSet<u128> = (0..size).map(|value| KEY.displace("test", b"", size, value)).collect();
            assert_eq!(images.len() as u128, size);
            assert!(images.iter().all(|image| *image < size));
            assert!((0..size).all(|value| KEY.displace("test", b"", size, value) != value), "{size}");
        }
        assert_eq!(KEY.displace("test", b"", 1, 0), 0);
        let large = 1 << 122;
        assert!(KEY.displace("test", b"", large, large - 1) < large);
        assert_ne!(KEY.displace("test", b"", u128::MAX, 5), 5);
    }

    #[test]
    fn key_domain_and_tweak_each_change_every_value() {
        let image = |key: &Key, domain, tweak: &[u8]| -> Vec<u128> {
            (0..20).map(|value| key.displace(domain, tweak, 1 << 46, value)).collect()
        };
        let all = [
            image(&KEY, "a", b"b"),
            image(&KEY, "a", b"c"),
            image(&KEY, "b", b"b"),
            image(&KEY, "ab", b""),
            image(&Key::new([8; KEY_BYTES]), "a", b"b"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| one.iter().zip(other).all(|(a, b)| a != b)));
        }
    }

    #[test]
    fn neighbours_are_scattered() {
        let images: Vec<u128> = (0..254).map(|value| KEY.displace("host", b"10.0.0", 254, value)).collect();
        let close = images.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1).count();
        assert!(close < 12, "{close} of 253");
    }

    #[test]
    fn keys_are_parsed_and_not_shown_by_debug() {
        let hex = "00ff".repeat(16);
        assert!(Key::from_hex(&format!(" {hex}\n")).is_some());
        for bad in ["", "00", &format!("{hex}0"), &hex.replace('f', "g"), &hex.replace("00ff", "+0ff")] {
            assert!(Key::from_hex(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{KEY:?}"), "Key(…)");
    }
}
