//! Intensities over time whose integrals are exact.
//!
//! A [`Wave`] is an intensity in thousandths whose mean over time is 1,000: a daily curve through 24 points with
//! [`Level`]s of disturbance. Within one slot, the quiet parts of a level cancel its burst, so the integral over complete
//! slots is known and every moment costs the same. The intensity is positive, so a counter made of it never falls. All
//! values are integers, so they are equal on every system.

use std::cell::Cell;

use crate::seed::Seed;

/// Microseconds in a second, the unit of time here.
pub(crate) const MICROS: u64 = 1_000_000;
/// The latest moment, in the year 2286: sums and products of moments stay within 64 bits.
pub(crate) const LAST_SECONDS: u64 = 10_000_000_000;
const HOUR_MICROS: u64 = 3_600 * MICROS;
/// The mean of every wave, in thousandths.
pub(crate) const MEAN: u64 = 1_000;

/// A level of disturbance: in each slot of time, one of `parts` equal parts is a burst and the others are quieter.
#[derive(Debug)]
pub(crate) struct Level {
    /// The duration of a slot.
    pub(crate) slot_seconds: u64,
    /// The number of parts of a slot.
    pub(crate) parts: u64,
    /// The maximum reduction of quiet parts, in thousandths; the burst adds `parts - 1` times that.
    pub(crate) amplitude: u64,
    /// Whether each wave has its own bursts, rather than those of the host.
    pub(crate) own: bool,
}

/// A daily curve and its levels of disturbance.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The intensity at each full hour of UTC, in thousandths, interpolated linearly. The mean is 1,000.
    pub(crate) hours: [u64; 24],
    pub(crate) levels: &'static [Level],
}

impl Shape {
    /// The maximum of waves of this shape, in thousandths.
    #[cfg(test)]
    pub(crate) fn maximum(&self) -> u64 {
        let bursts: u64 = self.levels.iter().map(|level| level.amplitude * (level.parts - 1)).sum();
        self.hours.iter().max().copied().unwrap_or_default() + bursts
    }
}

/// Human activity: low at night, high in the afternoon, with frequent bursts.
pub(crate) static OFFICE: Shape = Shape {
    hours: [
        620, 560, 520, 500, 510, 560, 680, 860, 1080, 1260, 1340, 1360, 1300, 1340, 1400, 1420, 1380, 1300, 1200, 1120,
        1040, 960, 900, 790,
    ],
    levels: &[
        Level { slot_seconds: 2_400, parts: 8, amplitude: 120, own: false },
        Level { slot_seconds: 480, parts: 4, amplitude: 60, own: false },
        Level { slot_seconds: 60, parts: 2, amplitude: 180, own: true },
    ],
};

/// Machine activity: constant during the day, with hourly jobs and a long job at night.
pub(crate) static BATCH: Shape = Shape {
    hours: [
        900, 1500, 1800, 2000, 1800, 1400, 900, 800, 800, 800, 800, 800, 800, 800, 800, 800, 800, 800, 800, 800, 800,
        800, 850, 850,
    ],
    levels: &[
        Level { slot_seconds: 3_600, parts: 6, amplitude: 300, own: false },
        Level { slot_seconds: 60, parts: 3, amplitude: 200, own: true },
    ],
};

/// An intensity over time.
#[derive(Clone, Debug)]
pub(crate) struct Wave {
    shape: &'static Shape,
    shared: Seed,
    own: Seed,
}

impl Wave {
    /// A wave of a shape, with the bursts of the host.
    pub(crate) fn new(shape: &'static Shape, host: Seed, name: &str) -> Self {
        Self { shape, shared: host.of("bursts"), own: host.of(name) }
    }

    /// The integral from 1970 to a moment, in thousandths times microseconds.
    pub(crate) fn integral(&self, micros: u64) -> u64 {
        let asked = IntegralKey { shape: self.shape, shared: self.shared, own: self.own, micros };
        asked.answered(|| {
            let disturbed: i64 = self.levels().map(|(level, seed)| level.integral(seed, micros)).sum();
            self.shape.day(micros).saturating_add_signed(disturbed)
        })
    }

    /// The integral of the bursts alone: the excess of bursts of the host over the quiet parts.
    pub(crate) fn bursts(&self, micros: u64) -> u64 {
        self.levels().filter(|(level, _)| !level.own).map(|(level, seed)| level.bursts(seed, micros)).sum()
    }

    fn levels(&self) -> impl Iterator<Item = (&Level, Seed)> {
        let levels = self.shape.levels.iter();
        levels.map(|level| (level, if level.own { self.own } else { self.shared }.at(level.slot_seconds)))
    }
}

/// The key of a cached integral. Many counters of a file use one wave at the same two moments.
#[derive(Clone, Copy)]
struct IntegralKey {
    shape: *const Shape,
    shared: Seed,
    own: Seed,
    micros: u64,
}

impl IntegralKey {
    /// The number of cached integrals.
    const REMEMBERED: usize = 64;

    fn answered(self, work_out: impl FnOnce() -> u64) -> u64 {
        thread_local! {
            static LATEST: [Cell<Option<(IntegralKey, u64)>>; IntegralKey::REMEMBERED] = const { [const { Cell::new(None) }; _] };
        }
        let place = usize::try_from(self.own.at(self.micros).below(Self::REMEMBERED as u64)).unwrap_or_default();
        LATEST.with(|latest| match latest[place].get() {
            Some((asked, answer)) if asked.is(self) => answer,
            _ => {
                let answer = work_out();
                latest[place].set(Some((self, answer)));
                answer
            }
        })
    }

