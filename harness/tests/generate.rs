//! `nodelab generate`: every form contains the host of that time, and what cannot be written is listed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use collectors::host::root::tree::Tree;
use harness::load;
use simulator::{Machine, embedded, fingerprint};

/// The default time.
const AT_SECONDS: u64 = 1_700_000_000;

fn nodelab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nodelab")).arg("generate").args(arguments).output().expect("nodelab runs")
}

struct OutputFolder {
    folder: tempfile::TempDir,
}

impl OutputFolder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Generates into a file of that name; returns the tree and standard error.
    #[track_caller]
    fn generate(&self, name: &str, arguments: &[&str]) -> (Tree, String) {
        let path = self.path(name);
        let out = path.display().to_string();
        let output = nodelab(&[arguments, &["--out", &out]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        (load::any_host(Path::new(&path)).expect("a host"), said)
    }
}

fn simulated(overrides: &[(&str, &str)], seconds: u64) -> Tree {
    let machine = Machine::of("vm", 1, overrides).expect("a machine");
    embedded(machine, || Duration::from_secs(AT_SECONDS)).tree_at(seconds)
}

#[test]
fn the_output_is_the_host_at_that_time() {
    let desk = OutputFolder::new();
    let expected = fingerprint(&simulated(&[("cpus", "2")], AT_SECONDS));
    let (tree, said) = desk.generate("a.tree", &["vm", "--set", "cpus=2"]);
    assert_eq!(fingerprint(&tree), expected);
    // Standard error is not a terminal: no progress bar.
    assert!(said.starts_with("wrote ") && said.lines().count() == 1, "{said}");
    let (archive, _) = desk.generate("a.tar", &["vm", "--set", "cpus=2"]);
    assert_eq!(fingerprint(&archive), expected);
    let (later, _) = desk.generate("b.tree", &["vm", "--set", "cpus=2", "--at", "1700000060"]);
    assert_eq!(fingerprint(&later), fingerprint(&simulated(&[("cpus", "2")], AT_SECONDS + 60)));
    let (after, _) = desk.generate("c.tree", &["vm", "--set", "cpus=2", "--at", "+1m"]);
    assert_eq!(fingerprint(&after), fingerprint(&later));
    let (other, _) = desk.generate("d.tree", &["vm", "--set", "cpus=2", "--seed", "2"]);
    assert_ne!(fingerprint(&other), expected);
}

const SCENARIO: &str = "\
profile = 'vm'
faults = '''
proc/version content=Linux version unknown
proc/mounts missing from=10m
kernel/statfs/boot error=ESTALE
proc/stat error=EIO read=2
proc/uptime slow=1s
'''

[set]
cpus = 2
";

#[test]
fn static_faults_of_a_scenario_are_written() {
    let desk = OutputFolder::new();
    let file = desk.path("scenario.toml");
    load::write(&file, SCENARIO.as_bytes()).expect("a scenario");
    let file = file.display().to_string();
    let (tree, said) = desk.generate("a.tree", &["--scenario", &file]);
    assert_eq!(tree.content("proc/version"), Some(&b"Linux version unknown\n"[..]));
    let statfs = String::from_utf8_lossy(tree.content("kernel/statfs").expect("answers")).into_owned();
    assert!(statfs.contains("/boot error=ESTALE\n"), "{statfs}");
    let sound = simulated(&[("cpus", "2")], AT_SECONDS);
    for path in ["proc/stat", "proc/uptime"] {
        assert_eq!(tree.content(path), sound.content(path), "{path}");
    }
    for fault in ["proc/stat error=EIO read=2: ", "proc/uptime slow=1s: "] {
        assert!(said.contains(&format!("not written: {fault}")), "{said}");
    }
    let (later, _) = desk.generate("b.tree", &["vm", "--scenario", &file, "--at", "+10m"]);
    assert!(tree.get("proc/mounts").is_some() && later.get("proc/mounts").is_none());
}

#[cfg(unix)]
#[test]
fn a_directory_contains_every_entry_that_can_exist_on_disk() {
    let desk = OutputFolder::new();
    let (tree, said) = desk.generate("host", &["vm", "--set", "cpus=2"]);
    let sound = simulated(&[("cpus", "2")], AT_SECONDS);
    assert_eq!(tree.content("kernel/uname"), sound.content("kernel/uname"));
    assert_eq!(tree.content("proc/stat"), sound.content("proc/stat"));
    let failing = sound.iter().filter(|(_, node)| node.error().is_some()).count();
    assert_eq!(said.matches("not written, cannot exist on disk: ").count(), failing, "{said}");
}

#[track_caller]
fn refuse(arguments: &[&str], expected: &str) {
    let output = nodelab(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(said.contains(expected), "{arguments:?}: {said}");
}

#[test]
fn an_invalid_command_line_is_refused() {
    refuse(&["vm"], "--out is required");
    refuse(&["--out", "x.tree"], "PROFILE is missing");
    refuse(&["vmm", "--out", "x.tree"], "no profile is called `vmm`; did you mean `vm`?");
    refuse(&["vm", "--set", "cpu=2", "--out", "x.tree"], "profile vm has no setting `cpu`; did you mean `cpus`?");
    refuse(&["vm", "--set", "cpus", "--out", "x.tree"], "--set: expected KEY=VALUE, found `cpus`");
    refuse(&["vm", "--at", "10m", "--out", "x.tree"], "--at: expected seconds since 1970, or +10m, found `10m`");
    refuse(&["vm", "--seed", "x", "--out", "x.tree"], "--seed: expected an integer");
}
