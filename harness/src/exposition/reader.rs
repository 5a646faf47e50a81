//! Parser of a page: lines, families, metadata.

use std::collections::BTreeMap;

use super::cursor::{Cursor, is_metric_name};
use super::{Defect, Exposition, Family, Format, Rule, Sample, kinds};

/// Parses a page as far as possible.
pub(super) fn read(page: &[u8], format: Format) -> (Exposition<'_>, Vec<Defect>) {
    let (text, broken) = match std::str::from_utf8(page) {
        Ok(text) => (text, None),
        Err(error) => {
            let (sound, _) = page.split_at(error.valid_up_to());
            let sound = std::str::from_utf8(sound).unwrap_or_default();
            // The line with the invalid byte is not parsed, nor is anything after it.
            let (whole, cut) = sound.split_at(sound.rfind('\n').map_or(0, |end| end + 1));
            let line = whole.lines().count() + 1;
            let problem = "invalid UTF-8; the rest of the page was not parsed".to_owned();
            (whole, Some(Defect { line, column: cut.chars().count() + 1, rule: Rule::Encoding, problem }))
        }
    };
    let mut reader = Reader::new(format);
    if page.trim_ascii().is_empty() {
        reader.defect(1, 1, Rule::EmptyPage, "empty page");
    }
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let whole = line.strip_suffix('\n');
        // The last line of an OpenMetrics page may lack its newline.
        if whole.is_none() && !(format == Format::OpenMetrics && line == END) {
            let column = line.chars().count() + 1;
            reader.defect(number, column, Rule::FinalNewline, "truncated last line: no newline at its end");
        }
        reader.line(number, whole.unwrap_or(line));
    }
    if broken.is_none() {
        reader.end(text);
    }
    reader.defects.extend(broken);
    reader.finish()
}

/// The last line of an OpenMetrics page.
const END: &str = "# EOF";

struct Reader<'a> {
    format: Format,
    page: Exposition<'a>,
    /// Index of each family in the page.
    families: BTreeMap<&'a str, usize>,
    /// Index of the current family.
    open: Option<usize>,
    /// Last timestamp of each series.
    series: BTreeMap<String, Option<f64>>,
    has_ended: bool,
    defects: Vec<Defect>,
}

impl<'a> Reader<'a> {
    fn new(format: Format) -> Self {
        let (page, families, series) = (Exposition::default(), BTreeMap::new(), BTreeMap::new());
        Self { format, page, families, open: None, series, has_ended: false, defects: Vec::new() }
    }

    fn defect(&mut self, line: usize, column: usize, rule: Rule, problem: impl Into<String>) {
        self.defects.push(Defect { line, column, rule, problem: problem.into() });
    }

    fn line(&mut self, number: usize, line: &'a str) {
        if self.has_ended {
            return self.defect(number, 1, Rule::NoEnd, "unexpected line after `# EOF`");
        }
        if line.ends_with('\r') {
            let column = line.chars().count();
            self.defect(number, column, Rule::CarriageReturn, "carriage return; lines must end in LF");
        }
        // Text before the carriage return is parsed anyway.
        let line = line.strip_suffix('\r').unwrap_or(line);
        let shown = if self.format == Format::Text { line.trim_start_matches([' ', '\t']) } else { line };
        if self.format == Format::OpenMetrics && line == END {
            self.has_ended = true;
        } else if shown.starts_with('#') {
            self.comment(number, shown);
        } else if !shown.is_empty() {
            let mut cursor = Cursor::new(number, line, self.format);
            let sample = cursor.sample();
            self.defects.append(&mut cursor.defects);
            match sample {
                Ok(sample) => self.sample(sample),
                Err(defect) => self.defects.push(defect),
            }
        } else if self.format == Format::OpenMetrics {
            self.defect(number, 1, Rule::Syntax, "empty line; OpenMetrics has none");
        }
    }

    fn end(&mut self, text: &str) {
        if self.format == Format::OpenMetrics && !self.has_ended && !text.is_empty() {
            let line = text.lines().count() + 1;
            self.defect(line, 1, Rule::NoEnd, "missing `# EOF`: the page may be truncated");
        }
    }

    fn comment(&mut self, number: usize, line: &'a str) {
        let found = Cursor::new(number, line, self.format).comment();
        let Some((word, name, rest)) = found else {
            let problem = "expected one space after `#`, the keyword, and the name of a HELP, TYPE or UNIT line";
            return self.defect(number, 1, Rule::Syntax, problem);
        };
        let is_unit = word == "UNIT" && self.format == Format::OpenMetrics;
        if word != "HELP" && word != "TYPE" && !is_unit {
            if self.format == Format::OpenMetrics {
                self.defect(number, 1, Rule::Syntax, "comment; OpenMetrics has HELP, TYPE, UNIT and EOF lines only");
            }
            return;
        }
        if !is_metric_name(name) {
            return self.defect(number, 1, Rule::Syntax, format!("`{name}` is not a metric name"));
        }
        let at = self.metadata_family(number, name);
        let format = self.format;
        let family = &mut self.page.families[at];
        let is_second = match word {
            "HELP" => family.help.is_some(),
            "UNIT" => family.unit.is_some(),
            _ => !family.kind.is_empty(),
        };
        let problem = if is_second {
            Some((Rule::MetadataTwice, format!("second {word} line for `{name}`")))
        } else if !family.samples.is_empty() {
            Some((Rule::LateMetadata, format!("{word} line after a sample of `{name}`")))
        } else {
            match word {
                "HELP" => {
                    family.help = Some(rest);
                    escape_problem(rest, format).map(|problem| (Rule::Escape, problem.to_owned()))
                }
                "UNIT" => {
                    family.unit = Some(rest);
                    None
                }
                _ => {
                    family.kind = rest;
                    let words = kinds::words(format);
                    let problem =
                        || format!("`{name}` has the unknown type `{rest}`; known types are {}", words.join(", "));
                    (!words.contains(&rest)).then(|| (Rule::UnknownType, problem()))
                }
            }
        };
        if let Some((rule, problem)) = problem {
            self.defect(number, 1, rule, problem);
        } else if word == "TYPE" {
            self.check_earlier_samples(number, name, rest);
        }
    }

