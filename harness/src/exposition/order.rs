//! In what order families and samples stand: nobody has to keep it, and pages that do can be compared.

use super::{Defect, Exposition, Family, Rule, Sample};

/// Notes the first that stands in another order, and families of which nothing follows.
pub(super) fn check(page: &Exposition<'_>, defects: &mut Vec<Defect>) {
    let mut note = |line, rule, problem| defects.push(Defect { line, column: 1, rule, problem });
    for pair in page.families.windows(2) {
        if let [before, family] = pair
            && before.name > family.name
        {
            note(family.line, Rule::FamilyOrder, format!("`{}` stands after `{}`", family.name, before.name));
            break;
        }
    }
    for family in &page.families {
        if family.samples.is_empty() {
            note(family.line, Rule::NoSamples, format!("`{}` has no sample", family.name));
        }
        if let Some(sample) = unordered(family) {
            note(sample.line, Rule::SampleOrder, format!("`{}` stands after one that it precedes", sample.series()));
        }
    }
}

/// The first sample that stands neither by its labels nor, as client_golang's do, by how many they are and their values.
fn unordered<'a>(family: &'a Family<'_>) -> Option<&'a Sample<'a>> {
    let by_labels = first_unordered(family, |sample| labels(sample).collect::<Vec<_>>())?;
    first_unordered(family, |sample| {
        (labels(sample).count(), labels(sample).map(|(_, value)| value).collect::<Vec<_>>())
    })?;
    Some(by_labels)
}

/// What a metric is told by; its own samples keep an order of theirs.
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
