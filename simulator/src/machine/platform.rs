//! What programs are built for: the kernel's version and the architecture.

/// A version of the kernel, as far as the layout of its files depends on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct KernelVersion {
    major: u16,
    minor: u16,
}

impl KernelVersion {
    /// Of a release such as `4.18.0-553.el8_10.x86_64`; one that has no numbers is older than all others.
    pub(crate) fn of(release: &str) -> Self {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().unwrap_or_default());
        Self { major: numbers.next().unwrap_or_default(), minor: numbers.next().unwrap_or_default() }
    }

    /// Whether all controllers of control groups share a hierarchy: distributions mount them so since about then, which
    /// has no number.
    pub(crate) fn has_one_hierarchy(self) -> bool {
        self >= Self::new(5, 4)
    }

    /// To compare with: `moment.kernel() >= KernelVersion::new(5, 14)`.
    pub(crate) const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

/// What the CPUs understand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Architecture {
    X86_64,
    /// Its kernels have pages of 4 or of 64 KiB.
    Aarch64 {
        page_size_bytes: u64,
    },
    Ppc64le,
    S390x,
}

impl Architecture {
    pub(crate) const AARCH64: Self = Self::Aarch64 { page_size_bytes: 4_096 };

    /// As `uname -m` tells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 { .. } => "aarch64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
        }
    }

    /// Four bytes as a word, as they are in memory.
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

    /// The sizes of huge pages, in kilobytes, that of those that are reserved first.
    pub(crate) fn huge_page_sizes(self) -> &'static [u64] {
        match self {
            Self::X86_64 | Self::Ppc64le => &[2_048, 1_048_576],
            Self::Aarch64 { page_size_bytes: 4_096 } => &[2_048, 64, 32_768, 1_048_576],
            Self::Aarch64 { .. } => &[524_288, 2_048, 16_777_216],
            Self::S390x => &[1_024, 2_097_152],
        }
    }
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
