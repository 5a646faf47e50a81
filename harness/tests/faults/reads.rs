//! The declared read of a path.

use collectors::ALL;
use collectors::host::root::Mount;
use collectors::kit::read::ReadInfo;
use harness::meter::MountPath;
use harness::pattern::{self, is_one};

/// The declared pattern of a path.
pub(crate) fn pattern(collector: &str, question: &MountPath) -> String {
    let read = declared(collector, question);
    read.map_or_else(|| question.to_string(), |read| format!("{}/{}", read.mount.name(), read.pattern))
}

/// The declared read of a path; of several, the most specific.
pub(crate) fn declared(collector: &str, question: &MountPath) -> Option<ReadInfo> {
    let registration = ALL.iter().find(|registration| registration.declaration.name == collector);
    let reads = registration.map(|registration| registration.declaration.reads).unwrap_or_default();
    let path = question.to_string();
    let is_asked = |read: &&ReadInfo| is_one(&pattern::of(read), &path);
    let spelled_out = |read: &&ReadInfo| read.pattern.bytes().filter(|&byte| byte != b'*').count();
    reads.iter().filter(is_asked).max_by_key(spelled_out).copied()
}

#[test]
fn paths_belong_to_the_most_specific_pattern() {
    for (collector, mount, path, expected) in [
        ("hwmon", Mount::Sys, "class/hwmon/hwmon0/device", Some("class/hwmon/*/device")),
        ("hwmon", Mount::Sys, "class/hwmon/hwmon0/temp1_input", Some("class/hwmon/*/*")),
        (
            "edac",
            Mount::Sys,
            "devices/system/edac/mc/mc0/csrow1/ch0_ce_count",
            Some("devices/system/edac/mc/mc*/csrow*/ch*_ce_count"),
        ),
        ("runit", Mount::Host, "/etc/service/web/supervise/down", Some("*/*/supervise/down")),
        ("textfile", Mount::Host, "/var/lib/a.prom", Some("*")),
        ("sysctl", Mount::Proc, "sys/net/ipv4/tcp_rmem", Some("sys/**")),
        ("loadavg", Mount::Proc, "stat", None),
    ] {
        let question = MountPath { mount, path: path.as_bytes().to_vec() };
        assert_eq!(declared(collector, &question).map(|read| read.pattern), expected, "{collector} {path}");
    }
}
