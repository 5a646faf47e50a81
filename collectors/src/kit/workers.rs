//! A pool of threads for slow tasks. Threads are created on demand and end when they are idle.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Time after which an idle worker ends.
const PATIENCE: Duration = Duration::from_secs(90);

/// A task of a worker.
pub type Task = Box<dyn FnOnce() + Send>;

/// The workers and the queue of their tasks.
pub struct Workers {
    name: &'static str,
    threads_max: usize,
    state: Mutex<State>,
    change: Condvar,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    threads: usize,
    idle: usize,
}

impl Workers {
    /// An empty pool with a maximum number of threads of this name. Further tasks wait for a free worker.
    pub fn new(name: &'static str, threads_max: usize) -> Self {
        Self { name, threads_max, state: Mutex::default(), change: Condvar::new() }
    }

    /// Submits a task. It is dropped if no thread exists and none can be created.
    pub fn submit(self: &Arc<Self>, task: Task) {
        let mut state = self.lock();
        state.tasks.push_back(task);
        if state.tasks.len() > state.idle && state.threads < self.threads_max {
            let workers = Arc::clone(self);
            let spawned = thread::Builder::new().name(self.name.to_owned()).spawn(move || workers.work());
            match spawned {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads > 0 => {}
                Err(_) => {
                    let unfit = state.tasks.pop_back();
                    drop(state);
                    drop(unfit);
                    return;
                }
            }
        }
        drop(state);
        self.change.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
    }

    /// The next task; `None` after the idle time, when the worker is no longer counted.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        state.idle += 1;
        let (mut state, _) = self
            .change
            .wait_timeout_while(state, PATIENCE, |state| state.tasks.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        let task = state.tasks.pop_front();
        if task.is_none() {
            state.threads -= 1;
        }
        task
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const THREADS_MAX: usize = 8;

    #[test]
    fn tasks_run_in_parallel_up_to_the_limit() {
        let workers = Arc::new(Workers::new("worker", THREADS_MAX));
        let (sender, receiver) = mpsc::channel();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        for number in 0..=THREADS_MAX {
            let (sender, gate) = (sender.clone(), Arc::clone(&gate));
            workers.submit(Box::new(move || {
                sender.send(number).unwrap();
                drop(gate.1.wait_while(gate.0.lock().unwrap(), |is_open| !*is_open).unwrap());
            }));
        }
        let begun: Vec<_> = (0..THREADS_MAX).map(|_| receiver.recv().unwrap()).collect();
        assert_eq!(begun.len(), THREADS_MAX);
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        assert_eq!(workers.lock().threads, THREADS_MAX);
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        assert!(receiver.recv().is_ok());
    }

    #[test]
    fn a_panicking_task_does_not_end_its_worker() {
        let workers = Arc::new(Workers::new("worker", THREADS_MAX));
        let (sender, receiver) = mpsc::channel();
        for number in 0..3 {
            let sender = sender.clone();
            workers.submit(Box::new(move || {
                sender.send(number).unwrap();
                std::panic::resume_unwind(Box::new(()));
            }));
        }
        assert_eq!(receiver.iter().take(3).count(), 3);
    }
}
