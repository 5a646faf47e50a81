//! A simulated day in Prometheus: its rates equal the counters of the host.
//!
//! A host is scraped every [`INTERVAL_SECONDS`] of simulated time, the pages are backfilled with promtool, and
//! Prometheus evaluates `increase` over every hour, and `rate` and `resets` over the day. The reference is the
//! difference of the counter at the ends of the window, which lie between two scrapes.
//!
//! In a window of `W` seconds Prometheus knows the increase `d` between the first and the last sample. It extrapolates
//! the remaining time, one interval `s` in total: the result is `d · W / (W - s)`, or less for a counter near 0. With
//! the true increase `c` outside of the samples, the reference is `d + c`. The error is at most `max(c, d · s / (W -
//! s))`, the increase of one scrape interval.
#![expect(clippy::unwrap_used, reason = "all of this is tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::host::kernel::canned::Canned;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::Scraper;
use harness::needs::{self, Need};
use harness::peer::Peer;
use harness::{exposition, host, load};
use serde_json::Value;
use simulator::{Host, Machine};

const INTERVAL_SECONDS: u64 = 600;
const HOUR_SECONDS: u64 = 3_600;
const HOURS: u64 = 24;
const DAY_SECONDS: u64 = HOURS * HOUR_SECONDS;
/// Scrapes are at multiples of the interval from here.
const BEGIN: u64 = 1_700_000_040;
/// Windows end this long after a scrape.
const PHASE_SECONDS: u64 = 23;
/// Windows begin within the first interval.
const FIRST_END: u64 = BEGIN + PHASE_SECONDS;

/// Families without a type on the page that are counters.
const COUNTING: &[&str] = &["node_netstat_", "node_vmstat_"];
/// Exceptions. The first has a counter type, as in node_exporter, but is a level.
const LEVELS: &[&str] = &["node_lnstat_entries_total", "node_netstat_Tcp_CurrEstab"];

fn main() -> ExitCode {
    const NEEDS: &[Need] = &[Need::Prometheus, Need::Promtool];
    needs::run(&[
        ("rates_of_a_day_of_a_virtual_machine_are_those_of_the_model", NEEDS, || check("vm")),
        ("rates_of_a_day_of_a_cluster_node_are_those_of_the_model", NEEDS, || check("ib-hpc")),
    ])
}

/// Labels of a counter.
type Labels = BTreeMap<String, String>;

/// A counter with its values at each scrape and at the ends of windows.
#[derive(Debug)]
struct Counter {
    name: String,
    labels: Labels,
    scraped: Vec<f64>,
    at_ends: Vec<f64>,
}

/// Counters by series.
type Day = BTreeMap<String, Counter>;

