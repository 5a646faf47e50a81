//! /proc/PID: stat, status and the like, of processes and of their threads

pub(super) mod account;

use account::{Pages, pages, turns};

use crate::layout::{Group, What};
use crate::machine::Process;
use crate::moment::Moment;
use crate::text::{CpuList, CpuMask, put, put_line, put_numbers, put_right};

pub(super) static GROUPS: [Group; 3] = [
    Group {
        under: "",
        each: each_process,
        entries: &[
            ("cmdline", What::File(|m, i, into| process(m, i, |process| command_line(process, into)))),
            ("comm", What::File(|m, i, into| process(m, i, |process| put_line!(into, "{}", process.name)))),
            ("limits", What::File(limits)),
            ("stat", What::File(|m, i, into| process(m, i, |process| stat(m, process, 0, into)))),
            ("status", What::File(|m, i, into| process(m, i, |process| status(m, process, 0, into)))),
        ],
    },
    Group {
        under: "",
        each: each_thread,
        entries: &[
            ("comm", What::File(|m, i, into| thread(m, i, |process, _| put_line!(into, "{}", process.name)))),
            ("stat", What::File(|m, i, into| thread(m, i, |process, number| stat(m, process, number, into)))),
            ("status", What::File(|m, i, into| thread(m, i, |process, number| status(m, process, number, into)))),
        ],
    },
    Group {
        under: "",
        each: |m, visit| visit(0, format!("{}/attr", super::mounts::own_process(m)).as_bytes()),
        entries: &[("current", What::File(label))],
    },
];

/// A thing here is a thread of a process: the place of the process times this, and the number of the thread.
const THREADS_MAX: usize = 1 << 12;

fn process(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Process)) {
    if let Some(process) = moment.machine.processes.get(index) {
        write(process);
    }
}

fn thread(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Process, u32)) {
    let number = u32::try_from(index % THREADS_MAX).unwrap_or_default();
    process(moment, index / THREADS_MAX, |process| write(process, number));
}

fn each_process(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let mut path = Vec::new();
    for (index, process) in moment.machine.processes.iter().enumerate() {
        path.clear();
        put!(&mut path, "{}", process.number);
        visit(index, &path);
    }
}

fn each_thread(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let mut path = Vec::new();
    for (index, process) in moment.machine.processes.iter().enumerate() {
        for (place, thread) in (process.number..).take(process.threads as usize).enumerate() {
            path.clear();
            put!(&mut path, "{}", process.number);
            path.extend_from_slice(b"/task/");
            put!(&mut path, "{}", thread);
            visit(index * THREADS_MAX + place, &path);
        }
    }
}

/// With a zero after each word.
fn command_line(process: &Process, into: &mut Vec<u8>) {
    process.command.iter().for_each(|word| put!(into, "{word}\0"));
}

fn state(moment: &Moment<'_>, process: &Process, thread: u32) -> char {
    if thread == 0 { moment.state(process) } else { 'S' }
}

fn stat(moment: &Moment<'_>, process: &Process, thread: u32, into: &mut Vec<u8>) {
    let number = process.number + thread;
    let times = moment.process_times(process);
    let page = moment.page_kilobytes() * 1_024;
    // Threads but the first did nothing that counts.
    let (user, system) = if thread == 0 { (times.user, times.system) } else { (0, 0) };
    let flags = if process.is_kernel() { 2_129_984 } else { 4_194_560 };
    let group = if process.is_kernel() { 0 } else { process.number.into() };
    let started = u64::from(number) / 3 + 140;
    let rss = process.resident_pages;
    put!(into, "{number} ({}) {}", process.name, state(moment, process, thread));
    put_numbers(&[process.parent.into(), group, group, 0], into);
    into.extend_from_slice(b" -1");
    put_numbers(&[flags, rss * 2, 0, rss / 400, 0, user, system, 0, 0, 20, 0, process.threads.into()], into);
    put_numbers(&[0, started, rss * page * 9, rss, u64::MAX], into);
    // Addresses are not told to everybody, and of the kernel there are none.
    put_numbers(&[0; 12], into);
    put_numbers(&[17, last_cpu(moment, number) as u64], into);
    put_numbers(&[0; 13], into);
    into.push(b'\n');
}

/// The CPU that a thread ran on last: where it ever is, or the first if that one is away.
fn last_cpu(moment: &Moment<'_>, number: u32) -> usize {
    let processor = &moment.machine.processor;
    let usual = number as usize % processor.cpus;
    if processor.is_online(usual) { usual } else { processor.online().next().unwrap_or_default() }
}

