//! The origin of a connection, by which limits are counted: an IPv4 address or an IPv6 /64.

use std::net::IpAddr;

use super::request::Peer;

/// Origin of a connection. IPv6 addresses are grouped by /64, because one client usually has a whole /64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Origin {
    Ipv4([u8; 4]),
    Ipv6([u16; 4]),
    Unix,
    Machine(u32),
}

impl Origin {
    pub(super) fn of(peer: Peer) -> Self {
        match peer {
            Peer::Internet(address) => match address.ip().to_canonical() {
                IpAddr::V4(address) => Self::Ipv4(address.octets()),
                IpAddr::V6(address) => {
                    let [network @ .., _, _, _, _] = address.segments();
                    Self::Ipv6(network)
                }
            },
            Peer::Unix => Self::Unix,
            Peer::Vsock { machine, .. } => Self::Machine(machine),
        }
    }
}
