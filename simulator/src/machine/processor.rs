//! CPUs and their topology, the fields of /proc/cpuinfo, and interrupts.

use std::fmt;
use std::ops::Range;

use crate::wave::Wave;

/// A CPU, by the number that the kernel gives it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Cpu(usize);

impl Cpu {
    pub(crate) const fn new(number: usize) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> usize {
        self.0
    }
}

impl From<Cpu> for usize {
    fn from(cpu: Cpu) -> Self {
        cpu.0
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A NUMA node, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct NumaNode(usize);

impl NumaNode {
    pub(crate) fn number(self) -> usize {
        self.0
    }
}

impl From<NumaNode> for usize {
    fn from(node: NumaNode) -> Self {
        node.0
    }
}

impl fmt::Display for NumaNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The load of one CPU.
#[derive(Clone, Debug)]
pub(crate) struct CpuLoad {
    pub(crate) wave: Wave,
    /// The load relative to the mean of all CPUs, in thousandths.
    pub(crate) share: u64,
}

impl CpuLoad {
    pub(crate) const LEAST_SHARE: u64 = 820;
    pub(crate) const LARGEST_SHARE: u64 = 1_180;
}

/// The order in which CPUs are numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Numbering {
    /// The threads of a core are adjacent, as in clouds.
    InARow,
    /// First one thread of every core, then the second threads, as by most firmware.
    ThreadsLast,
}

#[derive(Clone, Debug)]
pub(crate) struct Processor {
    /// The number of CPUs, which may be less than the product of sockets, cores and threads.
    pub(crate) cpus: usize,
    pub(crate) sockets: usize,
    pub(crate) cores_per_socket: usize,
    pub(crate) threads_per_core: usize,
    pub(crate) numbering: Numbering,
    /// NUMA nodes, which have equal numbers of cores.
    pub(crate) nodes: usize,
    pub(crate) model: Model,
    /// In the order of the kernel's `index0`, `index1` and so on.
    pub(crate) caches: &'static [Cache],
    pub(crate) frequency: Option<Frequency>,
    pub(crate) idle_states: &'static [IdleState],
    /// The load of each CPU, by number.
    pub(crate) loads: Vec<CpuLoad>,
    /// CPUs that are present and offline.
    pub(crate) offline: Vec<Cpu>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cache {
    pub(crate) level: u32,
    /// `Data`, `Instruction` or `Unified`.
    pub(crate) kind: &'static str,
    pub(crate) kilobytes: usize,
    pub(crate) ways: usize,
    /// The number of cores that share one cache; 0 for all cores of a socket.
    pub(crate) cores: usize,
}

impl Cache {
    pub(crate) const LINE_BYTES: usize = 64;

    pub(crate) fn sets(&self) -> usize {
        self.kilobytes * 1_024 / Self::LINE_BYTES / self.ways.max(1)
    }
}

/// An idle state of a CPU.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct IdleState {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) latency_micros: u64,
    /// Its share of the idle time, in thousandths.
    pub(crate) share_permille: u64,
}

/// Frequency scaling.
#[derive(Clone, Debug)]
pub(crate) struct Frequency {
    pub(crate) driver: &'static str,
    pub(crate) governor: &'static str,
    pub(crate) governors: &'static str,
    pub(crate) least_kilohertz: u64,
    pub(crate) most_kilohertz: u64,
    pub(crate) latency_nanos: u64,
    /// Whether all CPUs run at one frequency.
    pub(crate) is_common: bool,
}

impl Processor {
    /// The driver of idle states.
    pub(crate) fn idle_driver(&self) -> &'static str {
        match &self.model {
            _ if self.idle_states.is_empty() => "none",
            Model::X86(model) if model.vendor == "GenuineIntel" => "intel_idle",
            Model::X86(_) => "acpi_idle",
            _ => "psci_idle",
        }
    }

    fn cores(&self) -> usize {
        (self.sockets * self.cores_per_socket).max(1)
    }

    /// The core of a CPU, counted over all sockets.
    fn core_of_host(&self, cpu: Cpu) -> usize {
        match self.numbering {
            Numbering::InARow => cpu.0 / self.threads_per_core.max(1),
            Numbering::ThreadsLast => cpu.0 % self.cores(),
        }
    }

    /// The core of a CPU, counted within its socket.
    pub(crate) fn core(&self, cpu: Cpu) -> usize {
        self.core_of_host(cpu) % self.cores_per_socket.max(1)
    }

