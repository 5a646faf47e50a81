//! Kernel identification and processes.

use std::collections::BTreeMap;

use collectors::host::kernel::Kernel;

use super::Frozen;

pub(crate) fn agree(host: &Frozen) {
    names_agree(host);
    processes_agree(host);
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
