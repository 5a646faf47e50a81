use super::*;
use crate::host::kernel::canned::Canned;
use crate::host::root::tree::Tree;
use crate::kit::declare::Registration;
use crate::kit::options::FlagValues;
use crate::kit::scraper::Wanted;
use crate::kit::testing::gate::Gate;

const TIME: Duration = Duration::from_millis(400);

fn host() -> (Arc<Gate>, Arc<Scraper>) {
    let tree = Tree::new().with_file("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n");
    let (gate, roots) = Gate::before("loadavg", tree.with_file("proc/vmstat", "pgpgin 7\n"));
    let registrations = [Registration::of::<crate::loadavg::Loadavg>(), Registration::of::<crate::vmstat::Vmstat>()];
    let values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
    let scraper = Scraper::build(&registrations, &values, roots, Arc::new(Canned::default())).expect("defaults");
    (gate, Arc::new(scraper))
}

/// The page, and the failure of each failed collector.
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
fn a_late_collector_loses_its_families_and_occupies_one_thread() {
    let (gate, scraper) = host();
    let (page, complaints) = scrape(&scraper, TIME);
    assert_eq!(complaints, ["loadavg: still running at the deadline of the scrape"]);
    assert!(page.contains("node_vmstat_pgpgin 7\n") && !page.contains("node_load1"), "{page}");
    assert!(page.contains("node_scrape_collector_success{collector=\"loadavg\"} 0\n"), "{page}");
    for _ in 0..100 {
        let begin = clock::monotonic();
        let (page, complaints) = scrape(&scraper, TIME);
        assert!(clock::monotonic() < begin + TIME, "it is not waited for again");
        assert!(complaints.len() == 1 && complaints[0].starts_with("loadavg: blocked for "), "{complaints:?}");
        assert!(page.contains("node_vmstat_pgpgin 7\n"), "{page}");
    }
    assert_eq!(gate.waiting(), 1);
    gate.open();
    let recovers = (0..100).any(|_| {
        std::thread::sleep(TIME / 40);
        let (page, complaints) = scrape(&scraper, 10 * TIME);
        complaints.is_empty() && page.contains("node_load1 0.21\n")
    });
    assert!(recovers);
}

#[test]
fn a_slow_collector_delays_no_other_collector() {
    let (gate, scraper) = host();
    let (page, complaints) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(TIME);
            gate.open();
        });
        scrape(&scraper, 50 * TIME)
    });
    assert_eq!(complaints, <[String; 0]>::default());
    assert!(page.contains("node_load1 0.21\n") && page.contains("node_vmstat_pgpgin 7\n"), "{page}");
}

#[test]
fn a_scrape_waits_for_another_one_until_its_own_deadline() {
    let (gate, scraper) = host();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| scrape(&scraper, 4 * TIME));
        gate.wait_for_reader();
        let (page, complaints) = scrape(&scraper, TIME);
        assert!(complaints.len() == 1 && complaints[0].starts_with("loadavg: "), "{complaints:?}");
        assert!(page.contains("node_vmstat_pgpgin 7\n"), "{page}");
        assert_eq!(gate.waiting(), 1);
        gate.open();
        assert_eq!(first.join().expect("a page").1, <[String; 0]>::default());
    });
}

#[test]
fn a_page_in_time_equals_the_page_without_a_deadline() {
    let (gate, scraper) = host();
    gate.open();
    let mut page = Vec::new();
    scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
    assert_eq!(scrape(&scraper, 50 * TIME).0, String::from_utf8(page).expect("pages are UTF-8"));
}

#[test]
fn a_copy_has_the_returned_collectors_and_the_round_continues() {
    let (gate, scraper) = host();
    let round = Arc::new(scraper.begin(&Selection::ALL, clock::monotonic() + 50 * TIME));
    let runner = Arc::clone(&round);
    let blocked = std::thread::spawn(move || runner.run());
    gate.wait_for_reader();
    assert!(!round.run(), "the collector at the gate has not returned");
    let mut late = Vec::new();
    for _ in 0..2 {
        let (mut page, mut reported) = (Vec::new(), Vec::new());
        let observe = |report: &Report<'_>| reported.push((report.collector, report.is_late));
        round.copy(Format::Text, |_| (), observe, &mut page).expect("it runs");
        let page = String::from_utf8(page).expect("pages are UTF-8");
        assert!(page.contains("node_vmstat_pgpgin 7\n") && !page.contains("node_load1"), "{page}");
        late = reported;
    }
    assert_eq!(late, [("loadavg", true), ("vmstat", false)]);
    gate.open();
    assert!(blocked.join().expect("a runner"));
    let mut page = Vec::new();
    round.finish(Format::Text, |_| (), |report| assert!(report.is_success()), &mut page).expect("it is not finished");
    let page = String::from_utf8(page).expect("pages are UTF-8");
    assert!(page.contains("node_vmstat_pgpgin 7\n") && page.contains("node_load1 0.21\n"), "{page}");
    assert!(round.finish(Format::Text, |_| (), |_| (), &mut Vec::new()).is_none());
    assert!(round.copy(Format::Text, |_| (), |_| (), &mut Vec::new()).is_none());
}
