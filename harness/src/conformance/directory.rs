//! The test data unpacked to a directory, which a program reads as a user would start it.
//!
//! The program runs in a network namespace of its own, whose only device is an idle `lo`, as on the machine of the
//! expected page. It listens on a Unix socket, which other namespaces reach.

#![expect(clippy::disallowed_methods, reason = "the harness starts processes and connects to them here")]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use collectors::host::root::Mount;
use collectors::host::root::tree::{Node, Tree, What};

use super::layout::Layout;
use super::{Report, arguments, judge, scraper, tree};
use crate::load;
use crate::requirements::Requirement;

/// A change of every file below /proc, /sys, the root and udev.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// No change.
    Nothing,
    /// The final newline is removed.
    WithoutFinalNewline,
    /// The second half is removed.
    Halved,
    /// All content is removed.
    Emptied,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::WithoutFinalNewline, Self::Halved, Self::Emptied];

    fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Nothing => {}
            Self::WithoutFinalNewline => {
                content.pop_if(|last| *last == b'\n');
            }
            Self::Halved => content.truncate(content.len() / 2),
            Self::Emptied => content.clear(),
        }
    }
}

/// Where the expected page had the data, from the directory that the exporter was started in.
const PLACE: &str = "collector/fixtures";
/// Maximum time until the program answers.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Unpacks the data, changes it, runs a program with the flags of the run, and compares its page.
pub fn run(program: &Path, data: &Path, change: Change) -> io::Result<Report> {
    let layout = Layout::find(data)?;
    let (flags, unknown_flags) = arguments(&layout);
    let tree = tree(&layout.folder)?;
    let enabled = scraper(&flags, tree.clone()).map_err(io::Error::other)?;
    let folder = tempfile::tempdir()?;
    unpack(tree, &folder.path().join(PLACE), change)?;
    // The flags name the textfiles as they lie in the data.
    std::os::unix::fs::symlink(format!("{PLACE}/host/textfile"), folder.path().join("textfile"))?;
    let place = |flag: &str, name: &str| format!("--path.{flag}={PLACE}/{name}");
    let recorded = ["qdisc", "wifi"].into_iter().filter(|name| load::is_folder(&layout.folder.join(name)));
    let recorded = recorded.map(|name| format!("--collector.{name}.fixtures={}", layout.folder.join(name).display()));
    let paths = [place("procfs", "proc"), place("sysfs", "sys"), place("rootfs", "rootfs"), place("udev.data", "udev")];
    let arguments: Vec<String> =
        paths.into_iter().chain(recorded).chain(flags.iter().map(|&flag| flag.to_owned())).collect();
    let page = page(program, folder.path(), &arguments)?;
    let enabled: Vec<&str> = enabled.enabled().collect();
    judge(&layout, &page, &enabled, Report { unknown_flags, ..Report::default() })
}

fn unpack(mut tree: Tree, folder: &Path, change: Change) -> io::Result<()> {
    for mount in Mount::ALL {
        // A mount without data is an empty directory.
        let _ = tree.insert(mount.name(), Node::directory());
    }
    let is_changed = |path: &[u8], node: &Node| matches!(node.what(), What::File(_)) && !path.starts_with(b"host/");
    let files = tree.iter().filter(|(path, node)| is_changed(path, node)).map(|(path, _)| path.to_vec());
    for path in files.collect::<Vec<_>>() {
        if let Some(content) = tree.content_mut(path) {
            change.apply(content);
        }
    }
    load::unpack(&tree, folder).map(drop)
}

/// A program that is killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The page of a program started in a folder.
fn page(program: &Path, folder: &Path, arguments: &[String]) -> io::Result<String> {
    let socket = folder.join("socket");
    let child = Command::new(Requirement::Namespaces.path())
        .args(["--net", "--"])
        .arg(program)
        .args(arguments)
        .arg(format!("--web.listen-address=unix:{}", socket.display()))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut running = Running(child);
    let begin = Instant::now();
    let mut stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(error) => {
                let ended = running.0.try_wait()?;
                if ended.is_some() || begin.elapsed() > START_TIMEOUT {
                    return Err(io::Error::other(format!(
                        "{}: {error}: {}",
                        program.display(),
                        last_words(&mut running)
                    )));
                }
                load::wait(Duration::from_millis(10));
            }
        }
    };
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") && !head.to_ascii_lowercase().contains("\r\ntransfer-encoding:") {
        Ok(body.to_owned())
    } else {
        Err(io::Error::other(format!("{}: expected status 200 and a whole page, found {head}", program.display())))
    }
}

/// Kills a program and returns its standard error.
fn last_words(running: &mut Running) -> String {
    let _ = running.0.kill();
    let mut words = String::new();
    if let Some(mut stderr) = running.0.stderr.take() {
        // Output that is not UTF-8 is ignored.
        let _ = stderr.read_to_string(&mut words);
    }
    words
}
