//! Memory: peak heap usage of a scraper, and heap allocations of a steady scrape.

use std::io;

use collectors::ALL;
use collectors::kit::scraper::{Scraper, Selection};

use super::{Measured, figure};
use crate::allocations;
use crate::subject::{self, Subject};
use crate::{host, load};

/// Scrapes after which every buffer has reached its size.
const WARM_UP_SCRAPES: usize = 3;
/// What a scrape takes is taken in every one of so many; what only some show is another thread's.
const COUNTED_SCRAPES: usize = 5;

fn check() -> io::Result<()> {
    let problem = "allocations are not counted: make harness::allocations::Counting the #[global_allocator]";
    if allocations::are_counted() { Ok(()) } else { Err(io::Error::other(problem)) }
}

/// Allocations of a steady scrape with default collectors, and peak usage of scraper and page.
pub(super) fn measure(subject: &Subject, measured: &mut Measured) -> io::Result<()> {
    check()?;
    let mut page = Vec::new();
    let mut made = None;
    let whole = allocations::during(|| {
        made = Some(subject.scraper(|roots| roots));
        if let Some(Ok(scraper)) = &made {
            (0..WARM_UP_SCRAPES).for_each(|_| subject::scrape(scraper, &mut page));
        }
    });
    let scraper = made.unwrap_or_else(|| subject.scraper(|roots| roots))?;
    measured.set(&subject.name, figure::PEAK_BYTES, whole.peak_bytes);
    measured.set(&subject.name, figure::ALLOCATIONS, steady(&scraper, &Selection::ALL, &mut page));
    Ok(())
}

/// Allocations of every collector, over every fixture host on which it succeeds; error messages allocate.
pub(super) fn each_collector(measured: &mut Measured) -> io::Result<()> {
    check()?;
    let mut page = Vec::new();
    for name in load::hosts()? {
        let scraper = host::scraper(load::host(&name)?, |roots| roots);
        for collector in ALL.iter().map(|registration| registration.declaration.name) {
            let only = scraper.only(&[collector]).map_err(io::Error::other)?;
            if host::scrape(&scraper, &only).failed.is_empty() {
                let found = steady(&scraper, &only, &mut page);
                measured.set(&format!("{name}.tree/{collector}"), figure::ALLOCATIONS, found);
            }
        }
    }
    Ok(())
}

fn steady(scraper: &Scraper, selection: &Selection, page: &mut Vec<u8>) -> usize {
    let mut scrape = || {
        page.clear();
        scraper.scrape(selection, |_| (), |_| (), page);
    };
    (0..WARM_UP_SCRAPES).for_each(|_| scrape());
    (0..COUNTED_SCRAPES).map(|_| allocations::during(&mut scrape).count).min().unwrap_or(0)
}
