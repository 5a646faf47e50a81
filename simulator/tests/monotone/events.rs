//! Counters that fall because of an event are exactly those that its kind declares.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use collectors::host::glob;
use proptest::prelude::*;
use proptest::sample::Index;
use simulator::{Event, EventKind, FallsAt, Host, Profile, Takes, event_kinds, profiles};

use super::counters::counters;

const AT: u64 = 1_700_000_000;
/// Duration of events with an end.
const LASTS_SECONDS: i64 = 600;

type Settings = Vec<(&'static str, &'static str)>;

/// Settings to test a kind with: every choice, and settings that affect other counters.
fn variants(kind: &EventKind) -> Vec<Settings> {
    let has_end = kind.settings.iter().any(|setting| setting.key == "seconds") && kind.name != "clock-step";
    let usual: Settings = if has_end { vec![("seconds", "600")] } else { Vec::new() };
    let words = kind.settings.iter().filter_map(|setting| match setting.takes {
        Takes::Word(words) => Some(words.iter().skip(1).map(|word| (setting.key, *word))),
        Takes::Number { .. } | Takes::Name => None,
    });
    let of_a_disk = (kind.name == "counter-wrap").then_some(("device", "vda"));
    let others = words.flatten().chain(of_a_disk).map(|other| usual.iter().copied().chain([other]).collect());
    std::iter::once(usual.clone()).chain(others).collect()
}

/// Counters that fell: indices of declarations, and undeclared ones.
#[derive(Default)]
struct Fallen {
    declared: BTreeSet<usize>,
    wrong: Vec<String>,
}

impl Fallen {
    /// Checks a host; returns whether the event can happen to it.
    fn look(&mut self, kind: &EventKind, settings: &Settings, profile: &'static Profile, seed: u64) -> bool {
        let event = Event::of(kind.name, Duration::from_secs(AT), settings).unwrap();
        let made = profile.machine(seed, profile.small).unwrap().with_events(vec![event]);
        let Ok(machine) = made else { return false };
        let host = Host::new(machine, || Duration::ZERO);
        let (mut last, mut before) = (BTreeMap::new(), 0);
        for after in [-1, 0, 9, LASTS_SECONDS - 1, LASTS_SECONDS, 90_000] {
            for (counter, value) in counters(&host.tree_at(AT.saturating_add_signed(after))) {
                // A counter that is absent meanwhile is compared with its earlier value.
                let (seen, was) = last.insert(counter.clone(), (after, value)).unwrap_or_default();
                if value >= was {
                    continue;
                }
                let place =
                    kind.falls.iter().position(|fall| glob::matches(fall.counters.as_bytes(), counter.as_bytes()));
                let is_then = place.is_some_and(|place| match kind.falls[place].at {
                    FallsAt::Beginning => after == 0,
                    FallsAt::End => after == LASTS_SECONDS,
                    FallsAt::Return => after == LASTS_SECONDS && seen < before,
                    FallsAt::Whenever => after >= 0,
                });
                if is_then {
                    self.declared.extend(place);
                } else {
                    let (kind, profile) = (kind.name, profile.name);
                    let host = format!("{kind} {settings:?} on {profile} of seed {seed}");
                    self.wrong.push(format!("{host}: {counter} falls from {was} to {value} at {after}"));
                }
            }
            before = after;
        }
        true
    }

    #[track_caller]
    fn check(&self) {
        let some = self.wrong.iter().take(30).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(self.wrong.is_empty(), "{} counters fall, and no event says so:\n{some}", self.wrong.len());
    }
}

#[test]
fn counters_fall_exactly_where_an_event_declares_it() {
    /// Number of hosts per kind.
    const HOSTS: usize = 3;
    let mut wrong = Vec::new();
    for (turn, kind) in event_kinds().iter().enumerate() {
        let mut fallen = Fallen::default();
        for settings in variants(kind) {
            let profiles = profiles().iter().cycle().skip(turn).take(profiles().len());
            let possible = profiles.filter(|profile| fallen.look(kind, &settings, profile, 3)).take(HOSTS).count();
            assert!(possible > 0, "{} {settings:?} is possible on no host", kind.name);
        }
        if !(0..kind.falls.len()).eq(fallen.declared.iter().copied()) {
            wrong.push(format!("{}: of {:?} only {:?} do fall", kind.name, kind.falls, fallen.declared));
        }
        wrong.extend(fallen.wrong);
    }
    Fallen { wrong, ..Fallen::default() }.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn counters_of_any_host_fall_only_where_an_event_says_so(seed: u64, profile: Index, kind: Index, variant: Index) {
        let (kind, mut fallen) = (kind.get(event_kinds()), Fallen::default());
        fallen.look(kind, variant.get(&variants(kind)), profile.get(profiles()), seed);
        fallen.check();
    }
}
