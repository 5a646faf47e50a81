//! Where the time of the CPUs goes, and what follows from it.

use super::Moment;
use crate::machine::{Cpu, CpuLoad};
use crate::wave::{MEAN, Wave};

/// Nanoseconds of a tick, 100 of which `/proc/stat` counts a second.
const TICK_NANOS: u64 = 10_000_000;
/// What each CPU does with its time at the mean load, in thousandths of it.
const USER: u64 = 150;
const NICE: u64 = 4;
const SYSTEM: u64 = 56;
const IOWAIT: u64 = 9;
const IRQ: u64 = 2;
const SOFTIRQ: u64 = 11;
const STEAL: u64 = 3;
/// Of the user time, what runs guests: nothing on a virtual machine.
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
    /// In the order of the columns.
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

/// Time that tasks stood still for want of something.
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
    /// Time that a CPU had nothing to do.
    pub(crate) fn idle_micros(&self, cpu: Cpu) -> u64 {
        self.online_micros(cpu).saturating_sub((self.spent(cpu, BUSY) + self.taken_by_fork_bombs(cpu)) / 1_000)
    }

    /// Nanoseconds for which a CPU would have had nothing to do, without fork bombs.
    fn idle_nanos(&self, cpu: Cpu) -> u64 {
        (self.online_micros(cpu) * 1_000).saturating_sub(self.spent(cpu, BUSY))
    }

    /// Idle nanoseconds that fork bombs used.
    fn taken_by_fork_bombs(&self, cpu: Cpu) -> u64 {
        self.during_fork_bombs(|moment| moment.idle_nanos(cpu))
    }

    /// Of one CPU.
    pub(crate) fn cpu_times(&self, cpu: Cpu) -> CpuTimes {
        let since = self.since(self.times_begin_micros(cpu));
        let spent = |permille| since.spent(cpu, permille);
        let [user, nice, system, iowait] = [USER, NICE, SYSTEM, IOWAIT].map(spent);
        let [irq, softirq, steal, guest] = [IRQ, SOFTIRQ, STEAL, GUEST].map(spent);
        let taken = since.taken_by_fork_bombs(cpu);
        let (user, system) = (user + taken * 3 / 5, system + (taken - taken * 3 / 5));
        let fallen = self.iowait_fallen().min(iowait);
        let iowait = iowait - fallen;
        // All time that is not spent is idle, counted before it is cut to ticks: so no column ever falls.
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

    /// Nanoseconds for which a CPU ran tasks, those for which tasks waited for it, and how often one got its turn.
    pub(crate) fn scheduled(&self, cpu: Cpu) -> [u64; 3] {
        const WAITING: u64 = 13;
        const TIMESLICE_NANOS: u64 = 430_000;
        let running = self.spent(cpu, USER + NICE + SYSTEM) + self.taken_by_fork_bombs(cpu);
        [running, self.spent(cpu, WAITING), running / TIMESLICE_NANOS]
    }

    /// Of all CPUs together: their sum, to the tick, with what those did that are away.
    pub(crate) fn cpu_times_of_all(&self) -> CpuTimes {
        self.machine.processor.all().map(|cpu| self.cpu_times(cpu)).fold(CpuTimes::default(), CpuTimes::plus)
    }

    /// Nanoseconds by which the time that each CPU waited for disks has fallen.
    fn iowait_fallen(&self) -> u64 {
        let falls = self.past.iowait_falls.iter().filter(|(micros, _)| *micros <= self.micros);
        falls.map(|(_, ticks)| ticks * TICK_NANOS).sum()
    }

    /// Microseconds since the start.
    pub(crate) fn stalled_micros(&self, stall: Stall) -> u64 {
        let usual = |moment: &Self| moment.usually_stalled_micros(stall);
        usual(self)
            + match stall {
                Stall::Cpu => self.filled_by_fork_bombs(usual),
                Stall::Memory => self.thrashed_micros() / 5 * 2,
                Stall::MemoryFull => self.thrashed_micros() / 5,
                // What is swapped out has to be written.
                Stall::Io => self.thrashed_micros() / 4 + self.slow_micros() / 3,
                Stall::IoFull => self.thrashed_micros() / 8 + self.slow_micros() / 6,
                Stall::CpuFull | Stall::Interrupts => 0,
            }
    }

    fn usually_stalled_micros(&self, stall: Stall) -> u64 {
        let load = &self.machine.load;
        match stall {
            Stall::Cpu => self.nanoseconds(load, 4) / 1_000 + self.burst_micros(load, 200),
            // The kernel writes the line for the host as a whole, and always zero.
            Stall::CpuFull => 0,
            Stall::Memory => self.burst_micros(load, 3),
            Stall::MemoryFull => self.burst_micros(load, 2),
            Stall::Io => self.nanoseconds(load, 7) / 1_000 + self.burst_micros(load, 40),
            Stall::Interrupts => self.nanoseconds(load, 3) / 1_000,
            Stall::IoFull => self.nanoseconds(load, 5) / 1_000 + self.burst_micros(load, 30),
        }
    }

    /// The part of the last seconds that was stalled, in hundredths of a percent.
    pub(crate) fn stalled_recently(&self, stall: Stall, seconds: u64) -> u64 {
        let before = self.earlier(seconds);
        let passed = (self.micros - before.micros).max(1);
        (self.stalled_micros(stall) - before.stalled_micros(stall)) * 10_000 / passed
    }

    /// Tasks that ran or waited on average over the last seconds, in hundredths.
    pub(crate) fn load_average(&self, seconds: u64) -> u64 {
        let before = self.earlier(seconds);
        let wanted = |moment: &Self| {
            let running =
                moment.machine.processor.loads.iter().map(|load| moment.wanted_nanos(load) / 1_000).sum::<u64>();
            // Whoever waits for a CPU is about twice as many as a stall counts.
            let waiting = 2 * moment.usually_stalled_micros(Stall::Cpu) + moment.stalled_micros(Stall::Io);
            running + waiting + moment.wanted_by_fork_bombs_micros()
        };
        (wanted(self) - wanted(&before)) * 100 / (self.micros - before.micros).max(1)
    }

    /// What a CPU has done of what takes so many thousandths of its time at the mean load and share.
    fn spent(&self, cpu: Cpu, permille: u64) -> u64 {
        let Some(load) = self.machine.processor.load(cpu) else { return 0 };
        load.nanoseconds(self.online_area(cpu, &load.wave), permille)
    }

    /// Whoever wants a CPU wants another one while it is away.
    fn wanted_nanos(&self, load: &CpuLoad) -> u64 {
        load.nanoseconds(self.area(&load.wave), USER + NICE + SYSTEM + IOWAIT)
    }

    /// Times that a core or the whole package became too hot; bursts do that.
    pub(crate) fn throttles(&self, wave: &Wave, one_in_seconds: u64) -> u64 {
        self.burst_micros(wave, 1_000) / (one_in_seconds * 1_000_000)
    }
}

impl CpuLoad {
    /// What takes so many thousandths of the time at the mean load and share, of so much of the load's wave.
    fn nanoseconds(&self, area: u64, permille: u64) -> u64 {
        let total = u128::from(area) * u128::from(permille * self.share) / u128::from(MEAN * MEAN);
        u64::try_from(total).unwrap_or(u64::MAX)
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
        /// Seconds are looked at from outside; here it is about the microseconds at which a column turns.
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
