use super::*;
use crate::load;

fn current(path: &str) -> io::Result<String> {
    load::bytes(&load::workspace().join(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn changes(name: &str, reads: &[&str]) -> Vec<Change> {
    Plan::new(name, reads).expect("a plan").changes(current).expect("changes")
}

/// A line of a file that is made or changed, between its neighbours.
#[track_caller]
fn check(changes: &[Change], path: &str, expected: &str) {
    let change = changes.iter().find(|change| change.path == path).unwrap_or_else(|| panic!("no {path}: {changes:#?}"));
    assert!(change.content.contains(expected), "{path}:\n{}", change.content);
}

#[test]
fn every_list_has_the_new_collector_in_its_place() {
    let changes = changes("frobs", &["proc/frobs"]);
    check(&changes, "collectors/src/lib.rs", "pub mod filesystem;\npub mod frobs;\npub mod host;\n");
    let registrations = "    Registration::of::<filesystem::Filesystem>(),\n    Registration::of::<frobs::Frobs>(),\n    Registration::of::<hwmon";
    check(&changes, "collectors/src/lib.rs", registrations);
    check(&changes, "simulator/src/proc.rs", "mod drbd;\nmod frobs;\nmod interrupts;\n");
    check(&changes, "simulator/src/proc.rs", "    &frobs::GROUPS,\n");
    let entry = format!("\n== proc/frobs\n{MARK}: what the kernel writes there\n== proc/");
    check(&changes, "fixtures/hosts/laptop.tree", &entry);
    check(&changes, "collectors/src/frobs.rs", "        FROBS: File Proc \"frobs\";\n");
    check(&changes, "collectors/src/frobs.rs", "        FROBS_VALUE: Gauge \"node_frobs\" [] \"What frobs says.\";\n");
    check(&changes, "collectors/src/frobs.rs", "given(\"== proc/frobs\\n\\n\").emits::<Frobs>(\"\");");
    check(
        &changes,
        "simulator/src/proc/frobs.rs",
        "under: \"\", each: nowhere, entries: &[(\"frobs\", What::File(frobs))]",
    );
    assert!(changes.iter().all(|change| !change.content.contains("{mark}")));
}

#[test]
fn several_files_of_one_mount_are_read() {
    let changes = changes("old_frobs", &["/sys/class/frobs/in-use", "sys/class/frobs/2max"]);
    check(&changes, "collectors/src/old_frobs.rs", "pub struct OldFrobs;");
    check(
        &changes,
        "collectors/src/old_frobs.rs",
        "        IN_USE: File Sys \"class/frobs/in-use\";\n        OF_2MAX: File Sys",
    );
    check(&changes, "collectors/src/old_frobs.rs", "\"node_old_frobs_in_use\"");
    check(&changes, "simulator/src/sys/old_frobs.rs", "GROUPS: [Group; 2]");
    check(
        &changes,
        "simulator/src/sys/old_frobs.rs",
        "under: \"class/frobs\", each: nowhere, entries: &[(\"2max\", What::File(of_2max))]",
    );
}

#[test]
fn what_is_there_already_is_not_made_again() {
    let changes = changes("frobs", &["proc/loadavg"]);
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["collectors/src/frobs.rs", "collectors/src/lib.rs"]);
}

#[test]
fn the_places_to_fill_are_listed() {
    let places = places(&changes("frobs", &["proc/frobs"]));
    let files: Vec<&str> = places.iter().filter_map(|place| place.split(':').next()).collect();
    let expected = [
        ["collectors/src/frobs.rs"; 5].as_slice(),
        &["simulator/src/proc/frobs.rs"; 2],
        &["fixtures/hosts/laptop.tree"],
    ];
    assert_eq!(files, expected.concat(), "{places:#?}");
    assert!(places.iter().any(|place| place == "collectors/src/frobs.rs:1: what is told here, and from which files."));
}

#[test]
fn what_cannot_be_a_collector_is_refused_with_advice() {
    for (name, reads, problem) in [
        ("Frobs", &["proc/x"][..], "`Frobs`: a collector's name is lower-case letters"),
        ("1x", &["proc/x"], "a letter first"),
        ("type", &["proc/x"], "`type` is a word of Rust"),
        ("cpu", &["proc/x"], "there is a collector `cpu` already"),
        ("frobs", &[], "--reads names a file"),
        ("frobs", &["prc/x"], "(did you mean proc/x?)"),
        ("frobs", &["proc/x/*"], "expected a path of plain names"),
        ("frobs", &["proc/../x"], "expected a path of plain names"),
        ("frobs", &["proc/x", "sys/y"], "begin with the files of one mount"),
        ("frobs", &["proc/x/a", "proc/y/a"], "two files are called `a`"),
    ] {
        let error = Plan::new(name, reads).expect_err(problem);
        assert!(error.contains(problem), "{error}");
    }
    let there = Plan::new("frobs", &["proc/frobs"]).expect("a plan").changes(|_| Ok(String::new()));
    assert_eq!(there, Err("collectors/src/frobs.rs is there already".to_owned()));
}
