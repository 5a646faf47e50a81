#![cfg(test)]

use super::*;
use proptest::prelude::*;

/// All defects, except those that the smallest pages always have.
fn found(page: &str, format: Format) -> Vec<String> {
    let judged = judge(page.as_bytes(), format);
    let is_told = |defect: &&Defect| !matches!(defect.rule, Rule::NoHelp | Rule::NoType);
    judged.defects.iter().filter(is_told).map(ToString::to_string).collect()
}

#[track_caller]
fn check(page: &str, expected: &[&str]) {
    assert_eq!(found(page, Format::Text), expected, "{page}");
}

/// The page without its last line.
#[track_caller]
fn check_openmetrics(page: &str, expected: &[&str]) {
    assert_eq!(found(&format!("{page}# EOF\n"), Format::OpenMetrics), expected, "{page}");
}

#[test]
fn a_valid_page_is_parsed() {
    let page = "# HELP a Help.\n# TYPE a gauge\na{x=\"1\\\"2\",y=\"\"} 1e+06\na NaN\n# free words\nb 1 -5\n";
    let page = parse(page.as_bytes()).expect("a good page");
    assert_eq!(page.families.len(), 2);
    let first = &page.families[0];
    assert_eq!((first.name, first.kind, first.help), ("a", "gauge", Some("Help.")));
    assert_eq!(first.samples[0].labels, [("x", "1\"2".to_owned()), ("y", String::new())]);
    assert_eq!(first.samples[0].series(), "a{x=\"1\\\"2\",y=\"\"}");
    assert_eq!(first.samples[0].number, Float(1e6));
    assert_eq!(page.families[1].kind, "untyped");
    assert_eq!(page.families[1].samples[0].timestamp, Some(Float(-5.0)));
    assert_eq!(page.samples(), 3);
}

#[test]
fn a_valid_openmetrics_page_is_parsed() {
    let page = "# TYPE c counter\n# HELP c All.\nc_total{x=\"\\d\"} 1 1.5 # {id=\"é\"} 0.5 1e3\nc_created{x=\"d\"} 1\n\
        # TYPE t_seconds histogram\n# UNIT t_seconds seconds\nt_seconds_bucket{le=\"1.0\"} 1 # {} 1\n\
        t_seconds_bucket{le=\"+Inf\"} 2\nt_seconds_sum 2.0\nt_seconds_count 2\n# TYPE g gaugehistogram\n\
        g_bucket{le=\"+Inf\"} 2\ng_gsum -2.0\ng_gcount 2\n# TYPE s stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n\
        # TYPE i info\ni_info{v=\"1\"} 1\n# TYPE q summary\nq{quantile=\"0.5\"} inf\nq_sum 1\nq_count 1\n# TYPE u unknown\n\
        u -Infinity\nbare nan\n# EOF";
    let judged = judge(page.as_bytes(), Format::OpenMetrics);
    assert_eq!(judged.worst(), Some(Severity::Lint), "{:#?}", judged.defects);
    let graver: Vec<_> = judged.defects.iter().filter(|defect| defect.rule == Rule::SpareEscape).collect();
    assert_eq!(graver.len(), 1);
    let counter = &judged.page.families[0];
    let exemplar = counter.samples[0].exemplar.as_ref().expect("an exemplar");
    assert_eq!(exemplar.labels, [("id", "é".to_owned())]);
    assert_eq!((exemplar.number, exemplar.timestamp), (Float(0.5), Some(Float(1e3))));
    assert_eq!(counter.samples[0].timestamp, Some(Float(1.5)));
    assert_eq!(judged.page.families[1].unit, Some("seconds"));
    assert_eq!(judged.page.families.last().map(|family| family.kind), Some("unknown"));
}

