//! One host as plain data: its parts, and the mean rates of what they do.
//!
//! Nothing here depends on time, files, events or profiles: [`crate::moment`] computes the values at a moment. A part
//! that only some hosts have is a list or an `Option`, empty in [`Machine::bare`], so that a new part changes only the
//! profiles that have it.

mod block;
mod bus;
mod containers;
mod network;
mod process;
mod processor;
mod removal;
mod sensors;
mod storage;
mod system;
mod unit;

pub(crate) use block::{Above, BlockDevice, Device, Flow, Io, Queue, ScsiDevice, Share, Usage};
pub(crate) use bus::{AmdCard, GraphicsCard, PciDevice, PciLink, PciModel};
pub(crate) use containers::{
    BalancedService, Balancer, ControlGroup, GroupLoad, PodTemplate, Pods, SupervisedService, Tenant, Tenants,
};
pub(crate) use network::{
    Adapter, Bonding, Connections, Duplex, FabricLink, Interface, Kind, Neighbour, Traffic, Wireless,
};
pub(crate) use process::Process;
pub(crate) use processor::{
    Arm, Board, Cache, Cpu, CpuLoad, Frequency, IdleState, InterruptLine, Interrupts, LocalInterrupt, Mainframe, Model,
    NumaNode, Numbering, Power, Processor, Trigger, X86,
};
pub(crate) use sensors::{
    Chip, CoolingDevice, EnergyMeter, MemoryControllers, PowerSupply, Sensor, SupplyKind, ThermalZone, Watchdog,
};
pub(crate) use storage::{
    Array, Bcache, Bcachefs, Btrfs, BtrfsGroup, Check, DataSet, Drbd, FibreChannel, Level, Member, MountPoint,
    NfsMount, NfsServer, NfsVersion, NvmeController, Role, Space, Storage, Swap, Tape, Zfs, ZfsVersion, Zpool,
};
pub(crate) use system::{Architecture, Clock, DirectMap, KernelVersion, Memory, Os, System};
pub(crate) use unit::{
    FINISHED_UNITS, GROUP_UNITS, INACTIVE_UNITS, MISSING_UNITS, SERVICE_UNITS, TARGETS, TIMED_UNITS,
};

use crate::list::List;
use crate::seed::Seed;
use crate::wave::{LAST_SECONDS, MICROS, OFFICE, Wave};

/// One host.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(crate) seed: Seed,
    /// The number of the node, on a host of a fleet.
    pub(crate) fleet_number: Option<u64>,
    /// The time of the boot in seconds since 1970. Counters start at 0 there.
    pub(crate) booted_seconds: u64,
    pub(crate) system: System,
    pub(crate) os: Os,
    /// The hypervisor, as systemd names it; `none` on bare metal.
    pub(crate) virtualization: &'static str,
    pub(crate) processor: Processor,
    pub(crate) memory: Memory,
    pub(crate) clock: Clock,
    /// A device precedes the devices that are made of it.
    pub(crate) block_devices: List<BlockDevice>,
    pub(crate) mounts: List<MountPoint>,
    pub(crate) storage: Storage,
    pub(crate) interfaces: List<Interface>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) connections: Connections,
    pub(crate) balancer: Option<Balancer>,
    /// The rate of errors of IPsec.
    pub(crate) ipsec: Option<Wave>,
    pub(crate) adapters: Vec<Adapter>,
    pub(crate) graphics_cards: Vec<GraphicsCard>,
    /// Derived from the paths of all devices; bridges precede the devices behind them.
    pub(crate) pci_devices: Vec<PciDevice>,
    /// Groups of containers, without those of systemd.
    pub(crate) control_groups: Vec<ControlGroup>,
    /// The places of pods that can be replaced.
    pub(crate) pods: Option<Pods>,
    pub(crate) supervised: Vec<SupervisedService>,
    pub(crate) interrupts: Interrupts,
    pub(crate) chips: Vec<Chip>,
    pub(crate) thermal_zones: Vec<ThermalZone>,
    pub(crate) cooling_devices: Vec<CoolingDevice>,
    pub(crate) energy_meters: Vec<EnergyMeter>,
    pub(crate) watchdogs: Vec<Watchdog>,
    pub(crate) memory_controllers: Option<MemoryControllers>,
    pub(crate) power_supplies: Vec<PowerSupply>,
    /// Files of /sys/devices/virtual/dmi/id: names and values.
    pub(crate) firmware: Vec<(&'static str, String)>,
    /// The last one is the process that reads.
    pub(crate) processes: Vec<Process>,
    /// The load of the host as a whole.
    pub(crate) load: Wave,
}

