//! XFS statistics by file system, from /sys/fs/xfs.

use crate::declare;
use crate::host::root::Names;
use crate::kit::family::{Family, Tabled};
use crate::kit::page::PageOf;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::rows::{Row, Rows};

/// The xfs collector. Kernels before 4.4 have statistics only for the whole host, which are not exported.
#[derive(Default, Debug)]
pub struct Xfs {
    devices: Names,
}

declare! {
    Xfs: "xfs", on, "XFS statistics: extents, B-trees, directories, inodes, reads and writes.";
    labels {
        PerDevice { device }
    }
    reads {
        DEVICES: Directory Sys "fs/xfs";
        STATISTICS: File Sys "fs/xfs/*/stats/stats";
    }
    /// The exported columns by row, in file order within a row and in the order of [`ROWS`].
    table COLUMNS: &'static str => PerDevice {
        "extent_alloc" => Counter "node_xfs_extent_allocation_extents_allocated_total" "Extents allocated.";
        "extent_alloc" => Counter "node_xfs_extent_allocation_blocks_allocated_total" "Blocks allocated.";
        "extent_alloc" => Counter "node_xfs_extent_allocation_extents_freed_total" "Extents freed.";
        "extent_alloc" => Counter "node_xfs_extent_allocation_blocks_freed_total" "Blocks freed.";
        "abt" => Counter "node_xfs_allocation_btree_lookups_total" "Lookups in the free space B-trees.";
        "abt" => Counter "node_xfs_allocation_btree_compares_total" "Key comparisons in the free space B-trees.";
        "abt" => Counter "node_xfs_allocation_btree_records_inserted_total" "Records inserted into the free space B-trees.";
        "abt" => Counter "node_xfs_allocation_btree_records_deleted_total" "Records deleted from the free space B-trees.";
        "blk_map" => Counter "node_xfs_block_mapping_reads_total" "Block map lookups for reads.";
        "blk_map" => Counter "node_xfs_block_mapping_writes_total" "Block map lookups for writes.";
        "blk_map" => Counter "node_xfs_block_mapping_unmaps_total" "Block unmap operations.";
        "blk_map" => Counter "node_xfs_block_mapping_extent_list_insertions_total" "Insertions into extent lists of files.";
        "blk_map" => Counter "node_xfs_block_mapping_extent_list_deletions_total" "Deletions from extent lists of files.";
        "blk_map" => Counter "node_xfs_block_mapping_extent_list_lookups_total" "Lookups in extent lists of files.";
        "blk_map" => Counter "node_xfs_block_mapping_extent_list_compares_total" "Comparisons in extent lists of files.";
        "bmbt" => Counter "node_xfs_block_map_btree_lookups_total" "Lookups in the block map B-trees.";
        "bmbt" => Counter "node_xfs_block_map_btree_compares_total" "Key comparisons in the block map B-trees.";
        "bmbt" => Counter "node_xfs_block_map_btree_records_inserted_total" "Records inserted into the block map B-trees.";
        "bmbt" => Counter "node_xfs_block_map_btree_records_deleted_total" "Records deleted from the block map B-trees.";
        "dir" => Counter "node_xfs_directory_operation_lookup_total" "Lookups that missed the directory name cache.";
        "dir" => Counter "node_xfs_directory_operation_create_total" "Directory entries created.";
        "dir" => Counter "node_xfs_directory_operation_remove_total" "Directory entries removed.";
        "dir" => Counter "node_xfs_directory_operation_getdents_total" "Directory listings with getdents().";
        "ig" => Counter "node_xfs_inode_operation_attempts_total" "Lookups in the inode cache.";
        "ig" => Counter "node_xfs_inode_operation_found_total" "Lookups that hit the inode cache.";
        "ig" => Counter "node_xfs_inode_operation_recycled_total" "Inode cache hits on an inode being recycled.";
        "ig" => Counter "node_xfs_inode_operation_missed_total" "Lookups that missed the inode cache.";
        "ig" => Counter "node_xfs_inode_operation_duplicates_total" "Inodes added to the cache by a concurrent lookup.";
        "ig" => Counter "node_xfs_inode_operation_reclaims_total" "Inodes evicted from the cache to free memory.";
        "ig" => Counter "node_xfs_inode_operation_attribute_changes_total" "Inode attribute changes.";
        "rw" => Counter "node_xfs_write_calls_total" "write() calls.";
        "rw" => Counter "node_xfs_read_calls_total" "read() calls.";
        "vnodes" => Counter "node_xfs_vnode_active_total" "Vnodes not on a free list.";
        "vnodes" => Counter "node_xfs_vnode_allocate_total" "Calls of vn_alloc.";
        "vnodes" => Counter "node_xfs_vnode_get_total" "Calls of vn_get.";
        "vnodes" => Counter "node_xfs_vnode_hold_total" "Calls of vn_hold.";
        "vnodes" => Counter "node_xfs_vnode_release_total" "Calls of vn_rele.";
        "vnodes" => Counter "node_xfs_vnode_reclaim_total" "Calls of vn_reclaim.";
        "vnodes" => Counter "node_xfs_vnode_remove_total" "Calls of vn_remove.";
    }
}

