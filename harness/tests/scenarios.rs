//! Every scenario of fixtures/scenarios as the exporter serves it: lost samples, messages, time. One snapshot each,
//! compared with the same host without events and faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::scraper::{Scraper, Selection};
use harness::faults::FaultEffect;
use harness::{exposition, host, load, snapshots};
use simulator::fault::{Kind, VirtualClock};
use simulator::scenario::Scenario;
use simulator::span::Span;

/// Default start of scenarios.
const START: Duration = Duration::from_secs(1_700_000_000);
/// Times of the scrapes after the start.
const AFTER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(1_800)];
/// Initial deadline, in real time, of a scrape with a hanging file; see [`settled`].
const DEADLINE: Duration = Duration::from_secs(1);
const DEADLINE_MAX: Duration = Duration::from_secs(64);
/// Message about a collector that missed the deadline.
const LATE: &str = "the deadline of the scrape";

/// Outcomes of one scrape by collector.
type Page = BTreeMap<&'static str, Outcome>;

/// A scenario's host with its scraper.
struct ScenarioHost {
    scraper: Arc<Scraper>,
    clock: VirtualClock,
}

/// Outcome of one collector.
#[derive(PartialEq)]
struct Outcome {
    is_success: bool,
    complaints: Vec<String>,
    samples: BTreeSet<String>,
    duration: Duration,
}

impl ScenarioHost {
    fn new(scenario: &Scenario) -> Self {
        let start = scenario.start().unwrap_or(START);
        let clock = VirtualClock::new(start);
        let staged = scenario.host(start, Arc::new(clock.clone())).unwrap_or_else(|error| panic!("{error}"));
        Self { scraper: Arc::new(host::scraper_of(staged.roots, staged.kernel)), clock }
    }

    /// Scrapes everything, with a deadline if given. Panics if the page is not well formed.
    fn scrape(&self, within: Option<Duration>) -> Page {
        let scraped = match within {
            Some(time) => host::scrape_within(&self.scraper, &Selection::ALL, time),
            None => host::scrape(&self.scraper, &Selection::ALL),
        };
        let page = exposition::parse(scraped.page.as_bytes())
            .unwrap_or_else(|defects| panic!("{defects:?}\n{}", scraped.page));
        let mut samples: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let mut durations: BTreeMap<&str, Duration> = BTreeMap::new();
        for sample in page.families.iter().flat_map(|family| &family.samples) {
            if sample.name.starts_with("node_scrape_") {
                let collector = ALL
                    .iter()
                    .map(|registration| registration.declaration.name)
                    .find(|name| sample.text.contains(&format!("_duration_seconds{{collector=\"{name}\"}}")));
                durations.extend(collector.map(|name| (name, Duration::from_secs_f64(sample.number.0))));
                continue;
            }
            let owner = owner(sample.name);
            samples.entry(owner).or_default().insert(sample.text.to_owned());
        }
        let outcome = |name| {
            let complaints = scraped.failed.get(name).or_else(|| scraped.noted.get(name)).cloned().unwrap_or_default();
            let complaints: Vec<String> = complaints.iter().map(|complaint| without_time(complaint)).collect();
            for complaint in &complaints {
                assert!(!complaint.contains("panicked"), "{name}: {complaint}");
            }
            // The message says how long the scrape waited, which depends on the deadline.
            let is_late = complaints.iter().any(|complaint| complaint.ends_with(LATE));
            let duration = durations.get(name).filter(|_| !is_late).copied().unwrap_or_default();
            Outcome {
                is_success: !scraped.failed.contains_key(name),
                complaints,
                samples: samples.get(name).cloned().unwrap_or_default(),
                duration,
            }
        };
        ALL.iter().map(|registration| registration.declaration.name).map(|name| (name, outcome(name))).collect()
    }
}

/// A message without its elapsed time.
fn without_time(complaint: &str) -> String {
    match complaint.split_once("blocked for ").and_then(|(front, rest)| Some((front, rest.split_once(" s ")?.1))) {
        Some((front, back)) => format!("{front}blocked for a while {back}"),
        None => complaint.to_owned(),
    }
}

/// The collector that owns a family.
fn owner(name: &str) -> &'static str {
    let declarations = ALL.iter().map(|registration| registration.declaration);
    let has_family =
        |families: &[collectors::kit::family::FamilyInfo]| families.iter().any(|family| family.name == name);
    let exact = declarations.clone().find(|declaration| has_family(declaration.families));
    let prefixed = || {
        let starts = |prefix: &&'static str| name.starts_with(*prefix);
        let longest = |declaration: &&collectors::kit::declare::Declaration| {
            declaration.prefixes.iter().map(|family| family.name).filter(starts).map(str::len).max()
        };
        declarations.clone().max_by_key(longest)
    };
    exact.or_else(prefixed).map_or("", |declaration| declaration.name)
}

