//! Same seed, same moment: same bytes, on every system, for ever. A change of this number is a decision.

use std::time::Duration;

use simulator::{Host, Machine, fingerprint};

const T: u64 = 1_700_000_000;

fn found(machine: Machine, seconds: u64) -> u64 {
    fingerprint(&Host::new(machine, || Duration::ZERO).tree_at(seconds))
}

#[track_caller]
fn check(machine: Machine, expected: u64) {
    let found = found(machine, T);
    assert_eq!(found, expected, "the host has changed: its fingerprint is {found:#018x}");
}

#[test]
fn vm_is_what_it_was() {
    check(Machine::vm(1), 0x8bec_7851_254b_7713);
}

#[test]
fn another_second_or_seed_is_another_host() {
    assert_ne!(found(Machine::vm(1), T), found(Machine::vm(1), T + 1));
    assert_ne!(found(Machine::vm(1), T), found(Machine::vm(2), T));
}
