//! Tape drive statistics, from /sys/class/scsi_tape.

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::filter::{self, Pattern};
use crate::kit::parse::{FromText, Wide};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The tapestats collector.
#[derive(Debug)]
pub struct Tapestats {
    ignored: Pattern,
    names: Names,
}

declare! {
    Tapestats: "tapestats", on, "Tape drive statistics: operations, bytes and times.";
    labels {
        PerDevice { device }
    }
    reads {
        CLASS: Directory Sys "class/scsi_tape";
        IN_FLIGHT: File Sys "class/scsi_tape/*/stats/in_flight";
        IO_NS: File Sys "class/scsi_tape/*/stats/io_ns";
        OTHER_CNT: File Sys "class/scsi_tape/*/stats/other_cnt";
        READ_BYTE_CNT: File Sys "class/scsi_tape/*/stats/read_byte_cnt";
        READ_CNT: File Sys "class/scsi_tape/*/stats/read_cnt";
        READ_NS: File Sys "class/scsi_tape/*/stats/read_ns";
        RESID_CNT: File Sys "class/scsi_tape/*/stats/resid_cnt";
        WRITE_BYTE_CNT: File Sys "class/scsi_tape/*/stats/write_byte_cnt";
        WRITE_CNT: File Sys "class/scsi_tape/*/stats/write_cnt";
        WRITE_NS: File Sys "class/scsi_tape/*/stats/write_ns";
    }
    flags {
        IGNORED: Text "collector.tapestats.ignored-devices" = "^$", "Regexp of drives to exclude.";
    }
    families {
        IO_NOW: kept Gauge "node_tape_io_now" PerDevice "Requests in flight.";
    }
    /// Statistics in requests and bytes.
    table COUNTS: Statistic => PerDevice {
        OTHER_CNT => Counter "node_tape_io_others_total" "Requests other than reads and writes, such as rewinds.";
        READ_BYTE_CNT => Counter "node_tape_read_bytes_total" "Bytes read.";
        READ_CNT => Counter "node_tape_reads_completed_total" "Reads completed.";
        RESID_CNT => Counter "node_tape_residual_total" "Reads and writes that transferred less than requested.";
        WRITE_CNT => Counter "node_tape_writes_completed_total" "Writes completed.";
        WRITE_BYTE_CNT => Counter "node_tape_written_bytes_total" "Bytes written.";
    }
    /// Statistics in nanoseconds.
    table TIMES: Statistic => PerDevice {
        IO_NS => Counter "node_tape_io_time_seconds_total" "Time spent on all requests in seconds.";
        READ_NS => Counter "node_tape_read_time_seconds_total" "Time spent on reads in seconds.";
        WRITE_NS => Counter "node_tape_write_time_seconds_total" "Time spent on writes in seconds.";
    }
}

type Statistic = Read<Tapestats, File, 1>;

const NANOSECOND: f64 = 1e-9;

impl Collect for Tapestats {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { ignored: filter::strict_pattern_of(options, IGNORED)?, names: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { ignored, names } = self;
        // Without the module the directory is missing.
        cx.files.list(CLASS, [], names).map_err(|error| error.or_no_data(RootError::is_missing))?;
        for device in names.iter().filter(|device| is_drive(device) && !ignored.is_match(device)) {
            if let Some(requests) = number::<u64>(cx, IN_FLIGHT, device) {
                cx.page.gauge(IO_NOW, PerDevice { device: &device }, requests);
            }
            for (file, family) in COUNTS {
                if let Some(count) = number::<u64>(cx, file, device) {
                    cx.page.tabled(family, PerDevice { device: &device }, count);
                }
            }
            for (file, family) in TIMES {
                if let Some(Wide(time)) = number(cx, file, device) {
                    cx.page.tabled(family, PerDevice { device: &device }, time * NANOSECOND);
                }
            }
        }
        Ok(())
    }
}

