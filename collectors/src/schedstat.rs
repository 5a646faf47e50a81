//! How long CPUs ran tasks and let them wait, from /proc/schedstat.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::table;

/// How long each CPU ran tasks and let them wait.
#[derive(Debug)]
pub struct Schedstat;

declare! {
    Schedstat: "schedstat", on, "How long each CPU ran tasks, how long tasks waited for it, and how often it took another.";
    reads {
        SCHEDSTAT: File Proc "schedstat";
    }
    families {
        RUNNING: Counter "node_schedstat_running_seconds_total" ["cpu"] "Time for which the CPU ran tasks.";
        TIMESLICES: Counter "node_schedstat_timeslices_total" ["cpu"] "How often the CPU gave a task its time.";
        WAITING: Counter "node_schedstat_waiting_seconds_total" ["cpu"] "Time for which tasks waited for the CPU.";
    }
}

impl Collect for Schedstat {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        // A kernel that was built without it lacks the file.
        let text = cx.files.read(SCHEDSTAT, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        let mut has_rows = text.bytes.is_empty();
        for line in table::rows(text, cx.problems) {
            let Some((cpu, times)) = parse(line) else { continue };
            has_rows = true;
            if let Some([running, waiting, timeslices]) = cx.problems.value(times) {
                cx.page.counter(RUNNING, [&cpu], running as f64 / NANOSECONDS_PER_SECOND);
                cx.page.counter(TIMESLICES, [&cpu], timeslices);
                cx.page.counter(WAITING, [&cpu], waiting as f64 / NANOSECONDS_PER_SECOND);
            }
        }
        if !has_rows {
            cx.problems.report(text.error("the file", "a row for each CPU", text.first_line()));
        }
        Ok(())
    }
}

const NANOSECONDS_PER_SECOND: f64 = 1e9;
/// What a row of a CPU has before its times, and nobody asks for.
const CALLS: usize = 6;

/// Nanoseconds of running and of waiting, and how often.
type Times<'a> = Result<[u64; 3], ParseError<'a>>;

/// The CPU of a row, as it stands there, and its times; nothing when the row is of a domain or of the whole file.
fn parse(line: Line<'_>) -> Option<(&[u8], Times<'_>)> {
    let mut fields = line.fields();
    let cpu = fields.next()?.strip_prefix(b"cpu")?;
    if u32::from_text(cpu).is_none() {
        return Some((cpu, Err(line.error("cpu", u32::EXPECTED, cpu))));
    }
    let mut fields = fields.skip(CALLS);
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
    fn a_bad_row_costs_itself_alone() {
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
        fn times_come_back(cpu: u32, times: [u64; 3]) {
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
