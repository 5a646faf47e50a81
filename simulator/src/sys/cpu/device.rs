//! /sys/devices/system/cpu/cpu*: hotplug, power management, microcode and crash notes

use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Cpu, Model, X86};
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
