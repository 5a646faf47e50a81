//! This machine, read by both at the same time.

use std::collections::{BTreeMap, BTreeSet};
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

/// Families that have a series for each state that something is in at this moment: which ones is nobody's to agree on.
const COME_AND_GO: &str = "^node_(tcp_connection_states|processes_(threads_)?state)$";

/// Which collectors run on both sides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those that run if nobody says, which nobody does.
    OnByDefault,
    /// All that both have.
    All,
}

impl Which {
    /// Their names.
    fn names(self) -> BTreeSet<&'static str> {
        let [all, on_by_default] = of_both();
        match self {
            Self::OnByDefault => on_by_default,
            Self::All => all,
        }
    }

    /// What one writes so that they run, and that they show what they can.
    fn arguments(self) -> Vec<String> {
        let switches = self.names().into_iter().map(|name| format!("--collector.{name}"));
        let more = ["--collector.disable-defaults", "--collector.stat.softirq", "--collector.cpu.info"];
        match self {
            Self::OnByDefault => Vec::new(),
            Self::All => switches.chain(more.map(str::to_owned)).collect(),
        }
    }
}

pub(crate) fn the_peer_agrees_on_this_machine_by_default() {
    check(Which::OnByDefault);
}

pub(crate) fn the_peer_agrees_on_this_machine_in_everything() {
    check(Which::All);
}

fn check(which: Which) {
    let text = load::bytes(&load::workspace().join("docs/DIFFERENCES.md")).expect("docs/DIFFERENCES.md");
    let text = String::from_utf8(text).expect("Markdown is text");
    let known = difference::known(&text, "### Lines that differ\n").expect("a table of known differences");
    let added = difference::added_labels(&text, "### Labels that 1.5.0 has not").expect("a table of labels");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let differences = differences(which, folder.path(), &added);
    // That each row of the table occurs is for the trees to show: they have the same devices on every machine.
    let unknown = differences.iter().filter(|found| !known.iter().any(|known| is_explained(known, found)));
    let unknown: Vec<String> = unknown.map(ToString::to_string).collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// What differs in every round.
fn differences(which: Which, textfiles: &Path, added: &[AddedLabel]) -> Vec<Difference> {
    let ours = ours(which, textfiles);
    let peer = theirs(which, textfiles);
    let compared = which.names();
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
    let lasting = lasting.into_values().filter(|(rounds, _)| *rounds == ROUNDS).map(|(_, difference)| difference);
    // What a collector tells of its run that only one of them has is nothing to agree on.
    let collector_of =
        |line: &str| line.split("{collector=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let come_and_go = Regex::new(COME_AND_GO).expect("a pattern");
    let is_compared = |difference: &Difference| {
        if come_and_go.is_match(&difference.family) {
            return difference.line.starts_with("# TYPE");
        }
        !difference.family.starts_with("node_scrape_collector_")
            || collector_of(&difference.line).is_some_and(|collector| compared.contains(collector.as_str()))
    };
    lasting.filter(is_compared).collect()
}

/// A difference without its value, which may be another one in each round.
fn place(difference: &Difference) -> String {
    let series = difference.line.rsplit_once(' ').map_or("", |(series, _)| series);
    format!("{}{series}", difference.sign)
}

fn ours(which: Which, textfiles: &Path) -> Scraper {
    let mut arguments = which.arguments();
    arguments.push(format!("--{}={}", DIRECTORY_FLAG.name, textfiles.display()));
    match flags::parse(ALL, arguments.into_iter().map(Into::into)).expect("flags") {
        Command::Serve(settings) => {
            let host = node_exporter::host::open(&settings).expect("this machine");
            assert!(!host.is_simulated);
            Scraper::build(ALL, &settings.values, host.roots, host.kernel).expect("our collectors")
        }
        other => panic!("{other:?}"),
    }
}

fn theirs(which: Which, textfiles: &Path) -> Peer {
    let mut arguments = which.arguments();
    arguments.extend([
        format!("--{}={}", DIRECTORY_FLAG.name, textfiles.display()),
        // Debian's own defaults are other patterns.
        format!(
            "--collector.filesystem.mount-points-exclude={}",
            default_of("collector.filesystem.mount-points-exclude")
        ),
        format!("--collector.filesystem.fs-types-exclude={}", default_of("collector.filesystem.fs-types-exclude")),
        format!("--collector.diskstats.device-exclude={}", default_of("collector.diskstats.device-exclude")),
    ]);
    arguments.extend(FOR_THEIRS.iter().map(|&flag| flag.to_owned()));
    Peer::start(&Need::Peer.path(), &arguments).expect("the peer starts")
}

fn default_of(flag: &str) -> &'static str {
    let mut flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
    flags.find(|info| info.name == flag).map(|info| info.default).expect("a flag of ours")
}
