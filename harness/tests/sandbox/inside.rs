//! The tests: an exporter in its sandbox, and what changes around it.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::load::wait;
use harness::peer::Peer;
use harness::requirements::Requirement;

use crate::instance::Instance;
use crate::receiver::{Receiver, Reply};

const SECRET: &str = "outside_of_the_sandbox";

/// Directories of an exporter: its textfiles, with a link to a file elsewhere, and that file.
struct Folders {
    textfiles: tempfile::TempDir,
    _outside: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        let [textfiles, outside] = [0; 2].map(|_| tempfile::tempdir().unwrap());
        let file = outside.path().join("secret.prom");
        fs::write(&file, format!("{SECRET} 1\n")).unwrap();
        std::os::unix::fs::symlink(&file, textfiles.path().join("secret.prom")).unwrap();
        fs::write(textfiles.path().join("first.prom"), "first 1\n").unwrap();
        Self { textfiles, _outside: outside }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.textfiles.path().join(name)
    }

    /// Flags that switch the sandbox on and the textfiles on.
    fn flags(&self) -> Vec<String> {
        let directory = format!("--collector.textfile.directory={}", self.textfiles.path().display());
        ["--sandbox", "--collector.textfile", "--log.level=error", &directory].map(str::to_owned).into()
    }

    fn start(&self, more: &[String]) -> Peer {
        let peer = Peer::start(&Requirement::Exporter.path(), &[&self.flags()[..], more].concat()).unwrap();
        check_page(&peer, "first 1\n");
        peer
    }
}

/// The page, which must not hold what is outside of the sandbox.
fn page(peer: &Peer) -> String {
    let page = String::from_utf8(peer.get("/metrics").unwrap()).unwrap();
    assert!(!page.contains(SECRET), "the sandbox is not active");
    page
}

#[track_caller]
fn check_page(peer: &Peer, expected: &str) {
    let page = page(peer);
    assert!(page.contains(&format!("\n{expected}")), "{expected} is not in {page}");
}

#[track_caller]
fn eventually<T>(mut find: impl FnMut() -> Option<T>, what: &str) -> T {
    for _ in 0..1_000 {
        if let Some(found) = find() {
            return found;
        }
        wait(Duration::from_millis(20));
    }
    panic!("{what}");
}

fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(&new, path).unwrap();
}

pub(super) fn textfiles() {
    let folders = Folders::new();
    let peer = folders.start(&[]);
    let later = folders.file("later.prom");
    replace(&later, "later 1\n");
    check_page(&peer, "later 1\n");
    replace(&later, "later 2\n");
    check_page(&peer, "later 2\n");
    fs::remove_file(&later).unwrap();
    assert!(!page(&peer).contains("\nlater "));
    check_page(&peer, "node_load1 ");
}

/// Sizes of the files below a directory.
fn size_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

pub(super) fn queue() {
    let is_up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_up);
    let receiver = Receiver::start(move |_, _| Reply::status(if switch.load(Ordering::SeqCst) { 204 } else { 503 }));
    let folders = Folders::new();
    let queue = folders.file("queue");
    fs::create_dir(&queue).unwrap();
    let flags = [
        format!("--push.queue={}", queue.display()),
        format!("--push.to=import=http://{}", receiver.address),
        "--push.interval=1s".to_owned(),
    ];
    let first = {
        let _refused = folders.start(&flags);
        receiver.wait_for(1);
        eventually(|| (size_bytes(&queue) > 1_000).then_some(()), "the queue holds no samples");
        receiver.received()[0].target.clone()
    };
    // Another process reads what the one before has written.
    let before = receiver.received().len();
    is_up.store(true, Ordering::SeqCst);
    let peer = folders.start(&flags);
    let delivered = || receiver.received()[before..].iter().any(|request| request.target == first).then_some(());
    eventually(delivered, "what was queued before the start is not delivered");
    check_page(&peer, "node_load1 ");
}

/// Status line and body of a POST.
fn post(peer: &Peer, path: &str) -> String {
    let mut stream = peer.connect().unwrap();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(super) fn reload() {
    let (folders, config) = (Folders::new(), tempfile::tempdir().unwrap());
    let file = config.path().join("node_exporter.yml");
    replace(&file, "collectors:\n  vmstat: false\n");
    let peer = folders.start(&[format!("--config.file={}", file.display()), "--web.enable-lifecycle".to_owned()]);
    assert!(!page(&peer).contains("\nnode_vmstat_"));
    replace(&file, "collectors:\n  vmstat: true\n");
    let answer = post(&peer, "/-/reload");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    check_page(&peer, "node_vmstat_");
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("node.prom");
    replace(&file, &format!("push:\n  targets:\n  - {{to: file, url: {}}}\n", target.display()));
    let refused = post(&peer, "/-/reload");
    assert!(refused.starts_with("HTTP/1.1 500 "), "{refused}");
    assert!(refused.contains("is outside of the active sandbox; restart the exporter"), "{refused}");
    check_page(&peer, "node_vmstat_");
}

pub(super) fn bus() {
    let (folders, systemd) = (Folders::new(), Instance::start(3));
    let flags = folders.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let peer = systemd.exporter(&Requirement::Exporter.path(), "systemd", &flags);
    for _ in 0..3 {
        check_page(&peer, "node_systemd_unit_state{name=\"run.service\",state=\"active\",type=\"simple\"} 1\n");
        check_page(&peer, "first 1\n");
    }
}
