//! Kernel samepage merging, from /sys/kernel/mm/ksm.

use crate::declare;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The ksmd collector.
#[derive(Debug)]
pub struct Ksmd;

declare! {
    Ksmd: "ksmd", off, "Kernel samepage merging (KSM) activity and savings.";
    reads {
        FULL_SCANS_FILE: File Sys "kernel/mm/ksm/full_scans";
        GENERAL_PROFIT_FILE: File Sys "kernel/mm/ksm/general_profit";
        MERGE_ACROSS_NODES_FILE: File Sys "kernel/mm/ksm/merge_across_nodes";
        PAGES_SHARED_FILE: File Sys "kernel/mm/ksm/pages_shared";
        PAGES_SHARING_FILE: File Sys "kernel/mm/ksm/pages_sharing";
        PAGES_TO_SCAN_FILE: File Sys "kernel/mm/ksm/pages_to_scan";
        PAGES_UNSHARED_FILE: File Sys "kernel/mm/ksm/pages_unshared";
        PAGES_VOLATILE_FILE: File Sys "kernel/mm/ksm/pages_volatile";
        RUN_FILE: File Sys "kernel/mm/ksm/run";
        SLEEP_FILE: File Sys "kernel/mm/ksm/sleep_millisecs";
    }
    families {
        FULL_SCANS: Counter "node_ksmd_full_scans_total" () "Full scans of all mergeable memory.";
        GENERAL_PROFIT: Gauge "node_ksmd_general_profit_bytes" () "Memory saved by merging, minus its metadata, in bytes.";
        SLEEP: Gauge "node_ksmd_sleep_seconds" () "Sleep between two scans, in seconds.";
    }
    /// Settings and counts, by file.
    table GAUGES: Read<Ksmd, File, 0> => () {
        MERGE_ACROSS_NODES_FILE => Gauge "node_ksmd_merge_across_nodes" "1 if pages of different NUMA nodes are merged.";
        PAGES_SHARED_FILE => Gauge "node_ksmd_pages_shared" "Shared pages in use.";
        PAGES_SHARING_FILE => Gauge "node_ksmd_pages_sharing" "Additional references to shared pages.";
        PAGES_TO_SCAN_FILE => Gauge "node_ksmd_pages_to_scan" "Pages scanned between two sleeps.";
        PAGES_UNSHARED_FILE => Gauge "node_ksmd_pages_unshared" "Unique pages checked repeatedly for merging.";
        PAGES_VOLATILE_FILE => Gauge "node_ksmd_pages_volatile" "Pages that change too fast to merge.";
        RUN_FILE => Gauge "node_ksmd_run" "Merging mode: 0 stopped, 1 running, 2 stopped and unmerging.";
    }
}

impl Collect for Ksmd {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        if let Some(scans) = number::<u64>(cx, FULL_SCANS_FILE) {
            cx.page.counter(FULL_SCANS, (), scans);
        }
        // Negative if the metadata of unmerged pages costs more than merging saves.
        if let Some(profit) = number::<i64>(cx, GENERAL_PROFIT_FILE) {
            cx.page.gauge(GENERAL_PROFIT, (), profit);
        }
        for (file, family) in GAUGES {
            if let Some(value) = number::<u64>(cx, file) {
                cx.page.tabled(family, (), value);
            }
        }
        if let Some(milliseconds) = number::<u64>(cx, SLEEP_FILE) {
            cx.page.gauge(SLEEP, (), milliseconds as f64 / 1e3);
        }
        Ok(())
    }
}

/// Reads the number of a file; `None` if the kernel does not have the file.
fn number<T: FromText>(cx: &mut Cx<'_, Ksmd>, file: Read<Ksmd, File, 0>) -> Option<T> {
    let text = cx.problems.value(cx.files.read_if_present(file, []))??;
    cx.problems.value(text.number("value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    #[test]
    fn existing_files_are_exported() {
        let host = "== sys/kernel/mm/ksm/full_scans\n323\n== sys/kernel/mm/ksm/general_profit\n-4096\n\
            == sys/kernel/mm/ksm/merge_across_nodes\n1\n== sys/kernel/mm/ksm/pages_shared\n1\n\
            == sys/kernel/mm/ksm/pages_sharing\n255\n== sys/kernel/mm/ksm/pages_to_scan\n100\n\
            == sys/kernel/mm/ksm/pages_unshared\n3\n== sys/kernel/mm/ksm/pages_volatile\n4\n\
            == sys/kernel/mm/ksm/run\n1\n== sys/kernel/mm/ksm/sleep_millisecs\n20\n";
        given(host).emits::<Ksmd>(
            "node_ksmd_full_scans_total 323\nnode_ksmd_general_profit_bytes -4096\nnode_ksmd_merge_across_nodes 1\n\
            node_ksmd_pages_shared 1\nnode_ksmd_pages_sharing 255\nnode_ksmd_pages_to_scan 100\n\
            node_ksmd_pages_unshared 3\nnode_ksmd_pages_volatile 4\nnode_ksmd_run 1\nnode_ksmd_sleep_seconds 0.02\n",
        );
        given("== sys/kernel/mm/ksm/run\n0\n").emits::<Ksmd>("node_ksmd_run 0\n");
        given("").emits::<Ksmd>("");
    }

    #[test]
    fn a_bad_file_costs_only_its_own_samples() {
        for bad in ["", "-1\n", "on\n", "18446744073709551616\n"] {
            given(&format!("== sys/kernel/mm/ksm/full_scans\n{bad}== sys/kernel/mm/ksm/run\n1\n")).fails::<Ksmd>(
                "node_ksmd_run 1\n",
                "sys/kernel/mm/ksm/full_scans: value: expected an unsigned integer",
            );
        }
        given("== sys/kernel/mm/ksm/full_scans error=EACCES\n== sys/kernel/mm/ksm/run\n1\n")
            .fails::<Ksmd>("node_ksmd_run 1\n", "permission denied");
    }
}
