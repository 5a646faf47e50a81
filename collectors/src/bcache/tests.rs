use super::*;
use crate::kit::testing::given;
use proptest::prelude::*;

const SET_PATH: &str = "sys/fs/bcache/de-ad";
const RATES: &str = "rate:\t\t1.1M/sec\ndirty:\t\t20.3G\ntarget:\t\t20.4G\nproportional:\t-427.5k\nintegral:\t790.0k\n\
    change:\t\t-321.5k/sec\nnext io:\t17ms\n";

/// A set of one cache and one backing device, with some files replaced by `changed`.
fn host(changed: &[(&str, &str)]) -> String {
    let mut files = vec![
        ("average_key_size", "1"),
        ("bdev0/dirty_data", "2.0k"),
        ("bdev0/stats_total/bypassed", "3"),
        ("bdev0/stats_total/cache_bypass_hits", "4"),
        ("bdev0/stats_total/cache_bypass_misses", "5"),
        ("bdev0/stats_total/cache_hits", "6"),
        ("bdev0/stats_total/cache_miss_collisions", "7"),
        ("bdev0/stats_total/cache_misses", "8"),
        ("bdev0/stats_total/cache_readaheads", "9"),
        ("bdev0/writeback_rate_debug", RATES),
        ("btree_cache_size", "10.0M"),
        ("cache0/io_errors", "11"),
        ("cache0/metadata_written", "12"),
        (
            "cache0/priority_stats",
            "Unused:\t\t13%\nMetadata:\t14%\nAverage:\t2\nSectors per Q:\t64\nQuantiles:\t[1 2 3]\n",
        ),
        ("cache0/written", "15"),
        ("cache_available_percent", "16"),
        ("congested", "17"),
        ("internal/active_journal_entries", "18"),
        ("internal/btree_nodes", "19"),
        ("internal/btree_read_average_duration_us", "1305"),
        ("internal/cache_read_races", "20"),
        ("root_usage_percent", "21"),
        ("tree_depth", "22"),
    ];
    for (name, content) in changed {
        let file = files.iter_mut().find(|(known, _)| known == name).expect("one of the files");
        file.1 = content;
    }
    let entry = |(name, content): &(&str, &str)| match *content {
        "absent" => String::new(),
        "broken" => format!("== {SET_PATH}/{name} error=EIO\n"),
        content => format!("== {SET_PATH}/{name}\n{}\n", content.trim_end_matches('\n')),
    };
    files.iter().map(entry).collect()
}

const LINES: [&str; 26] = [
    "node_bcache_active_journal_entries{uuid=\"de-ad\"} 18\n",
    "node_bcache_average_key_size_sectors{uuid=\"de-ad\"} 1\n",
    "node_bcache_btree_cache_size_bytes{uuid=\"de-ad\"} 1.048576e+07\n",
    "node_bcache_btree_nodes{uuid=\"de-ad\"} 19\n",
    "node_bcache_btree_read_average_duration_seconds{uuid=\"de-ad\"} 1.305e-06\n",
    "node_bcache_bypassed_bytes_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 3\n",
    "node_bcache_cache_available_percent{uuid=\"de-ad\"} 16\n",
    "node_bcache_cache_bypass_hits_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 4\n",
    "node_bcache_cache_bypass_misses_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 5\n",
    "node_bcache_cache_hits_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 6\n",
    "node_bcache_cache_miss_collisions_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 7\n",
    "node_bcache_cache_misses_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 8\n",
    "node_bcache_cache_read_races_total{uuid=\"de-ad\"} 20\n",
    "node_bcache_cache_readaheads_total{backing_device=\"bdev0\",uuid=\"de-ad\"} 9\n",
    "node_bcache_congested{uuid=\"de-ad\"} 17\n",
    "node_bcache_dirty_data_bytes{backing_device=\"bdev0\",uuid=\"de-ad\"} 2048\n",
    "node_bcache_dirty_target_bytes{backing_device=\"bdev0\",uuid=\"de-ad\"} 2.189426688e+10\n",
    "node_bcache_io_errors{cache_device=\"cache0\",uuid=\"de-ad\"} 11\n",
    "node_bcache_metadata_written_bytes_total{cache_device=\"cache0\",uuid=\"de-ad\"} 12\n",
    "node_bcache_root_usage_percent{uuid=\"de-ad\"} 21\n",
    "node_bcache_tree_depth{uuid=\"de-ad\"} 22\n",
    "node_bcache_writeback_change{backing_device=\"bdev0\",uuid=\"de-ad\"} -329204\n",
    "node_bcache_writeback_rate{backing_device=\"bdev0\",uuid=\"de-ad\"} 1.150976e+06\n",
    "node_bcache_writeback_rate_integral_term{backing_device=\"bdev0\",uuid=\"de-ad\"} 808960\n",
    "node_bcache_writeback_rate_proportional_term{backing_device=\"bdev0\",uuid=\"de-ad\"} -437748\n",
    "node_bcache_written_bytes_total{cache_device=\"cache0\",uuid=\"de-ad\"} 15\n",
];

/// The lines without those whose name contains `lost`.
fn without(lost: &str) -> String {
    LINES.iter().filter(|line| !line.contains(lost)).copied().collect()
}

#[test]
fn sets_devices_and_caches_are_exported() {
    given(&host(&[])).emits::<Bcache>(&LINES.concat());
    given("").emits::<Bcache>("");
    given("== sys/fs/bcache/register\n== sys/fs/bcache/pendings_cleanup\n").emits::<Bcache>("");
}

