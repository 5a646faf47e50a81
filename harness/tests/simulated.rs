//! The simulated host as the exporter serves it: every collector of ours finds what it reads.

use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::kernel::canned::Canned;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use harness::{exposition, host};
use simulator::TEXTFILE_DIRECTORY;

const SEED: u64 = 1;
const AT: Duration = Duration::from_secs(1_700_000_000);

fn values() -> FlagValues {
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    for flag in ALL.iter().flat_map(|registration| registration.declaration.flags) {
        if flag.name == "collector.textfile.directory" {
            values.give(flag, TEXTFILE_DIRECTORY).expect("a directory");
        }
    }
    values
}

fn live(at: Duration) -> host::Scraped {
    let simulated = simulator::embedded(SEED, move || at);
    let scraper = Scraper::build(ALL, &values(), simulated.roots(), simulated.kernel()).expect("default flags");
    host::scrape(&scraper, &Selection::ALL)
}

/// What a small virtual machine has not: these collectors say so, and show as unsuccessful, as on a real one.
const NOT_ON_A_VM: &[&str] = &[
    "fibrechannel",
    "hwmon",
    "infiniband",
    "ipvs",
    "mdadm",
    "nfs",
    "nfsd",
    "nvme",
    "powersupplyclass",
    "rapl",
    "tapestats",
    "watchdog",
    "zfs",
];

#[test]
fn every_collector_finds_its_files_on_the_simulated_host() {
    let scraped = live(AT);
    let failed: Vec<&str> = scraped.failed.keys().copied().collect();
    assert_eq!(failed, NOT_ON_A_VM, "{:#?}", scraped.failed);
    for complaint in scraped.failed.values().flatten() {
        assert!(complaint.ends_with("(ENOENT)"), "{complaint}");
    }
    let page = exposition::parse(scraped.page.as_bytes()).unwrap_or_else(|defects| panic!("{defects:?}"));
    assert!(page.families.len() > 150, "only {} families", page.families.len());
}

#[test]
fn the_host_frozen_as_a_tree_gives_the_same_page() {
    let tree = Arc::new(simulator::embedded(SEED, || AT).tree_at(AT.as_secs()));
    let kernel = Arc::new(Canned::parse(|path| tree.content(path)).expect("kernel entries"));
    let scraper = Scraper::build(ALL, &values(), tree.roots(), kernel).expect("default flags");
    let frozen = host::scrape(&scraper, &Selection::ALL).page;
    let without_durations = |page: String| -> Vec<String> {
        page.lines().filter(|line| !line.contains("_duration_seconds{")).map(str::to_owned).collect()
    };
    assert_eq!(without_durations(frozen), without_durations(live(AT).page));
}

#[test]
fn counters_do_not_fall_from_one_scrape_to_the_next() {
    let (before, after) = (live(AT).page, live(AT + Duration::from_secs(15)).page);
    let before = exposition::parse(before.as_bytes()).expect("a page");
    let after = exposition::parse(after.as_bytes()).expect("a page");
    let mut moved = 0;
    for family in before.families.iter().filter(|family| family.kind == "counter") {
        let later = after.families.iter().find(|later| later.name == family.name).expect("a family that stays");
        for sample in &family.samples {
            let now = later.samples.iter().find(|now| now.series() == sample.series()).expect("a series that stays");
            assert!(now.number.0 >= sample.number.0, "{} fell to {}", sample.text, now.value);
            moved += usize::from(now.number.0 > sample.number.0);
        }
    }
    assert!(moved > 50, "only {moved} counters moved: the host does not live");
}
