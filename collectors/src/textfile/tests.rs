use super::*;
use crate::kit::testing::given;

#[track_caller]
fn check(files: &str, flags: &[&str], expected: &str, complaints: &[&str]) {
    let flags: Vec<_> = flags.iter().map(|flag| format!("--collector.textfile.directory={flag}")).collect();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let scraped = given(files).flags(&flags).scrape::<Textfile>();
    assert_eq!(scraped.samples(), expected);
    assert_eq!(scraped.complaints.len(), complaints.len(), "{:?}", scraped.complaints);
    for (found, expected) in scraped.complaints.iter().zip(complaints) {
        assert!(found.contains(expected), "`{expected}` is not in `{found}`");
    }
    let success = "node_scrape_collector_success{collector=\"textfile\"} 1\n";
    assert!(scraped.page.contains(success), "{}", scraped.page);
}

const OK: &str = "node_textfile_scrape_error 0\n";
const ERROR: &str = "node_textfile_scrape_error 1\n";

#[test]
fn only_prom_files_are_read() {
    let files = "== host/d/a.prom mtime=1700000000\na 1\n== host/d/b.prom.1234\nb 1\n== host/d/c.txt\nc 1\n";
    let mtime = "node_textfile_mtime_seconds{file=\"/d/a.prom\"} 1.7e+09\n";
    check(files, &["/d/"], &format!("a 1\n{mtime}{OK}"), &[]);
    check(files, &["/d", "/d"], &format!("a 1\n{mtime}{OK}"), &[]);
    check(files, &[], OK, &[]);
    check(files, &[""], OK, &[]);
}

#[test]
fn directories_may_be_patterns() {
    let files = "== host/d1/a.prom\na 1\n== host/d2/b.prom\nb 1\n== host/e/c.prom\nc 1\n";
    let mtime = |file: &str| format!("node_textfile_mtime_seconds{{file=\"{file}\"}} 0\n");
    let both = format!("a 1\nb 1\n{}{}{OK}", mtime("/d1/a.prom"), mtime("/d2/b.prom"));
    check(files, &["/d*"], &both, &[]);
    check(files, &["/d[12]"], &both, &[]);
    check(files, &["/x*"], ERROR, &["/x*: no such file or directory"]);
    check(files, &["/d["], ERROR, &["/d[: no such file or directory"]);
    check(files, &["/d1/a.prom"], ERROR, &["not a directory"]);
}

#[test]
fn a_bad_file_costs_only_its_own_samples() {
    let files = "== host/d/a.prom\na 1\na x\n== host/d/b.prom\nb 1\n== host/d/c.prom\nc 1 1700000000\n== host/d/d.prom mode=0200\n";
    let expected = format!("b 1\nnode_textfile_mtime_seconds{{file=\"d/b.prom\"}} 0\n{ERROR}");
    let complaints =
        ["d/a.prom:2: value: expected a number, found \"x\"", "d/c.prom:1: timestamp", "d/d.prom: permission denied"];
    check(files, &["d"], &expected, &complaints);
}

#[test]
fn special_files_are_not_opened() {
    let special = "== host/d/a.prom fifo\n== host/d/b.prom socket\n== host/d/c.prom/\n";
    let complaints = ["/d/a.prom: not a regular file", "/d/b.prom: not a regular file", "/d/c.prom: is a directory"];
    check(special, &["/d"], ERROR, &complaints);
}

#[test]
fn the_size_of_a_file_is_limited() {
    let of = |size_bytes: u64| format!("== host/d/a.prom size={size_bytes}\na 1\n");
    let read = format!("a 1\nnode_textfile_mtime_seconds{{file=\"/d/a.prom\"}} 0\n{OK}");
    check(&of(TEXTFILE_CAP_BYTES), &["/d"], &read, &[]);
    check(&of(TEXTFILE_CAP_BYTES + 1), &["/d"], ERROR, &["/d/a.prom: 16777217 bytes, more than"]);
}

/// The samples of files `a.prom`, `b.prom` and so on, without the metrics about the files themselves.
#[track_caller]
fn check_merge(files: &[&str], error: &str, expected: &str, complaints: &[&str]) {
    let (mut text, mut mtimes) = (String::new(), String::new());
    for (name, file) in ('a'..).zip(files) {
        text.extend(["== host/d/", &name.to_string(), ".prom\n", file]);
        mtimes.extend(["node_textfile_mtime_seconds{file=\"/d/", &name.to_string(), ".prom\"} 0\n"]);
    }
    check(&text, &["/d"], &format!("{expected}{mtimes}{error}"), complaints);
}

#[test]
fn families_with_differing_help_texts_are_dropped() {
    let (one, two) = ("# HELP a one\na{x=\"1\"} 1\n", "# HELP a two\na{x=\"2\"} 1\n");
    check_merge(
        &[one, two, "# HELP a one\na{x=\"3\"} 1\n", "a{x=\"4\"} 1\n"],
        ERROR,
        "a{x=\"1\"} 1\n",
        &[
            "/d/b.prom: a: help text differs from that in /d/a.prom",
            "/d/c.prom: a: help text differs",
            "/d/d.prom: a: help text differs",
        ],
    );
    check_merge(&[one, "a{x=\"2\"} 1\n"], OK, "a{x=\"1\"} 1\n", &["a: help text in only some of the files"]);
    check_merge(&["a{x=\"2\"} 1\n", one], OK, "a{x=\"2\"} 1\n", &["a: help text in only some of the files"]);
}

#[test]
fn families_with_differing_types_are_dropped() {
    let files = ["# TYPE a gauge\na{x=\"1\"} 1\n", "# TYPE a counter\na{x=\"2\"} 1\n"];
    check_merge(&files, OK, "a{x=\"1\"} 1\n", &["a: type differs between files"]);
}

#[test]
fn names_of_histogram_samples_are_dropped() {
    let histogram = "# TYPE a histogram\na_count 1\n";
    let lines = "a_bucket{le=\"+Inf\"} 1\na_sum 0\na_count 1\n";
    check_merge(
        &[histogram, "a_count 5\na_bucket 5\n"],
        OK,
        lines,
        &["a_count: name of a sample", "a_bucket: name of a sample"],
    );
    check_merge(&["a_sum 5\n", histogram], OK, "a_sum 5\n", &["a: name of a sample"]);
    let summary = "# TYPE a summary\na_count 1\n";
    check_merge(
        &[summary, "a_sum 5\na_bucket 5\n"],
        OK,
        "a_sum 0\na_count 1\na_bucket 5\n",
        &["a_sum: name of a sample"],
    );
}

#[test]
fn duplicate_samples_are_exported_once() {
    check_merge(&["a{x=\"1\"} 1\n", "a{x=\"1\"} 2\n"], OK, "a{x=\"1\"} 1\n", &[]);
}

#[test]
fn a_family_without_help_names_its_file() {
    let scraped = given("== host/d/a.prom\na 1\n== host/d/b.prom\na{x=\"1\"} 1\n")
        .flags(&["--collector.textfile.directory=/d"])
        .scrape::<Textfile>();
    let help = "# HELP a Metric read from /d/a.prom, /d/b.prom\n# TYPE a untyped\na 1\na{x=\"1\"} 1\n";
    assert!(scraped.page.contains(help), "{}", scraped.page);
}
