//! Generic netlink: lookup of the number of a family by its name.

use super::{Builder, FLAG_ACK, FLAG_REQUEST, Malformed, attributes, u16_at};
use crate::host::errno::Errno;

/// `GENL_ID_CTRL`: the controller, which maps family names to numbers.
pub const CONTROL_FAMILY: u16 = 16;

/// `struct genlmsghdr`: command, version and two reserved bytes.
pub(super) const BODY_BYTES: usize = 4;

/// Version of all used families.
const VERSION: u8 = 1;

const COMMAND_GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// The header of a generic netlink message.
pub(super) const fn body(command: u8) -> [u8; BODY_BYTES] {
    [command, VERSION, 0, 0]
}

/// Writes a request for the number of a family. The name has a final NUL.
pub fn request_family(into: &mut Vec<u8>, sequence: u32, name: &[u8]) -> Result<(), Errno> {
    let mut request = Builder::new(into, CONTROL_FAMILY, FLAG_REQUEST | FLAG_ACK, sequence);
    request.body(&body(COMMAND_GET_FAMILY));
    request.attribute(FAMILY_NAME, name);
    request.finish()
}

/// Parses the number of the family from the payload of a [`CONTROL_FAMILY`] message.
pub fn family_id(payload: &[u8]) -> Result<Option<u16>, Malformed> {
    let mut id = None;
    for attribute in attributes(payload, BODY_BYTES) {
        if let (FAMILY_ID, value) = attribute? {
            id = u16_at(value, 0);
        }
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::netlink::messages;

    #[test]
    fn a_request_contains_the_name_of_the_family() {
        let mut bytes = Vec::new();
        request_family(&mut bytes, 3, b"ethtool\0").unwrap();
        let message = messages(&bytes).next().unwrap().unwrap();
        assert_eq!((message.kind, message.flags, message.sequence), (16, 0x5, 3));
        assert_eq!(message.payload[..4], [3, 1, 0, 0]);
        assert_eq!(attributes(message.payload, 4).collect::<Vec<_>>(), [Ok((2, &b"ethtool\0"[..]))]);
    }

    #[test]
    fn the_number_of_the_family_is_read() {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, CONTROL_FAMILY, 0, 0);
        builder.body(&[1, 2, 0, 0]);
        builder.attribute(2, b"ethtool\0");
        builder.attribute(1, &21_u16.to_ne_bytes());
        builder.finish().unwrap();
        let message = messages(&bytes).next().unwrap().unwrap();
        assert_eq!(family_id(message.payload), Ok(Some(21)));
        assert_eq!(family_id(&message.payload[..4]), Ok(None));
        assert_eq!(family_id(&message.payload[..10]), Err(Malformed));
    }
}
