//! Link settings: speeds, ports and features, as bits of `ethtool_link_mode_bit_indices` in
//! include/uapi/linux/ethtool.h. The query has the first 32.

use super::{
    ADVERTISED_SPEED, ASYMMETRIC_PAUSE_ADVERTISED, ASYMMETRIC_PAUSE_SUPPORTED, AUTONEGOTIATE, AUTONEGOTIATE_ADVERTISED,
    AUTONEGOTIATE_SUPPORTED, Ethtool, PAUSE_ADVERTISED, PAUSE_SUPPORTED, PerDevice, PortLabels, SUPPORTED_PORT,
    SUPPORTED_SPEED, SpeedLabels,
};
use crate::host::kernel::KernelError;
use crate::kit::prelude::*;

const AUTONEGOTIATION: u32 = 6;
const PAUSE: u32 = 13;
const ASYMMETRIC_PAUSE: u32 = 14;

/// Bits of ports, by the names that node_exporter exports.
const PORTS: [(u32, &str); 6] = [(7, "TP"), (8, "AUI"), (9, "MII"), (10, "FIBRE"), (11, "BNC"), (16, "Backplane")];

const HALF: &str = "half";
const FULL: &str = "full";

/// Bits of link modes: speed in megabits per second, duplex, and the name that node_exporter exports. It has no name for
/// bit 15, 2500baseX.
const MODES: [(u32, u32, &str, &str); 22] = [
    (0, 10, HALF, "10baseT"),
    (1, 10, FULL, "10baseT"),
    (2, 100, HALF, "100baseT"),
    (3, 100, FULL, "100baseT"),
    (4, 1_000, HALF, "1000baseT"),
    (5, 1_000, FULL, "1000baseT"),
    (12, 10_000, FULL, "10000baseT"),
    (17, 1_000, FULL, "1000baseKX"),
    (18, 10_000, FULL, "10000baseKX4"),
    (19, 10_000, FULL, "10000baseKR"),
    (20, 10_000, FULL, "10000baseR_FEC"),
    (21, 20_000, FULL, "20000baseMLD2"),
    (22, 20_000, FULL, "20000baseKR2"),
    (23, 40_000, FULL, "40000baseKR4"),
    (24, 40_000, FULL, "40000baseCR4"),
    (25, 40_000, FULL, "40000baseSR4"),
    (26, 40_000, FULL, "40000baseLR4"),
    (27, 56_000, FULL, "56000baseKR4"),
    (28, 56_000, FULL, "56000baseCR4"),
    (29, 56_000, FULL, "56000baseSR4"),
    (30, 56_000, FULL, "56000baseLR4"),
    (31, 25_000, FULL, "25000baseCR"),
];

const BYTES_PER_MEGABIT: u64 = 1_000_000 / 8;

/// Emits the link settings of a device.
pub(super) fn emit(cx: &mut Cx<'_, Ethtool>, device: &[u8]) -> Result<(), KernelError> {
    let settings = cx.kernel.link_settings(device)?;
    let page = &mut cx.page;
    let (supported, advertised) = (settings.supported, settings.advertised);
    for (bits, family) in [(supported, SUPPORTED_SPEED), (advertised, ADVERTISED_SPEED)] {
        for (_, megabits, duplex, mode) in MODES.iter().filter(|(bit, ..)| has(bits, *bit)) {
            let labels = SpeedLabels { device: &device, duplex, mode };
            page.gauge(family, labels, u64::from(*megabits) * BYTES_PER_MEGABIT);
        }
    }
    for (_, port) in PORTS.iter().filter(|(bit, _)| has(supported, *bit)) {
        page.gauge(SUPPORTED_PORT, PortLabels { device: &device, r#type: port }, true);
    }
    for (family, bits, bit) in [
        (AUTONEGOTIATE_SUPPORTED, supported, AUTONEGOTIATION),
        (PAUSE_SUPPORTED, supported, PAUSE),
        (ASYMMETRIC_PAUSE_SUPPORTED, supported, ASYMMETRIC_PAUSE),
        (AUTONEGOTIATE_ADVERTISED, advertised, AUTONEGOTIATION),
        (PAUSE_ADVERTISED, advertised, PAUSE),
        (ASYMMETRIC_PAUSE_ADVERTISED, advertised, ASYMMETRIC_PAUSE),
    ] {
        page.gauge(family, PerDevice { device: &device }, has(bits, bit));
    }
    page.gauge(AUTONEGOTIATE, PerDevice { device: &device }, u64::from(settings.autonegotiation));
    Ok(())
}

fn has(bits: u32, bit: u32) -> bool {
    bits >> bit & 1 == 1
}
