//! The truth about one host: what it is made of, and how fast everything on it goes.
//!
//! Nothing here changes with time and nothing knows of files. [`crate::moment`] says what the numbers are at a moment.

mod block;
mod mount;
mod network;
mod processor;
mod system;

pub(crate) use block::{Above, BlockDevice, Device, Flow, Io, Usage};
pub(crate) use mount::{MountPoint, Space};
pub(crate) use network::{Bonding, Duplex, Interface, Kind, Neighbour, Traffic};
pub(crate) use processor::{CpuLoad, Processor};
pub(crate) use system::{Memory, Os, Process, System};

use crate::moment::LAST_SECONDS;
use crate::profile;
use crate::seed::Seed;
use crate::wave::Wave;

/// One host.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(crate) seed: Seed,
    /// When it was started, in seconds since 1970. All counters begin there.
    pub(crate) booted_seconds: u64,
    pub(crate) system: System,
    pub(crate) os: Os,
    pub(crate) processor: Processor,
    pub(crate) memory: Memory,
    pub(crate) block_devices: Vec<BlockDevice>,
    pub(crate) mounts: Vec<MountPoint>,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) processes: Vec<Process>,
    /// How busy the host is as a whole.
    pub(crate) load: Wave,
}

impl Machine {
    /// A small virtual machine of a cloud: 4 CPUs, 8 GiB of memory, two disks, a bond.
    pub fn vm(seed: u64) -> Self {
        profile::vm::machine(Seed::new(seed))
    }

    /// The same host, started at another moment. What is asked of it before that moment is answered as of it.
    #[must_use]
    pub fn booted_at(mut self, seconds: u64) -> Self {
        self.booted_seconds = seconds.min(LAST_SECONDS);
        self
    }

    /// When it was started, in seconds since 1970.
    pub fn booted_seconds(&self) -> u64 {
        self.booted_seconds
    }
}
