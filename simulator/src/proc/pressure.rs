//! /proc/pressure

use crate::layout::{Group, What};
use crate::machine::KernelVersion;
use crate::moment::Moment;
use crate::moment::cpu::Stall;
use crate::text::{Hundredths, put, put_line};

pub(super) static GROUPS: [Group; 2] = [
    Group {
        under: "pressure",
        each: pressed_by_interrupts,
        entries: &[("irq", What::File(|moment, _, into| line(moment, "full", Stall::Interrupts, into)))],
    },
    Group {
        under: "pressure",
        each: pressed,
        entries: &[
            ("cpu", What::File(|moment, _, into| pressure(moment, [Stall::Cpu, Stall::CpuFull], into))),
            ("io", What::File(|moment, _, into| pressure(moment, [Stall::Io, Stall::IoFull], into))),
            ("memory", What::File(|moment, _, into| pressure(moment, [Stall::Memory, Stall::MemoryFull], into))),
        ],
    },
];

/// Since 6.1; only what all tasks wait for counts.
fn pressed_by_interrupts(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if moment.kernel() >= KernelVersion::new(6, 1) {
        visit(0, b"");
    }
}

/// Since 4.20; distributions with older kernels that have it leave it switched off.
fn pressed(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if moment.kernel() >= KernelVersion::new(4, 20) {
        visit(0, b"");
    }
}

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
