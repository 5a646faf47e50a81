//! The answers themselves.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::btrfs::OwnedBtrfs;
use super::qdiscs::OwnedQdisc;
use super::wifi::{Networks, OwnedInterface, Stations};
use crate::host::errno::Errno;
use crate::host::kernel::{Address, Link, LinkModes, Neighbour, StatFs, Uname, Zone};

/// The stated answers. `None` is an unsupported question, an empty list an answer without items.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Answers {
    /// The wall clock when the host was made.
    pub(super) start: Duration,
    pub(super) zone: Option<Zone>,
    pub(super) uname: Option<Uname>,
    pub(super) ticks_per_second: Option<u64>,
    pub(super) page_size_bytes: Option<u64>,
    pub(super) statfs: Option<BTreeMap<Vec<u8>, StatFsAnswer>>,
    /// Devices, in the order of their numbers, and refusals.
    pub(super) btrfs: Option<Vec<OwnedBtrfs>>,
    pub(super) links: Option<Vec<OwnedLink>>,
    /// Devices and their alternative names.
    pub(super) alternative_names: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    pub(super) addresses: Option<Vec<OwnedAddress>>,
    pub(super) neighbours: Option<Vec<OwnedNeighbour>>,
    pub(super) link_modes: Option<BTreeMap<Vec<u8>, LinkModes>>,
    pub(super) qdiscs: Option<Vec<OwnedQdisc>>,
    pub(super) wifi_interfaces: Option<Vec<OwnedInterface>>,
    /// By device.
    pub(super) wifi_networks: Option<Networks>,
    pub(super) wifi_stations: Option<Stations>,
}

impl Answers {
    pub(super) fn absorb(&mut self, other: &Self) {
        macro_rules! absorb {
            (single: $($single:ident)*; lists: $($list:ident)*) => {
                $(if other.$single.is_some() { self.$single.clone_from(&other.$single); })*
                $(if let Some(other) = &other.$list { self.$list.get_or_insert_default().extend(other.clone()); })*
            };
        }
        absorb! {
            single: zone uname ticks_per_second page_size_bytes;
            lists: statfs btrfs links alternative_names addresses neighbours link_modes qdiscs
                wifi_interfaces wifi_networks wifi_stations
        }
    }
}

/// The outcome of `statfs` for one mount point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatFsAnswer {
    /// The numbers.
    Numbers(StatFs),
    /// A refusal.
    Error(Errno),
    /// Silence for that long, or until [`super::Canned::release`]; then `ETIMEDOUT`.
    Hang(Duration),
}

/// A [`Link`] that keeps its own bytes; those of `numbers` are empty.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct OwnedLink {
    name: Vec<u8>,
    address: Option<Vec<u8>>,
    broadcast: Option<Vec<u8>>,
    alias: Option<Vec<u8>>,
    numbers: Link<'static>,
}

impl OwnedLink {
    pub(super) fn borrow(&self) -> Link<'_> {
        Link {
            name: &self.name,
            address: self.address.as_deref(),
            broadcast: self.broadcast.as_deref(),
            alias: self.alias.as_deref(),
            ..self.numbers
        }
    }
}

impl From<&Link<'_>> for OwnedLink {
    fn from(link: &Link<'_>) -> Self {
        let Link { name, address, broadcast, alias, .. } = *link;
        Self {
            name: name.to_vec(),
            address: address.map(<[u8]>::to_vec),
            broadcast: broadcast.map(<[u8]>::to_vec),
            alias: alias.map(<[u8]>::to_vec),
            numbers: Link {
                promiscuity: None,
                all_multicast: None,
                name: b"",
                address: None,
                broadcast: None,
                alias: None,
                index: link.index,
                protocol_type: link.protocol_type,
                flags: link.flags,
                mtu: link.mtu,
                link: link.link,
                transmit_queue_length: link.transmit_queue_length,
                operstate: link.operstate,
                link_mode: link.link_mode,
                group: link.group,
                carrier: link.carrier,
                carrier_changes: link.carrier_changes,
                carrier_up_changes: link.carrier_up_changes,
                carrier_down_changes: link.carrier_down_changes,
                statistics: link.statistics,
            },
        }
    }
}

/// An [`Address`] that keeps its own bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedAddress {
    pub(super) device: Vec<u8>,
    pub(super) address: IpAddr,
    pub(super) prefix_length: u8,
}

impl From<&Address<'_>> for OwnedAddress {
    fn from(address: &Address<'_>) -> Self {
        let Address { device, address, prefix_length } = *address;
        Self { device: device.to_vec(), address, prefix_length }
    }
}

impl OwnedAddress {
    pub(super) fn borrow(&self) -> Address<'_> {
        Address { device: &self.device, address: self.address, prefix_length: self.prefix_length }
    }
}

/// A [`Neighbour`] that keeps its own bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedNeighbour {
    pub(super) device: Vec<u8>,
    pub(super) address: IpAddr,
    pub(super) state: u16,
}

impl From<&Neighbour<'_>> for OwnedNeighbour {
    fn from(neighbour: &Neighbour<'_>) -> Self {
        let Neighbour { device, address, state } = *neighbour;
        Self { device: device.to_vec(), address, state }
    }
}

impl OwnedNeighbour {
    pub(super) fn borrow(&self) -> Neighbour<'_> {
        Neighbour { device: &self.device, address: self.address, state: self.state }
    }
}
