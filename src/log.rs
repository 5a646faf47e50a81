//! Log lines for whoever runs the exporter, in the two forms that node_exporter's have.

mod line;
mod time;

use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What should be looked at.
    Warn,
    /// What is broken.
    Error,
}

impl Level {
    const ALL: [(&'static str, Self); 4] =
        [("debug", Self::Debug), ("info", Self::Info), ("warn", Self::Warn), ("error", Self::Error)];

    /// Reads the word of `--log.level`, in capitals or not.
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

/// What a line looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `key=value key="a value"`.
    Logfmt,
    /// One object on each line.
    Json,
}

impl Format {
    /// Reads the word of `--log.format`, in capitals or not.
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

/// What a line tells beside its message.
pub type Fields<'a> = &'a [(&'a str, Field<'a>)];

/// One of these things.
#[derive(Clone, Copy)]
pub enum Field<'a> {
    /// Words.
    Text(&'a dyn fmt::Display),
    /// A number; JSON has none for infinity and the like, which are words there.
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

/// Writes lines.
pub struct Log {
    level: Level,
    format: Format,
    now: fn() -> Duration,
    output: Mutex<Output>,
}

struct Output {
    writer: Box<dyn Write + Send>,
    line: String,
    value: String,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("level", &self.level).field("format", &self.format).finish_non_exhaustive()
    }
}

impl Log {
    /// Writes lines of this level and above to `writer`, with the time that `now` tells.
    pub fn new(level: Level, format: Format, now: fn() -> Duration, writer: impl Write + Send + 'static) -> Self {
        let output = Output { writer: Box::new(writer), line: String::new(), value: String::new() };
        Self { level, format, now, output: Mutex::new(output) }
    }

    /// Whether lines of this level are written.
    pub fn is_on(&self, level: Level) -> bool {
        level >= self.level
    }

    /// Writes one line. A writer that fails has nobody to tell.
    pub fn write(&self, level: Level, message: &str, fields: Fields<'_>) {
        if !self.is_on(level) {
            return;
        }
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let Output { writer, line, value } = &mut *output;
        line.clear();
        let time = time::Rfc3339((self.now)());
        let level = level.in_capitals();
        let first: Fields<'_> =
            &[("time", Field::Text(&time)), ("level", Field::Text(&level)), ("msg", Field::Text(&message))];
        line::push(self.format, first.iter().chain(fields), line, value);
        let _ = writer.write_all(line.as_bytes()).and_then(|()| writer.flush());
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Arc;

    /// A writer whose text can be looked at.
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
    fn levels_below_are_silent() {
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
    fn words_are_read_in_capitals_too() {
        assert_eq!(Level::parse("WARN"), Ok(Level::Warn));
        assert_eq!(Format::parse("JSON"), Ok(Format::Json));
        assert!(Level::parse("").is_err() && Format::parse("text").is_err());
    }
}
