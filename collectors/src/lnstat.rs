//! Kernel network cache statistics from /proc/net/stat.

use crate::declare;
use crate::host::root::Names;
use crate::kit::parse::Hexadecimal;
use crate::kit::prelude::*;
use crate::kit::table;

/// The lnstat collector.
#[derive(Debug)]
pub struct Lnstat {
    files: Names,
}

declare! {
    Lnstat: "lnstat", off, "Kernel network cache statistics from /proc/net/stat.";
    labels {
        PerCpu { cpu, subsystem }
    }
    reads {
        STATISTICS: Directory Proc "net/stat";
        STATISTIC: File Proc "net/stat/*";
    }
    prefixes {
        COLUMN: Counter "node_lnstat_" PerCpu "Column {} of a /proc/net/stat file.";
    }
}

impl Collect for Lnstat {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { files: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        match cx.files.list(STATISTICS, [], &mut self.files) {
            // A kernel without these caches.
            Err(error) if error.is_missing() => return Ok(()),
            result => result?,
        }
        for file in self.files.iter() {
            let Some(text) = cx.problems.value(cx.files.read(STATISTIC, [file])) else { continue };
            let mut rows = table::rows(text, cx.problems);
            let Some(head) = rows.next() else { continue };
            for (cpu, line) in rows.enumerate() {
                // Columns of a row of another width cannot be matched to names.
                if line.fields().count() != head.fields().count() {
                    cx.problems.report(line.error("row", "as many columns as the first row", line.bytes));
                    continue;
                }
                for (name, found) in head.fields().zip(line.fields()) {
                    if let Some(count) = cx.problems.value(line.number::<Hexadecimal>(name, found)) {
                        cx.page.named(COLUMN, &[name, b"_total"], PerCpu { cpu: &cpu, subsystem: &file }, count.0);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[test]
    fn columns_are_counted_by_cpu() {
        given(
            "== proc/net/stat/arp_cache\nentries  allocs\n00000014  0000000a\n00000014  ffffffffffffffff\n\
            == proc/net/stat/ndisc_cache\nentries\n00000024\n",
        )
        .emits::<Lnstat>(
            "node_lnstat_allocs_total{cpu=\"0\",subsystem=\"arp_cache\"} 10\n\
                node_lnstat_allocs_total{cpu=\"1\",subsystem=\"arp_cache\"} 1.8446744073709552e+19\n\
                node_lnstat_entries_total{cpu=\"0\",subsystem=\"arp_cache\"} 20\n\
                node_lnstat_entries_total{cpu=\"0\",subsystem=\"ndisc_cache\"} 36\n\
                node_lnstat_entries_total{cpu=\"1\",subsystem=\"arp_cache\"} 20\n",
        );
        given("== proc/net/stat/\n").emits::<Lnstat>("");
        given("== proc/net/stat/empty\n")
            .fails::<Lnstat>("", "proc/net/stat/empty: the file: expected at least one line");
        given("").emits::<Lnstat>("");
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let good =
            "node_lnstat_a_total{cpu=\"1\",subsystem=\"x\"} 1\nnode_lnstat_b_total{cpu=\"1\",subsystem=\"x\"} 2\n";
        for (bad, complaint) in [
            ("1", "proc/net/stat/x:2: row: expected as many columns as the first row"),
            ("1 2 3", "row: expected as many columns"),
            ("g g", "a: expected a hexadecimal number"),
            ("-1 10000000000000000", "b: expected a hexadecimal number of up to 64 bits"),
        ] {
            given(&format!("== proc/net/stat/x\na b\n{bad}\n1 2\n")).fails::<Lnstat>(good, complaint);
        }
        given("== proc/net/stat/w error=EACCES\n== proc/net/stat/x\na b\n1 2\n")
            .fails::<Lnstat>(&good.replace("\"1\"", "\"0\""), "net/stat/w: permission denied");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn counts_come_back(counts in proptest::collection::vec(0..1_u64 << 32, 1..9)) {
            let rows: Vec<String> = counts.iter().map(|count| format!("{count:08x}\n")).collect();
            let scraped = given(&format!("== proc/net/stat/x\na\n{}", rows.concat())).scrape::<Lnstat>();
            prop_assert!(scraped.complaints.is_empty());
            let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
            let found: Vec<_> = scraped.samples().lines().map(value).collect();
            let expected: Vec<_> = counts.iter().map(|&count| Some(count as f64)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
