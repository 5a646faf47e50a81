//! The origin of a connection: an IPv4 address or an IPv6 /64, which limits are counted by.

use std::net::IpAddr;

use super::request::Peer;

/// Whoever has one address of IPv6 has 2^64 of them.
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
