//! The kernel of a replayed host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{Kernel, KernelError, Question};

use super::Moments;

/// Answers from the entries below `kernel/`, as they are at the moment of the question.
#[derive(Debug)]
pub(super) struct ReplayKernel {
    moments: Arc<Moments>,
    /// The answers of the moment that was asked about last.
    latest: Mutex<Option<(Duration, Arc<Canned>)>>,
}

impl ReplayKernel {
    pub(super) fn new(moments: Arc<Moments>) -> Self {
        Self { moments, latest: Mutex::new(None) }
    }

    fn elapsed(&self) -> Duration {
        (self.moments.elapsed)()
    }

    fn answers(&self) -> Arc<Canned> {
        // Answers move by whole seconds, so that those of one scrape are of one moment.
        let is_moving = self.moments.later.is_some();
        let moment = if is_moving { Duration::from_secs(self.elapsed().as_secs()) } else { Duration::ZERO };
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = &*latest
            && *at == moment
        {
            return Arc::clone(known);
        }
        let entries: Vec<(&str, Option<Vec<u8>>)> =
            Canned::ENTRIES.iter().map(|name| (*name, self.moments.content(name, moment))).collect();
        let content = |name: &str| entries.iter().find(|(entry, _)| *entry == name)?.1.as_deref();
        // Both moments have been parsed; what lies between them is of the same form.
        let known = Arc::new(Canned::parse(content).unwrap_or_default());
        *latest = Some((moment, Arc::clone(&known)));
        known
    }
}

impl Kernel for ReplayKernel {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        match question {
            Question::Now(into) => *into = self.moments.now(self.elapsed()),
            Question::Monotonic(into) => *into = self.elapsed(),
            other => self.answers().ask(other)?,
        }
        Ok(())
    }
}
