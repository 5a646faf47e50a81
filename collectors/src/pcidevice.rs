//! PCI devices, from /sys/bus/pci/devices.

mod device;
mod ids;
mod info;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use device::{Decimal, Location, Speed};
use ids::Ids;

/// The pcidevice collector.
#[derive(Debug)]
pub struct Pcidevice {
    entries: Names,
    link: Vec<u8>,
    state: Vec<u8>,
    /// `None` unless the names flag is set.
    names: Option<Resolver>,
}

/// The source of device names.
#[derive(Debug)]
struct Resolver {
    /// The file given by flag, in place of [`IDS_PATHS`].
    file: Option<String>,
    ids: Ids,
}

declare! {
    Pcidevice: "pcidevice", off, "PCI devices: identity, link speed, power state and virtual functions.";
    labels {
        InfoLabels { bus, class_id, class_name, device, device_id, device_name, function, parent_bus, parent_device, parent_function, parent_segment, revision, segment, subsystem_device_id, subsystem_device_name, subsystem_vendor_id, subsystem_vendor_name, vendor_id, vendor_name }
        PerDevice { bus, device, function, segment }
        PerPowerState { bus, device, function, segment, state }
    }
    reads {
        DEVICES: Directory Sys "bus/pci/devices";
        DEVICE: Link Sys "bus/pci/devices/*";
        ATTRIBUTE: File Sys "bus/pci/devices/*/*";
        IDS: File Host "*";
    }
    flags {
        IDS_FILE: Text "collector.pcidevice.idsfile" = "",
            "File of PCI device names in the format of pci.ids; default: /usr/share/misc/pci.ids or /usr/share/hwdata/pci.ids.";
        NAMES: Switch "collector.pcidevice.names" = "false", "Add labels with the names of vendors, devices and classes from pci.ids.";
    }
    families {
        INFO: Gauge "node_pcidevice_info" InfoLabels "Identity and parent (`*` if none) of a device; always 1.";
        CURRENT_SPEED: Gauge "node_pcidevice_current_link_transfers_per_second" PerDevice "Current link speed in transfers per second; -1 without a link.";
        CURRENT_WIDTH: Gauge "node_pcidevice_current_link_width" PerDevice "Current link width in lanes; -1 without a link.";
        COLD_ALLOWED: Gauge "node_pcidevice_d3cold_allowed" PerDevice "1 if the device may enter D3cold.";
        MAX_SPEED: Gauge "node_pcidevice_max_link_transfers_per_second" PerDevice "Maximum link speed in transfers per second; -1 without a link.";
        MAX_WIDTH: Gauge "node_pcidevice_max_link_width" PerDevice "Maximum link width in lanes; -1 without a link.";
        NUMA_NODE: Gauge "node_pcidevice_numa_node" PerDevice "NUMA node of the device.";
        POWER_STATE: Gauge "node_pcidevice_power_state" PerPowerState "Power state of a device: 1 for the current one, otherwise 0.";
        AUTOPROBE: Gauge "node_pcidevice_sriov_drivers_autoprobe" PerDevice "1 if new virtual functions are bound to drivers automatically.";
        FUNCTIONS: Gauge "node_pcidevice_sriov_numvfs" PerDevice "Enabled virtual functions.";
        TOTAL_FUNCTIONS: Gauge "node_pcidevice_sriov_totalvfs" PerDevice "Maximum of virtual functions.";
        INTERRUPTS: Gauge "node_pcidevice_sriov_vf_total_msix" PerDevice "MSI-X vectors available to virtual functions.";
    }
}

/// Paths of pci.ids in distributions.
const IDS_PATHS: [&str; 2] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];

/// The values of the label `state`.
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
                cx.problems.report(bad_location(entry, own));
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
    /// Reads the names once; if there are none, the next scrape tries again. A missing file is an error only if a flag
    /// names it.
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
                    cx.problems.note(text.error("names", "lines of an ID, two spaces and a name", b""));
                }
            }
            Err(error) => cx.problems.note(error),
        }
    }
}

