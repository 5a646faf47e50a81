//! Every scenario of fixtures/scenarios, as the exporter serves it: what is lost, what is said of it, what time it takes.
//! One readable snapshot each; what a scenario is compared with is the same host without its fate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::scraper::{Scraper, Selection};
use harness::damage::Damage;
use harness::{exposition, host, load};
use simulator::fault::{Kind, VirtualClock};
use simulator::scenario::Scenario;
use simulator::span::Span;

/// When scenarios start that do not say it.
const START: Duration = Duration::from_secs(1_700_000_000);
/// So long after the start it is looked at.
const AFTER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(1_800)];
/// Where something hangs, a scrape has to end within so much time of the clock on the wall, or more: see [`settled`].
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_MOST: Duration = Duration::from_secs(64);
/// What the scraper says of a collector that did not.
const LATE: &str = "scrape had to end";

/// What the collectors did in one scrape.
type Page = BTreeMap<&'static str, Outcome>;

/// A staged host and what scrapes it.
struct Stage {
    scraper: Arc<Scraper>,
    clock: VirtualClock,
}

/// What one collector did.
#[derive(PartialEq)]
struct Outcome {
    is_success: bool,
    complaints: Vec<String>,
    samples: BTreeSet<String>,
    duration: Duration,
}

impl Stage {
    fn new(scenario: &Scenario) -> Self {
        let start = scenario.start().unwrap_or(START);
        let clock = VirtualClock::new(start);
        let staged = scenario.host(start, Arc::new(clock.clone())).unwrap_or_else(|error| panic!("{error}"));
        Self { scraper: Arc::new(host::scraper_of(staged.roots, staged.kernel)), clock }
    }

    /// Scrapes everything, within a time if one is said. Panics when the page is not well formed.
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
            // How late a collector is, is no more than how long somebody waited.
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

/// A complaint without the seconds on the wall that it tells of.
fn without_time(complaint: &str) -> String {
    match complaint.split_once("has not answered for ").and_then(|(front, rest)| Some((front, rest.split_once(',')?.1)))
    {
        Some((front, back)) => format!("{front}has not answered for a while,{back}"),
        None => complaint.to_owned(),
    }
}

/// The collector whose family has this name.
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

/// What of a scenario shows at one moment. Where the scrape took time of the host's clock, that values are later ones is
/// no matter.
fn shown(staged: &Page, calm: &Page, takes_time: bool) -> String {
    let mut text = String::new();
    for (name, outcome) in staged {
        let usual = &calm[name];
        let damage = Damage::between(&usual.samples, &outcome.samples);
        let is_same = (outcome.is_success, &outcome.complaints) == (usual.is_success, &usual.complaints);
        if outcome == usual || (takes_time && is_same && outcome.duration == usual.duration) {
            continue;
        }
        let word = if outcome.is_success { "ok  " } else { "fail" };
        let _ = write!(text, "  {name:<16} {word} {damage}");
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

/// What of a scenario's file says which host it is of.
fn host_of(name: &str) -> String {
    let path = load::workspace().join(load::SCENARIOS).join(name).with_extension("toml");
    let text = String::from_utf8(load::bytes(&path).expect("a scenario")).expect("a text");
    let keys = ["profile", "seed", "start"];
    let said = text.lines().filter(|line| keys.iter().any(|key| line.starts_with(&format!("{key} ="))));
    let settings = text.split_once("[set]\n").map_or("", |(_, settings)| settings);
    let settings = settings.split_once("\n[").map_or(settings, |(settings, _)| settings).trim_end();
    said.chain([settings]).collect::<Vec<_>>().join("\n")
}

/// What scenarios of one host show, by their names.
fn shown_of(names: &[String]) -> Vec<(String, String)> {
    let mut usual: Vec<Page> = Vec::new();
    let mut texts = Vec::new();
    for name in names {
        let scenario = load::named_scenario(name).unwrap_or_else(|error| panic!("{error}"));
        let hangs = scenario.faults().faults().iter().any(|fault| fault.kind == Kind::Hanging);
        let text = if hangs {
            settled(|time| played(&scenario, Some(time), &mut usual))
        } else {
            played(&scenario, None, &mut usual)
        };
        texts.push((name.clone(), text));
    }
    texts
}

/// A story that is the same if it is given twice the time: it has waited for nothing but what hangs.
fn settled(mut story: impl FnMut(Duration) -> String) -> String {
    let (mut time, mut text) = (PATIENCE, story(PATIENCE));
    loop {
        time *= 2;
        let again = story(time);
        if again == text {
            return text;
        }
        assert!(time < PATIENCE_MOST, "it never settles:\n{text}\n{again}");
        text = again;
    }
}

/// Plays a scenario. `usual` are the pages of its host without its fate, which are made if they are not there.
fn played(scenario: &Scenario, within: Option<Duration>, usual: &mut Vec<Page>) -> String {
    let staged = Stage::new(scenario);
    let mut text = format!("{}\n", scenario.about());
    for source in scenario.sources() {
        let _ = writeln!(text, "of {source}");
    }
    let mut last = String::new();
    for (at, after) in AFTER.into_iter().enumerate() {
        let moment = scenario.start().unwrap_or(START) + after;
        staged.clock.advance(moment.saturating_sub(staged.clock.now()));
        if usual.len() == at {
            let calm = Stage::new(&scenario.calm());
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
    // Who hangs has a thread.
    staged.clock.release();
    text
}

#[test]
fn every_scenario_shows_what_its_snapshot_says() {
    // Many are of the same host, which is looked at once without its fate; a thread for each host.
    let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in load::scenarios().expect("fixtures/scenarios") {
        hosts.entry(host_of(&name)).or_default().push(name);
    }
    let texts: Vec<(String, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.values().map(|names| scope.spawn(|| shown_of(names))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("scenarios that can be played")).collect()
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
    let folder = load::workspace().join("harness/tests/snapshots/scenarios");
    let there: BTreeSet<String> = load::names(&folder).expect("a folder of snapshots").into_iter().collect();
    assert_eq!(there, written, "snapshots of scenarios that are no longer there");
}

#[test]
fn the_zoo_is_as_large_as_it_says_and_names_where_it_is_from() {
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
