//! A sliding window of several parts; older observations are dropped.

use std::time::Duration;

use super::sketch::{Precision, Sketch};

/// Observations of each part of the window.
#[derive(Debug)]
pub(super) struct Window {
    precision: Precision,
    part: Duration,
    /// A ring of parts: part number `n` is at index `n` modulo their count.
    parts: Vec<Sketch>,
    /// The number of the newest part, counted from the clock's start.
    newest: u128,
    /// Scratch memory for the merged parts.
    all: Sketch,
}

impl Window {
    pub(super) fn new(precision: Precision, window: Duration, parts: u32) -> Self {
        let part = window / parts;
        Self { precision, part, parts: vec![Sketch::default(); parts as usize], newest: 0, all: Sketch::default() }
    }

    pub(super) fn observe(&mut self, now: Duration, value: f64) {
        self.move_on(now);
        let index = self.index(self.newest);
        self.parts[index].observe(self.precision, value);
    }

    /// The quantiles of the observations in the window.
    pub(super) fn quantiles(&mut self, now: Duration, quantiles: &[f64]) -> Vec<f64> {
        self.move_on(now);
        self.all.clear();
        for part in &self.parts {
            self.all.merge(part);
        }
        quantiles.iter().map(|&quantile| self.all.quantile(self.precision, quantile)).collect()
    }

    /// Clears expired parts. A clock that goes back has no effect.
    fn move_on(&mut self, now: Duration) {
        let number = now.as_nanos() / self.part.as_nanos();
        let count = self.parts.len() as u128;
        let first = (self.newest + 1).max((number + 1).saturating_sub(count));
        for over in first..=number {
            let index = self.index(over);
            self.parts[index].clear();
        }
        self.newest = self.newest.max(number);
    }

    fn index(&self, number: u128) -> usize {
        let index = number % self.parts.len() as u128;
        usize::try_from(index).expect("below the count of parts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARTS: u32 = 5;

    fn window() -> Window {
        Window::new(Precision::of(0.01), Duration::from_secs(50), PARTS)
    }

    #[track_caller]
    fn check(window: &mut Window, seconds: u64, expected: Option<f64>) {
        let found = window.quantiles(Duration::from_secs(seconds), &[1.0])[0];
        match expected {
            Some(expected) => assert!((found - expected).abs() <= 0.01 * expected, "{found} for {expected}"),
            None => assert!(found.is_nan(), "{found}"),
        }
    }

    #[test]
    fn observations_older_than_the_window_are_dropped() {
        let mut window = window();
        check(&mut window, 0, None);
        window.observe(Duration::from_secs(5), 9.0);
        window.observe(Duration::from_secs(25), 3.0);
        check(&mut window, 49, Some(9.0));
        check(&mut window, 50, Some(3.0));
        check(&mut window, 69, Some(3.0));
        check(&mut window, 70, None);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let mut window = window();
        window.observe(Duration::from_secs(1_000), 2.0);
        window.observe(Duration::from_secs(3), 7.0);
        check(&mut window, 0, Some(7.0));
        check(&mut window, 1_040, Some(7.0));
        check(&mut window, 1_050, None);
    }

    proptest! {
        /// Compares with an implementation that stores every observation with its time.
        #[test]
        fn the_window_holds_what_its_parts_reach_back_to(
            steps in proptest::collection::vec((0_u64..30, 1_u32..1_000), 1..60),
        ) {
            let (mut window, mut now, mut kept) = (window(), 0, Vec::new());
            for (step, value) in steps {
                now += step;
                window.observe(Duration::from_secs(now), f64::from(value));
                kept.push((now / 10, value));
                let oldest = (now / 10 + 1).saturating_sub(u64::from(PARTS));
                let most = kept.iter().filter(|(part, _)| *part >= oldest).map(|(_, value)| *value).max();
                let expected = f64::from(most.expect("the last one at least"));
                let found = window.quantiles(Duration::from_secs(now), &[1.0])[0];
                prop_assert!((found - expected).abs() <= 0.010_001 * expected, "{} for {}", found, expected);
            }
        }
    }
}
