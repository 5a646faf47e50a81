//! Equal seed and time give equal bytes on every system. These numbers change only on purpose.

use std::fmt::Write as _;
use std::time::Duration;

use simulator::{Host, Machine, fingerprint, profiles};

const T: u64 = 1_700_000_000;

/// Every profile with default settings and seed 1.
const FINGERPRINTS: &[(&str, u64)] = &[
    ("vm", 0xd9aa_b45c_7945_fe2f),
    ("laptop", 0x0b7d_ea54_da65_b8ca),
    ("pi4", 0xead8_04e3_4d78_5c01),
    ("s390x", 0xbc6f_825f_fddc_32e1),
    ("epyc256", 0x18c2_ad56_70b2_dec1),
    ("k8s-dense", 0xd3f8_c10b_4b5d_038b),
    ("ib-hpc", 0x3408_c489_64d2_9ff6),
    ("jbod60", 0xc3ac_4223_fb00_1b34),
    ("absurd1152", 0xcb10_b0da_e9f1_88dd),
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
