//! What a process costs: its time on a processor, its memory, and its instructions where perf can count them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::load;

/// Time on a processor of all threads of a process that are there. One that has ended is not counted any more.
pub(super) fn cpu_time(id: u32) -> io::Result<Duration> {
    let tasks = format!("/proc/{id}/task");
    let mut sum = 0;
    for task in load::names(Path::new(&tasks))? {
        // It may end meanwhile.
        let Ok(text) = load::bytes(Path::new(&format!("{tasks}/{task}/schedstat"))) else { continue };
        sum += first_number(&text);
    }
    Ok(Duration::from_nanos(sum))
}

pub(super) fn first_number(text: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(text);
    text.split_ascii_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What a process has in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Memory {
    /// Now.
    pub(super) resident_bytes: u64,
    /// At most, since it began.
    pub(super) peak_bytes: u64,
}

/// The memory of a process.
pub(super) fn memory(id: u32) -> io::Result<Memory> {
    let text = load::bytes(Path::new(&format!("/proc/{id}/status")))?;
    status(&String::from_utf8_lossy(&text)).ok_or_else(|| io::Error::other(format!("/proc/{id}/status: no VmRSS")))
}

fn status(text: &str) -> Option<Memory> {
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    };
    Some(Memory { resident_bytes: of("VmRSS:")?, peak_bytes: of("VmHWM:")? })
}

/// perf, counting one event of a process until it is asked.
#[derive(Debug)]
pub(super) struct Counter {
    perf: Child,
    until: Option<ChildStdin>,
}

impl Counter {
    /// Counts from now on; `None` where perf is missing or may not.
    pub(super) fn start(id: u32, event: &str) -> Option<Self> {
        // It counts as long as the command runs, and `cat` runs until it has nothing to read.
        let mut perf = Command::new("perf")
            .args(["stat", "-x", ",", "-e", event, "-p", &id.to_string(), "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let (mut until, mut echo) = (perf.stdin.take(), String::new());
        let begins = until.as_mut().is_some_and(|until| until.write_all(b"begin\n").is_ok());
        // What comes back has gone through `cat`, which begins with the counting.
        let is_here = perf.stdout.take().is_some_and(|out| BufReader::new(out).read_line(&mut echo).is_ok());
        let counter = Self { perf, until };
        (begins && is_here && echo == "begin\n").then_some(counter)
    }

    /// What was counted until now.
    pub(super) fn stop(mut self) -> Option<f64> {
        drop(self.until.take());
        let mut text = String::new();
        self.perf.stderr.take()?.read_to_string(&mut text).ok()?;
        counted(&text)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        drop(self.until.take());
        let _ = self.perf.wait();
    }
}

/// The first field of the line that perf prints with `-x ,`.
fn counted(text: &str) -> Option<f64> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| line.split(',').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use collectors::host::kernel::clock;

    #[test]
    fn what_the_kernel_says_of_a_process_is_read() {
        let memory = status("Name:\tx\nVmHWM:\t    9000 kB\nVmRSS:\t    8000 kB\n");
        assert_eq!(memory, Some(Memory { resident_bytes: 8_192_000, peak_bytes: 9_216_000 }));
        assert_eq!(status("Name:\tkthreadd\n"), None);
        assert_eq!(first_number(b"123456 78 9\n"), 123_456);
    }

    #[test]
    fn what_perf_prints_is_read() {
        assert_eq!(counted("123456,,instructions,1000,100.00,,\n"), Some(123_456.0));
        assert_eq!(counted("<not supported>,,instructions,0,100.00,,\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn perf_counts_from_its_start_to_its_end_where_it_may() {
        // An event of the kernel's own, which needs no hardware.
        let Some(counter) = Counter::start(std::process::id(), "task-clock") else { return };
        let begin = clock::monotonic();
        while clock::monotonic().saturating_sub(begin) < Duration::from_millis(50) {
            std::hint::black_box(vec![1_u8; 1 << 16]);
        }
        if let Some(count) = counter.stop() {
            assert!(count > 0.0, "{count}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_used_a_processor_and_memory() {
        let id = std::process::id();
        let before = cpu_time(id).expect("schedstat");
        let begin = clock::monotonic();
        while clock::monotonic().saturating_sub(begin) < Duration::from_millis(50) {
            std::hint::black_box(vec![1_u8; 1 << 16]);
        }
        load::wait(Duration::from_millis(20));
        let used = cpu_time(id).expect("schedstat").saturating_sub(before);
        assert!(used > Duration::from_millis(1), "{used:?}");
        let memory = memory(id).expect("status");
        assert!(memory.resident_bytes > 1 << 20 && memory.peak_bytes >= memory.resident_bytes, "{memory:?}");
    }
}
