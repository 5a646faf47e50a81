//! CPU times as exported: they never decrease between scrapes.
//!
//! In the kernel, idle and iowait decrease slightly at times, and all counters of a CPU restart after it was offline.
//! Exported values never decrease, except when idle decreased so much that the CPU must have restarted.

use crate::kit::digits;
use crate::kit::prelude::*;
use crate::stat::rows::{self, Column, Ticks};

/// Decrease of the idle time between two scrapes from which a CPU is considered restarted.
pub(super) const IDLE_JUMP_BACK_SECONDS: f64 = 3.0;

/// The times of all online CPUs.
#[derive(Default, Debug)]
pub(super) struct Times {
    /// Times exported last, by CPU number.
    shown: Vec<Shown>,
    /// Times to export next, while they are computed.
    next: Vec<Shown>,
    /// Times read, by CPU number.
    fresh: Vec<Fresh>,
    /// Indices in `shown`, sorted by the digits of the CPU numbers: the order of the page.
    order: Vec<usize>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Shown {
    number: u32,
    ticks: Ticks,
    /// Whether its row was valid in this scrape. An invalid row costs its samples, but not its history.
    is_read: bool,
}

#[derive(Clone, Copy, Debug)]
struct Fresh {
    number: u32,
    ticks: Option<Ticks>,
}

impl Times {
    /// Updates the times from a new /proc/stat.
    pub(super) fn update(&mut self, text: Text<'_>, ticks_per_second: u64, problems: &mut Problems) {
        self.read(text, problems);
        self.next.clear();
        let mut before = self.shown.iter().peekable();
        let mut is_changed = false;
        for fresh in &self.fresh {
            // CPUs that are no longer in the file are offline and removed.
            while before.next_if(|shown| shown.number < fresh.number).is_some() {
                is_changed = true;
            }
            let last = before.next_if(|shown| shown.number == fresh.number);
            is_changed |= last.is_none();
            let last = last.copied().unwrap_or(Shown { number: fresh.number, ..Shown::default() });
            self.next.push(fresh.after(last, ticks_per_second));
        }
        is_changed |= before.next().is_some();
        std::mem::swap(&mut self.shown, &mut self.next);
        if is_changed {
            self.sort();
        }
    }

    /// The CPUs with valid rows, in the order of the page.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Ticks)> {
        let all = self.order.iter().filter_map(|&at| self.shown.get(at));
        all.filter(|shown| shown.is_read).map(|shown| (shown.number, &shown.ticks))
    }

    fn read(&mut self, text: Text<'_>, problems: &mut Problems) {
        self.fresh.clear();
        for row in text.lines().filter_map(rows::cpu) {
            if let Some(row) = problems.value(row) {
                self.fresh.push(Fresh { number: row.number, ticks: problems.value(row.ticks) });
            }
        }
        if self.fresh.is_empty() {
            problems.report(text.error("cpu", "a row for each CPU", b""));
        }
        if !self.fresh.is_sorted_by(|a, b| a.number < b.number) {
            // The kernel never writes two rows for one CPU. The last one is used.
            self.fresh.sort_by_key(|fresh| fresh.number);
            self.fresh.dedup_by(|later, kept| {
                let is_same = later.number == kept.number;
                if is_same {
                    kept.ticks = later.ticks.or(kept.ticks);
                }
                is_same
            });
        }
    }

    fn sort(&mut self) {
        let Self { shown, order, .. } = self;
        order.clear();
        order.extend(0..shown.len());
        order.sort_unstable_by_key(|&at| digits::text_order(u64::from(shown[at].number)));
    }
}

impl Fresh {
    /// The times to export after `last`.
    fn after(self, last: Shown, ticks_per_second: u64) -> Shown {
        let Some(fresh) = self.ticks else { return Shown { is_read: false, ..last } };
        // Exported values are compared, so that a decrease by exactly the limit is visible on the page.
        let idle_seconds = |ticks: &Ticks| seconds(ticks.of(Column::Idle), ticks_per_second);
        let is_reset = idle_seconds(&last.ticks) - idle_seconds(&fresh) >= IDLE_JUMP_BACK_SECONDS;
        let mut ticks = if is_reset { Ticks::default() } else { last.ticks };
        for (shown, fresh) in ticks.0.iter_mut().zip(fresh.0) {
            *shown = fresh.max(*shown);
        }
        Shown { number: self.number, ticks, is_read: true }
    }
}

