//! Merging of equal pages from /sys/kernel/mm/ksm.

use crate::declare;
use crate::kit::family::{Family, Gauge};
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// What the kernel's merging of equal pages does and saves.
#[derive(Debug)]
pub struct Ksmd;

declare! {
    Ksmd: "ksmd", off, "What the merging of equal pages of memory (KSM) does and saves.";
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
        FULL_SCANS: Counter "node_ksmd_full_scans_total" [] "How often all mergeable memory was looked through.";
        GENERAL_PROFIT: Gauge "node_ksmd_general_profit_bytes" [] "Memory that merging saves, less what it costs to keep track.";
        MERGE_ACROSS_NODES: Gauge "node_ksmd_merge_across_nodes" [] "Whether pages of different NUMA nodes are merged.";
        PAGES_SHARED: Gauge "node_ksmd_pages_shared" [] "Merged pages in use.";
        PAGES_SHARING: Gauge "node_ksmd_pages_sharing" [] "Places that use a merged page beside the first: what is saved.";
        PAGES_TO_SCAN: Gauge "node_ksmd_pages_to_scan" [] "Pages that are looked at between two sleeps.";
        PAGES_UNSHARED: Gauge "node_ksmd_pages_unshared" [] "Pages that have no equal and are looked at again and again.";
        PAGES_VOLATILE: Gauge "node_ksmd_pages_volatile" [] "Pages that change too often to be merged.";
        RUN: Gauge "node_ksmd_run" [] "0 where merging is stopped, 1 where it runs, 2 where what was merged is being undone.";
        SLEEP: Gauge "node_ksmd_sleep_seconds" [] "How long merging sleeps between two looks.";
    }
}

type Level = Family<Ksmd, Gauge, crate::kit::family::Unnamed<0>>;

/// The files whose number is a gauge as it stands.
const GAUGES: [(Read<Ksmd, File, 0>, Level); 7] = [
    (MERGE_ACROSS_NODES_FILE, MERGE_ACROSS_NODES),
    (PAGES_SHARED_FILE, PAGES_SHARED),
    (PAGES_SHARING_FILE, PAGES_SHARING),
    (PAGES_TO_SCAN_FILE, PAGES_TO_SCAN),
    (PAGES_UNSHARED_FILE, PAGES_UNSHARED),
    (PAGES_VOLATILE_FILE, PAGES_VOLATILE),
    (RUN_FILE, RUN),
];

impl Collect for Ksmd {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        if let Some(scans) = number::<u64>(cx, FULL_SCANS_FILE) {
            cx.page.counter(FULL_SCANS, [], scans);
        }
        // Keeping track of pages that are never merged costs more than it saves: then it is negative.
        if let Some(profit) = number::<i64>(cx, GENERAL_PROFIT_FILE) {
            cx.page.gauge(GENERAL_PROFIT, [], profit);
        }
        for (file, family) in GAUGES {
            if let Some(value) = number::<u64>(cx, file) {
                cx.page.gauge(family, [], value);
            }
        }
        if let Some(milliseconds) = number::<u64>(cx, SLEEP_FILE) {
            cx.page.gauge(SLEEP, [], milliseconds as f64 / 1e3);
        }
        Ok(())
    }
}

/// A file's number, where the kernel has the file.
fn number<T: FromText>(cx: &mut Cx<'_, Ksmd>, file: Read<Ksmd, File, 0>) -> Option<T> {
    let text = cx.problems.value(cx.files.read_if_present(file, []))??;
    cx.problems.value(text.number("value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    #[test]
    fn what_is_there_is_passed_on() {
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
    fn a_bad_file_costs_itself_alone() {
        for bad in ["", "-1\n", "on\n", "18446744073709551616\n"] {
            given(&format!("== sys/kernel/mm/ksm/full_scans\n{bad}== sys/kernel/mm/ksm/run\n1\n"))
                .fails::<Ksmd>("node_ksmd_run 1\n", "sys/kernel/mm/ksm/full_scans: value: expected a whole number");
        }
        given("== sys/kernel/mm/ksm/full_scans error=EACCES\n== sys/kernel/mm/ksm/run\n1\n")
            .fails::<Ksmd>("node_ksmd_run 1\n", "permission denied");
    }
}
