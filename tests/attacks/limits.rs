//! Limits of the process: below a minimum it refuses to start and names the limit, at the minimum it serves.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::alone;
use crate::exporter::Exporter;

/// The documented minimums.
const DESCRIPTORS: u64 = 40;
const ADDRESS_SPACE_KIB: u64 = 64 << 10;
const THREADS: u64 = 4;

/// A user without processes, so that the limit of its threads counts those of the exporter alone. Another run of these
/// tests on the same machine has another one.
fn user() -> u32 {
    50_000 + std::process::id() % 10_000
}

/// Maximum time between SIGTERM and the end.
const END_MAX: Duration = Duration::from_secs(10);

/// The exporter with a limit set by `ulimit`.
fn limited(limit: &str, value: u64) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("ulimit {limit} {value}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_node_exporter")]);
    command
}

#[track_caller]
fn refuses(command: &mut Command, expected: &str) {
    let output = command.arg("--web.listen-address=127.0.0.1:0").stdout(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains(expected), "{expected}\nis not in\n{errors}");
    assert_eq!(output.status.code(), Some(1), "{errors}");
}

#[track_caller]
fn serves(command: &mut Command) {
    let exporter = Exporter::launch(command, &[]);
    for _ in 0..20 {
        exporter.check("/metrics", 200, "\nnode_load1 ");
    }
    exporter.check("/-/ready", 200, "ready");
}

#[test]
fn too_few_descriptors_are_refused() {
    let _alone = alone();
    refuses(&mut limited("-n", DESCRIPTORS - 1), "open files: the limit is 39, the exporter needs 40");
    refuses(&mut limited("-n", 16), "ulimit -n");
    serves(&mut limited("-n", DESCRIPTORS));
}

#[test]
fn too_small_an_address_space_is_refused() {
    let _alone = alone();
    refuses(&mut limited("-v", ADDRESS_SPACE_KIB - 1), "address space: the limit is 63 MiB, the exporter needs 64 MiB");
    serves(&mut limited("-v", ADDRESS_SPACE_KIB));
}

/// The exporter as a user with this limit of threads; `None` without the permission to switch users.
fn threads(value: u64) -> Option<Command> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become a user without other threads");
        return None;
    }
    let mut command = limited("-u", value);
    command.uid(user()).gid(user());
    Some(command)
}

#[test]
fn too_few_threads_are_refused() {
    let _alone = alone();
    for value in 1..THREADS {
        let Some(mut command) = threads(value) else { return };
        refuses(&mut command, "ulimit -u");
    }
    let Some(mut command) = threads(THREADS) else { return };
    serves(&mut command);
}

/// Ends the exporter by one SIGTERM.
#[track_caller]
fn ends(mut exporter: Exporter) {
    let begin = Instant::now();
    kill_process(Pid::from_child(&exporter.child), Signal::TERM).unwrap();
    let status = exporter.child.wait().unwrap();
    println!("ended after {:?}: {status}", begin.elapsed());
    assert!(begin.elapsed() < END_MAX, "{:?}", begin.elapsed());
    assert!(status.code().is_some(), "{status}");
}

#[test]
#[cfg(feature = "simulator")]
fn one_signal_ends_it_despite_a_blocked_file_a_thread_limit_and_a_full_log() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hang.toml");
    std::fs::write(&file, "profile = 'vm'\nfaults = '''\nproc/* hanging\n'''\n").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = threads(THREADS).unwrap_or_else(|| limited("-n", 1024));
    let exporter =
        Exporter::launch(&mut command, &[&format!("--simulate.scenario={}", file.display()), "--log.level=debug"]);
    let mut clients: Vec<_> = (0..8).map(|_| exporter.connect()).collect();
    for client in &mut clients {
        client.send_with("GET", "/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 60\r\n");
    }
    // A later scrape, while the first one blocks.
    std::thread::sleep(Duration::from_millis(300));
    let mut other = exporter.connect();
    other.send_with("GET", "/metrics?collect[]=time", "X-Prometheus-Scrape-Timeout-Seconds: 60\r\n");
    // It waits for a thread, which cannot be created.
    let deadline = Instant::now() + Duration::from_secs(20);
    while rustix::process::geteuid().is_root() && exporter.get("/-/ready").status != 503 {
        assert!(Instant::now() < deadline, "it counts as ready while no scrape can run");
    }
    for _ in 0..200 {
        exporter.check("/-/healthy", 200, "healthy");
    }
    ends(exporter);
}

#[test]
#[cfg(feature = "tls")]
fn one_signal_ends_it_during_a_bcrypt_comparison_of_cost_31() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yml");
    let hash = format!("$2y$31${}", ".".repeat(53));
    std::fs::write(&file, format!("basic_auth_users:\n  alice: {hash}\n")).unwrap();
    let exporter = Exporter::start(&[&format!("--web.config.file={}", file.display())]);
    let mut client = exporter.connect();
    client.send_with("GET", "/metrics", "Authorization: Basic YWxpY2U6eA==\r\n");
    std::thread::sleep(Duration::from_millis(300));
    ends(exporter);
}
