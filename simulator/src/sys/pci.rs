//! /sys/bus/pci/devices and the devices that it links to

use super::relative;
use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{KernelVersion, PciDevice, PciLink};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<PciDevice> {
        under: "bus/pci/devices",
        parts: |machine| each(&machine.pci_devices),
        path: |device, _| device.place().into(),
        entries: &[("", Content::Link(device))],
    },
    &Group::<PciDevice> {
        under: "devices",
        parts: |machine| each(&machine.pci_devices),
        path: |device, _| device.path.as_str().into(),
        entries: &[
            ("class", Content::File(|d, _, into| put_line!(into, "{:#08x}", d.model.class))),
            ("vendor", Content::File(|d, _, into| put_line!(into, "{:#06x}", d.model.vendor))),
            ("device", Content::File(|d, _, into| put_line!(into, "{:#06x}", d.model.device))),
            ("subsystem_vendor", Content::File(|d, _, into| put_line!(into, "{:#06x}", d.model.subsystem.0))),
            ("subsystem_device", Content::File(|d, _, into| put_line!(into, "{:#06x}", d.model.subsystem.1))),
            ("revision", Content::File(|d, _, into| put_line!(into, "{:#04x}", d.model.revision))),
            ("d3cold_allowed", Content::File(|_, _, into| put_line!(into, "1"))),
            ("enable", Content::File(|_, _, into| put_line!(into, "1"))),
            ("numa_node", Content::File(|d, _, into| node(d, into))),
            ("uevent", Content::File(|d, _, into| uevent(d, into))),
        ],
    },
    &Group::<PciDevice> {
        under: "devices",
        parts: |machine| each_with(&machine.pci_devices, |_| machine.kernel() >= POWER_STATE_SINCE),
        path: |device, _| device.path.as_str().into(),
        entries: &[("power_state", Content::File(|d, _, into| power_state(d, into)))],
    },
    &Group::<Linked<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.pci_devices.iter().filter_map(Linked::of)),
        path: |linked, _| linked.device.path.as_str().into(),
        entries: &[
            ("current_link_speed", Content::File(|linked, m, into| speed(m, linked.link.gigatransfers, into))),
            ("current_link_width", Content::File(|linked, _, into| put_line!(into, "{}", linked.link.lanes))),
            ("max_link_speed", Content::File(|linked, m, into| speed(m, linked.link.most_gigatransfers, into))),
            ("max_link_width", Content::File(|linked, _, into| put_line!(into, "{}", linked.link.most_lanes))),
        ],
    },
    &Group::<Virtualised<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.pci_devices.iter().filter_map(Virtualised::of)),
        path: |of, _| of.device.path.as_str().into(),
        entries: &[
            ("sriov_drivers_autoprobe", Content::File(|_, _, into| put_line!(into, "1"))),
            ("sriov_numvfs", Content::File(|_, _, into| put_line!(into, "0"))),
            ("sriov_totalvfs", Content::File(|of, _, into| put_line!(into, "{}", of.functions))),
        ],
    },
];

const POWER_STATE_SINCE: KernelVersion = KernelVersion::new(5, 11);
/// Older kernels write the speed without a decimal and without the name of the bus.
const DECIMALS_SINCE: KernelVersion = KernelVersion::new(5, 7);

/// A device on a link of PCI Express.
#[derive(Clone, Copy)]
struct Linked<'a> {
    device: &'a PciDevice,
    link: PciLink,
}

impl Part for Linked<'static> {
    type Of<'a> = Linked<'a>;
}

impl<'a> Linked<'a> {
    fn of(device: &'a PciDevice) -> Option<Self> {
        Some(Self { device, link: device.model.link? })
    }
}

/// A device that can provide virtual functions.
#[derive(Clone, Copy)]
struct Virtualised<'a> {
    device: &'a PciDevice,
    /// The maximum number of functions.
    functions: u32,
}

impl Part for Virtualised<'static> {
    type Of<'a> = Virtualised<'a>;
}

impl<'a> Virtualised<'a> {
    fn of(device: &'a PciDevice) -> Option<Self> {
        Some(Self { device, functions: device.model.functions? })
    }
}

fn device(device: &PciDevice, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("bus/pci/devices", &format!("devices/{}", device.path), into);
}

fn speed(moment: &Moment<'_>, gigatransfers: &str, into: &mut Vec<u8>) {
    if moment.kernel() >= DECIMALS_SINCE {
        put_line!(into, "{gigatransfers} GT/s PCIe");
    } else {
        put_line!(into, "{} GT/s", gigatransfers.trim_end_matches(".0"));
    }
}

fn node(device: &PciDevice, into: &mut Vec<u8>) {
    let node = device.node.map_or("-1".to_owned(), |node| node.to_string());
    put_line!(into, "{}", node);
}

/// Devices without a driver sleep, except bridges.
fn power_state(device: &PciDevice, into: &mut Vec<u8>) {
    let sleeps = device.model.driver.is_empty() && device.model.class >> 16 != 6;
    put_line!(into, "{}", if sleeps { "D3hot" } else { "D0" });
}

fn uevent(device: &PciDevice, into: &mut Vec<u8>) {
    let model = &device.model;
    if !model.driver.is_empty() {
        put_line!(into, "DRIVER={}", model.driver);
    }
    put_line!(into, "PCI_CLASS={:X}\nPCI_ID={:04X}:{:04X}", model.class, model.vendor, model.device);
    put_line!(into, "PCI_SUBSYS_ID={:04X}:{:04X}", model.subsystem.0, model.subsystem.1);
    put_line!(into, "PCI_SLOT_NAME={}", device.place());
}
