//! Equal seed and time give equal bytes on every system. These numbers change only on purpose.

use std::fmt::Write as _;
use std::time::Duration;

use simulator::{Host, Machine, fingerprint, profiles};

const T: u64 = 1_700_000_000;

/// Every profile with default settings and seed 1.
const FINGERPRINTS: &[(&str, u64)] = &[
    ("vm", 0xed96_9b20_9fb4_9476),
    ("laptop", 0x1713_07a9_271b_83f7),
    ("pi4", 0x4083_0e1e_2f60_da96),
    ("s390x", 0x5efd_dfc2_3f33_f1cb),
    ("epyc256", 0xbcae_4154_0782_75fd),
    ("k8s-dense", 0xd446_d053_8d69_2006),
    ("ib-hpc", 0x3118_9458_a70c_2601),
    ("jbod60", 0x4ea2_f0bc_c28c_0ca7),
    ("absurd1152", 0xdb55_ab9b_92e1_0b6e),
];

fn found(machine: Machine, seconds: u64) -> u64 {
    fingerprint(&Host::new(machine, || Duration::ZERO).tree_at(seconds))
}

#[test]
fn fingerprints_are_unchanged() {
    let (mut now, mut before) = (String::new(), String::new());
    for (name, fingerprint) in FINGERPRINTS {
        writeln!(before, "    (\"{name}\", {fingerprint:#018x}),").expect("memory takes every byte");
    }
    for profile in profiles() {
        let found = found(profile.machine(1, &[]).expect("a profile as it is"), T);
        writeln!(now, "    (\"{}\", {found:#018x}),", profile.name).expect("memory takes every byte");
    }
    let now = now.lines().map(grouped).collect::<Vec<_>>().join("\n");
    let before = before.lines().map(grouped).collect::<Vec<_>>().join("\n");
    assert!(now == before, "hosts have changed; if that is meant, the table is now\n{now}");
}

/// Formats a number in groups of four digits.
fn grouped(line: &str) -> String {
    let Some((front, digits)) = line.split_once(", 0x") else { return line.to_owned() };
    let (digits, back) = digits.split_at(16);
    let groups: Vec<&str> = (0..4).filter_map(|group| digits.get(group * 4..group * 4 + 4)).collect();
    format!("{front}, 0x{}{back}", groups.join("_"))
}

#[test]
fn fingerprints_depend_on_time_and_seed() {
    assert_ne!(found(Machine::vm(1), T), found(Machine::vm(1), T + 1));
    assert_ne!(found(Machine::vm(1), T), found(Machine::vm(2), T));
}
