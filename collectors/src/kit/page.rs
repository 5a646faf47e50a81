//! The page: samples are encoded at once into their family's own buffer, and the buffers are joined in the order that
//! client_golang uses: families by name, samples by label values in label-name order.

pub mod foreign;
mod order;

use std::collections::HashMap;
use std::marker::PhantomData;

use super::family::{Counter, Family, FamilyInfo, Gauge, Kind, Prefix, Untyped};
use super::label::{self, Label};
use super::number::Number;
use foreign::ForeignPage;

/// Families of one scrape, in memory that is used again by the next.
#[derive(Debug)]
pub struct Page {
    declared: Vec<Buffer>,
    made: Vec<Buffer>,
    made_by_name: HashMap<Box<[u8]>, usize>,
    /// Every buffer in the order of the families' names.
    order: Vec<Place>,
    name: Vec<u8>,
    /// Families from other sources: the textfile collector's, the exporter's own.
    pub(crate) foreign: ForeignPage,
    lines: Vec<order::Line>,
    duplicates: usize,
}

/// Where a buffer is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Declared(usize),
    Made(usize),
}

/// The lines of one family.
#[derive(Debug)]
struct Buffer {
    /// The HELP and TYPE lines.
    header: Box<[u8]>,
    name_length: usize,
    text: Vec<u8>,
    /// Where the last line's labels are in `text`, to see whether the next one follows in order.
    last_key: std::ops::Range<usize>,
    is_in_order: bool,
}

/// So many families may get their names from one host's kernel; more are not made.
pub const MADE_FAMILIES_MAX: usize = 65_536;

impl Page {
    /// An empty page for these declared families; their order is their slots'.
    pub fn new(families: impl IntoIterator<Item = FamilyInfo>) -> Self {
        let declared = families.into_iter().map(|family| Buffer::new(family.name.as_bytes(), family.help, family.kind));
        let mut page = Self {
            declared: declared.collect(),
            made: Vec::new(),
            made_by_name: HashMap::new(),
            order: Vec::new(),
            name: Vec::new(),
            foreign: ForeignPage::default(),
            lines: Vec::new(),
            duplicates: 0,
        };
        page.sort_families();
        page
    }

    /// Forgets all samples and keeps the memory.
    pub fn clear(&mut self) {
        for buffer in self.declared.iter_mut().chain(&mut self.made) {
            buffer.clear();
        }
        self.foreign.clear();
        self.duplicates = 0;
    }

    /// Appends the page's text to `out`. A sample that is there twice is written once.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Finished {
        let Self { declared, made, order, foreign, lines, .. } = self;
        let mut duplicates = self.duplicates;
        let mut foreign_families = foreign.families().peekable();
        let mut clashes = Vec::new();
        let mut last: &[u8] = b"";
        for &place in &*order {
            let buffer = match place {
                Place::Declared(at) => &declared[at],
                Place::Made(at) => &made[at],
            };
            if buffer.text.is_empty() {
                continue;
            }
            if buffer.name() == last {
                clashes.push(String::from_utf8_lossy(last).into_owned());
                continue;
            }
            last = buffer.name();
            while let Some((_, family)) = foreign_families.next_if(|(name, _)| name.as_bytes() < buffer.name()) {
                duplicates += family.write_to(out);
            }
            if let Some((name, _)) = foreign_families.next_if(|(name, _)| name.as_bytes() == buffer.name()) {
                clashes.push(name.to_owned());
            }
            duplicates += buffer.write_to(lines, out);
        }
        for (_, family) in foreign_families {
            duplicates += family.write_to(out);
        }
        Finished { duplicates, clashes }
    }

    fn sort_families(&mut self) {
        let Self { declared, made, order, .. } = self;
        order.clear();
        order.extend((0..declared.len()).map(Place::Declared));
        order.extend((0..made.len()).map(Place::Made));
        let name = |place: &Place| match *place {
            Place::Declared(at) => declared[at].name(),
            Place::Made(at) => made[at].name(),
        };
        // Of two families of one name the one that was declared first stays first.
        order.sort_by(|a, b| name(a).cmp(name(b)));
    }

    /// The buffer of a family whose name is the prefix and `rest`; `None` when there are too many already.
    fn made(&mut self, prefix: &FamilyInfo, rest: &[&[u8]]) -> Option<&mut Buffer> {
        self.name.clear();
        self.name.extend_from_slice(prefix.name.as_bytes());
        for piece in rest {
            self.name.extend(piece.iter().map(|&byte| name_byte(byte)));
        }
        if let Some(&at) = self.made_by_name.get(&*self.name) {
            return self.made.get_mut(at);
        }
        if self.made.len() >= MADE_FAMILIES_MAX {
            return None;
        }
        let rest = String::from_utf8_lossy(&self.name[prefix.name.len()..]).into_owned();
        self.made.push(Buffer::new(&self.name, &prefix.help.replace("{}", &rest), prefix.kind));
        self.made_by_name.insert(self.name.as_slice().into(), self.made.len() - 1);
        self.sort_families();
        self.made.last_mut()
    }
}

