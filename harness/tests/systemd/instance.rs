//! A systemd that is started for a test, and ended after it.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::load;
use harness::peer::Peer;

/// Maximum time until the bus answers, for a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// systemd in namespaces.
pub(super) struct Instance {
    process: Child,
    /// Its directory of control groups.
    name: String,
    run: tempfile::TempDir,
}

impl Instance {
    /// Starts it with so many services more.
    pub(super) fn start(services: u32) -> Self {
        let run = tempfile::tempdir().expect("a directory");
        let name = format!("nodelab-{}-{services}", std::process::id());
        let script = load::workspace().join("harness/tests/systemd/start.sh");
        let mut command = Command::new("/bin/bash");
        command.arg(script).args([&name, &*run.path().to_string_lossy(), &services.to_string()]);
        let log = if load::variable("NODELAB_VERBOSE").is_some() { Stdio::inherit() } else { Stdio::null() };
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("bash runs");
        let instance = Self { process, name, run };
        instance.wait();
        instance
    }

    /// Waits until systemd is on its bus and has done what was to be done.
    fn wait(&self) {
        let is_ready = || {
            let mut command = Command::new("/usr/bin/env");
            command.args([self.variable().as_str(), "busctl", "--system", "get-property"]);
            command.args(["org.freedesktop.systemd1", "/org/freedesktop/systemd1"]);
            let output = command.args(["org.freedesktop.systemd1.Manager", "SystemState"]).output().expect("busctl");
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("degraded")
        };
        let mut attempts = START_TIMEOUT.as_millis() / PAUSE.as_millis();
        while !is_ready() {
            attempts = attempts.checked_sub(1).expect("systemd starts; NODELAB_VERBOSE=1 shows what it says");
            std::thread::sleep(PAUSE);
        }
    }

    /// The variable that leads to its bus.
    fn variable(&self) -> String {
        format!("DBUS_SYSTEM_BUS_ADDRESS=unix:path={}", self.run.path().join("dbus/system_bus_socket").display())
    }

    /// Connects to its socket unit `accepts.socket`.
    pub(super) fn connect(&self) -> UnixStream {
        UnixStream::connect(self.run.path().join("accepts.sock")).expect("a socket of systemd")
    }

    /// The number of the process of `run.service`, in systemd's namespace.
    pub(super) fn process_of_a_service(&self) -> String {
        let mut command = Command::new("/usr/bin/env");
        command.args([self.variable().as_str(), "busctl", "--system", "get-property", "org.freedesktop.systemd1"]);
        command.args(["/org/freedesktop/systemd1/unit/run_2eservice", "org.freedesktop.systemd1.Service", "MainPID"]);
        let output = command.output().expect("busctl");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().strip_prefix("u ").expect("a number").to_owned()
    }

    /// Calls a method of the login manager, with a signature and arguments as `busctl` takes them.
    pub(super) fn call_login_manager(&self, method: &str, arguments: &[&str]) {
        let mut command = Command::new("/usr/bin/env");
        command.args([self.variable().as_str(), "busctl", "--system", "call", "org.freedesktop.login1"]);
        command.args(["/org/freedesktop/login1", "org.freedesktop.login1.Manager", method]).args(arguments);
        let output = command.output().expect("busctl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts an exporter of one collector that finds the bus.
    pub(super) fn exporter(&self, program: &Path, collector: &str, flags: &[&str]) -> Peer {
        let mut arguments = vec![self.variable(), program.display().to_string()];
        arguments.extend(["--collector.disable-defaults".to_owned(), format!("--collector.{collector}")]);
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        Peer::start(Path::new("/usr/bin/env"), &arguments).expect("an exporter")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // `unshare` takes its child along, and the child everything in its namespace.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let remove = "for directory in /sys/fs/cgroup/\"$1\" /sys/fs/cgroup/*/\"$1\"; do \
            for attempt in 1 2 3 4 5 6 7 8 9; do \
            find \"$directory\" -depth -type d -exec rmdir {} + && break; sleep 0.1; done; done";
        let mut command = Command::new("/bin/sh");
        let _ = command.args(["-c", remove, "sh", &self.name]).stderr(Stdio::null()).status();
    }
}
