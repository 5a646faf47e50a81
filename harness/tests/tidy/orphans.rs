//! Files that nothing refers to: sources without a module, fixtures without a page, snapshots without a test, documents
//! without a link.

use std::collections::BTreeSet;
use std::path::Path;

use collectors::ALL;
use harness::load;

use crate::{assert_none, documents, sources};

fn names(folder: &str) -> BTreeSet<String> {
    load::names(&load::workspace().join(folder)).unwrap_or_default().into_iter().collect()
}

fn ends_in(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == ending)
}

fn collectors() -> BTreeSet<String> {
    ALL.iter().map(|registration| registration.declaration.name.to_owned()).collect()
}

/// The compiler ignores a file that no `mod` names.
#[test]
fn every_source_file_is_a_module() {
    let sources = sources();
    let mut orphans = Vec::new();
    for source in &sources {
        let path = Path::new(&source.path);
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new("")).to_string_lossy().replace('\\', "/");
        let is_root = matches!(name, "lib" | "main" | "build_script");
        let is_target = ["benches", "src/bin", "examples", "harness/fuzz/fuzz_targets"].contains(&folder.as_str())
            || folder.ends_with("/examples")
            || folder == "tests"
            || folder.ends_with("/tests");
        if is_root || is_target {
            continue;
        }
        let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
        let parents = sources.iter().filter(|source| parents.contains(&source.path));
        let declaration = format!("mod {name};");
        let is_declared = |text: &str| text.lines().any(|line| line.trim_end().ends_with(&declaration));
        if !parents.map(|parent| parent.text.as_str()).any(is_declared)
            && !source.path.starts_with("harness/tests/tidy/")
        {
            orphans.push(source.path.clone());
        }
    }
    assert_none(&orphans, "name the file with `mod` where it belongs, or remove it");
}

#[test]
fn hosts_and_golden_pages_correspond() {
    let files = names("fixtures/hosts");
    let stems = |ending: &str| -> BTreeSet<String> {
        files.iter().filter_map(|name| name.strip_suffix(ending)).map(str::to_owned).collect()
    };
    let (hosts, pages) = (stems(".tree"), stems(".prom"));
    let missing: Vec<String> = hosts.difference(&pages).cloned().collect();
    assert_none(&missing, "write the golden page: cargo run -p harness -- accept");
    let orphans: Vec<String> = pages.difference(&hosts).cloned().collect();
    assert_none(&orphans, "remove fixtures/hosts/NAME.prom, which no host has");
    let other: Vec<String> =
        files.iter().filter(|name| !ends_in(name, "tree") && !ends_in(name, "prom")).cloned().collect();
    assert_none(&other, "neither a host nor a golden page; move it out of fixtures/hosts");
}

#[test]
fn every_snapshot_has_a_test() {
    let hosts: BTreeSet<String> = load::hosts().expect("fixtures/hosts").into_iter().collect();
    let profiles: BTreeSet<String> = simulator::profiles().iter().map(|profile| profile.name.to_owned()).collect();
    let mut orphans = Vec::new();
    for (kind, places) in [("hosts", &hosts), ("faults", &hosts), ("profiles", &profiles)] {
        let folder = format!("harness/tests/snapshots/{kind}");
        // Tables of other hosts and flags are listed by their own test.
        for place in names(&folder).into_iter().filter(|place| (kind, place.as_str()) != ("faults", "more")) {
            if !places.contains(&place) {
                orphans.push(format!("{folder}/{place}"));
            }
            let files = names(&format!("{folder}/{place}"));
            let stems =
                files.iter().filter(|file| file.strip_suffix(".snap").is_none_or(|name| !collectors().contains(name)));
            orphans.extend(stems.map(|file| format!("{folder}/{place}/{file}")));
        }
    }
    assert_none(&orphans, "remove the snapshot: no such collector, host or profile (review a .snap.new)");
}

#[test]
fn every_document_is_linked() {
    let documents = documents();
    let linked = |name: &str| {
        let mut others = documents.iter().filter(|document| document.path != format!("docs/{name}"));
        others.any(|document| {
            document.text.contains(&format!("]({name}")) || document.text.contains(&format!("docs/{name}"))
        })
    };
    let orphans: Vec<String> = names("docs").into_iter().filter(|name| ends_in(name, "md") && !linked(name)).collect();
    assert_none(&orphans, "link the document from README.md, ARCHITECTURE.md or CONTRIBUTING.md, or remove it");
}

#[test]
fn links_to_sections_exist() {
    let documents = documents();
    let mut dead = Vec::new();
    for document in &documents {
        let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
        for link in document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((target, anchor)) = link.split_once('#').filter(|_| !link.contains("://")) else { continue };
            let path = if target.is_empty() { Path::new(&document.path).to_owned() } else { folder.join(target) };
            let path = path.to_string_lossy().replace('\\', "/").replace("docs/../", "");
            let found = documents.iter().find(|other| other.path == path);
            let has = found.is_none_or(|other| {
                let mut headings = other.text.lines().filter(|line| line.starts_with('#'));
                headings.any(|line| slug(line.trim_start_matches('#')) == anchor)
            });
            if !has {
                dead.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert_none(&dead, "no such heading; fix the link");
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn anchors_of_headings() {
    assert_eq!(slug(" What differs from exporter-toolkit"), "what-differs-from-exporter-toolkit");
    assert_eq!(slug(" The `.tree` format, version 1"), "the-tree-format-version-1");
}
