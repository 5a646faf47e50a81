//! CPU frequencies from /sys/devices/system/cpu/cpu*/cpufreq.

use crate::cpu::list;
use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The cpufreq collector.
#[derive(Default, Debug)]
pub struct Cpufreq {
    names: Names,
    offline: Vec<(u32, u32)>,
    governor: Vec<u8>,
    governors: Vec<u8>,
}

declare! {
    Cpufreq: "cpufreq", on, "CPU frequencies, limits and scaling governors.";
    labels {
        PerCpu { cpu }
        PerGovernor { cpu, governor }
    }
    reads {
        CPUS: Directory Sys "devices/system/cpu";
        OFFLINE: File Sys "devices/system/cpu/offline";
        FOLDER: Directory Sys "devices/system/cpu/cpu*/cpufreq";
        CURRENT_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/cpuinfo_cur_freq";
        AVERAGE_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/cpuinfo_avg_freq";
        MAXIMUM_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/cpuinfo_max_freq";
        MINIMUM_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/cpuinfo_min_freq";
        SCALING_CURRENT_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/scaling_cur_freq";
        SCALING_MAXIMUM_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/scaling_max_freq";
        SCALING_MINIMUM_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/scaling_min_freq";
        GOVERNOR_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/scaling_governor";
        GOVERNORS_FILE: File Sys "devices/system/cpu/cpu*/cpufreq/scaling_available_governors";
    }
    families {
        GOVERNOR: Gauge "node_cpu_scaling_governor" PerGovernor "1 for the current frequency scaling governor, 0 for available ones.";
    }
    /// Frequencies by file, with the errors that are expected on healthy hosts.
    table FREQUENCIES: (Read<Cpufreq, File, 1>, fn(RootError) -> bool) => PerCpu {
        (CURRENT_FILE, attribute::is_hidden) => Gauge "node_cpu_frequency_hertz" "Current CPU frequency reported by the hardware, in hertz.";
        (AVERAGE_FILE, is_not_counted) => Gauge "node_cpu_frequency_avg_hertz" "Average CPU frequency measured by the hardware, in hertz.";
        (MAXIMUM_FILE, attribute::is_hidden) => Gauge "node_cpu_frequency_max_hertz" "Maximum CPU frequency of the hardware, in hertz.";
        (MINIMUM_FILE, attribute::is_hidden) => Gauge "node_cpu_frequency_min_hertz" "Minimum CPU frequency of the hardware, in hertz.";
        (SCALING_CURRENT_FILE, attribute::is_hidden) => Gauge "node_cpu_scaling_frequency_hertz" "Current CPU frequency set by the kernel, in hertz.";
        (SCALING_MAXIMUM_FILE, attribute::is_hidden) => Gauge "node_cpu_scaling_frequency_max_hertz" "Maximum CPU frequency of the scaling policy, in hertz.";
        (SCALING_MINIMUM_FILE, attribute::is_hidden) => Gauge "node_cpu_scaling_frequency_min_hertz" "Minimum CPU frequency of the scaling policy, in hertz.";
    }
}

const HERTZ_IN_A_KILOHERTZ: f64 = 1000.0;

impl Collect for Cpufreq {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { names, offline, governor, governors } = self;
        let text = cx.files.read(OFFLINE, [])?;
        offline.clear();
        for range in list::ranges(text) {
            offline.extend(cx.problems.value(range).map(|range| (*range.start(), *range.end())));
        }
        cx.files.list(CPUS, [], names)?;
        let is_offline = |cpu: &[u8]| {
            let number = std::str::from_utf8(cpu).ok().and_then(|number| number.parse::<u32>().ok());
            number.is_some_and(|number| offline.iter().any(|&(first, last)| (first..=last).contains(&number)))
        };
        for cpu in attribute::numbered(names, b"cpu").filter(|cpu| !is_offline(cpu)) {
            match cx.files.metadata(FOLDER, [cpu]) {
                Ok(_) => emit(cx, cpu, governor, governors),
                Err(error) if error.is_missing() => {}
                Err(error) => cx.problems.report(error),
            }
        }
        Ok(())
    }
}

/// Also expects EAGAIN: an idle CPU has no cycles to average over.
fn is_not_counted(error: RootError) -> bool {
    attribute::is_unavailable(error) || error == RootError::Errno(Errno::EAGAIN)
}

