//! Packets that CPUs took from devices, from /proc/net/softnet_stat.

use crate::declare;
use crate::kit::parse::Hexadecimal;
use crate::kit::prelude::*;
use crate::kit::table;

/// How each CPU copes with packets that came in.
#[derive(Debug)]
pub struct Softnet;

declare! {
    Softnet: "softnet", on, "How many packets each CPU took from network devices, dropped, and left for later.";
    reads {
        SOFTNET_STAT: File Proc "net/softnet_stat";
    }
    families {
        BACKLOG: Gauge "node_softnet_backlog_len" ["cpu"] "Packets that wait for the CPU.";
        COLLISIONS: Counter "node_softnet_cpu_collision_total" ["cpu"] "How often the CPU found a device locked that it wanted to send by.";
        DROPPED: Counter "node_softnet_dropped_total" ["cpu"] "Packets that were dropped because too many waited for the CPU.";
        FLOW_LIMIT: Counter "node_softnet_flow_limit_count_total" ["cpu"] "Packets that were dropped because one flow had too many waiting.";
        PROCESSED: Counter "node_softnet_processed_total" ["cpu"] "Packets that the CPU took from devices.";
        RECEIVED_RPS: Counter "node_softnet_received_rps_total" ["cpu"] "How often another CPU woke this one to take packets.";
        SQUEEZED: Counter "node_softnet_times_squeezed_total" ["cpu"] "How often the CPU stopped for lack of time with packets still there.";
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
        let width = text.lines().next().map_or(0, |line| line.fields().count());
        for (at, line) in text.lines().enumerate() {
            let Some(row) = cx.problems.value(parse(line, at, width)) else { continue };
            let cpu = row.cpu;
            cx.page.gauge(BACKLOG, [&cpu], row.backlog);
            cx.page.counter(COLLISIONS, [&cpu], row.collisions);
            cx.page.counter(DROPPED, [&cpu], row.dropped);
            cx.page.counter(FLOW_LIMIT, [&cpu], row.flow_limit);
            cx.page.counter(PROCESSED, [&cpu], row.processed);
            cx.page.counter(RECEIVED_RPS, [&cpu], row.received_rps);
            cx.page.counter(SQUEEZED, [&cpu], row.squeezed);
        }
        Ok(())
    }
}

/// A row; what the kernel is too old to tell is 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Row {
    processed: u32,
    dropped: u32,
    squeezed: u32,
    collisions: u32,
    received_rps: u32,
    flow_limit: u32,
    backlog: u32,
    cpu: u32,
}

/// Linux 2.6.23 has 9 columns.
const COLUMNS_MIN: usize = 9;
/// Since 5.14 the row says which CPU it is of.
const COLUMNS_WITH_CPU: usize = 13;

/// The row at place `at` of a table of so many columns.
fn parse(line: Line<'_>, at: usize, width: usize) -> Result<Row, ParseError<'_>> {
    let columns = line.fields().count();
    // Every row is as wide as the first, or was cut.
    if columns < COLUMNS_MIN || columns != width {
        return Err(line.error("row", "at least 9 columns, as many as in the first row", line.bytes));
    }
    let mut row = Row { cpu: u32::try_from(at).unwrap_or(u32::MAX), ..Row::default() };
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
    match line.fields().last() {
        // The kernel writes eight digits each; fewer are what is left of them.
        Some(last) if last.len() < DIGITS => Err(line.error("last column", "8 hexadecimal digits", last)),
        _ => Ok(row),
    }
}

const DIGITS: usize = 8;

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
    fn check(columns: &[u32], expected: Row) {
        let row = columns.iter().map(|number| format!("{number:08x}")).collect::<Vec<_>>().join(" ");
        let text = Text::new(Mount::Proc, b"net/softnet_stat", row.as_bytes());
        assert_eq!(parse(text.lines().next().expect("a line"), 5, columns.len()).expect("a row"), expected);
    }

    #[test]
    fn each_kernels_columns_are_known() {
        let old = Row { processed: 1, dropped: 2, squeezed: 3, collisions: 9, cpu: 5, ..Row::default() };
        let columns: Vec<u32> = (1..=15).collect();
        check(&columns[..9], old);
        check(&columns[..10], Row { received_rps: 10, ..old });
        let newer = Row { received_rps: 10, flow_limit: 11, ..old };
        check(&columns[..11], newer);
        check(&columns[..12], newer);
        check(&columns[..13], Row { backlog: 12, cpu: 13, ..newer });
        check(&columns, Row { backlog: 12, cpu: 13, ..newer });
    }

    #[test]
    fn a_row_is_seven_samples() {
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
            (format!("{zeros}000000"), "last column: expected 8 hexadecimal digits, found \"000000\""),
        ] {
            given(&format!("== proc/net/softnet_stat\n{bad}\n")).fails::<Softnet>("", complaint);
        }
        given("").fails::<Softnet>("", "proc/net/softnet_stat: no such file");
        let uneven = format!("== proc/net/softnet_stat\n{zeros}{zeros}\n{zeros}00000000\n");
        let scraped = given(&uneven).scrape::<Softnet>();
        assert!(scraped.complaints[0].contains(":2: row: expected at least 9 columns, as many"), "{scraped:?}");
        assert_eq!(scraped.samples().lines().count(), 7);
    }

    proptest! {
        #[test]
        fn numbers_come_back(columns: [u32; 13]) {
            let [processed, dropped, squeezed, _, _, _, _, _, collisions, received_rps, flow_limit, backlog, cpu] = columns;
            let row = Row { processed, dropped, squeezed, collisions, received_rps, flow_limit, backlog, cpu };
            check(&columns, row);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>, width in 0..20_usize) {
            for line in Text::new(Mount::Proc, b"net/softnet_stat", &bytes).lines() {
                let _ = parse(line, 0, width);
            }
        }
    }
}