#[test]
fn invalid_lines_are_reported_with_their_position() {
    for page in ["", "\n", " \n\n"] {
        check(page, &["1:1: error: empty page [empty-page]"]);
    }
    check("a 1", &["1:4: error: truncated last line: no newline at its end [final-newline]"]);
    check("a 1\r\n", &["1:4: error: carriage return; lines must end in LF [carriage-return]"]);
    check("1a 1\n", &["1:1: error: expected a metric name: [a-zA-Z0-9_:], not starting with a digit [syntax]"]);
    check("a{x=1} 1\n", &["1:5: error: expected a label value in double quotes [syntax]"]);
    check("a{x=\"1} 1\n", &["1:10: error: unterminated label value [syntax]"]);
    check("a{x=\"\\t\"} 1\n", &["1:7: error: expected one of the escapes \\\\, \\\" and \\n [escape]"]);
    check(
        "# HELP a \\t\n# TYPE a gauge\na 1\n",
        &["1:1: error: expected one of the escapes \\\\ and \\n in a HELP text [escape]"],
    );
    check("a{x=\"1\",x=\"2\"} 1\n", &["1:9: error: the label `x` is duplicated [label-twice]"]);
    check("a{__name__=\"b\"} 1\n", &["1:3: error: `__name__` is reserved for the metric name [name-label]"]);
    check(
        "é 1\na one\n",
        &[
            "1:1: error: expected a metric name: [a-zA-Z0-9_:], not starting with a digit [syntax]",
            "2:3: error: `one` is not a valid value [value]",
        ],
    );
    for value in ["inf", "nan", "1_0", "0x1", "1,5", "1e999", ""] {
        check(&format!("a {value}\n"), &[&format!("1:3: error: `{value}` is not a valid value [value]")]);
    }
    check("a{x=\"é\"} 1 2.5\n", &["1:12: error: `2.5` is not a timestamp in milliseconds [value]"]);
    check("a 1 \n", &["1:5: error: `` is not a timestamp in milliseconds [value]"]);
    check("a 1 2 3\n", &["1:7: error: unexpected text after the timestamp [syntax]"]);
    let judged = judge(b"a 1\nb{x=\"\xff\"} 1\nc 1\n", Format::Text);
    let last = judged.defects.iter().find(|defect| defect.rule == Rule::Encoding).map(ToString::to_string);
    assert_eq!(last.as_deref(), Some("2:6: error: invalid UTF-8; the rest of the page was not parsed [encoding]"));
    assert_eq!(judged.page.samples(), 1);
}

#[test]
fn every_valid_spelling_is_parsed() {
    check(" a\t1\n\n \na_e{x = \"1\" , } +1 5\n#\n#a 1\n", &[]);
}

#[test]
fn families_are_contiguous_with_metadata_once() {
    check("a 1\nb 1\na{x=\"1\"} 2\n", &["3:1: error: the family `a` is split: it began on line 1 [split-family]"]);
    let histogram = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nz 1\nh_count 1\n";
    check(histogram, &["5:1: error: the family `h` is split: it began on line 1 [split-family]"]);
    check("# TYPE a gauge\n# TYPE a gauge\na 1\n", &["2:1: error: second TYPE line for `a` [metadata-twice]"]);
    check("# HELP a x\n# HELP a y\na 1\n", &["2:1: error: second HELP line for `a` [metadata-twice]"]);
    check("a 1\n# TYPE a gauge\n", &["2:1: error: TYPE line after a sample of `a` [late-metadata]"]);
    check("a 1\n# HELP a x\n", &["2:1: error: HELP line after a sample of `a` [late-metadata]"]);
    check(
        "h_sum 1\n# TYPE h histogram\n",
        &[
            "2:1: error: TYPE line for `h` after `h_sum`, which is one of its samples [late-metadata]",
            "2:1: note: `h` has no samples [no-samples]",
            "2:1: note: `h` follows `h_sum` [family-order]",
        ],
    );
    check(
        "# TYPE a gouge\na 1\n",
        &[
            "1:1: error: `a` has the unknown type `gouge`; known types are counter, gauge, histogram, summary, untyped [unknown-type]",
        ],
    );
    check("# TYPE 1 gauge\n", &["1:1: error: `1` is not a metric name [syntax]"]);
    check(
        "# TYPE h histogram\nh 1\n",
        &[
            "1:1: note: `h` has no samples [no-samples]",
            "2:1: error: `h` is not a sample of the histogram `h`; expected h_bucket, h_sum, h_count [stray-sample]",
        ],
    );
    check(
        "# TYPE s summary\ns_sum 1\ns_count 1\n# TYPE s_count counter\n",
        &[
            "4:1: error: `s_count` is a sample name of the family `s` [name-clash]",
            "4:1: note: `s_count` has no samples [no-samples]",
        ],
    );
    check(
        "# TYPE s_count gauge\n# TYPE s summary\ns_sum 1\ns_count 1\n",
        &[
            "1:1: note: `s_count` has no samples [no-samples]",
            "2:1: error: TYPE line for `s` after `s_count`, which is one of its samples [name-clash]",
            "2:1: note: `s` follows `s_count` [family-order]",
        ],
    );
}