fn status(moment: &Moment<'_>, process: &Process, thread: u32, into: &mut Vec<u8>) {
    let state = match state(moment, process, thread) {
        'R' => "R (running)",
        'D' => "D (disk sleep)",
        'I' => "I (idle)",
        _ => "S (sleeping)",
    };
    into.extend_from_slice(b"Name:\t");
    put!(into, "{}", process.name);
    into.extend_from_slice(b"\nUmask:\t0022\nState:\t");
    put_line!(into, "{}", state);
    field("Tgid", &[process.number.into()], into);
    into.extend_from_slice(b"Ngid:\t0\n");
    field("Pid", &[(process.number + thread).into()], into);
    field("PPid", &[process.parent.into()], into);
    into.extend_from_slice(b"TracerPid:\t0\n");
    for name in ["Uid", "Gid"] {
        field(name, &[process.user.into(); 4], into);
    }
    into.extend_from_slice(b"FDSize:\t64\nGroups:\t \n");
    if !process.is_kernel() {
        memory(moment, process, into);
    }
    field("Threads", &[process.threads.into()], into);
    into.extend_from_slice(b"SigQ:\t0/");
    put_line!(into, "{}", processes_max(moment));
    for name in ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        into.extend_from_slice(name.as_bytes());
        into.extend_from_slice(b":\t0000000000000000\n");
    }
    into.extend_from_slice(b"NoNewPrivs:\t0\nSeccomp:\t0\nCpus_allowed:\t");
    let cpus = moment.machine.processor.all_cpus();
    put_line!(into, "{}", CpuMask { cpus: &cpus, possible: cpus.len() });
    into.extend_from_slice(b"Cpus_allowed_list:\t");
    put_line!(into, "{}", CpuList(&cpus));
    let [given, taken] = turns(moment, process);
    field("voluntary_ctxt_switches", &[given], into);
    field("nonvoluntary_ctxt_switches", &[taken], into);
}

fn memory(moment: &Moment<'_>, process: &Process, into: &mut Vec<u8>) {
    let Pages { size, resident, shared, text, data, stack } = pages(moment, process);
    let page = moment.page_kilobytes();
    for (name, pages) in [
        ("VmPeak", size),
        ("VmSize", size),
        ("VmLck", 0),
        ("VmPin", 0),
        ("VmHWM", resident * 11 / 10),
        ("VmRSS", resident),
        ("RssAnon", resident - shared),
        ("RssFile", shared),
        ("RssShmem", 0),
        ("VmData", data),
        ("VmStk", stack),
        ("VmExe", text),
        ("VmLib", resident / 5),
        ("VmPTE", resident / 40 + 10),
        ("VmSwap", 0),
    ] {
        into.extend_from_slice(name.as_bytes());
        into.extend_from_slice(b":\t");
        put_right(pages * page, 8, into);
        into.extend_from_slice(b" kB\n");
    }
}

/// A name and its numbers, each behind a tab.
fn field(name: &str, numbers: &[u64], into: &mut Vec<u8>) {
    into.extend_from_slice(name.as_bytes());
    into.push(b':');
    for &number in numbers {
        into.push(b'\t');
        put!(into, "{}", number);
    }
    into.push(b'\n');
}

/// The columns are as wide as the kernel makes them, the last one as well.
fn limits(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let processes = processes_max(moment);
    put!(
        into,
        "\
         Limit                     Soft Limit           Hard Limit           Units     \n\
         Max cpu time              unlimited            unlimited            seconds   \n\
         Max file size             unlimited            unlimited            bytes     \n\
         Max data size             unlimited            unlimited            bytes     \n\
         Max stack size            8388608              unlimited            bytes     \n\
         Max core file size        0                    unlimited            bytes     \n\
         Max resident set          unlimited            unlimited            bytes     \n\
         Max processes             {processes:<21}{processes:<21}processes \n\
         Max open files            1024                 524288               files     \n\
         Max locked memory         8388608              8388608              bytes     \n\
         Max address space         unlimited            unlimited            bytes     \n\
         Max file locks            unlimited            unlimited            locks     \n\
         Max pending signals       {processes:<21}{processes:<21}signals   \n\
         Max msgqueue size         819200               819200               bytes     \n\
         Max nice priority         0                    0                              \n\
         Max realtime priority     0                    0                              \n\
         Max realtime timeout      unlimited            unlimited            us        \n"
    );
}

/// How many processes and signals a user may have.
fn processes_max(moment: &Moment<'_>) -> u64 {
    moment.machine.memory.pages / 64
}

/// What SELinux calls the process that asks; others have a word for that there is no rule.
fn label(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    if crate::sys::selinux::is_enforced(moment.machine) {
        put!(into, "system_u:system_r:unconfined_service_t:s0\0");
    } else {
        put_line!(into, "unconfined");
    }
}