/// The parts that every host has.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) system: System,
    pub(crate) os: Os,
    pub(crate) processor: Processor,
    pub(crate) memory: Memory,
}

/// The earliest boot of machines in seconds since 1970, and the range of boots.
const BOOTED_SECONDS: u64 = 1_690_000_000;
const BOOTED_SPREAD_SECONDS: u64 = 30 * 86_400;

impl Machine {
    /// A host without disks and network, with the usual processes. Profiles add parts:
    /// `Machine { interfaces, ..Machine::bare(seed, base) }`.
    pub(crate) fn bare(seed: Seed, base: Base) -> Self {
        let Base { system, os, processor, memory } = base;
        Self {
            seed,
            fleet_number: None,
            booted_seconds: BOOTED_SECONDS + seed.of("boot").below(BOOTED_SPREAD_SECONDS),
            system,
            os,
            virtualization: "none",
            processes: process::usual(processor.cpus),
            processor,
            memory,
            clock: Clock::new(seed),
            block_devices: List::new(),
            mounts: List::new(),
            storage: Storage::default(),
            interfaces: List::new(),
            neighbours: Vec::new(),
            connections: Connections::FEW,
            balancer: None,
            ipsec: None,
            adapters: Vec::new(),
            graphics_cards: Vec::new(),
            pci_devices: Vec::new(),
            control_groups: Vec::new(),
            pods: None,
            supervised: Vec::new(),
            interrupts: Interrupts::default(),
            chips: Vec::new(),
            thermal_zones: Vec::new(),
            cooling_devices: Vec::new(),
            energy_meters: Vec::new(),
            watchdogs: Vec::new(),
            memory_controllers: None,
            power_supplies: Vec::new(),
            firmware: Vec::new(),
            load: Wave::new(&OFFICE, seed, "load"),
        }
    }

    /// This host with another time of boot. Reads before the boot return the state at the boot.
    #[must_use]
    pub fn booted_at(mut self, seconds: u64) -> Self {
        self.booted_seconds = seconds.min(LAST_SECONDS);
        self
    }

    /// The time of the first boot in seconds since 1970.
    pub fn booted_seconds(&self) -> u64 {
        self.booted_seconds
    }

    pub(crate) fn kernel(&self) -> KernelVersion {
        self.system.kernel()
    }

    /// Whether all controllers share one hierarchy of control groups.
    pub(crate) fn has_one_hierarchy(&self) -> bool {
        self.kernel().has_one_hierarchy()
    }

    /// The SCSI devices of disks, then those of tape drives.
    pub(crate) fn scsi_devices(&self) -> impl Iterator<Item = &ScsiDevice> {
        let tapes = self.storage.tapes.iter().map(|tape| &tape.scsi);
        self.block_devices.iter().filter_map(|block| block.scsi.as_ref()).chain(tapes)
    }

    /// The devices that an XFS is mounted from.
    pub(crate) fn xfs_devices(&self) -> impl Iterator<Item = &BlockDevice> {
        self.block_devices.iter().filter(|block| {
            let number = (block.major, block.minor);
            self.mounts.iter().any(|mount| mount.fs_type == "xfs" && (mount.major, mount.minor) == number)
        })
    }

    pub(crate) fn boot_micros(&self) -> u64 {
        self.booted_seconds * MICROS
    }
}
