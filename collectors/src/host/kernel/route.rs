//! Unicast routes, as rtnetlink reports them.

use std::net::IpAddr;

use super::IpNetwork;

/// A next hop of a unicast route from `RTM_GETROUTE`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Route<'a> {
    /// Its device; empty if it has none.
    pub device: &'a [u8],
    /// The destination; `None` for the default route.
    pub destination: Option<IpNetwork>,
    /// `RTA_PREFSRC`: the preferred source address.
    pub source: Option<IpAddr>,
    /// `RTA_GATEWAY`.
    pub gateway: Option<IpAddr>,
    /// `RTA_PRIORITY`, the metric; 0 where the kernel omits it.
    pub priority: u32,
    /// `rtm_protocol`, an `RTPROT_` number: who added the route.
    pub protocol: u8,
    /// The weight of a next hop among several, from 1; `None` for the only one.
    pub weight: Option<u16>,
}
