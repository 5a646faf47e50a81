//! The derived files are what the declarations and fixtures make of them.

use harness::{exposition, generated, load};

#[test]
fn generated_files_are_up_to_date() {
    let all = generated::all().expect("the workspace's files");
    let stale: Vec<&str> = all.iter().filter(|file| !file.is_up_to_date()).map(|file| file.path.as_str()).collect();
    assert!(
        stale.is_empty(),
        "not as derived: {stale:?}; look at the difference after `cargo run -p harness -- accept`"
    );
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
