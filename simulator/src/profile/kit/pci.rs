//! PCI bus, derived from the paths of other devices: every path component on the bus is a device or bridge.

use std::collections::BTreeMap;

use crate::machine::{FabricLink, Machine, Model, NumaNode, PciDevice, PciLink, PciModel, Processor};

const INTEL: u16 = 0x8086;
const AMD: u16 = 0x1022;
const BROADCOM: u16 = 0x14e4;
const VIRTIO: u16 = 0x1af4;
const MELLANOX: u16 = 0x15b3;
const SAMSUNG: u16 = 0x144d;
const ATI: u16 = 0x1002;
const ASPEED: u16 = 0x1a03;

const fn link(gigatransfers: &'static str, lanes: u32, most_gigatransfers: &'static str, most_lanes: u32) -> PciLink {
    PciLink { gigatransfers, most_gigatransfers, lanes, most_lanes }
}

const fn model(class: u32, vendor: u16, device: u16, driver: &'static str, link: Option<PciLink>) -> PciModel {
    PciModel { class, vendor, device, subsystem: (vendor, device), revision: 0, driver, link, functions: None }
}

const NVME: PciModel = PciModel {
    subsystem: (SAMSUNG, 0xa801),
    ..model(0x01_0802, SAMSUNG, 0xa80a, "nvme", Some(link("16.0", 4, "16.0", 4)))
};
const VIRTIO_NET: PciModel =
    PciModel { subsystem: (VIRTIO, 0x1100), revision: 1, ..model(0x02_0000, VIRTIO, 0x1041, "virtio-pci", None) };
const VIRTIO_BLOCK: PciModel = PciModel { class: 0x01_0000, device: 0x1042, ..VIRTIO_NET };
const CONNECT_X: PciModel = PciModel {
    subsystem: (MELLANOX, 0x0016),
    functions: Some(16),
    ..model(0x02_0000, MELLANOX, 0x1021, "mlx5_core", Some(link("32.0", 16, "32.0", 16)))
};
const ETHERNET: PciModel = PciModel {
    subsystem: (INTEL, 0x0002),
    revision: 2,
    functions: Some(64),
    ..model(0x02_0000, INTEL, 0x1592, "ice", Some(link("16.0", 16, "16.0", 16)))
};
const ETHERNET_1G: PciModel = PciModel {
    subsystem: (INTEL, 0x0001),
    revision: 3,
    ..model(0x02_0000, INTEL, 0x1533, "igb", Some(link("2.5", 1, "2.5", 1)))
};
const WIRELESS: PciModel =
    PciModel { subsystem: (INTEL, 0x0074), revision: 0x20, ..model(0x02_8000, INTEL, 0x51f0, "iwlwifi", None) };
const USB: PciModel = PciModel { revision: 4, ..model(0x0c_0330, INTEL, 0x51ed, "xhci_hcd", None) };
const LOW_PIN_COUNT: PciModel = PciModel { revision: 1, ..model(0x06_0100, INTEL, 0x5182, "", None) };
const STORAGE: PciModel = model(0x01_0700, 0x1000, 0x00e6, "mpt3sas", Some(link("16.0", 8, "16.0", 8)));
const OTHER: PciModel = model(0x08_8000, INTEL, 0x09a2, "", None);

/// PCI address, such as `0000:00:1f.6`.
fn is_place(component: &str) -> bool {
    let bytes = component.as_bytes();
    bytes.len() == 12 && bytes[4] == b':' && bytes[7] == b':' && bytes[10] == b'.'
}

/// Prefixes of a path below /sys/devices that end in a PCI address.
fn places(path: &str) -> impl Iterator<Item = &str> {
    let mut end = 0;
    let ends = path.split('/').filter_map(move |component| {
        let start = end;
        end = start + component.len() + 1;
        is_place(component).then_some(start + component.len())
    });
    ends.filter_map(|end| path.get(..end))
}

