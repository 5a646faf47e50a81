#![cfg(test)]

use super::*;
use proptest::prelude::*;

/// What is found, mildest things included, but for what the smallest pages never have.
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
fn a_good_page_is_taken_apart() {
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
fn a_good_page_of_openmetrics_is_taken_apart() {
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
fn lines_that_cannot_be_read_are_named_with_their_place() {
    for page in ["", "\n", " \n\n"] {
        check(page, &["1:1: error: the page is empty [empty-page]"]);
    }
    check("a 1", &["1:4: error: the last line has no newline at its end [final-newline]"]);
    check("a 1\r\n", &["1:4: error: a carriage return; lines end in LF alone [carriage-return]"]);
    check("1a 1\n", &["1:1: error: a metric name begins here, of [a-zA-Z0-9_:] without a digit first [syntax]"]);
    check("a{x=1} 1\n", &["1:5: error: a label value stands in double quotes [syntax]"]);
    check("a{x=\"1} 1\n", &["1:10: error: the label value does not end [syntax]"]);
    check("a{x=\"\\t\"} 1\n", &["1:7: error: only \\\\, \\\" and \\n are escapes [escape]"]);
    check(
        "# HELP a \\t\n# TYPE a gauge\na 1\n",
        &["1:1: error: only \\\\ and \\n are escapes in a HELP text [escape]"],
    );
    check("a{x=\"1\",x=\"2\"} 1\n", &["1:9: error: the label `x` is there already [label-twice]"]);
    check("a{__name__=\"b\"} 1\n", &["1:3: error: `__name__` is the metric's name itself [name-label]"]);
    check(
        "é 1\na one\n",
        &[
            "1:1: error: a metric name begins here, of [a-zA-Z0-9_:] without a digit first [syntax]",
            "2:3: error: `one` is no value [value]",
        ],
    );
    for value in ["inf", "nan", "1_0", "0x1", "1,5", "1e999", ""] {
        check(&format!("a {value}\n"), &[&format!("1:3: error: `{value}` is no value [value]")]);
    }
    check("a{x=\"é\"} 1 2.5\n", &["1:12: error: `2.5` is no timestamp in milliseconds [value]"]);
    check("a 1 \n", &["1:5: error: `` is no timestamp in milliseconds [value]"]);
    check("a 1 2 3\n", &["1:7: error: nothing may follow the timestamp [syntax]"]);
    let judged = judge(b"a 1\nb{x=\"\xff\"} 1\nc 1\n", Format::Text);
    let last = judged.defects.iter().find(|defect| defect.rule == Rule::Encoding).map(ToString::to_string);
    assert_eq!(last.as_deref(), Some("2:6: error: bytes that are no UTF-8; nothing from here on was read [encoding]"));
    assert_eq!(judged.page.samples(), 1);
}

#[test]
fn what_may_be_written_in_several_ways_is_read() {
    check(" a\t1\n\n \na_e{x = \"1\" , } +1 5\n#\n#a 1\n", &[]);
}

#[test]
fn families_stand_together_and_say_what_they_are_once() {
    check("a 1\nb 1\na{x=\"1\"} 2\n", &["3:1: error: the family `a` is split: it began on line 1 [split-family]"]);
    let histogram = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nz 1\nh_count 1\n";
    check(histogram, &["5:1: error: the family `h` is split: it began on line 1 [split-family]"]);
    check("# TYPE a gauge\n# TYPE a gauge\na 1\n", &["2:1: error: a second TYPE line for `a` [metadata-twice]"]);
    check("# HELP a x\n# HELP a y\na 1\n", &["2:1: error: a second HELP line for `a` [metadata-twice]"]);
    check("a 1\n# TYPE a gauge\n", &["2:1: error: a TYPE line after a sample for `a` [late-metadata]"]);
    check("a 1\n# HELP a x\n", &["2:1: error: a HELP line after a sample for `a` [late-metadata]"]);
    check(
        "h_sum 1\n# TYPE h histogram\n",
        &[
            "2:1: error: a TYPE line for `h` after `h_sum`, which is one of its samples [late-metadata]",
            "2:1: note: `h` has no sample [no-samples]",
            "2:1: note: `h` stands after `h_sum` [family-order]",
        ],
    );
    check(
        "# TYPE a gouge\na 1\n",
        &[
            "1:1: error: `gouge` is no type of `a`; types are counter, gauge, histogram, summary, untyped [unknown-type]",
        ],
    );
    check("# TYPE 1 gauge\n", &["1:1: error: `1` is no metric name [syntax]"]);
    check(
        "# TYPE h histogram\nh 1\n",
        &[
            "1:1: note: `h` has no sample [no-samples]",
            "2:1: error: `h` is no sample of the histogram `h`, which has h_bucket, h_sum, h_count [stray-sample]",
        ],
    );
    check(
        "# TYPE s summary\ns_sum 1\ns_count 1\n# TYPE s_count counter\n",
        &[
            "4:1: error: `s_count` is the name of a sample of `s` [name-clash]",
            "4:1: note: `s_count` has no sample [no-samples]",
        ],
    );
    check(
        "# TYPE s_count gauge\n# TYPE s summary\ns_sum 1\ns_count 1\n",
        &[
            "1:1: note: `s_count` has no sample [no-samples]",
            "2:1: error: a TYPE line for `s` after `s_count`, which is one of its samples [name-clash]",
            "2:1: note: `s` stands after `s_count` [family-order]",
        ],
    );
}

#[test]
fn a_series_is_there_once_in_whatever_order_its_labels_stand() {
    check("a 1\na 2\n", &["2:1: error: `a` is there already [duplicate-sample]"]);
    let turned = "2:1: error: `a{y=\"2\",x=\"1\"}` is there already [duplicate-sample]";
    check("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n", &[turned]);
    check("a 1\na{x=\"\"} 1\n", &["2:1: error: `a{x=\"\"}` is there already [duplicate-sample]"]);
    check("a 1 5\na 1 6\n", &["2:1: error: `a` is there already [duplicate-sample]"]);
    check("a 1 5\na 1 4\n", &["2:1: error: `a` is older than its sample further up [timestamp-falls]"]);
    check_openmetrics("a 1 5\na 1 6\n", &[]);
    check_openmetrics("a 1 5\na 1 5\n", &["2:1: error: `a` is there already [duplicate-sample]"]);
    check_openmetrics("a 1 5\na 1 4\n", &["2:1: error: `a` is older than its sample further up [timestamp-falls]"]);
}

#[test]
fn counters_count_up_from_nothing() {
    for value in ["-1", "NaN", "-Inf"] {
        let expected = format!("2:1: error: a counter of {value}; it counts from 0 up [counter-value]");
        check(&format!("# TYPE a_total counter\na_total {value}\n"), &[&expected]);
        check_openmetrics(&format!("# TYPE a counter\na_total {value}\na_created 1\n"), &[&expected]);
    }
    check("# TYPE a_total counter\na_total 0\n", &[]);
}

#[test]
fn histograms_do_not_contradict_themselves() {
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
        &["3:1: error: a bucket of 1, below which le=\"1\" has 2 already [bucket-falls]"],
    );
    check_histogram(
        "h_bucket{le=\"+Inf\"} 2\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 2\n",
        &["3:1: error: the bucket le=\"1\" stands after le=\"inf\" [bucket-order]"],
    );
    check_histogram(
        "h_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        &[
            "3:1: error: the bucket le=\"1\" stands after le=\"1\" [bucket-order]",
            "3:1: note: le=\"1.0\" is written le=\"1\" by others, which is another series [canonical-number]",
        ],
    );
    check_histogram(
        "h_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 3\n",
        &["4:1: error: a count of 3, but 2 in the bucket le=\"+Inf\" [count-mismatch]"],
    );
    check_histogram(
        "h_bucket{le=\"x\"} 2\nh_bucket 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n",
        &["2:1: error: le=\"x\" is no number [bucket-label]", "3:1: error: a bucket without `le` [bucket-label]"],
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
            "2:1: error: a bucket of -1; it counts from 0 up [count-value]",
            "4:1: error: a count of -1; it counts from 0 up [count-value]",
        ],
    );
}

