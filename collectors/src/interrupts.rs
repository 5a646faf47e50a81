//! Interrupts by CPU from /proc/interrupts.

use crate::declare;
use crate::kit::digits;
use crate::kit::filter::Filter;
use crate::kit::page::PageOf;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::table;

/// The interrupts collector.
///
/// The file has a row per interrupt, the page is sorted by CPU. A machine with a thousand CPUs has a million counts: they
/// are emitted in page order, which avoids sorting the lines.
#[derive(Debug)]
pub struct Interrupts {
    names: Filter,
    has_zeros: bool,
    /// Names of the rows, joined like in node_exporter.
    words: Words,
    rows: Vec<InterruptRow>,
    /// The counts of all rows, row by row; `None` for an invalid count.
    counts: Vec<Option<u64>>,
    /// The CPU numbers in text order.
    cpus: Vec<usize>,
}

declare! {
    Interrupts: "interrupts", off, "Interrupts by CPU and interrupt line.";
    labels {
        PerInterrupt { cpu, devices, info, r#type }
    }
    reads {
        INTERRUPTS: File Proc "interrupts";
    }
    flags {
        INCLUDE: Text "collector.interrupts.name-include" = "", "Regexp of interrupts to include, as `name;info;devices`; not together with name-exclude.";
        EXCLUDE: Text "collector.interrupts.name-exclude" = "", "Regexp of interrupts to exclude, as `name;info;devices`; not together with name-include.";
        ZEROS: Switch "collector.interrupts.include-zeros" = "true", "Export interrupts with a count of 0.";
    }
    families {
        INTERRUPTS_TOTAL: Counter "node_interrupts_total" PerInterrupt "Interrupts served since boot.";
    }
}

impl Collect for Interrupts {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let names = Filter::from_flags(options, INCLUDE, EXCLUDE)?;
        Ok(Self {
            names,
            has_zeros: options.get(ZEROS),
            words: Words::default(),
            rows: Vec::new(),
            counts: Vec::new(),
            cpus: Vec::new(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(INTERRUPTS, [])?;
        let mut rows = table::rows(text, cx.problems);
        let Some(head) = rows.next() else {
            return Err(text.error("first row", "the names of CPUs", b"").into());
        };
        let cpus = head.fields().count();
        // Like node_exporter, the columns are counted regardless of their names.
        if !head.fields().all(|name| name.starts_with(b"CPU")) {
            cx.problems.note(head.error("first row", "the names of CPUs", head.bytes));
        }
        self.words.clear();
        self.rows.clear();
        self.counts.clear();
        for line in rows {
            let Some(row) = parse(line, cpus, &mut self.words) else { continue };
            if self.names.ignores(self.words.all(&row)) {
                continue;
            }
            self.rows.push(InterruptRow { counts: self.counts.len(), ..row });
            // CPU numbers are column indices, as in node_exporter, and not the numbers in the header.
            for count in counts(line).take(cpus) {
                let name = line.split_at(b':').map_or(b"".as_slice(), |(name, _)| name);
                self.counts.push(cx.problems.value(line.number::<u64>(name, count)));
            }
        }
        self.emit(cpus, &mut cx.page);
        Ok(())
    }
}

impl Interrupts {
    fn emit(&mut self, cpus: usize, page: &mut PageOf<'_, Self>) {
        let Self { has_zeros, words, rows, counts, cpus: order, .. } = self;
        let key = |row: &InterruptRow| [words.devices(row), words.info(row), words.name(row)];
        // The first of two rows with equal labels is used.
        rows.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then(a.counts.cmp(&b.counts)));
        if order.len() != cpus {
            order.clear();
            order.extend(0..cpus);
            order.sort_unstable_by_key(|cpu| digits::text_order(*cpu as u64));
        }
        for cpu in &*order {
            for row in &*rows {
                let Some(&Some(count)) = counts.get(row.counts + *cpu) else { continue };
                if *has_zeros || count > 0 {
                    let [devices, info, name] = key(row);
                    page.counter(
                        INTERRUPTS_TOTAL,
                        PerInterrupt { cpu, devices: &devices, info: &info, r#type: &name },
                        count,
                    );
                }
            }
        }
    }
}

/// Positions of the words and counts of a row.
#[derive(Clone, Copy, Debug)]
struct InterruptRow {
    start: usize,
    name_end: usize,
    info: (usize, usize),
    end: usize,
    counts: usize,
}

/// `name;info;devices` of every row, in one vector.
#[derive(Default, Debug)]
struct Words(Vec<u8>);

impl Words {
    fn clear(&mut self) {
        self.0.clear();
    }

    /// Joins the words. If the name is a number, the first word is the info and the rest are devices.
    fn push<'a>(&mut self, name: &[u8], mut words: impl Iterator<Item = &'a [u8]>) -> InterruptRow {
        let start = self.0.len();
        self.0.extend_from_slice(name);
        let name_end = self.0.len();
        self.0.push(b';');
        let info_start = self.0.len();
        let info_end;
        if i64::from_text(name).is_some() {
            self.0.extend_from_slice(words.next().unwrap_or_default());
            info_end = self.0.len();
            self.0.push(b';');
            self.join(words);
        } else {
            self.join(words);
            info_end = self.0.len();
            self.0.push(b';');
        }
        InterruptRow { start, name_end, info: (info_start, info_end), end: self.0.len(), counts: 0 }
    }

    fn join<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) {
        for (at, word) in words.enumerate() {
            if at > 0 {
                self.0.push(b' ');
            }
            self.0.extend_from_slice(word);
        }
    }

    fn piece(&self, start: usize, end: usize) -> &[u8] {
        self.0.get(start..end).unwrap_or_default()
    }

    fn all(&self, row: &InterruptRow) -> &[u8] {
        self.piece(row.start, row.end)
    }

    fn name(&self, row: &InterruptRow) -> &[u8] {
        self.piece(row.start, row.name_end)
    }

    fn info(&self, row: &InterruptRow) -> &[u8] {
        self.piece(row.info.0, row.info.1)
    }

    fn devices(&self, row: &InterruptRow) -> &[u8] {
        self.piece(row.info.1 + 1, row.end)
    }
}

/// The fields after the colon, which may not be followed by a space.
fn counts(line: Line<'_>) -> impl Iterator<Item = &[u8]> {
    line.fields_of(line.split_at(b':').map_or(b"", |(_, rest)| rest))
}

/// Parses a row and adds its words to `words`; `None` without words, for ERR and MIS, which have no CPUs.
fn parse(line: Line<'_>, cpus: usize, words: &mut Words) -> Option<InterruptRow> {
    let (name, _) = line.split_at(b':')?;
    let mut rest = counts(line).skip(cpus).peekable();
    rest.peek()?;
    Some(words.push(name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const FILE: &str = "== proc/interrupts\n           CPU0       CPU1       \n  0:         18          0  IR-IO-APIC    2-edge   timer\n\
        NMI:         47       5031   Non-maskable interrupts\nERR:          0\nMIS:          0\n";
    const TIMER: &str = "node_interrupts_total{cpu=\"0\",devices=\"2-edge timer\",info=\"IR-IO-APIC\",type=\"0\"} 18\n";
    const NMI: &str =
        "node_interrupts_total{cpu=\"0\",devices=\"\",info=\"Non-maskable interrupts\",type=\"NMI\"} 47\n";
    const NMI_1: &str =
        "node_interrupts_total{cpu=\"1\",devices=\"\",info=\"Non-maskable interrupts\",type=\"NMI\"} 5031\n";
    const TIMER_1: &str =
        "node_interrupts_total{cpu=\"1\",devices=\"2-edge timer\",info=\"IR-IO-APIC\",type=\"0\"} 0\n";

    #[test]
    fn interrupts_are_counted_by_line_and_cpu() {
        given(FILE).emits::<Interrupts>(&[NMI, TIMER, NMI_1, TIMER_1].concat());
    }

    #[test]
    fn the_first_of_two_rows_with_equal_labels_is_used() {
        let twice = FILE.replace("ERR:          0", "  0:          7          8  IR-IO-APIC    2-edge   timer");
        assert_eq!(given(&twice).scrape::<Interrupts>().samples(), [NMI, TIMER, NMI_1, TIMER_1].concat());
    }

    #[test]
    fn cpus_are_sorted_by_digits() {
        let columns = |what: &dyn Fn(u32) -> String| (0..12).map(what).collect::<Vec<_>>().join(" ");
        let head = columns(&|cpu| format!("CPU{cpu}"));
        let scraped = given(&format!("== proc/interrupts\n{head}\nNMI: {} x\n", columns(&|cpu| cpu.to_string())));
        let samples = scraped.scrape::<Interrupts>().samples();
        let counts: Vec<_> = samples.lines().filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(counts, ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }

    #[test]
    fn lines_and_zeros_can_be_excluded() {
        given(FILE)
            .flags(&["--no-collector.interrupts.include-zeros"])
            .emits::<Interrupts>(&[NMI, TIMER, NMI_1].concat());
        for flag in [
            "--collector.interrupts.name-include=^0;IR-IO-APIC;.* timer$",
            "--collector.interrupts.name-exclude=^NMI;Non-maskable interrupts;$",
        ] {
            given(FILE).flags(&[flag]).emits::<Interrupts>(&[TIMER, TIMER_1].concat());
        }
        let both = ["--collector.interrupts.name-include=a", "--collector.interrupts.name-exclude=b"];
        given("").flags(&both).is_refused::<Interrupts>("mutually exclusive");
        given("")
            .flags(&["--collector.interrupts.name-exclude=("])
            .is_refused::<Interrupts>("name-exclude: expected a regular expression, found `(`");
    }

    #[test]
    fn a_bad_count_costs_only_its_own_samples() {
        for bad in ["x", "-1", "18446744073709551616", "1.5"] {
            given(&FILE.replace("         47", bad)).fails::<Interrupts>(
                &[TIMER, NMI_1, TIMER_1].concat(),
                "interrupts:3: NMI: expected an unsigned integer",
            );
        }
        given("== proc/interrupts\n").fails::<Interrupts>("", "first row: expected the names of CPUs, found nothing");
        given("").fails::<Interrupts>("", "proc/interrupts: no such file");
    }

    #[test]
    fn an_unknown_header_is_reported_and_not_a_failure() {
        let scraped = given("== proc/interrupts\nx y\nNMI: 47 5031 Non-maskable interrupts\n").scrape::<Interrupts>();
        assert_eq!(scraped.samples(), [NMI, NMI_1].concat());
        let success = "node_scrape_collector_success{collector=\"interrupts\"} 1\n";
        assert!(scraped.page.contains(success), "{}", scraped.page);
        assert_eq!(scraped.complaints, ["proc/interrupts:1: first row: expected the names of CPUs, found \"x y\""]);
    }

    #[track_caller]
    fn check(row: &str, expected: Option<(&str, &str, &str)>) {
        let mut words = Words::default();
        let text = Text::new(Mount::Proc, b"interrupts", row.as_bytes());
        let row = parse(text.lines().next().expect("a line"), 2, &mut words);
        let words =
            |row: &InterruptRow| [words.name(row), words.info(row), words.devices(row)].map(String::from_utf8_lossy);
        let found = row.map(|row| words(&row).map(std::borrow::Cow::into_owned));
        assert_eq!(found, expected.map(|(name, info, devices)| [name, info, devices].map(str::to_owned)));
    }

    #[test]
    fn labels_are_the_words_after_the_counts() {
        check(" 16: 1 2 IO-APIC 16-fasteoi usb1, mmc0", Some(("16", "IO-APIC", "16-fasteoi usb1, mmc0")));
        check(" 16: 1 2 dummy", Some(("16", "dummy", "")));
        check("IPI0:1 2  Rescheduling  interrupts", Some(("IPI0", "Rescheduling interrupts", "")));
        check("ERR: 5", None);
        check("LOC: 5 6", None);
        check("no colon 1 2 x", None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_left_out(bytes: Vec<u8>, cpus in 0..4_usize) {
            let mut words = Words::default();
            for line in Text::new(Mount::Proc, b"interrupts", &bytes).lines() {
                if let Some(row) = parse(line, cpus, &mut words) {
                    let found = [words.name(&row), words.info(&row), words.devices(&row)].concat();
                    prop_assert_eq!(found.len() + 2, words.all(&row).len());
                }
            }
        }
    }
}
