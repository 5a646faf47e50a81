//! Times of CPUs, load averages, pressure, and the distribution of counters over CPUs.

use super::Moment;
use crate::machine::{Cpu, CpuLoad, Model};
use crate::past::Absence;
use crate::wave::{MEAN, Wave};

/// A tick of /proc/stat, of which a second has 100.
const TICK_NANOS: u64 = 10_000_000;
/// Share of a CPU's time in user mode at the mean load, in thousandths; the next ones are those of the other modes.
const USER: u64 = 150;
const NICE: u64 = 4;
const SYSTEM: u64 = 56;
const IOWAIT: u64 = 9;
const IRQ: u64 = 2;
const SOFTIRQ: u64 = 11;
const STEAL: u64 = 3;
/// The part of the user time that runs guests: no simulated host runs virtual machines.
const GUEST: u64 = 0;
pub(crate) const BUSY: u64 = USER + NICE + SYSTEM + IOWAIT + IRQ + SOFTIRQ + STEAL;

/// The columns of `/proc/stat`, in ticks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct CpuTimes {
    pub(crate) user: u64,
    pub(crate) nice: u64,
    pub(crate) system: u64,
    pub(crate) idle: u64,
    pub(crate) iowait: u64,
    pub(crate) irq: u64,
    pub(crate) softirq: u64,
    pub(crate) steal: u64,
    pub(crate) guest: u64,
    pub(crate) guest_nice: u64,
}

impl CpuTimes {
    /// The values in the order of the columns.
    pub(crate) fn columns(self) -> [u64; 10] {
        let Self { user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice } = self;
        [user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice]
    }

    fn plus(self, other: Self) -> Self {
        Self {
            user: self.user + other.user,
            nice: self.nice + other.nice,
            system: self.system + other.system,
            idle: self.idle + other.idle,
            iowait: self.iowait + other.iowait,
            irq: self.irq + other.irq,
            softirq: self.softirq + other.softirq,
            steal: self.steal + other.steal,
            guest: self.guest + other.guest,
            guest_nice: self.guest_nice + other.guest_nice,
        }
    }
}

/// A kind of pressure: a resource, and whether some or all tasks wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stall {
    Cpu,
    CpuFull,
    Memory,
    MemoryFull,
    Io,
    IoFull,
    Interrupts,
}

