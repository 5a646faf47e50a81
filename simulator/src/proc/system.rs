//! /proc/version, and /proc/sys: the settings of sysctl

use crate::layout::{Content, ContentOf, Group, Table, each};
use crate::machine::{Interface, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::of_host(
        "sys/fs",
        &[
            (
                "file-nr",
                Content::File(|_, moment, into| {
                    put_line!(into, "{}\t0\t{}", moment.open_files(), moment.max_open_files());
                }),
            ),
            ("file-max", Content::File(|_, moment, into| put_line!(into, "{}", moment.max_open_files()))),
        ],
    ),
    &Group::of_host(
        "sys/kernel",
        &[
            // Since 5.18, the pool stays full.
            ("random/entropy_avail", Content::File(|_, _, into| put_line!(into, "256"))),
            ("random/poolsize", Content::File(|_, _, into| put_line!(into, "256"))),
            ("random/boot_id", Content::File(|_, moment, into| put_line!(into, "{}", moment.machine.system.boot_id))),
            ("hostname", Content::File(|_, moment, into| put_line!(into, "{}", moment.machine.system.hostname))),
            ("domainname", Content::File(|_, moment, into| put_line!(into, "{}", moment.machine.system.domainname))),
            ("osrelease", Content::File(|_, moment, into| put_line!(into, "{}", moment.machine.system.release))),
            ("ostype", Content::File(|_, _, into| put_line!(into, "Linux"))),
            ("version", Content::File(|_, moment, into| put_line!(into, "{}", moment.machine.system.version))),
            // Added in 6.13, and backported by distributions.
            ("hung_task_detect_count", Content::File(|_, _, into| put_line!(into, "0"))),
            ("threads-max", Content::File(|_, moment, into| put_line!(into, "{}", moment.machine.memory.pages / 32))),
            ("pid_max", Content::File(|_, _, into| put_line!(into, "4194304"))),
        ],
    ),
    &Group::of_host(
        "sys/net/netfilter",
        &[
            (
                "nf_conntrack_count",
                Content::File(|_, moment, into| put_line!(into, "{}", moment.tracked_connections())),
            ),
            ("nf_conntrack_max", Content::File(|_, _, into| put_line!(into, "262144"))),
        ],
    ),
    &Group::of_host("sys", &SETTINGS),
    &Group::<Interface> {
        under: "sys/net/ipv4/conf",
        parts: |machine| each(&machine.interfaces),
        path: |link, _| link.name.as_str().into(),
        entries: &[
            ("arp_ignore", Content::File(|_, _, into| put_line!(into, "0"))),
            ("forwarding", Content::File(|_, moment, into| put_line!(into, "{}", u8::from(moment.is_router())))),
            ("rp_filter", Content::File(|_, _, into| put_line!(into, "2"))),
        ],
    },
    &Group::of_host("", &[("version", Content::File(version))]),
];

/// Constant settings.
macro_rules! settings {
    ($($path:literal: $value:literal,)*) => {
        [$(($path, Content::File(|_, _, into| put_line!(into, $value)))),*]
    };
}

static SETTINGS: [(&str, ContentOf<Machine>); 33] = settings! {
    "fs/aio-max-nr": "65536",
    "fs/inotify/max_user_instances": "128",
    "fs/inotify/max_user_watches": "1048576",
    "fs/nr_open": "1048576",
    "kernel/core_pattern": "|/lib/systemd/systemd-coredump %P %u %g %s %t 9223372036854775808 %h",
    "kernel/kptr_restrict": "0",
    "kernel/panic": "0",
    "kernel/perf_event_paranoid": "3",
    "kernel/printk": "4\t4\t1\t7",
    "kernel/randomize_va_space": "2",
    "kernel/sem": "32000\t1024000000\t500\t32000",
    "kernel/seccomp/actions_avail": "kill_process kill_thread trap errno user_notif trace log allow",
    "kernel/shmmax": "18446744073692774399",
    "kernel/sysrq": "438",
    "net/core/default_qdisc": "fq_codel",
    "net/core/netdev_budget": "300",
    "net/core/netdev_max_backlog": "1000",
    "net/core/rmem_max": "212992",
    "net/core/somaxconn": "4096",
    "net/core/wmem_max": "212992",
    "net/ipv4/ip_local_port_range": "32768\t60999",
    "net/ipv4/tcp_available_congestion_control": "reno cubic",
    "net/ipv4/tcp_congestion_control": "cubic",
    "net/ipv4/tcp_fin_timeout": "60",
    "net/ipv4/tcp_keepalive_time": "7200",
    "net/ipv4/tcp_max_syn_backlog": "1024",
    "net/ipv4/tcp_rmem": "4096\t131072\t6291456",
    "net/ipv4/tcp_syncookies": "1",
    "net/ipv4/tcp_tw_reuse": "2",
    "net/ipv4/tcp_wmem": "4096\t16384\t4194304",
    "vm/max_map_count": "1048576",
    "vm/overcommit_memory": "0",
    "vm/swappiness": "60",
};

fn version(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let system = &moment.machine.system;
    put_line!(into, "Linux version {} {} {}", system.release, system.build, system.version);
}
