use super::*;
use crate::host::root::Mount;
use crate::kit::page::foreign::ForeignValue;
use proptest::prelude::*;

fn parsed(text: &str) -> Result<Vec<Parsed>, String> {
    parse(Text::new(Mount::Host, b"a.prom", text.as_bytes())).map_err(|error| error.to_string())
}

/// Prints the parsed metrics, one per line.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let families = parsed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let found = families.iter().flat_map(|Parsed { family, has_help }| {
        let help = if *has_help { format!(" ({})", family.help.escape_debug()) } else { String::new() };
        family.metrics.iter().map(move |metric| {
            let labels: Vec<_> = metric.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let number = |number: &crate::kit::number::Number| {
                let mut out = Vec::new();
                number.write_to(&mut out);
                String::from_utf8(out).unwrap()
            };
            let pairs = |pairs: &[(f64, crate::kit::number::Number)]| {
                pairs.iter().map(|(bound, value)| format!("{bound}:{} ", number(value))).collect::<Vec<_>>().concat()
            };
            let value = match &metric.value {
                ForeignValue::Single(value) => number(value),
                ForeignValue::Histogram { buckets: bounds, sum, count }
                | ForeignValue::Summary { quantiles: bounds, sum, count } => {
                    format!("{}sum {} count {}", pairs(bounds), number(sum), number(count))
                }
            };
            format!("{} {}{help} {{{}}} {value}", family.kind.word(), family.name, labels.join(","))
        })
    });
    assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = parsed(text).map(|families| format!("{families:?}")).expect_err(text);
    assert!(error.contains(expected), "`{expected}` is not in `{error}`");
}

#[test]
fn samples_are_read_with_and_without_labels() {
    check("a 1\n", &["untyped a {} 1"]);
    check("  a\t{ }\t+Inf\n\n \t\n", &["untyped a {} +Inf"]);
    check("a{b=\"c\" , d = \"e\",}2e3\n", &["untyped a {b=\"c\",d=\"e\"} 2000"]);
    check("a:b_1{b=\"x\\\\y\\\"z\\nä,}\"} NaN\n", &["untyped a:b_1 {b=\"x\\\\y\\\"z\\nä,}\"} NaN"]);
    check("a 1\nb 2\na{x=\"y\"} 3\n", &["untyped a {x=\"\"} 1", "untyped a {x=\"y\"} 3", "untyped b {} 2"]);
}

#[test]
fn comments_contain_type_and_help() {
    check("# TYPE a COUNTER\n# HELP a x\\\\y\\nz \na 1\n", &["counter a (x\\\\y\\nz ) {} 1"]);
    check("#TYPE a gauge\n#\n# HELP\n# HELP a\n# HELP a  \n# note a\na 1\n", &["gauge a {} 1"]);
    check("# HELP a x\n# TYPE a gauge\n", &[]);
    check("a 1\n# HELP a late\n", &["untyped a (late) {} 1"]);
}

#[test]
fn histograms_and_summaries_are_assembled() {
    check(
        "# TYPE a histogram\na_bucket{x=\"y\",le=\"1\"} 1\na_sum{x=\"y\"} 2.5\na_bucket{le=\"+Inf\",x=\"y\"} 3\n\
         a_bucket{x=\"y\",le=\"0.5\"} 0\na_count{x=\"y\"} 3.7\na_bucket{x=\"y\",le=\"1\"} 2\na_bucket{x=\"z\"} 9\n",
        &["histogram a {x=\"y\"} 0.5:0 1:2 inf:3 sum 2.5 count 3", "histogram a {x=\"z\"} sum 0 count 0"],
    );
    check(
        "# TYPE a summary\na{quantile=\"0.9\"} 2\na{quantile=\"0.5\"} 1\na_sum 3\na_count 2\na_bucket 5\n",
        &["summary a {} 0.5:1 0.9:2 sum 3 count 2", "untyped a_bucket {} 5"],
    );
    check(
        "a 1\na_sum 2\na_count{le=\"x\"} 3\n",
        &["untyped a {} 1", "untyped a_sum {} 2", "untyped a_count {le=\"x\"} 3"],
    );
}

