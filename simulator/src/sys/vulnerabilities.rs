//! /sys/devices/system/cpu/vulnerabilities

use crate::layout::{Content, Group, Table};
use crate::moment::Moment;
use crate::text::put_line;

/// A vulnerability: its file, its name among the bugs of /proc/cpuinfo, and the mitigation in a guest.
macro_rules! weakness {
    ($name:literal, $bug:literal, $state:literal) => {
        ($name, Content::File(|_, moment, into| put_line!(into, "{}", state(moment, $bug, $state))))
    };
}

pub(super) const GROUPS: Table = &[&Group::of_host(
    "devices/system/cpu/vulnerabilities",
    &[
        weakness!("itlb_multihit", "itlb_multihit", "KVM: Mitigation: VMX unsupported"),
        weakness!("l1tf", "l1tf", "Mitigation: PTE Inversion"),
        weakness!("mds", "mds", "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown"),
        weakness!("meltdown", "cpu_meltdown", "Mitigation: PTI"),
        weakness!(
            "mmio_stale_data",
            "mmio_stale_data",
            "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown"
        ),
        weakness!("retbleed", "retbleed", "Vulnerable"),
        weakness!("spec_store_bypass", "spec_store_bypass", "Vulnerable"),
        weakness!("spectre_v1", "spectre_v1", "Mitigation: usercopy/swapgs barriers and __user pointer sanitization"),
        weakness!("spectre_v2", "spectre_v2", "Mitigation: Retpolines; STIBP: disabled; RSB filling"),
        weakness!("srbds", "srbds", "Unknown: Dependent on hypervisor status"),
        weakness!("tsx_async_abort", "taa", "Vulnerable: Clear CPU buffers attempted, no microcode"),
    ],
)];

fn state(moment: &Moment<'_>, bug: &str, state: &'static str) -> &'static str {
    let mut bugs = moment.machine.processor.model.bugs().split_ascii_whitespace();
    if bugs.any(|listed| listed == bug) { state } else { "Not affected" }
}
