//! Style checks. Every message says what to do.

#[path = "tidy/cycles.rs"]
mod cycles;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/orphans.rs"]
mod orphans;
#[path = "tidy/shape.rs"]
mod shape;

use std::collections::BTreeSet;
use std::path::Path;

use collectors::ALL;
use harness::{host, load, scaffold};

/// Files that may contain `unsafe`; the reason is at the top of each.
const UNSAFE_FILES: &[&str] = &[
    "src/memory.rs",
    "collectors/src/host/kernel/linux/btrfs.rs",
    "collectors/src/host/kernel/linux/drivers.rs",
    "collectors/src/host/kernel/linux/perf.rs",
    "collectors/src/host/kernel/linux/timex.rs",
    "harness/src/allocations.rs",
];

/// Words that mark unfinished work.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX", "HACK", scaffold::MARK];

struct Source {
    path: String,
    text: String,
}

/// Every Rust file of the workspace, except these tests.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in ["src", "tests", "collectors", "simulator", "harness", "benches"] {
        collect(folder, "rs", &mut sources);
    }
    sources.retain(|source| !source.path.starts_with("harness/tests/tidy"));
    assert!(sources.len() > 50, "the workspace has more files than these {}", sources.len());
    sources
}

fn collect(folder: &str, ending: &str, into: &mut Vec<Source>) {
    let full = load::workspace().join(folder);
    for name in load::names(&full).unwrap_or_default() {
        let path = format!("{folder}/{name}");
        if load::is_folder(&full.join(&name)) {
            if name != "target" {
                collect(&path, ending, into);
            }
        } else if Path::new(&name).extension().is_some_and(|found| found == ending) {
            let bytes = load::bytes(&load::workspace().join(&path)).expect("a file that was listed");
            into.push(Source { path, text: String::from_utf8(bytes).expect("sources are text") });
        }
    }
}

/// Every document.
fn documents() -> Vec<Source> {
    let mut documents = Vec::new();
    for folder in ["docs", "fixtures"] {
        collect(folder, "md", &mut documents);
    }
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let bytes = load::bytes(&load::workspace().join(name)).expect("a document at the top");
        documents.push(Source { path: name.to_owned(), text: String::from_utf8(bytes).expect("Markdown is text") });
    }
    documents
}

#[track_caller]
fn assert_none(offenders: &[String], advice: &str) {
    assert!(offenders.is_empty(), "{advice}:\n  {}", offenders.join("\n  "));
}

#[test]
fn unsafe_is_in_listed_files_only() {
    let permits = |line: &str| line.trim_start().starts_with("unsafe_code,") || line.contains("(unsafe_code,");
    let has_unsafe = |source: &&Source| source.text.lines().any(permits);
    let sources = sources();
    let found: Vec<&str> = sources.iter().filter(has_unsafe).map(|source| source.path.as_str()).collect();
    assert_eq!(found, UNSAFE_FILES, "avoid unsafe, or list the file here and give the reason at its top");
}

#[test]
fn no_unfinished_work_is_marked() {
    let is_unfinished = |line: &str| UNFINISHED.iter().any(|word| line.contains(word)) || line.contains("todo!(");
    let mut found = Vec::new();
    let mut all = sources();
    collect("fixtures", "tree", &mut all);
    for source in all {
        let lines = (1..).zip(source.text.lines()).filter(|(_, line)| is_unfinished(line));
        found.extend(lines.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())));
    }
    assert_none(&found, "finish it, or name the limitation in the changelog");
}

#[test]
fn lint_exceptions_use_expect_with_a_reason() {
    let mut found = Vec::new();
    for source in sources() {
        let lines = (1..).zip(source.text.lines());
        let bare = lines.filter(|(_, line)| line.trim_start().starts_with("#[allow(") || line.starts_with("#![allow("));
        found.extend(bare.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    assert_none(&found, "write #[expect(…, reason = \"…\")] in place of #[allow(…)]");
}

#[test]
fn collectors_and_files_correspond() {
    let names: BTreeSet<String> = ALL.iter().map(|registration| registration.declaration.name.to_owned()).collect();
    let folder = load::workspace().join("collectors/src");
    let files = load::names(&folder).expect("collectors/src");
    let files: BTreeSet<String> = files
        .iter()
        .filter_map(|name| name.strip_suffix(".rs"))
        .filter(|name| !matches!(*name, "lib" | "kit" | "host"))
        .map(str::to_owned)
        .collect();
    assert_eq!(files, names, "list the collector in ALL (collectors/src/lib.rs), or move other code to kit/ or host/");
}

#[test]
fn every_collector_has_samples_on_a_fixture_host() {
    let mut shown = BTreeSet::new();
    for name in load::hosts().expect("fixtures/hosts") {
        let scraper = host::scraper(load::host(&name).expect("a fixture host"), |roots| roots);
        for collector in ALL.iter().map(|registration| registration.declaration.name) {
            let scraped = host::scrape(&scraper, &scraper.only(&[collector]).expect("every collector is on"));
            let is_sample = |line: &str| !line.starts_with('#') && !line.starts_with("node_scrape_");
            if scraped.failed.is_empty() && scraped.page.lines().any(is_sample) {
                shown.insert(collector);
            }
        }
    }
    let hidden = ALL.iter().map(|registration| registration.declaration.name).filter(|name| !shown.contains(name));
    let hidden: Vec<String> = hidden.map(str::to_owned).collect();
    assert_none(&hidden, "add the files of this collector to a host of fixtures/hosts");
}

#[test]
fn links_in_documents_exist() {
    let documents = documents();
    let mut dead = Vec::new();
    for document in &documents {
        let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
        for link in document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !load::exists(&load::workspace().join(folder).join(target)) {
                dead.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert_none(&dead, "fix or remove the link");
}

/// Paths that exist on one machine only.
#[test]
fn no_file_contains_paths_of_one_machine() {
    let mut all = sources();
    for (folder, ending) in [("docs", "md"), ("fixtures", "md"), (".ci", "")] {
        collect(folder, ending, &mut all);
    }
    let roots = ["/home/", "/Users/", "C:\\Users"];
    let names_one = |source: &&Source| roots.iter().any(|root| source.text.contains(root));
    let found: Vec<String> = all.iter().filter(names_one).map(|source| source.path.clone()).collect();
    assert_none(&found, "write the path relative to the workspace, or invent one below /srv or /var");
}