#[test]
fn errors_name_the_line() {
    check_error("a 1\nb x\n", "a.prom:2: value: expected a number, found \"x\"");
    check_error("a 1", "a.prom:1: last line: expected a final newline");
    check_error("a 1\n\n# HELP b", "a.prom:3: last line: expected a final newline");
    check_error("a 1 1441205977284\n", "a.prom:1: timestamp: expected end of line");
    check_error("a 1 \n", "timestamp");
    check_error("a 1\r\n", "value");
    check_error("a\n", "value: expected a number, found nothing");
    check_error("1a 1\n", "metric name");
    check_error("{a=\"b\"} 1\n", "metric name");
    check_error("a-b 1\n", "value");
    check_error("# TYPE a gauge\n# TYPE a gauge\n", "a.prom:2: a: expected one TYPE line");
    check_error("a 1\n# TYPE a gauge\n", "a.prom:2: a: expected one TYPE line for each name, before its samples");
    check_error("# HELP a x\n# HELP a x\n", "a: expected one HELP line");
    check_error("# HELP a x\\y\n", "HELP: expected no escapes but");
    check_error("# TYPE a gauge \n", "a: expected counter, gauge");
    check_error("# TYPE a gauge_histogram\n", "a: expected counter, gauge");
    check_error("# TYPE a-b gauge\n", "metric name: expected a metric name and a space");
}

#[test]
fn errors_in_labels_are_described() {
    check_error("a{1b=\"c\"} 1\n", "label name: expected a label name");
    check_error("a{,} 1\n", "label name");
    check_error("a{__name__=\"b\"} 1\n", "label name: expected a label name of letters, digits and `_`");
    check_error("a{b} 1\n", "b: expected `=` after the label name, found \"} 1\"");
    check_error("a{b=c} 1\n", "b: expected `\"` before the label value");
    check_error("a{b=\"c} 1\n", "b: expected a closing");
    check_error("a{b=\"\\t\"} 1\n", "b: expected a closing");
    check_error("a{b=\"c\" d=\"e\"} 1\n", "b: expected `,` or `}`");
    check_error("a{b=\"c\",b=\"d\"} 1\n", "b: expected each label once");
    check_error("# TYPE a histogram\na_bucket{le=\"x\"} 1\n", "le: expected a number");
    let error = parse(Text::new(Mount::Host, b"a.prom", b"a{b=\"\xff\"} 1\n")).expect_err("no UTF-8");
    assert!(error.to_string().contains("b: expected UTF-8"), "{error}");
}

#[test]
fn numbers_are_those_of_go() {
    for (text, expected) in [
        ("1e400", None),
        ("-1e400", None),
        ("+nan", None),
        ("1_0", None),
        ("0x1p3", None),
        ("", None),
        ("+inf", Some(f64::INFINITY)),
        ("-Infinity", Some(f64::NEG_INFINITY)),
        ("1e-400", Some(0.0)),
        (".5", Some(0.5)),
        ("5.", Some(5.0)),
    ] {
        assert_eq!(cursor::float(text.as_bytes()), expected, "{text}");
    }
    assert!(cursor::float(b"nAn").is_some_and(f64::is_nan));
}

proptest! {
    #[test]
    fn what_is_written_comes_back(name in "[a-z_:][a-z0-9_:]{0,8}", label in "[a-z][a-z0-9_]{0,8}", value: String, bits: u64, help in "[ -~ä\n]{0,20}") {
        let number = f64::from_bits(bits);
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let mut printed = Vec::new();
        crate::kit::number::Number::Float(number).write_to(&mut printed);
        let printed = String::from_utf8(printed).unwrap();
        let escaped_help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let text = format!("# HELP {name} {escaped_help}\n# TYPE {name} gauge\n{name}{{{label}=\"{escaped}\"}} {printed}\n");
        let families = parsed(&text).unwrap();
        let [Parsed { family, has_help }] = &families[..] else { panic!("one family") };
        prop_assert_eq!(*has_help, !help.trim_start_matches(' ').is_empty());
        prop_assert_eq!(&family.help, help.trim_start_matches(' '));
        prop_assert_eq!(&family.metrics[0].labels, &[(label, value)]);
        let ForeignValue::Single(found) = family.metrics[0].value else { panic!("a gauge") };
        prop_assert!(found.as_float().to_bits() == number.to_bits() || number.is_nan());
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>, lines in "([a# _]{0,4}(HELP|TYPE|a|_sum)? ?[a{}=\"\\\\,1 ]{0,8}\n){0,6}") {
        let _ = parse(Text::new(Mount::Host, b"a.prom", &bytes));
        let _ = parse(Text::new(Mount::Host, b"a.prom", lines.as_bytes()));
    }
}
