//! Counters of a port: standard, legacy (kernels before 4.5) and hardware.

use super::{
    COUNTER, COUNTER_FILES, COUNTERS, HARDWARE_COUNTER, HARDWARE_COUNTERS, HARDWARE_FILES, Infiniband, LEGACY_COUNTER,
    LEGACY_COUNTERS, LEGACY_FILES, LIFESPAN, PerPort, Port,
};
use crate::host::root::{Kind, Names};
use crate::kit::attribute;
use crate::kit::family::{Family, Tabled};
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::read::{Directory, File, Read};

/// The unit of a counter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Plain,
    /// Words of four bytes, independent of the number of lanes.
    Words,
}

/// A counter's file with its unit, and its family.
type CounterFamily = ((&'static [u8], Unit), Family<Infiniband, Tabled, PerPort<'static>>);

/// Emits the counters of a port. A driver has one to three directories of counters.
pub(super) fn emit(cx: &mut Cx<'_, Infiniband>, port: Port<'_>, names: &mut Names) {
    if list(cx, COUNTERS, port, names) {
        emit_rows(cx, COUNTER, &COUNTER_FILES, port, names);
        if list(cx, LEGACY_COUNTERS, port, names) {
            emit_rows(cx, LEGACY_COUNTER, &LEGACY_FILES, port, names);
        }
    }
    if list(cx, HARDWARE_COUNTERS, port, names) {
        emit_rows(cx, HARDWARE_COUNTER, &HARDWARE_FILES, port, names);
        if let Some(milliseconds) = count(cx, HARDWARE_COUNTER, port, names, b"lifespan") {
            cx.page.gauge(LIFESPAN, PerPort { device: &port.device, port: &port.number }, milliseconds / 1000);
        }
    }
}

/// Lists a directory of counters; `false` if it does not exist.
fn list(
    cx: &mut Cx<'_, Infiniband>,
    folder: Read<Infiniband, Directory, 2>,
    port: Port<'_>,
    names: &mut Names,
) -> bool {
    match cx.files.list(folder, [port.device, port.name], names) {
        Ok(()) => true,
        Err(error) => {
            if !error.is_missing() {
                cx.problems.report(error);
            }
            false
        }
    }
}

fn emit_rows(
    cx: &mut Cx<'_, Infiniband>,
    file: Read<Infiniband, File, 3>,
    rows: &[CounterFamily],
    port: Port<'_>,
    names: &Names,
) {
    let labels = PerPort { device: &port.device, port: &port.number };
    for &((name, unit), family) in rows {
        let Some(count) = count(cx, file, port, names, name) else { continue };
        match unit {
            Unit::Plain => cx.page.tabled(family, labels, count),
            Unit::Words => cx.page.tabled(family, labels, count as f64 * WORD_BYTES),
        }
    }
}

/// The size of a word of data: a byte on each of four lanes.
const WORD_BYTES: f64 = 4.0;

/// Reads a counter, if the directory has it among its `names`.
fn count(
    cx: &mut Cx<'_, Infiniband>,
    file: Read<Infiniband, File, 3>,
    port: Port<'_>,
    names: &Names,
    name: &[u8],
) -> Option<u64> {
    if !names.iter_kinds().any(|(entry, kind)| entry == name && kind == Kind::File) {
        return None;
    }
    let found = attribute::number(cx, file, [port.device, port.name, name], attribute::is_unavailable);
    found.and_then(|Count(count)| count)
}

/// A count, or the text of drivers for an unsupported counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Count(Option<u64>);

impl FromText for Count {
    const EXPECTED: &'static str = u64::EXPECTED;

    fn from_text(text: &[u8]) -> Option<Self> {
        if memchr::memmem::find(text, b"N/A (no PMA)").is_some() {
            return Some(Self(None));
        }
        u64::from_text(text).map(|count| Self(Some(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    /// Checks a port with these files: their samples besides those of the port itself.
    fn host(files: &[(&str, &str)]) -> String {
        let port = "sys/class/infiniband/mlx4_0/ports/1";
        let file = |(name, content): &(&str, &str)| format!("== {port}/{name}{content}");
        let files: Vec<_> = files.iter().map(file).collect();
        format!(
            "== sys/class/infiniband/mlx4_0/fw_ver\n2.31\n{}== {port}/phys_state\n5: LinkUp\n\
             == {port}/rate\n40 Gb/sec (4X QDR)\n== {port}/state\n4: ACTIVE\n",
            files.concat()
        )
    }

    fn is_counted(line: &&str) -> bool {
        !["info{", "physical_state_id{", "rate_bytes_per_second{", "state_id{"]
            .iter()
            .any(|own| line.starts_with(&format!("node_infiniband_{own}")))
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[(&str, &str)], complaint: Option<&str>) {
        let scraped = given(&host(files)).scrape::<Infiniband>();
        let samples = scraped.samples();
        let found: Vec<&str> = samples.lines().filter(is_counted).collect();
        let line =
            |(name, value): &(&str, &str)| format!("node_infiniband_{name}{{device=\"mlx4_0\",port=\"1\"}} {value}");
        assert_eq!(found, expected.iter().map(line).collect::<Vec<_>>());
        assert_eq!(samples.lines().count(), found.len() + 4, "the port's own samples");
        let complaints = scraped.complaints;
        assert_eq!(complaints.len(), usize::from(complaint.is_some()), "{complaints:?}");
        assert!(complaint.is_none_or(|complaint| complaints[0].contains(complaint)), "{complaints:?}");
    }

    #[test]
    fn each_kind_of_counter_is_exported() {
        check(
            &[
                ("counters/VL15_dropped", "\n3\n"),
                ("counters/port_rcv_data", "\n9223372036854775808\n"),
                ("counters/unknown", "\nx\n"),
                ("counters_ext/port_xmit_data_64", "\n10\n"),
                ("hw_counters/lifespan", "\n12999\n"),
                ("hw_counters/np_cnp_sent", "\n7\n"),
            ],
            &[
                ("legacy_data_transmitted_bytes_total", "40"),
                ("lifespan_seconds", "12"),
                ("np_cnp_packets_sent_total", "7"),
                ("port_data_received_bytes_total", "3.6893488147419103e+19"),
                ("vl15_dropped_total", "3"),
            ],
            None,
        );
    }

    #[test]
    fn unsupported_counters_are_skipped() {
        for refused in [
            "\nN/A (no PMA)\n",
            " error=EINVAL\n",
            " error=EOPNOTSUPP\n",
            " error=EACCES\n",
            " error=EPERM\n",
            " -> nowhere\n",
            "/file\n1\n",
        ] {
            for folder in ["counters/symbol_error", "hw_counters/out_of_buffer"] {
                check(&[("counters/link_downed", "\n1\n"), (folder, refused)], &[("link_downed_total", "1")], None);
            }
        }
        check(&[("counters_ext/port_xmit_data_64", "\n10\n")], &[], None);
    }

    #[test]
    fn a_bad_counter_costs_only_its_own_samples() {
        for bad in ["", "-1", "N/A", "many", "18446744073709551616"] {
            let bad = format!("\n{bad}\n");
            let files = [("counters/link_downed", "\n1\n"), ("counters/symbol_error", bad.as_str())];
            check(
                &files,
                &[("link_downed_total", "1")],
                Some("counters/symbol_error: value: expected an unsigned integer"),
            );
        }
        let files = [("counters/link_downed", "\n1\n"), ("hw_counters/lifespan", " error=EIO\n")];
        check(&files, &[("link_downed_total", "1")], Some("hw_counters/lifespan: input/output error"));
        let files = [("counters/link_downed", "\n1\n"), ("hw_counters/", " error=EIO\n")];
        check(&files, &[("link_downed_total", "1")], Some("ports/1/hw_counters: input/output error"));
    }

    #[test]
    fn every_table_is_sorted_by_file() {
        let tables: [&[CounterFamily]; 3] = [&COUNTER_FILES, &LEGACY_FILES, &HARDWARE_FILES];
        assert_eq!(tables.map(<[CounterFamily]>::len).iter().sum::<usize>(), 59);
        for table in tables {
            assert!(table.is_sorted_by(|((a, _), _), ((b, _), _)| a < b));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_come_back(count: u64) {
            prop_assert_eq!(Count::from_text(count.to_string().as_bytes()), Some(Count(Some(count))));
        }

        #[test]
        fn any_bytes_are_a_count_or_none(bytes: Vec<u8>) {
            let _ = Count::from_text(&bytes);
        }
    }
}
