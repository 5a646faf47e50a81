//! Tracked connections from /proc/sys/net/netfilter and /proc/net/stat/nf_conntrack.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::parse::Hexadecimal;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};
use crate::kit::table;

/// The conntrack collector.
#[derive(Debug)]
pub struct Conntrack;

declare! {
    Conntrack: "conntrack", on, "Connection tracking table size and statistics.";
    reads {
        COUNT: File Proc "sys/net/netfilter/nf_conntrack_count";
        MAX: File Proc "sys/net/netfilter/nf_conntrack_max";
        STATISTICS: File Proc "net/stat/nf_conntrack";
    }
    families {
        ENTRIES: Gauge "node_nf_conntrack_entries" () "Entries of the connection tracking table.";
        LIMIT: Gauge "node_nf_conntrack_entries_limit" () "Maximum number of connection tracking entries.";
    }
    /// Columns by index. Kernels renamed or redefined the other columns over time.
    table COLUMNS: usize => () {
        2 => Gauge "node_nf_conntrack_stat_found" "Lookups that found a connection tracking entry.";
        4 => Gauge "node_nf_conntrack_stat_invalid" "Packets that cannot be tracked.";
        5 => Gauge "node_nf_conntrack_stat_ignore" "Packets excluded from connection tracking.";
        8 => Gauge "node_nf_conntrack_stat_insert" "Connection tracking entries inserted.";
        9 => Gauge "node_nf_conntrack_stat_insert_failed" "Failed insertions of connection tracking entries.";
        10 => Gauge "node_nf_conntrack_stat_drop" "Packets dropped because of failed connection tracking.";
        11 => Gauge "node_nf_conntrack_stat_early_drop" "Connection tracking entries evicted from a full table.";
        SEARCH_RESTART_COLUMN => Gauge "node_nf_conntrack_stat_search_restart" "Lookups restarted because of a table resize.";
    }
}

/// The last column, which kernels before 2.6.35 do not have.
const SEARCH_RESTART_COLUMN: usize = 16;

impl Collect for Conntrack {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        if let Some(entries) = whole(cx, COUNT, "nf_conntrack_count")? {
            cx.page.gauge(ENTRIES, (), entries);
        }
        if let Some(limit) = whole(cx, MAX, "nf_conntrack_max")? {
            cx.page.gauge(LIMIT, (), limit);
        }
        let text = cx.files.read(STATISTICS, []).map_err(not_loaded)?;
        // A sum over some of the CPUs would be wrong: a bad row costs all sums.
        for ((_, family), sum) in COLUMNS.into_iter().zip(sums(text)?) {
            cx.page.tabled(family, (), sum);
        }
        Ok(())
    }
}

/// Reads the number of a file; a bad one is reported.
fn whole(
    cx: &mut Cx<'_, Conntrack>,
    file: Read<Conntrack, File, 0>,
    field: &'static str,
) -> Result<Option<u64>, Failure> {
    let text = cx.files.read(file, []).map_err(not_loaded)?;
    Ok(cx.problems.value(text.number(field)))
}

/// Treats missing files as no data: the module is not loaded.
fn not_loaded(error: FileError<'_>) -> Failure {
    error.or_no_data(RootError::is_missing)
}

