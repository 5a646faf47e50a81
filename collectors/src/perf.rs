//! Events that CPUs and the kernel count, by `perf_event_open(2)`.
//!
//! Like node_exporter, counts are shown as the kernel gives them: of an event that shared a hardware counter with others,
//! the part that was counted.

use crate::cpu::list;
use crate::declare;
use crate::host::errno::Errno;
use crate::host::kernel::KernelError;
use crate::host::kernel::perf::{PerfEvent, PerfQuery, PerfType};
use crate::kit::family::{Family, Tabled};
use crate::kit::options::{Flag, Texts};
use crate::kit::page::PageOf;
use crate::kit::prelude::*;

/// The perf collector.
#[derive(Debug)]
pub struct Perf {
    /// The CPUs of the operator; `None` for all that are online.
    given: Option<Vec<u32>>,
    cpus: Vec<u32>,
    groups: Vec<(&'static str, Vec<Profiler>)>,
    tracepoints: Vec<Tracepoint>,
}

/// An event with its family.
type Profiler = (PerfEvent<'static>, Family<Perf, Tabled, PerCpu<'static>>);

/// A row of a table: the name in flags and the event, with the family.
type EventFamily = ((&'static str, PerfEvent<'static>), Family<Perf, Tabled, PerCpu<'static>>);

/// A tracepoint of the operator.
#[derive(Debug)]
struct Tracepoint {
    /// `sched:sched_switch`.
    name: String,
    /// The length of `sched`.
    subsystem_bytes: usize,
}

declare! {
    Perf: "perf", off, "Events counted by perf: hardware, caches, software and tracepoints.";
    labels {
        PerCpu { cpu }
    }
    reads {
        ONLINE: File Sys "devices/system/cpu/online";
        TRACEFS_ID: File Sys "kernel/tracing/events/*/*/id";
        DEBUGFS_ID: File Sys "kernel/debug/tracing/events/*/*/id";
    }
    flags {
        CPUS: Text "collector.perf.cpus" = "", "CPUs to count on, as `0-3,8` or `0-15:4`; all online CPUs if empty.";
        TRACEPOINTS: Texts "collector.perf.tracepoint" = "", "Tracepoint to count, as `subsystem:event`; repeatable.";
        NO_HARDWARE: Switch "collector.perf.disable-hardware-profilers" = "false", "Do not count hardware events.";
        HARDWARE_NAMES: Texts "collector.perf.hardware-profilers" = "", "Hardware event to count, such as `CpuCycles`; repeatable.";
        NO_SOFTWARE: Switch "collector.perf.disable-software-profilers" = "false", "Do not count software events.";
        SOFTWARE_NAMES: Texts "collector.perf.software-profilers" = "", "Software event to count, such as `PageFault`; repeatable.";
        NO_CACHE: Switch "collector.perf.disable-cache-profilers" = "false", "Do not count events of caches.";
        CACHE_NAMES: Texts "collector.perf.cache-profilers" = "", "Event of a cache to count, such as `LLReadMiss`; repeatable.";
    }
    /// Events by their names in flags.
    table HARDWARE: (&'static str, PerfEvent<'static>) => PerCpu {
        ("CpuCycles", hardware("cpu-cycles", 0)) => Counter "node_perf_cpucycles_total" "CPU cycles at the actual frequency.";
        ("CpuInstr", hardware("instructions", 1)) => Counter "node_perf_instructions_total" "Instructions retired.";
        ("CacheRef", hardware("cache-references", 2)) => Counter "node_perf_cache_refs_total" "Cache accesses, usually of the last level.";
        ("CacheMisses", hardware("cache-misses", 3)) => Counter "node_perf_cache_misses_total" "Cache misses, usually of the last level.";
        ("BranchInstr", hardware("branch-instructions", 4)) => Counter "node_perf_branch_instructions_total" "Branch instructions retired.";
        ("BranchMisses", hardware("branch-misses", 5)) => Counter "node_perf_branch_misses_total" "Mispredicted branches.";
        ("StalledCyclesFrontend", hardware("stalled-cycles-frontend", 7)) => Counter "node_perf_stalled_cycles_frontend_total" "Cycles in which no instruction could be issued.";
        ("StalledCyclesBackend", hardware("stalled-cycles-backend", 8)) => Counter "node_perf_stalled_cycles_backend_total" "Cycles in which no instruction could be retired.";
        ("RefCpuCycles", hardware("ref-cycles", 9)) => Counter "node_perf_ref_cpucycles_total" "CPU cycles at a constant frequency.";
    }
    table SOFTWARE: (&'static str, PerfEvent<'static>) => PerCpu {
        ("PageFault", software("page-faults", 2)) => Counter "node_perf_page_faults_total" "Page faults.";
        ("ContextSwitch", software("context-switches", 3)) => Counter "node_perf_context_switches_total" "Context switches.";
        ("CpuMigration", software("cpu-migrations", 4)) => Counter "node_perf_cpu_migrations_total" "Tasks moved to another CPU.";
        ("MinorFault", software("minor-faults", 5)) => Counter "node_perf_minor_faults_total" "Page faults without disk reads.";
        ("MajorFault", software("major-faults", 6)) => Counter "node_perf_major_faults_total" "Page faults with disk reads.";
    }
    table CACHE: (&'static str, PerfEvent<'static>) => PerCpu {
        ("L1DataReadHit", cache("L1-dcache-loads", 0)) => Counter "node_perf_cache_l1d_read_hits_total" "Reads of the level 1 data cache.";
        ("L1DataReadMiss", cache("L1-dcache-load-misses", MISS)) => Counter "node_perf_cache_l1d_read_misses_total" "Reads that missed the level 1 data cache.";
        ("L1DataWriteHit", cache("L1-dcache-stores", WRITE)) => Counter "node_perf_cache_l1d_write_hits_total" "Writes to the level 1 data cache.";
        ("L1InstrReadMiss", cache("L1-icache-load-misses", 1 | MISS)) => Counter "node_perf_cache_l1_instr_read_misses_total" "Reads that missed the level 1 instruction cache.";
        ("LLReadHit", cache("LLC-loads", 2)) => Counter "node_perf_cache_ll_read_hits_total" "Reads of the last level cache.";
        ("LLReadMiss", cache("LLC-load-misses", 2 | MISS)) => Counter "node_perf_cache_ll_read_misses_total" "Reads that missed the last level cache.";
        ("LLWriteHit", cache("LLC-stores", 2 | WRITE)) => Counter "node_perf_cache_ll_write_hits_total" "Writes to the last level cache.";
        ("LLWriteMiss", cache("LLC-store-misses", 2 | WRITE | MISS)) => Counter "node_perf_cache_ll_write_misses_total" "Writes that missed the last level cache.";
        ("DataTLBReadHit", cache("dTLB-loads", 3)) => Counter "node_perf_cache_tlb_data_read_hits_total" "Read lookups in the data TLB.";
        ("DataTLBReadMiss", cache("dTLB-load-misses", 3 | MISS)) => Counter "node_perf_cache_tlb_data_read_misses_total" "Read lookups that missed the data TLB.";
        ("DataTLBWriteHit", cache("dTLB-stores", 3 | WRITE)) => Counter "node_perf_cache_tlb_data_write_hits_total" "Write lookups in the data TLB.";
        ("DataTLBWriteMiss", cache("dTLB-store-misses", 3 | WRITE | MISS)) => Counter "node_perf_cache_tlb_data_write_misses_total" "Write lookups that missed the data TLB.";
        ("InstrTLBReadHit", cache("iTLB-loads", 4)) => Counter "node_perf_cache_tlb_instr_read_hits_total" "Lookups in the instruction TLB.";
        ("InstrTLBReadMiss", cache("iTLB-load-misses", 4 | MISS)) => Counter "node_perf_cache_tlb_instr_read_misses_total" "Lookups that missed the instruction TLB.";
        ("BPUReadHit", cache("branch-loads", 5)) => Counter "node_perf_cache_bpu_read_hits_total" "Lookups of the branch predictor.";
        ("BPUReadMiss", cache("branch-load-misses", 5 | MISS)) => Counter "node_perf_cache_bpu_read_misses_total" "Lookups that missed the branch predictor.";
    }
    prefixes {
        TRACEPOINT: Counter "node_perf_" PerCpu "Hits of the tracepoint {}.";
    }
}

/// `PERF_COUNT_HW_CACHE_OP_WRITE`, in its place. Reads and accesses are 0, and the lowest bits are the cache.
const WRITE: u64 = 1 << 8;
/// `PERF_COUNT_HW_CACHE_RESULT_MISS`, in its place.
const MISS: u64 = 1 << 16;

const fn hardware(name: &'static str, config: u64) -> PerfEvent<'static> {
    PerfEvent { name: name.as_bytes(), kind: PerfType::Hardware, config }
}

const fn software(name: &'static str, config: u64) -> PerfEvent<'static> {
    PerfEvent { name: name.as_bytes(), kind: PerfType::Software, config }
}

const fn cache(name: &'static str, config: u64) -> PerfEvent<'static> {
    PerfEvent { name: name.as_bytes(), kind: PerfType::HardwareCache, config }
}

/// The events of all profilers.
pub fn events() -> impl Iterator<Item = PerfEvent<'static>> {
    HARDWARE.into_iter().chain(SOFTWARE).chain(CACHE).map(|((_, event), _)| event)
}

impl Collect for Perf {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let mut groups = Vec::new();
        for (is_disabled, word, flag, table) in [
            (NO_HARDWARE, "hardware", HARDWARE_NAMES, &HARDWARE[..]),
            (NO_SOFTWARE, "software", SOFTWARE_NAMES, &SOFTWARE[..]),
            (NO_CACHE, "cache", CACHE_NAMES, &CACHE[..]),
        ] {
            if !options.get(is_disabled) {
                groups.push((word, selected(options, flag, table)));
            }
        }
        let cpus = options.get(CPUS);
        let given = if cpus.is_empty() { None } else { Some(parse_cpus(cpus)?) };
        let tracepoints = options.get(TRACEPOINTS).iter().map(|name| parse_tracepoint(name));
        let tracepoints = tracepoints.collect::<Result<_, _>>()?;
        Ok(Self { given, cpus: Vec::new(), groups, tracepoints })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { given, cpus, groups, tracepoints } = self;
        cpus.clear();
        match given {
            Some(given) => cpus.extend_from_slice(given),
            None => online(cpus, cx)?,
        }
        let (mut has_counts, mut first_refused) = (false, None);
        for Tracepoint { name, subsystem_bytes } in tracepoints.iter() {
            let Some(config) = tracepoint_id(name, *subsystem_bytes, cx) else { continue };
            let event = PerfEvent { name: name.as_bytes(), kind: PerfType::Tracepoint, config };
            let (subsystem, rest) = name.as_bytes().split_at(*subsystem_bytes);
            let words = [subsystem, b"_", rest.get(1..).unwrap_or_default()];
            let mut refused = Refused::default();
            has_counts |= refused.count(event, cpus, cx, |page, cpu, count| {
                page.named(TRACEPOINT, &words, PerCpu { cpu: &cpu }, count);
            });
            first_refused = first_refused.or(refused.report("tracepoint", cx.problems));
        }
        for (word, profilers) in groups {
            let mut refused = Refused::default();
            for &(event, family) in profilers.iter() {
                let emit = |page: &mut PageOf<'_, Self>, cpu, count| page.tabled(family, PerCpu { cpu: &cpu }, count);
                has_counts |= refused.count(event, cpus, cx, emit);
            }
            first_refused = first_refused.or(refused.report(word, cx.problems));
        }
        match first_refused {
            Some(error) if !has_counts && is_expected(error) => Err(Failure::no_data("no event can be counted")),
            Some(_) if !has_counts => Err(Failure::error("no event can be counted")),
            _ => Ok(()),
        }
    }
}

/// Whether the reason is that the host does not have the event.
fn is_expected(error: KernelError) -> bool {
    matches!(error, KernelError::Unsupported | KernelError::Errno(Errno::ENOENT | Errno::EOPNOTSUPP | Errno::ENOSYS))
}

/// Counters of a group of events that cannot be counted.
#[derive(Default, Debug)]
struct Refused {
    /// Event, CPU and reason of the first one. An event that no CPU counts has no CPU.
    first: Option<(Vec<u8>, Option<u32>, KernelError)>,
    counters: usize,
    asked: usize,
}

impl Refused {
    /// Emits the counts of an event, and returns whether there are any.
    fn count(
        &mut self,
        event: PerfEvent<'_>,
        cpus: &[u32],
        cx: &mut Cx<'_, Perf>,
        emit: impl Fn(&mut PageOf<'_, Perf>, u32, u64),
    ) -> bool {
        let Cx { page, kernel, .. } = cx;
        let mut has_counts = false;
        self.asked += cpus.len();
        let answer = kernel.perf(&PerfQuery { event, cpus }, &mut |found| match found.count {
            Ok(count) => {
                has_counts = true;
                emit(page, found.cpu, count);
            }
            Err(errno) => self.add(1, event, Some(found.cpu), errno.into()),
        });
        if let Err(error) = answer {
            self.add(cpus.len(), event, None, error);
        }
        has_counts
    }

    fn add(&mut self, counters: usize, event: PerfEvent<'_>, cpu: Option<u32>, error: KernelError) {
        self.counters += counters;
        self.first.get_or_insert_with(|| (event.name.to_vec(), cpu, error));
    }

    /// Reports all of them as one problem, which node_exporter has as well and passes over. Returns the first reason.
    fn report(self, group: &str, problems: &mut Problems) -> Option<KernelError> {
        let (event, cpu, error) = self.first?;
        let (counters, asked, event) = (self.counters, self.asked, event.escape_ascii());
        let of_cpu = cpu.map(|cpu| format!(" on CPU {cpu}")).unwrap_or_default();
        let reason = format_args!("{group}: {counters} of {asked} counters are refused: {event}{of_cpu}: {error}");
        // Virtual machines seldom have counters of hardware events, and few CPUs have all.
        problems.note(if is_expected(error) { Failure::no_data(reason) } else { Failure::error(reason) });
        Some(error)
    }
}

/// The online CPUs.
fn online(cpus: &mut Vec<u32>, cx: &mut Cx<'_, Perf>) -> Result<(), Failure> {
    let text = cx.files.read(ONLINE, [])?;
    if text.trimmed().is_empty() {
        return Err(text.error("list", "at least one CPU", b"").into());
    }
    for range in list::ranges(text) {
        cpus.extend(cx.problems.value(range).into_iter().flatten());
    }
    cpus.sort_unstable();
    cpus.dedup();
    Ok(())
}

/// The number of a tracepoint, from tracefs or from its place in debugfs, which older kernels have alone.
fn tracepoint_id(name: &str, subsystem_bytes: usize, cx: &mut Cx<'_, Perf>) -> Option<u64> {
    let (subsystem, event) = name.as_bytes().split_at(subsystem_bytes);
    let names = [subsystem, event.get(1..)?];
    if let Some(text) = cx.problems.value(cx.files.read_if_present(TRACEFS_ID, names))? {
        return cx.problems.value(text.number("id"));
    }
    cx.number(DEBUGFS_ID, names, "id")
}

/// The profilers of these names, or all if none is given or known.
fn selected(options: &mut Options<'_, Perf>, flag: Flag<Perf, Texts>, table: &[EventFamily]) -> Vec<Profiler> {
    let names = options.get(flag);
    for unknown in names.iter().filter(|name| !table.iter().any(|((known, _), _)| known == name)) {
        options.notice(format!("--{}: unknown profiler `{unknown}`", flag.info().name));
    }
    let all = table.iter().map(|&((name, event), family)| (name, (event, family)));
    let chosen: Vec<Profiler> =
        all.clone().filter(|(known, _)| names.iter().any(|name| name == known)).map(|(_, profiler)| profiler).collect();
    if chosen.is_empty() { all.map(|(_, profiler)| profiler).collect() } else { chosen }
}

/// CPUs as numbers, ranges, and ranges with a stride, between commas.
fn parse_cpus(text: &str) -> Result<Vec<u32>, String> {
    let mut cpus = Vec::new();
    for piece in text.split(',') {
        let range = parse_piece(piece).ok_or_else(|| {
            let flag = CPUS.info().name;
            format!("--{flag}: expected CPUs up to {}, as `0-3,8` or `0-15:4`, found `{piece}`", list::CPU_NUMBER_MAX)
        })?;
        cpus.extend(range);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Ok(cpus)
}

fn parse_piece(piece: &str) -> Option<impl Iterator<Item = u32>> {
    let number = |text: &str| text.parse().ok().filter(|&number: &u32| number <= list::CPU_NUMBER_MAX);
    let (first, last, stride) = match piece.split_once('-') {
        None => (number(piece)?, number(piece)?, 1),
        Some((first, rest)) => {
            let (last, stride) = rest.split_once(':').unwrap_or((rest, "1"));
            (number(first)?, number(last)?, number(stride)?)
        }
    };
    let stride = usize::try_from(stride).ok().filter(|stride| *stride > 0)?;
    Some((first..=last).step_by(stride))
}

fn parse_tracepoint(name: &str) -> Result<Tracepoint, String> {
    let is_plain = |part: &str| !part.is_empty() && !part.contains(['/', ':']) && part != "." && part != "..";
    match name.split_once(':') {
        Some((subsystem, event)) if is_plain(subsystem) && is_plain(event) => {
            Ok(Tracepoint { name: name.to_owned(), subsystem_bytes: subsystem.len() })
        }
        _ => Err(format!("--{}: expected `subsystem:event`, found `{name}`", TRACEPOINTS.info().name)),
    }
}

#[cfg(test)]
mod tests;