#[test]
fn priorities_are_exported_if_the_flag_is_set() {
    let flags = ["--collector.bcache.priorityStats"];
    let shown = |host: String| given(&host).flags(&flags).scrape::<Bcache>();
    let of_priorities = |samples: String| -> String {
        samples.split_inclusive('\n').filter(|line| line.contains("priority_stats")).collect()
    };
    let metadata = "node_bcache_priority_stats_metadata_percent{cache_device=\"cache0\",uuid=\"de-ad\"} 14\n";
    let unused = "node_bcache_priority_stats_unused_percent{cache_device=\"cache0\",uuid=\"de-ad\"} 13\n";
    assert_eq!(of_priorities(shown(host(&[])).samples()), [metadata, unused].concat());
    let bad = shown(host(&[("cache0/priority_stats", "Unused:\t-1%\nMetadata:\t14%\n")]));
    assert_eq!(of_priorities(bad.samples()), metadata);
    assert!(bad.complaints[0].contains("priority_stats:1: percentage: expected an unsigned integer"), "{bad:?}");
    for (content, complaint) in [("absent", "(ENOENT)"), ("broken", "input/output error")] {
        let scraped = shown(host(&[("cache0/priority_stats", content)]));
        assert_eq!(of_priorities(scraped.samples()), "");
        assert!(scraped.complaints[0].contains(complaint), "{scraped:?}");
    }
}

#[test]
fn readaheads_are_exported_if_they_are_not_zero() {
    for none in ["0", "absent"] {
        given(&host(&[("bdev0/stats_total/cache_readaheads", none)])).emits::<Bcache>(&without("readaheads"));
    }
}

#[test]
fn missing_files_are_zeros() {
    let expected = without("_congested{") + "node_bcache_congested{uuid=\"de-ad\"} 0\n";
    let sorted = |text: &str| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    let scraped = given(&host(&[("congested", "absent")])).scrape::<Bcache>();
    assert_eq!((sorted(&scraped.samples()), scraped.complaints), (sorted(&expected), Vec::new()));
    let old = RATES.replace("integral:\t790.0k\n", "derivative:\t1k\n");
    let samples = given(&host(&[("bdev0/writeback_rate_debug", &old)])).scrape::<Bcache>().samples();
    assert!(samples.contains("integral_term{backing_device=\"bdev0\",uuid=\"de-ad\"} 0\n"), "{samples}");
}

#[test]
fn a_bad_value_costs_only_its_own_samples() {
    for (file, lost) in [
        ("congested", "_congested{"),
        ("internal/btree_nodes", "_btree_nodes{"),
        ("internal/cache_read_races", "_read_races_"),
        ("internal/btree_read_average_duration_us", "_read_average_"),
        ("bdev0/dirty_data", "_dirty_data_"),
        ("bdev0/stats_total/cache_hits", "_cache_hits_"),
        ("cache0/io_errors", "_io_errors{"),
        ("cache0/written", "_bcache_written_"),
    ] {
        for (bad, complaint) in [
            ("", "found nothing"),
            ("x", "expected an unsigned integer"),
            ("-1", "found \"-1\""),
            ("broken", "input/output error"),
        ] {
            given(&host(&[(file, bad)])).fails::<Bcache>(&without(lost), complaint);
        }
    }
    for (line, bad, lost, expected) in [
        ("20.4G", "20.4Q", "_target_", "unsigned"),
        ("1.1M/sec", "-1/sec", "_rate{", "unsigned"),
        ("790.0k", "", "_integral_", "signed"),
        ("-321.5k/sec", "16.0E/sec", "_change{", "signed"),
    ] {
        given(&host(&[("bdev0/writeback_rate_debug", &RATES.replace(line, bad))]))
            .fails::<Bcache>(&without(lost), &format!("{expected} integer, or one with a unit"));
    }
    given("== sys/fs/bcache/ error=EIO\n").fails::<Bcache>("", "sys/fs/bcache: input/output error");
}

#[test]
fn an_invalid_line_is_not_a_zero() {
    let rates = |content: &str| host(&[("bdev0/writeback_rate_debug", content)]);
    let without_rates: String =
        LINES.iter().filter(|line| !line.contains("_target_") && !line.contains("_writeback_")).copied().collect();
    for (content, complaint) in [("absent", "(ENOENT)"), ("broken", "input/output error"), ("gibberish", "a colon")] {
        given(&rates(content)).fails::<Bcache>(&without_rates, complaint);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn amounts_come_back(value in 0..1_000_000_u64) {
        let value = value.to_string();
        let samples = given(&host(&[("bdev0/stats_total/cache_hits", &value)])).scrape::<Bcache>().samples();
        let hits = format!("cache_hits_total{{backing_device=\"bdev0\",uuid=\"de-ad\"}} {value}\n");
        prop_assert!(samples.contains(&hits), "{}", samples);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let text = Text::new(crate::host::root::Mount::Sys, b"x", &bytes);
        let mut problems = Problems::default();
        let rates = named_lines(text, WRITEBACK_VALUES.map(|(name, _)| name), &mut problems, writeback).count();
        let percentages = named_lines(text, PRIORITY_VALUES.map(|(name, _)| name), &mut problems, percentage).count();
        prop_assert!(rates <= 5 && percentages <= 2);
    }
}
