//! A bounded queue of log lines with a writer thread, so that other threads never wait for the reader of the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::schedule::{self, Condvar};

/// Maximum size of the queue.
const QUEUED_MAX_BYTES: usize = 64 << 10;

/// Burst of the rate limit.
const BURST_LINES: u32 = 1_000;

/// Interval of the rate limit: ten lines per second on average.
const LINE_INTERVAL: Duration = Duration::from_millis(100);

/// Queued lines.
#[derive(Default, Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default, Debug)]
struct State {
    text: String,
    is_writing: bool,
    /// Lines dropped since the last queued one.
    dropped: u64,
    limit: Limit,
    has_ended: bool,
}

/// A token bucket of lines.
#[derive(Debug)]
struct Limit {
    lines: u32,
    /// Time of the last refill.
    filled: Duration,
}

impl Default for Limit {
    fn default() -> Self {
        Self { lines: BURST_LINES, filled: Duration::ZERO }
    }
}

impl Limit {
    /// Takes a token. Returns whether there was one.
    fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.filled).as_millis() / LINE_INTERVAL.as_millis();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        if self.lines.saturating_add(passed) >= BURST_LINES {
            self.lines = BURST_LINES;
            self.filled = now;
        } else {
            self.lines += passed;
            self.filled += passed * LINE_INTERVAL;
        }
        let is_allowed = self.lines > 0;
        self.lines -= u32::from(is_allowed);
        is_allowed
    }
}

impl Queue {
    /// Starts the thread that writes to `writer`.
    pub(super) fn start(mut writer: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Self::default());
        let shared = Arc::clone(&queue);
        schedule::spawn("log", move || shared.write(&mut writer))?;
        Ok(queue)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the line that `push` appends; `push` gets the number of lines dropped before it. Returns false if the line was
    /// dropped.
    pub(super) fn push(&self, now: Duration, push: impl FnOnce(u64, &mut String)) -> bool {
        let mut state = self.lock();
        if state.text.len() >= QUEUED_MAX_BYTES || !state.limit.take(now) {
            state.dropped += 1;
            return false;
        }
        let dropped = std::mem::take(&mut state.dropped);
        push(dropped, &mut state.text);
        let is_idle = !state.is_writing;
        drop(state);
        if is_idle {
            self.changed.notify_all();
        }
        true
    }

    fn write(&self, writer: &mut dyn Write) {
        let mut text = String::new();
        loop {
            let mut state = self.lock();
            state.is_writing = false;
            if state.text.is_empty() {
                self.changed.notify_all();
            }
            let is_idle = |state: &mut State| state.text.is_empty() && !state.has_ended;
            state = self.changed.wait_while(&self.state, state, None, is_idle);
            if state.text.is_empty() {
                return;
            }
            text.clear();
            std::mem::swap(&mut state.text, &mut text);
            state.is_writing = true;
            drop(state);
            // A failed write cannot be logged.
            let _ = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
        }
    }

    /// Waits until every line is written, at most for `time`.
    pub(super) fn flush(&self, time: Duration) {
        let is_busy = |state: &mut State| state.is_writing || !state.text.is_empty();
        drop(self.changed.wait_while(&self.state, self.lock(), Some(time), is_busy));
    }

    /// Ends the thread once every line is written.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Condvar;

    #[test]
    fn a_flood_is_limited_by_burst_and_rate() {
        let mut limit = Limit::default();
        let second = Duration::from_secs(1);
        let count = |limit: &mut Limit, now| (0..2 * BURST_LINES).filter(|_| limit.take(now)).count();
        assert_eq!(count(&mut limit, 7 * second), 1_000);
        assert_eq!(count(&mut limit, 8 * second), 10);
        assert_eq!(count(&mut limit, 8 * second + LINE_INTERVAL / 2), 0);
        assert_eq!(count(&mut limit, 8 * second + LINE_INTERVAL), 1);
        assert_eq!(count(&mut limit, 8_000 * second), 1_000);
    }

    /// A writer that blocks until it is released.
    struct Blocked(Arc<(Mutex<bool>, Condvar)>, Arc<Mutex<Vec<u8>>>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |is_open| !*is_open).unwrap());
            self.1.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_blocked_writer_delays_no_caller_and_dropped_lines_are_counted() {
        let (gate, written) = (Arc::new((Mutex::new(false), Condvar::new())), Arc::default());
        let queue = Queue::start(Blocked(Arc::clone(&gate), Arc::clone(&written))).unwrap();
        let line = |text: &mut String| {
            text.extend(std::iter::repeat_n('x', 1 << 10));
            text.push('\n');
        };
        let now = |number: u32| number * LINE_INTERVAL;
        let refused = (0..200).filter(|number| !queue.push(now(*number), |_, text| line(text))).count();
        assert!((100..200).contains(&refused), "{refused}");
        queue.flush(Duration::from_millis(1));
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        queue.flush(Duration::from_secs(60));
        let mut dropped = 0;
        assert!(queue.push(now(300), |before, text| {
            dropped = before;
            line(text);
        }));
        assert_eq!(dropped, refused as u64);
        queue.flush(Duration::from_secs(60));
        assert_eq!(written.lock().unwrap().len(), (201 - refused) * ((1 << 10) + 1));
        queue.end();
    }
}
