//! /sys/devices/system/cpu/cpufreq, a folder for the CPUs that run at one frequency, and the links to it

use collectors::host::errno::Errno;

use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Cpu, Frequency, KernelVersion, Machine, Model};
use crate::moment::Moment;
use crate::text::{put, put_line};

const AVERAGE_SINCE: KernelVersion = KernelVersion::new(6, 15);

pub(in crate::sys) const GROUPS: Table = &[
    &Group::<ScaledCpu<'static>> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(ScaledCpu::each(machine)),
        path: |of, _| format!("cpu{}", of.cpu).into(),
        entries: &[("cpufreq", Content::Link(|of, _, into| put!(into, "../cpufreq/policy{}", of.policy())))],
    },
    &Group::<Policy<'static>> {
        under: "devices/system/cpu/cpufreq",
        parts: |machine| Box::new(Policy::each(machine)),
        path: |policy, _| format!("policy{}", policy.first).into(),
        entries: &[
            ("affected_cpus", Content::File(cpus)),
            ("cpuinfo_cur_freq", Content::Fallible(current)),
            ("cpuinfo_max_freq", Content::File(|p, _, into| put_line!(into, "{}", p.frequency.most_kilohertz))),
            ("cpuinfo_min_freq", Content::File(|p, _, into| put_line!(into, "{}", p.frequency.least_kilohertz))),
            (
                "cpuinfo_transition_latency",
                Content::File(|p, _, into| put_line!(into, "{}", p.frequency.latency_nanos)),
            ),
            ("related_cpus", Content::File(cpus)),
            ("scaling_available_governors", Content::File(|p, _, into| put_line!(into, "{} ", p.frequency.governors))),
            ("scaling_cur_freq", Content::File(scaled)),
            ("scaling_driver", Content::File(|p, _, into| put_line!(into, "{}", p.frequency.driver))),
            ("scaling_governor", Content::File(|p, _, into| put_line!(into, "{}", p.frequency.governor))),
            ("scaling_max_freq", Content::File(|p, _, into| put_line!(into, "{}", p.frequency.most_kilohertz))),
            ("scaling_min_freq", Content::File(|p, _, into| put_line!(into, "{}", p.frequency.least_kilohertz))),
            ("scaling_setspeed", Content::File(|_, _, into| put_line!(into, "<unsupported>"))),
        ],
    },
    // The average over the last tick, from the performance counters of x86.
    &Group::<Policy<'static>> {
        under: "devices/system/cpu/cpufreq",
        parts: |machine| {
            let is_x86 = matches!(machine.processor.model, Model::X86(_));
            Box::new(Policy::each(machine).filter(move |_| is_x86 && machine.kernel() >= AVERAGE_SINCE))
        },
        path: |policy, _| format!("policy{}", policy.first).into(),
        entries: &[("cpuinfo_avg_freq", Content::File(|p, m, into| put_line!(into, "{}", m.kilohertz(p.first))))],
    },
];

/// An online CPU whose frequency is scaled.
#[derive(Clone, Copy)]
struct ScaledCpu<'a> {
    cpu: Cpu,
    frequency: &'a Frequency,
}

impl Part for ScaledCpu<'static> {
    type Of<'a> = ScaledCpu<'a>;
}

impl<'a> ScaledCpu<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let frequency = machine.processor.frequency.iter();
        frequency.flat_map(|frequency| machine.processor.online().map(move |cpu| Self { cpu, frequency }))
    }

    /// The first CPU that always runs at the frequency of this one.
    fn policy(self) -> Cpu {
        if self.frequency.is_common { Cpu::new(0) } else { self.cpu }
    }
}

/// The CPUs that run at one frequency.
#[derive(Clone, Copy)]
struct Policy<'a> {
    first: Cpu,
    frequency: &'a Frequency,
}

impl Part for Policy<'static> {
    type Of<'a> = Policy<'a>;
}

impl<'a> Policy<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let mut last = None;
        ScaledCpu::each(machine).filter_map(move |of| {
            let first = of.policy();
            (last.replace(first) != Some(first)).then_some(Self { first, frequency: of.frequency })
        })
    }
}

/// The online CPUs of a policy. Other lists of CPUs have no blanks.
fn cpus(policy: Policy<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let cpus = ScaledCpu::each(moment.machine).filter(|of| of.policy() == policy.first);
    put_line!(into, "{}", cpus.map(|of| of.cpu.to_string()).collect::<Vec<_>>().join(" "));
}

/// The frequency according to the driver.
fn scaled(policy: Policy<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    if moment.past.is_frequency_unknown {
        put_line!(into, "<unknown>");
    } else {
        put_line!(into, "{}", moment.kilohertz(policy.first));
    }
}

/// The frequency according to the hardware is readable by root only.
fn current(_: Policy<'_>, _: &Moment<'_>, _: &mut Vec<u8>) -> Result<(), Errno> {
    Err(Errno::EACCES)
}
