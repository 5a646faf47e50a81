//! One scrape for all requests that want the same page and arrived before it began.
//!
//! A request joins the batch of its kind that has not begun, or makes one: no page is older than its request. Each
//! request keeps its own deadline. The scrape runs until the latest of them; a request whose deadline is earlier gets
//! the page of the collectors that have returned by then, and the scrape goes on for the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::kit::page::Format;
use collectors::kit::scraper::{Round, Selection};

use super::Handler;
use crate::serve::compress::Coding;
use crate::serve::request::Response;

/// Maximum delay of a scrape while one of the same kind runs.
const DELAY_MAX: Duration = Duration::from_millis(100);

/// Extension of a request's deadline while another thread completes the page.
const COMPLETION_PAUSE: Duration = Duration::from_millis(2);

/// Collectors, format and coding of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::serve) struct Kind {
    pub(in crate::serve) selection: Selection,
    pub(in crate::serve) format: Format,
    pub(in crate::serve) coding: Coding,
}

/// A page as it is sent.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Encoded {
    pub(in crate::serve) coding: Coding,
    pub(in crate::serve) body: Vec<u8>,
}

/// Batches in progress.
#[derive(Default, Debug)]
pub(in crate::serve) struct Batches(Mutex<Vec<Arc<Batch>>>);

/// One scrape and the number of requests that wait for it.
#[derive(Debug)]
pub struct Batch {
    kind: Kind,
    created: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    /// The latest deadline of the requests.
    until: Duration,
    /// Number of unanswered requests.
    tickets: usize,
}

#[derive(Debug)]
enum Stage {
    Waiting,
    Running {
        begun: Duration,
        round: Arc<Round>,
    },
    Done(Encoded),
    /// The scrape was cut off for the last request, or it panicked.
    Over,
}

/// A request's share of a batch.
pub struct Ticket {
    handler: Arc<Handler>,
    batch: Arc<Batch>,
    until: Duration,
    changes: Vec<Change>,
}

/// A change to the response.
type Change = Box<dyn FnOnce(Response) -> Response + Send>;

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("until", &self.until).field("batch", &self.batch).finish_non_exhaustive()
    }
}

impl Batches {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Batch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the waiting batch of this kind, or creates one.
    pub(in crate::serve) fn join(&self, handler: Arc<Handler>, kind: Kind, until: Duration) -> Ticket {
        let mut batches = self.lock();
        let waiting = batches.iter().filter(|batch| batch.kind == kind).find(|batch| batch.admit(until));
        let batch = if let Some(waiting) = waiting {
            Arc::clone(waiting)
        } else {
            let state = State { stage: Stage::Waiting, until, tickets: 1 };
            let batch = Arc::new(Batch { kind, created: clock::monotonic(), state: Mutex::new(state) });
            batches.push(Arc::clone(&batch));
            batch
        };
        Ticket { handler, batch, until, changes: Vec::new() }
    }

    fn remove(&self, batch: &Batch) {
        self.lock().retain(|other| !std::ptr::eq(&raw const **other, batch));
    }

    /// Creation time of the oldest batch that has not begun.
    pub(in crate::serve) fn waiting_since(&self) -> Option<Duration> {
        let batches = self.lock();
        batches.iter().filter(|batch| matches!(batch.lock().stage, Stage::Waiting)).map(|batch| batch.created).min()
    }

    /// Start of the latest running scrape of this kind.
    fn running_since(&self, kind: &Kind) -> Option<Duration> {
        let batches = self.lock();
        let begun = |batch: &Arc<Batch>| match batch.lock().stage {
            Stage::Running { begun, .. } => Some(begun),
            _ => None,
        };
        batches.iter().filter(|batch| batch.kind == *kind).filter_map(begun).max()
    }
}

impl Batch {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request, unless the scrape has begun.
    fn admit(&self, until: Duration) -> bool {
        let mut state = self.lock();
        let is_waiting = matches!(state.stage, Stage::Waiting);
        if is_waiting {
            state.until = state.until.max(until);
            state.tickets += 1;
        }
        is_waiting
    }
}

