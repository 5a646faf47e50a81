//! CPU time, load and scheduling: /proc/stat, loadavg, uptime, schedstat and pressure

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::moment::cpu::{CpuTimes, Stall};
use crate::text::{Hundredths, put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::of_host(
        "",
        &[
            ("stat", Content::File(stat)),
            ("loadavg", Content::File(loadavg)),
            ("uptime", Content::File(uptime)),
            ("schedstat", Content::File(schedstat)),
        ],
    ),
    &Group::<Machine> {
        under: "pressure",
        parts: |machine| each_with([machine], |machine| machine.kernel() >= INTERRUPTS_SINCE),
        path: |_, _| "".into(),
        // Interrupts have a line only for the time that stalled all tasks.
        entries: &[("irq", Content::File(|_, moment, into| stall_line(moment, "full", Stall::Interrupts, into)))],
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

fn stat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    // The first line has two spaces.
    put!(into, "cpu ");
    put_times(moment.cpu_times_of_all(), into);
    for cpu in moment.machine.processor.online() {
        put!(into, "cpu{cpu}");
        put_times(moment.cpu_times(cpu), into);
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

fn put_times(times: CpuTimes, into: &mut Vec<u8>) {
    for ticks in times.columns() {
        put!(into, " {ticks}");
    }
    put_line!(into, "");
}

fn loadavg(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let [one, five, fifteen] = [60, 300, 900].map(|seconds| Hundredths(moment.load_average(seconds)));
    let (running, threads, last) = (moment.running(), moment.threads(), moment.last_process());
    put_line!(into, "{one} {five} {fifteen} {running}/{threads} {last}");
}

fn uptime(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{} {}", Hundredths(moment.uptime_hundredths()), Hundredths(moment.idle_hundredths()));
}

/// Ticks of 4 milliseconds at the boot: five minutes before 32 bits wrap.
const FIRST_TIMESTAMP: u64 = 4_294_892_296;

fn schedstat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "version 16");
    put_line!(into, "timestamp {}", FIRST_TIMESTAMP + moment.uptime_hundredths() * 10 / 4);
    for cpu in moment.machine.processor.online() {
        let [running, waiting, timeslices] = moment.scheduled(cpu);
        put_line!(into, "cpu{cpu} 0 0 0 0 0 0 {running} {waiting} {timeslices}");
    }
}

/// Distributions that backported it to older kernels leave it disabled.
const PRESSURE_SINCE: KernelVersion = KernelVersion::new(4, 20);
const INTERRUPTS_SINCE: KernelVersion = KernelVersion::new(6, 1);

fn pressure(moment: &Moment<'_>, stalls: [Stall; 2], into: &mut Vec<u8>) {
    for (name, stall) in ["some", "full"].into_iter().zip(stalls) {
        stall_line(moment, name, stall, into);
    }
}

fn stall_line(moment: &Moment<'_>, name: &str, stall: Stall, into: &mut Vec<u8>) {
    put!(into, "{}", name);
    for seconds in [10, 60, 300] {
        put!(into, " avg{seconds}={}", Hundredths(moment.stalled_recently(stall, seconds)));
    }
    put_line!(into, " total={}", moment.stalled_micros(stall));
}
