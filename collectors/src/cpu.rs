//! What CPUs spend their time with, what they are, and what becomes of them: from /proc/stat, /proc/cpuinfo and /sys.

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

/// What CPUs do and are.
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
    Cpu: "cpu", on, "What each CPU spends its time with, what it is, and whether it was throttled or switched off.";
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
        GUEST: Switch "collector.cpu.guest" = "true", "Show time that guests had, as node_cpu_guest_seconds_total.";
        INFO_FLAG: Switch "collector.cpu.info" = "false", "Show what each CPU is, as node_cpu_info.";
        FLAGS_INCLUDE: Text "collector.cpu.info.flags-include" = "", "Regexp of the CPU flags to show; turns --collector.cpu.info on.";
        BUGS_INCLUDE: Text "collector.cpu.info.bugs-include" = "", "Regexp of the CPU bugs to show; turns --collector.cpu.info on.";
    }
    families {
        SECONDS: Counter "node_cpu_seconds_total" ["cpu", "mode"] "Seconds that each CPU spent, by what it spent them with.";
        GUEST_SECONDS: Counter "node_cpu_guest_seconds_total" ["cpu", "mode"]
            "Seconds that each CPU spent on virtual machines; they are part of user and nice as well.";
        INFO: Gauge "node_cpu_info" ["cachesize", "core", "cpu", "family", "microcode", "model", "model_name", "package", "stepping", "vendor"]
            "What each CPU is, as labels of a 1.";
        FREQUENCY: Gauge "node_cpu_frequency_hertz" ["core", "cpu", "package"] "How fast each CPU runs, as /proc/cpuinfo has it.";
        FLAG_INFO: Gauge "node_cpu_flag_info" ["flag"] "A flag that the first CPU has, as the label of a 1.";
        BUG_INFO: Gauge "node_cpu_bug_info" ["bug"] "A bug that the first CPU has, as the label of a 1.";
        CORE_THROTTLES: Counter "node_cpu_core_throttles_total" ["core", "package"] "How often a core was throttled for its heat.";
        PACKAGE_THROTTLES: Counter "node_cpu_package_throttles_total" ["package"] "How often a package was throttled for its heat.";
        ISOLATED: Gauge "node_cpu_isolated" ["cpu"] "1 for each CPU that the scheduler leaves alone.";
        ONLINE: Gauge "node_cpu_online" ["cpu"] "1 for a CPU that is on, 0 for one that is off.";
    }
}

/// The modes of [`SECONDS`], in the page's order.
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

/// The modes of [`GUEST_SECONDS`], in the page's order.
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
                cx.page.counter(SECONDS, [&number, mode], times::seconds(ticks.of(*column), ticks_per_second));
            }
            for (mode, column) in GUEST_MODES.iter().filter(|_| self.has_guest) {
                cx.page.counter(GUEST_SECONDS, [&number, mode], times::seconds(ticks.of(*column), ticks_per_second));
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
                [cache_size, core, number, family, microcode, model, model_name, package, stepping, vendor],
                1_u64,
            );
            if self.has_frequency
                && let Some(megahertz) = problems.value(cpu.megahertz)
            {
                page.gauge(FREQUENCY, [core, number, package], megahertz * 1e6);
            }
        });
        for (family, pattern, words) in [(FLAG_INFO, &self.flags, traits.flags), (BUG_INFO, &self.bugs, traits.bugs)] {
            let Some(pattern) = pattern else { continue };
            for word in words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty() && pattern.is_match(word)) {
                page.gauge(family, [&word], 1_u64);
            }
        }
    }
}

fn collect_isolated(cx: &mut Cx<'_, Cpu>) {
    match cx.files.read_if_present(ISOLATED_FILE, []) {
        Ok(None) => {}
        Ok(Some(text)) => {
            for range in list::ranges(text) {
                for number in cx.problems.value(range).into_iter().flatten() {
                    cx.page.gauge(ISOLATED, [&number], 1_u64);
                }
            }
        }
        Err(error) => cx.problems.report(error),
    }
}

#[cfg(test)]
mod tests;