/// The form of an exported row. Other rows of the file are not exported.
struct RowFormat {
    name: &'static str,
    /// Number of exported columns.
    columns: usize,
    /// Number of trailing columns that some kernels omit and that are not exported.
    optional: usize,
    expected: &'static str,
}

const ROWS: [RowFormat; 8] = [
    RowFormat { name: "extent_alloc", columns: 4, optional: 0, expected: "extent_alloc and 4 numbers" },
    RowFormat { name: "abt", columns: 4, optional: 0, expected: "abt and 4 numbers" },
    RowFormat { name: "blk_map", columns: 7, optional: 0, expected: "blk_map and 7 numbers" },
    RowFormat { name: "bmbt", columns: 4, optional: 0, expected: "bmbt and 4 numbers" },
    RowFormat { name: "dir", columns: 4, optional: 0, expected: "dir and 4 numbers" },
    RowFormat { name: "ig", columns: 7, optional: 0, expected: "ig and 7 numbers" },
    RowFormat { name: "rw", columns: 2, optional: 0, expected: "rw and 2 numbers" },
    RowFormat { name: "vnodes", columns: 7, optional: 1, expected: "vnodes and 7 or 8 numbers" },
];

/// Maximum number of exported columns.
const NUMBERS_MAX: usize = 7;

impl Collect for Xfs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        match cx.files.list(DEVICES, [], &mut self.devices) {
            Ok(()) => {}
            // The XFS module is not loaded.
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for device in self.devices.iter() {
            // Directories other than those of file systems do not have the file.
            let text = cx.files.read_if_present(STATISTICS, [device]).map_err(Failure::from);
            if let Some(Some(text)) = cx.problems.value(text) {
                emit(&mut cx.page, cx.problems, text, device);
            }
        }
        Ok(())
    }
}

fn emit(page: &mut PageOf<'_, Xfs>, problems: &mut Problems, text: Text<'_>, device: &[u8]) {
    let rows = Rows::of(text, ROWS.map(|known| known.name), problems, |line| {
        if is_row(line) { Ok(()) } else { Err(line.error("row", "a name and numbers", line.bytes)) }
    });
    let Some(rows) = problems.value(rows) else { return };
    for (at, values) in rows.each(read) {
        let (Some(values), Some(columns)) = (problems.value(values), columns_of(at)) else { continue };
        // A missing row is exported as zeros: the kernel does not count it.
        for (&(_, family), value) in columns.iter().zip(values.unwrap_or_default()) {
            page.tabled(family, PerDevice { device: &device }, value);
        }
    }
}

/// A column of a row and its family.
type Column = (&'static str, Family<Xfs, Tabled, PerDevice<'static>>);

/// The columns of the row at this index of [`ROWS`].
fn columns_of(at: usize) -> Option<&'static [Column]> {
    const ALL: &[Column] = &COLUMNS;
    let start = ROWS.iter().take(at).map(|row| row.columns).sum::<usize>();
    ALL.get(start..start + ROWS.get(at)?.columns)
}

