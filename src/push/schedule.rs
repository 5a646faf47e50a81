//! When samples are collected: intervals or cron expressions, and what happens when the clock is set.

use std::time::Duration;

use tz::TimeZone;

use super::cron::{Cron, moment};
use super::hash;

/// A step of the clock below this is drift.
const STEP_MIN: Duration = Duration::from_secs(1);
/// The clock is looked at this often while a tick is waited for.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// When ticks are.
#[derive(Clone, Debug)]
pub enum Timing {
    /// At multiples of an interval.
    Every(Duration),
    /// At the moments of an expression, in a zone.
    Cron(Box<Cron>, TimeZone),
}

/// When ticks are on this host.
#[derive(Clone, Debug)]
pub struct Schedule {
    timing: Timing,
    /// Delay behind the moments of the timing, so that a fleet does not push in the same second.
    phase: Duration,
    /// Bound of a further delay of each tick.
    jitter: Duration,
    seed: u64,
}

impl Schedule {
    /// A schedule of a host. Hosts are spread over the interval, or over `spread` behind the moments of an expression.
    pub fn new(timing: Timing, spread: Duration, jitter: Duration, host: &str) -> Self {
        let spread = match &timing {
            Timing::Every(interval) => *interval,
            Timing::Cron(..) => spread,
        };
        let seed = hash(host.as_bytes());
        let jitter = match &timing {
            Timing::Every(interval) => jitter.min(*interval / 2),
            Timing::Cron(..) => jitter,
        };
        Self { timing, phase: share(spread, seed), jitter, seed }
    }

    /// The first tick after a moment, without jitter.
    fn after(&self, now: Duration) -> Duration {
        match &self.timing {
            Timing::Every(interval) => {
                let interval = interval.as_nanos().max(1);
                let since = now.as_nanos().saturating_sub(self.phase.as_nanos());
                let periods = if now < self.phase { 0 } else { since / interval + 1 };
                let nanos = self.phase.as_nanos() + periods * interval;
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            Timing::Cron(cron, zone) => {
                let seconds = i64::try_from(now.saturating_sub(self.phase).as_secs()).unwrap_or(i64::MAX);
                // Without a next moment nothing is collected until the clock is set.
                cron.after(seconds, zone).map_or(Duration::MAX, |found| moment(found) + self.phase)
            }
        }
    }

    /// The delay of a tick.
    fn jitter(&self, tick: Duration) -> Duration {
        share(self.jitter, hash(&[self.seed.to_le_bytes(), tick.as_secs().to_le_bytes()].concat()))
    }
}

/// A part of a duration that follows from a number.
fn share(whole: Duration, number: u64) -> Duration {
    let nanos = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    // The hash's low bits alone would be poor for intervals of a power of two.
    Duration::from_nanos(number.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15).checked_rem(nanos).unwrap_or(0))
}

/// The action that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Look again after this time.
    Wait(Duration),
    /// Collect.
    Collect,
}

/// Decides when to collect, from the two clocks alone.
#[derive(Clone, Debug)]
pub struct Ticker {
    schedule: Schedule,
    /// The next tick, without jitter.
    at: Duration,
    /// Wall clock and monotonic clock at the last look.
    last: (Duration, Duration),
    /// Ticks that came while a collection ran.
    missed: u64,
    /// Steps of the clock.
    steps: u64,
}

impl Ticker {
    /// Begins at a moment of the wall clock and the monotonic clock.
    pub fn new(schedule: Schedule, now: Duration, monotonic: Duration) -> Self {
        let at = schedule.after(now);
        Self { schedule, at, last: (now, monotonic), missed: 0, steps: 0 }
    }

    /// Goes on with another schedule.
    pub fn change(&mut self, schedule: Schedule, now: Duration) {
        self.schedule = schedule;
        self.at = self.schedule.after(now);
    }

    /// The action that is due at a moment. Call [`Ticker::collected`] after a collection.
    pub fn look(&mut self, now: Duration, monotonic: Duration) -> Next {
        self.notice_step(now, monotonic);
        let due = self.at.saturating_add(self.schedule.jitter(self.at));
        if now >= due { Next::Collect } else { Next::Wait(due.saturating_sub(now).min(LOOK_INTERVAL)) }
    }

