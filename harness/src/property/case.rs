//! Random machines, moments and faults, as proptest strategies that shrink to small ones.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::declare::Declaration;
use proptest::prelude::*;
use proptest::sample::Index;
use simulator::fault::{Chance, Fault, Kind, Plan, Reads, VirtualClock, When};
use simulator::scenario::Scenario;
use simulator::{Host, Setting, Takes, profiles};

use crate::faults::{Question, kinds};

/// Machines are no larger than this in what is counted, so that thousands can be looked at.
const SETTING_MAX: u64 = 12;
/// More faults than this at once tell nothing new.
const FAULTS_MAX: usize = 4;
/// From here on hosts are looked at, and within so many days.
const FIRST_SECONDS: u64 = 1_700_000_000;
const DAYS: u64 = 400;

/// A random host, what is read of it, and what breaks.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kind of host.
    pub profile: &'static str,
    /// Its seed.
    pub seed: u64,
    /// What of it is set.
    pub settings: Vec<(&'static str, String)>,
    /// When it is looked at, in seconds since 1970.
    pub at_seconds: u64,
    /// How much later it is looked at again.
    pub later_seconds: u64,
    /// Who reads it.
    pub collector: &'static Declaration,
    /// Who should not be concerned by what breaks for the other.
    pub other: &'static Declaration,
    /// Which of the paths that the collector asks for break, how and when.
    faults: Vec<(Index, Kind, When)>,
}

/// A case whose faults sit on paths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// What breaks.
    pub plan: Plan,
}

impl Case {
    /// The host, with a clock that the caller moves.
    ///
    /// # Panics
    /// When the profile refuses what it says that it takes.
    pub fn host(&self) -> (Host, VirtualClock) {
        let calm = Scenario::of(self.profile).unwrap_or_else(|error| panic!("{error}")).with_seed(self.seed);
        let set = |scenario: Scenario, (key, value): &(&str, String)| scenario.with_setting(key, value);
        let start = Duration::from_secs(self.at_seconds);
        let clock = VirtualClock::new(start);
        let staged = self.settings.iter().fold(calm, set).host(start, Arc::new(clock.clone()));
        (staged.unwrap_or_else(|error| panic!("{error}")).sound, clock)
    }

    /// The faults, on paths of those that were asked for.
    pub fn resolve(&self, asked: &[Question]) -> Resolved {
        let faults = self
            .faults
            .iter()
            .filter(|_| !asked.is_empty())
            .map(|(which, kind, when)| Fault { when: *when, ..which.get(asked).broken(kind.clone()) });
        Resolved { plan: Plan::new(faults) }
    }

    /// Whether nothing breaks.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// The same host as a scenario file, with these faults.
    pub fn scenario(&self, resolved: &Resolved) -> String {
        let mut text = format!("profile = '{}'\nseed = '{}'\nstart = {}\n", self.profile, self.seed, self.at_seconds);
        if !resolved.plan.faults().is_empty() {
            text.push_str("faults = '''\n");
            text.push_str(&resolved.plan.to_string());
            text.push_str("'''\n");
        }
        text += "\n[set]\n";
        self.settings.iter().fold(text, |text, (key, value)| text + &format!("{key} = '{value}'\n"))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}, read by {}", self.profile, self.seed, self.at_seconds, self.collector.name)
    }
}

/// Cases of every profile, small ones first when they are shrunk.
pub fn cases() -> impl Strategy<Value = Case> {
    let machine = (0..profiles().len(), any::<u64>()).prop_flat_map(|(profile, seed)| {
        let profile = &profiles()[profile];
        let small = profile.small.iter().map(|(key, value)| (*key, (*value).to_owned())).collect::<Vec<_>>();
        let chosen = prop::sample::subsequence(profile.settings.iter().collect::<Vec<_>>(), 0..=profile.settings.len());
        let set = chosen.prop_flat_map(|chosen| chosen.into_iter().map(value).collect::<Vec<_>>());
        (
            Just(profile.name),
            Just(seed),
            set.prop_map(move |set| {
                // What is set is set once.
                let is_free = |(key, _): &&(&str, String)| !set.iter().any(|(other, _)| other == key);
                small.iter().filter(is_free).chain(&set).cloned().collect()
            }),
        )
    });
    let moment = (0..DAYS * 86_400, prop_oneof![1_u64..120, 3_600_u64..200_000]);
    let readers = (prop::sample::select(ALL), prop::sample::select(ALL));
    let faults =
        prop::collection::vec((any::<Index>(), prop::sample::select(kinds().to_vec()), when()), 0..=FAULTS_MAX);
    (machine, moment, readers, faults).prop_map(|((profile, seed, settings), (after, later), readers, faults)| Case {
        profile,
        seed,
        settings,
        at_seconds: FIRST_SECONDS + after,
        later_seconds: later,
        collector: readers.0.declaration,
        other: readers.1.declaration,
        faults,
    })
}

fn value(setting: &'static Setting) -> BoxedStrategy<(&'static str, String)> {
    match setting.takes {
        Takes::Number { least, most, .. } => {
            (least..=most.min(least.max(SETTING_MAX))).prop_map(|number| (setting.key, number.to_string())).boxed()
        }
        // A profile names nothing of its host.
        Takes::Name => unreachable!("{} is a setting of events", setting.key),
        Takes::Word(words) => prop::sample::select(words).prop_map(|word| (setting.key, (*word).to_owned())).boxed(),
    }
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => Just(When::ALWAYS),
        1 => (1_u64..4).prop_map(|only| When { reads: Some(Reads::Only(only)), ..When::ALWAYS }),
        1 => (1_u32..1_000_000).prop_map(|part| When { chance: Some(Chance::millionths(part)), ..When::ALWAYS }),
    ]
}

/// That what a case says of itself is read by who replays it.
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::test_runner::RngSeed;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]
        #[test]
        fn a_case_is_a_scenario(case in cases()) {
            let question = Question { mount: collectors::kit::root::Mount::Proc, path: b"stat".to_vec() };
            let resolved = case.resolve(&[question]);
            let scenario = Scenario::parse(&case.scenario(&resolved)).unwrap();
            prop_assert_eq!(scenario.faults(), &resolved.plan);
            let start = scenario.start().unwrap();
            let (host, _) = case.host();
            let clock: Arc<VirtualClock> = Arc::new(VirtualClock::new(start));
            let staged = scenario.host(start, clock).unwrap();
            let at = case.at_seconds;
            let fingerprint = |host: &Host| simulator::fingerprint(&host.tree_at(at));
            prop_assert_eq!(fingerprint(&staged.sound), fingerprint(&host));
        }
    }
}
