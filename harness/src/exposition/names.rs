//! Naming conventions for families and labels: those of promtool and a few more.

use super::{Defect, Family, Format, Rule, kinds};

/// Base units.
const BASE_UNITS: &[&str] =
    &["amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "ratio", "seconds", "volts"];

/// Units with the base unit to use instead.
const OTHER_UNITS: &[(&str, &str)] = &[
    ("bits", "bytes"),
    ("calories", "joules"),
    ("days", "seconds"),
    ("fahrenheit", "celsius"),
    ("feet", "meters"),
    ("hours", "seconds"),
    ("inches", "meters"),
    ("kelvins", "kelvin"),
    ("miles", "meters"),
    ("minutes", "seconds"),
    ("ounces", "grams"),
    ("percent", "ratio"),
    ("pounds", "grams"),
    ("rankine", "celsius"),
    ("weeks", "seconds"),
    ("yards", "meters"),
];

/// Prefixes that turn a base unit into another unit.
const PREFIXES: &[&str] = &[
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mebi", "mibi", "giga",
    "gibi", "tera", "tebi", "peta", "pebi",
];

/// Abbreviated units.
const SHORT_UNITS: &[&str] = &[
    "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d", "kib", "mib", "gib", "mhz", "khz",
    "ghz",
];

/// Types that a name should not contain.
const TYPES: &[&str] = &["gauge", "counter", "histogram", "summary"];

/// Applies the conventions to one family. A family without samples is skipped.
pub(super) fn check(family: &Family<'_>, format: Format, defects: &mut Vec<Defect>) {
    if family.samples.is_empty() {
        return;
    }
    let mut lint = |line, rule, problem: String| defects.push(Defect { line, column: 1, rule, problem });
    let Family { name, line, kind, .. } = *family;
    if family.help.is_none_or(|help| help.trim().is_empty()) {
        lint(line, Rule::NoHelp, format!("`{name}` has no HELP text"));
    }
    if let Some(problem) = counter_problem(name, kind, format) {
        lint(line, Rule::CounterName, problem);
    }
    if let Some((unit, base)) = name.split('_').find_map(|word| Some((word, base_of(word)?))) {
        lint(line, Rule::BaseUnit, format!("`{name}`: use the base unit `{base}` instead of `{unit}`"));
    }
    // The first word of a name is not its unit.
    if let Some(unit) = name.split('_').skip(1).find(|word| SHORT_UNITS.contains(word)) {
        lint(line, Rule::ShortUnit, format!("`{name}`: spell out the unit `{unit}`"));
    }
    if let Some(ending) = reserved_ending(name, kind, format) {
        lint(
            line,
            Rule::ReservedSuffix,
            format!("`{name}` of type {kind} ends in `{ending}`, a suffix of other types"),
        );
    }
    if has_camels(name) {
        lint(line, Rule::CamelCase, format!("`{name}`: use snake_case"));
    }
    let lower = name.to_ascii_lowercase();
    if let Some(found) = TYPES.iter().find(|word| lower.split('_').skip(1).any(|part| part == **word)) {
        lint(line, Rule::TypeInName, format!("`{name}`: leave `{found}` out; the TYPE line has it"));
    }
    if name.contains(':') {
        lint(line, Rule::Colon, format!("`{name}`: colons are reserved for recording rules"));
    }
    for (label, sample) in first_uses(family) {
        let place = sample.line;
        let owner = match label {
            "le" if !matches!(kind, "histogram" | "gaugehistogram") => Some("histograms"),
            "quantile" if kind != "summary" => Some("summaries"),
            _ if label.starts_with("__") => Some("Prometheus"),
            _ => None,
        };
        if let Some(owner) = owner {
            lint(place, Rule::ReservedLabel, format!("the label `{label}` of `{name}` is reserved for {owner}"));
        }
        if has_camels(label) {
            lint(place, Rule::CamelCase, format!("the label `{label}` of `{name}`: use snake_case"));
        }
    }
}

/// Each label of a family, with the first sample that has it.
fn first_uses<'a>(family: &'a Family<'_>) -> impl Iterator<Item = (&'a str, &'a super::Sample<'a>)> {
    let mut seen = std::collections::BTreeMap::new();
    for sample in &family.samples {
        for (label, _) in &sample.labels {
            seen.entry(*label).or_insert(sample);
        }
    }
    seen.into_iter()
}

fn counter_problem(name: &str, kind: &str, format: Format) -> Option<String> {
    // In OpenMetrics the family's name lacks `_total`, and the sample's name is checked by its type.
    let is_total = name.ends_with("_total");
    match kind {
        "counter" if format == Format::Text && !is_total => {
            Some(format!("the counter `{name}` does not end in `_total`"))
        }
        "counter" | "untyped" | "unknown" => None,
        _ => is_total.then(|| format!("`{name}` of type {kind} ends in `_total`, the suffix of counters")),
    }
}

fn base_of(word: &str) -> Option<&'static str> {
    let is_base = |unit: &&&str| **unit == word;
    if BASE_UNITS.iter().any(|unit| is_base(&unit)) {
        return None;
    }
    let other = |word: &str| OTHER_UNITS.iter().find(|(unit, _)| *unit == word).map(|(_, base)| *base);
    other(word).or_else(|| {
        let rest = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix))?;
        BASE_UNITS.iter().find(|unit| **unit == rest).copied().or_else(|| other(rest))
    })
}

fn reserved_ending(name: &str, kind: &str, format: Format) -> Option<&'static str> {
    let own = kinds::suffixes(kind, format);
    let is_free = matches!(kind, "untyped" | "unknown");
    let mut endings = ["_bucket", "_count", "_sum"].into_iter();
    endings.find(|ending| !is_free && name.ends_with(ending) && !own.contains(ending))
}

/// Whether a lower-case letter is followed by a capital.
fn has_camels(name: &str) -> bool {
    name.as_bytes().windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
}
