//! /proc/spl/kstat/zfs: statistics of ZFS as a whole, of each pool and of each data set

mod rows;

use rows::{ABD, ARC, DBUF, DMU_TX, DNODE, FM, KstatRow, VDEV_CACHE, VDEV_MIRROR, Value, XUIO, ZFETCH, ZIL};

use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{DataSet, Zfs, ZfsVersion, Zpool};
use crate::moment::Moment;
use crate::text::{put, put_line};

/// A table with its number among the kernel's statistics.
macro_rules! table {
    ($number:literal, $rows:ident) => {
        Content::File(|zfs, moment, into| table(zfs, moment, $number, $rows, into))
    };
}

pub(super) const GROUPS: Table = &[
    &Group::<Zfs> {
        under: "spl/kstat/zfs",
        parts: |machine| each(&machine.storage.zfs),
        path: |_, _| "".into(),
        entries: &[
            ("abdstats", table!(3, ABD)),
            ("arcstats", table!(4, ARC)),
            ("dbufstats", table!(5, DBUF)),
            ("dmu_tx", table!(6, DMU_TX)),
            ("dnodestats", table!(7, DNODE)),
            ("fm", table!(8, FM)),
            ("vdev_mirror_stats", table!(9, VDEV_MIRROR)),
            ("zfetchstats", table!(10, ZFETCH)),
            ("zil", table!(11, ZIL)),
        ],
    },
    &Group::<Zfs> {
        under: "spl/kstat/zfs",
        parts: |machine| each_with(&machine.storage.zfs, |zfs| zfs.version == ZfsVersion::V0_8),
        path: |_, _| "".into(),
        entries: &[("xuio_stats", table!(12, XUIO))],
    },
    &Group::<Zfs> {
        under: "spl/kstat/zfs",
        parts: |machine| each_with(&machine.storage.zfs, |zfs| zfs.version <= ZfsVersion::V2_1),
        path: |_, _| "".into(),
        entries: &[("vdev_cache_stats", table!(13, VDEV_CACHE))],
    },
    &Group::<Pool<'static>> {
        under: "spl/kstat/zfs",
        parts: |machine| Box::new(machine.storage.zfs.iter().flat_map(Pool::of)),
        path: |pool, _| pool.pool.name.as_str().into(),
        entries: &[("state", Content::File(|_, _, into| put_line!(into, "ONLINE")))],
    },
    &Group::<Pool<'static>> {
        under: "spl/kstat/zfs",
        parts: |machine| {
            let zfs = machine.storage.zfs.iter().filter(|zfs| zfs.version == ZfsVersion::V0_8);
            Box::new(zfs.flat_map(Pool::of))
        },
        path: |pool, _| pool.pool.name.as_str().into(),
        entries: &[("io", Content::File(input_and_output))],
    },
    &Group::<Pool<'static>> {
        under: "spl/kstat/zfs",
        parts: |machine| {
            let zfs = machine.storage.zfs.iter().filter(|zfs| zfs.version > ZfsVersion::V0_8);
            Box::new(zfs.flat_map(Pool::of))
        },
        path: |pool, _| pool.pool.name.as_str().into(),
        entries: &[("guid", Content::File(|pool, _, into| put_line!(into, "{}", pool.pool.guid)))],
    },
    &Group::<ObjectSet<'static>> {
        under: "spl/kstat/zfs",
        parts: |machine| Box::new(machine.storage.zfs.iter().flat_map(Pool::of).flat_map(ObjectSet::of)),
        path: |objects, _| format!("{}/objset-{:#x}", objects.pool.name, objects.set.number).into(),
        entries: &[("", Content::File(objects))],
    },
];

/// A pool with its number among all pools.
#[derive(Clone, Copy)]
struct Pool<'a> {
    pool: &'a Zpool,
    number: usize,
}

impl Part for Pool<'static> {
    type Of<'a> = Pool<'a>;
}

impl<'a> Pool<'a> {
    fn of(zfs: &'a Zfs) -> impl Iterator<Item = Self> {
        zfs.pools.iter().enumerate().map(|(number, pool)| Self { pool, number })
    }
}

