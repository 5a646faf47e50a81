//! CPU time, details, throttling and online state, from /proc/stat, /proc/cpuinfo and /sys.

mod info;
pub(crate) mod list;
mod times;
mod topology;

use crate::declare;
use crate::kit::filter::{self, Pattern};
use crate::kit::prelude::*;
use crate::stat::rows::Column;
use times::Times;
use topology::Topology;

/// The cpu collector.
#[derive(Debug)]
pub struct Cpu {
    has_guest: bool,
    has_info: bool,
    has_frequency: bool,
    flags: Option<Pattern>,
    bugs: Option<Pattern>,
    times: Times,
    topology: Topology,
}

declare! {
    Cpu: "cpu", on, "CPU time by mode, CPU details, throttling and online state.";
    labels {
        PerMode { cpu, mode }
        Identity { cachesize, core, cpu, family, microcode, model, model_name, package, stepping, vendor }
        PerThread { core, cpu, package }
        PerFlag { flag }
        PerBug { bug }
        PerCore { core, package }
        PerPackage { package }
        PerCpu { cpu }
    }
    reads {
        STAT: File Proc "stat";
        CPUINFO: File Proc "cpuinfo";
        CPUS: Directory Sys "devices/system/cpu";
        ISOLATED_FILE: File Sys "devices/system/cpu/isolated";
        ONLINE_FILE: File Sys "devices/system/cpu/cpu*/online";
        PACKAGE_ID: File Sys "devices/system/cpu/cpu*/topology/physical_package_id";
        CORE_ID: File Sys "devices/system/cpu/cpu*/topology/core_id";
        CORE_THROTTLE_COUNT: File Sys "devices/system/cpu/cpu*/thermal_throttle/core_throttle_count";
        PACKAGE_THROTTLE_COUNT: File Sys "devices/system/cpu/cpu*/thermal_throttle/package_throttle_count";
    }
    flags {
        GUEST: Switch "collector.cpu.guest" = "true", "Export guest time as node_cpu_guest_seconds_total.";
        INFO_FLAG: Switch "collector.cpu.info" = "false", "Export CPU details as node_cpu_info.";
        FLAGS_INCLUDE: Text "collector.cpu.info.flags-include" = "", "Regexp of CPU flags to export; enables --collector.cpu.info.";
        BUGS_INCLUDE: Text "collector.cpu.info.bugs-include" = "", "Regexp of CPU bugs to export; enables --collector.cpu.info.";
    }
    families {
        SECONDS: Counter "node_cpu_seconds_total" PerMode "CPU time by mode, in seconds.";
        GUEST_SECONDS: Counter "node_cpu_guest_seconds_total" PerMode "CPU time spent on virtual machines by mode, in seconds.";
        INFO: Gauge "node_cpu_info" Identity "Model and topology of a CPU, always 1.";
        FREQUENCY: Gauge "node_cpu_frequency_hertz" PerThread "Current CPU frequency reported by the hardware, in hertz.";
        FLAG_INFO: Gauge "node_cpu_flag_info" PerFlag "Feature flag of the first CPU, always 1.";
        BUG_INFO: Gauge "node_cpu_bug_info" PerBug "Hardware bug of the first CPU, always 1.";
        CORE_THROTTLES: Counter "node_cpu_core_throttles_total" PerCore "Thermal throttling events of a core.";
        PACKAGE_THROTTLES: Counter "node_cpu_package_throttles_total" PerPackage "Thermal throttling events of a package.";
        ISOLATED: Gauge "node_cpu_isolated" PerCpu "CPU isolated from the scheduler, always 1.";
        ONLINE: Gauge "node_cpu_online" PerCpu "1 for an online CPU, 0 for an offline one.";
    }
}

/// The modes of [`SECONDS`], in page order.
const MODES: [(&str, Column); 8] = [
    ("idle", Column::Idle),
    ("iowait", Column::Iowait),
    ("irq", Column::Irq),
    ("nice", Column::Nice),
    ("softirq", Column::Softirq),
    ("steal", Column::Steal),
    ("system", Column::System),
    ("user", Column::User),
];