#[test]
fn summaries_have_quantiles_between_0_and_1_in_order() {
    let check_summary = |lines: &str, expected: &[&str]| {
        check(&format!("# TYPE s summary\n{lines}s_sum 1\ns_count 1\n"), expected);
    };
    check_summary("s{quantile=\"0\"} 1\ns{quantile=\"1\"} 1\n", &[]);
    check_summary("", &[]);
    for quantile in ["2", "-0.1", "NaN", "x"] {
        check_summary(
            &format!("s{{quantile=\"{quantile}\"}} 1\n"),
            &[&format!("2:1: error: quantile=\"{quantile}\" is not within 0 and 1 [quantile-label]")],
        );
    }
    check_summary("s 1\n", &["2:1: error: a sample of the summary `s` without `quantile` [quantile-label]"]);
    check_summary(
        "s{quantile=\"0.9\"} 1\ns{quantile=\"0.5\"} 1\n",
        &["3:1: error: the quantile 0.5 stands after one that is not smaller [quantile-order]"],
    );
    check(
        "# TYPE s summary\ns_count -1\n",
        &[
            "2:1: error: the summary `s` has no `s_sum` [missing-part]",
            "2:1: error: a count of -1; it counts from 0 up [count-value]",
        ],
    );
}

#[test]
fn openmetrics_has_no_room_for_variants() {
    let no_end = "2:1: error: the page does not end in `# EOF`: it may have been cut [no-end]";
    assert_eq!(found("a 1\n", Format::OpenMetrics), [no_end]);
    let after = found("a 1\n# EOF\na 2\n", Format::OpenMetrics);
    assert_eq!(after, ["3:1: error: nothing may follow `# EOF` [no-end]"]);
    assert!(found("a 1\n# EOF", Format::OpenMetrics).is_empty());
    let name = "a metric name begins here, of [a-zA-Z0-9_:] without a digit first [syntax]";
    check_openmetrics(" a 1\n", &[&format!("1:1: error: {name}")]);
    check_openmetrics("a  1\n", &["1:3: error: `` is no value [value]"]);
    check_openmetrics("a{x=\"1\"}1\n", &["1:9: error: one space follows the name and its labels [syntax]"]);
    check_openmetrics(
        "a{x=\"1\",} 1\n",
        &["1:9: error: a label name begins here, of [a-zA-Z0-9_] without a digit first [syntax]"],
    );
    check_openmetrics("\n", &["1:1: error: an empty line, which OpenMetrics does not have [syntax]"]);
    check_openmetrics(
        "# words of no use\n",
        &["1:1: error: a comment, which OpenMetrics does not have: only HELP, TYPE, UNIT and EOF [syntax]"],
    );
    let parted = "1:1: error: one space follows the `#`, the word, and the name of a HELP, TYPE or UNIT line [syntax]";
    for line in ["#TYPE a gauge\n", "# HELP a\n", "# words\n"] {
        check_openmetrics(line, &[parted]);
    }
    check_openmetrics("a 1 x\n", &["1:5: error: `x` is no timestamp in seconds [value]"]);
    check_openmetrics("a 1 +Inf\n", &["1:5: error: `+Inf` is no timestamp in seconds [value]"]);
    check_openmetrics(
        "# TYPE a untyped\na 1\n",
        &[
            "1:1: error: `untyped` is no type of `a`; types are counter, gauge, histogram, gaugehistogram, stateset, info, \
         summary, unknown [unknown-type]",
        ],
    );
}

