//! ZFS statistics, from /proc/spl/kstat/zfs.

mod kstat;
mod pool;

use crate::declare;
use crate::host::root::{Kind, Names};
use crate::kit::attribute;
use crate::kit::family::{Prefix, Untyped};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};
use kstat::KstatValue;

/// The zfs collector.
#[derive(Default, Debug)]
pub struct Zfs {
    entries: Names,
    files: Names,
}

declare! {
    Zfs: "zfs", on, "ZFS statistics: caches, transactions, pools and datasets.";
    labels {
        PerDataset { dataset, zpool }
        PerPool { zpool }
        PerState { state, zpool }
    }
    reads {
        FOLDER: Directory Proc "spl/kstat/zfs";
        ABD: File Proc "spl/kstat/zfs/abdstats";
        ARC: File Proc "spl/kstat/zfs/arcstats";
        DBUF: File Proc "spl/kstat/zfs/dbufstats";
        DMU_TX: File Proc "spl/kstat/zfs/dmu_tx";
        DNODE: File Proc "spl/kstat/zfs/dnodestats";
        FM: File Proc "spl/kstat/zfs/fm";
        VDEV_CACHE: File Proc "spl/kstat/zfs/vdev_cache_stats";
        VDEV_MIRROR: File Proc "spl/kstat/zfs/vdev_mirror_stats";
        XUIO: File Proc "spl/kstat/zfs/xuio_stats";
        ZFETCH: File Proc "spl/kstat/zfs/zfetchstats";
        ZIL: File Proc "spl/kstat/zfs/zil";
        POOL: Directory Proc "spl/kstat/zfs/*";
        POOL_IO: File Proc "spl/kstat/zfs/*/io";
        OBJECTS: File Proc "spl/kstat/zfs/*/objset-*";
        POOL_STATE: File Proc "spl/kstat/zfs/*/state";
    }
    families {
        STATE: Gauge "node_zfs_zpool_state" PerState "State of a pool: 1 for the current one, otherwise 0.";
    }
    prefixes {
        ABD_FIELDS: Untyped "node_zfs_abd_" () "Field {} of the ZFS statistics abdstats (ARC buffer data).";
        ARC_FIELDS: Untyped "node_zfs_arc_" () "Field {} of the ZFS statistics arcstats (adaptive replacement cache).";
        DBUF_FIELDS: Untyped "node_zfs_dbuf_" () "Field {} of the ZFS statistics dbufstats (dbuf cache).";
        DMU_TX_FIELDS: Untyped "node_zfs_dmu_tx_" () "Field {} of the ZFS statistics dmu_tx (transactions).";
        DNODE_FIELDS: Untyped "node_zfs_dnode_" () "Field {} of the ZFS statistics dnodestats (dnodes).";
        FM_FIELDS: Untyped "node_zfs_fm_" () "Field {} of the ZFS statistics fm (fault management events).";
        VDEV_CACHE_FIELDS: Untyped "node_zfs_vdev_cache_" () "Field {} of the ZFS statistics vdev_cache_stats (device cache).";
        VDEV_MIRROR_FIELDS: Untyped "node_zfs_vdev_mirror_" () "Field {} of the ZFS statistics vdev_mirror_stats (reads of mirrors).";
        XUIO_FIELDS: Untyped "node_zfs_xuio_" () "Field {} of the ZFS statistics xuio_stats (zero-copy buffers).";
        ZFETCH_FIELDS: Untyped "node_zfs_zfetch_" () "Field {} of the ZFS statistics zfetchstats (prefetching).";
        ZIL_FIELDS: Untyped "node_zfs_zil_" () "Field {} of the ZFS statistics zil (intent log).";
        POOL_FIELDS: Untyped "node_zfs_zpool_" PerPool "Column {} of a pool's I/O statistics.";
        DATASET_FIELDS: Untyped "node_zfs_zpool_dataset_" PerDataset "Field {} of a dataset's statistics.";
    }
}

/// A file and the prefix of its families.
type StatisticsFile = (Read<Zfs, File, 0>, Prefix<Zfs, Untyped, ()>);

