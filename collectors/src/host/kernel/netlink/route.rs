//! Rtnetlink requests and answers: devices, addresses, neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Builder, FLAG_DUMP, FLAG_REQUEST, Malformed, attributes, text, u16_at, u32_at};
use crate::host::errno::Errno;
use crate::host::kernel::{Link, LinkStatistics};

/// `RTM_NEWLINK`: an answer to [`request_links`].
pub const NEW_LINK: u16 = 16;
/// `RTM_NEWADDR`: an answer to [`request_addresses`].
pub const NEW_ADDRESS: u16 = 20;
/// `RTM_NEWNEIGH`: an answer to [`request_neighbours`].
pub const NEW_NEIGHBOUR: u16 = 28;

const GET_LINK: u16 = 18;
const GET_ADDRESS: u16 = 22;
const GET_NEIGHBOUR: u16 = 30;

pub(super) const FAMILY_IPV4: u8 = 2;
pub(super) const FAMILY_IPV6: u8 = 10;

/// `struct ifinfomsg`.
const LINK_BODY_BYTES: usize = 16;
/// `struct ifaddrmsg`.
const ADDRESS_BODY_BYTES: usize = 8;
/// `struct ndmsg`.
const NEIGHBOUR_BODY_BYTES: usize = 12;

const LINK_PROPERTIES: u16 = 52;
const PROPERTY_ALTERNATIVE_NAME: u16 = 53;
const NEIGHBOUR_DESTINATION: u16 = 1;
const ADDRESS_ADDRESS: u16 = 1;
const ADDRESS_LOCAL: u16 = 2;

/// Writes a request for all devices.
pub fn request_links(into: &mut Vec<u8>, sequence: u32) -> Result<(), Errno> {
    dump(into, GET_LINK, sequence, &[0; LINK_BODY_BYTES])
}

/// Writes a request for all addresses of all families.
pub fn request_addresses(into: &mut Vec<u8>, sequence: u32) -> Result<(), Errno> {
    dump(into, GET_ADDRESS, sequence, &[0; ADDRESS_BODY_BYTES])
}

/// Writes a request for all IPv4 neighbours.
pub fn request_neighbours(into: &mut Vec<u8>, sequence: u32) -> Result<(), Errno> {
    let mut body = [0; NEIGHBOUR_BODY_BYTES];
    body[0] = FAMILY_IPV4;
    dump(into, GET_NEIGHBOUR, sequence, &body)
}

pub(super) fn dump(into: &mut Vec<u8>, kind: u16, sequence: u32, body: &[u8]) -> Result<(), Errno> {
    let mut request = Builder::new(into, kind, FLAG_REQUEST | FLAG_DUMP, sequence);
    request.body(body);
    request.finish()
}

/// Parses the payload of a [`NEW_LINK`]. Values of an unexpected size are treated as missing.
pub fn link(payload: &[u8]) -> Result<Link<'_>, Malformed> {
    let mut link = Link {
        protocol_type: u16_at(payload, 2).ok_or(Malformed)?,
        index: u32_at(payload, 4).ok_or(Malformed)?,
        flags: u32_at(payload, 8).ok_or(Malformed)?,
        ..Link::default()
    };
    let mut narrow_statistics = None;
    for attribute in attributes(payload, LINK_BODY_BYTES) {
        let (kind, value) = attribute?;
        // The numbers are IFLA_ADDRESS, IFLA_BROADCAST, … of include/uapi/linux/if_link.h.
        match kind {
            1 => link.address = Some(value),
            2 => link.broadcast = Some(value),
            3 => link.name = text(value),
            4 => link.mtu = u32_at(value, 0),
            5 => link.link = u32_at(value, 0),
            7 => narrow_statistics = statistics(value, |&bytes: &[u8; 4]| u32::from_ne_bytes(bytes).into()),
            13 => link.transmit_queue_length = u32_at(value, 0),
            16 => link.operstate = value.first().copied(),
            17 => link.link_mode = value.first().copied(),
            20 => link.alias = Some(text(value)),
            23 => link.statistics = statistics(value, |&bytes: &[u8; 8]| u64::from_ne_bytes(bytes)),
            27 => link.group = u32_at(value, 0),
            30 => link.promiscuity = u32_at(value, 0),
            33 => link.carrier = value.first().copied(),
            35 => link.carrier_changes = u32_at(value, 0),
            47 => link.carrier_up_changes = u32_at(value, 0),
            48 => link.carrier_down_changes = u32_at(value, 0),
            61 => link.all_multicast = u32_at(value, 0),
            _ => {}
        }
    }
    link.statistics = link.statistics.or(narrow_statistics);
    Ok(link)
}

/// Parses the alternative names of a device from the payload of a [`NEW_LINK`].
pub fn alternative_names<'a>(payload: &'a [u8], mut visit: impl FnMut(&'a [u8])) -> Result<(), Malformed> {
    for attribute in attributes(payload, LINK_BODY_BYTES) {
        let (LINK_PROPERTIES, properties) = attribute? else { continue };
        for property in attributes(properties, 0) {
            if let (PROPERTY_ALTERNATIVE_NAME, value) = property? {
                visit(text(value));
            }
        }
    }
    Ok(())
}

