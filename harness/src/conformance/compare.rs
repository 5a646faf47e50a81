//! Comparison of two pages family by family, each assigned to its collector.

use std::collections::{BTreeMap, BTreeSet};

use collectors::ALL;
use collectors::kit::declare::Declared;
use collectors::kit::scraper::Scrape;
use regex::Regex;

use super::Report;
use crate::exposition::{Exposition, Family};

/// Result of one collector.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Expected sample lines that our page has, identical and in order.
    pub matched: usize,
    /// Number of expected sample lines.
    pub expected: usize,
    /// Differences in diff form: `-` is expected, `+` is ours.
    pub differences: Vec<String>,
}

/// Name of the row that counts the families about the exporter itself.
pub const SERVER: &str = "promhttp";

/// The collector that owns a family.
fn owner(family: &str) -> Option<&'static str> {
    if family.starts_with("promhttp_") {
        return Some(SERVER);
    }
    let declarations = ALL.iter().map(|registration| registration.declaration).chain([Scrape::DECLARATION]);
    let mut named =
        declarations.clone().filter(|declaration| declaration.families.iter().any(|own| own.name == family));
    let mut prefixed =
        declarations.filter(|declaration| declaration.prefixes.iter().any(|own| family.starts_with(own.name)));
    named.next().or_else(|| prefixed.next()).map(|declaration| declaration.name)
}

pub(super) fn compare(
    ours: &Exposition<'_>,
    expected: &Exposition<'_>,
    left_out: &Regex,
    enabled: &[&str],
    report: &mut Report,
) {
    report.misplaced = misplaced(ours, expected);
    let ours: BTreeMap<&str, &Family<'_>> = ours.families.iter().map(|family| (family.name, family)).collect();
    let mut seen = BTreeSet::new();
    let is_compared = |family: &&Family<'_>| !left_out.is_match(family.name) && !family.samples.is_empty();
    for family in expected.families.iter().filter(is_compared) {
        seen.insert(family.name);
        let Some(collector) = owner(family.name) else {
            if family.name.starts_with("node_") {
                report.unowned.push(family.name.to_owned());
            } else {
                // Any other family comes from a textfile.
                let tally = report.collectors.entry("textfile").or_default();
                compare_family(ours.get(family.name).copied(), family, tally);
            }
            continue;
        };
        let tally = report.collectors.entry(collector).or_default();
        if family.name == "node_scrape_collector_success" {
            // Only known collectors have this line.
            let is_ours = |line: &&str| enabled.iter().any(|name| line.contains(&format!("\"{name}\"")));
            let lines: Vec<&str> = family.samples.iter().map(|sample| sample.text).filter(is_ours).collect();
            compare_lines(ours.get(family.name).copied(), &lines, tally);
            continue;
        }
        compare_family(ours.get(family.name).copied(), family, tally);
    }
    // The exporter's metrics about itself are not of the host.
    let is_own = |name: &str| node_exporter::instruments::VOLATILE.iter().any(|own| name.starts_with(own));
    let is_new =
        |family: &&Family<'_>| !seen.contains(family.name) && !left_out.is_match(family.name) && !is_own(family.name);
    for family in ours.values().copied().filter(is_new) {
        let tally = report.collectors.entry(owner(family.name).unwrap_or("textfile")).or_default();
        tally.differences.extend(family.samples.iter().map(|sample| format!("+{}", sample.text)));
    }
}

/// Families of both pages whose relative order differs.
fn misplaced(ours: &Exposition<'_>, expected: &Exposition<'_>) -> Vec<String> {
    let names = |page: &Exposition<'_>| page.families.iter().map(|family| family.name.to_owned()).collect::<Vec<_>>();
    let (ours, expected) = (names(ours), names(expected));
    let common = |names: &[String], other: &[String]| {
        let other: BTreeSet<&String> = other.iter().collect();
        names.iter().filter(|name| other.contains(name)).cloned().collect::<Vec<_>>()
    };
    let places = common(&expected, &ours).into_iter().zip(common(&ours, &expected));
    places.filter(|(expected, found)| expected != found).map(|(expected, _)| expected).collect()
}