/// A data set with its number among those of its pool.
#[derive(Clone, Copy)]
struct ObjectSet<'a> {
    pool: &'a Zpool,
    set: &'a DataSet,
    number: usize,
}

impl Part for ObjectSet<'static> {
    type Of<'a> = ObjectSet<'a>;
}

impl<'a> ObjectSet<'a> {
    fn of(Pool { pool, .. }: Pool<'a>) -> impl Iterator<Item = Self> {
        pool.data_sets.iter().enumerate().map(move |(number, set)| Self { pool, set, number })
    }
}

/// The line above the rows: number and kind of the table, and when it was created and read.
fn head(moment: &Moment<'_>, (number, kind): (usize, u8), rows: usize, into: &mut Vec<u8>) {
    const MADE_NANOS: u64 = 11_204_331_850;
    let now = moment.uptime_micros().saturating_mul(1_000).saturating_add(MADE_NANOS);
    put_line!(into, "{number} {kind} 0x01 {rows} {} {MADE_NANOS} {now}", rows * 48);
}

fn titles(into: &mut Vec<u8>) {
    put_line!(into, "{:<31} {:<4} data", "name", "type");
}

fn table(zfs: &Zfs, moment: &Moment<'_>, number: usize, rows: &[KstatRow], into: &mut Vec<u8>) {
    let known = || rows.iter().filter(|row| row.versions.contains(&zfs.version));
    head(moment, (number, 1), known().count(), into);
    titles(into);
    for row in known() {
        let (kind, value) = value(moment, zfs, row);
        put_line!(into, "{:<31} {kind:<4} {value}", row.name);
    }
}

/// The type and value of a row: type 3 is signed, type 4 unsigned.
fn value(moment: &Moment<'_>, zfs: &Zfs, row: &KstatRow) -> (u8, u64) {
    let count = |milli: u64| moment.zfs_count(zfs, milli);
    match row.value {
        Value::Count(milli) => (4, count(milli)),
        Value::Sum(parts) => (4, parts.iter().map(|&milli| count(milli)).sum()),
        Value::Held(permille) => (4, moment.zfs_cache_bytes(zfs) / 1_000 * permille),
        Value::Limit(permille) => (4, zfs.cache_bytes / 1_000 * permille),
        Value::Is(value) => (4, value),
        Value::Free => (3, (moment.memory().free * moment.page_kilobytes()).saturating_sub(1_024) * 1_024),
        Value::Memory => (4, moment.machine.memory.pages * moment.page_kilobytes() * 1_024),
    }
}

fn input_and_output(Pool { pool, number }: Pool<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let counts = moment.pool_counts(pool);
    let sum = counts.sum;
    let now = moment.uptime_micros().saturating_mul(1_000);
    put_line!(into, "{} 3 0x00 1 80 11204331850 {now}", 20 + number);
    let names = [
        "nread", "nwritten", "reads", "writes", "wtime", "wlentime", "wupdate", "rtime", "rlentime", "rupdate", "wcnt",
        "rcnt",
    ];
    let values = [
        sum.read_bytes,
        sum.written_bytes,
        sum.reads,
        sum.writes,
        counts.wait_nanos,
        counts.wait_nanos * 3,
        now,
        counts.run_nanos,
        counts.run_nanos * 2,
        now,
        0,
        0,
    ];
    for name in names {
        put!(into, "{name:<8} ");
    }
    put_line!(into, "");
    for value in values {
        put!(into, "{value:<8} ");
    }
    put_line!(into, "");
}

fn objects(ObjectSet { pool, set, number }: ObjectSet<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let counts = moment.data_set_counts(pool, set);
    head(moment, (40 + number, 1), 7, into);
    titles(into);
    put_line!(into, "{:<31} 7    {}", "dataset_name", set.name);
    for (name, value) in [
        ("writes", counts.writes),
        ("nwritten", counts.written_bytes),
        ("reads", counts.reads),
        ("nread", counts.read_bytes),
        ("nunlinks", counts.unlinks),
        ("nunlinked", counts.unlinked),
    ] {
        put_line!(into, "{name:<31} 4    {value}");
    }
}
