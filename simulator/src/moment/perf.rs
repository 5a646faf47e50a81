//! Events that perf counts on CPUs. Counters begin at the boot.

use collectors::host::errno::Errno;
use collectors::host::kernel::perf::{PerfEvent, PerfType};
use collectors::host::kernel::{PerfCount, PerfQuery};

use super::Moment;
use super::cpu::Spread;
use crate::machine::{Cpu, Model};

/// Tracepoints: name and number.
pub(crate) const TRACEPOINTS: [(&str, u64); 2] = [("sched:sched_process_fork", FORK), ("sched:sched_switch", SWITCH)];
const FORK: u64 = 309;
const SWITCH: u64 = 316;

/// Hardware events in millionths of the cycles.
const PER_CYCLE: [(&str, u64); 3] =
    [("cpu-cycles", 1_000_000), ("stalled-cycles-frontend", 118_000), ("stalled-cycles-backend", 274_000)];

/// Instructions per cycle, in thousandths.
const INSTRUCTIONS_PERMILLE: u64 = 1_280;

/// Events in millionths of the instructions, which agree with each other: none misses more often than it is looked up.
const PER_INSTRUCTION: [(&str, u64); 21] = [
    ("instructions", 1_000_000),
    ("branch-instructions", 182_000),
    ("branch-misses", 2_310),
    ("cache-references", 11_400),
    ("cache-misses", 2_620),
    ("L1-dcache-loads", 281_000),
    ("L1-dcache-load-misses", 9_300),
    ("L1-dcache-stores", 124_000),
    ("L1-icache-load-misses", 4_100),
    ("LLC-loads", 2_800),
    ("LLC-load-misses", 710),
    ("LLC-stores", 1_100),
    ("LLC-store-misses", 260),
    ("dTLB-loads", 281_000),
    ("dTLB-load-misses", 410),
    ("dTLB-stores", 124_000),
    ("dTLB-store-misses", 95),
    ("iTLB-loads", 640),
    ("iTLB-load-misses", 120),
    ("branch-loads", 182_000),
    ("branch-load-misses", 2_310),
];

/// Events of the counters that hold all of a kind: those of a mainframe, and those of a plain ARM core.
const OF_MAINFRAMES: [&str; 2] = ["cpu-cycles", "instructions"];
const NOT_ON_ARM: [&str; 9] = [
    "ref-cycles",
    "stalled-cycles-frontend",
    "stalled-cycles-backend",
    "LLC-stores",
    "LLC-store-misses",
    "dTLB-loads",
    "dTLB-stores",
    "dTLB-store-misses",
    "iTLB-loads",
];
const NOT_OF_INTEL: [&str; 2] = ["stalled-cycles-frontend", "stalled-cycles-backend"];
const NOT_OF_AMD: [&str; 8] = [
    "LLC-loads",
    "LLC-load-misses",
    "LLC-stores",
    "LLC-store-misses",
    "L1-dcache-stores",
    "dTLB-stores",
    "dTLB-store-misses",
    "ref-cycles",
];

