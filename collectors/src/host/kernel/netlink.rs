//! Wire format of netlink: messages and attributes as bytes, on every operating system.
//!
//! A message is a header of 16 bytes (length, kind, flags, sequence, port) and a payload: a structure of fixed size,
//! followed by attributes, each a header of 4 bytes (length, kind) and a value. Messages and attributes are aligned to
//! four bytes. Numbers are in the byte order of the host, because the peer is its own kernel.

pub mod ethtool;
pub mod fib;
pub mod generic;
pub mod nl80211;
pub mod qdisc;
pub mod route;

use crate::host::errno::Errno;

/// `NLM_F_REQUEST`: a message to the kernel.
pub const FLAG_REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: request an error message of number 0 at the end of the answer.
pub const FLAG_ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the table changed while it was being dumped.
pub const FLAG_DUMP_INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`: answer with the whole table.
pub const FLAG_DUMP: u16 = 0x300;

/// `NLMSG_ERROR`.
pub const KIND_ERROR: u16 = 2;
/// `NLMSG_DONE`.
pub const KIND_DONE: u16 = 3;
/// `NLMSG_OVERRUN`.
pub const KIND_OVERRUN: u16 = 4;

const HEADER_BYTES: usize = 16;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
const ALIGNMENT_BYTES: usize = 4;
/// Mask of an attribute's kind without the upper bits, which describe its encoding.
const ATTRIBUTE_KIND_MASK: u16 = 0x3fff;
/// `NLA_F_NESTED`: the value is made of attributes.
const ATTRIBUTE_NESTED: u16 = 0x8000;

/// Error of a message or attribute whose length is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl From<Malformed> for Errno {
    fn from(_: Malformed) -> Self {
        Self::EBADMSG
    }
}

/// A message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// The message type: one of the kinds above, or a number of the protocol.
    pub kind: u16,
    /// The flags.
    pub flags: u16,
    /// The sequence number of the request.
    pub sequence: u32,
    /// The bytes after the header.
    pub payload: &'a [u8],
}

/// Kind and value of an attribute.
pub type Attribute<'a> = (u16, &'a [u8]);

/// The messages in `bytes`; the first malformed one is the last item.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Result<Message<'_>, Malformed>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let bytes = std::mem::take(&mut rest);
        if bytes.is_empty() {
            return None;
        }
        let Some((message, after)) = split_message(bytes) else { return Some(Err(Malformed)) };
        rest = after;
        Some(Ok(message))
    })
}

fn split_message(bytes: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let (kind, flags, sequence) = (u16_at(bytes, 4)?, u16_at(bytes, 6)?, u32_at(bytes, 8)?);
    let payload = bytes.get(HEADER_BYTES..length)?;
    Some((Message { kind, flags, sequence, payload }, after(bytes, length)))
}

/// The attributes after the first `skip_bytes` of a payload; the first malformed one is the last item. Up to three bytes
/// at the end are padding.
pub fn attributes(payload: &[u8], skip_bytes: usize) -> impl Iterator<Item = Result<Attribute<'_>, Malformed>> {
    let mut rest = payload.get(skip_bytes..).unwrap_or_default();
    std::iter::from_fn(move || {
        let bytes = std::mem::take(&mut rest);
        if bytes.len() < ATTRIBUTE_HEADER_BYTES {
            return None;
        }
        let Some((attribute, after)) = split_attribute(bytes) else { return Some(Err(Malformed)) };
        rest = after;
        Some(Ok(attribute))
    })
}

fn split_attribute(bytes: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let length = usize::from(u16_at(bytes, 0)?);
    let kind = u16_at(bytes, 2)? & ATTRIBUTE_KIND_MASK;
    let value = bytes.get(ATTRIBUTE_HEADER_BYTES..length)?;
    Some(((kind, value), after(bytes, length)))
}

/// The bytes after an element of `length` bytes and its padding.
fn after(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length.next_multiple_of(ALIGNMENT_BYTES)..).unwrap_or_default()
}

/// The number at `offset`; `None` beyond the end.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

/// The number at `offset`; `None` beyond the end.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// The number at `offset`; `None` beyond the end.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().copied().map(u64::from_ne_bytes)
}

/// The bytes of a string without the final NUL.
pub(crate) fn text(value: &[u8]) -> &[u8] {
    value.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// State of an answer after a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// The answer is complete, or the kernel returned an error.
    pub ended: Option<Result<(), Errno>>,
    /// The table changed while it was dumped.
    pub interrupted: bool,
}

/// Finds the end of the answer to the request `sequence`. Messages with other sequence numbers are ignored.
pub fn progress(datagram: &[u8], sequence: u32) -> Result<Progress, Errno> {
    let mut progress = Progress::default();
    for message in messages(datagram) {
        let message = message?;
        if message.sequence != sequence {
            continue;
        }
        progress.interrupted |= message.flags & FLAG_DUMP_INTERRUPTED != 0;
        match message.kind {
            KIND_ERROR => progress.ended = Some(status(u32_at(message.payload, 0).ok_or(Malformed)?)),
            KIND_DONE => progress.ended = Some(status(u32_at(message.payload, 0).unwrap_or(0))),
            KIND_OVERRUN => return Err(Errno::ENOBUFS),
            _ => {}
        }
    }
    Ok(progress)
}

/// The result in an error message: a negated error number, or 0 for success.
fn status(bits: u32) -> Result<(), Errno> {
    match bits.cast_signed() {
        0.. => Ok(()),
        negative => Err(Errno::from_number(negative.saturating_neg())),
    }
}

/// Appends a message to a buffer.
#[derive(Debug)]
pub struct Builder<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    oversized: bool,
}

impl<'a> Builder<'a> {
    /// Starts a message.
    pub fn new(into: &'a mut Vec<u8>, kind: u16, flags: u16, sequence: u32) -> Self {
        let start = into.len();
        into.extend_from_slice(&0_u32.to_ne_bytes());
        into.extend_from_slice(&kind.to_ne_bytes());
        into.extend_from_slice(&flags.to_ne_bytes());
        into.extend_from_slice(&sequence.to_ne_bytes());
        into.extend_from_slice(&0_u32.to_ne_bytes());
        Self { bytes: into, start, oversized: false }
    }

    /// Appends bytes of the payload's structure, and padding.
    pub fn body(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.pad();
    }

    /// Appends an attribute.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) {
        let start = self.begin_attribute(kind);
        self.bytes.extend_from_slice(value);
        self.end_attribute(start);
    }

    /// Appends an attribute with nested ones, which `fill` appends.
    pub fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.begin_attribute(kind | ATTRIBUTE_NESTED);
        fill(self);
        self.end_attribute(start);
    }

    fn begin_attribute(&mut self, kind: u16) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&0_u16.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn end_attribute(&mut self, start: usize) {
        match u16::try_from(self.bytes.len() - start) {
            Ok(length) => self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes()),
            Err(_) => self.oversized = true,
        }
        self.pad();
    }

    fn pad(&mut self) {
        let padded = self.start + (self.bytes.len() - self.start).next_multiple_of(ALIGNMENT_BYTES);
        self.bytes.resize(padded, 0);
    }

    /// Writes the length. A message with a value that is too long for its length field is removed and refused.
    pub fn finish(self) -> Result<(), Errno> {
        match u32::try_from(self.bytes.len() - self.start) {
            Ok(length) if !self.oversized => {
                self.bytes[self.start..self.start + 4].copy_from_slice(&length.to_ne_bytes());
                Ok(())
            }
            _ => {
                self.bytes.truncate(self.start);
                Err(Errno::E2BIG)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes with native numbers in them, from little-endian notation.
    fn header(length: u32, kind: u16, flags: u16, sequence: u32) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes
    }

    fn attribute(length: u16, kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes
    }

    #[test]
    fn a_built_message_has_the_documented_layout() {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, 18, FLAG_REQUEST | FLAG_DUMP, 7);
        builder.body(&[1, 2, 3]);
        builder.attribute(3, b"lo\0");
        builder.nested(1, |builder| builder.attribute(2, &[9]));
        builder.finish().unwrap();
        let mut expected = header(16 + 4 + 8 + 12, 18, 0x301, 7);
        expected.extend([1, 2, 3, 0]);
        expected.extend(attribute(7, 3, b"lo\0\0"));
        expected.extend(attribute(12, 0x8001, &attribute(5, 2, &[9, 0, 0, 0])));
        assert_eq!(bytes, expected);
    }

    #[test]
    fn messages_are_aligned_to_four_bytes() {
        let mut bytes = header(17, 5, 0, 1);
        bytes.extend([0xaa, 0, 0, 0]);
        bytes.extend(header(16, 6, 0, 2));
        let found: Vec<_> = messages(&bytes).map(|message| message.unwrap()).collect();
        assert_eq!(found[0], Message { kind: 5, flags: 0, sequence: 1, payload: &[0xaa] });
        assert_eq!(found[1], Message { kind: 6, flags: 0, sequence: 2, payload: &[] });
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_message_with_an_invalid_length_ends_the_iteration() {
        for length in [0, 1, 15, 17, u32::MAX] {
            let mut bytes = header(16, 5, 0, 1);
            bytes.extend(header(length, 6, 0, 2));
            let found: Vec<_> = messages(&bytes).collect();
            assert_eq!((found.len(), found[1]), (2, Err(Malformed)), "length {length}");
        }
        assert_eq!(messages(&[0; 15]).last(), Some(Err(Malformed)));
        assert_eq!(messages(&[]).next(), None);
    }

    #[test]
    fn an_attribute_with_an_invalid_length_ends_the_iteration() {
        for length in [0, 3, 6, u16::MAX] {
            let mut bytes = attribute(5, 1, &[8, 0, 0, 0]);
            bytes.extend(attribute(length, 2, &[7]));
            let found: Vec<_> = attributes(&bytes, 0).collect();
            assert_eq!(found, [Ok((1, &[8][..])), Err(Malformed)], "length {length}");
        }
    }

    #[test]
    fn an_attribute_may_be_empty_unpadded_or_flagged() {
        let mut bytes = vec![0xff; 8];
        bytes.extend(attribute(4, 0xc001, &[]));
        bytes.extend(attribute(5, 2, &[7]));
        let found: Vec<_> = attributes(&bytes, 8).collect();
        assert_eq!(found, [Ok((1, &[][..])), Ok((2, &[7][..]))]);
        assert_eq!(attributes(&[0; 3], 0).next(), None);
        assert_eq!(attributes(&[0; 3], 4).next(), None);
    }

    #[track_caller]
    fn check_progress(kind: u16, flags: u16, payload: &[u8], expected: Result<Progress, Errno>) {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, kind, flags, 7);
        builder.body(payload);
        builder.finish().unwrap();
        assert_eq!(progress(&bytes, 7), expected);
        assert_eq!(progress(&bytes, 8), Ok(Progress::default()), "the answer to another request");
    }

    #[test]
    fn the_end_of_an_answer_is_found() {
        let ended = |status| Ok(Progress { ended: Some(status), interrupted: false });
        let number = |number: i32| number.to_ne_bytes();
        check_progress(KIND_DONE, 2, &number(0), ended(Ok(())));
        check_progress(KIND_DONE, 2, &[], ended(Ok(())));
        check_progress(KIND_DONE, 2, &number(-12), ended(Err(Errno::ENOMEM)));
        check_progress(KIND_ERROR, 0, &number(0), ended(Ok(())));
        check_progress(KIND_ERROR, 0, &number(-19), ended(Err(Errno::ENODEV)));
        check_progress(KIND_ERROR, 0, &number(i32::MIN), ended(Err(Errno::from_number(i32::MAX))));
        check_progress(KIND_ERROR, 0, &[], Err(Errno::EBADMSG));
        check_progress(KIND_OVERRUN, 0, &[], Err(Errno::ENOBUFS));
        check_progress(16, 2, &[0; 4], Ok(Progress::default()));
        check_progress(16, 2 | FLAG_DUMP_INTERRUPTED, &[0; 4], Ok(Progress { ended: None, interrupted: true }));
    }

    #[test]
    fn a_value_too_long_for_its_length_field_is_refused() {
        let mut bytes = vec![1, 2, 3];
        for (size_bytes, fits) in [(65_531, true), (65_532, false)] {
            bytes.truncate(3);
            let mut builder = Builder::new(&mut bytes, 1, 0, 0);
            builder.attribute(1, &vec![0; size_bytes]);
            assert_eq!(builder.finish().is_ok(), fits, "{size_bytes}");
            assert_eq!(bytes.len() > 3, fits, "{size_bytes}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(prop_oneof![4 => 0_u8..24, 1 => any::<u8>()], 0..200)) {
            for message in messages(&bytes).flatten() {
                prop_assert!(message.payload.len() + HEADER_BYTES <= bytes.len());
                for nested in attributes(message.payload, 4).flatten() {
                    attributes(nested.1, 0).count();
                }
            }
            let _ = progress(&bytes, 0);
            let values: usize = attributes(&bytes, 0).flatten().map(|(_, value)| value.len()).sum();
            prop_assert!(values <= bytes.len());
            route::tests::decode_all(&bytes);
            let _ = (generic::family_id(&bytes), ethtool::link_modes(&bytes), qdisc::qdisc(&bytes));
            let _ = fib::next_hops(&bytes, |_, _| ());
            nl80211::tests::decode_all(&bytes);
        }

        #[test]
        fn what_is_built_is_found_again(
            values in prop::collection::vec((1_u16..0x3fff, prop::collection::vec(any::<u8>(), 0..20)), 0..6),
            cut in 0_usize..200,
        ) {
            let mut bytes = Vec::new();
            let mut builder = Builder::new(&mut bytes, 40, 1, 2);
            for (kind, value) in &values { builder.attribute(*kind, value); }
            builder.finish().unwrap();
            let message = messages(&bytes).next().unwrap().unwrap();
            let found: Vec<_> = attributes(message.payload, 0).map(|attribute| attribute.unwrap()).collect();
            let written: Vec<_> = values.iter().map(|(kind, value)| (*kind, &value[..])).collect();
            prop_assert_eq!(found, written);
            // A truncated message is malformed, never a shorter valid one.
            if cut > 0 && cut < bytes.len() {
                prop_assert_eq!(messages(&bytes[..cut]).next(), Some(Err(Malformed)));
            }
        }
    }
}
