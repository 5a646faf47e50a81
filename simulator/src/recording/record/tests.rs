//! Recordings of hosts in memory.

use collectors::host::errno::Errno;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::{Node, Special};
use collectors::kit::testing::gate::Gate;
use collectors::kit::testing::redacted;

use super::*;

fn host() -> (Roots, Arc<dyn Kernel>) {
    let host = crate::embedded(crate::Machine::vm(7), || Duration::from_secs(1_700_000_000));
    (host.roots(), host.kernel())
}

fn page(tree: &Tree, plan: &Plan<'_>) -> String {
    let kernel = Canned::parse(|name| tree.content(name)).unwrap();
    let roots = Arc::new(tree.clone()).roots();
    let scraper = Scraper::build(plan.registrations, &plan.flags, roots, Arc::new(kernel)).unwrap();
    let mut page = Vec::new();
    scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
    comparable(&page)
}

fn comparable(page: &[u8]) -> String {
    redacted(&String::from_utf8_lossy(page))
}

#[test]
fn a_recording_replays_to_the_page_that_was_read() {
    let (roots, kernel) = host();
    let plan = Plan::of(collectors::ALL);
    let recording = record(&roots, kernel, &plan, &|_| ()).unwrap();
    assert_eq!(page(&recording.tree, &plan), comparable(&recording.page));
    assert!(recording.page.len() > 10_000);
    assert_eq!(recording.notes, []);
}

#[test]
fn globs_add_files_that_no_collector_reads() {
    let tree = Tree::new()
        .with_file("proc/odd/a", "1\n")
        .with_file("proc/odd/b/a", "2\n")
        .with_file("proc/odd/b/kcore", "3\n")
        .with_file("proc/even", "4\n")
        .with("proc/odd/pipe", Node::special(Special::Fifo))
        .with_error("proc/odd/refused", Errno::EACCES)
        .with_link("proc/odd/link", "b/a");
    let mut plan = Plan::of(&[]);
    plan.globs = vec![Glob::parse("/proc/odd/*").unwrap(), Glob::parse("/proc/odd/**/a").unwrap()];
    plan.globs.push(Glob::parse("/proc/odd/b/*").unwrap());
    let recording = record(&Arc::new(tree).roots(), Arc::new(Canned::default()), &plan, &|_| ()).unwrap();
    let found = |path: &str| recording.tree.content(path).map(|content| String::from_utf8_lossy(content).into_owned());
    assert_eq!(found("proc/odd/a").as_deref(), Some("1\n"));
    assert_eq!(found("proc/odd/b/a").as_deref(), Some("2\n"));
    let node = |path: &str| recording.tree.get(path).unwrap().clone();
    assert_eq!(node("proc/odd/link"), Node::link("b/a"));
    assert_eq!(node("proc/odd/refused").error(), Some(Errno::EACCES));
    assert_eq!(node("proc/odd/pipe"), Node::special(Special::Fifo));
    assert_eq!(node("proc/odd/b/kcore").error(), Some(Errno::ENODATA), "seen, not read");
    assert!(recording.tree.get("proc/even").is_none());
}

#[test]
fn a_blocked_read_is_etimedout_after_its_deadline_and_noted() {
    let (gate, roots) = Gate::before("meminfo", Tree::new().with_file("proc/meminfo", "MemTotal: 1 kB\n"));
    let meminfo: Vec<Registration> =
        collectors::ALL.iter().copied().filter(|registration| registration.declaration.name == "meminfo").collect();
    let plan = Plan { timeout: Duration::from_millis(50), ..Plan::of(&meminfo) };
    let recording = record(&roots, Arc::new(Canned::default()), &plan, &|_| ()).unwrap();
    let node = recording.tree.get("proc/meminfo").unwrap();
    assert_eq!((node.error(), gate.waiting()), (Some(Errno::ETIMEDOUT), 1));
    assert!(recording.notes.iter().any(|note| note.path == "proc/meminfo"), "{:?}", recording.notes);
}
