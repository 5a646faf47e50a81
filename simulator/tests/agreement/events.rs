//! Laws hold before, at and after each event, on every host that it can happen to.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use simulator::{Event, EventKind, Machine, Profile, event_kinds, profiles};

use super::laws_of;

const AT: u64 = 1_700_000_000;

/// Event with default settings; most kinds select their target by themselves.
fn event(kind: &EventKind, seconds: u64) -> Event {
    Event::of(kind.name, Duration::from_secs(seconds), &[]).unwrap()
}

fn machine(profile: &'static Profile, seed: u64) -> Machine {
    profile.machine(seed, profile.small).unwrap()
}

#[test]
fn laws_hold_before_at_and_after_every_event() {
    // Hosts and times are distributed over the kinds.
    let mut moments = [-1, 0, 45, 599, 600, 86_400].into_iter().cycle();
    for kind in event_kinds() {
        let hosts = profiles().iter().filter_map(|profile| {
            let machine = machine(profile, 1).with_events(vec![event(kind, AT)]).ok()?;
            Some((profile.name, machine))
        });
        let hosts: Vec<_> = hosts.collect();
        assert!(!hosts.is_empty(), "{} is possible on no profile", kind.name);
        for (profile, machine) in hosts.into_iter().cycle().take(5) {
            let after = moments.next().unwrap();
            println!("{} on {profile} after {after}", kind.name);
            laws_of(machine, AT.saturating_add_signed(after));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn laws_hold_whatever_happens(
        seed: u64,
        profile: Index,
        kinds in proptest::collection::vec((any::<Index>(), 0_u64..5_000), 1..5),
        after in 0_u64..10_000,
    ) {
        let profile = profile.get(profiles());
        let mut machine = machine(profile, seed);
        for (kind, when) in &kinds {
            // Skips events that are impossible on this host or after earlier events.
            if let Ok(more) = machine.clone().with_events(vec![event(kind.get(event_kinds()), AT + when)]) {
                machine = more;
            }
        }
        println!("{} with {:?} after {after}", profile.name, machine.events());
        laws_of(machine, AT + after);
    }
}
