//! Pressure stall information (PSI), from /proc/pressure.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::RootError;
use crate::kit::family::{Counter, Family};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The pressure collector.
#[derive(Debug)]
pub struct Pressure;

declare! {
    Pressure: "pressure", on, "Pressure stall information: time lost to lack of CPU, memory and I/O.";
    reads {
        CPU: File Proc "pressure/cpu";
        IO: File Proc "pressure/io";
        MEMORY: File Proc "pressure/memory";
        IRQ: File Proc "pressure/irq";
    }
    families {
        CPU_WAITING: Counter "node_pressure_cpu_waiting_seconds_total" () "Time in which tasks waited for a CPU, in seconds.";
        IO_WAITING: Counter "node_pressure_io_waiting_seconds_total" () "Time in which some tasks waited for I/O, in seconds.";
        IO_STALLED: Counter "node_pressure_io_stalled_seconds_total" () "Time in which all tasks waited for I/O, in seconds.";
        MEMORY_WAITING: Counter "node_pressure_memory_waiting_seconds_total" () "Time in which some tasks waited for memory, in seconds.";
        MEMORY_STALLED: Counter "node_pressure_memory_stalled_seconds_total" () "Time in which all tasks waited for memory, in seconds.";
        IRQ_STALLED: Counter "node_pressure_irq_stalled_seconds_total" () "Time in which tasks were stalled by interrupts, in seconds.";
    }
}

type Total = Family<Pressure, Counter, ()>;
type Resource = (Read<Pressure, File, 0>, Option<Total>, Option<Total>);

/// The resources, with the families of their lines `some` and `full`. The CPU's line `full` is undefined for a whole
/// host; `irq` has no line `some`, and kernels before 6.1 do not have the file.
const RESOURCES: [Resource; 4] = [
    (CPU, Some(CPU_WAITING), None),
    (IO, Some(IO_WAITING), Some(IO_STALLED)),
    (MEMORY, Some(MEMORY_WAITING), Some(MEMORY_STALLED)),
    (IRQ, None, Some(IRQ_STALLED)),
];

impl Collect for Pressure {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let mut is_present = false;
        for (file, waiting, stalled) in RESOURCES {
            let text = match cx.files.read(file, []) {
                Ok(text) => text,
                Err(error) if error.is_missing() => continue,
                Err(error @ FileError { error: RootError::Errno(Errno::EOPNOTSUPP), .. }) => {
                    return Err(Failure::no_data(format_args!("{error}; boot with psi=1 to enable it")));
                }
                Err(error) => {
                    is_present = true;
                    cx.problems.report(error);
                    continue;
                }
            };
            is_present = true;
            for (word, family) in [("some", waiting), ("full", stalled)] {
                let Some(family) = family else { continue };
                if let Some(microseconds) = total(cx.problems, text, word) {
                    // Two divisions, not one, so that the last digits are those of node_exporter.
                    cx.page.counter(family, (), microseconds as f64 / 1000.0 / 1000.0);
                }
            }
        }
        if is_present {
            return Ok(());
        }
        Err(Failure::no_data("proc/pressure: no files; requires Linux 4.20 or later with CONFIG_PSI"))
    }
}

/// The total of the line that starts with `word`; a missing line is reported.
fn total(problems: &mut Problems, text: Text<'_>, word: &'static str) -> Option<u64> {
    let Some(total) = parse(text, word) else {
        problems.report(Failure::no_data(text.error(word, "a line of that name", b"")));
        return None;
    };
    problems.value(total)
}

