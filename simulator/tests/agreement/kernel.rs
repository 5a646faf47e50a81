//! Kernel identification and processes.

use std::collections::BTreeMap;

use collectors::host::kernel::NtpQuery;
use collectors::host::kernel::timex::{STATE_ERROR, STATUS_UNSYNCHRONISED};

use super::Frozen;

pub(crate) fn agree(host: &Frozen) {
    names_agree(host);
    processes_agree(host);
    clocks_agree(host);
}

/// A clock is synchronised, or has no reference shortly after the boot or because of an event; its server says the same.
fn clocks_agree(host: &Frozen) {
    let found = host.kernel().timex().unwrap();
    let is_synchronised = found.state != STATE_ERROR;
    assert_eq!(found.status & STATUS_UNSYNCHRONISED == 0, is_synchronised, "{found:?}");
    assert!(found.offset.abs() <= 500_000_000 && found.frequency.abs() <= 500 << 16, "{found:?}");
    let uptime: f64 = host.text("proc/uptime").split(' ').next().unwrap().parse().unwrap();
    assert!(is_synchronised || uptime < 40.0 || host.may(&["clock-unsynchronised"]), "{found:?} after {uptime} s");
    let limit = if is_synchronised { 1_000_000 } else { 16_000_000 };
    assert!((1..=limit).contains(&found.maximum_error_microseconds), "{found:?}");
    let answer = host.kernel().ntp(&NtpQuery { server: "127.0.0.1:123", version: 4, ttl: 1 }).unwrap();
    assert_eq!((answer.leap < 3, answer.stratum < 16), (is_synchronised, is_synchronised), "{answer:?}");
    assert!(answer.transmitted == host.kernel().now() && answer.reference <= answer.transmitted, "{answer:?}");
}

fn names_agree(host: &Frozen) {
    let mut uname = collectors::host::kernel::Uname::default();
    host.kernel().uname(&mut uname).unwrap();
    let is = |path: &str, value: &[u8]| assert_eq!(host.text(path).trim_end().as_bytes(), value, "{path}");
    is("proc/sys/kernel/osrelease", &uname.release);
    is("proc/sys/kernel/version", &uname.version);
    is("proc/sys/kernel/hostname", &uname.nodename);
    is("rootfs/etc/hostname", &uname.nodename);
    assert!(host.text("proc/version").contains(&format!(" {} ", String::from_utf8_lossy(&uname.release))));
    let now = host.kernel().now().as_secs();
    let btime =
        host.text("proc/stat").lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse::<u64>().unwrap();
    assert!(now == host.seconds.clamp(btime, 10_000_000_000) || host.may(&["clock-step"]));
    let uptime = host.text("proc/uptime").split('.').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(btime + uptime, now);
}

fn processes_agree(host: &Frozen) {
    let is_number = |name: &&String| name.bytes().all(|byte| byte.is_ascii_digit());
    let (mut threads, mut running, mut blocked) = (0, 0, 0);
    // Computed once for thousands of processes.
    let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, _) in host.tree.iter() {
        if let ["proc", process, "task", _] = std::str::from_utf8(path).unwrap().split('/').collect::<Vec<_>>()[..] {
            *tasks.entry(process).or_default() += 1;
        }
    }
    for process in host.names("proc").iter().filter(is_number) {
        let stat = host.text(&format!("proc/{process}/stat"));
        let name = host.text(&format!("proc/{process}/comm")).trim_end();
        assert!(stat.starts_with(&format!("{process} ({name}) ")), "{stat}");
        let words: Vec<&str> = stat.rsplit(") ").next().unwrap().split_whitespace().collect();
        assert_eq!(words.len(), 50, "{stat}");
        let of_process = tasks[process.as_str()];
        assert_eq!(of_process, words[17].parse::<usize>().unwrap(), "threads of {process}");
        threads += of_process;
        running += usize::from(words[0] == "R");
        blocked += usize::from(words[0] == "D");
        let status = host.text(&format!("proc/{process}/status"));
        assert!(
            status.contains(&format!("\nState:\t{} (", words[0]))
                && status.contains(&format!("\nPPid:\t{}\n", words[1]))
        );
    }
    let of_stat = |name: &str| {
        let line = host.text("proc/stat").lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<usize>().unwrap()
    };
    assert_eq!((running, blocked), (of_stat("procs_running"), of_stat("procs_blocked")));
    assert!(host.text("proc/loadavg").contains(&format!(" {running}/{threads} ")), "{}", host.text("proc/loadavg"));
}
