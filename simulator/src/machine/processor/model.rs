//! What kind of CPU it is, as /proc/cpuinfo of its architecture tells.

/// The kind of all CPUs of a host.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    X86(X86),
    Arm(Arm),
    Power(Power),
    Mainframe(Mainframe),
}

/// `cpu`, `clock`, `revision` and what follows the CPUs on ppc64le.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    pub(crate) name: &'static str,
    pub(crate) kilohertz: u64,
    pub(crate) revision: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) machine: &'static str,
}

/// What an s390x tells of its processors.
#[derive(Clone, Debug)]
pub(crate) struct Mainframe {
    pub(crate) features: &'static str,
    pub(crate) facilities: &'static str,
    pub(crate) version: &'static str,
    /// Six hexadecimal digits that all CPUs have.
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
    /// What AMD says of the size of the table of pages: `3072 4K pages`.
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
    /// What a board tells after its CPUs.
    pub(crate) board: Option<Board>,
}

#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) revision: &'static str,
    pub(crate) serial: String,
    pub(crate) model: &'static str,
}

impl Model {
    /// The bugs that the kernel knows of, by the names of /proc/cpuinfo.
    pub(crate) fn bugs(&self) -> &'static str {
        match self {
            Self::X86(model) => model.bugs,
            Self::Arm(_) | Self::Power(_) | Self::Mainframe(_) => "",
        }
    }
}