    pub(crate) fn socket(&self, cpu: Cpu) -> usize {
        self.core_of_host(cpu) / self.cores_per_socket.max(1)
    }

    pub(crate) fn node(&self, cpu: Cpu) -> NumaNode {
        NumaNode(self.core_of_host(cpu) * self.nodes / self.cores())
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = NumaNode> + use<> {
        (0..self.nodes).map(NumaNode)
    }

    /// The online CPUs of some cores, in their order.
    fn cpus_of(&self, cores: Range<usize>) -> Vec<Cpu> {
        let threads = self.threads_per_core;
        let mut cpus: Vec<Cpu> = match self.numbering {
            Numbering::InARow => (cores.start * threads..cores.end * threads).map(Cpu).collect(),
            Numbering::ThreadsLast => {
                let cpu = |thread| cores.clone().map(move |core| Cpu(thread * self.cores() + core));
                (0..threads).flat_map(cpu).collect()
            }
        };
        cpus.retain(|&cpu| cpu.0 < self.cpus && self.is_online(cpu));
        cpus
    }

    /// All CPUs, online or not.
    pub(crate) fn all(&self) -> impl Iterator<Item = Cpu> + use<> {
        (0..self.cpus).map(Cpu)
    }

    pub(crate) fn is_online(&self, cpu: Cpu) -> bool {
        !self.offline.contains(&cpu)
    }

    pub(crate) fn online(&self) -> impl Iterator<Item = Cpu> {
        self.all().filter(|&cpu| self.is_online(cpu))
    }

    /// The load of a CPU; none if the host has no such CPU.
    pub(crate) fn load(&self, cpu: Cpu) -> Option<&CpuLoad> {
        self.loads.get(cpu.0)
    }

    /// Whether the CPU can be taken offline: the first CPU of x86 cannot.
    pub(crate) fn is_removable(&self, cpu: Cpu) -> bool {
        cpu.0 > 0 || !matches!(self.model, Model::X86(_))
    }

    /// The first CPU of a core, online or not.
    pub(crate) fn first_of_core(&self, cpu: Cpu) -> Cpu {
        let core = self.core_of_host(cpu);
        match self.numbering {
            Numbering::InARow => Cpu(core * self.threads_per_core.max(1)),
            Numbering::ThreadsLast => Cpu(core),
        }
    }

    /// The online CPUs that share a core with this one.
    pub(crate) fn core_cpus(&self, cpu: Cpu) -> Vec<Cpu> {
        let core = self.core_of_host(cpu);
        self.cpus_of(core..core + 1)
    }

    /// The online CPUs of a socket.
    pub(crate) fn cpus_of_socket(&self, socket: usize) -> Vec<Cpu> {
        let first = socket * self.cores_per_socket;
        self.cpus_of(first..first + self.cores_per_socket)
    }

    /// The online CPUs that share a socket with this one.
    pub(crate) fn socket_cpus(&self, cpu: Cpu) -> Vec<Cpu> {
        self.cpus_of_socket(self.socket(cpu))
    }

    /// The online CPUs of a NUMA node.
    pub(crate) fn node_cpus(&self, node: NumaNode) -> Vec<Cpu> {
        let nodes = self.nodes.max(1);
        self.cpus_of((node.0 * self.cores()).div_ceil(nodes)..((node.0 + 1) * self.cores()).div_ceil(nodes))
    }

    /// The online CPUs that share a cache with this one.
    pub(crate) fn cache_cpus(&self, cpu: Cpu, cache: &Cache) -> Vec<Cpu> {
        let cores = if cache.cores == 0 { self.cores_per_socket } else { cache.cores }.max(1);
        // A cache does not extend into another socket.
        let (socket, core) = (self.socket(cpu), self.core(cpu));
        let first = socket * self.cores_per_socket + core / cores * cores;
        let end = (socket + 1) * self.cores_per_socket;
        self.cpus_of(first..end.min(first + cores))
    }

    /// The number of a cache among those of its kind, counted over the host.
    pub(crate) fn cache_number(&self, cpu: Cpu, cache: &Cache) -> usize {
        let cores = if cache.cores == 0 { self.cores_per_socket } else { cache.cores }.max(1);
        self.socket(cpu) * self.cores_per_socket.div_ceil(cores) + self.core(cpu) / cores
    }
}

/// The model of all CPUs of a host.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    X86(X86),
    Arm(Arm),
    Power(Power),
    Mainframe(Mainframe),
}