#[test]
fn openmetrics_types_are_kept() {
    check_openmetrics(
        "# TYPE a counter\na 1\n",
        &[
            "1:1: note: `a` has no sample [no-samples]",
            "2:1: error: `a` is no sample of the counter `a`, which has a_total, a_created [stray-sample]",
        ],
    );
    check_openmetrics(
        "# TYPE a_e gauge\n# UNIT a_e seconds\na_e 1\n",
        &["1:1: error: the unit `seconds`, but `a_e` does not end in `_seconds` [unit]"],
    );
    check_openmetrics(
        "# TYPE a_b info\n# UNIT a_b b\na_b_info 1\n",
        &[
            "1:1: error: a unit, which nothing of type info can have [unit]",
            "1:1: lint: `a_b`: write the unit `b` out [short-unit]",
        ],
    );
    check_openmetrics("# TYPE a info\na_info 2\n", &["2:1: error: an info of 2; it is 1, and its labels tell [state]"]);
    check_openmetrics(
        "# TYPE a stateset\na{a=\"x\"} 2\na 1\n",
        &[
            "2:1: error: a state of 2; it is 0 or 1 [state]",
            "3:1: error: a state without the label `a` that names it [state]",
            "3:1: note: `a` stands after one that it precedes [sample-order]",
        ],
    );
    check_openmetrics(
        "# TYPE a gauge\na 1 # {x=\"1\"} 1\n",
        &["2:1: error: an exemplar of `a`; only buckets and totals of counters have any [exemplar-place]"],
    );
    check_openmetrics(
        "# TYPE a counter\na_total 1 # {x=\"1\"}\n",
        &[
            "1:1: note: `a` has no sample [no-samples]",
            "2:20: error: one space and a value follow an exemplar's labels [syntax]",
        ],
    );
    check_openmetrics(
        "# TYPE a counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 1\na_created{x=\"1\"} 1\n",
        &[
            "4:1: error: `a_created{x=\"1\"}` belongs to samples further up [mixed-metrics]",
            "4:1: note: `a_created{x=\"1\"}` stands after one that it precedes [sample-order]",
        ],
    );
    check_openmetrics(
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n",
        &["2:1: note: le=\"1\" is written le=\"1.0\" by others, which is another series [canonical-number]"],
    );
    check_openmetrics(
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n",
        &["2:1: error: the histogram `a` has no `a_count` [missing-part]"],
    );
}

