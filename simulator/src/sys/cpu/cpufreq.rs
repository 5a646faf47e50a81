//! /sys/devices/system/cpu/cpufreq, a folder for the CPUs that run at one frequency, and the links to it

use collectors::host::errno::Errno;

use crate::layout::{Group, What};
use crate::machine::{Frequency, KernelVersion, Model};
use crate::moment::Moment;
use crate::text::{put, put_line};

const AVERAGE_SINCE: KernelVersion = KernelVersion::new(6, 15);

pub(in crate::sys) static GROUPS: [Group; 3] = [
    Group {
        under: "devices/system/cpu",
        each: each_cpu,
        entries: &[("cpufreq", What::Link(|m, i, into| put!(into, "../cpufreq/policy{}", policy(m, i))))],
    },
    Group {
        under: "devices/system/cpu/cpufreq",
        each: each_policy,
        entries: &[
            ("affected_cpus", What::File(cpus)),
            ("cpuinfo_cur_freq", What::Fallible(current)),
            ("cpuinfo_max_freq", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.most_kilohertz)))),
            ("cpuinfo_min_freq", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.least_kilohertz)))),
            ("cpuinfo_transition_latency", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.latency_nanos)))),
            ("related_cpus", What::File(cpus)),
            ("scaling_available_governors", What::File(|m, _, into| of(m, |f| put_line!(into, "{} ", f.governors)))),
            ("scaling_cur_freq", What::File(told)),
            ("scaling_driver", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.driver)))),
            ("scaling_governor", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.governor)))),
            ("scaling_max_freq", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.most_kilohertz)))),
            ("scaling_min_freq", What::File(|m, _, into| of(m, |f| put_line!(into, "{}", f.least_kilohertz)))),
            ("scaling_setspeed", What::File(|_, _, into| put_line!(into, "<unsupported>"))),
        ],
    },
    // What the counters of x86 say about the last tick.
    Group {
        under: "devices/system/cpu/cpufreq",
        each: each_counted,
        entries: &[("cpuinfo_avg_freq", What::File(|m, i, into| put_line!(into, "{}", m.kilohertz(i))))],
    },
];

fn of(moment: &Moment<'_>, write: impl FnOnce(&Frequency)) {
    if let Some(frequency) = &moment.machine.processor.frequency {
        write(frequency);
    }
}

/// The first of the CPUs whose frequency is that of this one.
fn policy(moment: &Moment<'_>, cpu: usize) -> usize {
    let is_common = moment.machine.processor.frequency.as_ref().is_some_and(|frequency| frequency.is_common);
    if is_common { 0 } else { cpu }
}

fn each_cpu(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if moment.machine.processor.frequency.is_some() {
        super::each_online_cpu(moment, visit);
    }
}

fn each_policy(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let mut last = None;
    each_cpu(moment, &mut |cpu, _| {
        let policy = policy(moment, cpu);
        if last.replace(policy) != Some(policy) {
            visit(policy, format!("policy{policy}").as_bytes());
        }
    });
}

fn each_counted(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if moment.kernel() >= AVERAGE_SINCE && matches!(moment.machine.processor.model, Model::X86(_)) {
        each_policy(moment, visit);
    }
}

/// Those that do something.
fn cpus_of(moment: &Moment<'_>, of: usize) -> impl Iterator<Item = usize> {
    moment.machine.processor.online().filter(move |&cpu| policy(moment, cpu) == of)
}

/// With spaces between them, unlike all other lists of CPUs.
fn cpus(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let names: Vec<String> = cpus_of(moment, index).map(|cpu| cpu.to_string()).collect();
    put_line!(into, "{}", names.join(" "));
}

/// What the driver says.
fn told(moment: &Moment<'_>, cpu: usize, into: &mut Vec<u8>) {
    if moment.machine.past.is_frequency_unknown {
        put_line!(into, "<unknown>");
    } else {
        put_line!(into, "{}", moment.kilohertz(cpu));
    }
}

/// What the hardware itself says is for root alone.
fn current(_: &Moment<'_>, _: usize, _: &mut Vec<u8>) -> Result<(), Errno> {
    Err(Errno::EACCES)
}
