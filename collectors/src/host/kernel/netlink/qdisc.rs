//! Rtnetlink requests for queueing disciplines.

use super::{Builder, FLAG_DUMP, FLAG_REQUEST, Malformed, attributes, text, u32_at, u64_at};
use crate::host::errno::Errno;
use crate::host::kernel::Qdisc;

/// `RTM_NEWQDISC`: an answer to [`request_qdiscs`].
pub const NEW_QDISC: u16 = 36;

const GET_QDISC: u16 = 38;

/// `struct tcmsg`: family and padding, the device's index, handle, parent, information.
const BODY_BYTES: usize = 20;

const KIND: u16 = 1;
/// `TCA_STATS`, a `struct tc_stats`: the only statistics of kernels before 2.6.4.
const STATISTICS_OLD: u16 = 3;
/// `TCA_STATS2`, attributes.
const STATISTICS: u16 = 7;
/// `TCA_STATS_BASIC`: bytes of 64 bits, packets of 32.
const STATISTICS_BASIC: u16 = 1;
/// `TCA_STATS_QUEUE`: queue length, backlog, drops, requeues, overlimits.
const STATISTICS_QUEUE: u16 = 3;
/// `TCA_STATS_PKT64`: packets with 64 bits.
const STATISTICS_PACKETS_64: u16 = 8;

/// Writes a request for all queueing disciplines of all devices.
pub fn request_qdiscs(into: &mut Vec<u8>, sequence: u32) -> Result<(), Errno> {
    let mut request = Builder::new(into, GET_QDISC, FLAG_REQUEST | FLAG_DUMP, sequence);
    request.body(&[0; BODY_BYTES]);
    request.finish()
}

/// Parses the payload of a [`NEW_QDISC`] to the index of its device and the discipline, without the device's name.
/// Truncated values are treated as missing.
pub fn qdisc(payload: &[u8]) -> Result<(u32, Qdisc<'_>), Malformed> {
    let index = u32_at(payload, 4).ok_or(Malformed)?;
    let parent = u32_at(payload, 12).ok_or(Malformed)?;
    let mut found = Qdisc { parent, ..Qdisc::default() };
    let (mut old, mut nested) = (None, None);
    for attribute in attributes(payload, BODY_BYTES) {
        match attribute? {
            (KIND, value) => found.kind = text(value),
            (STATISTICS_OLD, value) => old = Some(value),
            (STATISTICS, value) => nested = Some(value),
            _ => {}
        }
    }
    match (nested, old) {
        (Some(nested), _) => read_statistics(nested, &mut found)?,
        (None, Some(old)) => read_old_statistics(old, &mut found),
        (None, None) => {}
    }
    Ok((index, found))
}

fn read_statistics(nested: &[u8], into: &mut Qdisc<'_>) -> Result<(), Malformed> {
    let mut packets_64 = None;
    for attribute in attributes(nested, 0) {
        match attribute? {
            (STATISTICS_BASIC, value) => {
                into.bytes = u64_at(value, 0).unwrap_or(0);
                into.packets = u32_at(value, 8).unwrap_or(0).into();
            }
            (STATISTICS_QUEUE, value) => {
                let number = |offset| u32_at(value, offset).unwrap_or(0);
                into.queue_length = number(0);
                into.backlog_bytes = number(4);
                into.drops = number(8);
                into.requeues = number(12);
                into.overlimits = number(16);
            }
            (STATISTICS_PACKETS_64, value) => packets_64 = u64_at(value, 0),
            _ => {}
        }
    }
    into.packets = packets_64.unwrap_or(into.packets);
    Ok(())
}

