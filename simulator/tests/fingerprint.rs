//! Equal seed and time give equal bytes on every system. These numbers change only on purpose.

use std::fmt::Write as _;
use std::time::Duration;

use simulator::{Host, Machine, fingerprint, profiles};

const T: u64 = 1_700_000_000;

/// Every profile with default settings and seed 1.
const FINGERPRINTS: &[(&str, u64)] = &[
    ("vm", 0x83ba_dbf3_f2bb_7fd7),
    ("laptop", 0xb295_a78a_60b6_03de),
    ("pi4", 0x105e_7826_a14b_6869),
    ("s390x", 0xfece_4134_09a7_5f70),
    ("epyc256", 0x8f2c_8ac3_fed0_3ce2),
    ("k8s-dense", 0xc1ce_8719_166e_70d5),
    ("ib-hpc", 0xda84_ae44_992f_f9d8),
    ("jbod60", 0x6060_1cb6_7744_9886),
    ("absurd1152", 0x11c6_1eea_cb73_e8bd),
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