#[test]
fn a_series_is_unique_in_any_order_of_labels() {
    check("a 1\na 2\n", &["2:1: error: `a` is duplicated [duplicate-sample]"]);
    let turned = "2:1: error: `a{y=\"2\",x=\"1\"}` is duplicated [duplicate-sample]";
    check("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n", &[turned]);
    check("a 1\na{x=\"\"} 1\n", &["2:1: error: `a{x=\"\"}` is duplicated [duplicate-sample]"]);
    check("a 1 5\na 1 6\n", &["2:1: error: `a` is duplicated [duplicate-sample]"]);
    check("a 1 5\na 1 4\n", &["2:1: error: `a` is older than its previous sample [timestamp-falls]"]);
    check_openmetrics("a 1 5\na 1 6\n", &[]);
    check_openmetrics("a 1 5\na 1 5\n", &["2:1: error: `a` is duplicated [duplicate-sample]"]);
    check_openmetrics("a 1 5\na 1 4\n", &["2:1: error: `a` is older than its previous sample [timestamp-falls]"]);
}

#[test]
fn counters_are_not_negative() {
    for value in ["-1", "NaN", "-Inf"] {
        let expected = format!("2:1: error: counter with value {value}; expected at least 0 [counter-value]");
        check(&format!("# TYPE a_total counter\na_total {value}\n"), &[&expected]);
        check_openmetrics(&format!("# TYPE a counter\na_total {value}\na_created 1\n"), &[&expected]);
    }
    check("# TYPE a_total counter\na_total 0\n", &[]);
}

#[test]
fn inconsistent_histograms_are_errors() {
    let check_histogram = |lines: &str, expected: &[&str]| check(&format!("# TYPE h histogram\n{lines}"), expected);
    check_histogram("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", &[]);
    check_histogram(
        "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
        &["2:1: error: the histogram `h` has no bucket le=\"+Inf\" [no-infinity]"],
    );
    let two = "h_bucket{x=\"1\",le=\"+Inf\"} 1\nh_sum{x=\"1\"} 1\nh_count{x=\"1\"} 1\nh_bucket{x=\"2\",le=\"1\"} 1\nh_sum{x=\"2\"} 1\nh_count{x=\"2\"} 1\n";
    check_histogram(two, &["5:1: error: the histogram `h` has no bucket le=\"+Inf\" [no-infinity]"]);
    check_histogram(
        "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        &["3:1: error: bucket with value 1 after le=\"1\" with 2 [bucket-falls]"],
    );
    check_histogram(
        "h_bucket{le=\"+Inf\"} 2\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 2\n",
        &["3:1: error: the bucket le=\"1\" follows le=\"inf\" [bucket-order]"],
    );
    check_histogram(
        "h_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        &[
            "3:1: error: the bucket le=\"1\" follows le=\"1\" [bucket-order]",
            "3:1: note: le=\"1.0\": other exporters write le=\"1\", which is another series [canonical-number]",
        ],
    );
    check_histogram(
        "h_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 3\n",
        &["4:1: error: count 3 differs from 2 in the bucket le=\"+Inf\" [count-mismatch]"],
    );
    check_histogram(
        "h_bucket{le=\"x\"} 2\nh_bucket 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n",
        &["2:1: error: le=\"x\" is not a number [bucket-label]", "3:1: error: bucket without `le` [bucket-label]"],
    );
    check_histogram(
        "h_bucket{le=\"+Inf\"} 2\n",
        &[
            "2:1: error: the histogram `h` has no `h_count` [missing-part]",
            "2:1: error: the histogram `h` has no `h_sum` [missing-part]",
        ],
    );
    check_histogram(
        "h_bucket{le=\"+Inf\"} -1\nh_sum 1\nh_count -1\n",
        &[
            "2:1: error: bucket with value -1; expected at least 0 [count-value]",
            "4:1: error: count with value -1; expected at least 0 [count-value]",
        ],
    );
}