/// Adds the PCI devices that the machine's other devices imply.
pub(in crate::profile) fn with_buses(mut machine: Machine) -> Machine {
    let mut found: BTreeMap<String, PciModel> = BTreeMap::new();
    let maker = match &machine.processor.model {
        Model::X86(model) if model.vendor == "AuthenticAMD" => AMD,
        Model::Arm(_) => BROADCOM,
        _ => INTEL,
    };
    let bridge = model(
        0x06_0400,
        maker,
        if maker == AMD { 0x1483 } else { 0x7a38 },
        "pcieport",
        Some(link("16.0", 4, "16.0", 16)),
    );
    let mut paths: Vec<(&str, PciModel)> = Vec::new();
    paths.extend(machine.adapters.iter().map(|adapter| {
        let class = if adapter.link == FabricLink::InfiniBand { 0x02_0700 } else { 0x02_0000 };
        (adapter.device.as_str(), PciModel { class, ..if adapter.model.is_some() { CONNECT_X } else { ETHERNET } })
    }));
    paths.extend(machine.graphics_cards.iter().map(|card| (card.device.as_str(), graphics(card.driver))));
    paths.extend(machine.interfaces.iter().map(|link| {
        let kind = if link.wireless.is_some() { WIRELESS } else { network(&link.path, link.speed_megabits) };
        (link.path.as_str(), kind)
    }));
    paths.extend(machine.block_devices.iter().map(|block| (block.path.as_str(), storage(&block.path))));
    paths.extend(machine.power_supplies.iter().map(|supply| (supply.device, LOW_PIN_COUNT)));
    paths.extend(machine.chips.iter().filter_map(|chip| Some((chip.device.as_deref()?, OTHER))));
    for (path, leaf) in paths {
        let places: Vec<&str> = places(path).collect();
        for (number, place) in places.iter().enumerate() {
            let is_last = number + 1 == places.len();
            // A device with others below it is a bridge.
            if !is_last {
                found.insert((*place).to_owned(), bridge);
            } else if !found.contains_key(*place) {
                found.insert((*place).to_owned(), leaf);
            }
        }
    }
    let roots: Vec<String> =
        found.keys().filter_map(|path| path.rsplit_once('/').map(|(root, _)| root.to_owned())).collect();
    for root in roots {
        // The first device of a root bus is the host bridge.
        if let Some((_, bus)) = root.rsplit_once('/').unwrap_or(("", &root)).1.split_once("pci") {
            let place = format!("{root}/{bus}:00.0");
            found.entry(place).or_insert(model(0x06_0000, maker, if maker == AMD { 0x1480 } else { 0x4621 }, "", None));
        }
    }
    let processor = &machine.processor;
    machine.pci_devices =
        found.into_iter().map(|(path, model)| PciDevice { node: node(&path, processor), path, model }).collect();
    machine
}

/// Adds the PCI devices of new devices; existing ones stay.
pub(super) fn add_missing(machine: &mut Machine) {
    let all = with_buses(machine.clone()).pci_devices;
    let is_missing = |path: &str| machine.pci_devices.iter().all(|device| device.path != path);
    let missing: Vec<PciDevice> = all.into_iter().filter(|device| is_missing(&device.path)).collect();
    machine.pci_devices.extend(missing);
    machine.pci_devices.sort_by(|a, b| a.path.cmp(&b.path));
}

/// NUMA node of a bus.
fn node(path: &str, processor: &Processor) -> Option<NumaNode> {
    let (_, bus) = path.split_once("pci")?;
    let bus = usize::from_str_radix(bus.get(5..7)?, 16).ok()?;
    (processor.nodes > 1).then(|| processor.nodes().nth(bus * processor.nodes / 256)).flatten()
}

fn network(path: &str, megabits: Option<u32>) -> PciModel {
    match megabits {
        _ if path.contains("/virtio") => VIRTIO_NET,
        _ if path.contains("/usb") => USB,
        Some(100_000..) => CONNECT_X,
        Some(10_000..) => ETHERNET,
        _ => ETHERNET_1G,
    }
}

fn storage(path: &str) -> PciModel {
    if path.contains("/virtio") {
        VIRTIO_BLOCK
    } else if path.contains("/nvme/") {
        NVME
    } else if path.contains("/usb") {
        USB
    } else {
        STORAGE
    }
}

fn graphics(driver: &'static str) -> PciModel {
    match driver {
        "amdgpu" => model(0x03_8000, ATI, 0x740f, driver, Some(link("16.0", 16, "16.0", 16))),
        "ast" => PciModel { revision: 0x41, ..model(0x03_0000, ASPEED, 0x2000, driver, None) },
        _ => PciModel { revision: 0x0c, ..model(0x03_0000, INTEL, 0x46a6, driver, None) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_over_all_places_on_the_bus() {
        let found: Vec<&str> = places("pci0000:40/0000:40:01.1/0000:41:00.0/nvme/nvme0/nvme0n1").collect();
        assert_eq!(found, ["pci0000:40/0000:40:01.1", "pci0000:40/0000:40:01.1/0000:41:00.0"]);
        assert_eq!(places("platform/scb/fd580000.ethernet/net/eth0").count(), 0);
    }

    #[test]
    fn buses_are_shared_out_among_the_nodes() {
        let number = |path, nodes| {
            let processor = super::super::cpus::epyc(crate::seed::Seed::new(1), 64, 1, nodes);
            node(path, &processor).map(NumaNode::number)
        };
        assert_eq!(number("pci0000:00/0000:00:01.0", 8), Some(0));
        assert_eq!(number("pci0000:c0/0000:c0:01.0", 8), Some(6));
        assert_eq!(number("pci0000:c0/0000:c0:01.0", 1), None);
    }

    #[test]
    fn a_bus_has_its_bridges_and_what_is_behind_them() {
        let machine = Machine::vm(1);
        let classes: Vec<(&str, u32)> =
            machine.pci_devices.iter().map(|device| (device.place(), device.model.class >> 16)).collect();
        assert_eq!(classes[0], ("0000:00:00.0", 6));
        assert!(classes.contains(&("0000:00:04.0", 1)) && classes.contains(&("0000:00:06.0", 2)), "{classes:?}");
    }
}