#[test]
fn an_exemplar_may_have_128_characters() {
    let page = |characters: usize| {
        let value = "é".repeat(characters - 1);
        format!("# TYPE a counter\na_total 1 # {{x=\"{value}\"}} 1\n")
    };
    check_openmetrics(&page(EXEMPLAR_MAX_CHARACTERS), &[]);
    check_openmetrics(
        &page(EXEMPLAR_MAX_CHARACTERS + 1),
        &["2:11: error: labels of 129 characters; 128 are allowed [exemplar-place]"],
    );
}

#[test]
fn names_keep_the_conventions() {
    let check_name = |kind: &str, name: &str, expected: &str| {
        let expected = if expected.is_empty() { Vec::new() } else { vec![format!("1:1: lint: {expected}")] };
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&format!("# TYPE {name} {kind}\n{name} 1\n"), &expected);
    };
    check_name("counter", "a", "the counter `a` does not end in `_total` [counter-name]");
    check_name("gauge", "a_total", "`a_total` of type gauge ends in `_total`, as counters do [counter-name]");
    check_name("untyped", "a_total", "");
    check_name("gauge", "a_seconds", "");
    check_name("gauge", "a_hours", "`a_hours`: use the base unit `seconds` in place of `hours` [base-unit]");
    check_name(
        "gauge",
        "a_kilobits_b2",
        "`a_kilobits_b2`: use the base unit `bytes` in place of `kilobits` [base-unit]",
    );
    check_name("gauge", "a_ms", "`a_ms`: write the unit `ms` out [short-unit]");
    check_name("gauge", "ms", "");
    check_name("gauge", "a_sum", "`a_sum` of type gauge: `_sum` is for samples of other types [reserved-suffix]");
    check_name("gauge", "aB", "`aB`: write it in snake_case [camel-case]");
    check_name("gauge", "a_gauge", "`a_gauge`: leave `gauge` out; the TYPE line says it [type-in-name]");
    check_name("gauge", "a:b", "`a:b`: colons are for recording rules [colon]");
    check(
        "a{le=\"1\",quantile=\"2\",__x=\"3\",aB=\"4\"} 1\n",
        &[
            "1:1: lint: the label `__x` of `a` is Prometheus' own [reserved-label]",
            "1:1: lint: the label `le` of `a` is a histogram's [reserved-label]",
            "1:1: lint: the label `quantile` of `a` is a summary's [reserved-label]",
            "1:1: lint: the label `aB` of `a`: write it in snake_case [camel-case]",
        ],
    );
    let judged = judge(b"a 1\n", Format::Text);
    let told: Vec<String> = judged.defects.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1:1: lint: `a` has no HELP text [no-help]", "1:1: note: `a` has no TYPE line [no-type]"]);
}

#[test]
fn order_is_noted_and_no_more() {
    check("b 1\na 1\n", &["2:1: note: `a` stands after `b` [family-order]"]);
    check(
        "a{x=\"2\"} 1\na{x=\"1\"} 1\n",
        &["2:1: note: `a{x=\"1\"}` stands after one that it precedes [sample-order]"],
    );
    // As the page of client_golang has them: fewer labels first.
    check("a{z=\"1\"} 1\na{x=\"1\",y=\"1\"} 1\n", &[]);
}

#[test]
fn the_format_is_told_from_the_content_type_or_the_last_line() {
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

/// Every rule is met by some test here: a rule that nothing breaks is no rule.
#[test]
fn every_rule_has_a_test() {
    let text = include_str!("tests.rs");
    for rule in Rule::ALL {
        assert!(text.contains(&format!("[{rule}]")) || text.contains(&format!("Rule::{rule:?}")), "{rule}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(page: Vec<u8>) {
        judge(&page, Format::Text);
        judge(&page, Format::OpenMetrics);
    }

    #[test]
    fn any_text_of_the_formats_letters_is_read_or_refused(page in "[a#{}=\"\\\\\n 1,é_TYPEHLUNOFsumle+]{0,80}") {
        judge(page.as_bytes(), Format::Text);
        judge(page.as_bytes(), Format::OpenMetrics);
    }
}
