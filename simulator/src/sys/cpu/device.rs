//! /sys/devices/system/cpu/cpu*: hotplug, power management, microcode, crash notes and caches

use super::{list, mask};
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Cache, Cpu, Machine, Model, X86};
use crate::moment::Moment;
use crate::text::{put, put_line};

/// A file of constant content.
macro_rules! fixed {
    ($name:literal, $value:literal) => {
        ($name, Content::File(|_, _, into| put_line!(into, $value)))
    };
}

pub(in crate::sys) const GROUPS: Table = &[
    &Group::<Cpu> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(machine.processor.all()),
        path: |cpu, _| format!("cpu{cpu}").into(),
        entries: &[
            (
                "crash_notes",
                Content::File(|cpu, _, into| put_line!(into, "{:x}", 0x2ff_c0d0_0000 + cpu.number() * 0x4_0000)),
            ),
            fixed!("crash_notes_size", "424"),
            fixed!("hotplug/fail", "-1"),
            ("hotplug/state", Content::File(|cpu, m, into| put_line!(into, "{}", hotplug_state(m, cpu)))),
            ("hotplug/target", Content::File(|cpu, m, into| put_line!(into, "{}", hotplug_state(m, cpu)))),
            fixed!("power/async", "disabled"),
            fixed!("power/autosuspend_delay_ms", "0"),
            fixed!("power/control", "auto"),
            fixed!("power/pm_qos_resume_latency_us", "0"),
            fixed!("power/runtime_active_kids", "0"),
            fixed!("power/runtime_active_time", "0"),
            fixed!("power/runtime_enabled", "disabled"),
            fixed!("power/runtime_status", "unsupported"),
            fixed!("power/runtime_suspended_time", "0"),
            fixed!("power/runtime_usage", "0"),
            ("subsystem", Content::Link(|_, _, into| put!(into, "../../../../bus/cpu"))),
            ("uevent", Content::File(|_, _, into| put_line!(into, "DRIVER=processor"))),
        ],
    },
    &Group::<X86Cpu<'static>> {
        under: "devices/system/cpu",
        parts: |machine| match &machine.processor.model {
            Model::X86(model) => Box::new(machine.processor.online().map(move |cpu| X86Cpu { cpu, model })),
            _ => Box::new(std::iter::empty()),
        },
        path: |of, _| format!("cpu{}", of.cpu).into(),
        entries: &[
            fixed!("microcode/processor_flags", "0x0"),
            ("microcode/version", Content::File(|of, _, into| put_line!(into, "{}", of.model.microcode))),
        ],
    },
    &Group::<CpuCache<'static>> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(CpuCache::each(machine)),
        path: |of, _| format!("cpu{}/cache/index{}", of.cpu, of.index).into(),
        entries: &[
            ("coherency_line_size", Content::File(|_, _, into| put_line!(into, "{}", Cache::LINE_BYTES))),
            (
                "id",
                Content::File(|of, m, into| put_line!(into, "{}", m.machine.processor.cache_number(of.cpu, of.cache))),
            ),
            ("level", Content::File(|of, _, into| put_line!(into, "{}", of.cache.level))),
            ("number_of_sets", Content::File(|of, _, into| put_line!(into, "{}", of.cache.sets()))),
            ("physical_line_partition", Content::File(|_, _, into| put_line!(into, "1"))),
            ("shared_cpu_list", Content::File(|of, m, into| list(&of.shared(m), into))),
            ("shared_cpu_map", Content::File(|of, m, into| mask(m, &of.shared(m), into))),
            ("size", Content::File(|of, _, into| put_line!(into, "{}K", of.cache.kilobytes))),
            ("type", Content::File(|of, _, into| put_line!(into, "{}", of.cache.kind))),
            ("uevent", Content::File(|_, _, _| {})),
            ("ways_of_associativity", Content::File(|of, _, into| put_line!(into, "{}", of.cache.ways))),
        ],
    },
];

/// The kernel's last step of bringing a CPU online, or its first.
fn hotplug_state(moment: &Moment<'_>, cpu: Cpu) -> u32 {
    if moment.machine.processor.is_online(cpu) { 238 } else { 0 }
}

/// An online CPU of x86.
#[derive(Clone, Copy)]
struct X86Cpu<'a> {
    cpu: Cpu,
    model: &'a X86,
}

impl Part for X86Cpu<'static> {
    type Of<'a> = X86Cpu<'a>;
}

/// A cache of a CPU.
#[derive(Clone, Copy)]
struct CpuCache<'a> {
    cpu: Cpu,
    cache: &'a Cache,
    /// The number of the cache among those of the CPU.
    index: usize,
}

impl Part for CpuCache<'static> {
    type Of<'a> = CpuCache<'a>;
}

impl<'a> CpuCache<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let caches = || machine.processor.caches.iter().enumerate();
        machine.processor.online().flat_map(move |cpu| caches().map(move |(index, cache)| Self { cpu, cache, index }))
    }

    /// The CPUs that share the cache.
    fn shared(self, moment: &Moment<'_>) -> Vec<Cpu> {
        moment.machine.processor.cache_cpus(self.cpu, self.cache)
    }
}
