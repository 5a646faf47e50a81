//! This machine, read by both at the same time.

use std::collections::BTreeMap;
use std::path::Path;

use collectors::ALL;
use collectors::kit::scraper::{Scraper, Selection};
use collectors::textfile::DIRECTORY_FLAG;
use harness::difference::{self, AddedLabel, Difference};
use harness::needs::Need;
use harness::peer::Peer;
use harness::{bracket, exposition, host, load};
use node_exporter::flags::{self, Command};
use regex::Regex;

use super::agreement::{FOR_THEIRS, is_explained, of_both};

/// What does not lie in between may have moved meanwhile: it counts when it is so in each of so many rounds.
const ROUNDS: usize = 5;

const FOR_BOTH: &[&str] = &["--collector.stat.softirq", "--collector.cpu.info"];

/// Families whose values rise and fall from one moment to the next, and why. That they are there, with their labels, is
/// compared all the same.
const WANDERS: &[(&str, &str)] = &[
    ("^node_(memory|zoneinfo|slabinfo|buddyinfo)_", "memory is taken and given back all the time"),
    ("^node_(load|procs_|processes_|filefd_)", "processes come and go, the two exporters' own threads among them"),
    (
        "^node_(sockstat|tcp_connection|netstat_Tcp_CurrEstab|udp_queues)",
        "connections come and go, this test's among them",
    ),
    ("^node_filesystem_(avail_bytes|free_bytes|files_free|files)$", "others write to the disks"),
    ("^node_(entropy_available_bits|nf_conntrack_entries)$", "a level, not a count"),
    ("^node_(cpu_scaling_frequency|cpu_frequency|hwmon|thermal_zone|power_supply|rapl)", "a sensor's reading"),
    ("^node_cpu_seconds_total$", "the kernel lets idle times fall by a tick when it counts them anew"),
    ("^node_disk_io_now$", "what is under way at this moment"),
    ("^node_scrape_collector_duration_seconds$", "each run takes its own time"),
];

pub(crate) fn the_peer_agrees_on_this_machine() {
    let text = load::bytes(&load::workspace().join("docs/DIFFERENCES.md")).expect("docs/DIFFERENCES.md");
    let text = String::from_utf8(text).expect("Markdown is text");
    let known = difference::known(&text, "### Lines that differ\n").expect("a table of known differences");
    let added = difference::added_labels(&text, "### Labels that 1.5.0 has not").expect("a table of labels");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let differences = differences(folder.path(), &added);
    // That each row of the table occurs is for the trees to show: they have the same devices on every machine.
    let unknown = differences.iter().filter(|found| !known.iter().any(|known| is_explained(known, found)));
    let unknown: Vec<String> = unknown.map(ToString::to_string).collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// What differs in every round.
fn differences(textfiles: &Path, added: &[AddedLabel]) -> Vec<Difference> {
    let ours = ours(textfiles);
    let peer = theirs(textfiles);
    // While the peer is asked, it sees that connection, and we do not: another one is there all the time.
    let _idle = peer.connect().expect("a connection");
    let wanders: Vec<Regex> = WANDERS.iter().map(|(pattern, _)| Regex::new(pattern).expect("a pattern")).collect();
    let mut lasting: BTreeMap<String, (usize, Difference)> = BTreeMap::new();
    for round in 1..=ROUNDS {
        let scrape = || host::scrape(&ours, &Selection::ALL).page;
        let pages = (scrape(), peer.get("/metrics").expect("the peer's page"), scrape());
        let before = exposition::parse(pages.0.as_bytes()).expect("our page is well formed");
        let theirs = exposition::parse(&pages.1).expect("the peer's page is well formed");
        let after = exposition::parse(pages.2.as_bytes()).expect("our page is well formed");
        let is_ours = |name: &str| before.families.iter().any(|family| family.name == name);
        let compared = theirs.families.iter().filter(|family| is_ours(family.name)).count();
        assert!(compared > 100, "the two pages have {compared} families in common only");
        let found = bracket::outside([&before, &after], &theirs, added, |family| {
            wanders.iter().any(|pattern| pattern.is_match(family))
        });
        println!("round {round}: {compared} families compared, {} lines outside", found.len());
        for difference in found {
            let entry = lasting.entry(place(&difference)).or_insert((round - 1, difference.clone()));
            if entry.0 == round - 1 {
                *entry = (round, difference);
            }
        }
    }
    lasting.into_values().filter(|(rounds, _)| *rounds == ROUNDS).map(|(_, difference)| difference).collect()
}

/// A difference without its value, which may be another one in each round.
fn place(difference: &Difference) -> String {
    let series = difference.line.rsplit_once(' ').map_or("", |(series, _)| series);
    format!("{}{series}", difference.sign)
}

fn ours(textfiles: &Path) -> Scraper {
    let enabled = of_both();
    let switches = ALL.iter().map(|registration| registration.declaration.name).map(|name| {
        if enabled.contains(name) { format!("--collector.{name}") } else { format!("--no-collector.{name}") }
    });
    let directory = format!("--{}={}", DIRECTORY_FLAG.name, textfiles.display());
    let arguments = switches.chain(FOR_BOTH.iter().map(|&flag| flag.to_owned())).chain([directory]);
    match flags::parse(ALL, arguments.map(Into::into)).expect("flags") {
        Command::Serve(settings) => {
            let host = node_exporter::host::open(&settings).expect("this machine");
            assert!(!host.is_simulated);
            Scraper::build(ALL, &settings.values, host.roots, host.kernel).expect("our collectors")
        }
        other => panic!("{other:?}"),
    }
}

fn theirs(textfiles: &Path) -> Peer {
    let mut arguments = vec![
        "--collector.disable-defaults".to_owned(),
        format!("--{}={}", DIRECTORY_FLAG.name, textfiles.display()),
        // Debian's own defaults are other patterns.
        format!(
            "--collector.filesystem.mount-points-exclude={}",
            default_of("collector.filesystem.mount-points-exclude")
        ),
        format!("--collector.filesystem.fs-types-exclude={}", default_of("collector.filesystem.fs-types-exclude")),
        format!("--collector.diskstats.device-exclude={}", default_of("collector.diskstats.device-exclude")),
    ];
    arguments.extend(FOR_BOTH.iter().chain(FOR_THEIRS).map(|&flag| flag.to_owned()));
    arguments.extend(of_both().into_iter().map(|name| format!("--collector.{name}")));
    Peer::start(&Need::Peer.path(), &arguments).expect("the peer starts")
}

fn default_of(flag: &str) -> &'static str {
    let mut flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
    flags.find(|info| info.name == flag).map(|info| info.default).expect("a flag of ours")
}
