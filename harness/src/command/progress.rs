//! Progress of a long command; shown on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner on standard error, shown until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts the spinner with this text.
    pub(super) fn new(what: &str) -> Self {
        const TICK: Duration = Duration::from_millis(120);
        // indicatif hides it if standard error is not a terminal.
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg}: {pos} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    /// Sets the number of completed items.
    pub(super) fn at(&self, count: usize) {
        self.bar.set_position(count as u64);
    }

    /// Replaces the text.
    pub(super) fn now(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