#[test]
fn summaries_have_ascending_quantiles_between_0_and_1() {
    let check_summary = |lines: &str, expected: &[&str]| {
        check(&format!("# TYPE s summary\n{lines}s_sum 1\ns_count 1\n"), expected);
    };
    check_summary("s{quantile=\"0\"} 1\ns{quantile=\"1\"} 1\n", &[]);
    check_summary("", &[]);
    for quantile in ["2", "-0.1", "NaN", "x"] {
        check_summary(
            &format!("s{{quantile=\"{quantile}\"}} 1\n"),
            &[&format!("2:1: error: quantile=\"{quantile}\" is not between 0 and 1 [quantile-label]")],
        );
    }
    check_summary("s 1\n", &["2:1: error: sample of the summary `s` without `quantile` [quantile-label]"]);
    check_summary(
        "s{quantile=\"0.9\"} 1\ns{quantile=\"0.5\"} 1\n",
        &["3:1: error: the quantile 0.5 follows one that is not smaller [quantile-order]"],
    );
    check(
        "# TYPE s summary\ns_count -1\n",
        &[
            "2:1: error: the summary `s` has no `s_sum` [missing-part]",
            "2:1: error: count with value -1; expected at least 0 [count-value]",
        ],
    );
}

#[test]
fn openmetrics_allows_one_spelling() {
    let no_end = "2:1: error: missing `# EOF`: the page may be truncated [no-end]";
    assert_eq!(found("a 1\n", Format::OpenMetrics), [no_end]);
    let after = found("a 1\n# EOF\na 2\n", Format::OpenMetrics);
    assert_eq!(after, ["3:1: error: unexpected line after `# EOF` [no-end]"]);
    assert!(found("a 1\n# EOF", Format::OpenMetrics).is_empty());
    let name = "expected a metric name: [a-zA-Z0-9_:], not starting with a digit [syntax]";
    check_openmetrics(" a 1\n", &[&format!("1:1: error: {name}")]);
    check_openmetrics("a  1\n", &["1:3: error: `` is not a valid value [value]"]);
    check_openmetrics("a{x=\"1\"}1\n", &["1:9: error: expected one space after the name and labels [syntax]"]);
    check_openmetrics(
        "a{x=\"1\",} 1\n",
        &["1:9: error: expected a label name: [a-zA-Z0-9_], not starting with a digit [syntax]"],
    );
    check_openmetrics("\n", &["1:1: error: empty line; OpenMetrics has none [syntax]"]);
    check_openmetrics(
        "# words of no use\n",
        &["1:1: error: comment; OpenMetrics has HELP, TYPE, UNIT and EOF lines only [syntax]"],
    );
    let parted =
        "1:1: error: expected one space after `#`, the keyword, and the name of a HELP, TYPE or UNIT line [syntax]";
    for line in ["#TYPE a gauge\n", "# HELP a\n", "# words\n"] {
        check_openmetrics(line, &[parted]);
    }
    check_openmetrics("a 1 x\n", &["1:5: error: `x` is not a timestamp in seconds [value]"]);
    check_openmetrics("a 1 +Inf\n", &["1:5: error: `+Inf` is not a timestamp in seconds [value]"]);
    check_openmetrics(
        "# TYPE a untyped\na 1\n",
        &[
            "1:1: error: `a` has the unknown type `untyped`; known types are counter, gauge, histogram, gaugehistogram, stateset, info, \
         summary, unknown [unknown-type]",
        ],
    );
}

