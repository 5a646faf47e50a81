//! Order of families and samples. The formats do not require one, but ordered pages can be compared.

use super::{Defect, Exposition, Family, Rule, Sample};

/// Notes the first family and sample out of order, and families without samples.
pub(super) fn check(page: &Exposition<'_>, defects: &mut Vec<Defect>) {
    let mut note = |line, rule, problem| defects.push(Defect { line, column: 1, rule, problem });
    for pair in page.families.windows(2) {
        if let [before, family] = pair
            && before.name > family.name
        {
            note(family.line, Rule::FamilyOrder, format!("`{}` follows `{}`", family.name, before.name));
            break;
        }
    }
    for family in &page.families {
        if family.samples.is_empty() {
            note(family.line, Rule::NoSamples, format!("`{}` has no samples", family.name));
        }
        if let Some(sample) = unordered(family) {
            note(sample.line, Rule::SampleOrder, format!("`{}` follows a sample that sorts after it", sample.series()));
        }
    }
}

/// The first sample that is ordered neither by its labels nor, as in client_golang, by number of labels and their
/// values.
fn unordered<'a>(family: &'a Family<'_>) -> Option<&'a Sample<'a>> {
    let by_labels = first_unordered(family, |sample| labels(sample).collect::<Vec<_>>())?;
    first_unordered(family, |sample| {
        (labels(sample).count(), labels(sample).map(|(_, value)| value).collect::<Vec<_>>())
    })?;
    Some(by_labels)
}

/// The labels that identify a metric, without those that distinguish its samples.
fn labels<'a>(sample: &'a Sample<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let labels = sample.labels.iter().filter(|(label, _)| !matches!(*label, "le" | "quantile"));
    labels.map(|(label, value)| (*label, value.as_str()))
}

fn first_unordered<'a, K: Ord>(family: &'a Family<'_>, key: impl Fn(&'a Sample<'_>) -> K) -> Option<&'a Sample<'a>> {
    let mut before: Option<K> = None;
    family.samples.iter().find(|sample| {
        let now = key(sample);
        let is_unordered = before.as_ref().is_some_and(|before| *before > now);
        before = Some(now);
        is_unordered
    })
}
