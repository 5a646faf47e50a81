//! Rtnetlink's question for routes: the forwarding information base.

use std::net::IpAddr;

use super::route::{FAMILY_IPV4, FAMILY_IPV6, dump};
use super::{Malformed, attributes, u16_at, u32_at};
use crate::host::errno::Errno;
use crate::host::kernel::{IpNetwork, Route};

/// `RTM_NEWROUTE`: an answer to [`request_routes`].
pub const NEW_ROUTE: u16 = 24;

const GET_ROUTE: u16 = 26;

/// `struct rtmsg`: family, prefix lengths, tos, table, protocol, scope, type, flags.
const BODY_BYTES: usize = 12;
/// `RTN_UNICAST`: neither local, broadcast, multicast nor refused.
const TYPE_UNICAST: u8 = 1;
/// `struct rtnexthop`: length, flags, weight less 1, index.
const NEXT_HOP_BYTES: usize = 8;

const DESTINATION: u16 = 1;
const OUTPUT_DEVICE: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const PREFERRED_SOURCE: u16 = 7;
const MULTIPATH: u16 = 9;

/// Asks for the routes of every table and family.
pub fn request_routes(into: &mut Vec<u8>, sequence: u32) -> Result<(), Errno> {
    dump(into, GET_ROUTE, sequence, &[0; BODY_BYTES])
}

