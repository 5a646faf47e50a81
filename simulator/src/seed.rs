//! Deterministic pseudorandom numbers derived from names and numbers, independent of the order of use.

/// One source of numbers. Sources derived by other names or numbers have nothing to do with each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The source of everything on a host.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The source that belongs to a name.
    #[must_use]
    pub(crate) fn of(self, name: &str) -> Self {
        Self(mix(self.0 ^ fnv1a(name.as_bytes())))
    }

    /// The source that belongs to a number.
    #[must_use]
    pub(crate) const fn at(self, number: u64) -> Self {
        Self(mix(self.0.rotate_left(23) ^ mix(number)))
    }

    /// The number itself.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// A number from 0 to `limit`, without it; 0 if it is 0.
    pub(crate) const fn below(self, limit: u64) -> u64 {
        ((self.0 as u128 * limit as u128) >> 64) as u64
    }

    /// A number from `first` to `last`, both of them included.
    pub(crate) const fn between(self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first).saturating_add(1))
    }
}

/// Every bit of the answer depends on every bit of the question (the finaliser of SplitMix64).
const fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The hash FNV-1a of 64 bits.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn sources_are_what_they_were_and_differ() {
        assert_eq!(Seed::new(0).bits(), 0xe220_a839_7b1d_cdaf);
        let seed = Seed::new(1);
        let others = [seed.of("a"), seed.of("b"), seed.at(0), seed.at(1), seed.of("a").at(0), seed.at(0).of("a")];
        for (position, one) in others.iter().enumerate() {
            assert!(others.iter().skip(position + 1).all(|other| one != other) && *one != seed);
        }
    }

    #[test]
    fn numbers_stay_within_their_limits() {
        let numbers = || (0..1000).map(|number| Seed::new(7).at(number));
        assert!(numbers().all(|seed| seed.below(10) < 10 && (3..=5).contains(&seed.between(3, 5))));
        assert!((0..10).all(|wanted| numbers().any(|seed| seed.below(10) == wanted)));
        assert_eq!(Seed::new(7).below(0), 0);
    }
}
