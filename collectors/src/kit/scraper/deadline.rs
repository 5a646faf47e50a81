//! Scrapes that end in time, whoever does not answer.

use std::sync::Arc;
use std::time::Duration;

use super::round::{Outcome, Progress, Round};
use super::{Report, Scraper, Selection, Workspace, lock};
use crate::host::kernel::clock;
use crate::kit::failure::{Failure, Problems};
use crate::kit::page::Page;

/// Why a collector that another scrape has was not run.
pub(super) const BUSY: &str = "was busy with another scrape until this one had to end";

impl Scraper {
    pub(super) fn run_until(
        self: &Arc<Self>,
        until: Duration,
        selection: &Selection,
        workspace: &mut Workspace,
        observe: &mut impl FnMut(&Report<'_>),
    ) {
        let mut progress = std::mem::take(&mut workspace.progress);
        let waiting = |at| if selection.has(at) { Progress::Waiting } else { Progress::Left };
        progress.extend((0..self.collectors.len()).map(waiting));
        let round = Arc::new(Round::new(std::mem::take(&mut workspace.pages), progress, until));
        (workspace.pages, progress) = round.wait(|number| {
            let (scraper, round) = (Arc::clone(self), Arc::clone(&round));
            self.runners.submit(Box::new(move || scraper.run_round(&round, number)));
        });
        let now = clock::monotonic();
        for (at, progress) in progress.drain(..).enumerate() {
            let outcome = match progress {
                Progress::Left => continue,
                Progress::Done(outcome) => outcome,
                Progress::Waiting => late(Duration::ZERO, "was not asked before the scrape had to end"),
                Progress::Running(since, None) => late(now.saturating_sub(since), BUSY),
                Progress::Running(since, Some(turn)) => {
                    if let Some(enabled) = self.collectors.get(at) {
                        enabled.slot.give_up(turn, since);
                    }
                    late(now.saturating_sub(since), "had not answered when the scrape had to end")
                }
            };
            self.tell(at, &outcome, workspace, observe);
        }
        workspace.progress = progress;
    }

    /// What a runner does.
    fn run_round(&self, round: &Round, number: usize) {
        let mut scratch = lock(&self.scratches).pop().unwrap_or_default();
        while let Some((at, page)) = round.next(number) {
            let Some(enabled) = self.collectors.get(at) else { break };
            let mut page = page.unwrap_or_else(|| Page::new(enabled.declaration.families.iter().copied()));
            let mut outcome = Outcome::default();
            let begins = |turn| round.begins(at, turn);
            self.run(enabled, &mut page, &mut scratch, &mut outcome, Some(round.until), begins);
            round.done(at, page, outcome);
        }
        lock(&self.scratches).push(scratch);
    }
}

fn late(duration: Duration, reason: &str) -> Outcome {
    Outcome { duration, failure: Some(Failure::error(reason)), problems: Problems::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::errno::Errno;
    use crate::host::kernel::canned::Canned;
    use crate::host::root::tree::Tree;
    use crate::host::root::{Metadata, Mount, Names, Root, RootError, Roots};
    use crate::kit::declare::Registration;
    use crate::kit::options::FlagValues;
    use crate::kit::page::Format;
    use crate::kit::scraper::Wanted;
    use std::sync::{Condvar, Mutex};

    /// A root of which one file does not answer until it is let go.
    #[derive(Debug)]
    struct Gate {
        roots: Roots,
        /// How many wait, and whether they have to.
        state: Mutex<(usize, bool)>,
        change: Condvar,
    }

    impl Gate {
        fn waiting(&self) -> usize {
            self.state.lock().unwrap().0
        }

        fn set_open(&self, is_open: bool) {
            self.state.lock().unwrap().1 = is_open;
            self.change.notify_all();
        }
    }

    impl Root for Gate {
        fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
            if path == b"loadavg" {
                let mut state = self.state.lock().unwrap();
                state.0 += 1;
                self.change.wait_while(state, |(_, is_open)| !*is_open).unwrap().0 -= 1;
            }
            self.roots.get(Mount::Proc).read(path, into, cap_bytes)
        }

        fn list(&self, _: &[u8], _: &mut Names) -> Result<(), RootError> {
            Err(Errno::ENOENT.into())
        }

        fn read_link(&self, _: &[u8], _: &mut Vec<u8>) -> Result<(), RootError> {
            Err(Errno::ENOENT.into())
        }

        fn metadata(&self, _: &[u8]) -> Result<Metadata, RootError> {
            Err(Errno::ENOENT.into())
        }
    }

    const TIME: Duration = Duration::from_millis(400);

    fn host() -> (Arc<Gate>, Arc<Scraper>) {
        let tree = Tree::new().with_file("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n");
        let tree = Arc::new(tree.with_file("proc/vmstat", "pgpgin 7\n")).roots();
        let gate = Arc::new(Gate { roots: tree, state: Mutex::default(), change: Condvar::new() });
        let roots = Roots::new(|_| -> Arc<dyn Root> { Arc::clone(&gate) as _ });
        let registrations =
            [Registration::of::<crate::loadavg::Loadavg>(), Registration::of::<crate::vmstat::Vmstat>()];
        let values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        let scraper = Scraper::build(&registrations, &values, roots, Arc::new(Canned::default())).expect("defaults");
        (gate, Arc::new(scraper))
    }

    /// The page, and the complaint about each collector that failed.
    fn scrape(scraper: &Arc<Scraper>, time: Duration) -> (String, Vec<String>) {
        let until = Some(clock::monotonic() + time);
        let wanted = Wanted { selection: Selection::ALL, format: Format::Text, until };
        let (mut complaints, mut page) = (Vec::new(), Vec::new());
        let observe = |report: &Report<'_>| {
            complaints.extend(report.failure.map(|failure| format!("{}: {}", report.collector, failure.reason())));
        };
        scraper.scrape_as(&wanted, |_| (), observe, &mut page);
        (String::from_utf8(page).expect("pages are UTF-8"), complaints)
    }

