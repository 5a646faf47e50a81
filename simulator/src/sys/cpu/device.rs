//! What every CPU has as a device: hotplug, power, dumps.

use crate::layout::{Group, What};
use crate::machine::Model;
use crate::moment::Moment;
use crate::text::{put, put_line};

/// A file that holds the same on every CPU of every host.
macro_rules! fixed {
    ($name:literal, $value:literal) => {
        ($name, What::File(|_, _, into| put_line!(into, $value)))
    };
}

pub(in crate::sys) static GROUPS: [Group; 2] = [
    Group {
        under: "devices/system/cpu",
        each: super::each_cpu,
        entries: &[
            ("crash_notes", What::File(|_, i, into| put_line!(into, "{:x}", 0x2ff_c0d0_0000 + i * 0x4_0000))),
            fixed!("crash_notes_size", "424"),
            fixed!("hotplug/fail", "-1"),
            ("hotplug/state", What::File(|m, i, into| put_line!(into, "{}", hotplug_state(m, i)))),
            ("hotplug/target", What::File(|m, i, into| put_line!(into, "{}", hotplug_state(m, i)))),
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
            ("subsystem", What::Link(|_, _, into| put!(into, "../../../../bus/cpu"))),
            ("uevent", What::File(|_, _, into| put_line!(into, "DRIVER=processor"))),
        ],
    },
    Group {
        under: "devices/system/cpu",
        each: each_x86,
        entries: &[
            fixed!("microcode/processor_flags", "0x0"),
            (
                "microcode/version",
                What::File(|m, _, into| {
                    if let Model::X86(model) = &m.machine.processor.model {
                        put_line!(into, "{}", model.microcode);
                    }
                }),
            ),
        ],
    },
];

/// The last of the kernel's steps that bring a CPU up, or none of them.
fn hotplug_state(moment: &Moment<'_>, cpu: usize) -> u32 {
    if moment.machine.processor.is_online(cpu) { 238 } else { 0 }
}

pub(super) fn each_x86(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if matches!(moment.machine.processor.model, Model::X86(_)) {
        super::each_online_cpu(moment, visit);
    }
}
