//! Batches: the content of a request and of a record of a queue.
//!
//! A page becomes batches when it is collected. External labels, dropped families and stale markers are in the text from
//! then on, so that a batch that is sent again has the same series, values and timestamp, whatever the configuration says
//! by then.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::page::{self, PageLine, STALE_WORD};

/// Maximum number of samples of a batch. Receivers refuse larger requests with their default limits.
pub const BATCH_SAMPLES_MAX: usize = 2_000;
/// Bytes of text of a batch after which the next one begins.
pub const BATCH_MAX_BYTES: usize = 512 << 10;

/// Labels `job` and `instance` of a source.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// Label `job`.
    pub job: String,
    /// Label `instance`.
    pub instance: String,
    /// Whether it is the exporter's own page.
    pub is_own: bool,
}

/// A part of a page with the time of its collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Start of the system in milliseconds since 1970, when the kernel's counters began; 0 where it is unknown.
    pub start: i64,
    /// Lines in the text format, with HELP and TYPE.
    pub text: String,
}

/// First byte of a record: the layout of what follows.
const LAYOUT: u8 = 1;

impl Batch {
    /// The record that a queue keeps: layout, timestamp, start, text compressed by snappy.
    pub fn to_record(&self) -> Vec<u8> {
        let mut record = vec![LAYOUT];
        record.extend_from_slice(&self.timestamp.to_le_bytes());
        record.extend_from_slice(&self.start.to_le_bytes());
        record.extend(super::snappy(self.text.as_bytes()));
        record
    }

    /// Reads a record; `None` if another version wrote it.
    pub fn of_record(record: &[u8]) -> Option<Self> {
        let (layout, rest) = record.split_first()?;
        let (timestamp, rest) = rest.split_at_checked(8)?;
        let (start, text) = rest.split_at_checked(8)?;
        if *layout != LAYOUT || snap::raw::decompress_len(text).ok()? > 8 * BATCH_MAX_BYTES {
            return None;
        }
        let text = snap::raw::Decoder::new().decompress_vec(text).ok()?;
        Some(Self {
            timestamp: i64::from_le_bytes(timestamp.try_into().ok()?),
            start: i64::from_le_bytes(start.try_into().ok()?),
            text: String::from_utf8(text).ok()?,
        })
    }

    /// When the counters of a family began: known for those that our collectors declare.
    pub fn start_of(&self, family: &str) -> i64 {
        static DECLARED: OnceLock<HashSet<&'static str>> = OnceLock::new();
        let declared = DECLARED.get_or_init(|| {
            let declarations = collectors::ALL.iter().map(|registration| registration.declaration);
            declarations.flat_map(|declaration| declaration.families).map(|family| family.name).collect()
        });
        if declared.contains(family) { self.start } else { 0 }
    }

    /// Whether it holds stale markers only.
    pub fn is_stale(&self) -> bool {
        self.text.lines().all(is_stale)
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.text.lines().filter(|line| !line.starts_with('#')).count()
    }
}

/// One text of all batches of a page, for targets that take a page as a whole. Repeated HELP and TYPE lines and stale
/// markers are left out.
pub fn whole(batches: &[Batch]) -> String {
    let mut seen = HashSet::new();
    let mut text = String::new();
    for line in batches.iter().flat_map(|batch| batch.text.split_inclusive('\n')) {
        let is_wanted = if line.starts_with('#') { seen.insert(line) } else { !is_stale(line) };
        if is_wanted {
            text.push_str(line);
        }
    }
    text
}

/// A text with further labels on each sample. A label that a sample has stays.
pub fn with_labels(text: &str, labels: &[(String, String)]) -> String {
    let mut labelled = String::with_capacity(text.len() + text.len() / 4);
    for line in text.split_inclusive('\n') {
        match page::lines(line).next() {
            Some(Ok(PageLine::Sample(sample))) => {
                page::write_with_labels(&sample, labels, sample.value_text, &mut labelled);
            }
            _ => labelled.push_str(line),
        }
    }
    labelled
}