impl Moment<'_> {
    /// Idle time of a CPU.
    pub(crate) fn idle_micros(&self, cpu: Cpu) -> u64 {
        self.online_micros(cpu).saturating_sub((self.spent(cpu, BUSY) + self.taken_by_fork_bombs(cpu)) / 1_000)
    }

    /// Idle nanoseconds of a CPU without fork bombs.
    fn idle_nanos(&self, cpu: Cpu) -> u64 {
        (self.online_micros(cpu) * 1_000).saturating_sub(self.spent(cpu, BUSY))
    }

    /// Idle nanoseconds that fork bombs used.
    fn taken_by_fork_bombs(&self, cpu: Cpu) -> u64 {
        self.during_fork_bombs(|moment| moment.idle_nanos(cpu))
    }

    /// The times of one CPU.
    pub(crate) fn cpu_times(&self, cpu: Cpu) -> CpuTimes {
        let since = self.since(self.times_begin_micros(cpu));
        let spent = |permille| since.spent(cpu, permille);
        let [user, nice, system, iowait] = [USER, NICE, SYSTEM, IOWAIT].map(spent);
        let [irq, softirq, steal, guest] = [IRQ, SOFTIRQ, STEAL, GUEST].map(spent);
        let taken = since.taken_by_fork_bombs(cpu);
        let (user, system) = (user + taken * 3 / 5, system + (taken - taken * 3 / 5));
        let fallen = self.iowait_fallen().min(iowait);
        let iowait = iowait - fallen;
        // The rest is idle time. It is computed before the division into ticks, so that no column falls.
        let idle =
            (since.online_micros(cpu) * 1_000).saturating_sub(user + nice + system + iowait + irq + softirq + steal);
        let ticks = |nanoseconds| nanoseconds / TICK_NANOS;
        CpuTimes {
            user: ticks(user),
            nice: ticks(nice),
            system: ticks(system),
            idle: ticks(idle),
            iowait: ticks(iowait),
            irq: ticks(irq),
            softirq: ticks(softirq),
            steal: ticks(steal),
            guest: ticks(guest),
            guest_nice: 0,
        }
    }

    /// Nanoseconds in which a CPU ran tasks, nanoseconds in which tasks waited for it, and the number of timeslices.
    pub(crate) fn scheduled(&self, cpu: Cpu) -> [u64; 3] {
        const WAITING: u64 = 13;
        const TIMESLICE_NANOS: u64 = 430_000;
        let running = self.spent(cpu, USER + NICE + SYSTEM) + self.taken_by_fork_bombs(cpu);
        [running, self.spent(cpu, WAITING), running / TIMESLICE_NANOS]
    }

    /// The sum of the times of all CPUs, including offline ones.
    pub(crate) fn cpu_times_of_all(&self) -> CpuTimes {
        self.machine.processor.all().map(|cpu| self.cpu_times(cpu)).fold(CpuTimes::default(), CpuTimes::plus)
    }

    /// Nanoseconds by which the iowait of each CPU has fallen.
    fn iowait_fallen(&self) -> u64 {
        let falls = self.past.iowait_falls.iter().filter(|(micros, _)| *micros <= self.micros);
        falls.map(|(_, ticks)| ticks * TICK_NANOS).sum()
    }

    /// Stalled microseconds since the start.
    pub(crate) fn stalled_micros(&self, stall: Stall) -> u64 {
        let usual = |moment: &Self| moment.usually_stalled_micros(stall);
        usual(self)
            + match stall {
                Stall::Cpu => self.filled_by_fork_bombs(usual),
                Stall::Memory => self.thrashed_micros() / 5 * 2,
                Stall::MemoryFull => self.thrashed_micros() / 5,
                // Swapping out writes to disks.
                Stall::Io => self.thrashed_micros() / 4 + self.slow_micros() / 3,
                Stall::IoFull => self.thrashed_micros() / 8 + self.slow_micros() / 6,
                Stall::CpuFull | Stall::Interrupts => 0,
            }
    }

    fn usually_stalled_micros(&self, stall: Stall) -> u64 {
        let load = &self.machine.load;
        match stall {
            Stall::Cpu => self.nanoseconds(load, 4) / 1_000 + self.burst_micros(load, 200),
            // The kernel always writes 0 for the whole host.
            Stall::CpuFull => 0,
            Stall::Memory => self.burst_micros(load, 3),
            Stall::MemoryFull => self.burst_micros(load, 2),
            Stall::Io => self.nanoseconds(load, 7) / 1_000 + self.burst_micros(load, 40),
            Stall::Interrupts => self.nanoseconds(load, 3) / 1_000,
            Stall::IoFull => self.nanoseconds(load, 5) / 1_000 + self.burst_micros(load, 30),
        }
    }

    /// The stalled share of the last seconds, in hundredths of a percent.
    pub(crate) fn stalled_recently(&self, stall: Stall, seconds: u64) -> u64 {
        let before = self.earlier(seconds);
        let passed = (self.micros - before.micros).max(1);
        (self.stalled_micros(stall) - before.stalled_micros(stall)) * 10_000 / passed
    }

    /// The mean number of running or waiting tasks over the last `seconds`, in hundredths.
    pub(crate) fn load_average(&self, seconds: u64) -> u64 {
        let before = self.earlier(seconds);
        let wanted = |moment: &Self| {
            let running =
                moment.machine.processor.loads.iter().map(|load| moment.wanted_nanos(load) / 1_000).sum::<u64>();
            // About two tasks wait during a stall.
            let waiting = 2 * moment.usually_stalled_micros(Stall::Cpu) + moment.stalled_micros(Stall::Io);
            running + waiting + moment.wanted_by_fork_bombs_micros()
        };
        (wanted(self) - wanted(&before)) * 100 / (self.micros - before.micros).max(1)
    }

    /// Nanoseconds that a CPU spent on an activity with a share of its time at the mean load.
    fn spent(&self, cpu: Cpu, permille: u64) -> u64 {
        let Some(load) = self.machine.processor.load(cpu) else { return 0 };
        load.nanoseconds(self.online_area(cpu, &load.wave), permille)
    }

    /// Tasks of an offline CPU run on others, so its absence does not count.
    fn wanted_nanos(&self, load: &CpuLoad) -> u64 {
        load.nanoseconds(self.area(&load.wave), USER + NICE + SYSTEM + IOWAIT)
    }

    /// Throttling events of a core or package, caused by bursts.
    pub(crate) fn throttles(&self, wave: &Wave, one_in_seconds: u64) -> u64 {
        self.burst_micros(wave, 1_000) / (one_in_seconds * 1_000_000)
    }
}