#[test]
fn samples_must_match_their_openmetrics_type() {
    check_openmetrics(
        "# TYPE a counter\na 1\n",
        &[
            "1:1: note: `a` has no samples [no-samples]",
            "2:1: error: `a` is not a sample of the counter `a`; expected a_total, a_created [stray-sample]",
        ],
    );
    check_openmetrics(
        "# TYPE a_e gauge\n# UNIT a_e seconds\na_e 1\n",
        &["1:1: error: the unit `seconds`, but `a_e` does not end in `_seconds` [unit]"],
    );
    check_openmetrics(
        "# TYPE a_b info\n# UNIT a_b b\na_b_info 1\n",
        &[
            "1:1: error: a family of type info cannot have a unit [unit]",
            "1:1: lint: `a_b`: spell out the unit `b` [short-unit]",
        ],
    );
    check_openmetrics("# TYPE a info\na_info 2\n", &["2:1: error: info with value 2; expected 1 [state]"]);
    check_openmetrics(
        "# TYPE a stateset\na{a=\"x\"} 2\na 1\n",
        &[
            "2:1: error: state with value 2; expected 0 or 1 [state]",
            "3:1: error: state without the label `a` [state]",
            "3:1: note: `a` follows a sample that sorts after it [sample-order]",
        ],
    );
    check_openmetrics(
        "# TYPE a gauge\na 1 # {x=\"1\"} 1\n",
        &["2:1: error: exemplar of `a`; only buckets and counters may have one [exemplar-place]"],
    );
    check_openmetrics(
        "# TYPE a counter\na_total 1 # {x=\"1\"}\n",
        &[
            "1:1: note: `a` has no samples [no-samples]",
            "2:20: error: expected one space and a value after the labels of an exemplar [syntax]",
        ],
    );
    check_openmetrics(
        "# TYPE a counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 1\na_created{x=\"1\"} 1\n",
        &[
            "4:1: error: `a_created{x=\"1\"}` belongs to an earlier metric [mixed-metrics]",
            "4:1: note: `a_created{x=\"1\"}` follows a sample that sorts after it [sample-order]",
        ],
    );
    check_openmetrics(
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n",
        &["2:1: note: le=\"1\": other exporters write le=\"1.0\", which is another series [canonical-number]"],
    );
    check_openmetrics(
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n",
        &["2:1: error: the histogram `a` has no `a_count` [missing-part]"],
    );
}

#[test]
fn exemplars_are_limited_to_128_characters() {
    let page = |characters: usize| {
        let value = "é".repeat(characters - 1);
        format!("# TYPE a counter\na_total 1 # {{x=\"{value}\"}} 1\n")
    };
    check_openmetrics(&page(EXEMPLAR_MAX_CHARACTERS), &[]);
    check_openmetrics(
        &page(EXEMPLAR_MAX_CHARACTERS + 1),
        &["2:11: error: labels of 129 characters exceed the limit of 128 [exemplar-place]"],
    );
}

