//! The table of rules, from which messages, the command and the documentation are derived.

use std::fmt;

/// Severity of a defect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Possibly intended.
    Note,
    /// Against the naming conventions; the page can be parsed.
    Lint,
    /// The page is invalid or contradicts itself.
    Error,
}

impl Severity {
    /// All severities, the lowest first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Lint, Self::Error];

    /// The name in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Lint => "lint",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

macro_rules! rules {
    ($($rule:ident, $severity:ident, $name:literal, $about:literal;)*) => {
        /// A rule.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Rule {
            $(#[doc = $about] $rule,)*
        }

        impl Rule {
            /// All rules, the highest severity first.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// Its name in output and in `--ignore`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),* }
            }

            /// Its severity.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity),* }
            }

            /// Description of the reported defect.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$rule => $about),* }
            }
        }
    };
}

rules! {
    Syntax, Error, "syntax", "A line that does not match the format.";
    Encoding, Error, "encoding", "Invalid UTF-8.";
    EmptyPage, Error, "empty-page", "An empty page, which promtool accepts.";
    FinalNewline, Error, "final-newline", "A truncated last line.";
    CarriageReturn, Error, "carriage-return", "A line that ends in CR LF.";
    Escape, Error, "escape", "An invalid escape.";
    Value, Error, "value", "A value or timestamp that is not a number of the format.";
    LabelTwice, Error, "label-twice", "A duplicated label name.";
    NameLabel, Error, "name-label", "The label `__name__`, which is reserved for the metric name.";
    UnknownType, Error, "unknown-type", "A type that the format does not define.";
    MetadataTwice, Error, "metadata-twice", "A second HELP, TYPE or UNIT line of one family.";
    LateMetadata, Error, "late-metadata", "A HELP, TYPE or UNIT line after samples of its family.";
    SplitFamily, Error, "split-family", "A family whose samples are not adjacent.";
    DuplicateSample, Error, "duplicate-sample", "A duplicated series, in any order of labels.";
    StraySample, Error, "stray-sample", "A sample name that the type of its family does not allow.";
    NameClash, Error, "name-clash", "A family named like a sample of another family.";
    CounterValue, Error, "counter-value", "A counter that is negative or NaN.";
    BucketLabel, Error, "bucket-label", "A bucket whose `le` is missing or not a number.";
    BucketOrder, Error, "bucket-order", "Buckets not in ascending order of `le`.";
    BucketFalls, Error, "bucket-falls", "A bucket with a lower count than the previous one.";
    NoInfinity, Error, "no-infinity", "A histogram without its bucket `+Inf`.";
    CountMismatch, Error, "count-mismatch", "A histogram whose count differs from its bucket `+Inf`.";
    MissingPart, Error, "missing-part", "A histogram or summary without its count or sum.";
    CountValue, Error, "count-value", "A count that is negative or NaN.";
    QuantileLabel, Error, "quantile-label", "A summary sample whose `quantile` is missing or not between 0 and 1.";
    QuantileOrder, Error, "quantile-order", "Quantiles not in ascending order.";
    NoEnd, Error, "no-end", "An OpenMetrics page without `# EOF`, or with text after it.";
    Unit, Error, "unit", "A unit that is not the suffix of the name, or that the type does not allow.";
    State, Error, "state", "A state set or info with an invalid value, or without its label.";
    ExemplarPlace, Error, "exemplar-place", "An exemplar in an invalid place, or one that is too long.";
    MixedMetrics, Error, "mixed-metrics", "A metric whose samples are not adjacent.";
    TimestampFalls, Error, "timestamp-falls", "A sample that is older than the previous one of its series.";
    NoHelp, Lint, "no-help", "A family without a HELP text.";
    CounterName, Lint, "counter-name", "A counter without `_total`, or another type with it.";
    BaseUnit, Lint, "base-unit", "A unit other than the base unit.";
    ShortUnit, Lint, "short-unit", "An abbreviated unit.";
    ReservedSuffix, Lint, "reserved-suffix", "A suffix that is reserved for samples of histograms and summaries.";
    ReservedLabel, Lint, "reserved-label", "A label reserved for histograms, summaries or Prometheus.";
    CamelCase, Lint, "camel-case", "A name in camelCase.";
    TypeInName, Lint, "type-in-name", "A name that contains its type.";
    Colon, Lint, "colon", "A name with a colon, which is reserved for recording rules.";
    SpareEscape, Lint, "spare-escape", "An unnecessary escape, which OpenMetrics allows.";
    CanonicalNumber, Note, "canonical-number", "A number in a label in an unusual form, which makes it another series.";
    NoType, Note, "no-type", "A family without a TYPE line.";
    NoSamples, Note, "no-samples", "A family without samples.";
    FamilyOrder, Note, "family-order", "Families not in order of name.";
    SampleOrder, Note, "sample-order", "Samples not in order of labels.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (at, rule) in Rule::ALL.iter().enumerate() {
            assert!(Rule::ALL[..at].iter().all(|other| other.name() != rule.name()), "{rule}");
            assert!(rule.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{rule}");
            assert!(rule.about().ends_with('.'), "{rule}");
        }
        assert!(Rule::ALL.is_sorted_by(|a, b| a.severity() >= b.severity()), "highest severity first");
    }
}
