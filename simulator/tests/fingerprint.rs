//! Equal seed and time give equal bytes on every system. These numbers change only on purpose.

use std::fmt::Write as _;
use std::time::Duration;

use simulator::{Host, Machine, fingerprint, profiles};

const T: u64 = 1_700_000_000;

/// Every profile with default settings and seed 1.
const FINGERPRINTS: &[(&str, u64)] = &[
    ("vm", 0x1ed3_abbb_f542_b16e),
    ("laptop", 0x079a_3afa_46ef_3ffa),
    ("pi4", 0x362d_232a_972a_00fb),
    ("s390x", 0x77c9_8566_c4dc_4825),
    ("epyc256", 0xf68f_5c6d_4a2f_db9e),
    ("k8s-dense", 0xaff8_9c19_7cdd_c712),
    ("ib-hpc", 0x4f42_5602_0de3_e608),
    ("jbod60", 0x4e90_4383_a514_48e6),
    ("absurd1152", 0xb97a_33d1_2d97_0b4f),
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
