//! Scheduler statistics by CPU, from /proc/schedstat.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::table;

/// The schedstat collector.
#[derive(Debug)]
pub struct Schedstat;

declare! {
    Schedstat: "schedstat", on, "Scheduler statistics: run time, wait time and time slices by CPU.";
    labels {
        PerCpu { cpu }
    }
    reads {
        SCHEDSTAT: File Proc "schedstat";
    }
    families {
        RUNNING: Counter "node_schedstat_running_seconds_total" PerCpu "Time spent running tasks on the CPU, in seconds.";
        TIMESLICES: Counter "node_schedstat_timeslices_total" PerCpu "Time slices executed on the CPU.";
        WAITING: Counter "node_schedstat_waiting_seconds_total" PerCpu "Time tasks spent waiting for the CPU, in seconds.";
    }
}

impl Collect for Schedstat {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        // A kernel without CONFIG_SCHEDSTATS does not have the file.
        let text = cx.files.read(SCHEDSTAT, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        let mut has_rows = text.bytes.is_empty();
        for line in table::rows(text, cx.problems) {
            let Some((cpu, times)) = parse(line) else { continue };
            has_rows = true;
            if let Some([running, waiting, timeslices]) = cx.problems.value(times) {
                cx.page.counter(RUNNING, PerCpu { cpu: &cpu }, running as f64 / NANOSECONDS_PER_SECOND);
                cx.page.counter(TIMESLICES, PerCpu { cpu: &cpu }, timeslices);
                cx.page.counter(WAITING, PerCpu { cpu: &cpu }, waiting as f64 / NANOSECONDS_PER_SECOND);
            }
        }
        if !has_rows {
            cx.problems.report(text.error("the file", "a row for each CPU", text.first_line()));
        }
        Ok(())
    }
}

const NANOSECONDS_PER_SECOND: f64 = 1e9;
/// Number of columns before the times, which are not exported.
const COLUMNS_BEFORE_TIMES: usize = 6;

/// Nanoseconds of running, nanoseconds of waiting, and time slices.
type Times<'a> = Result<[u64; 3], ParseError<'a>>;

/// The CPU and times of a row; `None` for rows of scheduling domains and of the whole file.
fn parse(line: Line<'_>) -> Option<(&[u8], Times<'_>)> {
    let mut fields = line.fields();
    let cpu = fields.next()?.strip_prefix(b"cpu")?;
    if u32::from_text(cpu).is_none() {
        return Some((cpu, Err(line.error("cpu", u32::EXPECTED, cpu))));
    }
    let mut fields = fields.skip(COLUMNS_BEFORE_TIMES);
    Some((cpu, table::numbers(line, &mut fields, ["running", "waiting", "timeslices"])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HEAD: &str = "== proc/schedstat\nversion 15\ntimestamp 15819019232\n";
    const GOOD: &str = "node_schedstat_running_seconds_total{cpu=\"1\"} 2.5\n\
        node_schedstat_timeslices_total{cpu=\"1\"} 7\nnode_schedstat_waiting_seconds_total{cpu=\"1\"} 0.25\n";

    #[test]
    fn each_cpu_has_three_counters() {
        given(&format!("{HEAD}cpu1 1 0 3 4 5 6 2500000000 250000000 7\ndomain0 00000003 1 2 3\n"))
            .emits::<Schedstat>(GOOD);
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        for (bad, complaint) in [
            ("cpu0 1 0 3 4 5 6 x 8 9", "schedstat:3: running: expected an unsigned integer"),
            ("cpu0 1 0 3 4 5 6 7 -8 9", "waiting: expected an unsigned integer"),
            ("cpu0 1 0 3 4 5 6 7 8 18446744073709551616", "timeslices: expected an unsigned integer"),
            ("cpu0 1 0 3", "running: expected an unsigned integer, found nothing"),
            ("cpux 1 0 3 4 5 6 7 8 9", "cpu: expected an unsigned 32-bit integer"),
        ] {
            given(&format!("{HEAD}{bad}\ncpu1 1 0 3 4 5 6 2500000000 250000000 7\n"))
                .fails::<Schedstat>(GOOD, complaint);
        }
    }

    #[test]
    fn a_file_without_a_single_cpu_is_reported() {
        given("== proc/schedstat\nversion 15\n")
            .fails::<Schedstat>("", "proc/schedstat: the file: expected a row for each CPU, found \"version 15\"");
    }

    #[test]
    fn a_kernel_without_the_file_has_no_data() {
        given("").fails::<Schedstat>("", "proc/schedstat: no such file");
        given("== proc/schedstat error=EACCES\n").fails::<Schedstat>("", "permission denied");
    }

    proptest! {
        #[test]
        fn times_round_trip(cpu: u32, times: [u64; 3]) {
            let [a, b, c] = times;
            let row = format!("cpu{cpu} 1 2 3 4 5 6 {a} {b} {c}");
            let text = Text::new(Mount::Proc, b"schedstat", row.as_bytes());
            let (name, found) = parse(text.lines().next().expect("a line")).expect("a row of a CPU");
            prop_assert_eq!(name.to_vec(), cpu.to_string().into_bytes());
            prop_assert_eq!(found.expect("a row of the kernel"), times);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"schedstat", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