impl Ticket {
    /// Adds a change to the response.
    pub(in crate::serve) fn map(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Deadline of the request.
    pub(in crate::serve) fn until(&self) -> Duration {
        self.until
    }

    /// Whether [`Ticket::cut`] should be called: the scrape is done, or the deadline has passed.
    pub(in crate::serve) fn is_due(&self) -> bool {
        let is_over = matches!(self.batch.lock().stage, Stage::Done(_) | Stage::Over);
        is_over || self.until <= clock::monotonic()
    }

    /// When a thread should next call [`Ticket::run`] for this request; `None` while a thread runs its scrape.
    pub(in crate::serve) fn runs_at(&self) -> Option<Duration> {
        let state = self.batch.lock();
        match &state.stage {
            Stage::Running { round, .. } => round.stalls_at().filter(|stalls_at| *stalls_at < state.until),
            Stage::Done(_) | Stage::Over => None,
            Stage::Waiting => {
                drop(state);
                let running_since = self.handler.batches().running_since(&self.batch.kind);
                Some(running_since.map_or(Duration::ZERO, |begun| begun + DELAY_MAX))
            }
        }
    }

    /// The scrape that [`Run::run`] advances.
    pub(in crate::serve) fn run(&self) -> Run {
        Run { handler: Arc::clone(&self.handler), batch: Arc::clone(&self.batch) }
    }

    /// The response, once the scrape is done.
    pub(in crate::serve) fn poll(&mut self) -> Option<Response> {
        let mut state = self.batch.lock();
        let is_last = state.tickets == 1;
        let page = match &mut state.stage {
            Stage::Waiting | Stage::Running { .. } => return None,
            Stage::Over => None,
            Stage::Done(page) if is_last => {
                Some(std::mem::replace(page, Encoded { coding: page.coding, body: Vec::new() }))
            }
            Stage::Done(page) => Some(page.clone()),
        };
        drop(state);
        Some(self.respond(match page {
            Some(page) => Handler::page_response(self.batch.kind.format, page),
            None => Response::plain(500, "The scrape failed; see the exporter's stderr.".to_owned()),
        }))
    }

    /// The response at the deadline: the page of the collectors that have returned. `None` if another thread is about to
    /// complete the page; the deadline is then extended by [`COMPLETION_PAUSE`].
    pub(in crate::serve) fn cut(&mut self) -> Option<Response> {
        if let Some(response) = self.poll() {
            return Some(response);
        }
        let mut state = self.batch.lock();
        let is_last = state.tickets == 1;
        let Stage::Running { begun, round } = &state.stage else {
            drop(state);
            let sentence = "No thread was free to scrape before the deadline, try again later.";
            return Some(self.respond(Response::plain(503, sentence.to_owned())));
        };
        let (begun, round) = (*begun, Arc::clone(round));
        let page = if is_last {
            let page = self.handler.finish(&round, &self.batch.kind, begun);
            if page.is_some() {
                state.stage = Stage::Over;
            }
            page
        } else {
            self.handler.copy(&round, &self.batch.kind)
        };
        drop(state);
        let Some(page) = page else {
            self.until = clock::monotonic() + COMPLETION_PAUSE;
            return None;
        };
        Some(self.respond(Handler::page_response(self.batch.kind.format, page)))
    }

    fn respond(&mut self, response: Response) -> Response {
        self.handler.answered(&response);
        self.changes.drain(..).fold(response, |response, change| change(response))
    }

    /// Scrapes in this thread until the page is complete or the deadline has passed.
    pub(in crate::serve) fn wait(mut self) -> Response {
        loop {
            self.run().run();
            if let Some(response) = self.poll().or_else(|| self.cut()) {
                return response;
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.batch.lock();
        state.tickets -= 1;
        let is_unused = state.tickets == 0;
        drop(state);
        if is_unused {
            self.handler.batches().remove(&self.batch);
        }
        self.handler.leave();
    }
}

/// The scrape of a batch, run by the thread that calls [`Run::run`].
#[derive(Debug)]
pub(in crate::serve) struct Run {
    handler: Arc<Handler>,
    batch: Arc<Batch>,
}

impl Run {
    /// Begins the scrape, or continues it after the collector at which another thread is blocked. Returns when no
    /// collector is left for this thread.
    pub(in crate::serve) fn run(&self) {
        let Self { handler, batch } = self;
        let mut state = batch.lock();
        let (begun, round) = match &state.stage {
            Stage::Waiting => {
                let begun = clock::monotonic();
                let round = Arc::new(handler.begin(&batch.kind.selection, state.until));
                state.stage = Stage::Running { begun, round: Arc::clone(&round) };
                (begun, round)
            }
            Stage::Running { begun, round } => (*begun, Arc::clone(round)),
            Stage::Done(_) | Stage::Over => return,
        };
        drop(state);
        // Panics of collectors are caught one by one; this catches other ones.
        let stage = catch_unwind(AssertUnwindSafe(|| {
            let page = if round.run() { handler.finish(&round, &batch.kind, begun) } else { None };
            page.map(Stage::Done)
        }));
        if let Some(stage) = stage.unwrap_or(Some(Stage::Over)) {
            batch.lock().stage = stage;
            handler.batches().remove(batch);
        }
    }
}
