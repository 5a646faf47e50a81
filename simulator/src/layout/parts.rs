//! The parts of a machine that groups have files for.

use super::{Machine, Part};
use crate::machine::{
    Adapter, Array, Balancer, Bcache, Bcachefs, BlockDevice, Btrfs, ControlGroup, Cpu, EnergyMeter, FibreChannel,
    GraphicsCard, Interface, MemoryControllers, NfsServer, NumaNode, NvmeController, PciDevice, PowerSupply, Process,
    ScsiDevice, Zfs,
};

macro_rules! parts {
    ($($part:ty)*) => {$(
        impl Part for $part {
            type Of<'a> = &'a $part;
        }
    )*};
}

parts! {
    Adapter Array Balancer Bcache Bcachefs BlockDevice Btrfs ControlGroup EnergyMeter
    FibreChannel GraphicsCard Interface Machine MemoryControllers NfsServer NvmeController PciDevice PowerSupply Process ScsiDevice
    Zfs
}

impl Part for Cpu {
    type Of<'a> = Self;
}

impl Part for NumaNode {
    type Of<'a> = Self;
}