    #[test]
    fn who_is_late_costs_its_own_families_and_one_thread() {
        let (gate, scraper) = host();
        let (page, complaints) = scrape(&scraper, TIME);
        assert_eq!(complaints, ["loadavg: had not answered when the scrape had to end"]);
        assert!(page.contains("node_vmstat_pgpgin 7\n") && !page.contains("node_load1"), "{page}");
        assert!(page.contains("node_scrape_collector_success{collector=\"loadavg\"} 0\n"), "{page}");
        for _ in 0..100 {
            let begin = clock::monotonic();
            let (page, complaints) = scrape(&scraper, 100 * TIME);
            assert!(clock::monotonic() < begin + 50 * TIME, "nobody waits for it again");
            assert!(
                complaints.len() == 1 && complaints[0].starts_with("loadavg: has not answered for "),
                "{complaints:?}"
            );
            assert!(page.contains("node_vmstat_pgpgin 7\n"), "{page}");
        }
        assert_eq!(gate.waiting(), 1);
        gate.set_open(true);
        let recovers = (0..100).any(|_| {
            std::thread::sleep(TIME / 40);
            let (page, complaints) = scrape(&scraper, 10 * TIME);
            complaints.is_empty() && page.contains("node_load1 0.21\n")
        });
        assert!(recovers);
    }

    #[test]
    fn who_is_slow_delays_nobody_and_is_on_the_page() {
        let (gate, scraper) = host();
        let (page, complaints) = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(TIME);
                gate.set_open(true);
            });
            scrape(&scraper, 50 * TIME)
        });
        assert_eq!(complaints, <[String; 0]>::default());
        assert!(page.contains("node_load1 0.21\n") && page.contains("node_vmstat_pgpgin 7\n"), "{page}");
    }

    #[test]
    fn two_scrapes_wait_for_one_another_no_longer_than_they_may() {
        let (gate, scraper) = host();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| scrape(&scraper, 4 * TIME));
            while gate.waiting() == 0 {
                std::thread::sleep(TIME / 100);
            }
            let (page, complaints) = scrape(&scraper, TIME);
            assert_eq!(complaints, [format!("loadavg: {BUSY}")]);
            assert!(page.contains("node_vmstat_pgpgin 7\n"), "{page}");
            assert_eq!(gate.waiting(), 1);
            gate.set_open(true);
            assert_eq!(first.join().expect("a page").1, <[String; 0]>::default());
        });
    }

    #[test]
    fn a_scrape_in_time_is_the_same_as_one_without_a_deadline() {
        let (gate, scraper) = host();
        gate.set_open(true);
        let mut page = Vec::new();
        scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
        assert_eq!(scrape(&scraper, 50 * TIME).0, String::from_utf8(page).expect("pages are UTF-8"));
    }
}