/// Parses statistics. Counters that an older kernel lacks are 0; additional ones of a newer kernel are ignored.
fn statistics<const WIDTH: usize>(value: &[u8], number: impl Fn(&[u8; WIDTH]) -> u64) -> Option<LinkStatistics> {
    let (numbers, _) = value.as_chunks::<WIDTH>();
    let mut counters = [0; LinkStatistics::NAMES.len()];
    for (counter, bytes) in counters.iter_mut().zip(numbers) {
        *counter = number(bytes);
    }
    (!numbers.is_empty()).then(|| LinkStatistics::from_counters(counters))
}

/// An address with the index of its device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexedAddress {
    /// The device's index.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of the network.
    pub prefix_length: u8,
}

/// Parses the payload of a [`NEW_ADDRESS`]; `None` for families other than IPv4 and IPv6.
pub fn address(payload: &[u8]) -> Result<Option<IndexedAddress>, Malformed> {
    let &[family, prefix_length, ..] = payload else { return Err(Malformed) };
    let index = u32_at(payload, 4).ok_or(Malformed)?;
    let (mut local, mut remote) = (None, None);
    for attribute in attributes(payload, ADDRESS_BODY_BYTES) {
        match attribute? {
            // Of two addresses, this is the device's own, and the other one that of the peer.
            (ADDRESS_LOCAL, value) => local = ip(family, value),
            (ADDRESS_ADDRESS, value) => remote = ip(family, value),
            _ => {}
        }
    }
    Ok(local.or(remote).map(|address| IndexedAddress { index, address, prefix_length }))
}

/// A neighbour with the index of its device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexedNeighbour {
    /// The device's index.
    pub index: u32,
    /// The IP address of the neighbour.
    pub address: IpAddr,
    /// `NUD_` bits.
    pub state: u16,
}

/// Parses the payload of a [`NEW_NEIGHBOUR`]; `None` without an IP address.
pub fn neighbour(payload: &[u8]) -> Result<Option<IndexedNeighbour>, Malformed> {
    let &[family, ..] = payload else { return Err(Malformed) };
    let index = u32_at(payload, 4).ok_or(Malformed)?;
    let state = u16_at(payload, 8).ok_or(Malformed)?;
    let mut address = None;
    for attribute in attributes(payload, NEIGHBOUR_BODY_BYTES) {
        if let (NEIGHBOUR_DESTINATION, value) = attribute? {
            address = ip(family, value);
        }
    }
    Ok(address.map(|address| IndexedNeighbour { index, address, state }))
}

