//! Generated files equal what declarations and fixtures give.

use std::sync::Arc;

use collectors::kit::page;
use collectors::kit::scraper::{Selection, Wanted};
use harness::exposition::{Format, Severity};
use harness::{exposition, generated, host, load};

#[test]
fn generated_files_are_up_to_date() {
    let all = generated::all().expect("the workspace's files");
    let stale: Vec<&str> = all.iter().filter(|file| !file.is_up_to_date()).map(|file| file.path.as_str()).collect();
    assert!(stale.is_empty(), "out of date: {stale:?}; run `cargo run -p harness -- accept` and review the diff");
    assert!(all.len() > 4, "the fixture hosts are among them");
}

#[test]
fn golden_pages_are_well_formed() {
    for host in load::hosts().expect("fixtures/hosts") {
        let path = load::workspace().join(format!("fixtures/hosts/{host}.prom"));
        let page = load::bytes(&path).expect("a golden page");
        let parsed = exposition::parse(&page).unwrap_or_else(|defects| panic!("{host}.prom: {defects:?}"));
        let names: Vec<&str> = parsed.families.iter().map(|family| family.name).collect();
        assert!(names.is_sorted(), "{host}.prom: families stand by name");
    }
}

#[test]
fn pages_in_openmetrics_are_well_formed() {
    for name in load::hosts().expect("fixtures/hosts") {
        let scraper = Arc::new(host::scraper(load::host(&name).expect("a fixture host"), |roots| roots));
        let wanted = Wanted { selection: Selection::ALL, format: page::Format::OpenMetrics, until: None };
        let mut page = Vec::new();
        scraper.scrape_as(&wanted, |_| (), |_| (), &mut page);
        let judged = exposition::judge(&page, Format::OpenMetrics);
        let errors = judged.defects.iter().filter(|defect| defect.rule.severity() == Severity::Error);
        let errors: Vec<String> = errors.map(ToString::to_string).collect();
        assert!(errors.is_empty() && judged.page.samples() > 500, "{name}: {}", errors.join("\n"));
    }
}
