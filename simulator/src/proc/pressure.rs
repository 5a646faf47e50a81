//! /proc/pressure

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::moment::cpu::Stall;
use crate::text::{Hundredths, put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Machine> {
        under: "pressure",
        parts: |machine| each_with([machine], |machine| machine.kernel() >= INTERRUPTS_SINCE),
        path: |_, _| "".into(),
        // Interrupts have a line only for the time that stalled all tasks.
        entries: &[("irq", Content::File(|_, moment, into| line(moment, "full", Stall::Interrupts, into)))],
    },
    &Group::<Machine> {
        under: "pressure",
        parts: |machine| each_with([machine], |machine| machine.kernel() >= PRESSURE_SINCE),
        path: |_, _| "".into(),
        entries: &[
            ("cpu", Content::File(|_, moment, into| pressure(moment, [Stall::Cpu, Stall::CpuFull], into))),
            ("io", Content::File(|_, moment, into| pressure(moment, [Stall::Io, Stall::IoFull], into))),
            ("memory", Content::File(|_, moment, into| pressure(moment, [Stall::Memory, Stall::MemoryFull], into))),
        ],
    },
];

/// Distributions that backported it to older kernels leave it disabled.
const PRESSURE_SINCE: KernelVersion = KernelVersion::new(4, 20);
const INTERRUPTS_SINCE: KernelVersion = KernelVersion::new(6, 1);

fn pressure(moment: &Moment<'_>, stalls: [Stall; 2], into: &mut Vec<u8>) {
    for (name, stall) in ["some", "full"].into_iter().zip(stalls) {
        line(moment, name, stall, into);
    }
}

fn line(moment: &Moment<'_>, name: &str, stall: Stall, into: &mut Vec<u8>) {
    put!(into, "{}", name);
    for seconds in [10, 60, 300] {
        put!(into, " avg{seconds}={}", Hundredths(moment.stalled_recently(stall, seconds)));
    }
    put_line!(into, " total={}", moment.stalled_micros(stall));
}