    /// Reports earlier samples whose names belong to this family.
    fn check_earlier_samples(&mut self, number: usize, name: &'a str, kind: &str) {
        let names = kinds::suffixes(kind, self.format).iter().filter(|suffix| !suffix.is_empty());
        let earlier =
            names.map(|suffix| format!("{name}{suffix}")).find(|name| self.families.contains_key(name.as_str()));
        if let Some(earlier) = earlier {
            let at = self.families.get(earlier.as_str()).copied().unwrap_or_default();
            let has_type = !self.page.families[at].kind.is_empty();
            let rule = if has_type { Rule::NameClash } else { Rule::LateMetadata };
            self.defect(
                number,
                1,
                rule,
                format!("TYPE line for `{name}` after `{earlier}`, which is one of its samples"),
            );
        }
    }

    /// The family of a HELP, TYPE or UNIT line: the current one, or a new one.
    fn metadata_family(&mut self, number: usize, name: &'a str) -> usize {
        if !self.families.contains_key(name) {
            let owner = self.owner(name);
            if let Some(owner) = owner {
                let owner = self.page.families[owner].name;
                self.defect(number, 1, Rule::NameClash, format!("`{name}` is a sample name of the family `{owner}`"));
            }
        }
        self.family(number, name)
    }

    /// The family of this name: the current one, a new one, or an earlier one that is split.
    fn family(&mut self, line: usize, name: &'a str) -> usize {
        if let Some(&at) = self.families.get(name) {
            self.reopen(at, line);
            return at;
        }
        let at = self.page.families.len();
        self.page.families.push(Family { name, line, kind: "", help: None, unit: None, samples: Vec::new() });
        self.families.insert(name, at);
        self.open = Some(at);
        at
    }

    fn reopen(&mut self, at: usize, line: usize) {
        if self.open != Some(at) {
            let Family { name, line: begin, .. } = self.page.families[at];
            self.defect(line, 1, Rule::SplitFamily, format!("the family `{name}` is split: it began on line {begin}"));
            self.open = Some(at);
        }
    }

    /// The family whose type gives its samples this name, with a suffix.
    fn owner(&self, sample: &str) -> Option<usize> {
        let stems = kinds::ENDINGS.iter().filter_map(|ending| sample.strip_suffix(ending));
        let mut owners = stems.filter_map(|stem| self.families.get(stem).copied());
        owners.find(|&at| {
            let family = &self.page.families[at];
            kinds::has(family.name, family.kind, sample, self.format)
        })
    }

    fn sample(&mut self, sample: Sample<'a>) {
        let is_own = |at: &usize| {
            let family = &self.page.families[*at];
            kinds::has(family.name, family.kind, sample.name, self.format)
        };
        let own = self.open.filter(is_own).or_else(|| self.families.get(sample.name).copied().filter(is_own));
        let at = match own.or_else(|| self.owner(sample.name)) {
            Some(at) => {
                self.reopen(at, sample.line);
                at
            }
            None if self.families.contains_key(sample.name) => {
                let kind = self.families.get(sample.name).map_or("", |&at| self.page.families[at].kind);
                let name = sample.name;
                let names = kinds::suffixes(kind, self.format).iter().map(|suffix| format!("{name}{suffix}"));
                let names: Vec<String> = names.collect();
                let problem = format!("`{name}` is not a sample of the {kind} `{name}`; expected {}", names.join(", "));
                return self.defect(sample.line, 1, Rule::StraySample, problem);
            }
            None => self.family(sample.line, sample.name),
        };
        self.check_series(&sample);
        self.page.families[at].samples.push(sample);
    }

    fn check_series(&mut self, sample: &Sample<'a>) {
        let timestamp = sample.timestamp.map(|timestamp| timestamp.0);
        let Some(before) = self.series.insert(sample.identity(), timestamp) else { return };
        let series = sample.series();
        let (rule, problem) = match (self.format, before, timestamp) {
            (Format::OpenMetrics, Some(before), Some(now)) if now > before => return,
            (_, Some(before), Some(now)) if now < before => {
                (Rule::TimestampFalls, format!("`{series}` is older than its previous sample"))
            }
            _ => (Rule::DuplicateSample, format!("`{series}` is duplicated")),
        };
        self.defect(sample.line, 1, rule, problem);
    }

    fn finish(mut self) -> (Exposition<'a>, Vec<Defect>) {
        for family in &mut self.page.families {
            if family.kind.is_empty() {
                family.kind = kinds::unknown(self.format);
                if !family.samples.is_empty() {
                    let problem = format!("`{}` has no TYPE line", family.name);
                    self.defects.push(Defect { line: family.line, column: 1, rule: Rule::NoType, problem });
                }
            }
        }
        (self.page, self.defects)
    }
}

/// The defect in the escapes of a HELP text, if any.
fn escape_problem(text: &str, format: Format) -> Option<&'static str> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            match (characters.next(), format) {
                (Some('n' | '\\'), _) | (Some(_), Format::OpenMetrics) => {}
                _ => return Some("expected one of the escapes \\\\ and \\n in a HELP text"),
            }
        }
    }
    None
}
