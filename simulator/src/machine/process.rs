//! Processes.

use super::Machine;

/// A process with a folder below /proc.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Process {
    pub(crate) number: u32,
    pub(crate) parent: u32,
    pub(crate) name: String,
    /// Empty for a kernel thread.
    pub(crate) command: &'static [&'static str],
    /// The numbers of its threads follow its own number.
    pub(crate) threads: u32,
    pub(crate) user: u32,
    /// Resident pages.
    pub(crate) resident_pages: u64,
    /// CPU time at the mean load, in thousandths of one CPU.
    pub(crate) cpu_permille: u64,
}

impl Process {
    pub(crate) fn is_kernel(&self) -> bool {
        self.command.is_empty()
    }
}

impl Machine {
    /// The processes with files of mounts: all processes share one mount namespace, so two stand for the rest.
    pub(crate) fn first_and_own_process(&self) -> Box<dyn Iterator<Item = &Process> + '_> {
        let own = self.processes.last().filter(|_| self.processes.len() > 1);
        Box::new(self.processes.first().into_iter().chain(own))
    }
}

/// A service: name, arguments, threads, user, resident pages, thousandths of a CPU.
type Service = (&'static str, &'static [&'static str], u32, u32, u64, u64);

static SERVICES: [Service; 14] = [
    ("systemd-journal", &["/usr/lib/systemd/systemd-journald"], 1, 0, 4_100, 4),
    ("systemd-udevd", &["/usr/lib/systemd/systemd-udevd"], 1, 0, 1_900, 1),
    ("systemd-resolve", &["/usr/lib/systemd/systemd-resolved"], 1, 991, 3_300, 2),
    ("systemd-timesyn", &["/usr/lib/systemd/systemd-timesyncd"], 2, 997, 1_850, 1),
    ("dbus-daemon", &["/usr/bin/dbus-daemon", "--system", "--nofork"], 1, 998, 1_150, 2),
    ("systemd-logind", &["/usr/lib/systemd/systemd-logind"], 1, 0, 2_010, 1),
    ("cron", &["/usr/sbin/cron", "-f"], 1, 0, 720, 1),
    ("rsyslogd", &["/usr/sbin/rsyslogd", "-n"], 4, 0, 1_680, 3),
    ("sshd", &["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"], 1, 0, 2_240, 1),
    ("containerd", &["/usr/bin/containerd"], 14, 0, 12_400, 9),
    ("web", &["/srv/web/bin/web", "--listen", ":8080"], 11, 1_001, 41_000, 48),
    ("worker", &["/srv/web/bin/worker", "--queue", "mail"], 6, 1_001, 28_000, 31),
    ("cache", &["/srv/cache/bin/cache"], 5, 1_002, 66_000, 17),
    ("agetty", &["/sbin/agetty", "-o", "-- \\u", "--noreset"], 1, 0, 510, 0),
];
/// Kernel threads of the host.
const WORKERS: [&str; 10] = [
    "rcu_preempt",
    "rcu_gp",
    "kdevtmpfs",
    "kauditd",
    "khungtaskd",
    "oom_reaper",
    "kcompactd0",
    "khugepaged",
    "kswapd0",
    "kworker/u8:1-flush",
];
/// Kernel threads of each CPU.
const PER_CPU: [&str; 3] = ["cpuhp", "migration", "ksoftirqd"];
/// The number of the first service: kernel threads have lower numbers.
const FIRST_SERVICE: u32 = 300;

/// The processes of a server. The last one is the process that reads.
pub(crate) fn usual(cpus: usize) -> Vec<Process> {
    let kernel = |number: u32, name: String| Process {
        number,
        parent: if number == 2 { 0 } else { 2 },
        name,
        command: &[],
        threads: 1,
        user: 0,
        resident_pages: 0,
        cpu_permille: 0,
    };
    let mut processes = vec![Process {
        number: 1,
        parent: 0,
        name: "systemd".to_owned(),
        command: &["/sbin/init"],
        threads: 1,
        user: 0,
        resident_pages: 3_300,
        cpu_permille: 2,
    }];
    let once = std::iter::once("kthreadd").chain(WORKERS).map(str::to_owned);
    let per_cpu = (0..cpus).flat_map(|cpu| PER_CPU.iter().map(move |name| format!("{name}/{cpu}")));
    processes.extend((2..).zip(once.chain(per_cpu)).map(|(number, name)| kernel(number, name)));
    let exporter: Service = ("node_exporter", &["/usr/bin/node_exporter"], 5, 1_003, 5_100, 6);
    let mut number = processes.last().map_or(1, |last| last.number + 1).max(FIRST_SERVICE);
    for (name, command, threads, user, resident_pages, cpu_permille) in SERVICES.iter().copied().chain([exporter]) {
        let name = name.to_owned();
        processes.push(Process { number, parent: 1, name, command, threads, user, resident_pages, cpu_permille });
        // Short-lived processes of the service used some numbers.
        number += threads + 20;
    }
    processes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_threads_have_one_number() {
        for cpus in [1, 4, 1_152] {
            let processes = usual(cpus);
            let pairs = processes.iter().zip(processes.iter().skip(1));
            for (one, next) in pairs {
                assert!(one.number + one.threads <= next.number, "{one:?} {next:?}");
            }
            assert_eq!(processes.last().map(|last| last.name.as_str()), Some("node_exporter"));
        }
    }
}