/// What [`Page::finish`] left out.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Samples that were there already.
    pub duplicates: usize,
    /// Families of a name that another collector's samples have already.
    pub clashes: Vec<String>,
}

/// Metric names are made of `[a-zA-Z0-9_:]`; every other byte becomes `_`.
fn name_byte(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() || byte == b':' { byte } else { b'_' }
}

impl Buffer {
    fn new(name: &[u8], help: &str, kind: Kind) -> Self {
        Self {
            header: header(name, help, kind).into(),
            name_length: name.len(),
            text: Vec::new(),
            last_key: 0..0,
            is_in_order: true,
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.last_key = 0..0;
        self.is_in_order = true;
    }

    fn name(&self) -> &[u8] {
        let start = b"# HELP ".len();
        &self.header[start..start + self.name_length]
    }

    fn push(&mut self, labels: &[&'static str], values: &[&dyn Label], value: Number) {
        let Self { header, name_length, text, last_key, .. } = self;
        let is_first = text.is_empty();
        let start = b"# HELP ".len();
        text.extend_from_slice(&header[start..start + *name_length]);
        let key_start = text.len();
        for (label, value) in labels.iter().zip(values).filter(|(_, value)| !value.is_absent()) {
            text.push(if text.len() == key_start { b'{' } else { b',' });
            text.extend_from_slice(label.as_bytes());
            text.extend_from_slice(b"=\"");
            value.write_to(text);
            text.push(b'"');
        }
        if text.len() > key_start {
            text.push(b'}');
        }
        let key = key_start..text.len();
        text.push(b' ');
        value.write_to(text);
        text.push(b'\n');
        if !is_first && self.is_in_order {
            self.is_in_order = order::compare(&text[last_key.clone()], &text[key.clone()]).is_lt();
        }
        self.last_key = key;
    }

    /// Writes the family; gives the number of samples that were left out because they were there already.
    fn write_to(&self, lines: &mut Vec<order::Line>, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&self.header);
        if self.is_in_order {
            out.extend_from_slice(&self.text);
            return 0;
        }
        order::write_sorted(&self.text, self.name_length, lines, out)
    }
}

/// The HELP and TYPE lines of a family.
pub(crate) fn header(name: &[u8], help: &str, kind: Kind) -> Vec<u8> {
    let mut header = b"# HELP ".to_vec();
    header.extend_from_slice(name);
    if !help.is_empty() {
        header.push(b' ');
        label::push_escaped_help(help, &mut header);
    }
    header.extend_from_slice(b"\n# TYPE ");
    header.extend_from_slice(name);
    header.push(b' ');
    header.extend_from_slice(kind.word().as_bytes());
    header.push(b'\n');
    header
}

/// The page as collector `C` sees it: only its own families, each only as what it is.
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
    /// Where the collector's slots begin.
    base: usize,
    owner: PhantomData<fn() -> C>,
}

impl<'a, C> PageOf<'a, C> {
    pub(crate) fn new(page: &'a mut Page, base: usize) -> Self {
        Self { page, base, owner: PhantomData }
    }

    /// Emits a gauge.
    pub fn gauge<const N: usize>(
        &mut self,
        family: Family<C, Gauge, N>,
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) {
        self.push(family.slot(), family.info().labels, &labels, value.into());
    }

    /// Emits a counter.
    pub fn counter<const N: usize>(
        &mut self,
        family: Family<C, Counter, N>,
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) {
        self.push(family.slot(), family.info().labels, &labels, value.into());
    }

    /// Emits a sample without a type.
    pub fn untyped<const N: usize>(
        &mut self,
        family: Family<C, Untyped, N>,
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) {
        self.push(family.slot(), family.info().labels, &labels, value.into());
    }

    /// Emits a sample of a family that the kernel names: the prefix and the pieces of `rest`, in which every byte that
    /// a metric name cannot have becomes `_`. `false` when there are [`MADE_FAMILIES_MAX`] already.
    pub fn named<K: super::family::Kinded, const N: usize>(
        &mut self,
        prefix: Prefix<C, K, N>,
        rest: &[&[u8]],
        labels: [&dyn Label; N],
        value: impl Into<Number>,
    ) -> bool {
        let info = prefix.info();
        let Some(buffer) = self.page.made(&info, rest) else { return false };
        buffer.push(info.labels, &labels, value.into());
        true
    }

    /// Families of another source: only a collector that is declared to pass them on has them.
    pub fn foreign(&mut self) -> &mut ForeignPage
    where
        C: foreign::PassesOn,
    {
        &mut self.page.foreign
    }

