//! Devices of the PCI bus from /sys/bus/pci/devices.

mod device;
mod ids;
mod info;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use device::{Amount, Location, Speed};
use ids::Ids;

/// What sits on the PCI bus, and how fast and wide its links are.
#[derive(Debug)]
pub struct Pcidevice {
    entries: Names,
    link: Vec<u8>,
    state: Vec<u8>,
    /// Nothing where names are not wanted.
    names: Option<Resolver>,
}

/// Where names come from.
#[derive(Debug)]
struct Resolver {
    /// The file that the operator named, in place of those of [`IDS_PATHS`].
    file: Option<String>,
    ids: Ids,
}

declare! {
    Pcidevice: "pcidevice", off, "What sits on the PCI bus, how fast and wide its links are, its power state and its virtual functions.";
    reads {
        DEVICES: Directory Sys "bus/pci/devices";
        DEVICE: Link Sys "bus/pci/devices/*";
        ATTRIBUTE: File Sys "bus/pci/devices/*/*";
        IDS: File Host "*";
    }
    flags {
        IDS_FILE: Text "collector.pcidevice.idsfile" = "",
            "File of the names of PCI devices, in the form of pci.ids; without it one of /usr/share/misc/pci.ids and /usr/share/hwdata/pci.ids.";
        NAMES: Switch "collector.pcidevice.names" = "false", "Adds the names of vendors, devices and classes, from a file pci.ids.";
    }
    families {
        INFO: Gauge "node_pcidevice_info" [
            "bus", "class_id", "class_name", "device", "device_id", "device_name", "function", "parent_bus",
            "parent_device", "parent_function", "parent_segment", "revision", "segment", "subsystem_device_id",
            "subsystem_device_name", "subsystem_vendor_id", "subsystem_vendor_name", "vendor_id", "vendor_name"
        ] "Always 1: what a device is, and below which one it sits; `*` is none.";
        CURRENT_SPEED: Gauge "node_pcidevice_current_link_transfers_per_second" ["bus", "device", "function", "segment"] "How fast the link of a device is now; -1 where it has none.";
        CURRENT_WIDTH: Gauge "node_pcidevice_current_link_width" ["bus", "device", "function", "segment"] "How many lanes the link of a device has now; -1 where it has none.";
        COLD_ALLOWED: Gauge "node_pcidevice_d3cold_allowed" ["bus", "device", "function", "segment"] "Whether a device may be cut off from power when it is idle.";
        MAX_SPEED: Gauge "node_pcidevice_max_link_transfers_per_second" ["bus", "device", "function", "segment"] "How fast the link of a device could be; -1 where it has none.";
        MAX_WIDTH: Gauge "node_pcidevice_max_link_width" ["bus", "device", "function", "segment"] "How many lanes the link of a device could have; -1 where it has none.";
        NUMA_NODE: Gauge "node_pcidevice_numa_node" ["bus", "device", "function", "segment"] "The node of memory that a device is nearest to.";
        POWER_STATE: Gauge "node_pcidevice_power_state" ["bus", "device", "function", "segment", "state"] "1 for the power state that a device is in, 0 for the others.";
        AUTOPROBE: Gauge "node_pcidevice_sriov_drivers_autoprobe" ["bus", "device", "function", "segment"] "Whether new virtual functions of a device get drivers by themselves.";
        FUNCTIONS: Gauge "node_pcidevice_sriov_numvfs" ["bus", "device", "function", "segment"] "Virtual functions that a device has now.";
        TOTAL_FUNCTIONS: Gauge "node_pcidevice_sriov_totalvfs" ["bus", "device", "function", "segment"] "Virtual functions that a device can have.";
        INTERRUPTS: Gauge "node_pcidevice_sriov_vf_total_msix" ["bus", "device", "function", "segment"] "Interrupts that a device can give to its virtual functions.";
    }
}

/// Where distributions put the file of names.
const IDS_PATHS: [&str; 2] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];

/// All power states, in the order of the page.
const POWER_STATES: [&str; 7] = ["D0", "D1", "D2", "D3cold", "D3hot", "error", "unknown"];

impl Collect for Pcidevice {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let file = Some(options.get(IDS_FILE)).filter(|file| !file.is_empty()).map(str::to_owned);
        let names = options.get(NAMES).then(|| Resolver { file, ids: Ids::default() });
        Ok(Self { entries: Names::new(), link: Vec::new(), state: Vec::new(), names })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { entries, link, state, names } = self;
        cx.files.list(DEVICES, [], entries).map_err(|error| error.or_no_data(RootError::is_missing))?;
        if let Some(resolver) = names {
            resolver.load(cx);
        }
        for entry in entries.iter() {
            if let Err(error) = cx.files.read_link(DEVICE, [entry], link) {
                cx.problems.report(error);
                continue;
            }
            let mut components = link.rsplit(|&byte| byte == b'/');
            let (own, parent) = (components.next().unwrap_or_default(), components.next().unwrap_or_default());
            let Some(location) = Location::parse(own) else {
                cx.problems.report(misplaced(entry, own));
                continue;
            };
            info::emit(cx, entry, location, parent, names.as_ref().map(|resolver| &resolver.ids));
            emit_numbers(cx, entry, location);
            emit_power_state(cx, entry, location, state);
        }
        Ok(())
    }
}

