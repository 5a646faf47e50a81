//! The laws of every exporter, put to our collectors on random hosts to which something happens and of which something
//! breaks. What breaks a law is shrunk, printed as a host that can be pasted with the command that replays it, and kept
//! as a file that is tried first from then on. The cases are the same in every run.

use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::root::{Mount, Roots};
use harness::load;
use harness::property::{Exporter, Laws, Opened, Ours, contained};

/// `nodelab laws --cases 10000` looks at more.
const CASES: u32 = 250;

#[test]
fn what_once_broke_a_law_keeps_it() {
    let broken = Laws::ours().recall().expect("harness/regressions");
    assert!(broken.is_empty(), "mend what broke it: {broken:#?}");
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

/// Tells how many tasks there were, and panics where /proc/stat has no line of them.
struct Careless;

impl Exporter for Careless {
    fn name(&self) -> &'static str {
        "careless"
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

/// The same, mended.
struct Careful;

impl Exporter for Careful {
    fn name(&self) -> &str {
        Careless.name()
    }

    fn reads(&self) -> Vec<String> {
        Careless.reads()
    }

    fn families(&self) -> Vec<String> {
        Careless.families()
    }

    fn open(&self, _: Roots, _: Arc<dyn Kernel>) -> Opened {
        Box::new(Vec::new)
    }
}

#[test]
fn what_breaks_a_law_is_made_small_kept_and_tried_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let laws = |exporter: Box<dyn Exporter>| Laws::new(vec![exporter], folder.path().join("regressions"));
    let careless = laws(Box::new(Careless));
    assert_eq!(careless.recall().expect("no folder is no case"), []);
    let broken = careless.explore(200, 1).expect_err("an exporter that breaks");
    assert!(
        broken.violation.to_string().starts_with("careless: not served: it panicked: a line of tasks"),
        "{broken:?}"
    );

    // The least: a host with the one file, and one fault; in the case no event and nothing else that breaks.
    let minimal = broken.minimal.as_ref().expect("a host that shows it");
    let tree = String::from_utf8_lossy(&minimal.tree);
    assert_eq!(tree.lines().filter(|line| line.starts_with("== ")).collect::<Vec<_>>(), ["== proc/stat"], "{tree}");
    assert_eq!(minimal.faults.lines().count(), 1, "{}", minimal.faults);
    assert!(!broken.case.contains("[[event]]"), "{}", broken.case);
    assert_eq!(broken.case.matches("\nproc/stat ").count(), 1, "{}", broken.case);

    let told = careless.keep(&broken).expect("kept");
    assert!(told.contains("to replay it: cargo run -p harness -- laws --scenario "), "{told}");
    let kept = load::names(&folder.path().join("regressions")).expect("the cases");
    let [name] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(name.starts_with("careless-not-served-"), "{name}");
    let files = load::names(&folder.path().join("regressions").join(name)).expect("its files");
    assert_eq!(files, ["case.toml", "host.faults", "host.tree"]);

    let again = careless.recall().expect("what is kept is read");
    assert_eq!(again, [(name.clone(), broken.violation)]);
    // Whoever mends it has nothing to recall any more; the frozen host alone shows it, too.
    assert_eq!(laws(Box::new(Careful)).recall().expect("what is kept is read"), []);
    let case = folder.path().join("regressions").join(name).join("case.toml");
    load::write(&case, b"# nodelab laws: careless\nprofile = 'vm'\n").expect("a case that shows nothing");
    assert_eq!(careless.recall().expect("what is kept is read").len(), 1, "the host as it was written down");
}
