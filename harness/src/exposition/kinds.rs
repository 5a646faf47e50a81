//! Types of families: their names in TYPE lines, and the suffixes of their samples.

use super::Format;

/// The types of a format.
pub(super) const fn words(format: Format) -> &'static [&'static str] {
    match format {
        Format::Text => &["counter", "gauge", "histogram", "summary", "untyped"],
        Format::OpenMetrics => {
            &["counter", "gauge", "histogram", "gaugehistogram", "stateset", "info", "summary", "unknown"]
        }
    }
}

/// The type of a family without a TYPE line.
pub(super) const fn unknown(format: Format) -> &'static str {
    match format {
        Format::Text => "untyped",
        Format::OpenMetrics => "unknown",
    }
}

/// The suffixes that samples of a type add to the family's name.
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

/// Whether a sample of this name belongs to the family.
pub(super) fn has(family: &str, kind: &str, sample: &str, format: Format) -> bool {
    sample.strip_prefix(family).is_some_and(|suffix| suffixes(kind, format).contains(&suffix))
}

/// Every suffix of any type.
pub(super) const ENDINGS: &[&str] = &["_bucket", "_sum", "_count", "_total", "_created", "_gsum", "_gcount", "_info"];