fn read(at: usize, row: Row<'_>) -> Result<[u64; NUMBERS_MAX], ParseError<'_>> {
    let (values, count) = row.numbers()?;
    let is_known = |known: &RowFormat| (known.columns..=known.columns + known.optional).contains(&count);
    match ROWS.get(at) {
        Some(known) if !is_known(known) => Err(row.line.error("row", known.expected, row.line.bytes)),
        _ => Ok(values),
    }
}

/// Whether an unknown row has a valid form: one or two words, then numbers.
fn is_row(line: Line<'_>) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let is_word = |field: &[u8]| field.first().is_some_and(u8::is_ascii_lowercase) && field.iter().all(is_letter);
    let mut fields = line.fields().skip_while(|field| is_word(field)).peekable();
    line.fields().next().is_some_and(is_word)
        && fields.peek().is_some()
        && fields.all(|field| u64::from_text(field).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const ALL: &str = "extent_alloc 1 2 3 4\nabt 5 6 7 8\nblk_map 9 10 11 12 13 14 15\nbmbt 16 17 18 19\ndir 20 21 22 23\n\
        trans 1 2 3\nig 24 25 26 27 28 29 30\nrw 31 32\nvnodes 33 34 35 36 37 38 39 99\nxpc 1 2 3\ngc xpc 4\ndefer_relog 5\n";

    /// Checks the number of samples of `dm-0`, some `(name, value)` pairs, and the errors.
    #[track_caller]
    fn check(content: &str, count: usize, expected: &[(&str, u64)], complaints: &[&str]) {
        if content.is_empty() {
            let empty = given("== sys/fs/xfs/dm-0/stats/stats\n").scrape::<Xfs>();
            assert_eq!((empty.samples().as_str(), empty.complaints.len()), ("", complaints.len()));
            return;
        }
        let scraped = given(&format!("== sys/fs/xfs/dm-0/stats/stats\n{content}")).scrape::<Xfs>();
        let samples = scraped.samples();
        assert_eq!(samples.lines().count(), count, "{samples}");
        for (name, value) in expected {
            let line = format!("node_xfs_{name}_total{{device=\"dm-0\"}} {value}\n");
            assert!(samples.contains(&line), "{line} is not in {samples}");
        }
        assert_eq!(scraped.complaints.len(), complaints.len(), "{:?}", scraped.complaints);
        for (found, expected) in scraped.complaints.iter().zip(complaints) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn each_column_has_its_family() {
        let expected = [
            ("extent_allocation_extents_allocated", 1),
            ("extent_allocation_blocks_freed", 4),
            ("allocation_btree_lookups", 5),
            ("block_mapping_unmaps", 11),
            ("block_mapping_extent_list_compares", 15),
            ("block_map_btree_records_deleted", 19),
            ("directory_operation_getdents", 23),
            ("inode_operation_recycled", 26),
            ("inode_operation_missed", 27),
            ("inode_operation_attribute_changes", 30),
            ("write_calls", 31),
            ("read_calls", 32),
            ("vnode_active", 33),
            ("vnode_reclaim", 38),
            ("vnode_remove", 39),
        ];
        check(ALL, 39, &expected, &[]);
        check(&ALL.replace(" 39 99\n", " 39\n"), 39, &expected, &[]);
    }

    #[test]
    fn only_directories_of_file_systems_are_exported() {
        given(&format!(
            "== sys/fs/xfs/debug/assert_enabled\n1\n== sys/fs/xfs/sda1/stats/stats\n{ALL}== sys/fs/xfs/sdb1/error/fail_at_unmount\n1\n\
             == sys/fs/xfs/stats/stats\n{ALL}"
        ))
        .emits::<Xfs>(&given(&format!("== sys/fs/xfs/sda1/stats/stats\n{ALL}")).scrape::<Xfs>().samples());
        given("").emits::<Xfs>("");
        given("== sys/fs/xfs/ error=EIO\n").fails::<Xfs>("", "sys/fs/xfs: input/output error");
        given("== sys/fs/xfs/sda1/stats/stats error=EIO\n").fails::<Xfs>("", "stats/stats: input/output error");
    }

    #[test]
    fn missing_rows_are_zeros() {
        check("rw 31 32\n", 39, &[("write_calls", 31), ("vnode_active", 0)], &[]);
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        for bad in ["rw 31", "rw 31 32 33", "rw 31 x", "rw 31 -1", "rw 31 18446744073709551616", "rw"] {
            check(&ALL.replace("rw 31 32", bad), 37, &[("vnode_active", 33)], &["dm-0/stats/stats:8: "]);
        }
        check(&ALL.replace(" 39 99", " 39 99 1"), 32, &[], &["expected vnodes and 7 or 8 numbers"]);
        check(&ALL.replace(" 38 39 99", " 38"), 32, &[], &["expected vnodes and 7 or 8 numbers"]);
    }

    #[test]
    fn missing_rows_are_not_zeros_if_a_row_is_bad() {
        check(&ALL.replace("rw 31 32", "r\u{fffd} 31 32"), 37, &[], &["expected a name and numbers"]);
        check("", 0, &[], &["at least one line"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_round_trip(values: [u32; 7]) {
            let rendered = values.map(|value| value.to_string()).join(" ");
            let content = format!("blk_map {rendered}\n");
            let text = Text::new(crate::host::root::Mount::Sys, b"x", content.as_bytes());
            let rows = Rows::of(text, ["blk_map"], &mut Problems::default(), |_| Ok(())).expect("rows");
            let found: Vec<_> = rows.each(|_, row| read(2, row)).filter_map(|(_, row)| row.ok().flatten()).collect();
            prop_assert_eq!(found, [values.map(u64::from)]);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let text = Text::new(crate::host::root::Mount::Sys, b"x", &bytes);
            for line in text.lines() {
                let _ = is_row(line);
            }
            let rows = Rows::of(text, ROWS.map(|known| known.name), &mut Problems::default(), |_| Ok(()));
            let _ = rows.map(|rows| rows.each(read).count());
        }
    }
}
