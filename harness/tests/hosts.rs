//! Pages of every collector on every fixture host, one snapshot each.

use collectors::ALL;
use harness::{host, load};

fn pages_of(name: &str) {
    let scraper = host::scraper(load::host(name).expect("a fixture host"), |roots| roots);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/hosts/{name}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for registration in ALL {
        let collector = registration.declaration.name;
        let only = scraper.only(&[collector]).expect("every collector is on");
        let shown = host::scrape(&scraper, &only).snapshot();
        settings.bind(|| insta::assert_snapshot!(collector, shown));
    }
}

#[test]
fn the_laptop_matches_its_snapshots() {
    pages_of("laptop");
}

#[test]
fn the_bonded_server_matches_its_snapshots() {
    pages_of("bonded");
}

#[test]
fn kernel_310_matches_its_snapshots() {
    pages_of("old310");
}

/// Every host needs a test above.
#[test]
fn every_fixture_host_has_a_test_here() {
    assert_eq!(load::hosts().expect("fixtures/hosts"), ["bonded", "laptop", "old310"]);
}
