//! Log lines in the two formats of node_exporter.

mod line;
mod queue;
mod time;

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::IntCounter;
use queue::Queue;

/// Severity of a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// Normal events.
    Info,
    /// Unusual conditions.
    Warn,
    /// Failures.
    Error,
}

impl Level {
    const ALL: [(&'static str, Self); 4] =
        [("debug", Self::Debug), ("info", Self::Info), ("warn", Self::Warn), ("error", Self::Error)];

    /// Parses the value of `--log.level`, in any case.
    pub fn parse(text: &str) -> Result<Self, String> {
        word(text, Self::ALL)
    }

    const fn in_capitals(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// Format of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `key=value key="a value"`.
    Logfmt,
    /// A JSON object per line.
    Json,
}

impl Format {
    /// Parses the value of `--log.format`, in any case.
    pub fn parse(text: &str) -> Result<Self, String> {
        word(text, [("logfmt", Self::Logfmt), ("json", Self::Json)])
    }
}

fn word<T: Copy, const N: usize>(text: &str, words: [(&str, T); N]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        format!("expected one of {}, found `{text}`", known.join(", "))
    })
}

/// Names and values of fields.
pub type Fields<'a> = &'a [(&'a str, Field<'a>)];

/// The value of a field.
#[derive(Clone, Copy)]
pub enum Field<'a> {
    /// Text.
    Text(&'a dyn fmt::Display),
    /// A number. JSON has no infinity or NaN; they are text there.
    Number(f64),
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A level that another thread may change.
struct AtomicLevel(AtomicU8);

impl AtomicLevel {
    fn new(level: Level) -> Self {
        Self(AtomicU8::new(level as u8))
    }

    fn get(&self) -> Level {
        let found = self.0.load(Ordering::Relaxed);
        Level::ALL.into_iter().map(|(_, level)| level).find(|level| *level as u8 == found).unwrap_or(Level::Error)
    }
}

/// Writes lines.
pub struct Log {
    level: AtomicLevel,
    format: Format,
    now: fn() -> Duration,
    output: Output,
    dropped: IntCounter,
}

enum Output {
    /// Lines are written by the logging thread.
    Direct(Mutex<Direct>),
    Queue(Arc<Queue>),
}

struct Direct {
    writer: Box<dyn Write + Send>,
    line: String,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("level", &self.level.get()).field("format", &self.format).finish_non_exhaustive()
    }
}

impl Log {
    /// Writes lines of this level and above to `writer`, with the time of `now`, in the thread that logs them.
    pub fn new(level: Level, format: Format, now: fn() -> Duration, writer: impl Write + Send + 'static) -> Self {
        let direct = Direct { writer: Box::new(writer), line: String::new() };
        Self {
            level: AtomicLevel::new(level),
            format,
            now,
            output: Output::Direct(Mutex::new(direct)),
            dropped: dropped(),
        }
    }

    /// A log with a writer thread, so that logging never blocks. If the writer is too slow or the rate limit is exceeded,
    /// lines are dropped and the next line contains their number. The error is that of creating the thread.
    pub fn queued(
        level: Level,
        format: Format,
        now: fn() -> Duration,
        writer: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        Ok(Self {
            level: AtomicLevel::new(level),
            format,
            now,
            output: Output::Queue(Queue::start(writer)?),
            dropped: dropped(),
        })
    }

    /// Counts the lines that were dropped.
    pub fn dropped(&self) -> &IntCounter {
        &self.dropped
    }

    /// Writes lines of this level and above from now on.
    pub fn set_level(&self, level: Level) {
        self.level.0.store(level as u8, Ordering::Relaxed);
    }

    /// Whether lines of this level are written.
    pub fn is_on(&self, level: Level) -> bool {
        level >= self.level.get()
    }

    /// Writes or queues one line. A writer's failure is ignored: there is no other place to report it.
    pub fn write(&self, level: Level, message: &str, fields: Fields<'_>) {
        if !self.is_on(level) {
            return;
        }
        let now = (self.now)();
        match &self.output {
            Output::Direct(direct) => {
                let mut direct = direct.lock().unwrap_or_else(PoisonError::into_inner);
                let Direct { writer, line } = &mut *direct;
                line.clear();
                self.push(now, level, message, fields, 0, line);
                let _ = writer.write_all(line.as_bytes()).and_then(|()| writer.flush());
            }
            Output::Queue(queue) => {
                if !queue.push(now, |dropped, text| self.push(now, level, message, fields, dropped, text)) {
                    self.dropped.inc();
                }
            }
        }
    }

