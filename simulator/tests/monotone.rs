//! Counters never fall, except where an event declares it.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

#[path = "monotone/counters.rs"]
mod counters;
#[path = "monotone/events.rs"]
mod events;

use std::time::Duration;

use counters::counters;
use proptest::prelude::*;
use simulator::{Host, Machine, Profile, profiles};

#[track_caller]
fn check(seed: u64, first: u64, then: u64) {
    for profile in profiles() {
        check_profile(profile, seed, first, then);
    }
}

fn check_profile(profile: &'static Profile, seed: u64, first: u64, then: u64) {
    let host = Host::new(profile.machine(seed, profile.small).unwrap(), || Duration::ZERO);
    let (before, after) = (counters(&host.tree_at(first)), counters(&host.tree_at(then)));
    assert!(before.keys().eq(after.keys()), "{}: counters come or go", profile.name);
    for ((name, before), after) in before.iter().zip(after.values()) {
        let host = profile.name;
        assert!(after >= before, "{host} {seed}: {name} falls from {before} to {after} between {first} and {then}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn no_counter_falls(seed: u64, first in 1_680_000_000_u64..1_900_000_000, after in 0_u64..100_000_000) {
        check(seed, first, first + after);
    }

    #[test]
    fn no_counter_falls_within_a_minute(seed: u64, first in 1_680_000_000_u64..1_900_000_000, after in 0_u64..60) {
        check(seed, first, first + after);
    }
}

#[test]
fn most_counters_rise() {
    let host = Host::new(Machine::vm(1), || Duration::ZERO);
    let (before, after) = (counters(&host.tree_at(1_700_000_000)), counters(&host.tree_at(1_700_086_400)));
    let risen = before.values().zip(after.values()).filter(|(before, after)| after > before).count();
    assert!(before.len() > 600 && risen > 250, "{risen} of {} rise in a day", before.len());
}
