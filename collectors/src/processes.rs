//! Processes and threads by state, from /proc.

mod stat_file;

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};
use crate::kit::family::{Family, Gauge};
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The processes collector.
#[derive(Debug)]
pub struct Processes {
    processes: Names,
    threads: Names,
}

declare! {
    Processes: "processes", off, "Processes and threads by state, and their limits.";
    labels {
        PerState { state }
        PerThreadState { thread_state }
    }
    reads {
        PROC: Directory Proc "";
        STAT: File Proc "*/stat";
        TASKS: Directory Proc "*/task";
        TASK_STAT: File Proc "*/task/*/stat";
        THREADS_MAX: File Proc "sys/kernel/threads-max";
        PID_MAX: File Proc "sys/kernel/pid_max";
    }
    families {
        MAX_PROCESSES: Gauge "node_processes_max_processes" () "Limit of process IDs.";
        MAX_THREADS: Gauge "node_processes_max_threads" () "Limit of threads.";
        PIDS: Gauge "node_processes_pids" () "Processes.";
        STATE: Gauge "node_processes_state" PerState "Processes by state.";
        THREADS: Gauge "node_processes_threads" () "Threads.";
        THREADS_STATE: Gauge "node_processes_threads_state" PerThreadState "Threads by state.";
    }
}

impl Collect for Processes {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { processes: Names::new(), threads: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        cx.files.list(PROC, [], &mut self.processes)?;
        let mut found = Totals::default();
        for process in self.processes.iter().filter(|name| is_number(name)) {
            if let Some(Some(row)) = cx.problems.value(stat(cx.files.read(STAT, [process]))) {
                found.pids += 1;
                found.threads = found.threads.saturating_add(row.threads);
                found.states.count(row.state);
                count_threads(cx, process, row.state, &mut self.threads, &mut found.thread_states);
            }
        }
        cx.page.gauge(THREADS, (), found.threads);
        cx.page.gauge(PIDS, (), found.pids);
        for (state, count) in found.states.iter() {
            cx.page.gauge(STATE, PerState { state: &state.as_slice() }, count);
        }
        for (state, count) in found.thread_states.iter() {
            cx.page.gauge(THREADS_STATE, PerThreadState { thread_state: &state.as_slice() }, count);
        }
        limit(cx, THREADS_MAX, MAX_THREADS);
        limit(cx, PID_MAX, MAX_PROCESSES);
        Ok(())
    }
}

#[derive(Default)]
/// Counts of a scrape.
struct Totals {
    pids: u64,
    threads: i64,
    states: StateCounts,
    thread_states: StateCounts,
}

/// Counts by state letter.
struct StateCounts([u64; 128]);

impl Default for StateCounts {
    fn default() -> Self {
        Self([0; 128])
    }
}

impl StateCounts {
    fn count(&mut self, state: u8) {
        if let Some(count) = self.0.get_mut(usize::from(state)) {
            *count += 1;
        }
    }

    /// The states that occur, and their counts.
    fn iter(&self) -> impl Iterator<Item = ([u8; 1], u64)> {
        (0_u8..).zip(self.0).filter(|(_, count)| *count > 0).map(|(state, count)| ([state], count))
    }
}

/// Counts the threads of a process. The main thread has the state of the process, which is known.
fn count_threads(cx: &mut Cx<'_, Processes>, process: &[u8], state: u8, threads: &mut Names, states: &mut StateCounts) {
    match cx.files.list(TASKS, [process], threads) {
        Err(error) if has_exited(error.error) => return,
        result => {
            if cx.problems.value(result).is_none() {
                return;
            }
        }
    }
    for thread in threads.iter().filter(|name| is_number(name)) {
        if thread == process {
            states.count(state);
        } else if let Some(Some(row)) = cx.problems.value(stat(cx.files.read(TASK_STAT, [process, thread]))) {
            states.count(row.state);
        }
    }
}