fn bad_location(entry: &[u8], found: &[u8]) -> Failure {
    Failure::error(format_args!(
        "sys/bus/pci/devices/{}: link: expected an address such as 0000:00:1f.6, found \"{}\"",
        entry.escape_ascii(),
        found.escape_ascii()
    ))
}

/// Emits the optional attributes; missing ones have a default value.
fn emit_numbers(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], at: Location) {
    let [segment, bus, slot, function] = at.labels();
    for (file, family) in [(&b"max_link_speed"[..], MAX_SPEED), (b"current_link_speed", CURRENT_SPEED)] {
        if let Some(Speed(transfers)) = optional(cx, entry, file, Speed::NONE) {
            cx.page.gauge(
                family,
                PerDevice { bus: &bus, device: &slot, function: &function, segment: &segment },
                transfers,
            );
        }
    }
    for (file, family) in [(&b"max_link_width"[..], MAX_WIDTH), (b"current_link_width", CURRENT_WIDTH)] {
        if let Some(Decimal(lanes)) = optional(cx, entry, file, Decimal(-1)) {
            cx.page.gauge(
                family,
                PerDevice { bus: &bus, device: &slot, function: &function, segment: &segment },
                lanes,
            );
        }
    }
    for (file, family) in [(&b"d3cold_allowed"[..], COLD_ALLOWED), (b"sriov_drivers_autoprobe", AUTOPROBE)] {
        if let Some(Decimal(number)) = optional(cx, entry, file, Decimal(0)) {
            cx.page.gauge(
                family,
                PerDevice { bus: &bus, device: &slot, function: &function, segment: &segment },
                number != 0,
            );
        }
    }
    for (file, family) in
        [(&b"sriov_numvfs"[..], FUNCTIONS), (b"sriov_totalvfs", TOTAL_FUNCTIONS), (b"sriov_vf_total_msix", INTERRUPTS)]
    {
        if let Some(number) = optional(cx, entry, file, 0_u64) {
            cx.page.gauge(
                family,
                PerDevice { bus: &bus, device: &slot, function: &function, segment: &segment },
                number,
            );
        }
    }
    if let Some(Decimal(node)) = optional(cx, entry, b"numa_node", Decimal(-1))
        && node != -1
    {
        cx.page.gauge(NUMA_NODE, PerDevice { bus: &bus, device: &slot, function: &function, segment: &segment }, node);
    }
}

/// Reads a numeric attribute: `absent` if the device does not have or know it, `None` if it is unreadable or bad.
fn optional<T: FromText>(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], file: &[u8], absent: T) -> Option<T> {
    let problems = cx.problems.count();
    let found = attribute::number(cx, ATTRIBUTE, [entry, file], RootError::is_missing);
    match found {
        Some(MaybeUnknown(Some(number))) => Some(number),
        Some(MaybeUnknown(None)) => Some(absent),
        None => (cx.problems.count() == problems).then_some(absent),
    }
}

/// A value that may be unknown to the device.
struct MaybeUnknown<T>(Option<T>);

impl<T: FromText> FromText for MaybeUnknown<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_text(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.starts_with(b"Unknown") {
            return Some(Self(None));
        }
        T::from_text(text).map(|number| Self(Some(number)))
    }
}

fn emit_power_state(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], at: Location, state: &mut Vec<u8>) {
    let is_readable = attribute::word(cx, ATTRIBUTE, [entry, b"power_state"], RootError::is_missing, state);
    if !is_readable || state.is_empty() {
        return;
    }
    let [segment, bus, slot, function] = at.labels();
    for known in POWER_STATES {
        cx.page.gauge(
            POWER_STATE,
            PerPowerState { bus: &bus, device: &slot, function: &function, segment: &segment, state: &known },
            known.as_bytes() == state.as_slice(),
        );
    }
}

#[cfg(test)]
mod tests;
