//! /proc/spl/kstat/zfs: what ZFS counts, as a whole, of each pool and of each data set

mod rows;

use rows::{FILES, Row, Value};

use crate::layout::{Group, What, once};
use crate::machine::{Zfs, ZfsVersion, Zpool};
use crate::moment::Moment;
use crate::text::put_line;

/// A file for each of the tables, in their order.
macro_rules! file {
    ($at:literal) => {
        What::File(|moment, _, into| table(moment, $at, into))
    };
}

pub(super) static GROUPS: [Group; 7] = [
    Group {
        under: "spl/kstat/zfs",
        each: |moment, visit| since(moment, ZfsVersion::V0_8, visit),
        entries: &[
            ("abdstats", file!(0)),
            ("arcstats", file!(1)),
            ("dbufstats", file!(2)),
            ("dmu_tx", file!(3)),
            ("dnodestats", file!(4)),
            ("fm", file!(5)),
            ("vdev_mirror_stats", file!(6)),
            ("zfetchstats", file!(7)),
            ("zil", file!(8)),
        ],
    },
    // What is lent to others is counted up to 0.8, what devices cache up to 2.1.
    Group {
        under: "spl/kstat/zfs",
        each: |moment, visit| until(moment, ZfsVersion::V0_8, visit),
        entries: &[("xuio_stats", file!(9))],
    },
    Group {
        under: "spl/kstat/zfs",
        each: |moment, visit| until(moment, ZfsVersion::V2_1, visit),
        entries: &[("vdev_cache_stats", file!(10))],
    },
    Group {
        under: "spl/kstat/zfs",
        each: each_pool,
        entries: &[("state", What::File(|_, _, into| put_line!(into, "ONLINE")))],
    },
    Group {
        under: "spl/kstat/zfs",
        each: |moment, visit| {
            if moment.machine.storage.zfs.as_ref().is_some_and(|zfs| zfs.version == ZfsVersion::V0_8) {
                each_pool(moment, visit);
            }
        },
        entries: &[("io", What::File(input_and_output))],
    },
    Group {
        under: "spl/kstat/zfs",
        each: |moment, visit| {
            if moment.machine.storage.zfs.as_ref().is_some_and(|zfs| zfs.version > ZfsVersion::V0_8) {
                each_pool(moment, visit);
            }
        },
        entries: &[("guid", What::File(|m, i, into| pool(m, i, |p| put_line!(into, "{}", p.guid))))],
    },
    Group { under: "spl/kstat/zfs", each: each_data_set, entries: &[("", What::File(objects))] },
];

type Visit<'a> = &'a mut dyn FnMut(usize, &[u8]);

fn since(moment: &Moment<'_>, version: ZfsVersion, visit: Visit<'_>) {
    if moment.machine.storage.zfs.as_ref().is_some_and(|zfs| zfs.version >= version) {
        once(moment, visit);
    }
}

fn until(moment: &Moment<'_>, version: ZfsVersion, visit: Visit<'_>) {
    if moment.machine.storage.zfs.as_ref().is_some_and(|zfs| zfs.version <= version) {
        once(moment, visit);
    }
}

fn pools<'a>(moment: &Moment<'a>) -> &'a [Zpool] {
    moment.machine.storage.zfs.as_ref().map_or(&[], |zfs| &zfs.pools)
}

fn each_pool(moment: &Moment<'_>, visit: Visit<'_>) {
    pools(moment).iter().enumerate().for_each(|(index, pool)| visit(index, pool.name.as_bytes()));
}

fn pool(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Zpool)) {
    if let Some(pool) = pools(moment).get(index) {
        write(pool);
    }
}

/// No pool has as many data sets: the numbers of both in one.
const DATA_SETS: usize = 4_096;

fn each_data_set(moment: &Moment<'_>, visit: Visit<'_>) {
    for (number, pool) in pools(moment).iter().enumerate() {
        for (place, set) in pool.data_sets.iter().enumerate() {
            let path = format!("{}/objset-{:#x}", pool.name, set.number);
            visit(number * DATA_SETS + place, path.as_bytes());
        }
    }
}

/// The two lines above the rows: number and kind of the table, when it was made and when it was looked at.
fn head(moment: &Moment<'_>, (number, kind): (usize, u8), rows: usize, into: &mut Vec<u8>) {
    const MADE_NANOS: u64 = 11_204_331_850;
    let now = moment.uptime_micros().saturating_mul(1_000).saturating_add(MADE_NANOS);
    put_line!(into, "{number} {kind} 0x01 {rows} {} {MADE_NANOS} {now}", rows * 48);
}

fn titles(into: &mut Vec<u8>) {
    put_line!(into, "{:<31} {:<4} data", "name", "type");
}

fn table(moment: &Moment<'_>, at: usize, into: &mut Vec<u8>) {
    let (Some(zfs), Some(rows)) = (&moment.machine.storage.zfs, FILES.get(at)) else { return };
    let told = || rows.iter().filter(|row| row.versions.contains(&zfs.version));
    head(moment, (at + 3, 1), told().count(), into);
    titles(into);
    for row in told() {
        let (kind, value) = value(moment, zfs, row);
        put_line!(into, "{:<31} {kind:<4} {value}", row.name);
    }
}

/// Kind 3 has a sign, kind 4 has none.
fn value(moment: &Moment<'_>, zfs: &Zfs, row: &Row) -> (u8, u64) {
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

fn input_and_output(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    pool(moment, index, |pool| {
        let counts = moment.pool_counts(pool);
        let sum = counts.sum;
        let now = moment.uptime_micros().saturating_mul(1_000);
        put_line!(into, "{} 3 0x00 1 80 11204331850 {now}", 20 + index);
        let names = [
            "nread", "nwritten", "reads", "writes", "wtime", "wlentime", "wupdate", "rtime", "rlentime", "rupdate",
            "wcnt", "rcnt",
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
            crate::text::put!(into, "{name:<8} ");
        }
        put_line!(into, "");
        for value in values {
            crate::text::put!(into, "{value:<8} ");
        }
        put_line!(into, "");
    });
}

fn objects(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    pool(moment, index / DATA_SETS, |pool| {
        let Some(set) = pool.data_sets.get(index % DATA_SETS) else { return };
        let counts = moment.data_set_counts(pool, set);
        head(moment, (40 + index % DATA_SETS, 1), 7, into);
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
    });
}