/// Reads the stat file of a process or thread; `None` if it has exited.
fn stat<'a>(read: Result<Text<'a>, FileError<'a>>) -> Result<Option<stat_file::Stat>, Failure> {
    match read {
        Ok(text) => Ok(Some(stat_file::parse(text)?)),
        Err(error) if has_exited(error.error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the error means that the process has exited.
fn has_exited(error: RootError) -> bool {
    error.is_missing() || matches!(error, RootError::Errno(Errno::ESRCH))
}

fn is_number(name: &[u8]) -> bool {
    u32::from_text(name).is_some()
}

/// Emits a limit of the kernel.
fn limit(cx: &mut Cx<'_, Processes>, file: Read<Processes, File, 0>, family: Family<Processes, Gauge, ()>) {
    if let Some(limit) = cx.number::<u64, _>(file, [], "limit") {
        cx.page.gauge(family, (), limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const LIMITS: &str = "== proc/sys/kernel/pid_max\n4194304\n== proc/sys/kernel/threads-max\n7801\n";

    fn stat_of(path: &str, number: u32, state: char, threads: u32) -> String {
        format!("== proc/{path}/stat\n{number} (a b) {state} 1 1 1 0 -1 1 0 0 0 0 1 2 0 0 20 0 {threads} 0 17 0 0\n")
    }

    #[track_caller]
    fn check(entries: &str, expected: &str, complaint: Option<&str>) {
        let host = given(&format!("{entries}{LIMITS}"));
        let expected =
            format!("node_processes_max_processes 4.194304e+06\nnode_processes_max_threads 7801\n{expected}");
        match complaint {
            None => host.emits::<Processes>(&expected),
            Some(complaint) => host.fails::<Processes>(&expected, complaint),
        }
    }

    #[test]
    fn processes_and_threads_are_counted_by_state() {
        let host = [
            stat_of("1", 1, 'S', 1),
            stat_of("1/task/1", 1, 'D', 1),
            stat_of("20", 20, 'R', 3),
            "== proc/20/task/20/stat error=EACCES\n".to_owned(),
            stat_of("20/task/21", 21, 'S', 3),
            stat_of("20/task/22", 22, 'I', 3),
            stat_of("30", 30, 'Z', 1),
            "== proc/99/stat error=ESRCH\n== proc/98/\n== proc/acpi/stat\nx\n".to_owned(),
        ];
        check(
            &host.concat(),
            "node_processes_pids 3\nnode_processes_state{state=\"R\"} 1\nnode_processes_state{state=\"S\"} 1\n\
            node_processes_state{state=\"Z\"} 1\nnode_processes_threads 5\nnode_processes_threads_state{thread_state=\"I\"} 1\n\
            node_processes_threads_state{thread_state=\"R\"} 1\nnode_processes_threads_state{thread_state=\"S\"} 2\n",
            None,
        );
    }

    #[test]
    fn a_bad_process_costs_only_its_own_samples() {
        let one = "node_processes_pids 1\nnode_processes_state{state=\"S\"} 1\nnode_processes_threads 1\n";
        for (bad, complaint) in [
            ("== proc/2/stat\n2 (x) S 1\n", "proc/2/stat: num_threads: expected"),
            ("== proc/2/stat error=EACCES\n", "proc/2/stat: permission denied"),
            ("== proc/1/task/ error=EACCES\n", "proc/1/task: permission denied"),
            ("== proc/1/task/5/stat\n\n", "proc/1/task/5/stat: comm: expected"),
        ] {
            check(&format!("{}{bad}", stat_of("1", 1, 'S', 1)), one, Some(complaint));
        }
    }

    #[test]
    fn a_bad_limit_costs_only_its_own_samples() {
        let none = "node_processes_pids 0\nnode_processes_threads 0\n";
        given("== proc/sys/kernel/pid_max\n-1\n")
            .fails::<Processes>(none, "pid_max: limit: expected an unsigned integer");
        given("== proc/x\n").fails::<Processes>(none, "threads-max: no such file");
    }
}
