//! Ethtool requests for speed and duplex of a device.

use super::generic::{self, BODY_BYTES};
use super::{Builder, FLAG_ACK, FLAG_REQUEST, Malformed, attributes, u32_at};
use crate::host::errno::Errno;
use crate::host::kernel::LinkModes;

/// The family's name.
pub const FAMILY: &[u8] = b"ethtool\0";

/// Maximum length of a device name: `IFNAMSIZ` without its NUL.
pub const DEVICE_NAME_CAP_BYTES: usize = 15;

const COMMAND_LINK_MODES: u8 = 4;
const LINK_MODES_HEADER: u16 = 1;
const LINK_MODES_SPEED: u16 = 5;
const LINK_MODES_DUPLEX: u16 = 6;
const HEADER_DEVICE_NAME: u16 = 2;
const HEADER_FLAGS: u16 = 3;
/// `ETHTOOL_FLAG_COMPACT_BITSETS`: no name for each bit of the list of modes, which is not read.
const COMPACT_BITSETS: u32 = 1;

const SPEED_UNKNOWN: u32 = u32::MAX;
const DUPLEX_UNKNOWN: u8 = 255;

/// Writes a request for speed and duplex of a device. An invalid name is `ENODEV`.
pub fn request_link_modes(into: &mut Vec<u8>, sequence: u32, family: u16, device: &[u8]) -> Result<(), Errno> {
    if device.is_empty() || device.len() > DEVICE_NAME_CAP_BYTES || device.contains(&0) {
        return Err(Errno::ENODEV);
    }
    let mut name = [0; DEVICE_NAME_CAP_BYTES + 1];
    name[..device.len()].copy_from_slice(device);
    let mut request = Builder::new(into, family, FLAG_REQUEST | FLAG_ACK, sequence);
    request.body(&generic::body(COMMAND_LINK_MODES));
    request.nested(LINK_MODES_HEADER, |header| {
        header.attribute(HEADER_DEVICE_NAME, &name[..=device.len()]);
        header.attribute(HEADER_FLAGS, &COMPACT_BITSETS.to_ne_bytes());
    });
    request.finish()
}

/// Parses the payload of an answer.
pub fn link_modes(payload: &[u8]) -> Result<LinkModes, Malformed> {
    let mut modes = LinkModes { speed_megabits: None, duplex: DUPLEX_UNKNOWN };
    for attribute in attributes(payload, BODY_BYTES) {
        match attribute? {
            (LINK_MODES_SPEED, value) => {
                modes.speed_megabits = u32_at(value, 0).filter(|&speed| speed != SPEED_UNKNOWN);
            }
            (LINK_MODES_DUPLEX, &[duplex, ..]) => modes.duplex = duplex,
            _ => {}
        }
    }
    Ok(modes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::netlink::messages;

    #[test]
    fn a_request_contains_the_name_of_the_device() {
        let mut bytes = Vec::new();
        request_link_modes(&mut bytes, 4, 21, b"eth0").unwrap();
        let message = messages(&bytes).next().unwrap().unwrap();
        assert_eq!((message.kind, message.flags, message.sequence), (21, 0x5, 4));
        assert_eq!(message.payload[..4], [4, 1, 0, 0]);
        let (kind, header) = attributes(message.payload, 4).next().unwrap().unwrap();
        assert_eq!(kind, 1);
        let flags = 1_u32.to_ne_bytes();
        assert_eq!(attributes(header, 0).collect::<Vec<_>>(), [Ok((2, &b"eth0\0"[..])), Ok((3, &flags[..]))]);
    }

    #[test]
    fn an_invalid_name_is_not_sent() {
        for (name, expected) in [
            (&[b'a'; 15][..], Ok(())),
            (&[b'a'; 16], Err(Errno::ENODEV)),
            (b"", Err(Errno::ENODEV)),
            (b"a\0b", Err(Errno::ENODEV)),
        ] {
            let mut bytes = Vec::new();
            assert_eq!(request_link_modes(&mut bytes, 1, 21, name), expected, "{name:?}");
            assert_eq!(bytes.is_empty(), expected.is_err());
        }
    }

    #[track_caller]
    fn check_modes(attributes: &[(u16, &[u8])], speed_megabits: Option<u32>, duplex: u8) {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, 21, 0, 0);
        builder.body(&[4, 1, 0, 0]);
        for (kind, value) in attributes {
            builder.attribute(*kind, value);
        }
        builder.finish().unwrap();
        let message = messages(&bytes).next().unwrap().unwrap();
        assert_eq!(link_modes(message.payload), Ok(LinkModes { speed_megabits, duplex }));
    }

    #[test]
    fn an_unknown_speed_is_none() {
        check_modes(&[(1, &[]), (5, &1000_u32.to_ne_bytes()), (6, &[1])], Some(1000), 1);
        check_modes(&[(5, &u32::MAX.to_ne_bytes()), (6, &[255])], None, 255);
        check_modes(&[(5, &(u32::MAX - 1).to_ne_bytes())], Some(u32::MAX - 1), 255);
        check_modes(&[(5, &[1]), (6, &[])], None, 255);
    }
}
