//! How far a long command is, for a person who watches; nothing at all in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows on standard error that something goes on, as long as it lives.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// `what` is going on.
    pub(super) fn new(what: &str) -> Self {
        const TICK: Duration = Duration::from_millis(120);
        // Hidden where standard error is no terminal.
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg}: {pos} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    /// So many are done.
    pub(super) fn at(&self, count: usize) {
        self.bar.set_position(count as u64);
    }

    /// Something else goes on now.
    pub(super) fn now(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
