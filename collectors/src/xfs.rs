//! What each mounted XFS did, from /sys/fs/xfs.

use crate::declare;
use crate::host::root::Names;
use crate::kit::family::{Counter, Family};
use crate::kit::page::PageOf;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::rows::{Row, Rows};

/// Operations of each XFS file system. Kernels before 4.4 count them for the whole host, which does not show.
#[derive(Default, Debug)]
pub struct Xfs {
    devices: Names,
}

declare! {
    Xfs: "xfs", on, "What each mounted XFS file system did: extents, B-trees, directories, inodes, reads and writes.";
    reads {
        DEVICES: Directory Sys "fs/xfs";
        STATISTICS: File Sys "fs/xfs/*/stats/stats";
    }
    families {
        EXTENTS_ALLOCATED: Counter "node_xfs_extent_allocation_extents_allocated_total" ["device"] "Extents that the file system allocated.";
        BLOCKS_ALLOCATED: Counter "node_xfs_extent_allocation_blocks_allocated_total" ["device"] "Blocks in the extents that the file system allocated.";
        EXTENTS_FREED: Counter "node_xfs_extent_allocation_extents_freed_total" ["device"] "Extents that the file system gave back.";
        BLOCKS_FREED: Counter "node_xfs_extent_allocation_blocks_freed_total" ["device"] "Blocks in the extents that the file system gave back.";
        TREE_LOOKUPS: Counter "node_xfs_allocation_btree_lookups_total" ["device"] "Searches of the B-trees of free space.";
        TREE_COMPARES: Counter "node_xfs_allocation_btree_compares_total" ["device"] "Keys that were compared in the B-trees of free space.";
        TREE_INSERTED: Counter "node_xfs_allocation_btree_records_inserted_total" ["device"] "Records that were put into the B-trees of free space.";
        TREE_DELETED: Counter "node_xfs_allocation_btree_records_deleted_total" ["device"] "Records that were taken from the B-trees of free space.";
        MAP_READS: Counter "node_xfs_block_mapping_reads_total" ["device"] "Times that a file's blocks were looked up to be read.";
        MAP_WRITES: Counter "node_xfs_block_mapping_writes_total" ["device"] "Times that a file's blocks were looked up to be written.";
        MAP_UNMAPS: Counter "node_xfs_block_mapping_unmaps_total" ["device"] "Times that blocks were taken from a file.";
        LIST_INSERTIONS: Counter "node_xfs_block_mapping_extent_list_insertions_total" ["device"] "Extents that were put into the lists of files.";
        LIST_DELETIONS: Counter "node_xfs_block_mapping_extent_list_deletions_total" ["device"] "Extents that were taken from the lists of files.";
        LIST_LOOKUPS: Counter "node_xfs_block_mapping_extent_list_lookups_total" ["device"] "Searches of the lists of extents of files.";
        LIST_COMPARES: Counter "node_xfs_block_mapping_extent_list_compares_total" ["device"] "Extents that were compared in the lists of files.";
        MAP_TREE_LOOKUPS: Counter "node_xfs_block_map_btree_lookups_total" ["device"] "Searches of the B-trees of files' blocks.";
        MAP_TREE_COMPARES: Counter "node_xfs_block_map_btree_compares_total" ["device"] "Keys that were compared in the B-trees of files' blocks.";
        MAP_TREE_INSERTED: Counter "node_xfs_block_map_btree_records_inserted_total" ["device"] "Records that were put into the B-trees of files' blocks.";
        MAP_TREE_DELETED: Counter "node_xfs_block_map_btree_records_deleted_total" ["device"] "Records that were taken from the B-trees of files' blocks.";
        DIRECTORY_LOOKUPS: Counter "node_xfs_directory_operation_lookup_total" ["device"] "Names that were looked up in directories, for the cache of names did not have them.";
        DIRECTORY_CREATES: Counter "node_xfs_directory_operation_create_total" ["device"] "Entries that were made in directories.";
        DIRECTORY_REMOVES: Counter "node_xfs_directory_operation_remove_total" ["device"] "Entries that were removed from directories.";
        DIRECTORY_LISTS: Counter "node_xfs_directory_operation_getdents_total" ["device"] "Times that a directory was listed.";
        INODE_ATTEMPTS: Counter "node_xfs_inode_operation_attempts_total" ["device"] "Inodes that were looked for in the cache of inodes.";
        INODE_FOUND: Counter "node_xfs_inode_operation_found_total" ["device"] "Inodes that were found in the cache of inodes.";
        INODE_RECYCLED: Counter "node_xfs_inode_operation_recycled_total" ["device"] "Inodes that were found in the cache while they were being recycled.";
        INODE_MISSED: Counter "node_xfs_inode_operation_missed_total" ["device"] "Inodes that were not in the cache of inodes.";
        INODE_DUPLICATES: Counter "node_xfs_inode_operation_duplicates_total" ["device"] "Inodes that somebody else had put into the cache in the meantime.";
        INODE_RECLAIMS: Counter "node_xfs_inode_operation_reclaims_total" ["device"] "Inodes that were dropped from the cache to free memory.";
        INODE_CHANGES: Counter "node_xfs_inode_operation_attribute_changes_total" ["device"] "Times that the attributes of an inode were changed.";
        READS: Counter "node_xfs_read_calls_total" ["device"] "Calls of read(2) on files of the file system.";
        WRITES: Counter "node_xfs_write_calls_total" ["device"] "Calls of write(2) on files of the file system.";
        VNODE_ACTIVE: Counter "node_xfs_vnode_active_total" ["device"] "Vnodes that are on no free list.";
        VNODE_ALLOCATE: Counter "node_xfs_vnode_allocate_total" ["device"] "Times that vn_alloc was called.";
        VNODE_GET: Counter "node_xfs_vnode_get_total" ["device"] "Times that vn_get was called.";
        VNODE_HOLD: Counter "node_xfs_vnode_hold_total" ["device"] "Times that vn_hold was called.";
        VNODE_RELEASE: Counter "node_xfs_vnode_release_total" ["device"] "Times that vn_rele was called.";
        VNODE_RECLAIM: Counter "node_xfs_vnode_reclaim_total" ["device"] "Times that vn_reclaim was called.";
        VNODE_REMOVE: Counter "node_xfs_vnode_remove_total" ["device"] "Times that vn_remove was called.";
    }
}