#[test]
fn names_are_linted_by_the_conventions() {
    let check_name = |kind: &str, name: &str, expected: &str| {
        let expected = if expected.is_empty() { Vec::new() } else { vec![format!("1:1: lint: {expected}")] };
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&format!("# TYPE {name} {kind}\n{name} 1\n"), &expected);
    };
    check_name("counter", "a", "the counter `a` does not end in `_total` [counter-name]");
    check_name("gauge", "a_total", "`a_total` of type gauge ends in `_total`, the suffix of counters [counter-name]");
    check_name("untyped", "a_total", "");
    check_name("gauge", "a_seconds", "");
    check_name("gauge", "a_hours", "`a_hours`: use the base unit `seconds` instead of `hours` [base-unit]");
    check_name(
        "gauge",
        "a_kilobits_b2",
        "`a_kilobits_b2`: use the base unit `bytes` instead of `kilobits` [base-unit]",
    );
    check_name("gauge", "a_ms", "`a_ms`: spell out the unit `ms` [short-unit]");
    check_name("gauge", "ms", "");
    check_name("gauge", "a_sum", "`a_sum` of type gauge ends in `_sum`, a suffix of other types [reserved-suffix]");
    check_name("gauge", "aB", "`aB`: use snake_case [camel-case]");
    check_name("gauge", "a_gauge", "`a_gauge`: leave `gauge` out; the TYPE line has it [type-in-name]");
    check_name("gauge", "a:b", "`a:b`: colons are reserved for recording rules [colon]");
    check(
        "a{le=\"1\",quantile=\"2\",__x=\"3\",aB=\"4\"} 1\n",
        &[
            "1:1: lint: the label `__x` of `a` is reserved for Prometheus [reserved-label]",
            "1:1: lint: the label `le` of `a` is reserved for histograms [reserved-label]",
            "1:1: lint: the label `quantile` of `a` is reserved for summaries [reserved-label]",
            "1:1: lint: the label `aB` of `a`: use snake_case [camel-case]",
        ],
    );
    let judged = judge(b"a 1\n", Format::Text);
    let told: Vec<String> = judged.defects.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1:1: lint: `a` has no HELP text [no-help]", "1:1: note: `a` has no TYPE line [no-type]"]);
}

#[test]
fn unusual_order_is_a_note() {
    check("b 1\na 1\n", &["2:1: note: `a` follows `b` [family-order]"]);
    check(
        "a{x=\"2\"} 1\na{x=\"1\"} 1\n",
        &["2:1: note: `a{x=\"1\"}` follows a sample that sorts after it [sample-order]"],
    );
    // client_golang writes samples with fewer labels first.
    check("a{z=\"1\"} 1\na{x=\"1\",y=\"1\"} 1\n", &[]);
}

#[test]
fn the_format_is_detected_by_content_type_or_last_line() {
    for (content_type, expected) in [
        ("text/plain; version=0.0.4; charset=utf-8", Some(Format::Text)),
        ("application/openmetrics-text; version=1.0.0", Some(Format::OpenMetrics)),
        ("text/html", None),
    ] {
        assert_eq!(Format::of_content_type(content_type), expected, "{content_type}");
    }
    assert_eq!(Format::of_page(b"a 1\n# EOF\n"), Format::OpenMetrics);
    assert_eq!(Format::of_page(b"a 1\n# EOF"), Format::OpenMetrics);
    assert_eq!(Format::of_page(b"a 1\n"), Format::Text);
}

/// A rule that no test triggers may not work.
#[test]
fn every_rule_has_a_test() {
    let text = include_str!("tests.rs");
    for rule in Rule::ALL {
        assert!(text.contains(&format!("[{rule}]")) || text.contains(&format!("Rule::{rule:?}")), "{rule}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(page: Vec<u8>) {
        judge(&page, Format::Text);
        judge(&page, Format::OpenMetrics);
    }

    #[test]
    fn any_text_of_the_formats_characters_is_parsed_or_refused(page in "[a#{}=\"\\\\\n 1,é_TYPEHLUNOFsumle+]{0,80}") {
        judge(page.as_bytes(), Format::Text);
        judge(page.as_bytes(), Format::OpenMetrics);
    }
}
