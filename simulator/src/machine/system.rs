//! The host as a whole: names, kernel, architecture, distribution and memory.

#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) hostname: String,
    pub(crate) domainname: &'static str,
    pub(crate) architecture: Architecture,
    /// The release in `uname -r`, which contains the version.
    pub(crate) release: String,
    pub(crate) version: &'static str,
    /// The builder and compiler in /proc/version, between release and version.
    pub(crate) build: &'static str,
    pub(crate) clocksource: &'static str,
    pub(crate) clocksources: &'static str,
    pub(crate) boot_id: String,
}

impl System {
    pub(crate) fn kernel(&self) -> KernelVersion {
        KernelVersion::of(&self.release)
    }
}

/// The distribution, as key-value pairs of os-release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Os {
    pub(crate) release: &'static [(&'static str, &'static str)],
}

/// The system clock and its reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Correction of the oscillator's frequency in parts per million, times 65,536.
    pub(crate) frequency: i64,
    /// Interval between the answers of the reference in seconds, as a power of 2.
    pub(crate) poll_exponent: u32,
    /// Offset of International Atomic Time as the kernel was told, or 0.
    pub(crate) tai_offset_seconds: i32,
    /// Distance to the reference in microseconds, directly after an answer.
    pub(crate) distance_micros: i64,
}

impl Clock {
    /// The drift of crystals is some ten parts per million, each with its own.
    const MOST_PPM: u64 = 40;

    /// A clock that follows a server of its network.
    pub(crate) fn new(host: crate::seed::Seed) -> Self {
        let seed = host.of("clock");
        let drift = seed.of("drift").below((2 * Self::MOST_PPM) << 16).cast_signed();
        Self {
            frequency: drift - i64::try_from(Self::MOST_PPM << 16).unwrap_or_default(),
            poll_exponent: 6 + u32::try_from(seed.of("poll").below(5)).unwrap_or_default(),
            tai_offset_seconds: if seed.of("tai").below(2) == 0 { 0 } else { 37 },
            distance_micros: seed.of("distance").between(900, 14_000).cast_signed(),
        }
    }
}

/// A version of the kernel: its files depend on these two numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct KernelVersion {
    major: u16,
    minor: u16,
}

impl KernelVersion {
    /// Parses a release such as `4.18.0-553.el8_10.x86_64`. A release without numbers is the oldest version.
    pub(crate) fn of(release: &str) -> Self {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().unwrap_or_default());
        Self { major: numbers.next().unwrap_or_default(), minor: numbers.next().unwrap_or_default() }
    }

    /// Whether all controllers share one hierarchy of control groups. Distributions changed over at about this version.
    pub(crate) fn has_one_hierarchy(self) -> bool {
        self >= Self::new(5, 4)
    }

    /// For comparisons: `machine.kernel() >= KernelVersion::new(5, 14)`.
    pub(crate) const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

/// The architecture of the CPUs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Architecture {
    X86_64,
    /// Kernels have pages of 4 KiB or 64 KiB.
    Aarch64 {
        page_size_bytes: u64,
    },
    Ppc64le,
    S390x,
}

impl Architecture {
    pub(crate) const AARCH64: Self = Self::Aarch64 { page_size_bytes: 4_096 };

    /// The name in `uname -m`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 { .. } => "aarch64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
        }
    }

    /// Four bytes in memory as a word of the architecture.
    pub(crate) fn word(self, bytes: [u8; 4]) -> u32 {
        if self == Self::S390x { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    pub(crate) fn page_size_bytes(self) -> u64 {
        match self {
            Self::X86_64 | Self::S390x => 4_096,
            Self::Ppc64le => 65_536,
            Self::Aarch64 { page_size_bytes } => page_size_bytes,
        }
    }

    /// The sizes of huge pages in kilobytes. Reserved pages have the first size.
    pub(crate) fn huge_page_sizes(self) -> &'static [u64] {
        match self {
            Self::X86_64 | Self::Ppc64le => &[2_048, 1_048_576],
            Self::Aarch64 { page_size_bytes: 4_096 } => &[2_048, 64, 32_768, 1_048_576],
            Self::Aarch64 { .. } => &[524_288, 2_048, 16_777_216],
            Self::S390x => &[1_024, 2_097_152],
        }
    }
}

/// In pages of the architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) pages: u64,
    pub(crate) swap_pages: u64,
    /// Anonymous memory of programs without load.
    pub(crate) anonymous_pages: u64,
    /// Additional anonymous memory at the mean load.
    pub(crate) anonymous_pages_per_load: u64,
    /// Reserved for huge pages.
    pub(crate) reserved_pages: u64,
    /// The maximum size of the page cache.
    pub(crate) cache_pages: u64,
    /// The direct map of x86.
    pub(crate) direct_map: Option<DirectMap>,
}

/// Pages of 4 KiB that are mapped in units of 4 KiB, 2 MiB and 1 GiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectMap {
    pub(crate) small: u64,
    pub(crate) large: u64,
    pub(crate) huge: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let releases = ["", "3.10.0-1160.el7.x86_64", "4.18.0", "5.14.0-503.el9", "6.1", "6.12.12-cloud-amd64"];
        let versions = releases.map(KernelVersion::of);
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        assert_eq!(versions[1], KernelVersion::new(3, 10));
    }
}
