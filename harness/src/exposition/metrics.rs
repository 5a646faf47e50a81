//! Checks of values and labels by type.

use std::collections::{BTreeMap, BTreeSet};

use super::cursor::{canonical, number};
use super::{Defect, Family, Format, Rule, Sample};

/// Applies the rules for the family's type.
pub(super) fn check(family: &Family<'_>, format: Format, defects: &mut Vec<Defect>) {
    let mut checker = Checker { family, format, defects };
    match family.kind {
        "counter" => checker.counter(),
        "histogram" | "gaugehistogram" => checker.histogram(),
        "summary" => checker.summary(),
        "stateset" => checker.states(),
        "info" => checker.info(),
        _ => {}
    }
    if format == Format::OpenMetrics {
        checker.unit();
        checker.exemplars();
        checker.mixed();
    }
}

struct Checker<'a, 'b> {
    family: &'a Family<'a>,
    format: Format,
    defects: &'b mut Vec<Defect>,
}

impl<'a> Checker<'a, '_> {
    fn defect(&mut self, line: usize, rule: Rule, problem: String) {
        self.defects.push(Defect { line, column: 1, rule, problem });
    }

    fn named(&self, suffix: &'a str) -> impl Iterator<Item = &'a Sample<'a>> + use<'a> {
        let family = self.family;
        family.samples.iter().filter(move |sample| sample.name.strip_prefix(family.name) == Some(suffix))
    }

    /// The samples of each metric: those that differ in this label only.
    fn metrics(&self, left_out: &str) -> Vec<Vec<&'a Sample<'a>>> {
        let mut metrics: BTreeMap<String, Vec<&Sample<'_>>> = BTreeMap::new();
        for sample in &self.family.samples {
            metrics.entry(sample.identity_without("", left_out)).or_default().push(sample);
        }
        metrics.into_values().collect()
    }

    fn counter(&mut self) {
        let created = format!("{}_created", self.family.name);
        for sample in self.family.samples.iter().filter(|sample| sample.name != created) {
            self.not_negative(sample, Rule::CounterValue, "counter");
        }
    }

    fn not_negative(&mut self, sample: &Sample<'_>, rule: Rule, what: &str) {
        if sample.number.0.is_nan() || sample.number.0 < 0.0 {
            self.defect(sample.line, rule, format!("{what} with value {}; expected at least 0", sample.value));
        }
    }

    /// The numeric value of `le` or `quantile`.
    fn bound(&mut self, sample: &Sample<'_>, label: &str) -> Option<f64> {
        let text = sample.label(label)?;
        let bound = number(text, self.format)?;
        let usual = canonical(bound, self.format);
        if usual != text {
            let problem =
                format!("{label}=\"{text}\": other exporters write {label}=\"{usual}\", which is another series");
            self.defect(sample.line, Rule::CanonicalNumber, problem);
        }
        Some(bound)
    }

    fn histogram(&mut self) {
        let name = self.family.name;
        let [sum, count] = if self.family.kind == "histogram" { ["_sum", "_count"] } else { ["_gsum", "_gcount"] };
        for metric in self.metrics("le") {
            let is = |sample: &Sample<'_>, suffix: &str| sample.name.strip_prefix(name) == Some(suffix);
            let line = metric.first().map_or(0, |sample| sample.line);
            let mut buckets = Vec::new();
            for sample in metric.iter().filter(|sample| is(sample, "_bucket")) {
                self.not_negative(sample, Rule::CountValue, "bucket");
                if let Some(bound) = self.bound(sample, "le").filter(|bound| !bound.is_nan()) {
                    buckets.push((bound, *sample));
                } else {
                    let problem = match sample.label("le") {
                        Some(text) => format!("le=\"{text}\" is not a number"),
                        None => "bucket without `le`".to_owned(),
                    };
                    self.defect(sample.line, Rule::BucketLabel, problem);
                }
            }
            self.buckets(&mut buckets);
            let part = |suffix: &str| metric.iter().find(|sample| is(sample, suffix)).copied();
            let last = buckets.last().filter(|(bound, _)| *bound == f64::INFINITY).map(|(_, sample)| *sample);
            if last.is_none() {
                self.defect(line, Rule::NoInfinity, format!("the histogram `{name}` has no bucket le=\"+Inf\""));
            }
            if let (Some(last), Some(count)) = (last, part(count)) {
                self.not_negative(count, Rule::CountValue, "count");
                if last.number != count.number {
                    let problem =
                        format!("count {} differs from {} in the bucket le=\"+Inf\"", count.value, last.value);
                    self.defect(count.line, Rule::CountMismatch, problem);
                }
            }
            self.parts(line, "histogram", [(sum, part(sum)), (count, part(count))]);
        }
    }

    /// Checks the order of buckets and that counts do not decrease. The slice stays in page order.
    fn buckets(&mut self, buckets: &mut [(f64, &Sample<'_>)]) {
        for pair in buckets.windows(2) {
            if let [(before, _), (bound, sample)] = pair
                && bound <= before
            {
                let problem = format!("the bucket le=\"{bound}\" follows le=\"{before}\"");
                self.defect(sample.line, Rule::BucketOrder, problem);
            }
        }
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        for pair in buckets.windows(2) {
            if let [(bound, below), (_, sample)] = pair
                && sample.number.0 < below.number.0
            {
                let problem = format!("bucket with value {} after le=\"{bound}\" with {}", sample.value, below.value);
                self.defect(sample.line, Rule::BucketFalls, problem);
            }
        }
    }

    /// The text format requires both; OpenMetrics both or neither.
    fn parts(&mut self, line: usize, kind: &str, parts: [(&str, Option<&Sample<'_>>); 2]) {
        let is_bare = parts.iter().all(|(_, part)| part.is_none());
        if is_bare && self.format == Format::OpenMetrics {
            return;
        }
        let name = self.family.name;
        for (suffix, _) in parts.iter().filter(|(_, part)| part.is_none()) {
            self.defect(line, Rule::MissingPart, format!("the {kind} `{name}` has no `{name}{suffix}`"));
        }
    }

    fn summary(&mut self) {
        let name = self.family.name;
        for metric in self.metrics("quantile") {
            let line = metric.first().map_or(0, |sample| sample.line);
            let mut before: Option<f64> = None;
            for sample in metric.iter().filter(|sample| sample.name == name) {
                if let Some(quantile) = self.bound(sample, "quantile").filter(|found| (0.0..=1.0).contains(found)) {
                    if before.is_some_and(|before| quantile <= before) {
                        let problem = format!("the quantile {quantile} follows one that is not smaller");
                        self.defect(sample.line, Rule::QuantileOrder, problem);
                    }
                    before = Some(quantile);
                } else {
                    let problem = match sample.label("quantile") {
                        Some(text) => format!("quantile=\"{text}\" is not between 0 and 1"),
                        None => format!("sample of the summary `{name}` without `quantile`"),
                    };
                    self.defect(sample.line, Rule::QuantileLabel, problem);
                }
            }
            let part =
                |suffix: &str| metric.iter().find(|sample| sample.name.strip_prefix(name) == Some(suffix)).copied();
            if let Some(count) = part("_count") {
                self.not_negative(count, Rule::CountValue, "count");
            }
            self.parts(line, "summary", [("_sum", part("_sum")), ("_count", part("_count"))]);
        }
    }

    fn states(&mut self) {
        let name = self.family.name;
        for sample in self.named("") {
            if sample.label(name).is_none() {
                self.defect(sample.line, Rule::State, format!("state without the label `{name}`"));
            }
            if sample.number.0 != 0.0 && sample.number.0.to_bits() != 1.0_f64.to_bits() {
                self.defect(sample.line, Rule::State, format!("state with value {}; expected 0 or 1", sample.value));
            }
        }
    }

    fn info(&mut self) {
        for sample in self.named("_info") {
            if sample.number.0.to_bits() != 1.0_f64.to_bits() {
                self.defect(sample.line, Rule::State, format!("info with value {}; expected 1", sample.value));
            }
        }
    }

    fn unit(&mut self) {
        let Family { name, kind, line, .. } = *self.family;
        let Some(unit) = self.family.unit.filter(|unit| !unit.is_empty()) else { return };
        if name.strip_suffix(unit).is_none_or(|stem| !stem.ends_with('_')) {
            self.defect(line, Rule::Unit, format!("the unit `{unit}`, but `{name}` does not end in `_{unit}`"));
        }
        if matches!(kind, "info" | "stateset") {
            self.defect(line, Rule::Unit, format!("a family of type {kind} cannot have a unit"));
        }
    }

    fn exemplars(&mut self) {
        let name = self.family.name;
        let place = match self.family.kind {
            "counter" => Some("_total"),
            "histogram" | "gaugehistogram" => Some("_bucket"),
            _ => None,
        };
        for sample in self.family.samples.iter().filter(|sample| sample.exemplar.is_some()) {
            if place.is_none() || sample.name.strip_prefix(name) != place {
                let problem = format!("exemplar of `{}`; only buckets and counters may have one", sample.name);
                self.defect(sample.line, Rule::ExemplarPlace, problem);
            }
        }
    }

    /// The samples of one metric must be adjacent.
    fn mixed(&mut self) {
        let left_out = match self.family.kind {
            "histogram" | "gaugehistogram" => "le",
            "summary" => "quantile",
            "stateset" => self.family.name,
            _ => "",
        };
        let (mut before, mut ended) = (None, BTreeSet::new());
        for sample in &self.family.samples {
            let metric = sample.identity_without("", left_out);
            if before.as_ref() != Some(&metric) {
                if ended.contains(&metric) {
                    let problem = format!("`{}` belongs to an earlier metric", sample.series());
                    self.defect(sample.line, Rule::MixedMetrics, problem);
                }
                ended.extend(before.replace(metric));
            }
        }
    }
}