/// One page of the pages of several sources, each family once. Sources other than the exporter's own have labels `job`
/// and `instance`.
pub fn merged<'a>(pages: impl Iterator<Item = (&'a Identity, &'a [Batch])>) -> String {
    let mut families: Vec<(String, String)> = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for (identity, batches) in pages {
        let labels = [("job".to_owned(), identity.job.clone()), ("instance".to_owned(), identity.instance.clone())];
        let text = whole(batches);
        let text = if identity.is_own { text } else { with_labels(&text, &labels) };
        let mut current = String::new();
        for line in text.split_inclusive('\n') {
            let name = match page::lines(line).next() {
                Some(Ok(PageLine::Help(name, _) | PageLine::Type(name, _))) => {
                    name.clone_into(&mut current);
                    name
                }
                Some(Ok(PageLine::Sample(sample))) if is_member(&current, sample.name) => &current,
                Some(Ok(PageLine::Sample(sample))) => sample.name,
                _ => continue,
            };
            let number = *numbers.entry(name.to_owned()).or_insert_with(|| {
                families.push(Default::default());
                families.len() - 1
            });
            let (head, samples) = &mut families[number];
            if !line.starts_with('#') {
                samples.push_str(line);
            } else if !(head.contains(line) || line.starts_with("# HELP") && head.contains("# HELP")) {
                head.push_str(line);
            }
        }
    }
    families.into_iter().flat_map(|(head, samples)| [head, samples]).collect()
}

/// Whether a sample belongs to the family whose HELP and TYPE came before.
fn is_member(family: &str, sample: &str) -> bool {
    let rest = sample.strip_prefix(family).filter(|_| !family.is_empty());
    matches!(rest, Some("" | "_bucket" | "_sum" | "_count"))
}

fn is_stale(line: &str) -> bool {
    line.trim_end().ends_with(STALE_WORD)
}

/// Which families are pushed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Families {
    /// Prefixes of names; empty: all.
    pub keep: Vec<String>,
    /// Prefixes of names that are left out.
    pub drop: Vec<String>,
}

impl Families {
    fn has(&self, name: &str) -> bool {
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
        (self.keep.is_empty() || begins(&self.keep)) && !begins(&self.drop)
    }
}

/// Turns pages into batches and notices which series ended.
#[derive(Debug, Default)]
pub struct Batcher {
    labels: Vec<(String, String)>,
    families: Families,
    /// Series of the page before, as they stand in its lines.
    before: HashSet<Box<str>>,
    /// Start of the system by the last page that told it.
    start: i64,
}

impl Batcher {
    /// A batcher that adds labels and leaves out families.
    pub fn new(labels: Vec<(String, String)>, families: Families) -> Self {
        Self { labels, families, ..Self::default() }
    }

    /// Takes over the series of another batcher, so that those that end now are marked.
    pub fn succeed(&mut self, before: Self) {
        self.before = before.before;
        self.start = before.start;
    }

    /// The batches of a page. The last one holds stale markers for series that the page before had and this one lacks.
    /// Lines that cannot be read are left out; their number is returned.
    pub fn batches(&mut self, page: &str, timestamp: i64) -> (Vec<Batch>, usize) {
        let mut writer = Writer::new(timestamp);
        let mut now = HashSet::with_capacity(self.before.len());
        let mut broken = 0;
        let mut line_text = String::new();
        for line in page::lines(page) {
            match line {
                Err(_) => broken += 1,
                Ok(PageLine::Help(name, help)) if self.families.has(name) => writer.help(name, help),
                Ok(PageLine::Type(name, kind)) if self.families.has(name) => writer.kind(name, kind.word()),
                Ok(PageLine::Sample(sample)) if sample.name == BOOT && !self.families.has(BOOT) => {
                    self.start = start_millis(sample.value);
                }
                Ok(PageLine::Sample(sample)) if self.families.has(sample.name) => {
                    if sample.name == BOOT {
                        self.start = start_millis(sample.value);
                    }
                    line_text.clear();
                    page::write_with_labels(&sample, &self.labels, sample.value_text, &mut line_text);
                    let series = line_text.trim_end_matches('\n').strip_suffix(sample.value_text);
                    now.insert(Box::from(series.unwrap_or_default().trim_end_matches(' ')));
                    writer.sample(&line_text);
                }
                Ok(_) => {}
            }
        }
        let mut ended: Vec<&str> =
            self.before.iter().map(AsRef::as_ref).filter(|series| !now.contains(*series)).collect();
        ended.sort_unstable();
        writer.stale(&ended);
        self.before = now;
        (writer.finish(self.start), broken)
    }

