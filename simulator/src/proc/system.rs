//! /proc/sys: what sysctl knows

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 5] = [
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
    Group { under: "sys", each: once, entries: &SETTINGS },
    Group {
        under: "sys/net/ipv4/conf",
        each: each_link,
        entries: &[
            ("arp_ignore", What::File(|_, _, into| put_line!(into, "0"))),
            ("forwarding", What::File(|moment, _, into| put_line!(into, "{}", u8::from(moment.is_router())))),
            ("rp_filter", What::File(|_, _, into| put_line!(into, "2"))),
        ],
    },
];

/// A setting that is the same everywhere.
macro_rules! settings {
    ($($path:literal: $value:literal,)*) => {
        [$(($path, What::File(|_, _, into| put_line!(into, $value)))),*]
    };
}

static SETTINGS: [(&str, What); 33] = settings! {
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

fn each_link(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, link) in moment.machine.interfaces.iter().enumerate() {
        visit(index, link.name.as_bytes());
    }
}
