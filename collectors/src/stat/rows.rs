//! Parser of /proc/stat. The collectors `stat` and `cpu` each parse their own rows of the file, so that a bad row is an
//! error in only one of them.

use crate::kit::prelude::*;

/// CPU time columns, in order, named as in proc_stat(5).
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

/// Names of the columns.
const COLUMNS: [&str; 10] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];

/// Minimum number of columns, present in every kernel.
const COLUMNS_MIN: usize = 4;

/// Ticks by [`Column`]; columns missing in old kernels are 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Ticks(pub(crate) [u64; COLUMNS.len()]);

impl Ticks {
    /// The ticks of one mode.
    pub(crate) fn of(&self, column: Column) -> u64 {
        self.0[column as usize]
    }
}

/// The row of one CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuRow<'a> {
    /// The number in the row's name.
    pub(crate) number: u32,
    /// The ticks of each mode.
    pub(crate) ticks: Result<Ticks, ParseError<'a>>,
}

/// Parses the row of a CPU; `None` for other rows, including the total `cpu`.
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

/// A row with a single exported number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Total {
    /// Interrupts since boot.
    Interrupts,
    /// Context switches since boot.
    ContextSwitches,
    /// Boot time in seconds since 1970.
    BootTime,
    /// Processes and threads created since boot.
    Forks,
    /// Runnable tasks.
    Running,
    /// Tasks blocked on I/O.
    Blocked,
}

impl Total {
    /// Every total.
    pub(crate) const ALL: [Self; 6] =
        [Self::Interrupts, Self::ContextSwitches, Self::BootTime, Self::Forks, Self::Running, Self::Blocked];

    /// The name of the row.
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

/// Parses the row of a [`Total`]; `None` for other rows and one without a value.
pub(crate) fn total(line: Line<'_>) -> Option<(Total, Result<u64, ParseError<'_>>)> {
    let mut fields = line.fields();
    let name = fields.next()?;
    let total = Total::ALL.into_iter().find(|total| total.name().as_bytes() == name)?;
    let value = fields.next()?;
    Some((total, line.number(total.name(), value)))
}

/// Softirq vectors, in column order.
pub(crate) const VECTORS: [&str; 10] =
    ["hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"];

/// Parses the softirq row by [`VECTORS`]; `None` for other rows.
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

    /// Parses a CPU's row to its number and ticks, or the error.
    #[track_caller]
    fn check(line: &str, expected: Option<Result<(u32, [u64; 10]), &str>>) {
        let found = text(line.as_bytes()).lines().next().and_then(cpu);
        let found = found.map(|row| {
            row.and_then(|row| row.ticks.map(|ticks| (row.number, ticks.0))).map_err(|error| error.to_string())
        });
        assert_eq!(found, expected.map(|expected| expected.map_err(str::to_owned)));
    }

    #[test]
    fn the_number_of_cpu_columns_depends_on_the_kernel() {
        check("cpu12 1 2 3 4 5 6 7 8 9 10\n", Some(Ok((12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))));
        check("cpu0 1 2 3 4 5 6 7 8 9 10 11\n", Some(Ok((0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))));
        check("cpu0 1 2 3 4 5 6 7\n", Some(Ok((0, [1, 2, 3, 4, 5, 6, 7, 0, 0, 0]))));
        check("cpu0 1 2 3 4\n", Some(Ok((0, [1, 2, 3, 4, 0, 0, 0, 0, 0, 0]))));
        check("cpu  1 2 3 4\n", None);
        check("intr 1\n", None);
        check("\n", None);
    }

    #[test]
    fn bad_rows_are_errors() {
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
        fn rows_round_trip_and_procfs_core_agrees(
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
