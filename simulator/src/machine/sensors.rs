//! Sensors, thermal zones, energy meters, watchdogs, memory controllers and power supplies.

/// A chip with sensors: /sys/class/hwmon/hwmonN, where N is its position in the list.
#[derive(Clone, Debug)]
pub(crate) struct Chip {
    pub(crate) name: &'static str,
    /// Its device below /sys/devices; none for a virtual chip.
    pub(crate) device: Option<String>,
    pub(crate) sensors: Vec<Sensor>,
}

/// A sensor of a chip.
#[derive(Clone, Debug)]
pub(crate) struct Sensor {
    /// The prefix of its files: `temp1`.
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    /// The value without load, and the addition at the mean load, in the unit of the file.
    pub(crate) base: u64,
    pub(crate) per_load: u64,
    /// Limits and other constants: `max`, `crit`.
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

/// /sys/class/powercap/intel-rapl:N: the energy of a socket, its cores or its memory.
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
    /// Whether it reset the board at boot, which then booted from its second flash chip.
    pub(crate) has_recovered: bool,
}

/// Memory controllers that count errors, all with equal numbers of rows and channels.
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
    /// Its parent device, below /sys/devices.
    pub(crate) device: &'static str,
    pub(crate) kind: SupplyKind,
}

#[derive(Clone, Debug)]
pub(crate) enum SupplyKind {
    Mains,
    Battery { manufacturer: &'static str, model: &'static str, serial: String, full_microwatthours: u64, cycles: u64 },
}
