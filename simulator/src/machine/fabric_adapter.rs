//! Adapters of InfiniBand and of RDMA over Ethernet.

use super::Traffic;

/// /sys/class/infiniband: an adapter with one port.
#[derive(Clone, Debug)]
pub(crate) struct Adapter {
    pub(crate) name: String,
    /// The device that it belongs to, below /sys/devices.
    pub(crate) device: String,
    /// What not every driver tells.
    pub(crate) board: Option<&'static str>,
    pub(crate) model: Option<&'static str>,
    pub(crate) firmware: &'static str,
    pub(crate) guid: u64,
    pub(crate) link: FabricLink,
    /// As the kernel writes it: `400 Gb/sec (4X NDR)`.
    pub(crate) rate: &'static str,
    /// Its number in the fabric.
    pub(crate) lid: u32,
    pub(crate) is_up: bool,
    /// Whether it can be asked for the counters of the standard.
    pub(crate) has_counters: bool,
    /// Counters that the kernel lists and the adapter refuses to tell.
    pub(crate) refused: &'static [&'static str],
    pub(crate) traffic: Traffic,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FabricLink {
    InfiniBand,
    Ethernet,
}