/// The files with statistics of all pools.
const FILES: [StatisticsFile; 11] = [
    (ABD, ABD_FIELDS),
    (ARC, ARC_FIELDS),
    (DBUF, DBUF_FIELDS),
    (DMU_TX, DMU_TX_FIELDS),
    (DNODE, DNODE_FIELDS),
    (FM, FM_FIELDS),
    (VDEV_CACHE, VDEV_CACHE_FIELDS),
    (VDEV_MIRROR, VDEV_MIRROR_FIELDS),
    (XUIO, XUIO_FIELDS),
    (ZFETCH, ZFETCH_FIELDS),
    (ZIL, ZIL_FIELDS),
];

impl Collect for Zfs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { entries, files } = self;
        cx.files.list(FOLDER, [], entries).map_err(|error| error.or_no_data(attribute::is_hidden))?;
        for (file, prefix) in FILES {
            let emitted = emit_file(cx, file, prefix);
            cx.problems.value(emitted);
        }
        for (pool, _) in entries.iter_kinds().filter(|(_, kind)| *kind == Kind::Directory) {
            let emitted = emit_pool(cx, pool, files);
            cx.problems.value(emitted);
        }
        Ok(())
    }
}

/// Emits a file. Versions of ZFS have different files, so a missing one is not an error.
fn emit_file(cx: &mut Cx<'_, Zfs>, file: Read<Zfs, File, 0>, prefix: Prefix<Zfs, Untyped, ()>) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(file, [])? else { return Ok(()) };
    for line in kstat::rows(text)? {
        let Some(Some((name, value))) = cx.problems.value(kstat::parse(line)) else { continue };
        let name = [kstat::family_part(name)];
        match value {
            KstatValue::Unsigned(value) => cx.page.named(prefix, &name, (), value),
            KstatValue::Signed(value) => cx.page.named(prefix, &name, (), value),
            KstatValue::Text(_) => true,
        };
    }
    Ok(())
}

