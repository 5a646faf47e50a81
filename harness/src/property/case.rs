//! Random machines, times, events and faults as proptest strategies that shrink to small ones.

use std::fmt::{self, Write as _};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use simulator::fault::{Chance, Fault, Kind, Plan, Reads, When};
use simulator::scenario::Scenario;
use simulator::{ScriptedMachine, profiles};

use super::host_event::{HostEvent, host_events, value};
use super::trial::Trial;
use crate::faults::kinds;
use crate::meter::MountPath;

/// Maximum of numeric settings, so that thousands of cases can be run.
const SETTING_MAX: u64 = 12;
/// Maximum number of simultaneous faults.
const FAULTS_MAX: usize = 4;
/// Maximum number of events on one host.
const EVENTS_MAX: usize = 3;
/// Range of the first scrape: start and length.
const FIRST_SECONDS: u64 = 1_700_000_000;
const DAYS: u64 = 400;

/// A random host with its events, an exporter and faults.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its profile.
    pub profile: &'static str,
    /// Its seed.
    pub seed: u64,
    /// Its settings.
    pub settings: Vec<(&'static str, String)>,
    /// Time of the first scrape, in seconds since 1970.
    pub at_seconds: u64,
    /// Time between the two scrapes.
    pub later_seconds: u64,
    /// The exporter under test.
    pub reader: Index,
    /// Another exporter, which the faults must not affect.
    pub other: Index,
    /// Events, as far as the host allows them.
    host_events: Vec<HostEvent>,
    /// Faults: index into the paths that the exporter reads, kind and time.
    faults: Vec<(Index, Kind, When)>,
}

impl Case {
    /// The host.
    ///
    /// # Panics
    /// If the profile or an event refuses a setting of its own range.
    pub fn trial(&self) -> Trial {
        let (machine, _) = self.machine();
        let [start, later] = [self.at_seconds, self.later_seconds].map(Duration::from_secs);
        Trial::new(machine, self.seed, start, later)
    }

    /// The machine and its events; events that the machine does not allow, alone or after earlier ones, are dropped.
    fn machine(&self) -> (ScriptedMachine, Vec<&HostEvent>) {
        let calm = Scenario::of(self.profile).unwrap_or_else(|error| panic!("{error}")).with_seed(self.seed);
        let set = |scenario: Scenario, (key, value): &(&str, String)| scenario.with_setting(key, value);
        let calm = self.settings.iter().fold(calm, set).machine(Duration::from_secs(self.at_seconds));
        let mut machine = calm.unwrap_or_else(|error| panic!("{error}"));
        let mut happened = Vec::new();
        for host_event in &self.host_events {
            let event = host_event.event(self.at_seconds, self.later_seconds);
            if let Ok(more) = machine.clone().with_events(vec![event]) {
                machine = more;
                happened.push(host_event);
            }
        }
        (machine, happened)
    }

    /// The faults, on the paths that were read.
    pub fn plan(&self, asked: &[MountPath]) -> Plan {
        let faults = self
            .faults
            .iter()
            .filter(|_| !asked.is_empty())
            .map(|(which, kind, when)| Fault { when: *when, ..which.get(asked).broken(kind.clone()) });
        Plan::new(faults)
    }

    /// The cases with one fault less.
    pub(super) fn with_fewer_faults(&self) -> impl Iterator<Item = Self> {
        (0..self.faults.len()).map(|idx| {
            let mut fewer = self.clone();
            fewer.faults.remove(idx);
            fewer
        })
    }

    /// The host with these faults as a scenario file.
    pub fn scenario(&self, plan: &Plan) -> String {
        let mut text = format!("profile = '{}'\nseed = '{}'\nstart = {}\n", self.profile, self.seed, self.at_seconds);
        if !plan.faults().is_empty() {
            text.push_str("faults = '''\n");
            text.push_str(&plan.to_string());
            text.push_str("'''\n");
        }
        text += "\n[set]\n";
        for (key, value) in &self.settings {
            let _ = writeln!(text, "{key} = '{value}'");
        }
        let (_, happened) = self.machine();
        for host_event in happened {
            host_event.write(self.at_seconds, self.later_seconds, &mut text);
        }
        text
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}, again after {} s", self.profile, self.seed, self.at_seconds, self.later_seconds)
    }
}

