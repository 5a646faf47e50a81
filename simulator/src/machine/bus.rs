//! Devices on the PCI bus, and graphics cards.

use super::NumaNode;
use crate::wave::Wave;

/// A device on the PCI bus.
#[derive(Clone, Debug)]
pub(crate) struct PciDevice {
    /// Below /sys/devices: `pci0000:00/0000:00:06.0`.
    pub(crate) path: String,
    pub(crate) model: PciModel,
    /// The nearest NUMA node, on a host with several.
    pub(crate) node: Option<NumaNode>,
}

impl PciDevice {
    /// Its address on the bus: `0000:00:06.0`.
    pub(crate) fn place(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The model of a PCI device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PciModel {
    pub(crate) class: u32,
    pub(crate) vendor: u16,
    pub(crate) device: u16,
    pub(crate) subsystem: (u16, u16),
    pub(crate) revision: u8,
    pub(crate) driver: &'static str,
    pub(crate) link: Option<PciLink>,
    /// The maximum number of virtual functions.
    pub(crate) functions: Option<u32>,
}

/// The speed and width of a PCI Express link, and their maxima.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PciLink {
    /// As the kernel writes it: `16.0`.
    pub(crate) gigatransfers: &'static str,
    pub(crate) most_gigatransfers: &'static str,
    pub(crate) lanes: u32,
    pub(crate) most_lanes: u32,
}

/// /sys/class/drm/cardN.
#[derive(Clone, Debug)]
pub(crate) struct GraphicsCard {
    pub(crate) number: u32,
    /// Below /sys/devices.
    pub(crate) device: String,
    pub(crate) driver: &'static str,
    /// Data of the driver amdgpu.
    pub(crate) amd: Option<AmdCard>,
}

#[derive(Clone, Debug)]
pub(crate) struct AmdCard {
    pub(crate) unique_id: String,
    pub(crate) memory_bytes: u64,
    /// The host memory that the card can use.
    pub(crate) lent_bytes: u64,
    pub(crate) memory_vendor: &'static str,
    pub(crate) wave: Wave,
}