/// Parses the old statistics: bytes, packets, drops, overlimits, two rates, queue length, backlog. They lack requeues.
fn read_old_statistics(value: &[u8], into: &mut Qdisc<'_>) {
    let number = |offset| u32_at(value, offset).unwrap_or(0);
    into.bytes = u64_at(value, 0).unwrap_or(0);
    into.packets = number(8).into();
    into.drops = number(12);
    into.overlimits = number(16);
    into.queue_length = number(28);
    into.backlog_bytes = number(32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::netlink::messages;
    use proptest::prelude::*;

    #[test]
    fn the_request_has_the_documented_layout() {
        let mut bytes = Vec::new();
        request_qdiscs(&mut bytes, 9).unwrap();
        let message = messages(&bytes).next().unwrap().unwrap();
        assert_eq!((message.kind, message.flags, message.sequence), (38, 0x301, 9));
        assert_eq!((message.payload, bytes.len()), (&[0; 20][..], 36));
    }

    /// A kernel's answer for the device with index 2.
    fn payload(parent: u32, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, NEW_QDISC, 2, 9);
        let numbers = [2, 0x8001_0000, parent, 2].map(u32::to_ne_bytes).concat();
        builder.body(&[&[0; 4], &numbers[..]].concat());
        fill(&mut builder);
        builder.finish().unwrap();
        messages(&bytes).next().unwrap().unwrap().payload.to_vec()
    }

    fn numbers(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    fn basic(bytes: u64, packets: u32) -> Vec<u8> {
        // The kernel pads the structure to a multiple of eight.
        [&bytes.to_ne_bytes()[..], &numbers(&[packets, 0])].concat()
    }

    /// The old structure truncated to this size, and its numbers.
    fn old(bytes: u64, rest: &[u32]) -> Vec<u8> {
        [&bytes.to_ne_bytes()[..], &numbers(rest)].concat()
    }

    #[test]
    fn old_statistics_are_used_if_new_ones_are_missing() {
        let old = old(70, &[7, 6, 5, 4, 3, 2, 1]);
        let bytes = payload(0, |builder| builder.attribute(3, &old));
        let expected = Qdisc {
            bytes: 70,
            packets: 7,
            drops: 6,
            overlimits: 5,
            queue_length: 2,
            backlog_bytes: 1,
            ..Qdisc::default()
        };
        assert_eq!(qdisc(&bytes), Ok((2, expected)));
        let bytes = payload(0, |builder| {
            builder.nested(7, |builder| builder.attribute(1, &basic(10, 1)));
            builder.attribute(3, &old);
        });
        assert_eq!(qdisc(&bytes), Ok((2, Qdisc { bytes: 10, packets: 1, ..Qdisc::default() })));
    }

    #[test]
    fn packets_beyond_32_bits_are_told_apart() {
        let wide = 0x1_0000_0007_u64.to_ne_bytes();
        for order in [[(1, &basic(1, 7)[..]), (8, &wide)], [(8, &wide), (1, &basic(1, 7))]] {
            let bytes = payload(0, |builder| {
                builder.nested(7, |builder| order.iter().for_each(|(kind, value)| builder.attribute(*kind, value)));
            });
            assert_eq!(qdisc(&bytes).unwrap().1.packets, 0x1_0000_0007);
        }
    }

    #[test]
    fn the_root_has_no_parent() {
        for (parent, is_root) in [(0, true), (u32::MAX, true), (0xffff_fff1, false), (1, false)] {
            assert_eq!(qdisc(&payload(parent, |_| ())).unwrap().1.is_root(), is_root, "{parent:#x}");
        }
    }

    #[test]
    fn truncated_values_are_missing_or_malformed() {
        let bytes = payload(0, |builder| {
            builder.attribute(1, b"fq\0");
            builder.nested(7, |builder| {
                builder.attribute(1, &[1; 7]);
                builder.attribute(3, &numbers(&[1, 2]));
            });
        });
        let expected = Qdisc { kind: b"fq", queue_length: 1, backlog_bytes: 2, ..Qdisc::default() };
        assert_eq!(qdisc(&bytes), Ok((2, expected)));
        assert_eq!(qdisc(&bytes[..15]), Err(Malformed));
        assert_eq!(qdisc(&bytes[..25]), Err(Malformed));
        assert_eq!(qdisc(&bytes[..20]), Ok((2, Qdisc::default())));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_sent_is_read(
            kind in "[a-z_]{1,15}", parent: u32, bytes: u64, packets: u64, queue: [u32; 5], has_old: bool,
        ) {
            let encoded = payload(parent, |builder| {
                builder.attribute(1, format!("{kind}\0").as_bytes());
                builder.attribute(2, &[9; 5]);
                builder.nested(7, |builder| {
                    builder.attribute(1, &basic(bytes, u32::try_from(packets & u64::from(u32::MAX)).expect("32 bits")));
                    if packets > u32::MAX.into() { builder.attribute(8, &packets.to_ne_bytes()); }
                    builder.attribute(3, &numbers(&queue));
                    builder.attribute(4, &[7; 9]);
                });
                if has_old { builder.attribute(3, &old(1, &[1; 7])); }
            });
            let [queue_length, backlog_bytes, drops, requeues, overlimits] = queue;
            let expected = Qdisc {
                device: b"", kind: kind.as_bytes(), parent, bytes, packets, drops, requeues, overlimits, queue_length, backlog_bytes,
            };
            prop_assert_eq!(qdisc(&encoded), Ok((2, expected)));
        }
    }
}
