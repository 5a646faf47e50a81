//! /proc/stat

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::moment::cpu::CpuTimes;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("stat", Content::File(stat))])];

fn stat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    // The first line has two spaces.
    put!(into, "cpu ");
    times(moment.cpu_times_of_all(), into);
    for cpu in moment.machine.processor.online() {
        put!(into, "cpu{cpu}");
        times(moment.cpu_times(cpu), into);
    }
    let (total, counts) = moment.interrupts();
    put!(into, "intr {total}");
    for count in counts {
        put!(into, " {count}");
    }
    put_line!(into, "\nctxt {}", moment.context_switches());
    put_line!(into, "btime {}", moment.booted_seconds());
    put_line!(into, "processes {}", moment.forks());
    put_line!(into, "procs_running {}", moment.running());
    put_line!(into, "procs_blocked {}", moment.blocked());
    put!(into, "softirq {}", moment.soft_interrupts().map(|kind| kind.total).sum::<u64>());
    for kind in moment.soft_interrupts() {
        put!(into, " {}", kind.total);
    }
    put_line!(into, "");
}

fn times(times: CpuTimes, into: &mut Vec<u8>) {
    for ticks in times.columns() {
        put!(into, " {ticks}");
    }
    put_line!(into, "");
}
