//! Files that do not answer.

use std::collections::BTreeSet;
use std::time::Duration;

use collectors::ALL;
use harness::load;
use simulator::fault::Kind;

use crate::host::{Host, Source};

/// What has been let go comes back within this time, in steps.
const RETURNED: (Duration, usize) = (Duration::from_millis(5), 2_000);

/// Of each collector one file: the scrape ends without it, and once the file answers nothing is left of that.
#[test]
fn a_file_that_hangs_costs_its_collector_alone() {
    let host = Host::new(Source::Fixture("laptop", &[]), &[]);
    let clock = &host.breakable.clock;
    for collector in ALL.iter().map(|registration| registration.declaration.name) {
        host.breakable.take_asked();
        let sound = host.scrape(collector);
        let Some(question) = host.breakable.take_asked().into_keys().next() else { continue };
        host.breakable.break_at(&question, Kind::Hanging);
        let outcome = host.scrape_hastily(collector);
        assert_eq!(outcome.is_success, Some(false), "{collector}: {}", question.broken(Kind::Hanging));
        assert_eq!(outcome.samples, BTreeSet::new(), "{collector}");
        let expected = "had not answered when the scrape had to end";
        assert_eq!(outcome.complaints, [expected], "{collector}: {}", question.broken(Kind::Hanging));
        host.breakable.mend();
        // Whoever comes late to a file that hangs finds it sound.
        let (pause, tries) = RETURNED;
        let is_back = (0..tries).any(|_| {
            clock.release();
            load::wait(pause);
            host.scrape(collector) == sound
        });
        assert!(is_back, "{collector}: {} still shows", question.broken(Kind::Hanging));
    }
}
