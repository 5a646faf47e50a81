//! Byte ranges of a text that are replaced, by category.

use std::ops::Range;

/// Kind of an identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Category {
    /// Host or domain name.
    Host,
    /// User name.
    User,
    /// Serial number or asset tag of a device.
    Serial,
    /// Label of a file system or partition, or name of a wireless network.
    Label,
    /// Command line or name of a process.
    CommandLine,
    /// MAC address.
    Mac,
    /// IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
    /// Identifier of 64 bits: GUID, EUI-64 or WWN.
    Identifier64,
    /// Identifier of 128 bits, such as a UUID.
    Uuid,
    /// Identifier of another length, in hexadecimal digits or random letters.
    Identifier,
    /// Code, data or stack address of a process.
    MemoryAddress,
}

impl Category {
    /// Name in reports, and domain of the category's pseudonyms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host name",
            Self::User => "user name",
            Self::Serial => "serial",
            Self::Label => "label",
            Self::CommandLine => "command line",
            Self::Mac => "MAC address",
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
            Self::Identifier64 => "GUID or WWN",
            Self::Uuid => "UUID",
            Self::Identifier => "other identifier",
            Self::MemoryAddress => "memory address",
        }
    }
}

/// A range of a text and its replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) range: Range<usize>,
    pub(super) category: Category,
    pub(super) replacement: Vec<u8>,
}

/// Resolves overlaps: of two spans, the one that starts first wins, then the one that comes first in `spans`.
pub(super) fn disjoint(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| span.range.start);
    let mut chosen: Vec<Span> = Vec::new();
    for span in spans {
        if chosen.last().is_none_or(|last| last.range.end <= span.range.start) {
            chosen.push(span);
        }
    }
    chosen
}

/// Replaces every span. Runs of two or more blanks after a span shrink or grow, so that columns stay aligned.
pub(super) fn replaced(text: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut into = Vec::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        into.extend_from_slice(text.get(at..span.range.start).unwrap_or_default());
        into.extend_from_slice(&span.replacement);
        at = span.range.end;
        let blanks = text.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b' ').count();
        if blanks >= 2 {
            let wanted = (span.range.len() + blanks).saturating_sub(span.replacement.len()).max(1);
            into.extend(std::iter::repeat_n(b' ', wanted));
            at += blanks;
        }
    }
    into.extend_from_slice(text.get(at..).unwrap_or_default());
    into
}

/// Ranges that no span covers.
pub(super) fn gaps(length: usize, spans: &[Span]) -> Vec<Range<usize>> {
    let ends = spans.iter().map(|span| span.range.end);
    let starts = spans.iter().map(|span| span.range.start).chain([length]);
    std::iter::once(0).chain(ends).zip(starts).map(|(start, end)| start..end).filter(|gap| !gap.is_empty()).collect()
}

/// Whether a range is part of a longer word.
pub(super) fn is_within_word(text: &[u8], range: &Range<usize>) -> bool {
    is_word(before(text, range.start)) || is_word(text.get(range.end).copied())
}

pub(super) fn before(text: &[u8], at: usize) -> Option<u8> {
    text.get(at.checked_sub(1)?).copied()
}

fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric())
}