impl Moment<'_> {
    /// Visits the counts of an event.
    pub(crate) fn perf(&self, query: &PerfQuery<'_>, visit: &mut dyn FnMut(&PerfCount)) -> Result<(), Errno> {
        let processor = &self.machine.processor;
        let source = self.source(&query.event)?;
        for &number in query.cpus {
            let cpu = Cpu::new(number as usize);
            let is_there = cpu.number() < processor.cpus && processor.is_online(cpu);
            let count = if is_there { Ok(self.perf_count(&source, cpu)) } else { Err(Errno::ENODEV) };
            visit(&PerfCount { cpu: number, count });
        }
        Ok(())
    }

    fn source(&self, event: &PerfEvent<'_>) -> Result<Source, Errno> {
        let name = std::str::from_utf8(event.name).unwrap_or_default();
        let spread = |total: fn(&Self) -> u64| Source::Spread(vec![self.spread(None, total)]);
        match event.kind {
            PerfType::Software => Ok(match event.config {
                // The sum of both kinds, also on each CPU.
                2 => Source::Spread(vec![self.spread(None, Self::minor_faults), self.spread(None, Self::major_faults)]),
                3 => spread(Self::context_switches),
                4 => spread(Self::migrations),
                5 => spread(Self::minor_faults),
                6 => spread(Self::major_faults),
                _ => return Err(Errno::EINVAL),
            }),
            PerfType::Tracepoint => match event.config {
                FORK => Ok(spread(Self::forks)),
                SWITCH => Ok(spread(Self::context_switches)),
                _ => Err(Errno::EINVAL),
            },
            PerfType::Hardware | PerfType::HardwareCache if !self.has_counter(name) => Err(Errno::ENOENT),
            PerfType::Hardware | PerfType::HardwareCache => {
                let of = |table: &[(&str, u64)]| table.iter().find(|(known, _)| *known == name).map(|(_, ppm)| *ppm);
                Ok(match (of(&PER_CYCLE), of(&PER_INSTRUCTION)) {
                    (Some(ppm), _) => Source::Cycles { kilohertz: self.usual_kilohertz(), ppm },
                    (_, Some(ppm)) => {
                        Source::Cycles { kilohertz: self.usual_kilohertz(), ppm: ppm * INSTRUCTIONS_PERMILLE / 1_000 }
                    }
                    _ => Source::Cycles { kilohertz: self.nominal_kilohertz(), ppm: 1_000_000 },
                })
            }
        }
    }

    fn perf_count(&self, source: &Source, cpu: Cpu) -> u64 {
        match source {
            Source::Spread(spreads) => spreads.iter().map(|spread| self.part_of_cpu(spread, cpu)).sum(),
            Source::Cycles { kilohertz, ppm } => {
                let [busy_nanos, ..] = self.scheduled(cpu);
                let total = u128::from(busy_nanos) * u128::from(*kilohertz) / 1_000_000 * u128::from(*ppm) / 1_000_000;
                u64::try_from(total).unwrap_or(u64::MAX)
            }
        }
    }

    /// Whether the CPUs have a counter of a hardware event. A hypervisor shows none.
    fn has_counter(&self, name: &str) -> bool {
        self.machine.virtualization == "none"
            && match &self.machine.processor.model {
                Model::X86(model) if model.vendor == "GenuineIntel" => !NOT_OF_INTEL.contains(&name),
                Model::X86(_) => !NOT_OF_AMD.contains(&name),
                Model::Arm(_) => !NOT_ON_ARM.contains(&name),
                Model::Power(_) => true,
                Model::Mainframe(_) => OF_MAINFRAMES.contains(&name),
            }
    }

    /// The frequency of a busy CPU.
    fn usual_kilohertz(&self) -> u64 {
        let frequency = self.machine.processor.frequency.as_ref();
        frequency
            .map_or_else(|| self.nominal_kilohertz(), |scaled| (scaled.least_kilohertz + 2 * scaled.most_kilohertz) / 3)
    }

    /// The frequency of the time stamp counter, where the model has one.
    fn nominal_kilohertz(&self) -> u64 {
        match &self.machine.processor.model {
            Model::X86(model) => model.kilohertz,
            Model::Power(model) => model.kilohertz,
            Model::Mainframe(model) => model.megahertz * 1_000,
            Model::Arm(_) => self.machine.processor.frequency.as_ref().map_or(0, |scaled| scaled.most_kilohertz),
        }
    }

    fn migrations(&self) -> u64 {
        self.counter(&self.machine.load, 41_000)
    }
}

/// Where the counts of an event come from.
enum Source {
    /// Sums of these.
    Spread(Vec<Spread>),
    /// A part of the cycles in which the CPU ran tasks, in millionths.
    Cycles { kilohertz: u64, ppm: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::State;
    use std::collections::BTreeMap;
    use std::time::Duration;

    /// The counts of CPU 0 of a profile after a day, by the names of events.
    fn counts(profile: &str) -> BTreeMap<String, u64> {
        let profile = crate::profiles().iter().find(|known| known.name == profile).expect(profile);
        let state = State::from(profile.machine(1, profile.small).unwrap());
        let moment = Moment::new(&state, Duration::from_secs(state.machine.booted_seconds() + 86_400));
        let mut counts = BTreeMap::new();
        for event in collectors::perf::events() {
            let name = String::from_utf8(event.name.to_vec()).unwrap();
            let _ = moment.perf(&PerfQuery { event, cpus: &[0] }, &mut |found| {
                counts.insert(name.clone(), found.count.unwrap());
            });
        }
        counts
    }

    #[test]
    fn nothing_is_missed_more_often_than_it_is_looked_up() {
        for (profile, events) in [("laptop", 28), ("epyc256", 22), ("pi4", 21), ("s390x", 7), ("vm", 5)] {
            let counts = counts(profile);
            assert_eq!(counts.len(), events, "{profile}: {counts:?}");
            for (miss, lookup) in [
                ("branch-misses", "branch-instructions"),
                ("cache-misses", "cache-references"),
                ("cache-references", "instructions"),
                ("L1-dcache-load-misses", "L1-dcache-loads"),
                ("LLC-load-misses", "LLC-loads"),
                ("LLC-store-misses", "LLC-stores"),
                ("dTLB-load-misses", "dTLB-loads"),
                ("iTLB-load-misses", "iTLB-loads"),
                ("branch-load-misses", "branch-loads"),
                ("major-faults", "page-faults"),
            ] {
                let both = counts.get(miss).zip(counts.get(lookup));
                assert!(both.is_none_or(|(miss, lookup)| miss < lookup && *miss > 0), "{profile}: {miss}: {counts:?}");
            }
            assert_eq!(counts["page-faults"], counts["minor-faults"] + counts["major-faults"]);
        }
    }

    #[test]
    fn an_offline_cpu_is_not_counted() {
        let state = State::from(crate::Machine::vm(1));
        let moment = Moment::new(&state, Duration::from_secs(state.machine.booted_seconds() + 60));
        let event = collectors::perf::events().find(|event| event.name == b"page-faults").unwrap();
        let mut found = Vec::new();
        moment.perf(&PerfQuery { event, cpus: &[0, 500] }, &mut |one| found.push(one.count)).unwrap();
        assert!(found[0].is_ok() && found[1] == Err(Errno::ENODEV), "{found:?}");
    }
}
