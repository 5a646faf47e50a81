//! One scrape for all who ask for the same at the same time.
//!
//! A scrape that has begun is of no use to who comes later: what it read may be older than the question. But of those who
//! come while it runs, all can have the next one, which begins when all of them have asked. So however many ask, one
//! scrape runs, and one is waited for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;

/// The one that is waited for begins, whether the one before it has ended or not, after this time.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is made for all who want `K`.
#[derive(Debug)]
pub(super) struct Flights<K, T> {
    entries: Mutex<Vec<Entry<K, T>>>,
    patience: Duration,
}

#[derive(Debug)]
struct Entry<K, T> {
    key: K,
    /// Whoever has to have an answer sooner makes it himself.
    until: Duration,
    has_begun: bool,
    flight: Arc<Flight<T>>,
}

/// What one makes, and others wait for.
#[derive(Debug)]
struct Flight<T> {
    landed: Mutex<Landed<T>>,
    change: Condvar,
}

/// Whether it is made; and then it, unless who made it gave up.
type Landed<T> = Option<Option<T>>;

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { entries: Mutex::default(), patience: PATIENCE }
    }
}

impl<K: PartialEq + Clone, T: Clone> Flights<K, T> {
    /// Gives what `make` makes, or what another has begun to make after this was called. Who waits for another longer
    /// than `until` makes it after all.
    pub(super) fn share(&self, key: &K, until: Duration, make: impl FnOnce() -> T) -> T {
        let mut entries = lock(&self.entries);
        let same = |entry: &&Entry<K, T>| entry.key == *key;
        if let Some(next) = entries.iter().filter(same).find(|entry| !entry.has_begun && entry.until <= until) {
            let flight = Arc::clone(&next.flight);
            drop(entries);
            return flight.wait(until).flatten().unwrap_or_else(make);
        }
        let before = entries.iter().rfind(same).map(|entry| Arc::clone(&entry.flight));
        let flight = Arc::new(Flight { landed: Mutex::default(), change: Condvar::new() });
        entries.push(Entry { key: key.clone(), until, has_begun: false, flight: Arc::clone(&flight) });
        drop(entries);
        let mut landing = Landing { flights: self, flight, made: None };
        if let Some(before) = before {
            before.wait(until.min(clock::monotonic() + self.patience));
        }
        for entry in lock(&self.entries).iter_mut().filter(|entry| Arc::ptr_eq(&entry.flight, &landing.flight)) {
            entry.has_begun = true;
        }
        let made = make();
        // The list has it, and this one; whoever else does waits, and after the beginning nobody joins them.
        if Arc::strong_count(&landing.flight) > 2 {
            landing.made = Some(made.clone());
        }
        made
    }
}

impl<T: Clone> Flight<T> {
    fn wait(&self, until: Duration) -> Landed<T> {
        let time = until.saturating_sub(clock::monotonic());
        let landed = self.change.wait_timeout_while(lock(&self.landed), time, |landed| landed.is_none());
        landed.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

/// Ends a flight, whatever becomes of who makes it.
struct Landing<'a, K, T> {
    flights: &'a Flights<K, T>,
    flight: Arc<Flight<T>>,
    made: Option<T>,
}

impl<K, T> Drop for Landing<'_, K, T> {
    fn drop(&mut self) {
        lock(&self.flights.entries).retain(|entry| !Arc::ptr_eq(&entry.flight, &self.flight));
        *lock(&self.flight.landed) = Some(self.made.take());
        // Telling nobody would be a system call all the same.
        if Arc::strong_count(&self.flight) > 1 {
            self.flight.change.notify_all();
        }
    }
}