/// The total of the last line that starts with `word`, in microseconds.
fn parse<'a>(text: Text<'a>, word: &str) -> Option<Result<u64, ParseError<'a>>> {
    let line = text.lines().filter(|line| line.fields().next() == Some(word.as_bytes())).last()?;
    let total = line.fields().find_map(|field| field.strip_prefix(b"total="));
    Some(line.number("total", total.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    const CPU_FILE: &str = "== proc/pressure/cpu\nsome avg10=1.44 avg60=0.98 avg300=0.71 total=14036781\n\
        full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
    const CPU_EMITTED: &str = "node_pressure_cpu_waiting_seconds_total 14.036781000000001\n";
    const MEMORY_FILE: &str = "== proc/pressure/memory\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n\
        full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n";
    const MEMORY_EMITTED: &str =
        "node_pressure_memory_stalled_seconds_total 1e-06\nnode_pressure_memory_waiting_seconds_total 2\n";

    #[test]
    fn each_resource_has_its_totals() {
        let io = MEMORY_FILE.replace("memory", "io");
        let irq = "== proc/pressure/irq\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n";
        let expected = format!(
            "{CPU_EMITTED}{}node_pressure_irq_stalled_seconds_total 0.5\n{MEMORY_EMITTED}",
            MEMORY_EMITTED.replace("memory", "io")
        );
        given(&format!("{CPU_FILE}{io}{MEMORY_FILE}{irq}")).emits::<Pressure>(&expected);
    }

    #[test]
    fn older_kernels_lack_cpu_full_and_irq() {
        given("== proc/pressure/cpu\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=14036781\n")
            .emits::<Pressure>(CPU_EMITTED);
    }

    #[test]
    fn a_host_without_pressure_has_no_data() {
        given("").fails::<Pressure>("", "proc/pressure: no files");
        given("== proc/pressure/cpu error=EOPNOTSUPP\n== proc/pressure/io error=EOPNOTSUPP\n")
            .fails::<Pressure>("", "proc/pressure/cpu: operation not supported (EOPNOTSUPP); boot with psi=1");
    }

    #[test]
    fn a_bad_line_costs_only_its_own_samples() {
        let bad = "== proc/pressure/io\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=-3\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n";
        given(&format!("{CPU_FILE}{bad}")).fails::<Pressure>(
            &format!("{CPU_EMITTED}node_pressure_io_stalled_seconds_total 0.5\n"),
            "proc/pressure/io:1: total: expected an unsigned integer, found \"-3\"",
        );
        given(&format!("{CPU_FILE}== proc/pressure/io\nsome avg10=0.00 tot\n"))
            .fails::<Pressure>(CPU_EMITTED, "proc/pressure/io: full: expected a line of that name");
        given(&format!("{CPU_FILE}== proc/pressure/io error=EACCES\n{MEMORY_FILE}"))
            .fails::<Pressure>(&format!("{CPU_EMITTED}{MEMORY_EMITTED}"), "proc/pressure/io: permission denied");
        given("== proc/pressure/cpu\n").fails::<Pressure>("", "proc/pressure/cpu: some");
    }

    #[test]
    fn a_last_line_without_a_newline_is_read() {
        given(&format!("{CPU_FILE}== proc/pressure/irq no-newline\nfull avg10=0.00 total=5000000\n"))
            .emits::<Pressure>(&format!("{CPU_EMITTED}node_pressure_irq_stalled_seconds_total 5\n"));
    }

    #[test]
    fn unknown_lines_are_ignored() {
        let extended = CPU_FILE.replace("full", "most avg10=1 total=9\nfull");
        given(&extended).emits::<Pressure>(CPU_EMITTED);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn totals_round_trip_and_procfs_core_agrees(some: u64, full: u64, average in 0_u16..10_000) {
            let average = format!("{}.{:02}", average / 100, average % 100);
            let line = |word, total| format!("{word} avg10={average} avg60={average} avg300={average} total={total}\n");
            let content = line("some", some) + &line("full", full);
            let text = Text::new(Mount::Proc, b"pressure/io", content.as_bytes());
            let parsed = ["some", "full"].map(|word| parse(text, word).and_then(Result::ok));
            prop_assert_eq!(parsed, [Some(some), Some(full)]);
            let second = procfs_core::IoPressure::from_read(content.as_bytes()).expect("lines of the kernel");
            prop_assert_eq!(parsed, [Some(second.some.total), Some(second.full.total)]);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = parse(Text::new(Mount::Proc, b"x", &bytes), "some");
        }
    }
}
