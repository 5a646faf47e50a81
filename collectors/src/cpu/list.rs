//! Kernel CPU lists: `0-3,8,12-15`.

use std::ops::RangeInclusive;

use crate::kit::parse::FromText;
use crate::kit::prelude::*;

/// Maximum CPU number: a short list could name any number of CPUs.
pub(crate) const CPU_NUMBER_MAX: u32 = 65_535;

/// The ranges of a list, each with its own error.
pub(crate) fn ranges(text: Text<'_>) -> impl Iterator<Item = Result<RangeInclusive<u32>, ParseError<'_>>> {
    let pieces = text.trimmed().split(|&byte| byte == b',').filter(|piece| !piece.is_empty());
    pieces.map(move |piece| {
        range(piece).ok_or_else(|| text.error("list", "a number up to 65535, or two as `0-3`", piece))
    })
}

fn range(piece: &[u8]) -> Option<RangeInclusive<u32>> {
    let (first, last) = match piece.iter().position(|&byte| byte == b'-') {
        Some(at) => (u32::from_text(&piece[..at])?, u32::from_text(&piece[at + 1..])?),
        None => (u32::from_text(piece)?, u32::from_text(piece)?),
    };
    (first <= last && last <= CPU_NUMBER_MAX).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    /// The CPUs of a list, and the number of invalid parts.
    #[track_caller]
    fn check(list: &str, expected: &[u32], bad: usize) {
        let text = Text::new(Mount::Sys, b"isolated", list.as_bytes());
        assert_eq!(ranges(text).filter_map(Result::ok).flatten().collect::<Vec<_>>(), expected, "{list}");
        assert_eq!(ranges(text).filter(Result::is_err).count(), bad, "{list}");
    }

    #[test]
    fn lists_contain_numbers_and_ranges() {
        check("1,3-5,9\n", &[1, 3, 4, 5, 9], 0);
        check("0\n", &[0], 0);
        check("\n", &[], 0);
        check("", &[], 0);
        check("2-2,", &[2], 0);
    }

    #[test]
    fn a_bad_piece_costs_only_its_own_samples() {
        check("1,x,3", &[1, 3], 1);
        check("5-3,7", &[7], 1);
        check("1-2-3,-1,4-", &[], 3);
    }

    #[test]
    fn numbers_are_limited() {
        check("65535", &[65_535], 0);
        check("65536,1", &[1], 1);
        check("0-4294967295,1", &[1], 1);
        check("4294967296,1", &[1], 1);
    }

    proptest! {
        #[test]
        fn lists_come_back(ranges in proptest::collection::vec((0_u32..1000, 0_u32..5), 0..8)) {
            let pieces: Vec<_> = ranges.iter().map(|&(first, more)| format!("{first}-{}", first + more)).collect();
            let expected: Vec<_> = ranges.iter().flat_map(|&(first, more)| first..=first + more).collect();
            check(&pieces.join(","), &expected, 0);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let text = Text::new(Mount::Sys, b"isolated", &bytes);
            prop_assert!(ranges(text).filter_map(Result::ok).all(|range| *range.end() <= CPU_NUMBER_MAX));
        }
    }
}
