//! Comparison on this machine, read by both exporters at about the same time: a value of the peer must lie between our
//! values before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use collectors::ALL;
use collectors::kit::scraper::{Scraper, Selection};
use collectors::textfile::DIRECTORY_FLAG;
use node_exporter::flags::Paths;
use regex::Regex;

use super::folder::{for_peer, of_both, values};
use super::identity::{ExporterIdentity, is_left_out};
use super::known::KnownDifferences;
use super::show::Comparison;
use super::{Difference, DifferenceKind, families_of_one, interval};
use crate::exposition::{Exposition, Format};
use crate::fetch::Url;
use crate::peer::{Peer, Program};
use crate::{host, load};

/// A value outside of the range may have changed meanwhile: it counts if it is outside in each of this many rounds.
const ROUNDS: usize = 5;

const FOR_BOTH: &[&str] = &["--collector.stat.softirq", "--collector.cpu.info"];

/// Families whose values fluctuate, and why. Only their presence and labels are compared.
const WANDERS: &[(&str, &str)] = &[
    ("^node_(memory|zoneinfo|slabinfo|buddyinfo)_", "memory is allocated and freed all the time"),
    ("^node_(load|procs_|processes_|filefd_)", "processes start and exit, threads of the two exporters among them"),
    (
        "^node_(sockstat|tcp_connection|netstat_Tcp_CurrEstab|udp_queues)",
        "connections open and close, those of this comparison among them",
    ),
    ("^node_filesystem_(avail_bytes|free_bytes|files_free|files)$", "other processes write to the disks"),
    ("^node_(entropy_available_bits|nf_conntrack_entries)$", "a level, not a counter"),
    (
        "^node_timex_(offset|maxerror|estimated_error)_seconds$|^node_timex_frequency_adjustment_ratio$",
        "the clock follows its reference",
    ),
    ("^node_(cpu_scaling_frequency|cpu_frequency|hwmon|thermal_zone|power_supply|rapl)", "a sensor's reading"),
    ("^node_cpu_seconds_total$", "the kernel corrects idle times downwards by a tick"),
    ("^node_disk_io_now$", "requests in flight"),
    ("^node_perf_", "counters begin when each exporter opens them"),
];

/// Families with a series per current state; the set of series depends on the time of the scrape.
const COME_AND_GO: &str = "^node_(tcp_connection_states|processes_(threads_)?state)$";

/// Starts a peer on this machine and compares both exporters.
pub fn compare<'a>(program: &Program, knowledge: &'a KnownDifferences) -> io::Result<Comparison<'a>> {
    let textfiles = tempfile::tempdir()?;
    let directory = format!("--{}={}", DIRECTORY_FLAG.name, textfiles.path().display());
    // Debian's defaults have other patterns.
    let patterns = [
        "collector.filesystem.mount-points-exclude",
        "collector.filesystem.fs-types-exclude",
        "collector.diskstats.device-exclude",
    ];
    let patterns = patterns.map(|flag| format!("--{flag}={}", default_of(flag)));
    let arguments = patterns.into_iter().chain([directory.clone()]).collect();
    let arguments_of_both: Vec<String> = FOR_BOTH.iter().map(|&flag| flag.to_owned()).chain([directory]).collect();
    let ours = ours(&of_both(program), &arguments_of_both)?;
    let peer = Peer::start(&program.path, &for_peer(program, FOR_BOTH, arguments))?;
    // The peer sees the connection that queries it. An open connection makes it visible to us as well.
    let _idle = peer.connect()?;
    rounds(&ours, &peer.url(), knowledge)
}

/// Compares with a running peer on this machine, for the collectors that its page lists.
pub fn compare_with<'a>(
    url: &Url,
    identity: &ExporterIdentity,
    knowledge: &'a KnownDifferences,
) -> io::Result<Comparison<'a>> {
    rounds(&ours(&identity.collectors, &[])?, url, knowledge)
}

fn rounds<'a>(ours: &Scraper, peer: &Url, knowledge: &'a KnownDifferences) -> io::Result<Comparison<'a>> {
    let wanders: Result<Vec<Regex>, _> = WANDERS.iter().map(|(pattern, _)| Regex::new(pattern)).collect();
    let wanders = wanders.map_err(io::Error::other)?;
    let is_free = |family: &str| is_left_out(family) || wanders.iter().any(|pattern| pattern.is_match(family));
    let mut lasting: BTreeMap<String, (usize, Difference)> = BTreeMap::new();
    let mut families = 0;
    for round in 1..=ROUNDS {
        let scrape = || host::scrape(ours, &Selection::ALL).page;
        let (before, theirs, after) = (scrape(), peer.get(Format::Text)?.body, scrape());
        let before = super::parse("our page", before.as_bytes())?;
        let theirs = super::parse("the peer's page", &theirs)?;
        let after = super::parse("our page", after.as_bytes())?;
        families = common(&before, &theirs);
        let found = interval::outside([&before, &after], &theirs, &knowledge.added, is_free);
        let of_one = families_of_one(&before, &theirs).into_iter().filter(|found| !is_left_out(&found.family));
        for difference in found.into_iter().chain(of_one) {
            let entry = lasting.entry(place(&difference)).or_insert((round - 1, difference.clone()));
            if entry.0 == round - 1 {
                *entry = (round, difference);
            }
        }
    }
    let lasting = lasting.into_values().filter(|(rounds, _)| *rounds == ROUNDS).map(|(_, difference)| difference);
    let come_and_go = Regex::new(COME_AND_GO).map_err(io::Error::other)?;
    let lasting = lasting.filter(|found| found.what != DifferenceKind::Sample || !come_and_go.is_match(&found.family));
    Ok(Comparison { place: "live".to_owned(), families, sorted: knowledge.sort("live", lasting.collect()) })
}

fn common(ours: &Exposition<'_>, theirs: &Exposition<'_>) -> usize {
    let is_ours = |name: &str| ours.families.iter().any(|family| family.name == name);
    theirs.families.iter().filter(|family| is_ours(family.name)).count()
}

/// A difference without its value, which may vary between rounds.
fn place(difference: &Difference) -> String {
    let series = match difference.what {
        DifferenceKind::Family => difference.line.as_str(),
        _ => difference.line.rsplit_once(' ').map_or("", |(series, _)| series),
    };
    format!("{}{series}", difference.sign)
}

/// A scraper of these collectors on this machine.
fn ours(enabled: &BTreeSet<&'static str>, arguments: &[String]) -> io::Result<Scraper> {
    let values = values(enabled, arguments)?;
    let path = |path: &str| Path::new(path).to_owned();
    let paths = Paths {
        procfs: path("/proc"),
        sysfs: path("/sys"),
        rootfs: path("/"),
        udev: path("/run/udev/data"),
        is_given: false,
    };
    let machine = load::live(&paths)?;
    Scraper::build(ALL, &values, machine.roots, machine.kernel).map_err(io::Error::other)
}

fn default_of(flag: &str) -> &'static str {
    let mut flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
    flags.find(|info| info.name == flag).map_or("", |info| info.default)
}