fn compare_family(ours: Option<&Family<'_>>, expected: &Family<'_>, tally: &mut Tally) {
    if let Some(ours) = ours.filter(|ours| ours.kind != expected.kind) {
        tally.differences.push(format!("-# TYPE {} {}", expected.name, expected.kind));
        tally.differences.push(format!("+# TYPE {} {}", ours.name, ours.kind));
    }
    let lines: Vec<&str> = expected.samples.iter().map(|sample| sample.text).collect();
    compare_lines(ours, &lines, tally);
}

fn compare_lines(ours: Option<&Family<'_>>, expected: &[&str], tally: &mut Tally) {
    let ours: Vec<&str> = ours.iter().flat_map(|family| &family.samples).map(|sample| sample.text).collect();
    tally.expected += expected.len();
    for change in similar::TextDiff::from_slices(expected, &ours).iter_all_changes() {
        match change.tag() {
            similar::ChangeTag::Equal => tally.matched += 1,
            similar::ChangeTag::Delete => tally.differences.push(format!("-{}", change.value())),
            similar::ChangeTag::Insert => tally.differences.push(format!("+{}", change.value())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition;

    #[track_caller]
    fn check(ours: &str, expected: &str, names: &[&str]) {
        let [ours, expected] = [ours, expected].map(|page| exposition::parse(page.as_bytes()).expect("a page"));
        assert_eq!(misplaced(&ours, &expected), names);
    }

    #[test]
    fn a_family_at_another_position_is_misplaced() {
        check("a 1\nb 1\nc 1\n", "a 1\nb 1\nc 1\n", &[]);
        check("a 1\nown 1\nc 1\n", "a 1\nb 1\nc 1\n", &[]);
        check("b 1\na 1\nc 1\n", "a 1\nb 1\nc 1\n", &["a", "b"]);
    }

    #[track_caller]
    fn check_lines(ours: &str, expected: &str, matched: usize, differences: &[&str]) {
        let [ours, expected] = [ours, expected].map(|page| exposition::parse(page.as_bytes()).expect("a page"));
        let mut report = Report::default();
        let nothing = Regex::new("^$").expect("a pattern");
        compare(&ours, &expected, &nothing, &["cpu"], &mut report);
        let tallies: Vec<&Tally> = report.collectors.values().collect();
        let found: Vec<&str> = tallies.iter().flat_map(|tally| &tally.differences).map(String::as_str).collect();
        assert_eq!(
            (tallies.iter().map(|tally| tally.matched).sum::<usize>(), found.as_slice()),
            (matched, differences)
        );
    }

    #[test]
    fn missing_extra_and_reordered_samples_are_differences() {
        let (one, both) = ("node_load1 1\n", "# TYPE x gauge\nx{a=\"1\"} 1\nx{a=\"2\"} 1\n");
        check_lines(one, one, 1, &[]);
        check_lines(one, "node_load1 2\n", 0, &["-node_load1 2", "+node_load1 1"]);
        check_lines(both, both, 2, &[]);
        check_lines(both, "# TYPE x gauge\nx{a=\"1\"} 1\n", 1, &["+x{a=\"2\"} 1"]);
        check_lines("# TYPE x gauge\nx{a=\"1\"} 1\n", both, 1, &["-x{a=\"2\"} 1"]);
        check_lines("own 1\n", one, 0, &["-node_load1 1", "+own 1"]);
        check_lines("# TYPE x counter\nx 1\n", "# TYPE x gauge\nx 1\n", 1, &["-# TYPE x gauge", "+# TYPE x counter"]);
        let success = "node_scrape_collector_success{collector=\"cpu\"} 1\n";
        let another =
            "node_scrape_collector_success{collector=\"cpu\"} 1\nnode_scrape_collector_success{collector=\"xfs\"} 1\n";
        check_lines(another, success, 1, &["+node_scrape_collector_success{collector=\"xfs\"} 1"]);
        check_lines(success, another, 1, &[]);
    }
}