impl Resolver {
    /// Reads the names, once; where there are none, the next scrape looks again. A file that the operator named should
    /// be there.
    fn load(&mut self, cx: &mut Cx<'_, Pcidevice>) {
        if !self.ids.is_empty() {
            return;
        }
        let Some(file) = &self.file else {
            for path in IDS_PATHS {
                if let Ok(text) = cx.files.read(IDS, [path.as_bytes()]) {
                    self.ids = Ids::parse(text);
                    return;
                }
            }
            return;
        };
        match cx.files.read(IDS, [file.as_bytes()]) {
            Ok(text) => {
                self.ids = Ids::parse(text);
                if self.ids.is_empty() {
                    cx.problems.note(text.error("the names", "lines of an id, two spaces and a name", b""));
                }
            }
            Err(error) => cx.problems.note(error),
        }
    }
}

fn misplaced(entry: &[u8], found: &[u8]) -> Failure {
    Failure::error(format_args!(
        "sys/bus/pci/devices/{}: the link: expected a place such as 0000:00:1f.6, found \"{}\"",
        entry.escape_ascii(),
        found.escape_ascii()
    ))
}

/// What a device may have, with what is shown where it has not.
fn emit_numbers(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], at: Location) {
    let [segment, bus, slot, function] = at.labels();
    for (file, family) in [(&b"max_link_speed"[..], MAX_SPEED), (b"current_link_speed", CURRENT_SPEED)] {
        if let Some(Speed(transfers)) = optional(cx, entry, file, Speed::NONE) {
            cx.page.gauge(family, [&bus, &slot, &function, &segment], transfers);
        }
    }
    for (file, family) in [(&b"max_link_width"[..], MAX_WIDTH), (b"current_link_width", CURRENT_WIDTH)] {
        if let Some(Amount(lanes)) = optional(cx, entry, file, Amount(-1)) {
            cx.page.gauge(family, [&bus, &slot, &function, &segment], lanes);
        }
    }
    for (file, family) in [(&b"d3cold_allowed"[..], COLD_ALLOWED), (b"sriov_drivers_autoprobe", AUTOPROBE)] {
        if let Some(Amount(number)) = optional(cx, entry, file, Amount(0)) {
            cx.page.gauge(family, [&bus, &slot, &function, &segment], number != 0);
        }
    }
    for (file, family) in
        [(&b"sriov_numvfs"[..], FUNCTIONS), (b"sriov_totalvfs", TOTAL_FUNCTIONS), (b"sriov_vf_total_msix", INTERRUPTS)]
    {
        if let Some(number) = optional(cx, entry, file, 0_u64) {
            cx.page.gauge(family, [&bus, &slot, &function, &segment], number);
        }
    }
    if let Some(Amount(node)) = optional(cx, entry, b"numa_node", Amount(-1))
        && node != -1
    {
        cx.page.gauge(NUMA_NODE, [&bus, &slot, &function, &segment], node);
    }
}

/// The number of an attribute, `absent` where the device does not have it or does not know it, and nothing where it
/// cannot be read.
fn optional<T: FromText>(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], file: &[u8], absent: T) -> Option<T> {
    let problems = cx.problems.count();
    let found = attribute::number(cx, ATTRIBUTE, [entry, file], RootError::is_missing);
    match found {
        Some(Known(Some(number))) => Some(number),
        Some(Known(None)) => Some(absent),
        None => (cx.problems.count() == problems).then_some(absent),
    }
}

/// A value that a device may not know.
struct Known<T>(Option<T>);

impl<T: FromText> FromText for Known<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_text(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.starts_with(b"Unknown") {
            return Some(Self(None));
        }
        T::from_text(text).map(|number| Self(Some(number)))
    }
}

fn emit_power_state(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], at: Location, state: &mut Vec<u8>) {
    let is_told = attribute::word(cx, ATTRIBUTE, [entry, b"power_state"], RootError::is_missing, state);
    if !is_told || state.is_empty() {
        return;
    }
    let [segment, bus, slot, function] = at.labels();
    for known in POWER_STATES {
        cx.page.gauge(POWER_STATE, [&bus, &slot, &function, &segment, &known], known.as_bytes() == state.as_slice());
    }
}

#[cfg(test)]
mod tests;
