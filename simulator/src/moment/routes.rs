//! Routes, derived from addresses and neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use collectors::host::kernel::IpNetwork;

use super::Moment;
use crate::machine::{Interface, Kind};

/// `RTPROT_` numbers.
mod protocol {
    pub(super) const KERNEL: u8 = 2;
    pub(super) const DHCP: u8 = 16;
}

/// The metric of IPv6 routes that the kernel adds.
const PRIORITY_IPV6: u32 = 256;

/// A route of the main table.
pub(crate) struct HostRoute<'a> {
    pub(crate) link: &'a Interface,
    /// `None` for the default route.
    pub(crate) destination: Option<IpNetwork>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) priority: u32,
    pub(crate) protocol: u8,
}

impl<'a> Moment<'a> {
    /// The default route, then the networks of each device.
    pub(crate) fn routes(&self) -> impl Iterator<Item = HostRoute<'a>> {
        let machine = self.machine;
        // A router has the first address of its network.
        let router = machine.neighbours.iter().find(|neighbour| neighbour.address.octets()[3] == 1);
        let outward = router.and_then(|router| {
            Some(HostRoute {
                link: machine.interfaces.get(router.interface)?,
                destination: None,
                source: None,
                gateway: Some(router.address.into()),
                priority: 0,
                protocol: protocol::DHCP,
            })
        });
        let addresses = |link: &'a Interface| link.addresses.iter().map(move |address| (link, address));
        let networks = machine.interfaces.iter().flat_map(addresses);
        outward.into_iter().chain(networks.filter_map(|(link, &(address, prefix_length))| {
            let route = HostRoute {
                link,
                destination: Some(IpNetwork { address: network(address, prefix_length), prefix_length }),
                source: None,
                gateway: None,
                priority: 0,
                protocol: protocol::KERNEL,
            };
            match address {
                // The networks of these are routes of other types.
                IpAddr::V4(_) if matches!(link.kind, Kind::Loopback | Kind::Dummy) => None,
                IpAddr::V4(_) => Some(HostRoute { source: Some(address), ..route }),
                IpAddr::V6(_) => Some(HostRoute { priority: PRIORITY_IPV6, ..route }),
            }
        }))
    }
}

/// The network that an address belongs to.
fn network(address: IpAddr, prefix_length: u8) -> IpAddr {
    let prefix_length = u32::from(prefix_length);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - prefix_length).unwrap_or_default();
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - prefix_length).unwrap_or_default();
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
