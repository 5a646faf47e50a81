//! Differences from the peer, and the rows of docs/DIFFERENCES.md that explain them.

use std::collections::BTreeSet;

use collectors::host::root::tree::Tree;
use harness::difference::known::Knowledge;
use harness::difference::show::{self, Compared, Look};
use harness::difference::{folder, live};
use harness::needs::Need;
use harness::peer::Program;
use harness::{conformance, load};

/// Name of the conformance data as a host of the tables.
const DATA: &str = "conformance";
/// Name of all simulated hosts with small settings.
pub(crate) const SIMULATED: &str = "simulated";
/// Name of all simulated hosts with full settings.
pub(crate) const FULL_SIZE: &str = "full size";

pub(crate) fn program() -> Program {
    let program = Program::ask(&Need::Peer.path()).expect("the peer tells of itself");
    let both = folder::of_both(&program);
    assert!(both.len() > 20, "the peer's help lists {} of our collectors only", both.len());
    program
}

pub(crate) fn knowledge(program: &Program) -> Knowledge {
    let text = load::bytes(&load::workspace().join("docs/DIFFERENCES.md")).expect("docs/DIFFERENCES.md");
    let text = String::from_utf8(text).expect("Markdown is text");
    let knowledge = Knowledge::of_version(&text, &program.version).expect("tables of known differences");
    assert!(!knowledge.known.is_empty(), "docs/DIFFERENCES.md has nothing on {}", program.version);
    knowledge
}

#[track_caller]
fn check(compared: &Compared<'_>) {
    let text = show::text(compared, Look { is_colored: false, has_known: false });
    println!("{}", text.lines().last().unwrap_or_default());
    assert!(compared.families > 100, "too few common families: {text}");
    assert!(compared.is_explained(), "{text}");
}

fn check_tree(place: &str, tree: Tree) {
    let program = program();
    check(&folder::compare(&program, place, tree, &knowledge(&program)).expect("both read the host"));
}

pub(crate) fn the_peer_agrees_on_every_host() {
    let hosts = load::hosts().expect("fixtures/hosts");
    let known: BTreeSet<&str> = hosts.iter().map(String::as_str).chain([DATA, SIMULATED, FULL_SIZE]).collect();
    for row in &knowledge(&program()).known {
        let odd: Vec<&String> = row.places.iter().filter(|place| !known.contains(place.as_str())).collect();
        assert!(odd.is_empty(), "`{}` names {odd:?}, which is not a host of fixtures/hosts", row.pattern);
    }
    for name in &hosts {
        check_tree(name, load::host(name).expect("a fixture host"));
    }
}

pub(crate) fn the_peer_agrees_on_the_conformance_data() {
    check_tree(DATA, conformance::tree(&Need::ConformanceData.path()).expect("the data"));
}

pub(crate) fn the_peer_agrees_on_this_machine() {
    let program = program();
    check(&live::compare(&program, &knowledge(&program)).expect("both read this machine"));
}
