//! Listeners and sandboxing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::exporter::{Connection, Exporter};

/// An exporter with other listeners than [`Exporter`].
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    start: String,
}

impl Running {
    /// Starts it and waits for this line in its log.
    fn start(command: &mut Command, until: &str) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut running = Self { child, log, start: String::new() };
        while !running.start.contains(until) {
            let length = running.log.read_line(&mut running.start).unwrap();
            assert_ne!(length, 0, "it ended after {}", running.start);
        }
        running
    }

    fn end(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page that this socket serves.
fn page(stream: impl Read + Write) -> String {
    Connection::over(stream).ask("GET", "/metrics?collect[]=loadavg").body
}

const EXPORTER: &str = env!("CARGO_BIN_EXE_node_exporter");

fn unix(path: &Path) -> Running {
    let address = format!("--web.listen-address=unix:{}", path.display());
    Running::start(Command::new(EXPORTER).args([address.as_str(), "--sandbox"]), "msg=\"Listening on\"")
}

#[test]
fn a_unix_socket_is_created_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exporter.sock");
    // A stale socket of a crashed process.
    drop(UnixListener::bind(&path).unwrap());
    let running = unix(&path);
    assert!(page(UnixStream::connect(&path).unwrap()).contains("\nnode_load1 "));
    assert_eq!(running.end(), Some(0));
    assert!(!path.exists());
}

#[test]
fn all_addresses_of_both_families_can_share_a_port() {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpStream};

    let Ok(free) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut command = Command::new(EXPORTER);
    for host in ["[::]", "0.0.0.0"] {
        command.arg(format!("--web.listen-address={host}:{port}"));
    }
    let running = Running::start(&mut command, &format!("address=0.0.0.0:{port}\n"));
    assert!(running.start.contains(&format!("address=[::]:{port}\n")), "{}", running.start);
    assert!(page(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()).contains("\nnode_load1 "));
    assert!(page(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap()).contains("\nnode_load1 "));
    // Each socket takes one family: a table of sockets lists the port once in each.
    for (table, expected) in [("tcp", 1), ("tcp6", 1)] {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap();
        let listening = text.lines().filter(|line| line.contains(&format!(":{port:04X} ")) && line.contains(" 0A "));
        assert_eq!(listening.count(), expected, "{table}");
    }
    assert_eq!(running.end(), Some(0));
}

/// Starts the exporter like systemd: with this socket as descriptor 3.
fn passed(socket: impl Into<std::os::fd::OwnedFd>, until: &str) -> Running {
    let script = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=metrics exec \"$0\" --web.systemd-socket 3<&0 </dev/null";
    Running::start(Command::new("sh").args(["-c", script, EXPORTER]).stdin(Stdio::from(socket.into())), until)
}

#[test]
fn sockets_are_inherited_from_systemd() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let running = passed(listener, "name=metrics\n");
    assert!(running.start.contains(&format!("address={address} name=metrics")), "{}", running.start);
    assert!(page(std::net::TcpStream::connect(address).unwrap()).contains("\nnode_load1 "));
    assert_eq!(running.end(), Some(0));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passed.sock");
    let running = passed(UnixListener::bind(&path).unwrap(), "name=metrics\n");
    assert!(page(UnixStream::connect(&path).unwrap()).contains("\nnode_load1 "));
    assert_eq!(running.end(), Some(0));
    assert!(path.exists(), "the file is systemd's");

    let file = std::fs::File::open("/dev/null").unwrap();
    let running = passed(file, "level=ERROR");
    let expected = "--web.systemd-socket: passed socket 1 of 1, named `metrics`: ";
    assert!(running.start.contains(expected), "{}", running.start);
    crate::fails(&["--web.systemd-socket"], "--web.systemd-socket: no sockets were passed");
}

#[test]
fn a_sandbox_hides_files_that_no_collector_reads() {
    let [textfiles, secret] = [0; 2].map(|_| tempfile::tempdir().unwrap());
    std::fs::write(textfiles.path().join("a.prom"), "mine 1\n").unwrap();
    std::fs::write(secret.path().join("b.prom"), "secret 1\n").unwrap();
    std::os::unix::fs::symlink(secret.path().join("b.prom"), textfiles.path().join("b.prom")).unwrap();
    let flag = format!("--collector.textfile.directory={}", textfiles.path().display());
    let open = Exporter::start(&[&flag]).get("/metrics").body;
    assert!(open.contains("\nmine 1\n") && open.contains("\nsecret 1\n"));
    let mut exporter = Exporter::start(&[&flag, "--sandbox"]);
    let page = exporter.get("/metrics").body;
    assert!(page.contains("\nmine 1\n") && page.contains("\nnode_load1 ") && page.contains("\nprocess_open_fds "));
    let mut line = String::new();
    while !line.contains("andbox") {
        line.clear();
        assert_ne!(exporter.log.read_line(&mut line).unwrap(), 0);
    }
    let is_active = !line.contains("has no effect");
    assert_eq!(page.contains("\nsecret 1\n"), !is_active);
    let failed = |page: &str| {
        let is_failure = |line: &&str| line.starts_with("node_scrape_collector_success{") && line.ends_with(" 0");
        page.lines().filter(is_failure).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(failed(&page), failed(&open), "the sandbox makes collectors fail");
}