    fn push(&self, now: Duration, level: Level, message: &str, fields: Fields<'_>, dropped: u64, text: &mut String) {
        let (time, level) = (time::Rfc3339(now), level.in_capitals());
        let first: Fields<'_> =
            &[("time", Field::Text(&time)), ("level", Field::Text(&level)), ("msg", Field::Text(&message))];
        let last: Fields<'_> = &[("dropped_lines", Field::Text(&dropped))];
        let last = last.iter().filter(|_| dropped > 0);
        line::push(self.format, first.iter().chain(fields).chain(last), text, &mut String::new());
    }

    /// Waits until every queued line is written, at most for `time`.
    pub fn flush(&self, time: Duration) {
        if let Output::Queue(queue) = &self.output {
            queue.flush(time);
        }
    }

    /// Writes a line at [`Level::Debug`].
    pub fn debug(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Debug, message, fields);
    }

    /// Writes a line at [`Level::Info`].
    pub fn info(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Info, message, fields);
    }

    /// Writes a line at [`Level::Warn`].
    pub fn warn(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Warn, message, fields);
    }

    /// Writes a line at [`Level::Error`].
    pub fn error(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Error, message, fields);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Output::Queue(queue) = &self.output {
            queue.end();
        }
    }
}

fn dropped() -> IntCounter {
    let help = "Log lines dropped because of a slow reader or the rate limit.";
    IntCounter::new("node_exporter_log_lines_dropped_total", help).expect("a valid name")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A writer whose text can be inspected.
    #[derive(Clone, Default)]
    pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn log(level: Level, format: Format) -> (Log, Written) {
        let written = Written::default();
        (Log::new(level, format, || Duration::from_millis(1_700_000_000_042), written.clone()), written)
    }

    #[track_caller]
    fn check(format: Format, expected: &str) {
        let (log, written) = log(Level::Info, format);
        log.debug("not shown", &[]);
        log.info("Listening on", &[("address", Field::Text(&"[::]:9100")), ("count", Field::Number(0.5))]);
        log.error("collector failed", &[("err", Field::Text(&"a \"b\"\n"))]);
        assert_eq!(written.text(), expected);
    }

    #[test]
    fn lines_have_time_level_message_and_fields() {
        check(
            Format::Logfmt,
            "time=2023-11-14T22:13:20.042Z level=INFO msg=\"Listening on\" address=[::]:9100 count=0.5\n\
             time=2023-11-14T22:13:20.042Z level=ERROR msg=\"collector failed\" err=\"a \\\"b\\\"\\n\"\n",
        );
        check(
            Format::Json,
            "{\"time\":\"2023-11-14T22:13:20.042Z\",\"level\":\"INFO\",\"msg\":\"Listening on\",\"address\":\"[::]:9100\",\"count\":0.5}\n\
             {\"time\":\"2023-11-14T22:13:20.042Z\",\"level\":\"ERROR\",\"msg\":\"collector failed\",\"err\":\"a \\\"b\\\"\\n\"}\n",
        );
    }

    #[test]
    fn lines_below_the_level_are_not_written() {
        for (word, level) in Level::ALL {
            let (log, written) = log(Level::parse(word).unwrap(), Format::Logfmt);
            for (_, each) in Level::ALL {
                log.write(each, "x", &[]);
            }
            let lines = Level::ALL.iter().filter(|(_, each)| *each >= level).count();
            assert_eq!(written.text().lines().count(), lines, "{word}");
        }
    }

    #[test]
    fn values_are_parsed_in_any_case() {
        assert_eq!(Level::parse("WARN"), Ok(Level::Warn));
        assert_eq!(Format::parse("JSON"), Ok(Format::Json));
        assert!(Level::parse("").is_err() && Format::parse("text").is_err());
    }
}
