//! /sys/devices/system/cpu/cpu*/cache

use super::{list, mask};
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Cache, Cpu, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::sys) const GROUPS: Table = &[&Group::<CpuCache<'static>> {
    under: "devices/system/cpu",
    parts: |machine| Box::new(CpuCache::each(machine)),
    path: |of, _| format!("cpu{}/cache/index{}", of.cpu, of.index).into(),
    entries: &[
        ("coherency_line_size", Content::File(|_, _, into| put_line!(into, "{}", Cache::LINE_BYTES))),
        ("id", Content::File(|of, m, into| put_line!(into, "{}", m.machine.processor.cache_number(of.cpu, of.cache)))),
        ("level", Content::File(|of, _, into| put_line!(into, "{}", of.cache.level))),
        ("number_of_sets", Content::File(|of, _, into| put_line!(into, "{}", of.cache.sets()))),
        ("physical_line_partition", Content::File(|_, _, into| put_line!(into, "1"))),
        ("shared_cpu_list", Content::File(|of, m, into| list(&of.shared(m), into))),
        ("shared_cpu_map", Content::File(|of, m, into| mask(m, &of.shared(m), into))),
        ("size", Content::File(|of, _, into| put_line!(into, "{}K", of.cache.kilobytes))),
        ("type", Content::File(|of, _, into| put_line!(into, "{}", of.cache.kind))),
        ("uevent", Content::File(|_, _, _| {})),
        ("ways_of_associativity", Content::File(|of, _, into| put_line!(into, "{}", of.cache.ways))),
    ],
}];

/// A cache of a CPU.
#[derive(Clone, Copy)]
struct CpuCache<'a> {
    cpu: Cpu,
    cache: &'a Cache,
    /// The number of the cache among those of the CPU.
    index: usize,
}

impl Part for CpuCache<'static> {
    type Of<'a> = CpuCache<'a>;
}

impl<'a> CpuCache<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let caches = || machine.processor.caches.iter().enumerate();
        machine.processor.online().flat_map(move |cpu| caches().map(move |(index, cache)| Self { cpu, cache, index }))
    }

    /// The CPUs that share the cache.
    fn shared(self, moment: &Moment<'_>) -> Vec<Cpu> {
        moment.machine.processor.cache_cpus(self.cpu, self.cache)
    }
}
