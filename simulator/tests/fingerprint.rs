//! Equal seed and time give equal bytes on every system. These numbers change only on purpose.

use std::fmt::Write as _;
use std::time::Duration;

use simulator::{Host, Machine, fingerprint, profiles};

const T: u64 = 1_700_000_000;

/// Every profile with default settings and seed 1.
const FINGERPRINTS: &[(&str, u64)] = &[
    ("vm", 0x27b0_1e34_e55a_f2c3),
    ("laptop", 0x717e_52fb_6483_830d),
    ("pi4", 0xaf7a_b4d9_78ce_e580),
    ("s390x", 0xef27_ec79_96d4_7498),
    ("epyc256", 0xd0e1_fac9_20ab_c221),
    ("k8s-dense", 0x1621_00a9_9262_1b3c),
    ("ib-hpc", 0x8e7b_7ef6_abc1_7b33),
    ("jbod60", 0x0f6f_667d_fe1d_cfa6),
    ("absurd1152", 0x5ab2_729c_481c_2fe0),
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