/// The modes of [`GUEST_SECONDS`], in page order.
const GUEST_MODES: [(&str, Column); 2] = [("nice", Column::GuestNice), ("user", Column::Guest)];

impl Collect for Cpu {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let flags = filter::pattern_of(options, FLAGS_INCLUDE)?;
        let bugs = filter::pattern_of(options, BUGS_INCLUDE)?;
        let mut has_info = options.get(INFO_FLAG);
        if !has_info && (flags.is_some() || bugs.is_some()) {
            has_info = true;
            options.notice(
                "--collector.cpu.info is on because --collector.cpu.info.flags-include or \
                --collector.cpu.info.bugs-include is given",
            );
        }
        Ok(Self {
            has_guest: options.get(GUEST),
            has_info,
            has_frequency: options.is_collector_enabled("cpufreq").unwrap_or(true),
            flags,
            bugs,
            times: Times::default(),
            topology: Topology::default(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        if self.has_info {
            self.collect_info(cx);
        }
        self.collect_times(cx);
        collect_isolated(cx);
        self.topology.collect(cx);
        Ok(())
    }
}

impl Cpu {
    fn collect_times(&mut self, cx: &mut Cx<'_, Self>) {
        let ticks_per_second = cx.kernel.ticks_per_second().max(1);
        match cx.files.read(STAT, []) {
            Ok(text) => self.times.update(text, ticks_per_second, cx.problems),
            Err(error) => return cx.problems.report(error),
        }
        for (number, ticks) in self.times.iter() {
            for (mode, column) in &MODES {
                cx.page.counter(
                    SECONDS,
                    PerMode { cpu: &number, mode },
                    times::seconds(ticks.of(*column), ticks_per_second),
                );
            }
            for (mode, column) in GUEST_MODES.iter().filter(|_| self.has_guest) {
                cx.page.counter(
                    GUEST_SECONDS,
                    PerMode { cpu: &number, mode },
                    times::seconds(ticks.of(*column), ticks_per_second),
                );
            }
        }
    }

    fn collect_info(&self, cx: &mut Cx<'_, Self>) {
        let Cx { files, page, problems, .. } = cx;
        let text = match files.read(CPUINFO, []) {
            Ok(text) => text,
            Err(error) => return problems.report(error),
        };
        let traits = info::parse(text, |cpu| {
            let Some(cpu) = problems.value(cpu) else { return };
            let info::CpuInfo { number, vendor, family, model, model_name, microcode, stepping, .. } = &cpu;
            let (cache_size, core, package) = (&cpu.cache_size, &cpu.core, &cpu.package);
            page.gauge(
                INFO,
                Identity {
                    cachesize: cache_size,
                    core,
                    cpu: number,
                    family,
                    microcode,
                    model,
                    model_name,
                    package,
                    stepping,
                    vendor,
                },
                1_u64,
            );
            if self.has_frequency
                && let Some(megahertz) = problems.value(cpu.megahertz)
            {
                page.gauge(FREQUENCY, PerThread { core, cpu: number, package }, megahertz * 1e6);
            }
        });
        for flag in selected(traits.flags, self.flags.as_ref()) {
            page.gauge(FLAG_INFO, PerFlag { flag: &flag }, 1_u64);
        }
        for bug in selected(traits.bugs, self.bugs.as_ref()) {
            page.gauge(BUG_INFO, PerBug { bug: &bug }, 1_u64);
        }
    }
}

/// The words that match the pattern; none without a pattern.
fn selected<'a>(words: &'a [u8], pattern: Option<&'a Pattern>) -> impl Iterator<Item = &'a [u8]> {
    let words = words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.filter(move |word| pattern.is_some_and(|pattern| pattern.is_match(word)))
}

fn collect_isolated(cx: &mut Cx<'_, Cpu>) {
    match cx.files.read_if_present(ISOLATED_FILE, []) {
        Ok(None) => {}
        Ok(Some(text)) => {
            for range in list::ranges(text) {
                for number in cx.problems.value(range).into_iter().flatten() {
                    cx.page.gauge(ISOLATED, PerCpu { cpu: &number }, 1_u64);
                }
            }
        }
        Err(error) => cx.problems.report(error),
    }
}

#[cfg(test)]
mod tests;
