//! Stalls for want of a resource, from /proc/pressure.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::RootError;
use crate::kit::family::{Counter, Family};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// How long tasks stood still for want of CPU, memory or disk.
#[derive(Debug)]
pub struct Pressure;

declare! {
    Pressure: "pressure", on, "How long tasks stood still for want of CPU time, memory or disks.";
    reads {
        CPU: File Proc "pressure/cpu";
        IO: File Proc "pressure/io";
        MEMORY: File Proc "pressure/memory";
        IRQ: File Proc "pressure/irq";
    }
    families {
        CPU_WAITING: Counter "node_pressure_cpu_waiting_seconds_total" [] "Time in which some task waited for a CPU.";
        IO_WAITING: Counter "node_pressure_io_waiting_seconds_total" [] "Time in which some task waited for a disk.";
        IO_STALLED: Counter "node_pressure_io_stalled_seconds_total" [] "Time in which all tasks waited for disks.";
        MEMORY_WAITING: Counter "node_pressure_memory_waiting_seconds_total" [] "Time in which some task waited for memory.";
        MEMORY_STALLED: Counter "node_pressure_memory_stalled_seconds_total" [] "Time in which all tasks waited for memory.";
        IRQ_STALLED: Counter "node_pressure_irq_stalled_seconds_total" [] "Time in which tasks stood still for interrupts.";
    }
}

type Total = Family<Pressure, Counter, crate::kit::family::Unnamed<0>>;
type Resource = (Read<Pressure, File, 0>, Option<Total>, Option<Total>);

/// Each resource, with the families of its line `some` and of its line `full`. The line `full` of the CPU means
/// nothing for a whole host; interrupts have no line `some`; kernels before 6.1 do not have them at all.
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
        let mut is_there = false;
        for (file, waiting, stalled) in RESOURCES {
            let text = match cx.files.read(file, []) {
                Ok(text) => text,
                Err(error) if error.is_missing() => continue,
                Err(error @ FileError { error: RootError::Errno(Errno::EOPNOTSUPP), .. }) => {
                    return Err(Failure::no_data(format_args!("{error}; boot with psi=1 to have it")));
                }
                Err(error) => {
                    is_there = true;
                    cx.problems.report(error);
                    continue;
                }
            };
            is_there = true;
            for (word, family) in [("some", waiting), ("full", stalled)] {
                let Some(family) = family else { continue };
                if let Some(microseconds) = total(cx.problems, text, word) {
                    // Two divisions, not one: the last digits shall be those that node_exporter prints.
                    cx.page.counter(family, [], microseconds as f64 / 1000.0 / 1000.0);
                }
            }
        }
        if is_there {
            return Ok(());
        }
        Err(Failure::no_data("no file in proc/pressure; Linux has them from 4.20 on, when built with CONFIG_PSI"))
    }
}

/// The total of the line that begins with `word`, or a note of why there is none.
fn total(problems: &mut Problems, text: Text<'_>, word: &'static str) -> Option<u64> {
    let Some(total) = parse(text, word) else {
        problems.report(Failure::no_data(text.error(word, "a line that begins so", b"")));
        return None;
    };
    problems.value(total)
}

/// The total of the last line that begins with `word`, in microseconds.
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
    fn each_resource_emits_its_lines() {
        let io = MEMORY_FILE.replace("memory", "io");
        let irq = "== proc/pressure/irq\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n";
        let expected = format!(
            "{CPU_EMITTED}{}node_pressure_irq_stalled_seconds_total 0.5\n{MEMORY_EMITTED}",
            MEMORY_EMITTED.replace("memory", "io")
        );
        given(&format!("{CPU_FILE}{io}{MEMORY_FILE}{irq}")).emits::<Pressure>(&expected);
    }

    #[test]
    fn older_kernels_have_no_full_line_of_cpu_and_no_irq() {
        given("== proc/pressure/cpu\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=14036781\n")
            .emits::<Pressure>(CPU_EMITTED);
    }

    #[test]
    fn without_pressure_there_is_no_data() {
        given("").fails::<Pressure>("", "no file in proc/pressure");
        given("== proc/pressure/cpu error=EOPNOTSUPP\n== proc/pressure/io error=EOPNOTSUPP\n")
            .fails::<Pressure>("", "proc/pressure/cpu: operation not supported (EOPNOTSUPP); boot with psi=1");
    }

    #[test]
    fn a_bad_line_costs_itself_alone() {
        let bad = "== proc/pressure/io\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=-3\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n";
        given(&format!("{CPU_FILE}{bad}")).fails::<Pressure>(
            &format!("{CPU_EMITTED}node_pressure_io_stalled_seconds_total 0.5\n"),
            "proc/pressure/io:1: total: expected an unsigned integer, found \"-3\"",
        );
        given(&format!("{CPU_FILE}== proc/pressure/io\nsome avg10=0.00 tot\n"))
            .fails::<Pressure>(CPU_EMITTED, "proc/pressure/io: full: expected a line that begins so");
        given(&format!("{CPU_FILE}== proc/pressure/io error=EACCES\n{MEMORY_FILE}"))
            .fails::<Pressure>(&format!("{CPU_EMITTED}{MEMORY_EMITTED}"), "proc/pressure/io: permission denied");
        given("== proc/pressure/cpu\n").fails::<Pressure>("", "proc/pressure/cpu: some");
    }

    #[test]
    fn a_last_line_without_a_newline_counts() {
        given(&format!("{CPU_FILE}== proc/pressure/irq no-newline\nfull avg10=0.00 total=5000000\n"))
            .emits::<Pressure>(&format!("{CPU_EMITTED}node_pressure_irq_stalled_seconds_total 5\n"));
    }

    #[test]
    fn lines_that_nobody_knows_are_passed_over() {
        let extended = CPU_FILE.replace("full", "most avg10=1 total=9\nfull");
        given(&extended).emits::<Pressure>(CPU_EMITTED);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn totals_come_back_and_the_second_opinion_agrees(some: u64, full: u64, average in 0_u16..10_000) {
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
