//! /proc/PID and /proc/PID/task/TID: stat, status, comm and other files of processes and threads

pub(super) mod account;

use account::{Pages, pages, turns};

use super::mounts::own_process;
use crate::layout::{Content, Group, Part, Table, each};
use crate::machine::{Cpu, Machine, Process};
use crate::moment::Moment;
use crate::text::{BitMask, RangeList, put, put_line, put_numbers, put_right};

pub(super) const GROUPS: Table = &[
    &Group::<Process> {
        under: "",
        parts: |machine| each(&machine.processes),
        path: |process, _| process.number.to_string().into(),
        entries: &[
            ("cmdline", Content::File(|process, _, into| command_line(process, into))),
            ("comm", Content::File(|process, _, into| put_line!(into, "{}", process.name))),
            ("limits", Content::File(limits)),
            ("stat", Content::File(|process, moment, into| stat(Thread::leader(process), moment, into))),
            ("status", Content::File(|process, moment, into| status(Thread::leader(process), moment, into))),
        ],
    },
    &Group::<Thread<'static>> {
        under: "",
        parts: |machine| Box::new(machine.processes.iter().flat_map(Thread::of)),
        path: |thread, _| format!("{}/task/{}", thread.process.number, thread.number()).into(),
        entries: &[
            ("comm", Content::File(|thread, _, into| put_line!(into, "{}", thread.process.name))),
            ("stat", Content::File(stat)),
            ("status", Content::File(status)),
        ],
    },
    &Group::<Machine> {
        under: "",
        parts: |machine| each([machine]),
        path: |_, machine| format!("{}/attr", own_process(machine)).into(),
        entries: &[("current", Content::File(label))],
    },
];

/// A thread of a process.
#[derive(Clone, Copy)]
struct Thread<'a> {
    process: &'a Process,
    /// 0 for the first thread.
    offset: u32,
}

impl Part for Thread<'static> {
    type Of<'a> = Thread<'a>;
}

impl<'a> Thread<'a> {
    fn of(process: &'a Process) -> impl Iterator<Item = Self> {
        (0..process.threads).map(move |offset| Self { process, offset })
    }

    /// The main thread of a process.
    fn leader(process: &'a Process) -> Self {
        Self { process, offset: 0 }
    }

    fn is_leader(self) -> bool {
        self.offset == 0
    }

    fn number(self) -> u32 {
        self.process.number + self.offset
    }

    fn state(self, moment: &Moment<'_>) -> char {
        if self.is_leader() { moment.state(self.process) } else { 'S' }
    }
}

/// Each word ends with a NUL byte.
fn command_line(process: &Process, into: &mut Vec<u8>) {
    process.command.iter().for_each(|word| put!(into, "{word}\0"));
}

fn stat(thread: Thread<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let Thread { process, .. } = thread;
    let number = thread.number();
    let times = moment.process_times(process);
    let page = moment.page_kilobytes() * 1_024;
    // The whole time of a process is attributed to its first thread.
    let (user, system) = if thread.is_leader() { (times.user, times.system) } else { (0, 0) };
    let flags = if process.is_kernel() { 2_129_984 } else { 4_194_560 };
    let group = if process.is_kernel() { 0 } else { process.number.into() };
    let started = u64::from(number) / 3 + 140;
    let rss = process.resident_pages;
    put!(into, "{number} ({}) {}", process.name, thread.state(moment));
    put_numbers(&[process.parent.into(), group, group, 0], into);
    into.extend_from_slice(b" -1");
    put_numbers(&[flags, rss * 2, 0, rss / 400, 0, user, system, 0, 0, 20, 0, process.threads.into()], into);
    put_numbers(&[0, started, rss * page * 9, rss, u64::MAX], into);
    // Addresses are hidden from other users.
    put_numbers(&[0; 12], into);
    put_numbers(&[17, last_cpu(moment, number).number() as u64], into);
    put_numbers(&[0; 13], into);
    into.push(b'\n');
}

/// The last CPU of a thread: a constant one, or the first CPU while that one is offline.
fn last_cpu(moment: &Moment<'_>, number: u32) -> Cpu {
    let processor = &moment.machine.processor;
    let usual = Cpu::new(number as usize % processor.cpus);
    if processor.is_online(usual) { usual } else { processor.online().next().unwrap_or(usual) }
}

fn status(thread: Thread<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let Thread { process, .. } = thread;
    let state = match thread.state(moment) {
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
    field("Pid", &[thread.number().into()], into);
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
    let cpus: Vec<Cpu> = moment.machine.processor.all().collect();
    put_line!(into, "{}", BitMask { set: &cpus, width: cpus.len() });
    into.extend_from_slice(b"Cpus_allowed_list:\t");
    put_line!(into, "{}", RangeList(&cpus));
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

/// A name and its numbers, separated by tabs.
fn field(name: &str, numbers: &[u64], into: &mut Vec<u8>) {
    into.extend_from_slice(name.as_bytes());
    into.push(b':');
    for &number in numbers {
        into.push(b'\t');
        put!(into, "{}", number);
    }
    into.push(b'\n');
}

/// Writes columns with the widths of the kernel, including the blanks after the last one.
fn limits(_: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
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

/// The maximum number of processes of a user, and of pending signals.
fn processes_max(moment: &Moment<'_>) -> u64 {
    moment.machine.memory.pages / 64
}

/// The security label of the reading process.
fn label(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    if crate::sys::selinux::is_enforced(moment.machine) {
        put!(into, "system_u:system_r:unconfined_service_t:s0\0");
    } else {
        put_line!(into, "unconfined");
    }
}
