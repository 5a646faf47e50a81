//! The truth about one host: what it is made of, and how fast everything on it goes.
//!
//! Nothing here changes with time and nothing knows of files. [`crate::moment`] says what the numbers are at a moment.
//! One file for each part. What not every host has is a list or an `Option` that is empty in [`Machine::bare`], so that
//! a new part changes no profile but those that have it.

mod block;
mod bus;
mod containers;
mod fabric_adapter;
mod interrupts;
mod memory;
mod mount;
mod network;
mod platform;
mod pods;
mod process;
mod processor;
mod removal;
mod sensors;
mod storage;
mod system;

pub(crate) use block::{Above, BlockDevice, Device, Flow, Io, Queue, ScsiDevice, Usage};
pub(crate) use bus::{AmdCard, GraphicsCard, PciDevice, PciLink, PciModel};
pub(crate) use containers::{BalancedService, Balancer, ControlGroup, GroupLoad, SupervisedService};
pub(crate) use fabric_adapter::{Adapter, FabricLink};
pub(crate) use interrupts::{InterruptLine, Interrupts, LocalInterrupt, Trigger};
pub(crate) use memory::{DirectMap, Memory};
pub(crate) use mount::{MountPoint, Space};
pub(crate) use network::{Bonding, Connections, Duplex, Interface, Kind, Neighbour, Traffic, Wireless};
pub(crate) use platform::{Architecture, KernelVersion};
pub(crate) use pods::{PodTemplate, Pods, Tenant, Tenants};
pub(crate) use process::Process;
pub(crate) use processor::{
    Arm, Board, Cache, Cpu, CpuLoad, Frequency, IdleState, Mainframe, Model, NumaNode, Numbering, Power, Processor, X86,
};
pub(crate) use sensors::{
    Chip, CoolingDevice, EnergyMeter, MemoryControllers, PowerSupply, Sensor, SupplyKind, ThermalZone, Watchdog,
};
pub(crate) use storage::{
    Array, Bcache, Bcachefs, Btrfs, BtrfsGroup, Check, DataSet, Drbd, FibreChannel, Level, Member, NfsMount, NfsServer,
    NfsVersion, NvmeController, Role, Storage, Swap, Tape, Zfs, ZfsVersion, Zpool,
};
pub(crate) use system::{Os, System};

use crate::seed::Seed;
use crate::wave::{LAST_SECONDS, MICROS, OFFICE, Wave};

/// One host.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(crate) seed: Seed,
    /// Which node of a fleet it is, if it is one.
    pub(crate) fleet_number: Option<u64>,
    /// When it was started, in seconds since 1970. All counters begin there.
    pub(crate) booted_seconds: u64,
    pub(crate) system: System,
    pub(crate) os: Os,
    pub(crate) processor: Processor,
    pub(crate) memory: Memory,
    /// A device stands before those that are on it.
    pub(crate) block_devices: Vec<BlockDevice>,
    pub(crate) mounts: Vec<MountPoint>,
    pub(crate) storage: Storage,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) connections: Connections,
    pub(crate) balancer: Option<Balancer>,
    /// How often IPsec has something to complain of.
    pub(crate) ipsec: Option<Wave>,
    pub(crate) adapters: Vec<Adapter>,
    pub(crate) graphics_cards: Vec<GraphicsCard>,
    /// All that sits on the bus, those before others that they lead to: made of the paths of all devices.
    pub(crate) pci_devices: Vec<PciDevice>,
    /// Beside those of systemd itself.
    pub(crate) control_groups: Vec<ControlGroup>,
    /// Who could take the places of those that are there, where somebody could.
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
    /// What the firmware says: names of files and their words.
    pub(crate) firmware: Vec<(&'static str, String)>,
    /// The last of them is the one that asks.
    pub(crate) processes: Vec<Process>,
    /// How busy the host is as a whole.
    pub(crate) load: Wave,
}

/// What no host is without.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) system: System,
    pub(crate) os: Os,
    pub(crate) processor: Processor,
    pub(crate) memory: Memory,
}

/// When machines were started, in seconds since 1970, and how far apart they may be.
const BOOTED_SECONDS: u64 = 1_690_000_000;
const BOOTED_SPREAD_SECONDS: u64 = 30 * 86_400;

impl Machine {
    /// A host of nothing but this: no disk, no network, the usual processes. Profiles add what they have:
    /// `Machine { interfaces, ..Machine::bare(seed, base) }`.
    pub(crate) fn bare(seed: Seed, base: Base) -> Self {
        let Base { system, os, processor, memory } = base;
        Self {
            seed,
            fleet_number: None,
            booted_seconds: BOOTED_SECONDS + seed.of("boot").below(BOOTED_SPREAD_SECONDS),
            system,
            os,
            processes: process::usual(processor.cpus),
            processor,
            memory,
            block_devices: Vec::new(),
            mounts: Vec::new(),
            storage: Storage::default(),
            interfaces: Vec::new(),
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

    /// The same host, started at another moment. What is asked of it before that moment is answered as of it.
    #[must_use]
    pub fn booted_at(mut self, seconds: u64) -> Self {
        self.booted_seconds = seconds.min(LAST_SECONDS);
        self
    }

    /// When it was started, in seconds since 1970: the first time, if it is started again.
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

    pub(crate) fn block(&self, position: usize) -> Option<&BlockDevice> {
        self.block_devices.get(position)
    }

    pub(crate) fn interface(&self, position: usize) -> Option<&Interface> {
        self.interfaces.get(position)
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