/// Ticks in seconds.
pub(super) fn seconds(ticks: u64, ticks_per_second: u64) -> f64 {
    ticks as f64 / ticks_per_second as f64
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    fn update(times: &mut Times, file: &str) -> usize {
        let mut problems = Problems::default();
        times.update(Text::new(Mount::Proc, b"stat", file.as_bytes()), 100, &mut problems);
        problems.count()
    }

    /// CPU number, user and idle time exported after each file.
    #[track_caller]
    fn check(files: &[&str], expected: &[(u32, u64, u64)]) {
        let mut times = Times::default();
        for file in files {
            update(&mut times, file);
        }
        let shown = times.iter().map(|(number, ticks)| (number, ticks.of(Column::User), ticks.of(Column::Idle)));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn exported_times_never_decrease() {
        check(&["cpu0 10 0 0 1000\n", "cpu0 12 0 0 1100\n"], &[(0, 12, 1100)]);
        check(&["cpu0 10 0 0 1000\n", "cpu0 8 0 0 900\n"], &[(0, 10, 1000)]);
    }

    #[test]
    fn an_idle_decrease_of_three_seconds_restarts_the_cpu() {
        check(&["cpu0 10 0 0 1000\n", "cpu0 8 0 0 701\n"], &[(0, 10, 1000)]);
        check(&["cpu0 10 0 0 1000\n", "cpu0 8 0 0 700\n"], &[(0, 8, 700)]);
        check(&["cpu0 10 0 0 1000\n", "cpu0 8 0 0 0\n"], &[(0, 8, 0)]);
    }

    #[test]
    fn removed_cpus_are_forgotten() {
        check(&["cpu0 1 0 0 1\ncpu2 9 0 0 9\n", "cpu0 1 0 0 1\n"], &[(0, 1, 1)]);
        check(&["cpu0 1 0 0 1\ncpu2 9 0 0 9\n", "cpu0 1 0 0 1\n", "cpu2 1 0 0 1\n"], &[(2, 1, 1)]);
        check(&["cpu0 9 0 0 9\n", "cpu1 1 0 0 1\n"], &[(1, 1, 1)]);
        check(&["cpu0 9 0 0 9\n", "ctxt 1\n"], &[]);
        assert_eq!(update(&mut Times::default(), "ctxt 1\n"), 1, "a host has a CPU");
    }

    #[test]
    fn cpus_are_sorted_by_digits() {
        let file = "cpu0 0 0 0 0\ncpu1 1 0 0 0\ncpu2 2 0 0 0\ncpu10 10 0 0 0\n";
        check(&[file], &[(0, 0, 0), (1, 1, 0), (10, 10, 0), (2, 2, 0)]);
        check(&["cpu7 0 0 0 0\n", file], &[(0, 0, 0), (1, 1, 0), (10, 10, 0), (2, 2, 0)]);
    }

    #[test]
    fn the_last_of_two_rows_of_a_cpu_is_used() {
        check(&["cpu1 9 0 0 9\ncpu0 5 0 0 5\ncpu1 7 0 0 7\n"], &[(0, 5, 5), (1, 7, 7)]);
    }

    #[test]
    fn a_bad_row_costs_its_samples_and_not_its_history() {
        let mut times = Times::default();
        assert_eq!(update(&mut times, "cpu0 10 0 0 1000\ncpu1 1 0 0 1\n"), 0);
        assert_eq!(update(&mut times, "cpu0 x 0 0 1000\ncpu1 1 0 0 1\n"), 1);
        assert_eq!(times.iter().map(|(number, _)| number).collect::<Vec<_>>(), [1]);
        assert_eq!(update(&mut times, "cpu0 9 0 0 1000\ncpu1 1 0 0 1\ncpux 1 0 0 1\n"), 1);
        let user: Vec<_> = times.iter().map(|(_, ticks)| ticks.of(Column::User)).collect();
        assert_eq!(user, [10, 1]);
    }

    #[test]
    fn a_short_row_costs_only_its_own_samples() {
        let mut times = Times::default();
        assert_eq!(update(&mut times, "cpu0 1 0 0 1000\ncpu1 1 0 0"), 1);
        assert_eq!(times.iter().map(|(number, _)| number).collect::<Vec<_>>(), [0]);
        assert_eq!(update(&mut times, "cpu0 1 0 0 1000\nsoftirq 1 2"), 0);
    }

    proptest! {
        /// Compares with a simple implementation that uses a map.
        #[test]
        fn any_scrapes_show_what_the_rule_says(
            scrapes in proptest::collection::vec(proptest::collection::btree_map(0_u32..12, [0_u64..1000, 0_u64..1000], 0..6), 1..6)
        ) {
            let mut times = Times::default();
            let mut expected = std::collections::BTreeMap::<String, [u64; 2]>::new();
            for scrape in scrapes {
                let mut file = String::new();
                for (number, [user, idle]) in &scrape {
                    writeln!(file, "cpu{number} {user} 0 0 {idle}").expect("memory");
                }
                update(&mut times, &file);
                expected = scrape.into_iter().map(|(number, [user, idle])| {
                    let name = number.to_string();
                    let [user_before, idle_before] = expected.get(&name).copied().unwrap_or_default();
                    // In exported seconds: at the limit, rounding decides.
                    let jump = idle_before as f64 / 100.0 - idle as f64 / 100.0;
                    let value = if jump >= 3.0 { [user, idle] } else { [user.max(user_before), idle.max(idle_before)] };
                    (name, value)
                }).collect();
                let shown: Vec<_> = times.iter().map(|(number, ticks)| {
                    (number.to_string(), [ticks.of(Column::User), ticks.of(Column::Idle)])
                }).collect();
                prop_assert_eq!(shown, expected.clone().into_iter().collect::<Vec<_>>());
            }
        }
    }
}