/// Sums [`COLUMNS`] over the rows, one per CPU, after the header.
fn sums(text: Text<'_>) -> Result<[u64; COLUMNS.len()], ParseError<'_>> {
    if text.bytes.is_empty() {
        return Err(table::empty(text));
    }
    let mut sums = [0_u64; COLUMNS.len()];
    for line in text.lines().skip(1) {
        let mut count = 0;
        for (column, found) in line.fields().enumerate() {
            let Hexadecimal(value) = line.number("column", found)?;
            if let Some(sum) = COLUMNS.iter().position(|&(wanted, _)| wanted == column).and_then(|at| sums.get_mut(at))
            {
                *sum = sum.wrapping_add(value);
            }
            count = column + 1;
        }
        if !(SEARCH_RESTART_COLUMN..=SEARCH_RESTART_COLUMN + 1).contains(&count) {
            return Err(line.error("row", "16 or 17 columns", line.bytes));
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const SIZES: &str =
        "== proc/sys/net/netfilter/nf_conntrack_count\n57\n== proc/sys/net/netfilter/nf_conntrack_max\n65536\n";
    const SIZES_EMITTED: &str = "node_nf_conntrack_entries 57\nnode_nf_conntrack_entries_limit 65536\n";
    const HEADLINE: &str = "entries clashres found new invalid ignore delete chainlength insert insert_failed drop \
        early_drop icmp_error expect_new expect_create expect_delete search_restart\n";

    fn with_rows(rows: &str) -> String {
        format!("== proc/net/stat/nf_conntrack\n{HEADLINE}{rows}{SIZES}")
    }

    #[track_caller]
    fn check_sums(rows: &str, expected: [u64; 8]) {
        let names = ["drop", "early_drop", "found", "ignore", "insert", "insert_failed", "invalid", "search_restart"];
        let line = |(name, sum)| format!("node_nf_conntrack_stat_{name} {sum}\n");
        let lines: Vec<_> = names.iter().zip(expected).map(line).collect();
        given(&with_rows(rows)).emits::<Conntrack>(&format!("{SIZES_EMITTED}{}", lines.concat()));
    }

    #[test]
    fn columns_are_summed_over_cpus() {
        let first = "39 01 0000000a 3 4 5 6 7 8 9 b c d  e f 10 11\n";
        let second = "39 01 00000001 3 1 1 6 7 1 1 1 1 d  e f 10 1\n";
        check_sums(first, [11, 12, 10, 5, 8, 9, 4, 17]);
        check_sums(&format!("{first}{second}"), [12, 13, 11, 6, 9, 10, 5, 18]);
        check_sums("", [0; 8]);
    }

    #[test]
    fn old_kernels_have_no_search_restart() {
        check_sums("39 1 a 3 4 5 6 7 8 9 b c d e f 10\n", [11, 12, 10, 5, 8, 9, 4, 0]);
    }

    #[test]
    fn a_bad_row_costs_the_sums() {
        for (row, complaint) in [
            ("1 2 3 4 5 6 7 8 9 a b c d e f\n", "nf_conntrack:2: row: expected 16 or 17 columns, found \"1 2"),
            ("1 2 3 4 5 6 7 8 9 a b c d e f 10 11 12\n", "expected 16 or 17 columns"),
            ("\n", "expected 16 or 17 columns"),
            (
                "1 2 g 4 5 6 7 8 9 a b c d e f 10 11\n",
                "column: expected a hexadecimal number of up to 64 bits, found \"g\"",
            ),
            ("1 2 10000000000000000 4 5 6 7 8 9 a b c d e f 10 11\n", "up to 64 bits"),
        ] {
            given(&with_rows(row)).fails::<Conntrack>(SIZES_EMITTED, complaint);
        }
    }

    #[test]
    fn an_empty_table_costs_the_sums() {
        given(&format!("== proc/net/stat/nf_conntrack\n{SIZES}"))
            .fails::<Conntrack>(SIZES_EMITTED, "proc/net/stat/nf_conntrack: the file: expected at least one line");
    }

    #[test]
    fn a_host_without_the_module_has_no_data() {
        given("").fails::<Conntrack>("", "nf_conntrack_count: no such file");
        given(SIZES).fails::<Conntrack>(SIZES_EMITTED, "proc/net/stat/nf_conntrack: no such file");
        assert_eq!(not_loaded_kind("error=ENOENT"), "no data");
        assert_eq!(not_loaded_kind("error=EACCES"), "error");
    }

    fn not_loaded_kind(attribute: &str) -> &'static str {
        use crate::kit::scraper::Selection;
        let entry = format!("== proc/sys/net/netfilter/nf_conntrack_count {attribute}\n");
        let scraper = given(&entry).scraper::<Conntrack>().expect("no flags");
        let mut kind = "success";
        let report = |report: &crate::kit::scraper::Report<'_>| match report.failure {
            Some(Failure::NoData(_)) => "no data",
            Some(Failure::Error(_)) => "error",
            None => "success",
        };
        scraper.scrape(&Selection::ALL, |_| (), |found| kind = report(found), &mut Vec::new());
        kind
    }

    #[test]
    fn a_bad_size_costs_only_its_own_samples() {
        given("== proc/sys/net/netfilter/nf_conntrack_count\n-1\n== proc/sys/net/netfilter/nf_conntrack_max\n65536\n")
            .fails::<Conntrack>(
            "node_nf_conntrack_entries_limit 65536\n",
            "nf_conntrack_count: nf_conntrack_count: expected",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sums_come_back(rows in prop::collection::vec(prop::array::uniform17(any::<u32>()), 0..9)) {
            let mut text = HEADLINE.to_owned();
            for row in &rows {
                let row: Vec<_> = row.iter().map(|value| format!("{value:08x}")).collect();
                text.push_str(&row.join(" "));
                text.push('\n');
            }
            let expected = COLUMNS.map(|(column, _)| rows.iter().map(|row| u64::from(row[column])).sum::<u64>());
            prop_assert_eq!(sums(Text::new(Mount::Proc, b"x", text.as_bytes())).ok(), Some(expected));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = sums(Text::new(Mount::Proc, b"x", &bytes));
        }
    }
}