    /// A collection ended at a moment. Ticks that came meanwhile are counted.
    pub fn collected(&mut self, now: Duration, monotonic: Duration) {
        self.notice_step(now, monotonic);
        let mut next = self.schedule.after(self.at);
        while next <= now && self.at <= now {
            self.missed += 1;
            next = self.schedule.after(next);
        }
        // A step backwards is no reason to collect one moment twice, nor to wait for the one before the step.
        self.at = if self.at > now { self.schedule.after(now) } else { next };
    }

    fn notice_step(&mut self, now: Duration, monotonic: Duration) {
        let expected = self.last.0 + monotonic.saturating_sub(self.last.1);
        self.last = (now, monotonic);
        if now.abs_diff(expected) >= STEP_MIN {
            self.steps += 1;
            // Moments that the clock jumped over are no missed ticks.
            self.at = self.schedule.after(now);
        }
    }

    /// Takes the counts of missed ticks and of steps of the clock since the last call.
    pub fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.missed), std::mem::take(&mut self.steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::cron;
    use proptest::prelude::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn every(interval: Duration, host: &str) -> Schedule {
        Schedule::new(Timing::Every(interval), Duration::ZERO, Duration::ZERO, host)
    }

    #[test]
    fn ticks_are_an_interval_apart_and_hosts_differ_in_phase() {
        let phases: std::collections::BTreeSet<u64> =
            (0..100).map(|node| every(INTERVAL, &format!("node{node}")).phase.as_secs()).collect();
        assert!(phases.len() > 20, "{phases:?}");
        let schedule = Schedule { phase: Duration::from_secs(7), ..every(INTERVAL, "x") };
        for (now, next) in [(0, 7), (6, 7), (7, 37), (36, 37), (1_700_000_000, 1_700_000_017)] {
            assert_eq!(schedule.after(Duration::from_secs(now)).as_secs(), next, "after {now}");
        }
    }

    #[test]
    fn hosts_are_spread_behind_the_moments_of_an_expression() {
        let cron = Timing::Cron(Box::new(Cron::parse("*/10 * * * *").unwrap()), cron::utc());
        let offsets: std::collections::BTreeSet<u64> = (0..100)
            .map(|node| {
                let schedule =
                    Schedule::new(cron.clone(), Duration::from_secs(60), Duration::ZERO, &format!("node{node}"));
                schedule.after(Duration::from_secs(1_700_000_000)).as_secs() % 600
            })
            .collect();
        assert!(offsets.len() > 20 && offsets.iter().all(|offset| *offset < 60), "{offsets:?}");
    }

    #[test]
    fn jitter_is_bounded_and_differs_from_tick_to_tick() {
        let schedule = Schedule::new(Timing::Every(INTERVAL), Duration::ZERO, Duration::from_secs(5), "x");
        let delays: std::collections::BTreeSet<Duration> =
            (0..50).map(|tick| schedule.jitter(INTERVAL * tick)).collect();
        assert!(delays.len() > 40 && delays.iter().all(|delay| *delay < Duration::from_secs(5)), "{delays:?}");
        let half = Schedule::new(Timing::Every(INTERVAL), Duration::ZERO, INTERVAL * 9, "x");
        assert_eq!(half.jitter, INTERVAL / 2);
    }

    /// A world with two clocks, in which time passes only when somebody waits.
    struct World {
        wall: i64,
        monotonic: u64,
        ticker: Ticker,
        /// Moments of the monotonic clock at which was collected.
        collected: Vec<u64>,
        /// The same moments by the wall clock.
        walls: Vec<i64>,
    }

    impl World {
        fn new(schedule: Schedule) -> Self {
            let wall = 1_700_000_000;
            let ticker = Ticker::new(schedule, moment(wall), Duration::ZERO);
            Self { wall, monotonic: 0, ticker, collected: Vec::new(), walls: Vec::new() }
        }

        fn pass(&mut self, seconds: u64) {
            self.monotonic += seconds;
            self.wall += i64::try_from(seconds).unwrap();
        }

        /// Runs for some seconds; each collection takes `took`.
        fn run(&mut self, seconds: u64, took: u64) {
            let end = self.monotonic + seconds;
            while self.monotonic < end {
                match self.ticker.look(moment(self.wall), Duration::from_secs(self.monotonic)) {
                    Next::Wait(time) => self.pass(time.as_secs().max(1)),
                    Next::Collect => {
                        self.collected.push(self.monotonic);
                        self.walls.push(self.wall);
                        self.pass(took);
                        self.ticker.collected(moment(self.wall), Duration::from_secs(self.monotonic));
                    }
                }
            }
        }

        fn gaps(&self) -> Vec<u64> {
            self.collected.windows(2).map(|pair| pair[1] - pair[0]).collect()
        }
    }

    #[test]
    fn a_steady_clock_collects_at_every_tick() {
        let mut world = World::new(every(INTERVAL, "x"));
        world.run(3_000, 1);
        assert_eq!(world.collected.len(), 100);
        assert!(world.gaps().iter().all(|gap| (29..=31).contains(gap)), "{:?}", world.gaps());
        assert_eq!(world.ticker.take_counts(), (0, 0));
    }

    #[test]
    fn ticks_that_come_while_a_collection_runs_are_counted_and_not_made_up_for() {
        let mut world = World::new(every(INTERVAL, "x"));
        world.run(3_000, 70);
        let (missed, steps) = world.ticker.take_counts();
        // Each collection of 70 s passes over two ticks and begins again at the third.
        assert!((32..=34).contains(&world.collected.len()), "{}", world.collected.len());
        assert!((64..=68).contains(&missed) && steps == 0, "{missed} {steps}");
    }

    #[test]
    fn a_clock_that_is_set_costs_at_most_one_interval() {
        for step in [3_600, 86_400 * 365, -3_600, -86_400, 45, -45, 2, -2] {
            let mut world = World::new(every(INTERVAL, "x"));
            world.run(300, 1);
            world.wall += step;
            world.run(300, 1);
            let longest = world.gaps().into_iter().max().unwrap();
            assert!(longest <= 60 + 5, "step {step}: {:?}", world.gaps());
            assert_eq!(world.ticker.take_counts().1, 1, "step {step}");
            assert!((18..=22).contains(&world.collected.len()), "step {step}: {}", world.collected.len());
        }
    }

    #[test]
    fn a_clock_that_is_set_during_a_collection_is_noticed() {
        for step in [600, -600] {
            let mut world = World::new(every(INTERVAL, "x"));
            world.run(100, 1);
            world.ticker.look(moment(world.wall), Duration::from_secs(world.monotonic));
            world.wall += step;
            world.ticker.collected(moment(world.wall), Duration::from_secs(world.monotonic));
            world.run(200, 1);
            assert_eq!(world.ticker.take_counts(), (0, 1), "step {step}");
            assert!(world.gaps().iter().all(|gap| *gap <= 65), "{:?}", world.gaps());
        }
    }

    #[test]
    fn an_expression_is_kept_to_across_steps() {
        let timing = Timing::Cron(Box::new(Cron::parse("0 * * * *").unwrap()), cron::utc());
        let mut world = World::new(Schedule::new(timing, Duration::ZERO, Duration::ZERO, "x"));
        world.run(86_400, 1);
        assert_eq!(world.collected.len(), 24);
        world.wall -= 7_200;
        world.run(86_400, 1);
        assert_eq!(world.collected.len(), 48);
        assert_eq!(world.ticker.take_counts(), (0, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn steps_of_the_clock_leave_out_one_moment_at_most(
            steps in prop::collection::vec((1..4_000_u64, prop_oneof![-90_000..-2_i64, 2..90_000_i64, -700..-2_i64, 2..700_i64]), 0..8),
            // On the day that Berlin's clocks go forwards, and on the one that they go back.
            start in prop_oneof![Just(1_774_738_800_i64), Just(1_792_879_200_i64)],
        ) {
            let zone = TimeZone::from_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
            let timing = Timing::Cron(Box::new(Cron::parse("*/10 * * * *").unwrap()), zone);
            let mut world = World::new(Schedule::new(timing, Duration::ZERO, Duration::ZERO, "x"));
            world.wall = start;
            world.ticker = Ticker::new(world.ticker.schedule.clone(), moment(start), Duration::ZERO);
            for (seconds, step) in &steps {
                world.run(*seconds, 1);
                world.wall += step;
            }
            world.run(4_000, 1);
            // A step costs the moment that it jumps over or the time to the next one, never more.
            let longest = world.gaps().into_iter().chain(world.collected.first().copied()).max().unwrap_or_default();
            prop_assert!(longest <= 1_200 + 5 || steps.len() > 1 && longest <= 600 * (1 + steps.len() as u64) + 5);
            // Each collection is at a moment of the expression, or as much later as the clock is looked at.
            prop_assert!(world.walls.iter().all(|wall| wall.rem_euclid(600) <= 5), "{:?}", world.walls);
            prop_assert_eq!(world.ticker.take_counts(), (0, steps.len() as u64));
        }
    }
}