    /// Stale markers for every series of the last page, for a push that ends.
    pub fn end(&mut self, timestamp: i64) -> Vec<Batch> {
        let mut writer = Writer::new(timestamp);
        let before = std::mem::take(&mut self.before);
        let mut ended: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
        ended.sort_unstable();
        writer.stale(&ended);
        writer.finish(self.start)
    }
}

/// The family that tells when the system was started.
const BOOT: &str = "node_boot_time_seconds";

#[expect(clippy::cast_possible_truncation, reason = "a time that no number can hold is cut to the nearest that can")]
fn start_millis(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

/// Distributes lines over batches. A family that goes on in the next batch has its HELP and TYPE there again.
struct Writer {
    timestamp: i64,
    batches: Vec<Batch>,
    text: String,
    samples: usize,
    /// HELP and TYPE of the current family.
    head: String,
    head_of: String,
    has_head: bool,
}

impl Writer {
    fn new(timestamp: i64) -> Self {
        let (text, head, head_of) = (String::new(), String::new(), String::new());
        Self { timestamp, batches: Vec::new(), text, samples: 0, head, head_of, has_head: false }
    }

    fn begin_family(&mut self, name: &str) {
        if self.head_of != name {
            name.clone_into(&mut self.head_of);
            self.head.clear();
        }
        self.has_head = false;
    }

    fn help(&mut self, name: &str, help: &str) {
        self.begin_family(name);
        self.head.extend(["# HELP ", name, " ", help, "\n"]);
    }

    fn kind(&mut self, name: &str, word: &str) {
        self.begin_family(name);
        self.head.extend(["# TYPE ", name, " ", word, "\n"]);
    }

    fn sample(&mut self, line: &str) {
        if self.samples >= BATCH_SAMPLES_MAX || self.text.len() >= BATCH_MAX_BYTES {
            self.close();
        }
        if !self.has_head {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            if is_member(&self.head_of, name) {
                self.text.push_str(&self.head);
            }
            self.has_head = true;
        }
        self.text.push_str(line);
        self.samples += 1;
    }

    /// Markers stand in batches of their own: targets that have no markers skip these batches.
    fn stale(&mut self, series: &[&str]) {
        self.close();
        self.begin_family("");
        for series in series {
            self.sample(&format!("{series} {STALE_WORD}\n"));
        }
    }

    fn close(&mut self) {
        if self.samples > 0 {
            self.batches.push(Batch { timestamp: self.timestamp, start: 0, text: std::mem::take(&mut self.text) });
        }
        self.samples = 0;
        self.has_head = false;
    }

    fn finish(mut self, start: i64) -> Vec<Batch> {
        self.close();
        self.batches.iter_mut().for_each(|batch| batch.start = start);
        self.batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(batches: &[Batch]) -> String {
        batches.iter().map(|batch| batch.text.as_str()).collect::<Vec<_>>().join("---\n")
    }

    #[test]
    fn a_batch_comes_back_from_its_record() {
        let batch = Batch { timestamp: -5, start: 3, text: "m{a=\"é\"} 1\n".to_owned() };
        assert_eq!(Batch::of_record(&batch.to_record()), Some(batch.clone()));
        assert_eq!(Batch::of_record(b""), None);
        assert_eq!(Batch::of_record(&[9; 40]), None);
        let mut cut = batch.to_record();
        cut.pop();
        assert_eq!(Batch::of_record(&cut), None);
    }

    #[test]
    fn labels_are_added_families_dropped_and_ended_series_marked() {
        let labels = vec![("node".to_owned(), "n1".to_owned())];
        let families = Families { keep: Vec::new(), drop: vec!["go_".to_owned()] };
        let mut batcher = Batcher::new(labels, families);
        let page = "# HELP a Text.\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\n# TYPE go_x gauge\ngo_x 1\nbroken\n";
        let (first, broken) = batcher.batches(page, 7);
        assert_eq!(broken, 1);
        assert_eq!(
            text(&first),
            "# HELP a Text.\n# TYPE a gauge\na{x=\"1\",node=\"n1\"} 1\na{x=\"2\",node=\"n1\"} 2\n"
        );
        let (second, _) = batcher.batches("a{x=\"2\"} 3\n", 8);
        assert_eq!(text(&second), "a{x=\"2\",node=\"n1\"} 3\n---\na{x=\"1\",node=\"n1\"} StaleNaN\n");
        assert_eq!(text(&batcher.end(9)), "a{x=\"2\",node=\"n1\"} StaleNaN\n");
        assert_eq!(batcher.end(9), []);
    }

    #[test]
    fn pages_of_several_sources_are_merged_by_family() {
        let batches = |page: &str| Batcher::default().batches(page, 7).0;
        let own = Identity { job: "n".to_owned(), instance: "i".to_owned(), is_own: true };
        let other = Identity { job: "db".to_owned(), instance: "h:1".to_owned(), is_own: false };
        let first = batches("# HELP a A.\n# TYPE a gauge\na 1\n# TYPE h histogram\nh_sum 1\nh_count 1\n");
        let second = batches("# HELP a Else.\n# TYPE a gauge\na{x=\"1\"} 2\nb 3\n");
        let text = merged([(&own, first.as_slice()), (&other, second.as_slice())].into_iter());
        assert_eq!(
            text,
            "# HELP a A.\n# TYPE a gauge\na 1\na{x=\"1\",job=\"db\",instance=\"h:1\"} 2\n\
             # TYPE h histogram\nh_sum 1\nh_count 1\nb{job=\"db\",instance=\"h:1\"} 3\n"
        );
    }

    #[test]
    fn a_large_family_is_split_with_its_head_in_each_part() {
        let samples = 0..=BATCH_SAMPLES_MAX;
        let page = samples.fold(String::new(), |page, number| page + "a{x=\"" + &number.to_string() + "\"} 1\n");
        let (batches, _) = Batcher::default().batches(&format!("# TYPE a counter\n{page}"), 7);
        assert_eq!(batches.iter().map(Batch::samples).collect::<Vec<_>>(), [BATCH_SAMPLES_MAX, 1]);
        assert!(batches.iter().all(|batch| batch.text.starts_with("# TYPE a counter\na{")));
        let whole = whole(&batches);
        assert_eq!(whole.lines().filter(|line| line.starts_with('#')).count(), 1);
        assert_eq!(whole.lines().count(), BATCH_SAMPLES_MAX + 2);
    }

    #[test]
    fn the_start_of_the_system_goes_with_each_batch() {
        let (batches, _) = Batcher::default().batches("node_boot_time_seconds 1.7e+09\n", 7);
        assert_eq!(batches[0].start, 1_700_000_000_000);
        assert_eq!(batches[0].start_of("node_intr_total"), 1_700_000_000_000);
        assert_eq!(batches[0].start_of("foreign_total"), 0);
    }

    #[test]
    fn a_timestamp_of_the_page_is_kept_and_does_not_make_another_series() {
        let mut batcher = Batcher::default();
        assert_eq!(text(&batcher.batches("a 1 1700000000000\n", 7).0), "a 1 1700000000000\n");
        assert_eq!(text(&batcher.batches("a 2 1700000000001\n", 8).0), "a 2 1700000000001\n");
    }
}