impl CpuLoad {
    /// Nanoseconds of an activity with a share of the time, over an integral of the load's wave.
    fn nanoseconds(&self, area: u64, permille: u64) -> u64 {
        let total = u128::from(area) * u128::from(permille * self.share) / u128::from(MEAN * MEAN);
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

/// The total of a counter over all CPUs, and how it is distributed over them.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    pub(crate) total: u64,
    /// The CPU that it is bound to while that is online.
    cpu: Option<Cpu>,
    /// The moments at which CPUs went offline or online, with the totals at these moments.
    turns: Vec<(u64, u64)>,
}

impl Spread {
    /// Adds a number from before the first change of CPUs.
    pub(super) fn with_more_before(mut self, more: u64) -> Self {
        self.total += more;
        self.turns.iter_mut().for_each(|(_, total)| *total += more);
        self
    }
}

impl Absence {
    fn covers(&self, micros: u64) -> bool {
        self.from_micros <= micros && self.until_micros.is_none_or(|until| micros < until)
    }
}

impl Moment<'_> {
    fn absences(&self, cpu: Cpu) -> impl Iterator<Item = &Absence> {
        self.past.absences.iter().filter(move |absence| absence.cpu == cpu)
    }

    /// Begin and end of the offline periods of a CPU, up to now.
    fn away(&self, cpu: Cpu) -> impl Iterator<Item = (u64, u64)> {
        let clamped = |micros: u64| micros.clamp(self.start_micros, self.micros.max(self.start_micros));
        let absences = self.absences(cpu);
        absences.map(move |away| (clamped(away.from_micros), clamped(away.until_micros.unwrap_or(u64::MAX))))
    }

    /// The online time of a CPU.
    pub(super) fn online_micros(&self, cpu: Cpu) -> u64 {
        let passed = self.micros.saturating_sub(self.start_micros);
        passed - self.away(cpu).map(|(from, until)| until - from).sum::<u64>()
    }

    /// The integral of a wave over the online time of a CPU.
    pub(super) fn online_area(&self, cpu: Cpu, wave: &Wave) -> u64 {
        let missed = self.away(cpu).map(|(from, until)| wave.integral(until) - wave.integral(from));
        self.area(wave) - missed.sum::<u64>()
    }

    /// When the times of a CPU start, if after the boot.
    pub(super) fn times_begin_micros(&self, cpu: Cpu) -> u64 {
        let anew = self.absences(cpu).filter(|absence| absence.begins_anew);
        anew.filter_map(|absence| absence.until_micros).max().unwrap_or_default()
    }

    /// A counter of one CPU, for a mean rate in millionths per second.
    pub(crate) fn counter_of_cpu(&self, cpu: Cpu, micro_per_second: u64) -> u64 {
        let Some(load) = self.machine.processor.load(cpu) else { return 0 };
        Self::amount(self.online_area(cpu, &load.wave), micro_per_second * load.share) / 1_000
    }

    /// The distribution of a counter over all CPUs, or its binding to one.
    pub(super) fn spread(&self, cpu: Option<Cpu>, total: impl Fn(&Self) -> u64) -> Spread {
        let absences = self.past.absences.iter();
        let turns = absences.flat_map(|absence| [Some(absence.from_micros), absence.until_micros]).flatten();
        let mut turns: Vec<u64> = turns.filter(|&micros| micros < self.micros).collect();
        turns.sort_unstable();
        turns.dedup();
        let turns = turns.into_iter().map(|micros| (micros, total(&self.at(micros)))).collect();
        Spread { total: total(self), cpu, turns }
    }

