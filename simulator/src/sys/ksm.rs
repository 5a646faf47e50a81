//! /sys/kernel/mm/ksm: deduplication of equal pages, which is disabled

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{KernelVersion, Machine};
use crate::text::put_line;

macro_rules! fixed {
    ($name:literal, $value:literal) => {
        ($name, Content::File(|_, _, into| put_line!(into, $value)))
    };
}

pub(super) const GROUPS: Table = &[
    &Group::of_host(
        "kernel/mm/ksm",
        &[
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
    ),
    &Group::<Machine> {
        under: "kernel/mm/ksm",
        parts: |machine| each_with([machine], |machine| machine.kernel() >= KernelVersion::new(6, 4)),
        path: |_, _| "".into(),
        entries: &[fixed!("general_profit", "0"), fixed!("ksm_zero_pages", "0"), fixed!("pages_scanned", "0")],
    },
];
