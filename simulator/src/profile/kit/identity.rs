//! Made-up identifiers in the form of real ones.

use std::fmt::Write as _;

use crate::seed::Seed;

/// Hexadecimal digits.
pub(in crate::profile) fn hexadecimal(seed: Seed, digits: usize) -> String {
    let mut text = String::new();
    for word in 0..digits.div_ceil(16) as u64 {
        write!(text, "{:016x}", seed.at(word).bits()).expect("memory takes every byte");
    }
    text.truncate(digits);
    text
}

/// UUID of version 4.
pub(crate) fn uuid(seed: Seed) -> String {
    let digits = hexadecimal(seed, 31);
    let variant = ['8', '9', 'a', 'b'][usize::try_from(seed.of("variant").below(4)).unwrap_or_default()];
    let part = |first: usize, last: usize| digits.get(first..last).unwrap_or_default();
    format!("{}-{}-4{}-{variant}{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

/// Locally administered MAC address.
pub(in crate::profile) fn hardware_address(seed: Seed) -> [u8; 6] {
    let [.., first, second, third, fourth, fifth] = seed.bits().to_be_bytes();
    [0x02, first, second, third, fourth, fifth]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_numbers_have_the_form_of_real_ones() {
        let seed = Seed::new(3);
        assert_eq!(hexadecimal(seed, 20).len(), 20);
        let uuid = uuid(seed);
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes().get(14), Some(&b'4'));
        assert_eq!(hardware_address(seed)[0], 2);
    }
}