/// Whether a name is `st` and a number. Other names, such as `nst0` or `st0a`, are aliases of the same drive.
fn is_drive(name: &[u8]) -> bool {
    name.strip_prefix(b"st").is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

fn number<T: FromText>(cx: &mut Cx<'_, Tapestats>, file: Read<Tapestats, File, 1>, device: &[u8]) -> Option<T> {
    let text = cx.problems.value(cx.files.read(file, [device]))?;
    let value = attribute::value(&text);
    let number = T::from_text(value).ok_or_else(|| text.error("value", T::EXPECTED, value));
    cx.problems.value(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const FILES: [&str; 10] = [
        "in_flight",
        "io_ns",
        "other_cnt",
        "read_byte_cnt",
        "read_cnt",
        "read_ns",
        "resid_cnt",
        "write_byte_cnt",
        "write_cnt",
        "write_ns",
    ];

    /// A drive whose statistics are 1, 2, 3 and so on, but for those that are said otherwise.
    fn drive(name: &str, except: &[(&str, &str)]) -> String {
        let file = |(at, file): (usize, &&str)| {
            let value = except.iter().find(|(name, _)| *name == *file);
            let value = value.map_or_else(|| (at + 1).to_string(), |(_, value)| (*value).to_owned());
            format!("== sys/class/scsi_tape/{name}/stats/{file}\n{value}\n")
        };
        FILES.iter().enumerate().map(file).collect()
    }

    fn emitted(device: &str, without: &str) -> String {
        [
            "io_now{} 1",
            "io_others_total{} 3",
            "io_time_seconds_total{} 2e-09",
            "read_bytes_total{} 4",
            "read_time_seconds_total{} 6.000000000000001e-09",
            "reads_completed_total{} 5",
            "residual_total{} 7",
            "write_time_seconds_total{} 1e-08",
            "writes_completed_total{} 9",
            "written_bytes_total{} 8",
        ]
        .iter()
        .filter(|line| without.is_empty() || !line.starts_with(without))
        .map(|line| format!("node_tape_{}\n", line.replace("{}", &format!("{{device=\"{device}\"}}"))))
        .collect::<Vec<_>>()
        .concat()
    }

    #[test]
    fn aliases_of_drives_are_ignored() {
        let tree = drive("st0", &[]) + &drive("nst0", &[]) + &drive("st0a", &[]) + &drive("st", &[]);
        given(&tree).emits::<Tapestats>(&emitted("st0", ""));
    }

    #[test]
    fn drives_are_excluded_by_name() {
        let tree = drive("st0", &[]) + &drive("st10", &[]);
        given(&tree).flags(&["--collector.tapestats.ignored-devices=^st0$"]).emits::<Tapestats>(&emitted("st10", ""));
        given(&tree).flags(&["--collector.tapestats.ignored-devices="]).emits::<Tapestats>("");
        given("")
            .flags(&["--collector.tapestats.ignored-devices=("])
            .is_refused::<Tapestats>("ignored-devices: expected a regular expression, found `(`");
    }

    #[test]
    fn a_missing_class_is_no_data_and_an_empty_one_is_valid() {
        given("").fails::<Tapestats>("", "sys/class/scsi_tape: no such file");
        given("== sys/class/scsi_tape/\n").emits::<Tapestats>("");
    }

    #[test]
    fn a_bad_statistic_costs_only_its_own_samples() {
        for (value, complaint) in [
            ("x", "st1/stats/read_ns: value: expected an unsigned integer"),
            ("-1", "expected an unsigned integer"),
            ("18446744073709551616", "found \"18446744073709551616\""),
            ("1.5", "expected an unsigned integer"),
        ] {
            given(&drive("st1", &[("read_ns", value)])).fails::<Tapestats>(&emitted("st1", "read_time"), complaint);
        }
        let gone =
            drive("st1", &[]).replace("stats/write_cnt\n", "stats/write_cnt error=EIO\n").replace("EIO\n9\n", "EIO\n");
        given(&gone).fails::<Tapestats>(&emitted("st1", "writes"), "stats/write_cnt: ");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn counts_round_trip(count: u32) {
            let samples = given(&drive("st0", &[("read_cnt", &count.to_string())])).scrape::<Tapestats>().samples();
            let found = samples.lines().find_map(|line| line.strip_prefix("node_tape_reads_completed_total{device=\"st0\"} "));
            prop_assert_eq!(found.and_then(|found| found.parse().ok()), Some(f64::from(count)));
        }
    }
}
