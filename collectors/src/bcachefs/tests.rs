use super::*;
use crate::host::root::Mount;
use crate::kit::parse::FromText;
use crate::kit::testing::given;
use proptest::prelude::*;

const FILES: [(&str, &str); 13] = [
    ("btree_cache_size", "2.05G"),
    ("btree_write_stats", "          nr   size\ninitial:   1    100k\ninterior:  2    720\n"),
    ("compression_stats", "type  compressed uncompressed average extent size\nzstd  1.5k       3k           1k\n"),
    ("counters/io_read", "since mount:                   3\nsince filesystem creation:     4\n"),
    ("counters/mount_only", "since mount:                   3\n"),
    ("dev-0/bucket_size", "512k"),
    ("dev-0/durability", "5"),
    ("dev-0/io_done", "read:\nsb          :   6\nwrite:\nsb          :   7\nuser        :   8\n"),
    (
        "dev-0/io_errors",
        "IO errors since filesystem creation\n  read:    9\n  checksum:10\nIO errors since 3 y ago\n  read:    0\n",
    ),
    ("dev-0/label", "hdd.one"),
    ("dev-0/nbuckets", "11"),
    ("dev-0/state", "rw"),
    ("errors", "bset_bad_csum  12  1752580088\n"),
];

/// A file system with some files replaced by `changed`.
fn host(changed: &[(&str, &str)]) -> String {
    let mut files = FILES;
    for (name, content) in changed {
        let file = files.iter_mut().find(|(known, _)| known == name).expect("one of the files");
        file.1 = content;
    }
    let entry = |(name, content): &(&str, &str)| match *content {
        "absent" => String::new(),
        "broken" => format!("== sys/fs/bcachefs/ab-cd/{name} error=EIO\n"),
        "" => format!("== sys/fs/bcachefs/ab-cd/{name}\n"),
        content => format!("== sys/fs/bcachefs/ab-cd/{name}\n{}\n", content.trim_end_matches('\n')),
    };
    files.iter().map(entry).collect()
}

const LINES: [&str; 20] = [
    "node_bcachefs_btree_cache_size_bytes{uuid=\"ab-cd\"} 2.201170739e+09\n",
    "node_bcachefs_btree_write_average_size_bytes{type=\"initial\",uuid=\"ab-cd\"} 102400\n",
    "node_bcachefs_btree_write_average_size_bytes{type=\"interior\",uuid=\"ab-cd\"} 720\n",
    "node_bcachefs_btree_writes_total{type=\"initial\",uuid=\"ab-cd\"} 1\n",
    "node_bcachefs_btree_writes_total{type=\"interior\",uuid=\"ab-cd\"} 2\n",
    "node_bcachefs_compression_compressed_bytes{algorithm=\"zstd\",uuid=\"ab-cd\"} 1536\n",
    "node_bcachefs_compression_uncompressed_bytes{algorithm=\"zstd\",uuid=\"ab-cd\"} 3072\n",
    "node_bcachefs_device_bucket_size_bytes{device=\"0\",uuid=\"ab-cd\"} 524288\n",
    "node_bcachefs_device_buckets{device=\"0\",uuid=\"ab-cd\"} 11\n",
    "node_bcachefs_device_durability{device=\"0\",uuid=\"ab-cd\"} 5\n",
    "node_bcachefs_device_info{device=\"0\",label=\"hdd.one\",state=\"rw\",uuid=\"ab-cd\"} 1\n",
    "node_bcachefs_device_io_done_bytes_total{data_type=\"sb\",device=\"0\",operation=\"read\",uuid=\"ab-cd\"} 6\n",
    "node_bcachefs_device_io_done_bytes_total{data_type=\"sb\",device=\"0\",operation=\"write\",uuid=\"ab-cd\"} 7\n",
    "node_bcachefs_device_io_done_bytes_total{data_type=\"user\",device=\"0\",operation=\"write\",uuid=\"ab-cd\"} 8\n",
    "node_bcachefs_device_io_errors_total{device=\"0\",type=\"checksum\",uuid=\"ab-cd\"} 10\n",
    "node_bcachefs_device_io_errors_total{device=\"0\",type=\"read\",uuid=\"ab-cd\"} 9\n",
    "node_bcachefs_errors_total{error_type=\"bset_bad_csum\",uuid=\"ab-cd\"} 12\n",
    "node_bcachefs_info{uuid=\"ab-cd\"} 1\n",
    "node_bcachefs_io_read_total{uuid=\"ab-cd\"} 4\n",
    "node_bcachefs_mount_only_total{uuid=\"ab-cd\"} 0\n",
];

/// The lines without those that contain one of `lost`.
fn without(lost: &[&str]) -> String {
    LINES.iter().filter(|line| !lost.iter().any(|lost| line.contains(lost))).copied().collect()
}

#[test]
fn file_systems_counters_and_devices_are_exported() {
    given(&host(&[])).emits::<Bcachefs>(&LINES.concat());
    given(&host(&[("errors", "")])).emits::<Bcachefs>(&without(&["_errors_total{error_type"]));
}

#[test]
fn a_host_without_a_file_system_has_no_data() {
    given("").fails::<Bcachefs>("", "(ENOENT)");
    given("== sys/fs/bcachefs/\n").fails::<Bcachefs>("", "no file system is mounted");
    given("== sys/fs/bcachefs/ error=EIO\n").fails::<Bcachefs>("", "input/output error");
}

