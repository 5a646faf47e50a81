use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use prometheus::{Encoder, Registry, TextEncoder};

fn page(registry: &Registry) -> String {
    let mut page = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn opts() -> SummaryOpts {
    SummaryOpts::new("query_seconds", "How long queries take.").quantiles([0.0, 0.5, 1.0])
}

#[track_caller]
fn refuse(opts: SummaryOpts, expected: &str) {
    let error = Summary::with_opts(opts).expect_err("options that make no sense").to_string();
    assert_eq!(error, format!("Error: summary query_seconds: {expected}"));
}

#[test]
fn a_registry_encodes_summaries() {
    let registry = Registry::new();
    let summary = Summary::with_opts(opts()).unwrap();
    registry.register(Box::new(summary.clone())).unwrap();
    for value in [0.0, 1.0, 0.0] {
        summary.observe(value);
    }
    summary.observe(f64::NAN);
    let page = page(&registry);
    let value = page.lines().find_map(|line| line.strip_prefix("query_seconds{quantile=\"1\"} ")).unwrap();
    assert!((value.parse::<f64>().unwrap() - 1.0).abs() <= RELATIVE_ERROR, "{value}");
    assert_eq!(
        page.replace(value, "1"),
        "# HELP query_seconds How long queries take.\n# TYPE query_seconds summary\n\
         query_seconds{quantile=\"0\"} 0\nquery_seconds{quantile=\"0.5\"} 0\nquery_seconds{quantile=\"1\"} 1\n\
         query_seconds_sum 1\nquery_seconds_count 3\n"
    );
}

#[test]
fn summaries_are_distinguished_by_labels() {
    let registry = Registry::new();
    let queries = summary_vec(opts().quantiles([0.5]), &["verb", "code"]).unwrap();
    registry.register(Box::new(queries.clone())).unwrap();
    queries.with_label_values(&["get", "200"]).observe(0.0);
    queries.with_label_values(&["put", "500"]).observe(0.0);
    queries.with_label_values(&["put", "500"]).observe(0.0);
    let page = page(&registry);
    for expected in [
        "query_seconds{code=\"200\",verb=\"get\",quantile=\"0.5\"} 0\n",
        "query_seconds_count{code=\"200\",verb=\"get\"} 1\n",
        "query_seconds_count{code=\"500\",verb=\"put\"} 2\n",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    assert!(queries.get_metric_with_label_values(&["get"]).is_err());
}

#[test]
fn count_and_sum_include_observations_before_the_window() {
    let seconds = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&seconds);
    let clock = move || Duration::from_secs(told.load(Ordering::Relaxed));
    let summary = Summary::with_opts(opts().window(Duration::from_secs(60), 6).clock(clock)).unwrap();
    summary.observe(2.0);
    summary.observe(-4.0);
    assert!((summary.quantile(0.5) + 4.0).abs() <= 0.04, "{}", summary.quantile(0.5));
    seconds.store(60, Ordering::Relaxed);
    assert!(summary.quantile(0.5).is_nan());
    assert_eq!((summary.sample_count(), summary.sample_sum()), (2, -2.0));
}

#[test]
fn concurrent_observations_are_all_counted() {
    let summary = Summary::with_opts(opts()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| summary.observe(1.0)));
        }
    });
    assert_eq!((summary.sample_count(), summary.sample_sum()), (4_000, 4_000.0));
}

#[test]
fn invalid_options_are_refused() {
    refuse(opts().quantiles([0.5, 1.01]), "quantile 1.01: expected a number from 0 to 1");
    refuse(opts().quantiles([f64::NAN]), "quantile NaN: expected a number from 0 to 1");
    refuse(opts().quantiles([0.9, 0.5]), "quantile 0.5 after 0.9: expected rising quantiles");
    refuse(opts().relative_error(0.000_09), "relative error 0.00009: expected a number from 0.0001 to 0.5");
    refuse(opts().relative_error(0.51), "relative error 0.51: expected a number from 0.0001 to 0.5");
    refuse(opts().window(WINDOW, 0), "0 window parts: expected 1 to 100");
    refuse(opts().window(WINDOW, WINDOW_PARTS_MAX + 1), "101 window parts: expected 1 to 100");
    refuse(opts().window(Duration::from_nanos(5), 6), "window 5ns: expected at least one nanosecond for each part");
    let label = summary_vec(opts(), &["quantile"]).expect_err("a label of the format's own").to_string();
    assert_eq!(label, "Error: summary query_seconds: label `quantile`: reserved for quantiles; choose another name");
    for [error, parts] in [[0.000_1, 1.0], [0.5, 100.0]] {
        let parts = if parts > 1.0 { WINDOW_PARTS_MAX } else { 1 };
        assert!(Summary::with_opts(opts().relative_error(error).window(WINDOW, parts)).is_ok());
    }
}
