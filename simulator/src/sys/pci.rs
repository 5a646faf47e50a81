//! /sys/bus/pci/devices and what it leads to

use collectors::host::errno::Errno;

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{KernelVersion, PciDevice, PciLink};
use crate::moment::Moment;
use crate::text::put_line;

type Result = std::result::Result<(), Errno>;

pub(super) static GROUPS: [Group; 5] = [
    Group { under: "bus/pci/devices", each: each_place, entries: &[("", What::Link(device))] },
    Group {
        under: "devices",
        each: |m, visit| each(m, visit, |_, _| true),
        entries: &[
            ("class", What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{:#08x}", d.model.class)))),
            ("vendor", What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{:#06x}", d.model.vendor)))),
            ("device", What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{:#06x}", d.model.device)))),
            (
                "subsystem_vendor",
                What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{:#06x}", d.model.subsystem.0))),
            ),
            (
                "subsystem_device",
                What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{:#06x}", d.model.subsystem.1))),
            ),
            ("revision", What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{:#04x}", d.model.revision)))),
            ("d3cold_allowed", What::File(|_, _, into| put_line!(into, "1"))),
            ("enable", What::File(|_, _, into| put_line!(into, "1"))),
            ("numa_node", What::Fallible(|m, i, into| of(m, i, |d| node(d, into)))),
            ("uevent", What::Fallible(|m, i, into| of(m, i, |d| uevent(d, into)))),
        ],
    },
    Group {
        under: "devices",
        each: |m, visit| each(m, visit, |m, _| m.kernel() >= POWER_STATE_SINCE),
        entries: &[("power_state", What::Fallible(|m, i, into| of(m, i, |d| power_state(d, into))))],
    },
    Group {
        under: "devices",
        each: |m, visit| each(m, visit, |_, device| device.model.link.is_some()),
        entries: &[
            ("current_link_speed", What::Fallible(|m, i, into| link(m, i, |l| speed(m, l.gigatransfers, into)))),
            ("current_link_width", What::Fallible(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.lanes)))),
            ("max_link_speed", What::Fallible(|m, i, into| link(m, i, |l| speed(m, l.most_gigatransfers, into)))),
            ("max_link_width", What::Fallible(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.most_lanes)))),
        ],
    },
    Group {
        under: "devices",
        each: |m, visit| each(m, visit, |_, device| device.model.functions.is_some()),
        entries: &[
            ("sriov_drivers_autoprobe", What::File(|_, _, into| put_line!(into, "1"))),
            ("sriov_numvfs", What::File(|_, _, into| put_line!(into, "0"))),
            (
                "sriov_totalvfs",
                What::Fallible(|m, i, into| of(m, i, |d| put_line!(into, "{}", d.model.functions.unwrap_or_default()))),
            ),
        ],
    },
];

const POWER_STATE_SINCE: KernelVersion = KernelVersion::new(5, 11);
/// Before, the speed was a number and a unit without a decimal and without the bus.
const DECIMALS_SINCE: KernelVersion = KernelVersion::new(5, 7);

fn each_place(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, device) in moment.machine.pci_devices.iter().enumerate() {
        visit(index, device.place().as_bytes());
    }
}

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), is_meant: impl Fn(&Moment<'_>, &PciDevice) -> bool) {
    for (index, device) in moment.machine.pci_devices.iter().enumerate() {
        if is_meant(moment, device) {
            visit(index, device.path.as_bytes());
        }
    }
}

fn device(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some(device) = moment.machine.pci_devices.get(index) {
        relative("bus/pci/devices", &format!("devices/{}", device.path), into);
    }
}

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&PciDevice)) -> Result {
    write(moment.machine.pci_devices.get(index).ok_or(Errno::ENODEV)?);
    Ok(())
}

fn link(moment: &Moment<'_>, index: usize, write: impl FnOnce(PciLink)) -> Result {
    let device = moment.machine.pci_devices.get(index).ok_or(Errno::ENODEV)?;
    write(device.model.link.ok_or(Errno::EINVAL)?);
    Ok(())
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

/// What nobody drives sleeps, but for what leads to the CPUs.
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