/// Emits a pool. It may be exported during the scrape, so missing files are not errors.
fn emit_pool(cx: &mut Cx<'_, Zfs>, pool: &[u8], files: &mut Names) -> Result<(), Failure> {
    let emitted = pool::emit_io(cx, pool);
    cx.problems.value(emitted);
    let emitted = pool::emit_state(cx, pool);
    cx.problems.value(emitted);
    match cx.files.list(POOL, [pool], files) {
        Ok(()) => {}
        Err(error) if error.is_missing() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    for number in files.iter().filter_map(|file| file.strip_prefix(b"objset-")) {
        let emitted = pool::emit_objects(cx, pool, number);
        cx.problems.value(emitted);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const HOST: &str = "== proc/spl/kstat/zfs/arcstats\n6 1 0x01 3 144 1 2\nname                            type data\n\
        hits                            4    12\nmemory_available_bytes          3    -4096\nother                           1    9\n\
        == proc/spl/kstat/zfs/vault/io\n12 3 0x00 1 80 1 2\n\
        nread nwritten reads writes wtime wlentime wupdate rtime rlentime rupdate wcnt rcnt\n\
        18 32 2 3 7 8 9 10 11 12 13 14\n\
        == proc/spl/kstat/zfs/vault/objset-0x36\n23 1 0x01 3 144 1 2\nname                            type data\n\
        dataset_name                    7    vault/a  b\nnread                           4    28\nwrites                          4    5\n\
        == proc/spl/kstat/zfs/vault/state\nONLINE\n";
    const ARC_LINES: &str = "node_zfs_arc_hits 12\nnode_zfs_arc_memory_available_bytes -4096\n";
    const DATASET_LINES: [&str; 2] = [
        "node_zfs_zpool_dataset_nread{dataset=\"vault/a  b\",zpool=\"vault\"} 28\n",
        "node_zfs_zpool_dataset_writes{dataset=\"vault/a  b\",zpool=\"vault\"} 5\n",
    ];

    fn io() -> String {
        let names = ["nread 18", "nwritten 32", "rcnt 14", "reads 2", "rlentime 11", "rtime 10", "rupdate 12"];
        names.iter().map(column).collect()
    }

    fn more_io() -> String {
        ["wcnt 13", "wlentime 8", "writes 3", "wtime 7", "wupdate 9"].iter().map(column).collect()
    }

    fn column(column: &&str) -> String {
        let (name, value) = column.split_once(' ').expect("a name and a value");
        format!("node_zfs_zpool_{name}{{zpool=\"vault\"}} {value}\n")
    }

    fn states(current: &str) -> String {
        let states = ["degraded", "faulted", "offline", "online", "removed", "suspended", "unavail"];
        let line = |state: &&str| {
            format!("node_zfs_zpool_state{{state=\"{state}\",zpool=\"vault\"}} {}\n", u8::from(*state == current))
        };
        states.iter().map(line).collect()
    }

    fn page(arc: &str, datasets: &str, first_io: &str, states: &str, last_io: &str) -> String {
        [arc, datasets, first_io, states, last_io].concat()
    }

    #[test]
    fn files_pools_and_datasets_are_exported() {
        given(HOST).emits::<Zfs>(&page(ARC_LINES, &DATASET_LINES.concat(), &io(), &states("online"), &more_io()));
    }

    #[test]
    fn unknown_pool_states_are_all_zero() {
        let datasets = DATASET_LINES.concat();
        for (word, state) in [("DEGRADED", "degraded"), ("SUSPENDED", "suspended"), ("UNAVAIL", "unavail")] {
            given(&HOST.replace("ONLINE", word)).emits::<Zfs>(&page(
                ARC_LINES,
                &datasets,
                &io(),
                &states(state),
                &more_io(),
            ));
        }
        let scraped = given(&HOST.replace("ONLINE", "RESTING")).scrape::<Zfs>();
        assert_eq!(scraped.samples(), page(ARC_LINES, &datasets, &io(), &states(""), &more_io()));
    }

    #[test]
    fn a_host_without_the_module_has_no_data() {
        given("").fails::<Zfs>("", "proc/spl/kstat/zfs: no such file");
        given("== proc/spl/kstat/zfs/ error=EACCES\n").fails::<Zfs>("", "permission denied");
        given("== proc/spl/kstat/zfs/ error=EIO\n").fails::<Zfs>("", "input/output error");
        given("== proc/spl/kstat/zfs/\n== proc/spl/kstat/zfs/vault/\n").emits::<Zfs>("");
    }

    #[test]
    fn a_pool_may_be_named_like_a_column() {
        let host = "== proc/spl/kstat/zfs/data/objset-0x36\n23 1 0x01 2 96 1 2\nname type data\n\
            dataset_name                    7    data\nnread                           4    28\n";
        given(host).emits::<Zfs>("node_zfs_zpool_dataset_nread{dataset=\"data\",zpool=\"data\"} 28\n");
    }

    #[test]
    fn bad_files_cost_only_their_own_samples() {
        let datasets = DATASET_LINES.concat();
        let (io, states, more_io) = (io(), states("online"), more_io());
        let arc = page("node_zfs_arc_memory_available_bytes -4096\n", &datasets, &io, &states, &more_io);
        given(&HOST.replace("4    12\n", "4    -12\n"))
            .fails::<Zfs>(&arc, "arcstats:3: hits: expected an unsigned integer");
        let without_arc = page("", &datasets, &io, &states, &more_io);
        given(&HOST.replace("arcstats\n", "arcstats error=EIO\n").replace("6 1 0x01 3 144 1 2\nname                            type data\nhits                            4    12\nmemory_available_bytes          3    -4096\nother                           1    9\n", ""))
            .fails::<Zfs>(&without_arc, "arcstats: input/output error");
        let without_first = page(ARC_LINES, DATASET_LINES[1], &io, &states, &more_io);
        given(&HOST.replace("4    28\n", "4    x\n")).fails::<Zfs>(&without_first, "objset-0x36:4: nread");
        let without_datasets = page(ARC_LINES, "", &io, &states, &more_io);
        given(&HOST.replace("dataset_name                    7", "name  7"))
            .fails::<Zfs>(&without_datasets, "objset-0x36:4: dataset_name: expected a row of that name");
        let without_writes = page(ARC_LINES, &datasets, &io, &states, &more_io.replace(&column(&"writes 3"), ""));
        given(&HOST.replace("18 32 2 3 7", "18 32 2 -3 7")).fails::<Zfs>(&without_writes, "vault/io:3: writes");
        let without_io = page(ARC_LINES, &datasets, "", &states, "");
        given(&HOST.replace("\nnread nwritten", "\nread nwritten")).fails::<Zfs>(&without_io, "vault/io: header");
        given(&HOST.replace("18 32 2 3 7 8 9 10 11 12 13 14\n", "")).fails::<Zfs>(&without_io, "vault/io:2: next line");
        let without_state = page(ARC_LINES, &datasets, &io, "", &more_io);
        given(&HOST.replace("ONLINE\n", "")).fails::<Zfs>(&without_state, "vault/state: the file");
    }
}
