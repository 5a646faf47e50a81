//! What a page is judged by: one table of rules, from which the messages, the command and the documents take them.

use std::fmt;

/// How much a defect weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Worth a thought; nobody is misled.
    Note,
    /// Against the conventions of names: the page can be read, and people will stumble.
    Lint,
    /// The page cannot be read, or contradicts itself.
    Error,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Lint, Self::Error];

    /// The word that messages have.
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
        /// One rule.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Rule {
            $(#[doc = $about] $rule,)*
        }

        impl Rule {
            /// All of them, the gravest first.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// The name under which it is reported and left out.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),* }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity),* }
            }

            /// What it finds.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$rule => $about),* }
            }
        }
    };
}

rules! {
    Syntax, Error, "syntax", "A line that the format does not know.";
    Encoding, Error, "encoding", "Bytes that are no UTF-8.";
    EmptyPage, Error, "empty-page", "A page with nothing on it, which promtool takes for a good one.";
    FinalNewline, Error, "final-newline", "A last line without its end: the page may have been cut.";
    CarriageReturn, Error, "carriage-return", "A line that ends as on Windows.";
    Escape, Error, "escape", "A backslash before a character that needs none.";
    Value, Error, "value", "A value or timestamp that is no number of the format.";
    LabelTwice, Error, "label-twice", "A label that its sample has already.";
    NameLabel, Error, "name-label", "The label `__name__`, which is the metric's name itself.";
    UnknownType, Error, "unknown-type", "A type that the format does not have.";
    MetadataTwice, Error, "metadata-twice", "A second HELP, TYPE or UNIT line of one family.";
    LateMetadata, Error, "late-metadata", "A HELP, TYPE or UNIT line after samples of its family.";
    SplitFamily, Error, "split-family", "A family that goes on after another one began.";
    DuplicateSample, Error, "duplicate-sample", "A series that is there already, in whatever order its labels stand.";
    StraySample, Error, "stray-sample", "A sample whose name its family's type does not have.";
    NameClash, Error, "name-clash", "A family whose name is that of another one's samples.";
    CounterValue, Error, "counter-value", "A counter that is negative or no number.";
    BucketLabel, Error, "bucket-label", "A bucket without `le`, or with one that is no number.";
    BucketOrder, Error, "bucket-order", "Buckets that do not stand by their `le`, each once.";
    BucketFalls, Error, "bucket-falls", "A bucket that counts less than the one below it.";
    NoInfinity, Error, "no-infinity", "A histogram without its bucket `+Inf`.";
    CountMismatch, Error, "count-mismatch", "A histogram whose count is not that of its bucket `+Inf`.";
    MissingPart, Error, "missing-part", "A histogram or summary without the count or sum that goes with the rest.";
    CountValue, Error, "count-value", "A count that is negative or no number.";
    QuantileLabel, Error, "quantile-label", "A sample of a summary without `quantile`, or with one that is not within 0 and 1.";
    QuantileOrder, Error, "quantile-order", "Quantiles that do not stand in their order, each once.";
    NoEnd, Error, "no-end", "An OpenMetrics page without `# EOF`, or with something after it.";
    Unit, Error, "unit", "A unit that the name does not end in, or that the type cannot have.";
    State, Error, "state", "A state set or info with another value than it can have, or without its label.";
    ExemplarPlace, Error, "exemplar-place", "An exemplar where there can be none, or one that is too long.";
    MixedMetrics, Error, "mixed-metrics", "Samples of one metric with those of another between them.";
    TimestampFalls, Error, "timestamp-falls", "A sample that is older than the one of its series above it.";
    NoHelp, Lint, "no-help", "A family without a HELP text.";
    CounterName, Lint, "counter-name", "A counter without `_total`, or another family with it.";
    BaseUnit, Lint, "base-unit", "A unit that has a base unit to be used in its place.";
    ShortUnit, Lint, "short-unit", "A unit that is abbreviated.";
    ReservedSuffix, Lint, "reserved-suffix", "An ending that samples of histograms and summaries have.";
    ReservedLabel, Lint, "reserved-label", "A label that is a histogram's, a summary's or Prometheus' own.";
    CamelCase, Lint, "camel-case", "A name in camelCase.";
    TypeInName, Lint, "type-in-name", "A name that holds its type.";
    Colon, Lint, "colon", "A name with a colon, which is for recording rules.";
    SpareEscape, Lint, "spare-escape", "A backslash that OpenMetrics allows and nobody needs.";
    CanonicalNumber, Note, "canonical-number", "A number that exporters write in another way: the same one would be another label.";
    NoType, Note, "no-type", "A family without a TYPE line.";
    NoSamples, Note, "no-samples", "A family without a sample.";
    FamilyOrder, Note, "family-order", "Families that do not stand by their names.";
    SampleOrder, Note, "sample-order", "Samples that do not stand by their labels.";
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
    fn the_table_is_sound() {
        for (at, rule) in Rule::ALL.iter().enumerate() {
            assert!(Rule::ALL[..at].iter().all(|other| other.name() != rule.name()), "{rule}");
            assert!(rule.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{rule}");
            assert!(rule.about().ends_with('.'), "{rule}");
        }
        assert!(Rule::ALL.is_sorted_by(|a, b| a.severity() >= b.severity()), "the gravest first");
    }
}
