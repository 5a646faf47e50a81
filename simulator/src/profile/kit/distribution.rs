//! Distributions and their kernels.

use super::identity::{hexadecimal, uuid};
use crate::machine::{Architecture, Os, System};
use crate::profile::Setting;
use crate::seed::Seed;

/// Kernel version of a server; the newest is the default.
pub(in crate::profile) const KERNEL: Setting =
    Setting::word("kernel", &["6.12", "5.14", "4.18", "3.10"], "Kernel version, which determines the distribution.");

/// Distribution with its kernel.
struct Distribution {
    kernel: &'static str,
    /// Kernel release suffix between version and architecture.
    release: &'static str,
    version: &'static str,
    build: &'static str,
    os: Os,
}

static DISTRIBUTIONS: [Distribution; 5] = [
    Distribution {
        kernel: "6.12",
        release: "6.12.12-",
        version: "#1 SMP PREEMPT_DYNAMIC 6.12.12-1 (2025-02-02)",
        build: "(builder@example.org) (gcc-14 (GCC) 14.2.0, GNU ld (GNU Binutils) 2.44)",
        os: DEBIAN,
    },
    Distribution {
        kernel: "6.18",
        release: "6.18.5+deb13-",
        version: "#1 SMP PREEMPT_DYNAMIC Debian 6.18.5-1~bpo13+1 (2026-01-19)",
        build: "(builder@example.org) (gcc-14 (GCC) 14.2.0, GNU ld (GNU Binutils) 2.44)",
        os: DEBIAN,
    },
    Distribution {
        kernel: "5.14",
        release: "5.14.0-503.11.1.el9_5.",
        version: "#1 SMP PREEMPT_DYNAMIC Tue Nov 12 09:26:13 EST 2024",
        build: "(builder@example.org) (gcc (GCC) 11.5.0 20240719 (Red Hat 11.5.0-2), GNU ld version 2.35.2-54.el9)",
        os: ROCKY_9,
    },
    Distribution {
        kernel: "4.18",
        release: "4.18.0-553.16.1.el8_10.",
        version: "#1 SMP Thu Aug 8 17:47:08 UTC 2024",
        build: "(builder@example.org) (gcc version 8.5.0 20210514 (Red Hat 8.5.0-22) (GCC))",
        os: ROCKY_8,
    },
    Distribution {
        kernel: "3.10",
        release: "3.10.0-1160.119.1.el7.",
        version: "#1 SMP Tue Jun 4 14:43:51 UTC 2024",
        build: "(builder@example.org) (gcc version 4.8.5 20150623 (Red Hat 4.8.5-44) (GCC) )",
        os: CENTOS_7,
    },
];

/// Operating system of a kernel version. `flavour` is Debian's kernel flavour; other distributions use the architecture.
pub(in crate::profile) fn system(
    seed: Seed,
    hostname: &str,
    architecture: Architecture,
    kernel: &str,
    flavour: &str,
) -> (System, Os) {
    let [newest, ..] = &DISTRIBUTIONS;
    let distribution = DISTRIBUTIONS.iter().find(|known| known.kernel == kernel).unwrap_or(newest);
    let ending = if distribution.release.ends_with('-') { flavour } else { architecture.name() };
    let (clocksource, clocksources) = match architecture {
        Architecture::X86_64 => ("tsc", "tsc hpet acpi_pm"),
        Architecture::Aarch64 { .. } => ("arch_sys_counter", "arch_sys_counter"),
        Architecture::Ppc64le => ("timebase", "timebase"),
        Architecture::S390x => ("tod", "tod"),
    };
    let system = System {
        hostname: format!("{hostname}-{}", hexadecimal(seed.of("hostname"), 6)),
        domainname: "(none)",
        architecture,
        release: format!("{}{ending}", distribution.release),
        version: distribution.version,
        build: distribution.build,
        clocksource,
        clocksources,
        boot_id: uuid(seed.of("boot_id")),
    };
    (system, distribution.os)
}

const DEBIAN: Os = Os {
    release: &[
        ("PRETTY_NAME", "Debian GNU/Linux 13 (trixie)"),
        ("NAME", "Debian GNU/Linux"),
        ("VERSION_ID", "13"),
        ("VERSION", "13 (trixie)"),
        ("VERSION_CODENAME", "trixie"),
        ("ID", "debian"),
        ("HOME_URL", "https://www.debian.org/"),
        ("BUG_REPORT_URL", "https://bugs.debian.org/"),
    ],
};

const ROCKY_9: Os = Os {
    release: &[
        ("NAME", "Rocky Linux"),
        ("VERSION", "9.5 (Blue Onyx)"),
        ("ID", "rocky"),
        ("ID_LIKE", "rhel centos fedora"),
        ("VERSION_ID", "9.5"),
        ("PLATFORM_ID", "platform:el9"),
        ("PRETTY_NAME", "Rocky Linux 9.5 (Blue Onyx)"),
        ("ANSI_COLOR", "0;32"),
        ("HOME_URL", "https://rockylinux.org/"),
    ],
};

const ROCKY_8: Os = Os {
    release: &[
        ("NAME", "Rocky Linux"),
        ("VERSION", "8.10 (Green Obsidian)"),
        ("ID", "rocky"),
        ("ID_LIKE", "rhel centos fedora"),
        ("VERSION_ID", "8.10"),
        ("PLATFORM_ID", "platform:el8"),
        ("PRETTY_NAME", "Rocky Linux 8.10 (Green Obsidian)"),
        ("ANSI_COLOR", "0;32"),
        ("HOME_URL", "https://rockylinux.org/"),
    ],
};

const CENTOS_7: Os = Os {
    release: &[
        ("NAME", "CentOS Linux"),
        ("VERSION", "7 (Core)"),
        ("ID", "centos"),
        ("ID_LIKE", "rhel fedora"),
        ("VERSION_ID", "7"),
        ("PRETTY_NAME", "CentOS Linux 7 (Core)"),
        ("ANSI_COLOR", "0;31"),
        ("HOME_URL", "https://www.centos.org/"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::KernelVersion;
    use crate::profile::Takes;

    #[test]
    fn every_kernel_that_can_be_chosen_has_its_distribution() {
        let Takes::Word(words) = KERNEL.takes else { panic!("{KERNEL:?}") };
        for word in words {
            let (system, _) = system(Seed::new(1), "host", Architecture::X86_64, word, "amd64");
            assert_eq!(system.kernel(), KernelVersion::of(word), "{}", system.release);
        }
    }
}
