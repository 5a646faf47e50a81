//! Heap allocations of a steady scrape, for each collector over each fixture host.

use collectors::ALL;
use collectors::kit::scraper::{Scraper, Selection};
use harness::allocations::{self, Counting};
use harness::{host, load};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a collector may take from the heap in one scrape. Everybody else: nothing.
const BUDGETS: &[(&str, usize)] = &[("textfile", 160)];

/// After so many scrapes every buffer has the size that it needs.
const WARM_UP_SCRAPES: usize = 3;

/// What a scrape takes is taken in every one of so many; what only some show is another thread's, such as the test
/// runner's own.
const COUNTED_SCRAPES: usize = 5;

fn count(scraper: &Scraper, selection: &Selection, page: &mut Vec<u8>) -> usize {
    let mut scrape = || {
        page.clear();
        scraper.scrape(selection, |_| (), |_| (), page);
    };
    (0..WARM_UP_SCRAPES).for_each(|_| scrape());
    (0..COUNTED_SCRAPES).map(|_| allocations::during(&mut scrape).count).min().unwrap_or(0)
}

/// One test, so that no other thread of this binary allocates while it counts.
#[test]
fn a_steady_scrape_allocates_no_more_than_its_budget() {
    let mut page = Vec::new();
    let mut over = Vec::new();
    for name in load::hosts().expect("fixtures/hosts") {
        let scraper = host::scraper(load::host(&name).expect("a fixture host"), |roots| roots);
        for collector in ALL.iter().map(|registration| registration.declaration.name) {
            let only = scraper.only(&[collector]).expect("every collector is on");
            let is_sound = host::scrape(&scraper, &only).failed.is_empty();
            let found = count(&scraper, &only, &mut page);
            let budget = BUDGETS.iter().find(|(named, _)| *named == collector).map_or(0, |(_, budget)| *budget);
            println!(
                "{name} {collector}: {found} of {budget}{}",
                if is_sound { "" } else { " (fails here: words cost)" }
            );
            // A complaint is words on the heap; what fails on a fixture is counted where it succeeds.
            if is_sound && found > budget {
                over.push(format!("{name} {collector}: {found} allocations, {budget} allowed"));
            }
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
    let counted = allocations::during(|| drop(std::hint::black_box(vec![0_u8; 64]))).count;
    assert_eq!(counted, 1, "the allocator of this test does not count");
}
