//! Laws of exporters, tested with our collectors on random hosts with events and faults. A failing case is shrunk,
//! printed as a host with the command to replay it, and stored as a file that later runs try first. The cases are the
//! same in every run.

use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::root::{Mount, Roots};
use harness::load;
use harness::property::{Exporter, Laws, Opened, Ours, contained};

/// `nodelab laws --cases 10000` runs more.
const CASES: u32 = 250;

#[test]
fn stored_cases_keep_every_law() {
    let broken = Laws::ours().recall().expect("harness/regressions");
    assert!(broken.is_empty(), "fix the defect: {broken:#?}");
}

#[test]
fn every_collector_keeps_every_law() {
    let laws = Laws::ours();
    if let Err(broken) = laws.explore(CASES, 1) {
        panic!("{}", laws.keep(&broken).expect("a folder to keep it in"));
    }
}

#[test]
fn our_collectors_are_served_on_an_empty_host() {
    for ours in Ours::all() {
        contained(&ours).unwrap_or_else(|violation| panic!("{violation}"));
    }
}

/// Exports the number of tasks, and panics if /proc/stat has no line of them.
struct Panicking;

impl Exporter for Panicking {
    fn name(&self) -> &'static str {
        "panicking"
    }

    fn reads(&self) -> Vec<String> {
        vec!["proc/stat".to_owned()]
    }

    fn families(&self) -> Vec<String> {
        vec!["tasks_total".to_owned()]
    }

    fn open(&self, roots: Roots, _: Arc<dyn Kernel>) -> Opened {
        Box::new(move || {
            let mut content = Vec::new();
            if roots.get(Mount::Proc).read(b"stat", &mut content, 1 << 20).is_err() {
                return Vec::new();
            }
            let text = String::from_utf8_lossy(&content);
            let count = text.lines().find_map(|line| line.strip_prefix("processes ")).expect("a line of tasks");
            format!("# TYPE tasks_total counter\ntasks_total {count}\n").into_bytes()
        })
    }
}

/// The exporter of [`Panicking`] without its defect.
struct Fixed;

impl Exporter for Fixed {
    fn name(&self) -> &str {
        Panicking.name()
    }

    fn reads(&self) -> Vec<String> {
        Panicking.reads()
    }

    fn families(&self) -> Vec<String> {
        Panicking.families()
    }

    fn open(&self, _: Roots, _: Arc<dyn Kernel>) -> Opened {
        Box::new(Vec::new)
    }
}

#[test]
fn a_failing_case_is_shrunk_stored_and_tried_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let laws = |exporter: Box<dyn Exporter>| Laws::new(vec![exporter], folder.path().join("regressions"));
    let panicking = laws(Box::new(Panicking));
    assert_eq!(panicking.recall().expect("no folder is no case"), []);
    let broken = panicking.explore(200, 1).expect_err("an exporter that breaks");
    assert!(
        broken.violation.to_string().starts_with("panicking: not served: it panicked: a line of tasks"),
        "{broken:?}"
    );

    // The minimal host has one file and one fault; the case has no event and no other fault.
    let minimal = broken.minimal.as_ref().expect("a host that shows it");
    let tree = String::from_utf8_lossy(&minimal.tree);
    assert_eq!(tree.lines().filter(|line| line.starts_with("== ")).collect::<Vec<_>>(), ["== proc/stat"], "{tree}");
    assert_eq!(minimal.faults.lines().count(), 1, "{}", minimal.faults);
    assert!(!broken.case.contains("[[event]]"), "{}", broken.case);
    assert_eq!(broken.case.matches("\nproc/stat ").count(), 1, "{}", broken.case);

    let told = panicking.keep(&broken).expect("kept");
    assert!(told.contains("to replay it: cargo run -p harness -- laws --scenario "), "{told}");
    let kept = load::names(&folder.path().join("regressions")).expect("the cases");
    let [name] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(name.starts_with("panicking-not-served-"), "{name}");
    let files = load::names(&folder.path().join("regressions").join(name)).expect("its files");
    assert_eq!(files, ["case.toml", "host.faults", "host.tree"]);

    let again = panicking.recall().expect("what is kept is read");
    assert_eq!(again, [(name.clone(), broken.violation)]);
    // After the fix no stored case fails; the stored host alone is enough to show the defect.
    assert_eq!(laws(Box::new(Fixed)).recall().expect("what is kept is read"), []);
    let case = folder.path().join("regressions").join(name).join("case.toml");
    load::write(&case, b"# nodelab laws: panicking\nprofile = 'vm'\n").expect("a case that shows nothing");
    assert_eq!(panicking.recall().expect("what is kept is read").len(), 1, "the host as it was written down");
}
