//! Names, validity period and key usage of an X.509 certificate. Signatures are not verified here. A certificate that
//! violates the DER encoding is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The fields of a certificate that decide about a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Certificate {
    /// Start of the validity period, in seconds since 1970.
    pub(super) not_before: i64,
    /// End of the validity period, in seconds since 1970.
    pub(super) not_after: i64,
    /// Subject alternative names: DNS, e-mail, URI, and IP addresses in their usual notation.
    pub(super) names: Vec<String>,
    /// Whether its extended key usage allows client authentication.
    pub(super) is_for_clients: bool,
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

const NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const PURPOSES: &[u8] = &[0x55, 0x1d, 0x25];
const FOR_CLIENTS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const FOR_ANYTHING: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

impl Certificate {
    /// Reads a DER certificate; `None` if it is malformed.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let mut signed = Der(Der(der).only(SEQUENCE)?).take(SEQUENCE).map(Der)?;
        signed.take_if(VERSION)?;
        signed.take(INTEGER)?;
        signed.take(SEQUENCE)?;
        signed.take(SEQUENCE)?;
        let mut validity = Der(signed.take(SEQUENCE)?);
        let mut read = Self {
            not_before: time(validity.next()?)?,
            not_after: time(validity.next()?)?,
            names: Vec::new(),
            is_for_clients: true,
        };
        signed.take(SEQUENCE)?;
        signed.take(SEQUENCE)?;
        while !signed.0.is_empty() {
            let (tag, content) = signed.next()?;
            if tag == EXTENSIONS {
                let mut extensions = Der(Der(content).only(SEQUENCE)?);
                while !extensions.0.is_empty() {
                    read.extension(Der(extensions.take(SEQUENCE)?))?;
                }
            }
        }
        Some(read)
    }

    fn extension(&mut self, mut extension: Der<'_>) -> Option<()> {
        let object = extension.take(OBJECT)?;
        extension.take_if(BOOLEAN)?;
        let content = Der(extension.0).only(OCTETS)?;
        if object == NAMES {
            let mut names = Der(Der(content).only(SEQUENCE)?);
            while !names.0.is_empty() {
                let (tag, content) = names.next()?;
                self.name(tag, content)?;
            }
        } else if object == PURPOSES {
            let mut purposes = Der(Der(content).only(SEQUENCE)?);
            self.is_for_clients = false;
            while !purposes.0.is_empty() {
                self.is_for_clients |= [FOR_CLIENTS, FOR_ANYTHING].contains(&purposes.take(OBJECT)?);
            }
        }
        Some(())
    }

    /// Adds an alternative name; kinds other than these four are skipped.
    fn name(&mut self, tag: u8, content: &[u8]) -> Option<()> {
        self.names.push(match (tag, content.len()) {
            (0x81 | 0x82 | 0x86, _) => std::str::from_utf8(content).ok().filter(|name| name.is_ascii())?.to_owned(),
            (0x87, 4) => Ipv4Addr::from(<[u8; 4]>::try_from(content).ok()?).to_string(),
            (0x87, 16) => Ipv6Addr::from(<[u8; 16]>::try_from(content).ok()?).to_canonical().to_string(),
            (0x87, _) => return None,
            _ => return Some(()),
        });
        Some(())
    }
}

/// The remainder of a sequence of DER values, each with a tag and a length.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                // DER requires the shortest form of a length.
                let is_shortest = length > 0x7f && bytes.first() != Some(&0);
                (is_shortest.then_some(length)?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// Skips an optional value.
    fn take_if(&mut self, tag: u8) -> Option<()> {
        if self.0.first() == Some(&tag) {
            self.next()?;
        }
        Some(())
    }

    /// The only value, if it has this tag.
    fn only(mut self, tag: u8) -> Option<&'a [u8]> {
        let content = self.take(tag)?;
        self.0.is_empty().then_some(content)
    }
}

/// Parses `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` to seconds since 1970.
fn time((tag, text): (u8, &[u8])) -> Option<i64> {
    let digits = text.strip_suffix(b"Z")?;
    let (year, rest) = match tag {
        UTC_TIME => digits.split_at_checked(2).map(|(year, rest)| Some((short_year(number(year)?), rest)))??,
        GENERALIZED_TIME => digits.split_at_checked(4).map(|(year, rest)| Some((number(year)?, rest)))??,
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let mut pairs = rest.chunks(2).map(number);
    let mut next = || pairs.next()?;
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let is_sane = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    is_sane.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

const fn short_year(year: i64) -> i64 {
    if year < 50 { 2000 + year } else { 1900 + year }
}

/// Days since 1970-01-01. Years begin in March here, so that a leap day is the last one of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let from_march = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (from_march * 306 + 5) / 10 + day
        - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_time(text: &str, expected: Option<i64>) {
        let tag = if text.len() == 13 { UTC_TIME } else { GENERALIZED_TIME };
        assert_eq!(time((tag, text.as_bytes())), expected, "{text}");
    }

    #[test]
    fn times_are_counted_from_1970() {
        check_time("700101000000Z", Some(0));
        check_time("000229120000Z", Some(951_825_600));
        check_time("491231235959Z", Some(2_524_607_999));
        check_time("500101000000Z", Some(-631_152_000));
        check_time("20500101000000Z", Some(2_524_608_000));
        check_time("99991231235959Z", Some(253_402_300_799));
        for bad in ["700101000000", "7001010000Z", "701301000000Z", "70010100000xZ", "700100000000Z", "700101240000Z"] {
            check_time(bad, None);
        }
        assert_eq!(time((INTEGER, b"700101000000Z")), None);
    }

    #[test]
    fn only_the_shortest_form_of_a_length_is_valid() {
        let next = |bytes: &[u8]| Der(bytes).next().map(|(tag, content)| (tag, content.len()));
        assert_eq!(next(&[4, 1, 0]), Some((4, 1)));
        assert_eq!(next(&[4, 2, 0]), None);
        assert_eq!(next(&[4, 0x81, 1, 0]), None);
        assert_eq!(next(&[4, 0x80, 0, 0]), None);
        let long = |header: &[u8], length: usize| next(&[header, &vec![0; length]].concat());
        assert_eq!(long(&[4, 0x81, 0x80], 128), Some((4, 128)));
        assert_eq!(long(&[4, 0x82, 0, 0x80], 128), None);
        assert_eq!(long(&[4, 0x82, 1, 0], 256), Some((4, 256)));
        assert_eq!(next(&[4, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
            let _ = Certificate::read(&bytes);
        }
    }
}