/// Cases of every profile; they shrink to small ones.
pub fn cases() -> impl Strategy<Value = Case> {
    let machine = (0..profiles().len(), any::<u64>()).prop_flat_map(|(profile, seed)| {
        let profile = &profiles()[profile];
        let small = profile.small.iter().map(|(key, value)| (*key, (*value).to_owned())).collect::<Vec<_>>();
        let chosen = prop::sample::subsequence(profile.settings.iter().collect::<Vec<_>>(), 0..=profile.settings.len());
        let set = chosen.prop_flat_map(|chosen| {
            chosen.into_iter().map(|setting| value(setting, Some(SETTING_MAX))).collect::<Vec<_>>()
        });
        (
            Just(profile.name),
            Just(seed),
            set.prop_map(move |set| {
                // A setting is set once.
                let is_free = |(key, _): &&(&str, String)| !set.iter().any(|(other, _)| other == key);
                small.iter().filter(is_free).chain(&set).cloned().collect()
            }),
        )
    });
    let moment = (0..DAYS * 86_400, prop_oneof![1_u64..120, 3_600_u64..200_000]);
    let readers = (any::<Index>(), any::<Index>());
    let host_events = prop::collection::vec(host_events(), 0..=EVENTS_MAX);
    let faults =
        prop::collection::vec((any::<Index>(), prop::sample::select(kinds().to_vec()), when()), 0..=FAULTS_MAX);
    // Earlier components shrink first: events and faults matter more than numbers.
    let parts = (faults, host_events, machine, moment, readers);
    parts.prop_map(|(faults, host_events, (profile, seed, settings), (after, later), (reader, other))| Case {
        profile,
        seed,
        settings,
        at_seconds: FIRST_SECONDS + after,
        later_seconds: later,
        reader,
        other,
        host_events,
        faults,
    })
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => Just(When::ALWAYS),
        1 => (1_u64..4).prop_map(|only| When { reads: Some(Reads::Only(only)), ..When::ALWAYS }),
        1 => (1_u32..1_000_000).prop_map(|part| When { chance: Some(Chance::millionths(part)), ..When::ALWAYS }),
    ]
}

/// Written cases are parsed back.
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngSeed, TestRunner};
    use std::collections::BTreeMap;

    fn config(cases: u32) -> ProptestConfig {
        ProptestConfig { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
    }

    proptest! {
        #![proptest_config(config(40))]
        #[test]
        fn a_case_is_parsed_back_from_its_scenario(case in cases()) {
            let question = MountPath { mount: collectors::host::root::Mount::Proc, path: b"stat".to_vec() };
            let plan = case.plan(&[question]);
            let scenario = Scenario::parse(&case.scenario(&plan)).unwrap();
            prop_assert_eq!(scenario.faults(), &plan);
            let later = Duration::from_secs(case.later_seconds);
            let (told, drawn) = (Trial::of(&scenario, later).unwrap(), case.trial());
            for moment in [case.at_seconds, case.at_seconds + case.later_seconds] {
                let fingerprint = |trial: &Trial| simulator::fingerprint(&trial.host().tree_at(moment));
                prop_assert_eq!(fingerprint(&told), fingerprint(&drawn));
            }
            prop_assert_eq!(told.may_lower_counters(), drawn.may_lower_counters());
        }
    }

    /// A law that no case exercises would always hold.
    #[test]
    fn cases_include_every_kind_of_event_and_hosts_without_events() {
        // Few hosts have the InfiniBand fabric that one kind of event needs.
        const CASES: u32 = 1_200;
        let mut runner = TestRunner::new(config(1));
        let (mut happened, mut calm, mut most) = (BTreeMap::<&str, u32>::new(), 0, 0);
        for _ in 0..CASES {
            let case = cases().new_tree(&mut runner).unwrap().current();
            for event in case.machine().0.events() {
                *happened.entry(event.kind().name).or_default() += 1;
            }
            calm += u32::from(!case.trial().may_lower_counters());
            most = most.max(case.host_events.len());
        }
        let missing: Vec<_> =
            simulator::event_kinds().iter().filter(|kind| !happened.contains_key(kind.name)).collect();
        assert!(missing.is_empty(), "{missing:?} of {happened:?}");
        assert!((CASES / 3..CASES * 3 / 4).contains(&calm), "{calm} of {CASES} hosts are calm");
        assert_eq!(most, EVENTS_MAX);
    }

    #[test]
    fn irrelevant_events_are_removed_by_shrinking() {
        let mut runner = TestRunner::new(config(1));
        let mut shrunk = 0;
        for _ in 0..50 {
            let mut tree = cases().new_tree(&mut runner).unwrap();
            if tree.current().host_events.is_empty() {
                continue;
            }
            shrunk += 1;
            while tree.simplify() {}
            assert!(tree.current().host_events.is_empty(), "{:?}", tree.current());
        }
        assert!(shrunk > 10, "{shrunk} had any");
    }
}
