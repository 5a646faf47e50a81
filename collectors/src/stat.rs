//! Kernel totals since boot, from /proc/stat.

pub(crate) mod rows;

use crate::declare;
use crate::kit::prelude::*;
use rows::{Total, VECTORS};

/// The stat collector.
#[derive(Debug)]
pub struct Stat {
    has_softirqs: bool,
}

declare! {
    Stat: "stat", on, "Boot time, interrupts, context switches and forks, from /proc/stat.";
    labels {
        PerVector { vector }
    }
    reads {
        STAT: File Proc "stat";
    }
    flags {
        SOFTIRQ: Switch "collector.stat.softirq" = "false", "Export softirqs by vector.";
    }
    families {
        INTERRUPTS: Counter "node_intr_total" () "Interrupts serviced since boot.";
        CONTEXT_SWITCHES: Counter "node_context_switches_total" () "Context switches since boot.";
        FORKS: Counter "node_forks_total" () "Processes and threads created since boot.";
        BOOT_TIME: Gauge "node_boot_time_seconds" () "Boot time in seconds since 1970.";
        RUNNING: Gauge "node_procs_running" () "Runnable tasks.";
        BLOCKED: Gauge "node_procs_blocked" () "Tasks blocked on I/O.";
        SOFTIRQS: Counter "node_softirqs_total" PerVector "Softirqs serviced since boot, by vector.";
    }
}