    fn push(&mut self, slot: usize, labels: &[&'static str], values: &[&dyn Label], value: Number) {
        // A slot that is not there would be a declaration that was not registered; its samples have no place.
        if let Some(buffer) = self.page.declared.get_mut(self.base + slot) {
            buffer.push(labels, values, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: Family<(), Gauge, 0> = Family::new(1, "node_a", &[], "An a.");
    const B: Family<(), Counter, 2> = Family::new(0, "node_b_total", &["cpu", "mode"], "A b.");
    const MADE: Prefix<(), Untyped, 0> = Prefix::new("node_ab_", &[], "Field {}.");

    fn page() -> Page {
        Page::new([B.info(), A.info()])
    }

    fn emit(page: &mut Page, emit: impl FnOnce(&mut PageOf<'_, ()>)) -> (String, usize) {
        page.clear();
        emit(&mut PageOf::new(page, 0));
        let mut out = Vec::new();
        let finished = page.finish(&mut out);
        (String::from_utf8(out).expect("pages are UTF-8"), finished.duplicates)
    }

    #[test]
    fn families_stand_by_name_and_samples_by_label_values() {
        let (text, duplicates) = emit(&mut page(), |page| {
            for cpu in [10_u64, 2, 1] {
                page.counter(B, [&cpu, &"user"], cpu);
                page.counter(B, [&cpu, &"idle"], 0.5);
            }
            page.named(MADE, &[b"x-", b"y"], [], 3_u64);
            page.gauge(A, [], 1_000_000_u64);
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
    fn a_sample_that_is_there_twice_is_written_once_and_counted() {
        let (text, duplicates) = emit(&mut page(), |page| {
            page.counter(B, [&"0", &"user"], 1_u64);
            page.counter(B, [&"0", &"user"], 2_u64);
            page.gauge(A, [], 1_u64);
            page.gauge(A, [], 2_u64);
        });
        assert_eq!(duplicates, 2);
        assert!(text.contains("node_a 1\n") && text.contains("} 1\n") && !text.contains(" 2\n"), "{text}");
    }

    #[test]
    fn a_family_without_samples_is_not_on_the_page() {
        let mut page = page();
        let (text, _) = emit(&mut page, |page| page.gauge(A, [], 1_u64));
        assert!(text.contains("node_a 1"));
        let (text, _) = emit(&mut page, |_| ());
        assert_eq!(text, "");
    }

    #[test]
    fn a_label_may_be_absent() {
        let (text, duplicates) = emit(&mut page(), |page| {
            page.counter(B, [&None::<&str>, &"user"], 1_u64);
            page.counter(B, [&Some("0"), &""], 2_u64);
            page.counter(B, [&None::<&str>, &None::<&str>], 3_u64);
        });
        assert_eq!(duplicates, 0);
        for line in ["node_b_total{mode=\"user\"} 1\n", "node_b_total{cpu=\"0\",mode=\"\"} 2\n", "node_b_total 3\n"] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn of_two_families_of_one_name_the_first_is_written() {
        let again: Family<(), Gauge, 0> = Family::new(2, "node_a", &[], "Another a.");
        let mut page = Page::new([B.info(), A.info(), again.info()]);
        for (first, expected, clashes) in [(true, "node_a 1\n", 1), (false, "node_a 2\n", 0)] {
            page.clear();
            let mut view = PageOf::new(&mut page, 0);
            view.gauge(again, [], 2_u64);
            if first {
                view.gauge(A, [], 1_u64);
            }
            let mut out = Vec::new();
            let finished = page.finish(&mut out);
            let text = String::from_utf8(out).expect("pages are UTF-8");
            assert!(text.ends_with(expected) && text.matches("# TYPE").count() == 1, "{text}");
            assert_eq!(finished.clashes, vec!["node_a".to_owned(); clashes]);
        }
    }

    #[test]
    fn kernel_named_families_have_a_limit() {
        let mut page = page();
        page.made_by_name.clear();
        let count = u64::try_from(MADE_FAMILIES_MAX).expect("fits");
        // Filling the table one by one would sort it each time: fill it as `made` would have.
        for index in 0..count - 1 {
            page.made.push(Buffer::new(format!("node_ab_{index}").as_bytes(), "x", Kind::Untyped));
        }
        let mut view: PageOf<'_, ()> = PageOf::new(&mut page, 0);
        assert!(view.named(MADE, &[b"last"], [], 1_u64));
        assert!(!view.named(MADE, &[b"one_more"], [], 1_u64));
        assert!(view.named(MADE, &[b"last"], [], 1_u64), "what is there stays usable");
    }

    proptest! {
        /// The order is that of the unescaped values, compared label by label.
        #[test]
        fn any_samples_come_out_sorted_and_once(
            samples in proptest::collection::vec((any::<String>(), any::<String>()), 0..20)
        ) {
            let (text, duplicates) = emit(&mut page(), |page| {
                for (cpu, mode) in &samples {
                    page.counter(B, [cpu, mode], 1_u64);
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
