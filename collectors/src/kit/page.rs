//! The page: samples are encoded at once into the buffer of their family, and the buffers are joined in the order of
//! client_golang: families by name, samples by label values in label-name order.
//!
//! Every collector has a [`Page`] of its own, so that a late collector does not hold back others; `binder` joins them.

mod binder;
mod buffer;
pub mod foreign;
mod header;
mod order;
mod view;

use rustc_hash::FxHashMap;

use super::family::FamilyInfo;
use buffer::Buffer;
use foreign::ForeignPage;

pub(crate) use binder::Binder;
pub use view::PageOf;

/// The families of a collector in a scrape, in memory that the next scrape reuses.
#[derive(Debug)]
pub struct Page {
    /// Declared families, then kernel-named ones.
    families: Vec<Buffer>,
    /// The number of samples of each family, apart from the buffers: most are 0 and are skipped.
    counts: Vec<usize>,
    declared: usize,
    made_by_name: FxHashMap<Box<[u8]>, usize>,
    name: Vec<u8>,
    /// Scratch memory for lines that do not fit into a [`Line`](super::line).
    spare: Vec<u8>,
    /// Families of other sources.
    pub(crate) foreign: ForeignPage,
}

/// The format of a page.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Format {
    /// The text format, version 0.0.4.
    #[default]
    Text,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

/// Maximum number of kernel-named families of a collector; more are not created.
pub const MADE_FAMILIES_MAX: usize = 65_536;

impl Page {
    /// An empty page for these declared families, in slot order.
    pub fn new(families: impl IntoIterator<Item = FamilyInfo>) -> Self {
        let declared = families.into_iter().map(|family| Buffer::new(family.name.as_bytes(), &family, family.help));
        let families: Vec<Buffer> = declared.collect();
        Self {
            counts: vec![0; families.len()],
            declared: families.len(),
            families,
            made_by_name: FxHashMap::default(),
            name: Vec::new(),
            spare: Vec::new(),
            foreign: ForeignPage::default(),
        }
    }

    /// Removes all samples and keeps the memory.
    pub fn clear(&mut self) {
        for (buffer, count) in self.families.iter_mut().zip(&mut self.counts).filter(|(_, count)| **count > 0) {
            buffer.clear();
            *count = 0;
        }
        self.foreign.clear();
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.counts.iter().sum::<usize>() + self.foreign.samples()
    }

    /// The family at this index, if it has samples.
    fn filled(&self, at: usize) -> Option<&Buffer> {
        self.families.get(at).filter(|_| self.counts.get(at).is_some_and(|count| *count > 0))
    }

    /// The index of the family named by the prefix and `rest`, which is created if needed; `None` at the limit.
    fn made(&mut self, prefix: &FamilyInfo, rest: &[&[u8]]) -> Option<usize> {
        self.name.clear();
        self.name.extend_from_slice(prefix.name.as_bytes());
        for piece in rest {
            if piece.is_ascii() {
                self.name.extend(piece.iter().map(|&byte| name_byte(byte)));
                continue;
            }
            for chunk in piece.utf8_chunks() {
                self.name.extend(chunk.valid().chars().map(|letter| u8::try_from(letter).map_or(b'_', name_byte)));
                self.name.extend(chunk.invalid().iter().map(|_| b'_'));
            }
        }
        if let Some(&at) = self.made_by_name.get(&*self.name) {
            return Some(at);
        }
        let at = self.families.len();
        if at - self.declared >= MADE_FAMILIES_MAX {
            return None;
        }
        let rest = String::from_utf8_lossy(&self.name[prefix.name.len()..]).into_owned();
        self.families.push(Buffer::new(&self.name, prefix, &prefix.help.replace("{}", &rest)));
        self.counts.push(0);
        self.made_by_name.insert(self.name.as_slice().into(), at);
        Some(at)
    }
}

/// Samples and families that a page omits.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Duplicate samples.
    pub duplicates: usize,
    /// Families whose name another collector uses.
    pub clashes: Vec<String>,
}

