//! Comparison with a running machine: a value of the peer must lie between our values before and after.

use std::collections::BTreeMap;

use crate::difference::{AddedLabel, Difference, What, line, types};
use crate::exposition::{Exposition, Family};

/// Differences between the peer's page and our two: types, series that one side lacks, values outside of the range.
/// Families that are not on all three pages are skipped. `fluctuates` names families with fluctuating values, of which
/// only the series are compared.
pub fn outside(
    [before, after]: [&Exposition<'_>; 2],
    theirs: &Exposition<'_>,
    added: &[AddedLabel],
    fluctuates: impl Fn(&str) -> bool,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for theirs in theirs.families.iter().filter(|family| !family.samples.is_empty()) {
        let of = |page: &'_ Exposition<'_>| page.families.iter().position(|family| family.name == theirs.name);
        let (Some(before), Some(after)) =
            (of(before).and_then(|at| before.families.get(at)), of(after).and_then(|at| after.families.get(at)))
        else {
            continue;
        };
        differences.extend(types(before, theirs));
        let mut differ = |what, sign, line: String| {
            differences.push(Difference { family: theirs.name.to_owned(), what, sign, line });
        };
        let [before, theirs_by_series, after] = [before, theirs, after].map(|family| by_series(family, added));
        for (series, value) in &theirs_by_series {
            let bracket: Vec<f64> = [&before, &after].iter().filter_map(|page| page.get(series).copied()).collect();
            if bracket.is_empty() || !(fluctuates(theirs.name) || is_between(&bracket, *value)) {
                let what = if bracket.is_empty() { What::Sample } else { What::Value };
                differ(what, '-', format!("{series} {value}"));
                for own in bracket {
                    differ(what, '+', format!("{series} {own}"));
                }
            }
        }
        for (series, own) in before.iter().filter(|(series, _)| after.contains_key(*series)) {
            if !theirs_by_series.contains_key(series) {
                differ(What::Sample, '+', format!("{series} {own}"));
            }
        }
    }
    differences
}

/// A series that is on one of our pages only has no range.
fn is_between(bracket: &[f64], value: f64) -> bool {
    match *bracket {
        [before, after] if value.is_nan() => before.is_nan() || after.is_nan(),
        [before, after] => (before.min(after)..=before.max(after)).contains(&value),
        _ => true,
    }
}

fn by_series(family: &Family<'_>, added: &[AddedLabel]) -> BTreeMap<String, f64> {
    let series = family.samples.iter().map(|sample| {
        let line = line(sample, family.name, added);
        let series = line.strip_suffix(sample.value).unwrap_or(&line).trim_end().to_owned();
        (series, sample.number.0)
    });
    series.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition;

    #[track_caller]
    fn check(before: &str, theirs: &str, after: &str, expected: &[&str]) {
        let [before, theirs, after] =
            [before, theirs, after].map(|page| exposition::parse(page.as_bytes()).expect("a page"));
        let found = outside([&before, &after], &theirs, &[], |family| family == "fluctuates");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_value_is_inside_or_outside_of_the_range() {
        for value in ["1", "2", "3"] {
            check("a 1\n", &format!("a {value}\n"), "a 3\n", &[]);
            check("a 3\n", &format!("a {value}\n"), "a 1\n", &[]);
        }
        check("a 1\n", "a 4\n", "a 3\n", &["-a 4", "+a 1", "+a 3"]);
        check("a 1\n", "a 0.5\n", "a 3\n", &["-a 0.5", "+a 1", "+a 3"]);
        check("a NaN\n", "a NaN\n", "a NaN\n", &[]);
        check("a NaN\n", "a 1\n", "a NaN\n", &["-a 1", "+a NaN", "+a NaN"]);
        check("fluctuates 1\n", "fluctuates 4\n", "fluctuates 3\n", &[]);
    }

    #[test]
    fn a_series_may_appear_or_disappear_meanwhile() {
        let (few, many) = ("a{x=\"1\"} 1\n", "a{x=\"1\"} 1\na{x=\"2\"} 7\n");
        check(few, many, many, &[]);
        check(many, many, few, &[]);
        check(many, few, few, &[]);
        check(few, many, few, &["-a{x=\"2\"} 7"]);
        check(many, few, many, &["+a{x=\"2\"} 7"]);
    }

    #[test]
    fn types_are_compared_and_families_of_one_page_are_not() {
        let (gauge, counter) = ("# TYPE a gauge\na 1\n", "# TYPE a counter\na 1\n");
        check(gauge, counter, gauge, &["-# TYPE a counter", "+# TYPE a gauge"]);
        check("ours 1\n", "theirs 1\n", "ours 1\n", &[]);
        check("came 1\n", "came 9\n", "other 1\n", &[]);
    }

    #[test]
    fn an_added_label_is_ignored() {
        let ours = exposition::parse(b"a{new=\"1\",x=\"2\"} 1\n").expect("a page");
        let theirs = exposition::parse(b"a{x=\"2\"} 1\n").expect("a page");
        let families = regex::Regex::new("^a$").expect("a pattern");
        let added = [AddedLabel { families, label: "new".to_owned() }];
        assert_eq!(outside([&ours, &ours], &theirs, &added, |_| false), []);
    }
}