    fn is(self, other: Self) -> bool {
        std::ptr::eq(self.shape, other.shape)
            && (self.shared, self.own, self.micros) == (other.shared, other.own, other.micros)
    }
}

impl Shape {
    fn day(&self, micros: u64) -> u64 {
        let (hours, within) = (micros / HOUR_MICROS, micros % HOUR_MICROS);
        let (days, hour) = (hours / 24, hours % 24);
        let whole_days = days * 24 * MEAN * HOUR_MICROS;
        let points = || self.hours.iter().zip(self.hours.iter().cycle().skip(1));
        let mut area = whole_days;
        for ((&first, &last), position) in points().zip(0..=hour) {
            area += if position < hour {
                (first + last) * (HOUR_MICROS / 2)
            } else {
                // A trapezium that ends within the hour; the product needs more than 64 bits.
                let slope = (i128::from(last) - i128::from(first)) * i128::from(within) * i128::from(within);
                let slope = i64::try_from(slope.div_euclid(2 * i128::from(HOUR_MICROS))).unwrap_or_default();
                (first * within).saturating_add_signed(slope)
            };
        }
        area
    }
}

impl Level {
    fn slot_micros(&self) -> u64 {
        self.slot_seconds * MICROS
    }

    fn part_micros(&self) -> u64 {
        self.slot_micros() / self.parts
    }

    /// The amplitude of a slot. Pairs of slots sum up to a constant, so that sums over slots are known.
    fn amplitude_of(&self, seed: Seed, slot: u64) -> u64 {
        let first = seed.at(slot / 2).below(self.amplitude + 1);
        if slot.is_multiple_of(2) { first } else { self.amplitude - first }
    }

    /// The part of the burst that has passed at a time of the slot.
    fn busy_micros(&self, seed: Seed, slot: u64, within: u64) -> u64 {
        let part = seed.of("part").at(slot).below(self.parts);
        within.saturating_sub(part * self.part_micros()).min(self.part_micros())
    }

    fn integral(&self, seed: Seed, micros: u64) -> i64 {
        let (slot, within) = (micros / self.slot_micros(), micros % self.slot_micros());
        let (busy, amplitude) = (self.busy_micros(seed, slot, within), self.amplitude_of(seed, slot));
        (self.parts * amplitude * busy).cast_signed() - (amplitude * within).cast_signed()
    }

    fn bursts(&self, seed: Seed, micros: u64) -> u64 {
        let (slot, within) = (micros / self.slot_micros(), micros % self.slot_micros());
        let before =
            slot / 2 * self.amplitude + if slot.is_multiple_of(2) { 0 } else { self.amplitude_of(seed, slot - 1) };
        let current = self.amplitude_of(seed, slot) * self.busy_micros(seed, slot, within);
        self.parts * (before * self.part_micros() + current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPES: [&Shape; 2] = [&OFFICE, &BATCH];
    const DAY_MICROS: u64 = 24 * HOUR_MICROS;

    #[test]
    fn every_shape_has_its_mean_and_stays_above_zero() {
        for shape in SHAPES {
            assert_eq!(shape.hours.iter().sum::<u64>(), 24 * MEAN);
            let quiet: u64 = shape.levels.iter().map(|level| level.amplitude).sum();
            // A margin for rounding.
            assert!(shape.hours.iter().all(|&hour| hour > quiet + 10), "{shape:?}");
            for level in shape.levels {
                assert_eq!(level.slot_micros() % level.parts, 0, "{level:?}");
                assert_eq!(86_400 % level.slot_seconds, 0, "{level:?}");
            }
        }
    }

    fn waves(seed: u64) -> impl Iterator<Item = Wave> {
        SHAPES.into_iter().map(move |shape| Wave::new(shape, Seed::new(seed), "a"))
    }

    proptest! {
        #[test]
        fn a_day_has_the_mean_whatever_the_seed(seed: u64, day in 0_u64..30_000) {
            for wave in waves(seed) {
                let area = wave.integral((day + 1) * DAY_MICROS) - wave.integral(day * DAY_MICROS);
                prop_assert_eq!(area, MEAN * DAY_MICROS);
            }
        }

        #[test]
        fn the_integral_rises_with_every_microsecond(seed: u64, micros in 0_u64..4_000_000_000_000_000, step in 1_u64..1_000_000) {
            for wave in waves(seed) {
                prop_assert!(wave.integral(micros + 1) > wave.integral(micros));
                prop_assert!(wave.bursts(micros + 1) >= wave.bursts(micros));
                let rise = wave.integral(micros + step) - wave.integral(micros);
                prop_assert!(rise <= (wave.shape.maximum() + 1) * step, "{rise} in {step}");
            }
        }

        /// Complete slots are summed at once, so errors would show at their boundaries.
        #[test]
        fn nothing_jumps_between_slots(seed: u64, seconds in 4_000_u64..4_000_000_000) {
            for wave in waves(seed) {
                for level in wave.shape.levels {
                    let seam = seconds / level.slot_seconds * level.slot_micros();
                    let most = 2 * (wave.shape.maximum() + 1);
                    prop_assert!(wave.integral(seam + 1) - wave.integral(seam - 1) <= most);
                    prop_assert!(wave.bursts(seam + 1) - wave.bursts(seam - 1) <= 4 * most);
                }
            }
        }
    }
}
