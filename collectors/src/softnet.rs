//! Packet processing by CPU, from /proc/net/softnet_stat.

use crate::declare;
use crate::kit::parse::Hexadecimal;
use crate::kit::prelude::*;
use crate::kit::table;

/// The softnet collector.
#[derive(Debug)]
pub struct Softnet;

declare! {
    Softnet: "softnet", on, "Packet processing of the network stack by CPU.";
    labels {
        PerCpu { cpu }
    }
    reads {
        SOFTNET_STAT: File Proc "net/softnet_stat";
    }
    families {
        BACKLOG: Gauge "node_softnet_backlog_len" PerCpu "Packets in the CPU's backlog queue.";
        COLLISIONS: Counter "node_softnet_cpu_collision_total" PerCpu "Collisions on the device lock during transmission.";
        DROPPED: Counter "node_softnet_dropped_total" PerCpu "Packets dropped because the backlog queue was full.";
        FLOW_LIMIT: Counter "node_softnet_flow_limit_count_total" PerCpu "Packets dropped by the flow limit.";
        PROCESSED: Counter "node_softnet_processed_total" PerCpu "Packets processed by the CPU.";
        RECEIVED_RPS: Counter "node_softnet_received_rps_total" PerCpu "Wakeups of the CPU by receive packet steering (RPS).";
        SQUEEZED: Counter "node_softnet_times_squeezed_total" PerCpu "Polling rounds ended by the time limit or the packet budget.";
    }
}

impl Collect for Softnet {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(SOFTNET_STAT, [])?;
        if text.bytes.is_empty() {
            return Err(table::empty(text).into());
        }
        for (at, line) in text.lines().enumerate() {
            let Some(row) = cx.problems.value(parse(line, at)) else { continue };
            let cpu = row.cpu;
            cx.page.gauge(BACKLOG, PerCpu { cpu: &cpu }, row.backlog);
            cx.page.counter(COLLISIONS, PerCpu { cpu: &cpu }, row.collisions);
            cx.page.counter(DROPPED, PerCpu { cpu: &cpu }, row.dropped);
            cx.page.counter(FLOW_LIMIT, PerCpu { cpu: &cpu }, row.flow_limit);
            cx.page.counter(PROCESSED, PerCpu { cpu: &cpu }, row.processed);
            cx.page.counter(RECEIVED_RPS, PerCpu { cpu: &cpu }, row.received_rps);
            cx.page.counter(SQUEEZED, PerCpu { cpu: &cpu }, row.squeezed);
        }
        Ok(())
    }
}

/// A row; columns missing in older kernels are 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct CpuRow {
    processed: u32,
    dropped: u32,
    squeezed: u32,
    collisions: u32,
    received_rps: u32,
    flow_limit: u32,
    backlog: u32,
    cpu: u32,
}

/// Linux 2.6.23 has 9 columns; later versions have 10, 11, 13 and 15.
const COLUMNS_MIN: usize = 9;
/// Since Linux 5.14 the row contains the number of its CPU.
const COLUMNS_WITH_CPU: usize = 13;

