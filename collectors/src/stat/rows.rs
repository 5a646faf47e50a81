//! The rows of /proc/stat. The collectors `stat` and `cpu` read the same file: each asks a line for the rows that are
//! its own, and only those can be an error to it.

use crate::kit::prelude::*;

/// What a CPU spends its time with, in the order of the columns and by the names of proc_stat(5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Column {
    User,
    Nice,
    System,
    Idle,
    Iowait,
    Irq,
    Softirq,
    Steal,
    Guest,
    GuestNice,
}

/// The columns' names.
const COLUMNS: [&str; 10] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];

/// Every kernel has these first columns; a row with fewer was cut.
const COLUMNS_MIN: usize = 4;

/// Ticks by [`Column`]; columns that the kernel is too old for are 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Ticks(pub(crate) [u64; COLUMNS.len()]);

impl Ticks {
    /// The ticks of one column.
    pub(crate) fn of(&self, column: Column) -> u64 {
        self.0[column as usize]
    }
}

/// The row of one CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuRow<'a> {
    /// The CPU's number, taken from its name.
    pub(crate) number: u32,
    /// What it spent.
    pub(crate) ticks: Result<Ticks, ParseError<'a>>,
}

/// The line as the row of one CPU; nothing when it is another row. The row `cpu`, which is the sum of all, is none.
pub(crate) fn cpu(line: Line<'_>) -> Option<Result<CpuRow<'_>, ParseError<'_>>> {
    let mut fields = line.fields();
    let digits = fields.next()?.strip_prefix(b"cpu")?;
    if digits.is_empty() {
        return None;
    }
    let number = match line.number("cpu", digits) {
        Ok(number) => number,
        Err(error) => return Some(Err(error)),
    };
    let mut ticks = Ok(Ticks::default());
    for (at, name) in COLUMNS.into_iter().enumerate() {
        let column = if at < COLUMNS_MIN {
            fields.number(name)
        } else {
            fields.number_if_present(name).map(Option::unwrap_or_default)
        };
        match (&mut ticks, column) {
            (Ok(Ticks(ticks)), Ok(column)) => ticks[at] = column,
            (Ok(_), Err(error)) => {
                ticks = Err(error);
                break;
            }
            (Err(_), _) => break,
        }
    }
    Some(Ok(CpuRow { number, ticks }))
}

/// A row that begins with the one number it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Total {
    /// Interrupts since boot.
    Interrupts,
    /// Context switches since boot.
    ContextSwitches,
    /// When the host booted, in seconds since 1970.
    BootTime,
    /// Processes made since boot.
    Forks,
    /// Tasks that run or could.
    Running,
    /// Tasks that wait for a device.
    Blocked,
}

impl Total {
    /// Every total.
    pub(crate) const ALL: [Self; 6] =
        [Self::Interrupts, Self::ContextSwitches, Self::BootTime, Self::Forks, Self::Running, Self::Blocked];

    /// The name of its row.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Interrupts => "intr",
            Self::ContextSwitches => "ctxt",
            Self::BootTime => "btime",
            Self::Forks => "processes",
            Self::Running => "procs_running",
            Self::Blocked => "procs_blocked",
        }
    }
}

/// The line as the row of a [`Total`]; nothing when it is another row.
pub(crate) fn total(line: Line<'_>) -> Option<(Total, Result<u64, ParseError<'_>>)> {
    let mut fields = line.fields();
    let name = fields.next()?;
    let total = Total::ALL.into_iter().find(|total| total.name().as_bytes() == name)?;
    Some((total, fields.number(total.name())))
}

/// Kinds of deferred interrupt work, in the order of the columns.
pub(crate) const VECTORS: [&str; 10] =
    ["hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"];

