//! /sys/kernel/mm/ksm: pages that are the same and could be one. Nobody has switched it on.

use crate::layout::{Group, What, once};
use crate::machine::KernelVersion;
use crate::moment::Moment;
use crate::text::put_line;

macro_rules! fixed {
    ($name:literal, $value:literal) => {
        ($name, What::File(|_, _, into| put_line!(into, $value)))
    };
}

pub(super) static GROUPS: [Group; 2] = [
    Group {
        under: "kernel/mm/ksm",
        each: once,
        entries: &[
            fixed!("full_scans", "0"),
            fixed!("max_page_sharing", "256"),
            fixed!("merge_across_nodes", "1"),
            fixed!("pages_shared", "0"),
            fixed!("pages_sharing", "0"),
            fixed!("pages_to_scan", "100"),
            fixed!("pages_unshared", "0"),
            fixed!("pages_volatile", "0"),
            fixed!("run", "0"),
            fixed!("sleep_millisecs", "20"),
            fixed!("stable_node_chains", "0"),
            fixed!("stable_node_dups", "0"),
            fixed!("use_zero_pages", "0"),
        ],
    },
    Group {
        under: "kernel/mm/ksm",
        each: since_6_4,
        entries: &[fixed!("general_profit", "0"), fixed!("ksm_zero_pages", "0"), fixed!("pages_scanned", "0")],
    },
];

fn since_6_4(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if moment.kernel() >= KernelVersion::new(6, 4) {
        visit(0, b"");
    }
}