    /// The part of one CPU. The parts sum up to the total, and none falls while the total rises.
    pub(crate) fn part_of_cpu(&self, spread: &Spread, cpu: Cpu) -> u64 {
        let processor = &self.machine.processor;
        let count = processor.cpus;
        let Some((first, _)) = spread.turns.first() else {
            return match spread.cpu {
                Some(only) if only == cpu => spread.total,
                Some(_) => 0,
                None => (spread.total + cpu.number() as u64) / (count as u64).max(1),
            };
        };
        let away = |micros: u64| self.past.absences.iter().filter(move |absence| absence.covers(micros));
        let is_there = |cpu: Cpu, micros: u64| !away(micros).any(|absence| absence.cpu == cpu);
        let (mut sum, mut before, mut since) = (0, 0, first.saturating_sub(1));
        let ends = spread.turns.iter().copied().chain([(self.micros, spread.total)]);
        for (until, total) in ends {
            let more = total - before;
            sum += match spread.cpu {
                // The first online CPU replaces an offline one.
                Some(only) => {
                    let mut there = std::iter::once(only).chain(processor.all()).filter(|&cpu| is_there(cpu, since));
                    if there.next() == Some(cpu) { more } else { 0 }
                }
                None if is_there(cpu, since) => {
                    let place = cpu.number() - away(since).filter(|absence| absence.cpu < cpu).count();
                    (more + place as u64) / (count - away(since).count()).max(1) as u64
                }
                None => 0,
            };
            (before, since) = (total, until);
        }
        sum
    }
}

impl Moment<'_> {
    /// The current frequency of a CPU, which rises with the load if it is scaled.
    pub(crate) fn kilohertz(&self, cpu: Cpu) -> u64 {
        let processor = &self.machine.processor;
        let Some(frequency) = &processor.frequency else {
            return match &processor.model {
                Model::X86(model) => model.kilohertz,
                Model::Arm(_) => 0,
                Model::Power(model) => model.kilohertz,
                Model::Mainframe(model) => model.megahertz * 1_000,
            };
        };
        let leading = if frequency.is_common { Cpu::new(0) } else { cpu };
        let load = processor.load(leading).map_or(MEAN, |load| self.recent(&load.wave, 1) * load.share / 1_000);
        let load = if self.runaway_processes() > 0 { 2 * MEAN } else { load };
        let range = frequency.most_kilohertz - frequency.least_kilohertz;
        frequency.least_kilohertz + range * load.min(2 * MEAN) / (2 * MEAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::past::State;
    use crate::wave::OFFICE;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn no_cpu_is_ever_busier_than_it_can_be() {
        let busy = BUSY * OFFICE.maximum() * CpuLoad::LARGEST_SHARE / 1_000;
        assert!(busy < 980 * 1_000, "{busy}");
    }

    proptest! {
        /// Other tests check whole seconds; this one checks single microseconds.
        #[test]
        fn no_column_falls_from_one_microsecond_to_the_next(seed: u64, after in 0_u64..10_000_000_000_000, step in 1_u64..20_000) {
            let state = State::from(Machine::vm(seed));
            let machine = &state.machine;
            let at = |micros| Moment::new(&state, Duration::from_secs(machine.booted_seconds) + Duration::from_micros(micros));
            for cpu in machine.processor.all() {
                let (before, then) = (at(after).cpu_times(cpu).columns(), at(after + step).cpu_times(cpu).columns());
                prop_assert!(before.iter().zip(then).all(|(before, then)| then >= *before), "{before:?} {then:?}");
            }
        }
    }

    #[test]
    fn load_and_pressure_rise_together() {
        let state = State::from(Machine::vm(1));
        let moments = (0..2_000).map(|minute| Moment::new(&state, Duration::from_secs(1_700_000_000 + minute * 60)));
        let mut moments: Vec<_> = moments.map(|moment| (moment.load_average(60), moment)).collect();
        moments.sort_by_key(|(average, _)| *average);
        let pressure = |part: &[(u64, Moment<'_>)]| -> u64 {
            part.iter().map(|(_, moment)| moment.stalled_recently(Stall::Cpu, 60)).sum()
        };
        let (quiet, busy) = (pressure(&moments[..500]), pressure(&moments[1_500..]));
        assert!(busy > 4 * quiet, "{quiet} in the quiet quarter, {busy} in the busy one");
        let (least, most) = (moments[0].0, moments[1_999].0);
        assert!(least < 80 && most > 160 && most < 800, "load from {least} to {most} hundredths");
    }
}