/// The differences at one time. If the scrape took time on the host's clock, values of a later time are ignored.
/// no matter.
fn shown(staged: &Page, calm: &Page, takes_time: bool) -> String {
    let mut text = String::new();
    for (name, outcome) in staged {
        let usual = &calm[name];
        let effect = FaultEffect::between(&usual.samples, &outcome.samples);
        let is_same = (outcome.is_success, &outcome.complaints) == (usual.is_success, &usual.complaints);
        if outcome == usual || (takes_time && is_same && outcome.duration == usual.duration) {
            continue;
        }
        let word = if outcome.is_success { "ok  " } else { "fail" };
        let _ = write!(text, "  {name:<16} {word} {effect}");
        let longer = outcome.duration.saturating_sub(usual.duration);
        if !longer.is_zero() {
            let _ = write!(text, ", takes {}", Span(longer));
        }
        text.push('\n');
        for complaint in outcome.complaints.iter().filter(|complaint| !usual.complaints.contains(complaint)) {
            let _ = writeln!(text, "    ! {complaint}");
        }
    }
    if text.is_empty() { "  nothing\n".to_owned() } else { text }
}

/// The part of a scenario file's name that names its host.
fn host_of(name: &str) -> String {
    let path = load::workspace().join(load::SCENARIOS).join(name).with_extension("toml");
    let text = String::from_utf8(load::bytes(&path).expect("a scenario")).expect("a text");
    let keys = ["profile", "seed", "start"];
    let said = text.lines().filter(|line| keys.iter().any(|key| line.starts_with(&format!("{key} ="))));
    let settings = text.split_once("[set]\n").map_or("", |(_, settings)| settings);
    let settings = settings.split_once("\n[").map_or(settings, |(settings, _)| settings).trim_end();
    said.chain([settings]).collect::<Vec<_>>().join("\n")
}

/// Results of the scenarios of one host, by name.
fn shown_of(names: &[String]) -> Vec<(String, String)> {
    let mut usual: Vec<Page> = Vec::new();
    let mut texts = Vec::new();
    for name in names {
        let scenario = load::named_scenario(name).unwrap_or_else(|error| panic!("{error}"));
        let hangs = scenario.faults().faults().iter().any(|fault| fault.kind == Kind::Hanging);
        let text = if hangs {
            settled(|time| run_scenario(&scenario, Some(time), &mut usual))
        } else {
            run_scenario(&scenario, None, &mut usual)
        };
        texts.push((name.clone(), text));
    }
    texts
}

/// The result of a scenario once doubling the deadline does not change it: only hanging files are then missing.
fn settled(mut story: impl FnMut(Duration) -> String) -> String {
    let (mut time, mut text) = (DEADLINE, story(DEADLINE));
    loop {
        time *= 2;
        let again = story(time);
        if again == text {
            return text;
        }
        assert!(time < DEADLINE_MAX, "the result depends on the deadline:\n{text}\n{again}");
        text = again;
    }
}

/// Runs a scenario. `usual` are the pages of its host without events and faults, created on first use.
fn run_scenario(scenario: &Scenario, within: Option<Duration>, usual: &mut Vec<Page>) -> String {
    let staged = ScenarioHost::new(scenario);
    let mut text = format!("{}\n", scenario.about());
    for source in scenario.sources() {
        let _ = writeln!(text, "of {source}");
    }
    let mut last = String::new();
    for (at, after) in AFTER.into_iter().enumerate() {
        let moment = scenario.start().unwrap_or(START) + after;
        staged.clock.advance(moment.saturating_sub(staged.clock.now()));
        if usual.len() == at {
            let calm = ScenarioHost::new(&scenario.calm());
            calm.clock.advance(after);
            usual.push(calm.scrape(None));
        }
        let page = staged.scrape(within);
        let now = shown(&page, &usual[at], staged.clock.now() > moment);
        if now != last {
            let _ = write!(text, "\n+{}\n{now}", Span(after));
            last = now;
        }
    }
    // A hanging file occupies a thread.
    staged.clock.release();
    text
}

#[test]
fn every_scenario_matches_its_snapshot() {
    // Scenarios of one host share the pages without events and faults; one thread per host.
    let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in load::scenarios().expect("fixtures/scenarios") {
        hosts.entry(host_of(&name)).or_default().push(name);
    }
    let texts: Vec<(String, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.values().map(|names| scope.spawn(|| shown_of(names))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("scenarios that can be run_scenario")).collect()
    });
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/scenarios");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut written = BTreeSet::new();
    for (name, text) in texts {
        written.insert(format!("{name}.snap"));
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
    snapshots::assert_complete(&load::workspace().join("harness/tests/snapshots/scenarios"), &written);
}

#[test]
fn every_scenario_names_its_source() {
    let names = load::scenarios().expect("fixtures/scenarios");
    assert!(names.len() >= 20, "only {} scenarios", names.len());
    for name in names {
        let scenario = load::named_scenario(&name).unwrap_or_else(|error| panic!("{error}"));
        let is_issue = |source: &String| {
            let (project, number) = source.split_once('#').unwrap_or_default();
            project.split('/').count() == 2 && number.parse::<u32>().is_ok()
        };
        assert!(
            !scenario.sources().is_empty() && scenario.sources().iter().all(is_issue),
            "{name}: {:?}",
            scenario.sources()
        );
        assert!(scenario.about().ends_with('.'), "{name}: {}", scenario.about());
    }
}
