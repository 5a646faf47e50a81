//! /sys/devices/system: cpu, its vulnerabilities, and clocksource

pub(super) mod cpufreq;
pub(super) mod device;
pub(super) mod idle;

use crate::layout::{Content, Group, Table};
use crate::machine::{Cpu, Machine, Model};
use crate::moment::Moment;
use crate::text::{BitMask, RangeList, put_line};

/// A vulnerability: its file, its name among the bugs of /proc/cpuinfo, and the mitigation in a guest.
macro_rules! weakness {
    ($name:literal, $bug:literal, $state:literal) => {
        ($name, Content::File(|_, moment, into| put_line!(into, "{}", state(moment, $bug, $state))))
    };
}

pub(super) const GROUPS: Table = &[
    &Group::of_host(
        "devices/system/cpu",
        &[
            ("isolated", Content::File(|_, _, into| put_line!(into, ""))),
            ("kernel_max", Content::File(|_, _, into| put_line!(into, "8191"))),
            ("offline", Content::File(|_, m, into| list(&offline(m), into))),
            ("online", Content::File(|_, m, into| list(&m.machine.processor.online().collect::<Vec<_>>(), into))),
            ("possible", Content::File(all)),
            ("present", Content::File(all)),
        ],
    ),
    &Group::<Cpu> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(machine.processor.online()),
        path: |cpu, _| format!("cpu{cpu}").into(),
        entries: &[
            ("topology/cluster_cpus", Content::File(|cpu, m, into| mask(m, &m.machine.processor.core_cpus(cpu), into))),
            (
                "topology/cluster_cpus_list",
                Content::File(|cpu, m, into| list(&m.machine.processor.core_cpus(cpu), into)),
            ),
            ("topology/cluster_id", Content::File(|cpu, m, into| put_line!(into, "{}", m.machine.processor.core(cpu)))),
            ("topology/core_cpus", Content::File(|cpu, m, into| mask(m, &m.machine.processor.core_cpus(cpu), into))),
            ("topology/core_cpus_list", Content::File(|cpu, m, into| list(&m.machine.processor.core_cpus(cpu), into))),
            ("topology/core_id", Content::File(|cpu, m, into| put_line!(into, "{}", m.machine.processor.core(cpu)))),
            (
                "topology/core_siblings",
                Content::File(|cpu, m, into| mask(m, &m.machine.processor.socket_cpus(cpu), into)),
            ),
            (
                "topology/core_siblings_list",
                Content::File(|cpu, m, into| list(&m.machine.processor.socket_cpus(cpu), into)),
            ),
            ("topology/die_cpus", Content::File(|cpu, m, into| mask(m, &m.machine.processor.socket_cpus(cpu), into))),
            ("topology/die_cpus_list", Content::File(|cpu, m, into| list(&m.machine.processor.socket_cpus(cpu), into))),
            ("topology/die_id", Content::File(|_, _, into| put_line!(into, "0"))),
            (
                "topology/package_cpus",
                Content::File(|cpu, m, into| mask(m, &m.machine.processor.socket_cpus(cpu), into)),
            ),
            (
                "topology/package_cpus_list",
                Content::File(|cpu, m, into| list(&m.machine.processor.socket_cpus(cpu), into)),
            ),
            (
                "topology/physical_package_id",
                Content::File(|cpu, m, into| put_line!(into, "{}", m.machine.processor.socket(cpu))),
            ),
            (
                "topology/thread_siblings",
                Content::File(|cpu, m, into| mask(m, &m.machine.processor.core_cpus(cpu), into)),
            ),
            (
                "topology/thread_siblings_list",
                Content::File(|cpu, m, into| list(&m.machine.processor.core_cpus(cpu), into)),
            ),
        ],
    },
    // Only CPUs of Intel count throttling.
    &Group::<Cpu> {
        under: "devices/system/cpu",
        parts: |machine| {
            let is_intel = matches!(&machine.processor.model, Model::X86(model) if model.vendor == "GenuineIntel");
            Box::new(machine.processor.online().filter(move |_| is_intel))
        },
        path: |cpu, _| format!("cpu{cpu}").into(),
        entries: &[
            ("thermal_throttle/core_throttle_count", Content::File(core_throttles)),
            ("thermal_throttle/package_throttle_count", Content::File(package_throttles)),
        ],
    },
    &Group::<Cpu> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(machine.processor.all().filter(|&cpu| machine.processor.is_removable(cpu))),
        path: |cpu, _| format!("cpu{cpu}").into(),
        entries: &[(
            "online",
            Content::File(|cpu, m, into| put_line!(into, "{}", u8::from(m.machine.processor.is_online(cpu)))),
        )],
    },
    &Group::of_host(
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
            weakness!(
                "spectre_v1",
                "spectre_v1",
                "Mitigation: usercopy/swapgs barriers and __user pointer sanitization"
            ),
            weakness!("spectre_v2", "spectre_v2", "Mitigation: Retpolines; STIBP: disabled; RSB filling"),
            weakness!("srbds", "srbds", "Unknown: Dependent on hypervisor status"),
            weakness!("tsx_async_abort", "taa", "Vulnerable: Clear CPU buffers attempted, no microcode"),
        ],
    ),
    &Group::of_host(
        "devices/system/clocksource/clocksource0",
        &[
            // The kernel writes a blank after each name.
            (
                "available_clocksource",
                Content::File(|_, m, into| put_line!(into, "{} ", m.machine.system.clocksources)),
            ),
            ("current_clocksource", Content::File(|_, m, into| put_line!(into, "{}", m.machine.system.clocksource))),
        ],
    ),
];

fn all(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    list(&moment.machine.processor.all().collect::<Vec<_>>(), into);
}

fn offline(moment: &Moment<'_>) -> Vec<Cpu> {
    let processor = &moment.machine.processor;
    processor.all().filter(|&cpu| !processor.is_online(cpu)).collect()
}

fn list(cpus: &[Cpu], into: &mut Vec<u8>) {
    put_line!(into, "{}", RangeList(cpus));
}

fn mask(moment: &Moment<'_>, cpus: &[Cpu], into: &mut Vec<u8>) {
    put_line!(into, "{}", BitMask { set: cpus, width: moment.machine.processor.cpus });
}

/// Counted per core: equal for its threads.
fn core_throttles(cpu: Cpu, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let first = processor.first_of_core(cpu);
    let count = processor.load(first).map_or(0, |load| moment.throttles(&load.wave, 5_400 * 1_000 / load.share));
    put_line!(into, "{}", count);
}

/// Counted per socket: equal for its CPUs.
fn package_throttles(_: Cpu, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", moment.throttles(&moment.machine.load, 3_600));
}

fn state(moment: &Moment<'_>, bug: &str, state: &'static str) -> &'static str {
    let mut bugs = moment.machine.processor.model.bugs().split_ascii_whitespace();
    if bugs.any(|listed| listed == bug) { state } else { "Not affected" }
}
