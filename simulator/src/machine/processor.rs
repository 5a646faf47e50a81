//! CPUs and how they are laid out.

use crate::wave::Wave;

/// How busy one CPU is.
#[derive(Clone, Debug)]
pub(crate) struct CpuLoad {
    pub(crate) wave: Wave,
    /// Its part of the work compared with the others, in thousandths: no two CPUs get the same.
    pub(crate) share: u64,
}

impl CpuLoad {
    pub(crate) const LEAST_SHARE: u64 = 820;
    pub(crate) const LARGEST_SHARE: u64 = 1_180;
}

#[derive(Clone, Debug)]
pub(crate) struct Processor {
    pub(crate) sockets: usize,
    pub(crate) cores_per_socket: usize,
    pub(crate) threads_per_core: usize,
    pub(crate) vendor: &'static str,
    pub(crate) family: u32,
    pub(crate) model: u32,
    pub(crate) model_name: &'static str,
    pub(crate) stepping: u32,
    pub(crate) microcode: &'static str,
    pub(crate) kilohertz: u64,
    pub(crate) cache_kilobytes: u64,
    pub(crate) cpuid_level: u32,
    pub(crate) flags: &'static str,
    pub(crate) bugs: &'static str,
    pub(crate) address_sizes: &'static str,
    /// How busy each CPU is, by number.
    pub(crate) loads: Vec<CpuLoad>,
}

impl Processor {
    /// How many CPUs there are.
    pub(crate) fn cpus(&self) -> usize {
        self.sockets * self.threads_per_socket()
    }

    /// The core of a CPU within its socket; threads of one core are numbered in a row.
    pub(crate) fn core(&self, cpu: usize) -> usize {
        cpu / self.threads_per_core % self.cores_per_socket
    }

    pub(crate) fn socket(&self, cpu: usize) -> usize {
        cpu / self.threads_per_socket()
    }

    pub(crate) fn threads_per_socket(&self) -> usize {
        self.cores_per_socket * self.threads_per_core
    }

    /// The CPUs that share a core with this one.
    pub(crate) fn core_cpus(&self, cpu: usize) -> Vec<usize> {
        let first = cpu - cpu % self.threads_per_core;
        (first..first + self.threads_per_core).collect()
    }

    /// The CPUs that share a socket with this one.
    pub(crate) fn socket_cpus(&self, cpu: usize) -> Vec<usize> {
        let first = cpu - cpu % self.threads_per_socket();
        (first..first + self.threads_per_socket()).collect()
    }

    /// All of them.
    pub(crate) fn all_cpus(&self) -> Vec<usize> {
        (0..self.cpus()).collect()
    }
}
