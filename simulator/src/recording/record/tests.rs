//! Recordings of hosts in memory.

use std::sync::Mutex;

use collectors::host::errno::Errno;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::{Node, Special};
use collectors::host::root::{Metadata, Names, Root, RootError};
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

/// Root whose reads block longer than any deadline of the tests.
#[derive(Debug)]
struct BlockedRoot(Mutex<usize>);

impl Root for BlockedRoot {
    fn read(&self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), RootError> {
        *self.0.lock().unwrap() += 1;
        std::thread::sleep(Duration::from_secs(30));
        Ok(())
    }

    fn list(&self, _: &[u8], _: &mut Names) -> Result<(), RootError> {
        Err(Errno::ENOENT.into())
    }

    fn read_link(&self, _: &[u8], _: &mut Vec<u8>) -> Result<(), RootError> {
        Err(Errno::EINVAL.into())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let kind = if path == b"meminfo" {
            collectors::host::root::Kind::File
        } else {
            collectors::host::root::Kind::Directory
        };
        Ok(Metadata { kind, size_bytes: 0, modified: Duration::ZERO })
    }
}

#[test]
fn a_blocked_read_is_etimedout_after_its_deadline_and_noted() {
    let hanging: Arc<dyn Root> = Arc::new(BlockedRoot(Mutex::new(0)));
    let roots = Roots::new(|_| Arc::clone(&hanging));
    let meminfo: Vec<Registration> =
        collectors::ALL.iter().copied().filter(|registration| registration.declaration.name == "meminfo").collect();
    let plan = Plan { timeout: Duration::from_millis(50), ..Plan::of(&meminfo) };
    let recording = record(&roots, Arc::new(Canned::default()), &plan, &|_| ()).unwrap();
    let node = recording.tree.get("proc/meminfo").unwrap();
    assert_eq!(node.error(), Some(Errno::ETIMEDOUT));
    assert!(recording.notes.iter().any(|note| note.path == "proc/meminfo"), "{:?}", recording.notes);
}
