//! A collector's view of the page.

use std::marker::PhantomData;

use super::Page;
use super::buffer::Buffer;
use super::foreign::{self, ForeignPage};
use crate::kit::family::{Counter, Family, Gauge, Kinded, Prefix, Tabled, Untyped};
use crate::kit::label::Labels;
use crate::kit::number::Number;

/// The page of collector `C`, which accepts only its own families, each as its own type, with labels by name:
///
/// ```
/// # use collectors::kit::prelude::*;
/// struct Mine;
/// collectors::declare! {
///     Mine: "mine", off, "An example.";
///     labels {
///         PerMode { cpu, mode }
///     }
///     families {
///         TIME: Gauge "node_mine_seconds" PerMode "CPU time by mode.";
///     }
/// }
/// fn emit(page: &mut collectors::kit::page::PageOf<'_, Mine>) {
///     page.gauge(TIME, PerMode { mode: &"idle", cpu: &7_u64 }, 1.5);
/// }
/// ```
/// Labels without their names, which could be swapped:
/// ```compile_fail,E0308
/// # use collectors::kit::prelude::*;
/// # struct Mine;
/// # collectors::declare! {
/// #     Mine: "mine", off, "An example.";
/// #     labels { PerMode { cpu, mode } }
/// #     families { TIME: Gauge "node_mine_seconds" PerMode "CPU time by mode."; }
/// # }
/// fn emit(page: &mut collectors::kit::page::PageOf<'_, Mine>) {
///     page.gauge(TIME, [&"idle", &7_u64], 1.5);
/// }
/// ```
/// A label that the family does not have:
/// ```compile_fail,E0560
/// # use collectors::kit::prelude::*;
/// # struct Mine;
/// # collectors::declare! {
/// #     Mine: "mine", off, "An example.";
/// #     labels { PerMode { cpu, mode } }
/// #     families { TIME: Gauge "node_mine_seconds" PerMode "CPU time by mode."; }
/// # }
/// fn emit(page: &mut collectors::kit::page::PageOf<'_, Mine>) {
///     page.gauge(TIME, PerMode { state: &"idle", cpu: &7_u64 }, 1.5);
/// }
/// ```
/// A missing label:
/// ```compile_fail,E0063
/// # use collectors::kit::prelude::*;
/// # struct Mine;
/// # collectors::declare! {
/// #     Mine: "mine", off, "An example.";
/// #     labels { PerMode { cpu, mode } }
/// #     families { TIME: Gauge "node_mine_seconds" PerMode "CPU time by mode."; }
/// # }
/// fn emit(page: &mut collectors::kit::page::PageOf<'_, Mine>) {
///     page.gauge(TIME, PerMode { mode: &"idle" }, 1.5);
/// }
/// ```
/// The labels of another family:
/// ```compile_fail,E0308
/// # use collectors::kit::prelude::*;
/// # struct Mine;
/// # collectors::declare! {
/// #     Mine: "mine", off, "An example.";
/// #     labels { PerCpu { cpu } PerMode { cpu, mode } }
/// #     families {
/// #         TIME: Gauge "node_mine_seconds" PerMode "CPU time by mode.";
/// #         ONLINE: Gauge "node_mine_online" PerCpu "1 for an online CPU.";
/// #     }
/// # }
/// # fn online(page: &mut collectors::kit::page::PageOf<'_, Mine>) {
/// #     page.gauge(ONLINE, PerCpu { cpu: &7_u64 }, true);
/// # }
/// fn emit(page: &mut collectors::kit::page::PageOf<'_, Mine>) {
///     page.gauge(TIME, PerCpu { cpu: &7_u64 }, 1.5);
/// }
/// ```
/// A gauge that is emitted as a counter:
/// ```compile_fail,E0308
/// # use collectors::kit::{family::{Family, Gauge}, page::PageOf};
/// # struct Mine;
/// # const FAMILY: Family<Mine, Gauge, ()> = Family::new(0, "node_depth_metres", "Depth.");
/// fn emit(page: &mut PageOf<'_, Mine>) {
///     page.counter(FAMILY, (), 1.5);
/// }
/// ```
/// Another collector's family:
/// ```compile_fail,E0308
/// # use collectors::kit::{family::{Family, Gauge}, page::PageOf};
/// # struct Mine;
/// # struct Theirs;
/// # const FAMILY: Family<Theirs, Gauge, ()> = Family::new(0, "node_depth_metres", "Depth.");
/// fn emit(page: &mut PageOf<'_, Mine>) {
///     page.gauge(FAMILY, (), 1.5);
/// }
/// ```
#[derive(Debug)]
pub struct PageOf<'a, C> {
    page: &'a mut Page,
    owner: PhantomData<fn() -> C>,
}

impl<'a, C> PageOf<'a, C> {
    pub(crate) fn new(page: &'a mut Page) -> Self {
        Self { page, owner: PhantomData }
    }

    /// Emits a gauge.
    pub fn gauge<L: Labels>(&mut self, family: Family<C, Gauge, L>, labels: L, value: impl Into<Number>) {
        self.push(family.slot(), labels, value.into());
    }

    /// Emits a counter.
    pub fn counter<L: Labels>(&mut self, family: Family<C, Counter, L>, labels: L, value: impl Into<Number>) {
        self.push(family.slot(), labels, value.into());
    }

    /// Emits a sample without a type.
    pub fn untyped<L: Labels>(&mut self, family: Family<C, Untyped, L>, labels: L, value: impl Into<Number>) {
        self.push(family.slot(), labels, value.into());
    }

    /// Emits a sample of a family of a declared table.
    pub fn tabled<L: Labels>(&mut self, family: Family<C, Tabled, L>, labels: L, value: impl Into<Number>) {
        self.push(family.slot(), labels, value.into());
    }

    /// Emits a sample of a kernel-named family. Its name is the prefix and the pieces of `rest`, with `_` for invalid bytes.
    /// `false` at the limit of [`MADE_FAMILIES_MAX`](super::MADE_FAMILIES_MAX).
    pub fn named<K: Kinded, L: Labels>(
        &mut self,
        prefix: Prefix<C, K, L>,
        rest: &[&[u8]],
        labels: L,
        value: impl Into<Number>,
    ) -> bool {
        let info = prefix.info();
        let Some(at) = self.page.made(&info, rest) else { return false };
        if let Some((buffer, spare)) = self.count(at) {
            labels.with(|values| buffer.push_labelled(info.labels, values, value.into(), spare));
        }
        true
    }

    /// The page of families of other sources, for a collector that declares `foreign`.
    pub fn foreign(&mut self) -> &mut ForeignPage
    where
        C: foreign::PassesOn,
    {
        &mut self.page.foreign
    }

    fn push(&mut self, slot: usize, labels: impl Labels, value: Number) {
        // Only a declaration that was not registered has a slot beyond the page.
        if let Some((buffer, spare)) = self.count(slot) {
            labels.with(|values| buffer.push(values, value, spare));
        }
    }

    /// Counts a sample of the family at this index, and returns its buffer and scratch memory.
    #[inline]
    fn count(&mut self, at: usize) -> Option<(&mut Buffer, &mut Vec<u8>)> {
        let Page { families, counts, spare, .. } = &mut *self.page;
        *counts.get_mut(at)? += 1;
        Some((families.get_mut(at)?, spare))
    }
}