/// Reads the payload of a [`NEW_ROUTE`]: for each next hop of a unicast route, the index of its device, 0 for none, and the
/// rest with the device's name left empty. Like node_exporter, it takes addresses of each family by their size: the label
/// of an MPLS route looks like an IPv4 address.
pub fn next_hops(payload: &[u8], mut visit: impl FnMut(u32, Route<'static>)) -> Result<(), Malformed> {
    let &[family, prefix_length, _, _, _, protocol, _, kind, ..] = payload else { return Err(Malformed) };
    if kind != TYPE_UNICAST {
        return Ok(());
    }
    let mut route = Route { protocol, ..Route::default() };
    let (mut index, mut paths) = (0, None);
    for attribute in attributes(payload, BODY_BYTES) {
        match attribute? {
            (DESTINATION, value) if prefix_length > 0 => {
                route.destination = ip(value).map(|address| IpNetwork { address, prefix_length });
            }
            (OUTPUT_DEVICE, value) => index = u32_at(value, 0).unwrap_or(0),
            (GATEWAY, value) => route.gateway = ip(value),
            (PRIORITY, value) => route.priority = u32_at(value, 0).unwrap_or(0),
            (PREFERRED_SOURCE, value) => route.source = ip(value),
            (MULTIPATH, value) => paths = Some(value),
            _ => {}
        }
    }
    // Without the network, the route would pass for the default one.
    if prefix_length > 0 && route.destination.is_none() {
        return if matches!(family, FAMILY_IPV4 | FAMILY_IPV6) { Err(Malformed) } else { Ok(()) };
    }
    match paths {
        Some(paths) if !paths.is_empty() => each_path(paths, route, visit),
        _ => {
            visit(index, route);
            Ok(())
        }
    }
}

/// An address of 4 or 16 bytes.
fn ip(value: &[u8]) -> Option<IpAddr> {
    match *value {
        [a, b, c, d] => Some([a, b, c, d].into()),
        _ => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}

fn each_path(
    mut paths: &[u8],
    route: Route<'static>,
    mut visit: impl FnMut(u32, Route<'static>),
) -> Result<(), Malformed> {
    while !paths.is_empty() {
        let length = usize::from(u16_at(paths, 0).ok_or(Malformed)?);
        let path = paths.get(..length).filter(|path| path.len() >= NEXT_HOP_BYTES).ok_or(Malformed)?;
        let index = u32_at(path, 4).ok_or(Malformed)?;
        let weight = path.get(3).map(|&hops| u16::from(hops) + 1);
        let mut gateway = None;
        for attribute in attributes(path, NEXT_HOP_BYTES) {
            if let (GATEWAY, value) = attribute? {
                gateway = ip(value);
            }
        }
        visit(index, Route { gateway, weight, ..route });
        paths = super::after(paths, length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::netlink::{Builder, messages};
    use std::net::IpAddr;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// A route of this family, prefix length and type, added by the protocol `boot`.
    fn payload([family, prefix_length, kind]: [u8; 3], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut builder = Builder::new(&mut bytes, NEW_ROUTE, 2, 9);
        builder.body(&[family, prefix_length, 0, 0, 254, 3, 0, kind, 0, 0, 0, 0]);
        for (kind, value) in attributes {
            builder.attribute(*kind, value);
        }
        builder.finish().unwrap();
        messages(&bytes).next().unwrap().unwrap().payload.to_vec()
    }

    fn found(payload: &[u8]) -> Result<Vec<(u32, Route<'static>)>, Malformed> {
        let mut all = Vec::new();
        next_hops(payload, |index, route| all.push((index, route))).map(|()| all)
    }

    #[test]
    fn the_request_has_the_documented_layout() {
        let mut bytes = Vec::new();
        request_routes(&mut bytes, 9).unwrap();
        let message = messages(&bytes).next().unwrap().unwrap();
        assert_eq!((message.kind, message.flags, message.sequence), (26, 0x301, 9));
        assert_eq!((message.payload, bytes.len()), (&[0; 12][..], 28));
    }

    #[test]
    fn a_route_has_one_next_hop_or_several() {
        let number = u32::to_ne_bytes;
        let bytes = payload(
            [2, 24, 1],
            &[
                (15, &number(254)),
                (1, &[192, 0, 2, 0]),
                (4, &number(3)),
                (5, &[198, 51, 100, 1]),
                (6, &number(100)),
                (7, &[198, 51, 100, 7]),
            ],
        );
        let expected = Route {
            device: b"",
            destination: Some(IpNetwork { address: address("192.0.2.0"), prefix_length: 24 }),
            source: Some(address("198.51.100.7")),
            gateway: Some(address("198.51.100.1")),
            priority: 100,
            protocol: 3,
            weight: None,
        };
        assert_eq!(found(&bytes), Ok(vec![(3, expected)]));
        let hop = |weight: u8, index: u32, gateway: &[u8]| {
            let mut hop = Vec::new();
            let length = u16::try_from(8 + if gateway.is_empty() { 0 } else { 4 + gateway.len() }).unwrap();
            hop.extend(length.to_ne_bytes());
            hop.extend([0, weight]);
            hop.extend(number(index));
            if !gateway.is_empty() {
                hop.extend(u16::try_from(4 + gateway.len()).unwrap().to_ne_bytes());
                hop.extend(5_u16.to_ne_bytes());
                hop.extend(gateway);
            }
            hop
        };
        let gateway = address("2001:db8::1");
        let IpAddr::V6(bytes_of_gateway) = gateway else { unreachable!() };
        let paths = [hop(0, 3, &bytes_of_gateway.octets()), hop(255, 4, &[])].concat();
        let default = Route { protocol: 3, ..Route::default() };
        assert_eq!(
            found(&payload([10, 0, 1], &[(9, &paths)])),
            Ok(vec![
                (3, Route { gateway: Some(gateway), weight: Some(1), ..default }),
                (4, Route { weight: Some(256), ..default })
            ])
        );
        for cut in [1, 7, 8, 20, 28, 29, 35] {
            assert_eq!(found(&payload([10, 0, 1], &[(9, &paths[..cut])])).is_err(), cut != 28, "{cut}");
        }
    }

    #[test]
    fn other_types_are_passed_over() {
        for kind in [0, 2, 3, 5, 6, 7, 8] {
            assert_eq!(found(&payload([2, 32, kind], &[(1, &[192, 0, 2, 1])])), Ok(vec![]), "{kind}");
        }
    }

    #[test]
    fn labels_of_mpls_look_like_ipv4_addresses_and_other_families_are_passed_over() {
        const MPLS: u8 = 28;
        const DECNET: u8 = 12;
        // RTA_VIA, the gateway of another family.
        let via = [&2_u16.to_ne_bytes()[..], &[192, 0, 2, 1]].concat();
        let bytes = payload([MPLS, 20, 1], &[(1, &[0, 6, 64, 0]), (18, &via), (4, &3_u32.to_ne_bytes())]);
        let destination = Some(IpNetwork { address: address("0.6.64.0"), prefix_length: 20 });
        assert_eq!(found(&bytes), Ok(vec![(3, Route { destination, protocol: 3, ..Route::default() })]));
        assert_eq!(found(&payload([DECNET, 16, 1], &[(1, &[4, 7])])), Ok(vec![]));
        assert_eq!(found(&payload([2, 16, 1], &[(1, &[4, 7])])), Err(Malformed));
    }

    #[test]
    fn what_is_cut_is_malformed() {
        assert_eq!(found(&[2, 24, 0, 0, 254, 3, 0]), Err(Malformed));
        assert_eq!(found(&payload([2, 24, 1], &[])), Err(Malformed));
        assert_eq!(found(&payload([2, 24, 1], &[(1, &[192, 0])])), Err(Malformed));
        assert_eq!(found(&payload([2, 0, 1], &[])), Ok(vec![(0, Route { protocol: 3, ..Route::default() })]));
        // A kernel without multiple paths may send an empty list.
        assert_eq!(found(&payload([2, 0, 1], &[(9, &[])])).unwrap().len(), 1);
    }
}