/// Replaces bytes outside of `[a-zA-Z0-9_:]` by `_`.
fn name_byte(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() || byte == b':' { byte } else { b'_' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::family::{Counter, Family, Gauge, Prefix, Untyped};
    use proptest::prelude::*;
    use std::fmt::Write as _;

    crate::label_sets! {
        PerMode { cpu, mode }
    }

    const A: Family<(), Gauge, ()> = Family::new(1, "node_a", "An a.");
    const B: Family<(), Counter, PerMode<'static>> = Family::new(0, "node_b_total", "A b.");
    const MADE: Prefix<(), Untyped, ()> = Prefix::new("node_ab_", "Field {}.");

    fn page() -> Page {
        Page::new([B.info(), A.info()])
    }

    fn emit(page: &mut Page, emit: impl FnOnce(&mut PageOf<'_, ()>)) -> (String, usize) {
        page.clear();
        emit(&mut PageOf::new(page));
        let (text, finished) = bound(page, Format::Text);
        (text, finished.duplicates)
    }

    fn bound(page: &mut Page, format: Format) -> (String, Finished) {
        let mut foreign = ForeignPage::default();
        assert!(foreign.take(&mut page.foreign).is_empty());
        let mut out = Vec::new();
        let mut pages = [Some(std::mem::replace(page, Page::new([])))];
        let finished = Binder::default().bind(&mut pages, &mut foreign, format, &mut out);
        *page = pages[0].take().expect("the page");
        (String::from_utf8(out).expect("pages are UTF-8"), finished)
    }

    #[test]
    fn families_are_sorted_by_name_and_samples_by_label_values() {
        let (text, duplicates) = emit(&mut page(), |page| {
            for cpu in [10_u64, 2, 1] {
                page.counter(B, PerMode { cpu: &cpu, mode: &"user" }, cpu);
                page.counter(B, PerMode { cpu: &cpu, mode: &"idle" }, 0.5);
            }
            page.named(MADE, &[b"x-", b"y"], (), 3_u64);
            page.gauge(A, (), 1_000_000_u64);
        });
        assert_eq!(duplicates, 0);
        let expected = "# HELP node_a An a.\n# TYPE node_a gauge\nnode_a 1e+06\n\
            # HELP node_ab_x_y Field x_y.\n# TYPE node_ab_x_y untyped\nnode_ab_x_y 3\n\
            # HELP node_b_total A b.\n# TYPE node_b_total counter\n\
            node_b_total{cpu=\"1\",mode=\"idle\"} 0.5\nnode_b_total{cpu=\"1\",mode=\"user\"} 1\n\
            node_b_total{cpu=\"10\",mode=\"idle\"} 0.5\nnode_b_total{cpu=\"10\",mode=\"user\"} 10\n\
            node_b_total{cpu=\"2\",mode=\"idle\"} 0.5\nnode_b_total{cpu=\"2\",mode=\"user\"} 2\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_large_family_is_moved_in_every_scrape() {
        let mut page = page();
        let count = 40_000_u64;
        let mut expected = String::from(
            "# HELP node_a An a.\n# TYPE node_a gauge\nnode_a 7\n# HELP node_b_total A b.\n# TYPE node_b_total counter\n",
        );
        for cpu in 0..count {
            let _ = writeln!(expected, "node_b_total{{cpu=\"{}\",mode=\"user\"}} {cpu}", 100_000 + cpu);
        }
        expected += "# HELP node_c C.\n# TYPE node_c gauge\nnode_c 1\n";
        assert!(expected.len() > 1 << 20, "large enough to be handed over");
        for _ in 0..2 {
            let mut last: Page = Page::new([Family::<(), Gauge, ()>::new(0, "node_c", "C.").info()]);
            PageOf::<()>::new(&mut last).gauge(Family::new(0, "node_c", "C."), (), 1_u64);
            page.clear();
            let mut view = PageOf::new(&mut page);
            view.gauge(A, (), 7_u64);
            for cpu in 0..count {
                view.counter(B, PerMode { cpu: &(100_000 + cpu), mode: &"user" }, cpu);
            }
            let mut out = Vec::new();
            let mut pages = [Some(page), Some(last)];
            let finished = Binder::default().bind(&mut pages, &mut ForeignPage::default(), Format::Text, &mut out);
            assert_eq!(finished, Finished::default());
            assert!(String::from_utf8(out).expect("pages are UTF-8") == expected);
            page = pages[0].take().expect("the page");
        }
    }

    #[test]
    fn a_duplicate_sample_is_written_once_and_counted() {
        let (text, duplicates) = emit(&mut page(), |page| {
            page.counter(B, PerMode { cpu: &"0", mode: &"user" }, 1_u64);
            page.counter(B, PerMode { cpu: &"0", mode: &"user" }, 2_u64);
            page.gauge(A, (), 1_u64);
            page.gauge(A, (), 2_u64);
        });
        assert_eq!(duplicates, 2);
        assert!(text.contains("node_a 1\n") && text.contains("} 1\n") && !text.contains(" 2\n"), "{text}");
    }

    #[test]
    fn a_family_without_samples_is_left_out() {
        let mut page = page();
        let (text, _) = emit(&mut page, |page| page.gauge(A, (), 1_u64));
        assert!(text.contains("node_a 1"));
        let (text, _) = emit(&mut page, |_| ());
        assert_eq!(text, "");
    }

    #[test]
    fn each_invalid_character_of_a_name_becomes_one_underscore() {
        for (field, name) in [
            ("scatt\u{e9}r".as_bytes(), "scatt_r"),
            (b"scatt\xffr", "scatt_r"),
            (b"\xe2\x8d.", "___"),
            ("\u{2603}a-b".as_bytes(), "_a_b"),
        ] {
            let (text, _) = emit(&mut page(), |page| {
                page.named(MADE, &[field], (), 1_u64);
            });
            assert!(text.contains(&format!("\nnode_ab_{name} 1\n")), "{text}");
        }
    }

    #[test]
    fn a_label_may_be_absent() {
        let (text, duplicates) = emit(&mut page(), |page| {
            page.counter(B, PerMode { cpu: &None::<&str>, mode: &"user" }, 1_u64);
            page.counter(B, PerMode { cpu: &Some("0"), mode: &"" }, 2_u64);
            page.counter(B, PerMode { cpu: &None::<&str>, mode: &None::<&str> }, 3_u64);
        });
        assert_eq!(duplicates, 0);
        for line in ["node_b_total{mode=\"user\"} 1\n", "node_b_total{cpu=\"0\",mode=\"\"} 2\n", "node_b_total 3\n"] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn the_first_of_two_families_of_one_name_is_written() {
        let again: Family<(), Gauge, ()> = Family::new(2, "node_a", "Another a.");
        let mut page = Page::new([B.info(), A.info(), again.info()]);
        for (first, expected, clashes) in [(true, "node_a 1\n", 1), (false, "node_a 2\n", 0)] {
            page.clear();
            let mut view = PageOf::new(&mut page);
            view.gauge(again, (), 2_u64);
            if first {
                view.gauge(A, (), 1_u64);
            }
            let (text, finished) = bound(&mut page, Format::Text);
            assert!(text.ends_with(expected) && text.matches("# TYPE").count() == 1, "{text}");
            assert_eq!(finished.clashes, vec!["node_a".to_owned(); clashes]);
        }
    }

    #[test]
    fn openmetrics_names_counters_without_total() {
        let gauge: Family<(), Gauge, ()> = Family::new(2, "node_b", "A \"b\".");
        let mut page = Page::new([B.info(), A.info(), gauge.info()]);
        for (has_gauge, expected) in [
            (false, "# HELP node_b A b.\n# TYPE node_b counter\nnode_b_total{cpu=\"0\",mode=\"user\"} 1\n# EOF\n"),
            (
                true,
                "# TYPE node_b gauge\nnode_b 2\n# HELP node_b_total A b.\n# TYPE node_b_total unknown\nnode_b_total{cpu=\"0\",mode=\"user\"} 1\n# EOF\n",
            ),
        ] {
            page.clear();
            let mut view = PageOf::new(&mut page);
            view.counter(B, PerMode { cpu: &"0", mode: &"user" }, 1_u64);
            if has_gauge {
                view.gauge(gauge, (), 2_u64);
            }
            let (text, finished) = bound(&mut page, Format::OpenMetrics);
            assert!(text.ends_with(expected), "{text}");
            assert_eq!(finished, Finished::default());
        }
        assert_eq!(page.samples(), 2);
    }

    #[test]
    fn invalid_characters_of_kernel_names_become_underscores() {
        let (text, _) = emit(&mut page(), |page| {
            page.named(MADE, &[b"x:y_Z9", b".-\xc3\xa9"], (), 1_u64);
        });
        assert!(text.ends_with("\nnode_ab_x:y_Z9___ 1\n"), "{text}");
    }

    #[test]
    fn kernel_named_families_are_limited() {
        let mut page = page();
        page.made_by_name.clear();
        let count = u64::try_from(MADE_FAMILIES_MAX).expect("fits");
        // Filling the table one by one would sort it each time: fill it as `made` would have.
        for index in 0..count - 1 {
            page.families.push(Buffer::new(format!("node_ab_{index}").as_bytes(), &MADE.info(), "x"));
            page.counts.push(0);
        }
        let mut view: PageOf<'_, ()> = PageOf::new(&mut page);
        assert!(view.named(MADE, &[b"last"], (), 1_u64));
        assert!(!view.named(MADE, &[b"one_more"], (), 1_u64));
        assert!(view.named(MADE, &[b"last"], (), 1_u64), "existing families stay usable");
    }

    proptest! {
        /// The order is that of the unescaped values, compared label by label.
        #[test]
        fn samples_are_sorted_and_unique(
            samples in proptest::collection::vec((any::<String>(), any::<String>()), 0..20)
        ) {
            let (text, duplicates) = emit(&mut page(), |page| {
                for (cpu, mode) in &samples {
                    page.counter(B, PerMode { cpu, mode }, 1_u64);
                }
            });
            let mut expected = samples.clone();
            expected.sort();
            expected.dedup();
            prop_assert_eq!(duplicates, samples.len() - expected.len());
            let expected: Vec<String> = expected.into_iter().map(|(cpu, mode)| {
                let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                format!("node_b_total{{cpu=\"{}\",mode=\"{}\"}} 1", escape(&cpu), escape(&mode))
            }).collect();
            let lines: Vec<&str> = text.split('\n').filter(|line| line.starts_with("node_b")).collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