/// What is locked here is whole between any two lines.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread::{self, Scope};

    const LONG: Duration = Duration::from_secs(60);
    const OTHERS: usize = 8;

    fn patient<K, T>() -> Flights<K, T> {
        Flights { patience: LONG, ..Flights::default() }
    }

    fn wait(is_so: impl Fn() -> bool) {
        while !is_so() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Flights, of which each says that it has begun and lands when it is let.
    struct Airport {
        flights: Flights<&'static str, usize>,
        begun: AtomicUsize,
    }

    impl Airport {
        fn new() -> Self {
            Self { flights: patient(), begun: AtomicUsize::new(0) }
        }

        /// Somebody asks; what is made is its number.
        fn ask<'scope>(
            &'scope self,
            scope: &'scope Scope<'scope, '_>,
            key: &'static str,
            until: Duration,
        ) -> (mpsc::Sender<()>, thread::ScopedJoinHandle<'scope, usize>) {
            let (land, may_land) = mpsc::channel();
            let handle = scope.spawn(move || {
                self.flights.share(&key, until, || {
                    let number = self.begun.fetch_add(1, Ordering::SeqCst);
                    may_land.recv().expect("somebody lets it land");
                    number
                })
            });
            (land, handle)
        }

        /// So many have begun.
        fn begun(&self, count: usize) {
            wait(|| self.begun.load(Ordering::SeqCst) == count);
        }
    }

    #[test]
    fn who_comes_while_one_runs_has_the_next_together() {
        let airport = Airport::new();
        let until = clock::monotonic() + LONG;
        thread::scope(|scope| {
            let (land, first) = airport.ask(scope, "a", until);
            airport.begun(1);
            let (land_second, second) = airport.ask(scope, "a", until);
            wait(|| lock(&airport.flights.entries).len() == 2);
            let others: Vec<_> = (0..OTHERS).map(|_| airport.ask(scope, "a", until)).collect();
            let flight = Arc::clone(&lock(&airport.flights.entries)[1].flight);
            // Each that waits has the flight, besides the list, who makes it, and this test.
            wait(|| Arc::strong_count(&flight) == OTHERS + 3);
            land.send(()).expect("it waits");
            assert_eq!(first.join().expect("a number"), 0);
            land_second.send(()).expect("it waits");
            assert_eq!(second.join().expect("a number"), 1);
            assert!(others.into_iter().all(|(_, other)| other.join().expect("a number") == 1));
        });
        assert!(lock(&airport.flights.entries).is_empty());
    }

    #[test]
    fn who_wants_something_else_or_wants_it_sooner_has_its_own() {
        let airport = Airport::new();
        let until = clock::monotonic() + LONG;
        thread::scope(|scope| {
            let first = airport.ask(scope, "a", until);
            airport.begun(1);
            let other = airport.ask(scope, "b", until);
            airport.begun(2);
            let second = airport.ask(scope, "a", until);
            wait(|| lock(&airport.flights.entries).len() == 3);
            let sooner = airport.ask(scope, "a", until.saturating_sub(LONG / 2));
            wait(|| lock(&airport.flights.entries).len() == 4);
            for (land, handle) in [first, other, second, sooner] {
                land.send(()).expect("it waits");
                handle.join().expect("a number");
            }
        });
        assert_eq!(airport.begun.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn who_waits_for_one_that_fails_or_is_late_makes_it_alone() {
        let flights: &Flights<(), usize> = &patient();
        let until = clock::monotonic() + LONG;
        let waiting = |at: usize| lock(&flights.entries).get(at).map_or(0, |entry| Arc::strong_count(&entry.flight));
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                flights.share(&(), until, || {
                    // The list has the second flight, and so have who makes it and who waits for it.
                    wait(|| waiting(1) == 3);
                    0
                })
            });
            wait(|| waiting(0) > 0);
            let failing = scope.spawn(|| flights.share(&(), until, || std::panic::resume_unwind(Box::new(()))));
            wait(|| waiting(1) > 0);
            assert_eq!(flights.share(&(), until, || 7), 7);
            assert_eq!(first.join().expect("a number"), 0);
            assert!(failing.join().is_err());
        });
        assert!(lock(&flights.entries).is_empty());
        let late = Flight::<usize> { landed: Mutex::default(), change: Condvar::new() };
        assert_eq!(late.wait(clock::monotonic() + PATIENCE / 10), None);
    }
}