impl Collect for Stat {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { has_softirqs: options.get(SOFTIRQ) })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(STAT, [])?;
        let mut totals = [None; Total::ALL.len()];
        let mut softirqs = None;
        for line in text.lines() {
            if let Some((total, value)) = rows::total(line) {
                totals[total as usize] = Some(value);
            } else if self.has_softirqs
                && let Some(counts) = rows::softirqs(line)
            {
                softirqs = Some(counts);
            }
        }
        for (total, value) in Total::ALL.into_iter().zip(totals) {
            let value = value.unwrap_or_else(|| {
                // Like node_exporter: a missing row is 0, and not a failure.
                cx.problems.note(text.error(total.name(), "a row of that name", b""));
                Ok(0)
            });
            let Some(value) = cx.problems.value(value) else { continue };
            match total {
                Total::Interrupts => cx.page.counter(INTERRUPTS, (), value),
                Total::ContextSwitches => cx.page.counter(CONTEXT_SWITCHES, (), value),
                Total::BootTime => cx.page.gauge(BOOT_TIME, (), value),
                Total::Forks => cx.page.counter(FORKS, (), value),
                Total::Running => cx.page.gauge(RUNNING, (), value),
                Total::Blocked => cx.page.gauge(BLOCKED, (), value),
            }
        }
        if self.has_softirqs {
            let counts = softirqs.unwrap_or_else(|| {
                cx.problems.note(text.error("softirq", "a row of that name", b""));
                Ok([0; VECTORS.len()])
            });
            for (vector, count) in VECTORS.iter().zip(cx.problems.value(counts).into_iter().flatten()) {
                cx.page.counter(SOFTIRQS, PerVector { vector }, count);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const FILE: &str = "== proc/stat\ncpu  1 2 3 4\ncpu0 1 2 3 4\nintr 8589934592 1 2\nctxt 3801\nbtime 1700000000\n\
        processes 26442\nprocs_running 2\nprocs_blocked 1\nsoftirq 55 10 9 8 7 6 5 4 3 2 1\n";
    const TOTALS: &str = "node_boot_time_seconds 1.7e+09\nnode_context_switches_total 3801\nnode_forks_total 26442\n\
        node_intr_total 8.589934592e+09\nnode_procs_blocked 1\nnode_procs_running 2\n";

    #[test]
    fn totals_are_exported() {
        given(FILE).emits::<Stat>(TOTALS);
    }

    #[test]
    fn softirqs_are_exported_if_the_flag_is_set() {
        let vectors = "node_softirqs_total{vector=\"block\"} 6\nnode_softirqs_total{vector=\"block_iopoll\"} 5\n\
            node_softirqs_total{vector=\"hi\"} 10\nnode_softirqs_total{vector=\"hrtimer\"} 2\n\
            node_softirqs_total{vector=\"net_rx\"} 7\nnode_softirqs_total{vector=\"net_tx\"} 8\n\
            node_softirqs_total{vector=\"rcu\"} 1\nnode_softirqs_total{vector=\"sched\"} 3\n\
            node_softirqs_total{vector=\"tasklet\"} 4\nnode_softirqs_total{vector=\"timer\"} 9\n";
        given(FILE).flags(&["--collector.stat.softirq"]).emits::<Stat>(&format!("{TOTALS}{vectors}"));
    }

    #[track_caller]
    fn check(row: &str, bad_row: &str, samples_gone: &str, complaint: &str) {
        let left: String = TOTALS.split_inclusive('\n').filter(|line| !line.starts_with(samples_gone)).collect();
        given(&FILE.replace(row, bad_row)).fails::<Stat>(&left, complaint);
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        check("ctxt 3801", "ctxt -1", "node_context", "proc/stat:4: ctxt: expected an unsigned integer");
        check("ctxt 3801", "ctxt 18446744073709551616", "node_context", "found \"18446744073709551616\"");
        check(
            "procs_running 2",
            "procs_running -1",
            "node_procs_running",
            "proc/stat:7: procs_running: expected an unsigned integer",
        );
        check("intr 8589934592", "intr 8.5e9", "node_intr", "found \"8.5e9\"");
    }

    #[test]
    fn rows_of_other_collectors_are_ignored() {
        given(&FILE.replace("cpu0 1", "cpu0 x")).emits::<Stat>(TOTALS);
        given(&FILE.replace("softirq 55", "softirq x")).emits::<Stat>(TOTALS);
    }

    #[test]
    fn softirqs_are_exported_completely_or_not_at_all() {
        let file = FILE.replace("softirq 55 10 9 8 7 6 5 4 3 2 1\n", "softirq 55 10 9\n");
        given(&file).flags(&["--collector.stat.softirq"]).fails::<Stat>(TOTALS, "proc/stat:9: net_tx");
    }

    /// Checks a file without some rows: their samples are 0, the scrape succeeds, and the rows are reported.
    #[track_caller]
    fn check_missing(rows: &[&str], zeros: &[(&str, &str)], complaint: &str) {
        let is_kept = |line: &&str| !rows.iter().any(|row| line.starts_with(&format!("{row} ")));
        let file: String = FILE.split_inclusive('\n').filter(is_kept).collect();
        let mut expected = TOTALS.to_owned();
        for (line, zero) in zeros {
            expected = expected.replace(line, zero);
        }
        let scraped = given(&file).scrape::<Stat>();
        assert_eq!(scraped.samples(), expected);
        assert!(scraped.page.contains("node_scrape_collector_success{collector=\"stat\"} 1\n"), "{}", scraped.page);
        assert!(scraped.complaints.iter().any(|found| found.contains(complaint)), "{:?}", scraped.complaints);
    }

    #[test]
    fn a_missing_row_is_0_and_not_a_failure() {
        let (boot, switches) =
            (("node_boot_time_seconds 1.7e+09", "node_boot_time_seconds 0"), ("_total 3801", "_total 0"));
        check_missing(&["btime"], &[boot], "proc/stat: btime: expected a row of that name, found nothing");
        check_missing(&["ctxt", "btime"], &[boot, switches], "proc/stat: ctxt: expected a row of that name");
        let without = FILE.replace("softirq 55 10 9 8 7 6 5 4 3 2 1\n", "");
        let scraped = given(&without).flags(&["--collector.stat.softirq"]).scrape::<Stat>();
        let zeros = scraped.samples().lines().filter(|line| line.starts_with("node_softirqs_total{")).count();
        assert_eq!(zeros, VECTORS.len());
        assert!(scraped.page.contains("node_scrape_collector_success{collector=\"stat\"} 1\n"), "{}", scraped.page);
    }

    /// Like node_exporter, a row without a value counts as missing.
    #[test]
    fn a_row_without_a_value_is_a_missing_one() {
        let scraped = given(&FILE.replace("btime 1700000000", "btime")).scrape::<Stat>();
        assert!(scraped.samples().contains("node_boot_time_seconds 0\n"), "{}", scraped.page);
    }

    #[test]
    fn a_missing_file_is_an_error() {
        given("").fails::<Stat>("", "proc/stat: no such file or directory");
    }
}
