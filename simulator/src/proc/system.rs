//! /proc/sys: what sysctl knows

use crate::layout::{Group, What, once};
use crate::text::put_line;

pub(super) static GROUPS: [Group; 3] = [
    Group {
        under: "sys/fs",
        each: once,
        entries: &[
            (
                "file-nr",
                What::File(|moment, _, into| {
                    put_line!(into, "{}\t0\t{}", moment.open_files(), moment.max_open_files());
                }),
            ),
            ("file-max", What::File(|moment, _, into| put_line!(into, "{}", moment.max_open_files()))),
        ],
    },
    Group {
        under: "sys/kernel",
        each: once,
        entries: &[
            // Since 5.18 the pool is full as soon as it was filled once.
            ("random/entropy_avail", What::File(|_, _, into| put_line!(into, "256"))),
            ("random/poolsize", What::File(|_, _, into| put_line!(into, "256"))),
            ("random/boot_id", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.system.boot_id))),
            ("hostname", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.system.hostname))),
            ("domainname", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.system.domainname))),
            ("osrelease", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.system.release))),
            ("ostype", What::File(|_, _, into| put_line!(into, "Linux"))),
            ("version", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.system.version))),
            // Counted since 6.13, and brought back by distributions.
            ("hung_task_detect_count", What::File(|_, _, into| put_line!(into, "0"))),
            ("threads-max", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.memory.pages / 32))),
            ("pid_max", What::File(|_, _, into| put_line!(into, "4194304"))),
        ],
    },
    Group {
        under: "sys/net/netfilter",
        each: once,
        entries: &[
            ("nf_conntrack_count", What::File(|moment, _, into| put_line!(into, "{}", moment.tracked_connections()))),
            ("nf_conntrack_max", What::File(|_, _, into| put_line!(into, "262144"))),
        ],
    },
];
