//! A collector's view of the page.

use std::marker::PhantomData;

use super::Page;
use super::buffer::Buffer;
use super::foreign::{self, ForeignPage};
use crate::kit::family::{Counter, Family, Gauge, Kinded, Prefix, Untyped};
use crate::kit::label::Label;
use crate::kit::number::Number;

/// The page of collector `C`: only its own families, each only as what it is.
///
/// ```
/// use collectors::kit::{family::{Family, Gauge}, page::PageOf};
/// struct Mine;
/// const FAMILY: Family<Mine, Gauge, 1> = Family::new(0, "node_depth_metres", &["place"], "Depth.");
/// fn emit(page: &mut PageOf<'_, Mine>) {
///     page.gauge(FAMILY, [&"here"], 1.5);
/// }
/// ```
/// A wrong number of labels:
/// ```compile_fail,E0308
/// # use collectors::kit::{family::{Family, Gauge}, page::PageOf};
/// # struct Mine;
/// # const FAMILY: Family<Mine, Gauge, 1> = Family::new(0, "node_depth_metres", &["place"], "Depth.");
/// fn emit(page: &mut PageOf<'_, Mine>) {
///     page.gauge(FAMILY, [&"here", &"there"], 1.5);
/// }
/// ```
/// A gauge that is emitted as a counter:
/// ```compile_fail,E0308
/// # use collectors::kit::{family::{Family, Gauge}, page::PageOf};
/// # struct Mine;
/// # const FAMILY: Family<Mine, Gauge, 1> = Family::new(0, "node_depth_metres", &["place"], "Depth.");
/// fn emit(page: &mut PageOf<'_, Mine>) {
///     page.counter(FAMILY, [&"here"], 1.5);
/// }
/// ```
/// Another collector's family:
/// ```compile_fail,E0308
/// # use collectors::kit::{family::{Family, Gauge}, page::PageOf};
/// # struct Mine;
/// # struct Theirs;
/// # const FAMILY: Family<Theirs, Gauge, 1> = Family::new(0, "node_depth_metres", &["place"], "Depth.");
/// fn emit(page: &mut PageOf<'_, Mine>) {
///     page.gauge(FAMILY, [&"here"], 1.5);
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
    pub fn gauge<const N: usize>(
        &mut self,
        family: Family<C, Gauge, N>,
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) {
        self.push(family.slot(), &labels, value.into());
    }

    /// Emits a counter.
    pub fn counter<const N: usize>(
        &mut self,
        family: Family<C, Counter, N>,
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) {
        self.push(family.slot(), &labels, value.into());
    }

    /// Emits a sample without a type.
    pub fn untyped<const N: usize>(
        &mut self,
        family: Family<C, Untyped, N>,
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) {
        self.push(family.slot(), &labels, value.into());
    }

    /// Emits a sample of a family that the kernel names: the prefix and the pieces of `rest`, in which every byte that
    /// a metric name cannot have becomes `_`. `false` when there are [`MADE_FAMILIES_MAX`](super::MADE_FAMILIES_MAX) already.
    pub fn named<K: Kinded, const N: usize>(
        &mut self,
        prefix: Prefix<C, K, N>,
        rest: &[&[u8]],
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) -> bool {
        let info = prefix.info();
        let Some(at) = self.page.made(&info, rest) else { return false };
        if let Some((buffer, spare)) = self.count(at) {
            buffer.push_labelled(info.labels, &labels, value.into(), spare);
        }
        true
    }

    /// Families of another source: only a collector that is declared to pass them on has them.
    pub fn foreign(&mut self) -> &mut ForeignPage
    where
        C: foreign::PassesOn,
    {
        &mut self.page.foreign
    }

    fn push(&mut self, slot: usize, values: &[&dyn Label], value: Number) {
        // A slot that is not there would be a declaration that was not registered; its samples have no place.
        if let Some((buffer, spare)) = self.count(slot) {
            buffer.push(values, value, spare);
        }
    }

    /// Counts a sample of the family at this place, to which it is to be added.
    #[inline]
    fn count(&mut self, at: usize) -> Option<(&mut Buffer, &mut Vec<u8>)> {
        let Page { families, counts, spare, .. } = &mut *self.page;
        *counts.get_mut(at)? += 1;
        Some((families.get_mut(at)?, spare))
    }
}