pub(super) fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        FAMILY_IPV4 => <[u8; 4]>::try_from(value).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        FAMILY_IPV6 => <[u8; 16]>::try_from(value).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::host::kernel::netlink::messages;

    /// Every decoder of this file, for the property that none panics.
    pub(in super::super) fn decode_all(bytes: &[u8]) {
        let _ = (link(bytes), alternative_names(bytes, |_| ()), address(bytes), neighbour(bytes));
    }

    /// A payload of this body and these attributes.
    fn payload(body: &[&[u8]], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, 0, 0, 0);
        builder.body(&body.concat());
        for (kind, value) in attributes {
            builder.attribute(*kind, value);
        }
        builder.finish().unwrap();
        messages(&bytes).next().unwrap().unwrap().payload.to_vec()
    }

    fn link_payload(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let (kind, index, flags) = (1_u16.to_ne_bytes(), 2_u32.to_ne_bytes(), 0x1043_u32.to_ne_bytes());
        payload(&[&[0, 0], &kind, &index, &flags, &[0; 4]], attributes)
    }

    #[test]
    fn requests_have_the_documented_layout() {
        #[track_caller]
        fn check(write: fn(&mut Vec<u8>, u32) -> Result<(), Errno>, kind: u16, body: &[u8]) {
            let mut bytes = Vec::new();
            write(&mut bytes, 9).unwrap();
            let message = messages(&bytes).next().unwrap().unwrap();
            assert_eq!((message.kind, message.flags, message.sequence), (kind, 0x301, 9));
            assert_eq!(message.payload, body);
            assert_eq!(bytes.len(), 16 + body.len());
        }
        check(request_links, 18, &[0; 16]);
        check(request_addresses, 22, &[0; 8]);
        check(request_neighbours, 30, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_attributes_of_a_link_are_parsed() {
        let mac = [2, 0, 0, 0, 0, 1];
        let number = u32::to_ne_bytes;
        let bytes = link_payload(&[
            (3, b"eth0\0"),
            (1, &mac),
            (2, &[0xff; 6]),
            (4, &number(1500)),
            (5, &number(3)),
            (13, &number(1000)),
            (16, &[6]),
            (17, &[1]),
            (20, b"uplink\0"),
            (27, &number(4)),
            (30, &number(8)),
            (61, &number(9)),
            (33, &[1]),
            (35, &number(5)),
            (47, &number(6)),
            (48, &number(7)),
            (99, b"something newer"),
        ]);
        let expected = Link {
            name: b"eth0",
            index: 2,
            protocol_type: 1,
            flags: 0x1043,
            address: Some(&mac),
            broadcast: Some(&[0xff; 6]),
            alias: Some(b"uplink"),
            mtu: Some(1500),
            link: Some(3),
            transmit_queue_length: Some(1000),
            operstate: Some(6),
            link_mode: Some(1),
            group: Some(4),
            promiscuity: Some(8),
            all_multicast: Some(9),
            carrier: Some(1),
            carrier_changes: Some(5),
            carrier_up_changes: Some(6),
            carrier_down_changes: Some(7),
            statistics: None,
        };
        assert_eq!(link(&bytes), Ok(expected));
    }

    #[test]
    fn alternative_names_of_a_link_are_parsed() {
        let of = |bytes: &[u8]| {
            let mut names = Vec::new();
            alternative_names(bytes, |name| names.push(name.to_vec())).map(|()| names)
        };
        let properties = payload(&[], &[(53, b"enp0s3\0"), (54, b"?"), (53, b"enx02005e005301\0")]);
        let bytes = link_payload(&[(3, b"eth0\0"), (52, &properties)]);
        assert_eq!(of(&bytes), Ok(vec![b"enp0s3".to_vec(), b"enx02005e005301".to_vec()]));
        assert_eq!(of(&link_payload(&[(3, b"eth0\0")])), Ok(vec![]));
        assert_eq!(of(&link_payload(&[(52, &properties[..8])])), Err(Malformed));
    }

    #[track_caller]
    fn check_statistics(attributes: &[(u16, &[u8])], expected: Option<[u64; 24]>) {
        let bytes = link_payload(attributes);
        assert_eq!(link(&bytes).unwrap().statistics.map(|statistics| statistics.counters()), expected);
    }

    #[test]
    fn wide_statistics_take_precedence() {
        let wide: Vec<u8> = (1..=25_u64).flat_map(u64::to_ne_bytes).collect();
        let narrow: Vec<u8> = (101..=124_u32).flat_map(u32::to_ne_bytes).collect();
        let from = |first: u64| std::array::from_fn(|position| first + position as u64);
        let mut without_nohandler = from(1);
        without_nohandler[23] = 0;
        check_statistics(&[(7, &narrow), (23, &wide)], Some(from(1)));
        check_statistics(&[(23, &wide), (7, &narrow)], Some(from(1)));
        check_statistics(&[(23, &wide[..23 * 8])], Some(without_nohandler));
        check_statistics(&[(7, &narrow)], Some(from(101)));
        check_statistics(&[(7, &narrow), (23, &[])], Some(from(101)));
        check_statistics(&[], None);
    }

    #[test]
    fn values_of_wrong_sizes_are_missing_or_malformed() {
        let bytes = link_payload(&[(4, &[1]), (16, &[]), (3, b"no-nul")]);
        let found = link(&bytes).unwrap();
        assert_eq!((found.mtu, found.operstate, found.name), (None, None, &b"no-nul"[..]));
        assert_eq!(link(&bytes[..11]), Err(Malformed));
        assert_eq!(link(&bytes[..18]), Ok(Link { index: 2, protocol_type: 1, flags: 0x1043, ..Link::default() }));
        assert_eq!(link(&bytes[..20]), Err(Malformed));
    }

    #[test]
    fn the_own_address_of_a_device_takes_precedence_over_its_peer() {
        let index = 2_u32.to_ne_bytes();
        let of =
            |family: u8, attributes: &[(u16, &[u8])]| address(&payload(&[&[family, 24, 0, 0], &index], attributes));
        let found =
            |address: &str| Ok(Some(IndexedAddress { index: 2, address: address.parse().unwrap(), prefix_length: 24 }));
        assert_eq!(of(2, &[(1, &[192, 0, 2, 1]), (2, &[192, 0, 2, 10])]), found("192.0.2.10"));
        assert_eq!(of(2, &[(1, &[192, 0, 2, 1])]), found("192.0.2.1"));
        assert_eq!(of(10, &[(1, &std::net::Ipv6Addr::LOCALHOST.octets())]), found("::1"));
        assert_eq!(of(10, &[(1, &[192, 0, 2, 1])]), Ok(None));
        assert_eq!(of(35, &[(2, &[1])]), Ok(None));
        assert_eq!(address(&[2]), Err(Malformed));
        assert_eq!(address(&[2, 24, 0, 0, 1]), Err(Malformed));
    }

    #[test]
    fn the_state_of_a_neighbour_is_parsed() {
        let (index, state) = (3_u32.to_ne_bytes(), 0x40_u16.to_ne_bytes());
        let bytes = payload(&[&[2, 0, 0, 0], &index, &state, &[0, 1]], &[(2, &[0; 6]), (1, &[192, 0, 2, 1])]);
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(neighbour(&bytes), Ok(Some(IndexedNeighbour { index: 3, address, state: 0x40 })));
        assert_eq!(neighbour(&bytes[..12]), Ok(None));
        assert_eq!(neighbour(&bytes[..9]), Err(Malformed));
    }
}
