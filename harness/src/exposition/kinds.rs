//! What the types of families have: the words of their TYPE lines, and how their samples are called.

use super::Format;

/// The words of TYPE lines.
pub(super) const fn words(format: Format) -> &'static [&'static str] {
    match format {
        Format::Text => &["counter", "gauge", "histogram", "summary", "untyped"],
        Format::OpenMetrics => {
            &["counter", "gauge", "histogram", "gaugehistogram", "stateset", "info", "summary", "unknown"]
        }
    }
}

/// The word for a family of which nobody knows.
pub(super) const fn unknown(format: Format) -> &'static str {
    match format {
        Format::Text => "untyped",
        Format::OpenMetrics => "unknown",
    }
}

/// What the names of a family's samples add to its own.
pub(super) fn suffixes(kind: &str, format: Format) -> &'static [&'static str] {
    match (kind, format) {
        ("histogram", Format::Text) => &["_bucket", "_sum", "_count"],
        ("summary", Format::Text) => &["", "_sum", "_count"],
        ("counter", Format::OpenMetrics) => &["_total", "_created"],
        ("histogram", Format::OpenMetrics) => &["_bucket", "_sum", "_count", "_created"],
        ("gaugehistogram", Format::OpenMetrics) => &["_bucket", "_gsum", "_gcount"],
        ("summary", Format::OpenMetrics) => &["", "_sum", "_count", "_created"],
        ("info", Format::OpenMetrics) => &["_info"],
        _ => &[""],
    }
}

/// Whether a sample of this name is one of the family.
pub(super) fn has(family: &str, kind: &str, sample: &str, format: Format) -> bool {
    sample.strip_prefix(family).is_some_and(|suffix| suffixes(kind, format).contains(&suffix))
}

/// Every ending that the sample of some family may add to its name.
pub(super) const ENDINGS: &[&str] = &["_bucket", "_sum", "_count", "_total", "_created", "_gsum", "_gcount", "_info"];
