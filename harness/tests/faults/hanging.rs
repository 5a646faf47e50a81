//! Files that hang.

use std::collections::BTreeSet;
use std::time::Duration;

use collectors::ALL;
use harness::load;
use simulator::fault::Kind;

use crate::host::{Host, Source};

/// Polling interval and number of polls until a released thread has returned.
const RETURNED: (Duration, usize) = (Duration::from_millis(5), 2_000);

/// One file of each collector: the scrape ends without it, and the next one is complete after the file answers.
#[test]
fn a_hanging_file_costs_only_its_collector() {
    let host = Host::new(Source::Fixture("laptop", &[]), &[]);
    let clock = &host.breakable.clock;
    for collector in ALL.iter().map(|registration| registration.declaration.name) {
        host.breakable.take_accesses();
        let sound = host.scrape(collector);
        let Some(question) = host.breakable.take_accesses().into_keys().next() else { continue };
        host.breakable.inject(&question, Kind::Hanging);
        let outcome = host.scrape_with_deadline(collector);
        assert_eq!(outcome.is_success, Some(false), "{collector}: {}", question.broken(Kind::Hanging));
        assert_eq!(outcome.samples, BTreeSet::new(), "{collector}");
        let expected = "still running at the deadline of the scrape";
        assert_eq!(outcome.complaints, [expected], "{collector}: {}", question.broken(Kind::Hanging));
        host.breakable.clear();
        // A read that starts after the release finds the file without a fault.
        let (pause, tries) = RETURNED;
        let is_back = (0..tries).any(|_| {
            clock.release();
            load::wait(pause);
            host.scrape(collector) == sound
        });
        assert!(is_back, "{collector}: {} still shows", question.broken(Kind::Hanging));
    }
}