fn check(profile: &str) {
    let profile = simulator::profiles().iter().find(|known| known.name == profile).unwrap();
    let day = live_through(profile.machine(1, profile.small).unwrap());
    let folder = tempfile::tempdir().unwrap();
    backfill(&day, folder.path());
    let peer = prometheus(folder.path());
    let mut by_name: BTreeMap<&str, Vec<&Counter>> = BTreeMap::new();
    for counter in day.values() {
        by_name.entry(&counter.name).or_default().push(counter);
    }
    let (mut risen, mut wrong) = (0, Vec::new());
    for (name, counters) in &by_name {
        let hourly = asked(&peer, &format!("increase({name}[{HOUR_SECONDS}s])"), HOUR_SECONDS);
        let daily = asked(&peer, &format!("rate({name}[{DAY_SECONDS}s])"), DAY_SECONDS);
        let resets = asked(&peer, &format!("resets({name}[{DAY_SECONDS}s])"), DAY_SECONDS);
        assert_eq!(hourly.len(), counters.len(), "{name}");
        for counter in counters {
            let place = format!("{name}{:?}", counter.labels);
            if resets[&counter.labels] != [0.0] {
                wrong.push(format!("{place} falls"));
                continue;
            }
            let increases = &hourly[&counter.labels];
            assert_eq!(increases.len(), count(HOURS), "{place}");
            for (hour, increase) in (0..).zip(increases) {
                wrong.extend(counter.judge(&place, hour, 1, *increase));
            }
            let [rate] = daily[&counter.labels][..] else { panic!("{place} has no rate") };
            wrong.extend(counter.judge(&place, 0, HOURS, rate * DAY_SECONDS as f64));
            risen += usize::from(rate > 0.0);
        }
    }
    let (name, series) = (profile.name, day.len());
    println!("{name}: {series} counters of {} names, of which {risen} rise", by_name.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(series > 300 && risen > 150, "{risen} of {series} counters rise");
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl Counter {
    /// The error of Prometheus' increase over some hours from the end of that window, if there is one.
    fn judge(&self, place: &str, hour: u64, hours: u64, increase: f64) -> Option<String> {
        let at = |values: &[f64], place: u64| values[count(place)];
        let scrapes = HOUR_SECONDS / INTERVAL_SECONDS;
        let (begin, end) = (at(&self.at_ends, hour), at(&self.at_ends, hour + hours));
        // The first scrape in the window and the last one.
        let (first, last) = (at(&self.scraped, hour * scrapes + 1), at(&self.scraped, (hour + hours) * scrapes));
        let (window, interval) = ((hours * HOUR_SECONDS) as f64, INTERVAL_SECONDS as f64);
        let (seen, unseen) = (last - first, (first - begin) + (end - last));
        let bound = unseen.max(seen * interval / (window - interval));
        // Rounding of floating-point sums.
        let rounding = 1e-9 * end.abs().max(1.0);
        let truth = end - begin;
        let is_right = increase >= 0.0 && (increase - truth).abs() <= bound + rounding;
        (!is_right)
            .then(|| format!("{place}, hour {hour}: Prometheus says {increase}, the host {truth}: not within {bound}"))
    }
}

/// Scrapes a host for a simulated day, frozen at each time, which is cheaper than rendering single files.
fn live_through(machine: Machine) -> Day {
    let simulated = Host::new(machine, || Duration::ZERO);
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    for registration in ALL {
        values.enable(registration.declaration.name, true);
    }
    let scraper = |at: u64| {
        let tree = Arc::new(simulated.tree_at(at));
        let kernel = Arc::new(Canned::parse(|path| tree.content(path)).expect("kernel entries"));
        Scraper::build(ALL, &values, tree.roots(), kernel).expect("default flags")
    };
    let mut day = Day::new();
    let first = scraper(BEGIN);
    let counts = |name: &&str| {
        let only = first.only(&[*name]).expect("it is on");
        learn(&host::scrape(&first, &only).page, &mut day)
    };
    let counting: Vec<&str> = first.enabled().filter(counts).collect();
    let scrape = |at: u64| {
        let scraper = scraper(at);
        host::scrape(&scraper, &scraper.only(&counting).expect("they are on")).page
    };
    for scraped in (BEGIN..=BEGIN + DAY_SECONDS).step_by(count(INTERVAL_SECONDS)) {
        note(&scrape(scraped), &mut day, |counter| &mut counter.scraped);
        if (scraped - BEGIN).is_multiple_of(HOUR_SECONDS) {
            note(&scrape(scraped + PHASE_SECONDS), &mut day, |counter| &mut counter.at_ends);
        }
    }
    let scrapes = count(DAY_SECONDS / INTERVAL_SECONDS + 1);
    let is_whole = |counter: &Counter| (counter.scraped.len(), counter.at_ends.len()) == (scrapes, count(HOURS + 1));
    assert!(day.values().all(is_whole), "counters come or go");
    day
}

/// Finds the counters of a page; returns whether there are any.
fn learn(page: &str, day: &mut Day) -> bool {
    let known = day.len();
    let page = exposition::parse(page.as_bytes()).unwrap_or_else(|defects| panic!("{defects:?}"));
    let counts = |family: &&exposition::Family<'_>| {
        let named = |names: &[&str]| names.iter().any(|name| family.name.starts_with(name));
        !named(LEVELS) && (family.kind == "counter" || (family.kind == "untyped" && named(COUNTING)))
    };
    for sample in page.families.iter().filter(counts).flat_map(|family| &family.samples) {
        // Prometheus drops empty labels.
        let labels = sample.labels.iter().filter(|(_, value)| !value.is_empty());
        let labels = labels.map(|(label, value)| ((*label).to_owned(), value.clone())).collect();
        let counter = Counter { name: sample.name.to_owned(), labels, scraped: Vec::new(), at_ends: Vec::new() };
        day.insert(sample.series().to_owned(), counter);
    }
    day.len() > known
}

/// Records the current values of the counters.
fn note(page: &str, day: &mut Day, keep: fn(&mut Counter) -> &mut Vec<f64>) {
    for (series, value) in page.lines().filter_map(|line| line.rsplit_once(' ')) {
        if let Some(counter) = day.get_mut(series) {
            keep(counter).push(value.parse().unwrap());
        }
    }
}

/// Writes the values as blocks in `folder/data`.
fn backfill(day: &Day, folder: &Path) {
    let (mut text, mut name) = (String::new(), "");
    for (series, counter) in day {
        if counter.name != name {
            name = &counter.name;
            writeln!(text, "# TYPE {} counter", name.strip_suffix("_total").unwrap_or(name)).unwrap();
        }
        for (value, at) in counter.scraped.iter().zip((BEGIN..).step_by(count(INTERVAL_SECONDS))) {
            writeln!(text, "{series} {value} {at}").unwrap();
        }
    }
    text.push_str("# EOF\n");
    let file = folder.join("day.openmetrics");
    load::write(&file, text.as_bytes()).unwrap();
    println!("{} counters, {} bytes of OpenMetrics", day.len(), text.len());
    let made = Command::new(Need::Promtool.path())
        // One block: promtool reads the whole input for each block.
        .args(["tsdb", "create-blocks-from", "--max-block-duration=64h", "openmetrics", "--quiet"])
        .args([&file, &folder.join("data")])
        .stdin(Stdio::null())
        .output()
        .expect("promtool starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Prometheus on these blocks; it scrapes nothing.
fn prometheus(folder: &Path) -> Peer {
    const TRIES: u32 = 300;
    load::write(&folder.join("prometheus.yml"), b"").unwrap();
    let arguments = [
        format!("--config.file={}", folder.join("prometheus.yml").display()),
        format!("--storage.tsdb.path={}", folder.join("data").display()),
        "--storage.tsdb.retention.time=100y".to_owned(),
        "--log.level=error".to_owned(),
    ];
    let peer = Peer::start(&Need::Prometheus.path(), &arguments).expect("Prometheus starts");
    let is_ready = |_: &u32| {
        peer.get("/-/ready").is_ok() || {
            load::wait(Duration::from_millis(100));
            false
        }
    };
    assert!((0..TRIES).find(is_ready).is_some(), "Prometheus does not become ready");
    peer
}

/// The values of a query for each series, from the end of the first window.
fn asked(peer: &Peer, query: &str, step_seconds: u64) -> BTreeMap<Labels, Vec<f64>> {
    let query = query.replace('[', "%5B").replace(']', "%5D");
    let (start, end) = (FIRST_END + step_seconds, FIRST_END + DAY_SECONDS);
    let url = format!("/api/v1/query_range?query={query}&start={start}&end={end}&step={step_seconds}");
    let answer: Value = serde_json::from_slice(&peer.get(&url).expect("an answer")).expect("JSON");
    assert_eq!(answer["status"], "success", "{answer}");
    let series = answer["data"]["result"].as_array().unwrap().iter().map(|series| {
        let labels = series["metric"].as_object().unwrap().iter();
        let labels = labels.map(|(label, value)| (label.clone(), value.as_str().unwrap().to_owned())).collect();
        let values = series["values"].as_array().unwrap().iter();
        (labels, values.map(|pair| pair[1].as_str().unwrap().parse().unwrap()).collect())
    });
    series.collect()
}