/// A row of the file and the families of its numbers, in their order. The file has more rows than these.
struct Known {
    name: &'static str,
    families: &'static [Family<Xfs, Counter, crate::kit::family::Unnamed<1>>],
    /// Numbers at the end of the row that nobody shows and that some kernels do not write.
    spare: usize,
    expected: &'static str,
}

const ROWS: [Known; 8] = [
    Known {
        name: "extent_alloc",
        families: &[EXTENTS_ALLOCATED, BLOCKS_ALLOCATED, EXTENTS_FREED, BLOCKS_FREED],
        spare: 0,
        expected: "extent_alloc and 4 numbers",
    },
    Known {
        name: "abt",
        families: &[TREE_LOOKUPS, TREE_COMPARES, TREE_INSERTED, TREE_DELETED],
        spare: 0,
        expected: "abt and 4 numbers",
    },
    Known {
        name: "blk_map",
        families: &[MAP_READS, MAP_WRITES, MAP_UNMAPS, LIST_INSERTIONS, LIST_DELETIONS, LIST_LOOKUPS, LIST_COMPARES],
        spare: 0,
        expected: "blk_map and 7 numbers",
    },
    Known {
        name: "bmbt",
        families: &[MAP_TREE_LOOKUPS, MAP_TREE_COMPARES, MAP_TREE_INSERTED, MAP_TREE_DELETED],
        spare: 0,
        expected: "bmbt and 4 numbers",
    },
    Known {
        name: "dir",
        families: &[DIRECTORY_LOOKUPS, DIRECTORY_CREATES, DIRECTORY_REMOVES, DIRECTORY_LISTS],
        spare: 0,
        expected: "dir and 4 numbers",
    },
    Known {
        name: "ig",
        families: &[
            INODE_ATTEMPTS,
            INODE_FOUND,
            INODE_RECYCLED,
            INODE_MISSED,
            INODE_DUPLICATES,
            INODE_RECLAIMS,
            INODE_CHANGES,
        ],
        spare: 0,
        expected: "ig and 7 numbers",
    },
    Known { name: "rw", families: &[WRITES, READS], spare: 0, expected: "rw and 2 numbers" },
    Known {
        name: "vnodes",
        families: &[VNODE_ACTIVE, VNODE_ALLOCATE, VNODE_GET, VNODE_HOLD, VNODE_RELEASE, VNODE_RECLAIM, VNODE_REMOVE],
        spare: 1,
        expected: "vnodes and 7 or 8 numbers",
    },
];

