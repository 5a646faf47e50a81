//! /sys/devices/system/cpu

pub(super) mod cache;
pub(super) mod cpufreq;
pub(super) mod device;
pub(super) mod idle;

use crate::layout::{Group, What, once};
use crate::machine::Model;
use crate::moment::Moment;
use crate::text::{CpuList, CpuMask, put_line};

pub(super) static GROUPS: [Group; 4] = [
    Group {
        under: "devices/system/cpu",
        each: once,
        entries: &[
            ("isolated", What::File(|_, _, into| put_line!(into, ""))),
            ("kernel_max", What::File(|_, _, into| put_line!(into, "8191"))),
            ("offline", What::File(|m, _, into| list(&offline(m), into))),
            ("online", What::File(|m, _, into| list(&m.machine.processor.online().collect::<Vec<_>>(), into))),
            ("possible", What::File(all)),
            ("present", What::File(all)),
        ],
    },
    Group {
        under: "devices/system/cpu",
        each: each_online_cpu,
        entries: &[
            ("topology/cluster_cpus", What::File(|m, i, into| mask(m, &m.machine.processor.core_cpus(i), into))),
            ("topology/cluster_cpus_list", What::File(|m, i, into| list(&m.machine.processor.core_cpus(i), into))),
            ("topology/cluster_id", What::File(|m, i, into| put_line!(into, "{}", m.machine.processor.core(i)))),
            ("topology/core_cpus", What::File(|m, i, into| mask(m, &m.machine.processor.core_cpus(i), into))),
            ("topology/core_cpus_list", What::File(|m, i, into| list(&m.machine.processor.core_cpus(i), into))),
            ("topology/core_id", What::File(|m, i, into| put_line!(into, "{}", m.machine.processor.core(i)))),
            ("topology/core_siblings", What::File(|m, i, into| mask(m, &m.machine.processor.socket_cpus(i), into))),
            ("topology/core_siblings_list", What::File(|m, i, into| list(&m.machine.processor.socket_cpus(i), into))),
            ("topology/die_cpus", What::File(|m, i, into| mask(m, &m.machine.processor.socket_cpus(i), into))),
            ("topology/die_cpus_list", What::File(|m, i, into| list(&m.machine.processor.socket_cpus(i), into))),
            ("topology/die_id", What::File(|_, _, into| put_line!(into, "0"))),
            ("topology/package_cpus", What::File(|m, i, into| mask(m, &m.machine.processor.socket_cpus(i), into))),
            ("topology/package_cpus_list", What::File(|m, i, into| list(&m.machine.processor.socket_cpus(i), into))),
            (
                "topology/physical_package_id",
                What::File(|m, i, into| put_line!(into, "{}", m.machine.processor.socket(i))),
            ),
            ("topology/thread_siblings", What::File(|m, i, into| mask(m, &m.machine.processor.core_cpus(i), into))),
            ("topology/thread_siblings_list", What::File(|m, i, into| list(&m.machine.processor.core_cpus(i), into))),
        ],
    },
    // Only Intel's CPUs count this.
    Group {
        under: "devices/system/cpu",
        each: each_throttled_cpu,
        entries: &[
            ("thermal_throttle/core_throttle_count", What::File(core_throttles)),
            ("thermal_throttle/package_throttle_count", What::File(package_throttles)),
        ],
    },
    Group {
        under: "devices/system/cpu",
        each: each_removable_cpu,
        entries: &[(
            "online",
            What::File(|m, i, into| put_line!(into, "{}", u8::from(m.machine.processor.is_online(i)))),
        )],
    },
];

fn each_cpu(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for cpu in 0..moment.machine.processor.cpus {
        visit(cpu, format!("cpu{cpu}").as_bytes());
    }
}

/// Those that do something; of others there is hardly more than the switch.
fn each_online_cpu(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for cpu in moment.machine.processor.online() {
        visit(cpu, format!("cpu{cpu}").as_bytes());
    }
}

fn each_throttled_cpu(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if matches!(&moment.machine.processor.model, Model::X86(model) if model.vendor == "GenuineIntel") {
        each_online_cpu(moment, visit);
    }
}

/// One that cannot be taken away has no such file.
fn each_removable_cpu(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_cpu(moment, &mut |cpu, path| {
        if moment.machine.processor.is_removable(cpu) {
            visit(cpu, path);
        }
    });
}

fn all(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    list(&moment.machine.processor.all_cpus(), into);
}

fn offline(moment: &Moment<'_>) -> Vec<usize> {
    let processor = &moment.machine.processor;
    (0..processor.cpus).filter(|&cpu| !processor.is_online(cpu)).collect()
}

fn list(cpus: &[usize], into: &mut Vec<u8>) {
    put_line!(into, "{}", CpuList(cpus));
}

fn mask(moment: &Moment<'_>, cpus: &[usize], into: &mut Vec<u8>) {
    put_line!(into, "{}", CpuMask { cpus, possible: moment.machine.processor.cpus });
}

/// The same for all threads of a core.
fn core_throttles(moment: &Moment<'_>, cpu: usize, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let first = processor.first_of_core(cpu);
    let count = processor.loads.get(first).map_or(0, |load| moment.throttles(&load.wave, 5_400 * 1_000 / load.share));
    put_line!(into, "{}", count);
}

/// The same for all CPUs of a socket.
fn package_throttles(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    put_line!(into, "{}", moment.throttles(&moment.machine.load, 3_600));
}
