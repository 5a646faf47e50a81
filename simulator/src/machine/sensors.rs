//! Sensors, thermal zones, meters of energy, watchdogs, memory controllers, power supplies and the firmware's words.

/// A chip with sensors: /sys/class/hwmon/hwmonN, by its place in the list.
#[derive(Clone, Debug)]
pub(crate) struct Chip {
    pub(crate) name: &'static str,
    /// The device that it measures, below /sys/devices; none for one that is made by software.
    pub(crate) device: Option<String>,
    pub(crate) sensors: Vec<Sensor>,
}

/// One number of a chip, and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Sensor {
    /// What its files begin with: `temp1`.
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    /// What it says when nothing is going on, and how much more at the mean load, in the unit of the file.
    pub(crate) base: u64,
    pub(crate) per_load: u64,
    /// Limits and other numbers that do not change: `max`, `crit`.
    pub(crate) fixed: &'static [(&'static str, u64)],
}

/// /sys/class/thermal/thermal_zoneN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThermalZone {
    pub(crate) kind: &'static str,
    /// Thousandths of a degree.
    pub(crate) base: u64,
    pub(crate) per_load: u64,
    pub(crate) critical: u64,
}

/// /sys/class/thermal/cooling_deviceN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoolingDevice {
    pub(crate) kind: &'static str,
    pub(crate) states: u32,
}

/// /sys/class/powercap/intel-rapl:N: what a socket, its cores or its memory take.
#[derive(Clone, Debug)]
pub(crate) struct EnergyMeter {
    /// Below the control type: `intel-rapl:0/intel-rapl:0:0`.
    pub(crate) path: String,
    pub(crate) name: String,
    /// Milliwatts at the mean load.
    pub(crate) milliwatts: u64,
}

/// /sys/class/watchdog/watchdogN.
#[derive(Clone, Debug)]
pub(crate) struct Watchdog {
    pub(crate) device: String,
    pub(crate) identity: &'static str,
    pub(crate) options: &'static str,
    pub(crate) firmware: u32,
    pub(crate) timeout_seconds: u64,
    pub(crate) is_active: bool,
    /// Whether it ran out while the board started, and started it anew from its second chip of flash.
    pub(crate) has_recovered: bool,
}

/// Controllers of memory that counts its errors: so many, with so many rows of so many channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryControllers {
    pub(crate) name: &'static str,
    pub(crate) controllers: usize,
    pub(crate) rows: usize,
    pub(crate) channels: usize,
    pub(crate) row_mib: u64,
    /// Corrected errors of the first channel in a million seconds.
    pub(crate) corrected_micro: u64,
}

/// /sys/class/power_supply.
#[derive(Clone, Debug)]
pub(crate) struct PowerSupply {
    pub(crate) name: &'static str,
    /// The device that it belongs to, below /sys/devices.
    pub(crate) device: &'static str,
    pub(crate) kind: SupplyKind,
}

#[derive(Clone, Debug)]
pub(crate) enum SupplyKind {
    Mains,
    Battery { manufacturer: &'static str, model: &'static str, serial: String, full_microwatthours: u64, cycles: u64 },
}