fn emit(cx: &mut Cx<'_, Cpufreq>, cpu: &[u8], governor: &mut Vec<u8>, governors: &mut Vec<u8>) {
    for ((file, is_expected), family) in FREQUENCIES {
        if let Some(kilohertz) = attribute::number::<u64, _, 1>(cx, file, [cpu], is_expected) {
            cx.page.tabled(family, PerCpu { cpu: &cpu }, kilohertz as f64 * HERTZ_IN_A_KILOHERTZ);
        }
    }
    if attribute::word(cx, GOVERNOR_FILE, [cpu], attribute::never, governor)
        && attribute::word(cx, GOVERNORS_FILE, [cpu], attribute::never, governors)
        && !governor.is_empty()
    {
        for name in governors.split(|&byte| byte == b' ') {
            cx.page.gauge(GOVERNOR, PerGovernor { cpu: &cpu, governor: &name }, name == governor.as_slice());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const OFFLINE: &str = "== sys/devices/system/cpu/offline\n\n";

    fn cpu(number: u32, files: &[(&str, &str)]) -> String {
        let file =
            |(name, value): &(&str, &str)| format!("== sys/devices/system/cpu/cpu{number}/cpufreq/{name}\n{value}\n");
        let governors = [("scaling_governor", "powersave"), ("scaling_available_governors", "performance powersave ")];
        files.iter().chain(&governors).map(file).collect()
    }

    fn governors(number: u32) -> String {
        format!(
            "node_cpu_scaling_governor{{cpu=\"{number}\",governor=\"performance\"}} 0\n\
             node_cpu_scaling_governor{{cpu=\"{number}\",governor=\"powersave\"}} 1\n"
        )
    }

    #[test]
    fn frequencies_are_in_hertz_and_one_governor_is_active() {
        let files = [
            ("cpuinfo_avg_freq", "1699982"),
            ("cpuinfo_cur_freq", "1699981"),
            ("cpuinfo_max_freq", "3700000"),
            ("cpuinfo_min_freq", "800000"),
            ("scaling_cur_freq", "1699982"),
            ("scaling_max_freq", "3600000"),
            ("scaling_min_freq", "900000"),
        ];
        given(&format!("{OFFLINE}{}", cpu(3, &files))).emits::<Cpufreq>(&format!(
            "node_cpu_frequency_avg_hertz{{cpu=\"3\"}} 1.699982e+09\nnode_cpu_frequency_hertz{{cpu=\"3\"}} 1.699981e+09\n\
             node_cpu_frequency_max_hertz{{cpu=\"3\"}} 3.7e+09\nnode_cpu_frequency_min_hertz{{cpu=\"3\"}} 8e+08\n\
             node_cpu_scaling_frequency_hertz{{cpu=\"3\"}} 1.699982e+09\n\
             node_cpu_scaling_frequency_max_hertz{{cpu=\"3\"}} 3.6e+09\n\
             node_cpu_scaling_frequency_min_hertz{{cpu=\"3\"}} 9e+08\n{}",
            governors(3)
        ));
    }

    #[test]
    fn offline_cpus_are_skipped() {
        let host = format!("== sys/devices/system/cpu/offline\n1,3-4\n{}{}{}", cpu(1, &[]), cpu(4, &[]), cpu(5, &[]));
        given(&host).emits::<Cpufreq>(&governors(5));
    }

    #[test]
    fn an_unreadable_list_of_offline_cpus_is_a_failure() {
        given(&cpu(0, &[])).fails::<Cpufreq>("", "sys/devices/system/cpu/offline: no such file");
        given(&format!("{OFFLINE}== sys/devices/system/cpu/cpu0/online\n1\n")).emits::<Cpufreq>("");
    }

    #[test]
    fn an_unreadable_frequency_costs_only_its_own_samples() {
        let host = format!("{OFFLINE}{}", cpu(0, &[("scaling_cur_freq", "<unknown>")]));
        given(&host).fails::<Cpufreq>(&governors(0), "scaling_cur_freq: value: expected an unsigned integer");
        let hidden = "== sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_cur_freq mode=0200\n1\n";
        given(&format!("{OFFLINE}{}{hidden}", cpu(0, &[]))).emits::<Cpufreq>(&governors(0));
        let bad = format!("== sys/devices/system/cpu/offline\n0x\n{}", cpu(0, &[]));
        given(&bad).fails::<Cpufreq>(&governors(0), "cpu/offline: list");
    }

    #[test]
    fn an_idle_cpu_has_no_average() {
        let average = "== sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_avg_freq error=";
        for error in ["EAGAIN", "EINVAL"] {
            given(&format!("{OFFLINE}{}{average}{error}\n", cpu(0, &[]))).emits::<Cpufreq>(&governors(0));
        }
        given(&format!("{OFFLINE}{}{average}EIO\n", cpu(0, &[]))).fails::<Cpufreq>(&governors(0), "cpuinfo_avg_freq");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn kilohertz_come_back(kilohertz in 0..10_000_000_u64) {
            let host = format!("{OFFLINE}{}", cpu(0, &[("scaling_cur_freq", &kilohertz.to_string())]));
            let samples = given(&host).scrape::<Cpufreq>().samples();
            let line = samples.lines().find(|line| line.contains("scaling_frequency_hertz")).expect("a frequency");
            let hertz: f64 = line.rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((hertz - kilohertz as f64 * 1000.0).abs() < 0.5, "{line}");
        }
    }
}