/// The longest row that is looked at has so many numbers.
const NUMBERS_MAX: usize = 7;

impl Collect for Xfs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        match cx.files.list(DEVICES, [], &mut self.devices) {
            Ok(()) => {}
            // XFS is not loaded.
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for device in self.devices.iter() {
            // What is no file system's folder has no such file.
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
        if is_row(line) { Ok(()) } else { Err(line.error("the row", "a name and numbers", line.bytes)) }
    });
    let Some(rows) = problems.value(rows) else { return };
    for (at, values) in rows.each(read) {
        let (Some(values), Some(known)) = (problems.value(values), ROWS.get(at)) else { continue };
        // A kernel that does not write a row has nothing to count there.
        for (&family, value) in known.families.iter().zip(values.unwrap_or_default()) {
            page.counter(family, [&device], value);
        }
    }
}

fn read(at: usize, row: Row<'_>) -> Result<[u64; NUMBERS_MAX], ParseError<'_>> {
    let (values, count) = row.numbers()?;
    let is_known = |known: &Known| (known.families.len()..=known.families.len() + known.spare).contains(&count);
    match ROWS.get(at) {
        Some(known) if !is_known(known) => Err(row.line.error("the row", known.expected, row.line.bytes)),
        _ => Ok(values),
    }
}

/// Whether a row of any other name is one that a kernel may write: one or two words and numbers.
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

    /// What is emitted for `dm-0`, by its value; `(name, value)` of those that are asked for.
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
    fn each_number_has_its_family() {
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
    fn every_file_system_shows_and_the_hosts_own_folder_does_not() {
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
    fn a_row_that_is_not_there_counts_nothing() {
        check("rw 31 32\n", 39, &[("write_calls", 31), ("vnode_active", 0)], &[]);
    }

    #[test]
    fn a_bad_row_costs_itself_alone() {
        for bad in ["rw 31", "rw 31 32 33", "rw 31 x", "rw 31 -1", "rw 31 18446744073709551616", "rw"] {
            check(&ALL.replace("rw 31 32", bad), 37, &[("vnode_active", 33)], &["dm-0/stats/stats:8: "]);
        }
        check(&ALL.replace(" 39 99", " 39 99 1"), 32, &[], &["expected vnodes and 7 or 8 numbers"]);
        check(&ALL.replace(" 38 39 99", " 38"), 32, &[], &["expected vnodes and 7 or 8 numbers"]);
    }

    #[test]
    fn a_row_that_is_lost_is_no_zero() {
        check(&ALL.replace("rw 31 32", "r\u{fffd} 31 32"), 37, &[], &["expected a name and numbers"]);
        check("", 0, &[], &["at least one line"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_come_back(values: [u32; 7]) {
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
