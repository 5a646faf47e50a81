//! Network drivers, as the ioctls of ethtool report them.

/// The driver of a network device, from `ETHTOOL_GDRVINFO`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Driver<'a> {
    /// Its name: `e1000e`.
    pub name: &'a [u8],
    /// Its version.
    pub version: &'a [u8],
    /// The version of the device's firmware.
    pub firmware_version: &'a [u8],
    /// The version of the device's expansion ROM.
    pub expansion_rom_version: &'a [u8],
    /// The device's address on its bus.
    pub bus_info: &'a [u8],
}

/// Settings of a link, from `ETHTOOL_GSET`. Bits are the first 32 of `ethtool_link_mode_bit_indices` in
/// include/uapi/linux/ethtool.h.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LinkSettings {
    /// Supported speeds, ports and features.
    pub supported: u32,
    /// Advertised speeds and features.
    pub advertised: u32,
    /// 1 while the link negotiates its speed.
    pub autonegotiation: u8,
}

/// A counter of a driver, from `ETHTOOL_GSTATS`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct DriverStatistic<'a> {
    /// Its name, as the driver spells it.
    pub name: &'a [u8],
    /// Its value.
    pub value: u64,
}
