//! Totals since boot from /proc/stat.

pub(crate) mod rows;

use crate::declare;
use crate::kit::prelude::*;
use rows::{Total, VECTORS};

/// What the host has done since it booted, in all.
#[derive(Debug)]
pub struct Stat {
    has_softirqs: bool,
}

declare! {
    Stat: "stat", on, "When the host booted, and how many interrupts, context switches and forks there were since.";
    reads {
        STAT: File Proc "stat";
    }
    flags {
        SOFTIRQ: Switch "collector.stat.softirq" = "false", "Count deferred interrupt work by its kind as well.";
    }
    families {
        INTERRUPTS: Counter "node_intr_total" [] "Interrupts that were served since boot.";
        CONTEXT_SWITCHES: Counter "node_context_switches_total" [] "How often a CPU went from one task to another since boot.";
        FORKS: Counter "node_forks_total" [] "Processes and threads that were made since boot.";
        BOOT_TIME: Gauge "node_boot_time_seconds" [] "When the host booted, in seconds since 1970.";
        RUNNING: Gauge "node_procs_running" [] "Tasks that run or wait for a CPU.";
        BLOCKED: Gauge "node_procs_blocked" [] "Tasks that wait for a device to answer.";
        SOFTIRQS: Counter "node_softirqs_total" ["vector"] "Deferred interrupt work that was done since boot.";
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
            // Every kernel writes all of these rows: one that is not there was cut off, and is not 0.
            let value = value.unwrap_or_else(|| Err(text.error(total.name(), "a row", b"")));
            let Some(value) = cx.problems.value(value) else { continue };
            match total {
                Total::Interrupts => cx.page.counter(INTERRUPTS, [], value),
                Total::ContextSwitches => cx.page.counter(CONTEXT_SWITCHES, [], value),
                Total::BootTime => cx.page.gauge(BOOT_TIME, [], value),
                Total::Forks => cx.page.counter(FORKS, [], value),
                Total::Running => cx.page.gauge(RUNNING, [], value),
                Total::Blocked => cx.page.gauge(BLOCKED, [], value),
            }
        }
        if self.has_softirqs {
            let counts = softirqs.unwrap_or_else(|| Err(text.error("softirq", "a row", b"")));
            for (vector, count) in VECTORS.iter().zip(cx.problems.value(counts).into_iter().flatten()) {
                cx.page.counter(SOFTIRQS, [vector], count);
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
    fn totals_are_passed_on() {
        given(FILE).emits::<Stat>(TOTALS);
    }

    #[test]
    fn deferred_interrupts_are_counted_when_asked_for() {
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
    fn a_bad_row_costs_itself_alone() {
        check("ctxt 3801", "ctxt -1", "node_context", "proc/stat:4: ctxt: expected an unsigned integer");
        check("ctxt 3801", "ctxt 18446744073709551616", "node_context", "found \"18446744073709551616\"");
        check(
            "procs_running 2",
            "procs_running -1",
            "node_procs_running",
            "proc/stat:7: procs_running: expected an unsigned integer",
        );
        check("btime 1700000000", "btime", "node_boot", "proc/stat:5: btime");
        check("procs_blocked 1\n", "", "node_procs_blocked", "proc/stat: procs_blocked: expected a row, found nothing");
        check("intr 8589934592", "intr 8.5e9", "node_intr", "found \"8.5e9\"");
    }

    #[test]
    fn a_row_of_another_collector_is_no_concern() {
        given(&FILE.replace("cpu0 1", "cpu0 x")).emits::<Stat>(TOTALS);
        given(&FILE.replace("softirq 55", "softirq x")).emits::<Stat>(TOTALS);
    }

    #[test]
    fn deferred_interrupts_come_whole_or_not_at_all() {
        for (cut, complaint) in [("softirq 55 10 9\n", "proc/stat:9: net_tx"), ("", "proc/stat: softirq")] {
            let file = FILE.replace("softirq 55 10 9 8 7 6 5 4 3 2 1\n", cut);
            given(&file).flags(&["--collector.stat.softirq"]).fails::<Stat>(TOTALS, complaint);
        }
    }

    #[test]
    fn without_the_file_there_is_nothing() {
        given("").fails::<Stat>("", "proc/stat: no such file or directory");
    }
}
