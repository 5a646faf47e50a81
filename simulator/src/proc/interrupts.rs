//! /proc/interrupts and /proc/softirqs

use crate::layout::{Content, Group, Table};
use crate::machine::{Architecture, InterruptLine, LocalInterrupt, Machine, Trigger};
use crate::moment::Moment;
use crate::moment::cpu::Spread;
use crate::moment::kernel::SOFT_INTERRUPTS;
use crate::text::{put, put_line, put_right};

pub(super) const GROUPS: Table =
    &[&Group::of_host("", &[("interrupts", Content::File(interrupts)), ("softirqs", Content::File(softirqs))])];

/// The width of a count.
const COUNT_COLUMNS: usize = 10;

fn interrupts(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let interrupts = &moment.machine.interrupts;
    // The names of rows are as wide as the last line number, at least three columns.
    let last = interrupts.lines.last().map_or(0, |line| line.number);
    let width = last.to_string().len().max(3);
    put!(into, "{:1$}", "", width + 8);
    for cpu in moment.machine.processor.online() {
        put!(into, "CPU{cpu:<8}");
    }
    put_line!(into, "");
    match moment.machine.system.architecture {
        Architecture::X86_64 => {
            interrupts.lines.iter().for_each(|line| pc(moment, line, width, into));
            interrupts.local.iter().for_each(|local| named(moment, local, width, "  ", into));
            put_line!(into, "{:>width$}: {:>COUNT_COLUMNS$}", "ERR", 0);
            put_line!(into, "{:>width$}: {:>COUNT_COLUMNS$}", "MIS", 0);
        }
        Architecture::Aarch64 { .. } | Architecture::Ppc64le => {
            interrupts.lines.iter().for_each(|line| other(moment, line, width, into));
            interrupts.local.iter().for_each(|local| named(moment, local, width, "      ", into));
            if moment.machine.system.architecture == Architecture::Ppc64le {
                return;
            }
            put_line!(into, "{:>width$}: {:>COUNT_COLUMNS$}", "Err", 0);
        }
        Architecture::S390x => mainframe(moment, into),
    }
}

fn counts(moment: &Moment<'_>, spread: &Spread, into: &mut Vec<u8>) {
    for cpu in moment.machine.processor.online() {
        // A table of a thousand CPUs has a million of these.
        put_right(moment.part_of_cpu(spread, cpu), COUNT_COLUMNS, into);
        into.push(b' ');
    }
}

fn pc(moment: &Moment<'_>, line: &InterruptLine, width: usize, into: &mut Vec<u8>) {
    let trigger = if line.trigger == Trigger::Edge { "edge" } else { "fasteoi" };
    put!(into, "{:>width$}: ", line.number);
    counts(moment, &moment.line_interrupts(line), into);
    put_line!(into, " {:>8} {:>width$}-{trigger:<8}  {}", line.chip, line.hardware, line.action);
}

fn other(moment: &Moment<'_>, line: &InterruptLine, width: usize, into: &mut Vec<u8>) {
    let trigger = if line.trigger == Trigger::Edge { "Edge" } else { "Level" };
    put!(into, "{:>width$}: ", line.number);
    counts(moment, &moment.line_interrupts(line), into);
    put_line!(into, " {:>8} {:>width$} {trigger:<8}  {}", line.chip, line.hardware, line.action);
}

fn named(moment: &Moment<'_>, local: &LocalInterrupt, width: usize, gap: &str, into: &mut Vec<u8>) {
    put!(into, "{:>width$}: ", local.name);
    counts(moment, &moment.local_interrupts(local), into);
    put_line!(into, "{gap}{}", local.description);
}

/// First the sums of the classes, then the interrupts of each class.
fn mainframe(moment: &Moment<'_>, into: &mut Vec<u8>) {
    let local = moment.machine.interrupts.local;
    for (name, class) in [("EXT", "[EXT]"), ("I/O", "[I/O]"), ("AIO", "[AIO]")] {
        put!(into, "{name}: ");
        for cpu in moment.machine.processor.online() {
            let of_class = local.iter().filter(|local| local.description.starts_with(class));
            let sum = of_class.map(|local| moment.part_of_cpu(&moment.local_interrupts(local), cpu)).sum();
            put_right(sum, COUNT_COLUMNS, into);
            into.push(b' ');
        }
        put_line!(into, "");
    }
    for local in local {
        put!(into, "{}: ", local.name);
        counts(moment, &moment.local_interrupts(local), into);
        put_line!(into, " {}", local.description);
    }
}

fn softirqs(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    // Unlike other tables, this one has columns for offline CPUs.
    let cpus = || moment.machine.processor.all();
    put!(into, "                    ");
    for cpu in cpus() {
        put!(into, "CPU{cpu:<8}");
    }
    put_line!(into, "");
    for ((name, _), kind) in SOFT_INTERRUPTS.iter().zip(moment.soft_interrupts()) {
        put!(into, "{name:>12}:");
        for cpu in cpus() {
            put!(into, " {:>10}", moment.part_of_cpu(&kind, cpu));
        }
        put_line!(into, "");
    }
}