/// A model of ppc64le.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    pub(crate) name: &'static str,
    pub(crate) kilohertz: u64,
    pub(crate) revision: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) machine: &'static str,
}

/// A model of s390x.
#[derive(Clone, Debug)]
pub(crate) struct Mainframe {
    pub(crate) features: &'static str,
    pub(crate) facilities: &'static str,
    pub(crate) version: &'static str,
    /// Six hexadecimal digits, equal for all CPUs.
    pub(crate) identification: String,
    pub(crate) machine: &'static str,
    pub(crate) megahertz: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct X86 {
    pub(crate) vendor: &'static str,
    pub(crate) family: u32,
    pub(crate) model: u32,
    pub(crate) name: &'static str,
    pub(crate) stepping: u32,
    pub(crate) microcode: &'static str,
    pub(crate) kilohertz: u64,
    pub(crate) cache_kilobytes: u64,
    pub(crate) cpuid_level: u32,
    pub(crate) flags: &'static str,
    pub(crate) bugs: &'static str,
    /// The size of the TLB, on AMD only: `3072 4K pages`.
    pub(crate) tlb_size: Option<&'static str>,
    pub(crate) address_sizes: &'static str,
    pub(crate) power_management: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Arm {
    pub(crate) bogomips_hundredths: u64,
    pub(crate) features: &'static str,
    pub(crate) implementer: u32,
    pub(crate) variant: u32,
    pub(crate) part: u32,
    pub(crate) revision: u32,
    /// Lines about the board, which follow the CPUs.
    pub(crate) board: Option<Board>,
}

#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) revision: &'static str,
    pub(crate) serial: String,
    pub(crate) model: &'static str,
}

impl Model {
    /// The hardware bugs, by the names in /proc/cpuinfo.
    pub(crate) fn bugs(&self) -> &'static str {
        match self {
            Self::X86(model) => model.bugs,
            Self::Arm(_) | Self::Power(_) | Self::Mainframe(_) => "",
        }
    }
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Interrupts {
    /// Sorted by number.
    pub(crate) lines: Vec<InterruptLine>,
    pub(crate) local: &'static [LocalInterrupt],
}

/// An interrupt line of a device.
#[derive(Clone, Debug)]
pub(crate) struct InterruptLine {
    pub(crate) number: usize,
    /// The interrupt controller: `IR-PCI-MSIX-0000:41:00.0`.
    pub(crate) chip: String,
    /// Its number at the controller.
    pub(crate) hardware: u64,
    pub(crate) trigger: Trigger,
    pub(crate) action: String,
    /// Interrupts in a thousand seconds.
    pub(crate) milli: u64,
    /// The CPU that handles it; none if all CPUs do.
    pub(crate) cpu: Option<Cpu>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trigger {
    Edge,
    Level,
}

/// An interrupt that is local to each CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalInterrupt {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// Interrupts of one CPU in a thousand seconds.
    pub(crate) milli: u64,
}

#[cfg(test)]
mod tests {
    use crate::machine::Machine;
    use crate::profile;

    #[test]
    fn every_cpu_is_in_one_core_socket_node_and_cache() {
        let sizes = |profile: &'static profile::Profile| [(profile, &[][..]), (profile, profile.small)];
        for (profile, overrides) in profile::profiles().iter().flat_map(sizes) {
            let machine = Machine::of(profile.name, 1, overrides).unwrap();
            let processor = &machine.processor;
            assert_eq!(processor.loads.len(), processor.cpus, "{}", profile.name);
            for cpu in processor.all() {
                for cpus in
                    [processor.core_cpus(cpu), processor.socket_cpus(cpu), processor.node_cpus(processor.node(cpu))]
                {
                    assert!(cpus.contains(&cpu) && cpus.is_sorted(), "{} {cpu} {cpus:?}", profile.name);
                }
                for cache in processor.caches {
                    let cpus = processor.cache_cpus(cpu, cache);
                    assert!(cpus.contains(&cpu), "{} {cpu} {cache:?}", profile.name);
                    assert!(cpus.iter().all(|&other| processor.cache_cpus(other, cache) == cpus));
                    assert_eq!(processor.cache_number(cpu, cache), processor.cache_number(cpus[0], cache));
                }
            }
            let nodes: usize = processor.nodes().map(|node| processor.node_cpus(node).len()).sum();
            assert_eq!(nodes, processor.cpus, "{}", profile.name);
        }
    }
}