/// Parses the row at index `at`, which is the CPU in rows without its number.
fn parse(line: Line<'_>, at: usize) -> Result<CpuRow, ParseError<'_>> {
    let columns = line.fields().count();
    if columns < COLUMNS_MIN {
        return Err(line.error("row", "at least 9 columns", line.bytes));
    }
    let mut row = CpuRow { cpu: u32::try_from(at).unwrap_or(u32::MAX), ..CpuRow::default() };
    for (column, found) in line.fields().enumerate() {
        let (place, field) = match column {
            0 => (&mut row.processed, "processed"),
            1 => (&mut row.dropped, "dropped"),
            2 => (&mut row.squeezed, "time_squeeze"),
            8 => (&mut row.collisions, "cpu_collision"),
            9 => (&mut row.received_rps, "received_rps"),
            10 => (&mut row.flow_limit, "flow_limit_count"),
            11 if columns >= COLUMNS_WITH_CPU => (&mut row.backlog, "backlog_len"),
            12 => (&mut row.cpu, "cpu"),
            _ => continue,
        };
        *place = number(line, field, found)?;
    }
    Ok(row)
}

fn number<'a>(line: Line<'a>, field: &'static str, found: &'a [u8]) -> Result<u32, ParseError<'a>> {
    let number = line.number::<Hexadecimal>(field, found)?.0;
    u32::try_from(number).map_err(|_| line.error(field, "a hexadecimal number of up to 32 bits", found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    /// One row of these numbers, in as many columns.
    #[track_caller]
    fn check(columns: &[u32], expected: CpuRow) {
        let row = columns.iter().map(|number| format!("{number:08x}")).collect::<Vec<_>>().join(" ");
        let text = Text::new(Mount::Proc, b"net/softnet_stat", row.as_bytes());
        assert_eq!(parse(text.lines().next().expect("a line"), 5).expect("a row"), expected);
    }

    #[test]
    fn columns_of_each_kernel_are_known() {
        let old = CpuRow { processed: 1, dropped: 2, squeezed: 3, collisions: 9, cpu: 5, ..CpuRow::default() };
        let columns: Vec<u32> = (1..=15).collect();
        check(&columns[..9], old);
        check(&columns[..10], CpuRow { received_rps: 10, ..old });
        let newer = CpuRow { received_rps: 10, flow_limit: 11, ..old };
        check(&columns[..11], newer);
        check(&columns[..12], newer);
        check(&columns[..13], CpuRow { backlog: 12, cpu: 13, ..newer });
        check(&columns, CpuRow { backlog: 12, cpu: 13, ..newer });
    }

    #[test]
    fn each_row_has_seven_samples() {
        given("== proc/net/softnet_stat\n000000ff 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000003\n")
            .emits::<Softnet>(
                "node_softnet_backlog_len{cpu=\"0\"} 0\nnode_softnet_cpu_collision_total{cpu=\"0\"} 3\n\
                node_softnet_dropped_total{cpu=\"0\"} 1\nnode_softnet_flow_limit_count_total{cpu=\"0\"} 0\n\
                node_softnet_processed_total{cpu=\"0\"} 255\nnode_softnet_received_rps_total{cpu=\"0\"} 0\n\
                node_softnet_times_squeezed_total{cpu=\"0\"} 2\n",
            );
    }

    #[test]
    fn a_bad_row_is_an_error() {
        let zeros = "00000000 ".repeat(8);
        for (bad, complaint) in [
            ("00000001".to_owned(), "softnet_stat:1: row: expected at least 9 columns"),
            (format!("{zeros}0000000g"), "cpu_collision: expected a hexadecimal number"),
            (format!("{zeros}100000000"), "cpu_collision: expected a hexadecimal number of up to 32 bits"),
            (format!("-1 {zeros}"), "processed: expected a hexadecimal number"),
        ] {
            given(&format!("== proc/net/softnet_stat\n{bad}\n")).fails::<Softnet>("", complaint);
        }
        given("").fails::<Softnet>("", "proc/net/softnet_stat: no such file");
    }

    #[test]
    fn each_row_is_read_by_its_own_width() {
        let columns = |count: usize| "00000001 ".repeat(count);
        let rows: String = [13, 9, 10, 11, 12, 15].into_iter().map(|count| columns(count) + "\n").collect();
        let scraped = given(&format!("== proc/net/softnet_stat\n{rows}")).scrape::<Softnet>();
        assert_eq!(scraped.complaints, <[String; 0]>::default());
        let samples = scraped.samples();
        // Two rows name CPU 1, and so does the row at index 1.
        assert_eq!(samples.lines().filter(|line| line.starts_with("node_softnet_processed_total")).count(), 4);
        for (cpu, rps, limit) in [(1, 1, 1), (2, 1, 0), (3, 1, 1), (4, 1, 1)] {
            for line in [
                format!("node_softnet_received_rps_total{{cpu=\"{cpu}\"}} {rps}\n"),
                format!("node_softnet_flow_limit_count_total{{cpu=\"{cpu}\"}} {limit}\n"),
            ] {
                assert!(samples.contains(&line), "{line} is not in {samples}");
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_round_trip(columns: [u32; 13]) {
            let [processed, dropped, squeezed, _, _, _, _, _, collisions, received_rps, flow_limit, backlog, cpu] = columns;
            let row = CpuRow { processed, dropped, squeezed, collisions, received_rps, flow_limit, backlog, cpu };
            check(&columns, row);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"net/softnet_stat", &bytes).lines() {
                let _ = parse(line, 0);
            }
        }
    }
}