/// The line as the row of deferred interrupt work, by [`VECTORS`]; nothing when it is another row.
pub(crate) fn softirqs(line: Line<'_>) -> Option<Result<[u64; VECTORS.len()], ParseError<'_>>> {
    let mut fields = line.fields();
    if fields.next()? != b"softirq" {
        return None;
    }
    let mut read = || {
        let _sum: u64 = fields.number("softirq")?;
        let mut counts = [0; VECTORS.len()];
        for (count, vector) in counts.iter_mut().zip(VECTORS) {
            *count = fields.number(vector)?;
        }
        Ok(counts)
    };
    Some(read())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::host::root::Mount;
    use procfs_core::{ExplicitSystemInfo, FromBufReadSI, KernelStats};
    use proptest::prelude::*;

    fn text(bytes: &[u8]) -> Text<'_> {
        Text::new(Mount::Proc, b"stat", bytes)
    }

    /// What the line is as a CPU's row: its number and ticks, or the error.
    #[track_caller]
    fn check(line: &str, expected: Option<Result<(u32, [u64; 10]), &str>>) {
        let found = text(line.as_bytes()).lines().next().and_then(cpu);
        let found = found.map(|row| {
            row.and_then(|row| row.ticks.map(|ticks| (row.number, ticks.0))).map_err(|error| error.to_string())
        });
        assert_eq!(found, expected.map(|expected| expected.map_err(str::to_owned)));
    }

    #[test]
    fn a_cpu_row_has_the_columns_of_its_kernel() {
        check("cpu12 1 2 3 4 5 6 7 8 9 10\n", Some(Ok((12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))));
        check("cpu0 1 2 3 4 5 6 7 8 9 10 11\n", Some(Ok((0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))));
        check("cpu0 1 2 3 4 5 6 7\n", Some(Ok((0, [1, 2, 3, 4, 5, 6, 7, 0, 0, 0]))));
        check("cpu0 1 2 3 4\n", Some(Ok((0, [1, 2, 3, 4, 0, 0, 0, 0, 0, 0]))));
        check("cpu  1 2 3 4\n", None);
        check("intr 1\n", None);
        check("\n", None);
    }

    #[test]
    fn a_row_that_cannot_be_is_an_error() {
        let whole = "expected an unsigned integer, found";
        check("cpu0 1 2 3\n", Some(Err(&format!("proc/stat:1: idle: {whole} nothing"))));
        check("cpu0\n", Some(Err(&format!("proc/stat:1: user: {whole} nothing"))));
        check("cpu0 1 -2 3 4\n", Some(Err(&format!("proc/stat:1: nice: {whole} \"-2\""))));
        let beyond = "18446744073709551616";
        check(&format!("cpu0 1 2 3 4 {beyond}\n"), Some(Err(&format!("proc/stat:1: iowait: {whole} \"{beyond}\""))));
        let number = "proc/stat:1: cpu: expected an unsigned 32-bit integer, found";
        check("cpufreq 1 2 3 4\n", Some(Err(&format!("{number} \"freq\""))));
        check("cpu-1 1 2 3 4\n", Some(Err(&format!("{number} \"-1\""))));
        check("cpu4294967296 1 2 3 4\n", Some(Err(&format!("{number} \"4294967296\""))));
    }

    proptest! {
        #[test]
        fn rows_come_back_and_the_second_opinion_agrees(
            cpus in proptest::collection::btree_map(any::<u32>(), any::<[u64; 10]>(), 1..5),
            totals: [u32; 6],
        ) {
            let mut file = String::from("cpu  0 0 0 0 0 0 0 0 0 0\n");
            for (number, ticks) in &cpus {
                let ticks: Vec<_> = ticks.iter().map(u64::to_string).collect();
                writeln!(file, "cpu{number} {}", ticks.join(" ")).expect("memory");
            }
            for (total, value) in Total::ALL.into_iter().zip(totals) {
                let rest = if total == Total::Interrupts { " 1 2" } else { "" };
                writeln!(file, "{} {value}{rest}", total.name()).expect("memory");
            }
            let lines = || text(file.as_bytes()).lines();
            let rows: Vec<_> = lines().filter_map(cpu).map(|row| {
                let row = row.expect("a row");
                (row.number, row.ticks.expect("ticks").0)
            }).collect();
            prop_assert_eq!(&rows, &cpus.into_iter().collect::<Vec<_>>());
            let found: Vec<_> = lines().filter_map(total).map(|(_, value)| value.expect("a number")).collect();
            prop_assert_eq!(&found, &totals.map(u64::from));

            let info = ExplicitSystemInfo { boot_time_secs: 0, ticks_per_second: 100, page_size: 4096, is_little_endian: true };
            let second = KernelStats::from_buf_read(file.as_bytes(), &info).expect("a file of the kernel");
            let columns: Vec<_> = second.cpu_time.iter().map(|cpu| {
                let late = [cpu.iowait, cpu.irq, cpu.softirq, cpu.steal, cpu.guest, cpu.guest_nice];
                let [iowait, irq, softirq, steal, guest, guest_nice] = late.map(Option::unwrap_or_default);
                [cpu.user, cpu.nice, cpu.system, cpu.idle, iowait, irq, softirq, steal, guest, guest_nice]
            }).collect();
            prop_assert_eq!(columns, rows.iter().map(|row| row.1).collect::<Vec<_>>());
            prop_assert_eq!([second.ctxt, second.btime, second.processes], [found[1], found[2], found[3]]);
            prop_assert_eq!([second.procs_running, second.procs_blocked], [Some(totals[4]), Some(totals[5])]);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for start in [b"cpu".as_slice(), b"cpu1 ", b"softirq ", b"intr ", b""] {
                for line in text(&[start, &bytes].concat()).lines() {
                    let _ = (cpu(line), total(line), softirqs(line));
                }
            }
        }
    }
}
