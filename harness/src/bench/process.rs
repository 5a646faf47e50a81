//! Cost of a process: CPU time, memory, and instructions where perf can count them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::load;

/// CPU time of all live threads of a process. Threads that have exited are not included.
pub(super) fn cpu_time(id: u32) -> io::Result<Duration> {
    let tasks = format!("/proc/{id}/task");
    let mut sum = 0;
    for task in load::names(Path::new(&tasks))? {
        // A thread may exit meanwhile.
        let Ok(text) = load::bytes(Path::new(&format!("{tasks}/{task}/schedstat"))) else { continue };
        sum += first_number(&text);
    }
    Ok(Duration::from_nanos(sum))
}

pub(super) fn first_number(text: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(text);
    text.split_ascii_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Memory of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Memory {
    /// Current resident set.
    pub(super) resident_bytes: u64,
    /// Peak resident set.
    pub(super) peak_bytes: u64,
}

/// Reads the memory of a process.
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

/// A running perf that counts one event of a process.
#[derive(Debug)]
pub(super) struct Counter {
    perf: Child,
    until: Option<ChildStdin>,
}

impl Counter {
    /// Starts counting; `None` where perf is missing or not permitted.
    pub(super) fn start(id: u32, event: &str) -> Option<Self> {
        // perf counts while its command runs; `cat` runs until its input is closed.
        let mut perf = Command::new("perf")
            .args(["stat", "-x", ",", "-e", event, "-p", &id.to_string(), "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let (mut until, mut echo) = (perf.stdin.take(), String::new());
        let begins = until.as_mut().is_some_and(|until| until.write_all(b"begin\n").is_ok());
        // The echoed byte proves that `cat`, and so the counting, has started.
        let is_available = perf.stdout.take().is_some_and(|out| BufReader::new(out).read_line(&mut echo).is_ok());
        let counter = Self { perf, until };
        (begins && is_available && echo == "begin\n").then_some(counter)
    }

    /// Stops counting and returns the count.
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

/// The first field of the line that `perf stat -x ,` prints.
fn counted(text: &str) -> Option<f64> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| line.split(',').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use collectors::host::kernel::clock;

    #[test]
    fn memory_is_read_from_the_status_file() {
        let memory = status("Name:\tx\nVmHWM:\t    9000 kB\nVmRSS:\t    8000 kB\n");
        assert_eq!(memory, Some(Memory { resident_bytes: 8_192_000, peak_bytes: 9_216_000 }));
        assert_eq!(status("Name:\tkthreadd\n"), None);
        assert_eq!(first_number(b"123456 78 9\n"), 123_456);
    }

    #[test]
    fn the_output_of_perf_is_read() {
        assert_eq!(counted("123456,,instructions,1000,100.00,,\n"), Some(123_456.0));
        assert_eq!(counted("<not supported>,,instructions,0,100.00,,\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn perf_counts_from_start_to_stop_where_permitted() {
        // A software event, which needs no hardware counter.
        let Some(counter) = Counter::start(std::process::id(), "task-clock") else { return };
        let begin = clock::monotonic();
        while clock::monotonic().saturating_sub(begin) < Duration::from_millis(50) {
            std::hint::black_box(vec![1_u8; 1 << 16]);
        }
        if let Some(count) = counter.stop() {
            assert!(count > 0.0, "{count}");
        }
    }

    /// CPU time is measured of another process, because other tests end threads of this one and their time with them.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_busy_process_has_cpu_time_and_this_one_memory() {
        let mut busy = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 50000000 ]; do i=$((i + 1)); done"])
            .spawn()
            .expect("a shell");
        let before = cpu_time(busy.id()).expect("schedstat");
        let begin = clock::monotonic();
        let mut used = Duration::ZERO;
        while used <= Duration::from_millis(1) && clock::monotonic().saturating_sub(begin) < Duration::from_secs(20) {
            load::wait(Duration::from_millis(20));
            used = cpu_time(busy.id()).expect("schedstat").saturating_sub(before);
        }
        busy.kill().and_then(|()| busy.wait()).expect("it ends");
        assert!(used > Duration::from_millis(1), "{used:?}");
        let memory = memory(std::process::id()).expect("status");
        assert!(memory.resident_bytes > 1 << 20 && memory.peak_bytes >= memory.resident_bytes, "{memory:?}");
    }
}
