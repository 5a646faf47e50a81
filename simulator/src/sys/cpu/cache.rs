//! /sys/devices/system/cpu/cpu*/cache

use super::{list, mask};
use crate::layout::{Group, What};
use crate::machine::Cache;
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::sys) static GROUPS: [Group; 1] = [Group {
    under: "devices/system/cpu",
    each: each_cache,
    entries: &[
        ("coherency_line_size", What::File(|_, _, into| put_line!(into, "{}", Cache::LINE_BYTES))),
        ("id", What::File(|m, i, into| cache(m, i, |cpu, c| put_line!(into, "{}", number(m, cpu, c))))),
        ("level", What::File(|m, i, into| cache(m, i, |_, c| put_line!(into, "{}", c.level)))),
        ("number_of_sets", What::File(|m, i, into| cache(m, i, |_, c| put_line!(into, "{}", c.sets())))),
        ("physical_line_partition", What::File(|_, _, into| put_line!(into, "1"))),
        ("shared_cpu_list", What::File(|m, i, into| cache(m, i, |cpu, c| list(&shared(m, cpu, c), into)))),
        ("shared_cpu_map", What::File(|m, i, into| cache(m, i, |cpu, c| mask(m, &shared(m, cpu, c), into)))),
        ("size", What::File(|m, i, into| cache(m, i, |_, c| put_line!(into, "{}K", c.kilobytes)))),
        ("type", What::File(|m, i, into| cache(m, i, |_, c| put_line!(into, "{}", c.kind)))),
        ("uevent", What::File(|_, _, _| {})),
        ("ways_of_associativity", What::File(|m, i, into| cache(m, i, |_, c| put_line!(into, "{}", c.ways)))),
    ],
}];

/// A thing here is a cache of a CPU: the number of the CPU times this, and the place of the cache.
const CACHES_MAX: usize = 8;

fn each_cache(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let processor = &moment.machine.processor;
    for cpu in processor.online() {
        for place in 0..processor.caches.len().min(CACHES_MAX) {
            visit(cpu * CACHES_MAX + place, format!("cpu{cpu}/cache/index{place}").as_bytes());
        }
    }
}

fn cache(moment: &Moment<'_>, index: usize, write: impl FnOnce(usize, &Cache)) {
    if let Some(cache) = moment.machine.processor.caches.get(index % CACHES_MAX) {
        write(index / CACHES_MAX, cache);
    }
}

fn shared(moment: &Moment<'_>, cpu: usize, cache: &Cache) -> Vec<usize> {
    moment.machine.processor.cache_cpus(cpu, cache)
}

fn number(moment: &Moment<'_>, cpu: usize, cache: &Cache) -> usize {
    moment.machine.processor.cache_number(cpu, cache)
}
