//! Interrupts of each CPU from /proc/interrupts.

use crate::declare;
use crate::kit::filter::Filter;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::table;

/// How many interrupts each CPU served.
#[derive(Debug)]
pub struct Interrupts {
    names: Filter,
    has_zeros: bool,
    /// What a row says of itself, joined as node_exporter joins it.
    words: Words,
}

declare! {
    Interrupts: "interrupts", off, "How many interrupts of each line each CPU served.";
    reads {
        INTERRUPTS: File Proc "interrupts";
    }
    flags {
        INCLUDE: Text "collector.interrupts.name-include" = "", "Regexp of the interrupts to show, as `name;info;devices`; not together with name-exclude.";
        EXCLUDE: Text "collector.interrupts.name-exclude" = "", "Regexp of the interrupts to leave out, as `name;info;devices`; not together with name-include.";
        ZEROS: Switch "collector.interrupts.include-zeros" = "true", "Show interrupts that never came as well.";
    }
    families {
        INTERRUPTS_TOTAL: Counter "node_interrupts_total" ["cpu", "devices", "info", "type"] "Interrupts that the CPU served since boot.";
    }
}

impl Collect for Interrupts {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let names = Filter::from_flags(options, INCLUDE, EXCLUDE)?;
        Ok(Self { names, has_zeros: options.get(ZEROS), words: Words::default() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(INTERRUPTS, [])?;
        let mut rows = table::rows(text, cx.problems);
        let Some(head) = rows.next() else {
            return Err(text.error("first row", "the names of CPUs", b"").into());
        };
        let cpus = head.fields().count();
        for line in rows {
            let Some(name) = parse(line, cpus, &mut self.words) else { continue };
            if self.names.ignores(self.words.all()) {
                continue;
            }
            // node_exporter counts the columns, whatever CPUs stand above them.
            for (cpu, count) in counts(line).take(cpus).enumerate() {
                let Some(count) = cx.problems.value(line.number::<u64>(name, count)) else { continue };
                if self.has_zeros || count > 0 {
                    cx.page.counter(INTERRUPTS_TOTAL, [&cpu, &self.words.devices(), &self.words.info(), &name], count);
                }
            }
        }
        Ok(())
    }
}

/// `name;info;devices` in one piece of memory.
#[derive(Default, Debug)]
struct Words {
    all: Vec<u8>,
    info: (usize, usize),
}

impl Words {
    /// Joins them; where the name is a number, the first word says what the line is and the rest are its devices.
    fn fill<'a>(&mut self, name: &[u8], mut words: impl Iterator<Item = &'a [u8]>) {
        self.all.clear();
        self.all.extend_from_slice(name);
        self.all.push(b';');
        let start = self.all.len();
        if i64::from_text(name).is_some() {
            self.all.extend_from_slice(words.next().unwrap_or_default());
            self.info = (start, self.all.len());
            self.all.push(b';');
            self.join(words);
        } else {
            self.join(words);
            self.info = (start, self.all.len());
            self.all.push(b';');
        }
    }

    fn join<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) {
        for (at, word) in words.enumerate() {
            if at > 0 {
                self.all.push(b' ');
            }
            self.all.extend_from_slice(word);
        }
    }

    fn all(&self) -> &[u8] {
        &self.all
    }

    fn info(&self) -> &[u8] {
        self.all.get(self.info.0..self.info.1).unwrap_or_default()
    }

    fn devices(&self) -> &[u8] {
        self.all.get(self.info.1 + 1..).unwrap_or_default()
    }
}

/// What stands after the colon; on some machines no space does.
fn counts(line: Line<'_>) -> impl Iterator<Item = &[u8]> {
    line.fields_of(line.split_at(b':').map_or(b"", |(_, rest)| rest))
}

/// The name of a row, whose words are left in `words`; nothing when it has no words: ERR and MIS are of no CPU.
fn parse<'a>(line: Line<'a>, cpus: usize, words: &mut Words) -> Option<&'a [u8]> {
    let (name, _) = line.split_at(b':')?;
    let mut rest = counts(line).skip(cpus).peekable();
    rest.peek()?;
    words.fill(name, rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::root::Mount;
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
    fn each_line_is_counted_for_each_cpu() {
        given(FILE).emits::<Interrupts>(&[NMI, TIMER, NMI_1, TIMER_1].concat());
    }

    #[test]
    fn lines_and_zeros_can_be_left_out() {
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
        given("").flags(&["--collector.interrupts.name-exclude=("]).is_refused::<Interrupts>("name-exclude: `(`");
    }

    #[test]
    fn a_bad_count_costs_itself_alone() {
        for bad in ["x", "-1", "18446744073709551616", "1.5"] {
            given(&FILE.replace("         47", bad))
                .fails::<Interrupts>(&[TIMER, NMI_1, TIMER_1].concat(), "interrupts:3: NMI: expected a whole number");
        }
        given("== proc/interrupts no-newline\n CPU0\n 0: 1 X y\n").fails::<Interrupts>("", "the last line");
        given("== proc/interrupts\n").fails::<Interrupts>("", "first row: expected the names of CPUs, found nothing");
        given("").fails::<Interrupts>("", "proc/interrupts: no such file");
    }

    #[track_caller]
    fn check(row: &str, expected: Option<(&str, &str, &str)>) {
        let mut words = Words::default();
        let text = Text::new(Mount::Proc, b"interrupts", row.as_bytes());
        let name = parse(text.lines().next().expect("a line"), 2, &mut words);
        let found = name
            .map(|name| [name, words.info(), words.devices()].map(|word| String::from_utf8_lossy(word).into_owned()));
        assert_eq!(found, expected.map(|(name, info, devices)| [name, info, devices].map(str::to_owned)));
    }

    #[test]
    fn words_are_what_stands_after_the_counts() {
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
                let _ = parse(line, cpus, &mut words);
                let _ = (words.info(), words.devices());
            }
        }
    }
}