#[test]
fn missing_files_are_omitted_or_zero() {
    let changed = [
        ("btree_write_stats", "absent"),
        ("compression_stats", "absent"),
        ("counters/io_read", "absent"),
        ("counters/mount_only", "absent"),
        ("dev-0/io_done", "absent"),
        ("dev-0/io_errors", "absent"),
        ("errors", "absent"),
    ];
    let lost = ["_write", "compress", "_io_", "_errors_", "mount_only"];
    given(&host(&changed)).emits::<Bcachefs>(&without(&lost));
    let zeros = [
        ("btree_cache_size", "absent"),
        ("dev-0/nbuckets", "absent"),
        ("dev-0/durability", "absent"),
        ("dev-0/label", "absent"),
    ];
    let scraped = given(&host(&zeros)).scrape::<Bcachefs>();
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    for line in ["cache_size_bytes{uuid=\"ab-cd\"} 0\n", "buckets{device=\"0\",uuid=\"ab-cd\"} 0\n", "label=\"\",state"]
    {
        assert!(scraped.samples().contains(line), "{line}");
    }
}

#[test]
fn a_bad_line_costs_only_its_own_samples() {
    for (file, content, lost, complaint) in [
        ("btree_cache_size", "-1", vec!["_cache_size_"], "found \"-1\""),
        ("btree_write_stats", "nr size\ninitial: x 100k\ninterior: 2 720\n", vec!["\"initial\""], ":2: number"),
        ("btree_write_stats", "nr size\ninitial: 1 100k\ninterior: 2\n", vec!["\"interior\""], ":3: number"),
        ("compression_stats", "x\nzstd 1.5k -3k\n", vec!["compress"], "found \"-3k\""),
        ("counters/io_read", "since filesystem creation: 16E\n", vec!["_io_read_"], "below 2^64"),
        ("counters/io_read", "4\n", vec!["_io_read_"], "counter: expected"),
        ("counters/io_read", "broken", vec!["_io_read_"], "input/output error"),
        ("dev-0/bucket_size", "x", vec!["_bucket_size_"], "found \"x\""),
        ("dev-0/nbuckets", "1k", vec!["_buckets{"], "found \"1k\""),
        ("dev-0/durability", "broken", vec!["_durability{"], "input/output error"),
        ("dev-0/io_done", "sb: 1\nread:\nsb: 6\nwrite:\nsb: 7\nuser: 8\n", vec![], "`read:` or `write:` first"),
        ("dev-0/io_done", "read:\nsb: 6\nwrlte:\nsb: 7\nuser: 8\n", vec!["operation=\"write\""], "found \"wrlte:\""),
        ("dev-0/io_done", "read:\nsb: -6\nwrite:\nsb: 7\nuser: 8\n", vec!["operation=\"read\""], "found \"-6\""),
        (
            "dev-0/io_errors",
            "IO errors since filesystem creation\n  read\n  checksum: 10\nIO err\n  read: 3\n",
            vec!["type=\"read\""],
            "a colon",
        ),
        ("dev-0/label", "broken", vec!["_device_info{"], "dev-0/label: input/output error"),
        ("dev-0/state", "broken", vec!["_device_info{"], "dev-0/state: input/output error"),
        ("errors", "bset_bad_csum x\n", vec!["error_type"], "found \"x\""),
        ("errors", "broken", vec!["error_type"], "input/output error"),
    ] {
        given(&host(&[(file, content)])).fails::<Bcachefs>(&without(&lost), complaint);
    }
}

#[test]
fn amounts_may_have_a_unit() {
    for (amount, expected) in [
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("28.2k", Some(28_876)),
        ("1K", Some(1024)),
        ("15E", Some(15 << 60)),
        ("16E", None),
        ("1.5", Some(1)),
        ("-1", None),
        ("1e3", None),
        ("inf", None),
        (".", None),
        ("k", None),
        ("", None),
        ("1.2.3k", None),
    ] {
        assert_eq!(Amount::from_text(amount.as_bytes()).map(|amount| amount.0), expected, "{amount}");
    }
}

#[test]
fn counter_names_are_converted_to_metric_names() {
    for (name, expected) in [
        ("io_read", "io_read"),
        ("a-b", "a_b"),
        ("a_-.:_b", "a_b"),
        ("a-_-b", "a__b"),
        ("-", "_"),
        ("é", "_"),
        ("", ""),
    ] {
        let mut into = b"old".to_vec();
        text::fill_name(name.as_bytes(), &mut into);
        assert_eq!(String::from_utf8_lossy(&into), expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn numbers_come_back(value: u64) {
        prop_assert_eq!(Amount::from_text(value.to_string().as_bytes()), Some(Amount(value)));
        let content = format!("since mount: 1\nsince filesystem creation:     {value}\n");
        prop_assert_eq!(text::counter(Text::new(Mount::Sys, b"x", content.as_bytes())).ok(), Some(Amount(value)));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let text = Text::new(Mount::Sys, b"x", &bytes);
        let _ = (text::counter(text), Amount::from_text(&bytes));
        for line in text.lines() {
            let _ = (text::row::<Amount, 2>(line), device::pair(line));
        }
        let mut name = Vec::new();
        text::fill_name(&bytes, &mut name);
        prop_assert!(name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'));
    }
}
