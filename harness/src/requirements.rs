//! Tests with requirements, such as an installed program. Without them a test is ignored with the reason, never passed.
//!
//! In CI (`CI=true`) a missing requirement fails the test, unless `NODELAB_ALLOW_SKIP` names it, as in
//! `NODELAB_ALLOW_SKIP=chromium,strace`: a job that lost a tool must not pass with fewer tests.
//!
//! Such a test file has `harness = false` in Cargo.toml and passes its tests to [`run`].

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use collectors::kit::failure::panic_words;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::load;

/// A requirement of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requirement {
    /// node_exporter's test data in `../shared/conformance`, beside the checkout.
    ConformanceData,
    /// `promtool` from Debian's package `prometheus`.
    Promtool,
    /// Debian's `prometheus-node-exporter`.
    Peer,
    /// Prometheus from Debian.
    Prometheus,
    /// `openssl` from Debian.
    Openssl,
    /// `chromium` from Debian.
    Chromium,
    /// A long-running test, which needs `--ignored`.
    LongRunning,
    /// `unshare`, `ip`, and permission to create mount and network namespaces.
    Namespaces,
    /// A kernel that restricts access to files by landlock.
    Landlock,
    /// `strace` from Debian.
    Strace,
    /// systemd as a program; `dbus-daemon` and `busctl` come with it.
    Systemd,
    /// Permission to count events of the whole machine by `perf_event_open`.
    PerfEvents,
    /// CPUs whose hardware events can be counted; most virtual machines have none.
    HardwareEvents,
    /// `valgrind` from Debian.
    Valgrind,
    /// The program `node_exporter` that `cargo test --workspace` builds, or the one that the environment variable
    /// `NODELAB_EXPORTER` names.
    Exporter,
    /// `bash`.
    Bash,
    /// `zsh` from Debian.
    Zsh,
    /// `fish` from Debian.
    Fish,
    /// `mandoc` from Debian.
    Mandoc,
    /// `man` from Debian.
    Man,
    /// `chronyd` from Debian.
    Chrony,
}

impl Requirement {
    /// Every requirement.
    pub const ALL: [Self; 21] = [
        Self::ConformanceData,
        Self::Promtool,
        Self::Peer,
        Self::Prometheus,
        Self::Openssl,
        Self::Chromium,
        Self::LongRunning,
        Self::Namespaces,
        Self::Landlock,
        Self::Strace,
        Self::Systemd,
        Self::PerfEvents,
        Self::HardwareEvents,
        Self::Valgrind,
        Self::Exporter,
        Self::Bash,
        Self::Zsh,
        Self::Fish,
        Self::Mandoc,
        Self::Man,
        Self::Chrony,
    ];

    /// The name in `NODELAB_ALLOW_SKIP`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConformanceData => "conformance-data",
            Self::Promtool => "promtool",
            Self::Peer => "node_exporter",
            Self::Prometheus => "prometheus",
            Self::Openssl => "openssl",
            Self::Chromium => "chromium",
            Self::LongRunning => "long-running",
            Self::Namespaces => "namespaces",
            Self::Landlock => "landlock",
            Self::Strace => "strace",
            Self::Systemd => "systemd",
            Self::PerfEvents => "perf-events",
            Self::HardwareEvents => "hardware-events",
            Self::Valgrind => "valgrind",
            Self::Exporter => "exporter",
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Mandoc => "mandoc",
            Self::Man => "man",
            Self::Chrony => "chrony",
        }
    }

    /// Its path, if it is available.
    pub fn path(self) -> PathBuf {
        match self {
            Self::ConformanceData => load::workspace().join("../shared/conformance/node_exporter-1.12.1"),
            Self::Promtool => Path::new("/usr/bin/promtool").to_owned(),
            Self::Peer => Path::new("/usr/bin/prometheus-node-exporter").to_owned(),
            Self::Prometheus => Path::new("/usr/bin/prometheus").to_owned(),
            Self::Openssl => Path::new("/usr/bin/openssl").to_owned(),
            Self::Chromium => Path::new("/usr/bin/chromium").to_owned(),
            Self::LongRunning => PathBuf::new(),
            Self::Namespaces => Path::new("/usr/bin/unshare").to_owned(),
            Self::Landlock => Path::new("/proc/self/status").to_owned(),
            Self::Strace => Path::new("/usr/bin/strace").to_owned(),
            Self::Systemd => Path::new("/lib/systemd/systemd").to_owned(),
            Self::PerfEvents | Self::HardwareEvents => Path::new("/proc/sys/kernel/perf_event_paranoid").to_owned(),
            Self::Valgrind => Path::new("/usr/bin/valgrind").to_owned(),
            Self::Exporter => exporter(),
            Self::Bash => Path::new("/bin/bash").to_owned(),
            Self::Zsh => Path::new("/usr/bin/zsh").to_owned(),
            Self::Fish => Path::new("/usr/bin/fish").to_owned(),
            Self::Mandoc => Path::new("/usr/bin/mandoc").to_owned(),
            Self::Man => Path::new("/usr/bin/man").to_owned(),
            Self::Chrony => Path::new("/usr/sbin/chronyd").to_owned(),
        }
    }

    /// Whether it is available.
    pub fn is_available(self) -> bool {
        // Under Wine the host's programs are visible but must not be tested.
        self != Self::LongRunning
            && cfg!(target_os = "linux")
            && load::exists(&self.path())
            && (self != Self::Landlock || has_landlock())
            && (self != Self::PerfEvents || counts(b"context-switches"))
            && (self != Self::HardwareEvents || counts(b"cpu-cycles"))
            && (self != Self::Namespaces || namespaces(Path::new("ip"), &["link"]).is_ok_and(|status| status.success()))
    }

    /// Message about the missing tool and its installation.
    pub const fn missing(self) -> &'static str {
        match self {
            Self::ConformanceData => "../shared/conformance is missing",
            Self::Promtool => "promtool is missing: apt-get install prometheus",
            Self::Peer => "node_exporter is missing: apt-get install prometheus-node-exporter",
            Self::Prometheus => "Prometheus is missing: apt-get install prometheus",
            Self::Openssl => "openssl is missing: apt-get install openssl",
            Self::Chromium => "chromium is missing: apt-get install chromium",
            Self::LongRunning => "long-running: run it with --ignored",
            Self::Namespaces => "namespaces cannot be created: run as root, and apt-get install iproute2 util-linux",
            Self::Landlock => "this kernel has no landlock, or it is not among the security modules of its start",
            Self::Strace => "strace is missing: apt-get install strace",
            Self::Systemd => "systemd is missing: apt-get install dbus systemd",
            Self::PerfEvents => {
                "events of this machine cannot be counted: run as root, or lower kernel.perf_event_paranoid"
            }
            Self::HardwareEvents => {
                "this machine cannot count hardware events, and node_exporter 1.5.0 counts all or none"
            }
            Self::Valgrind => "valgrind is missing: apt-get install valgrind",
            Self::Exporter => "the exporter is not built: cargo build, or set NODELAB_EXPORTER",
            Self::Bash => "bash is missing: apt-get install bash",
            Self::Zsh => "zsh is missing: apt-get install zsh",
            Self::Fish => "fish is missing: apt-get install fish",
            Self::Mandoc => "mandoc is missing: apt-get install mandoc",
            Self::Man => "man is missing: apt-get install man-db",
            Self::Chrony => "chronyd is missing: apt-get install chrony",
        }
    }
}

/// Whether the kernel enforces the restrictions of landlock, tried in a thread of its own.
fn has_landlock() -> bool {
    #[cfg(target_os = "linux")]
    {
        use node_exporter::sandbox::{Needs, Strength, enter};

        let tried = std::thread::spawn(|| enter(&Needs::default()));
        tried.join().is_ok_and(|strength| strength.is_ok_and(|strength| strength != Strength::None))
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Whether this process can count an event of CPU 0.
fn counts(event: &[u8]) -> bool {
    #[cfg(target_os = "linux")]
    {
        use collectors::host::kernel::linux::Linux;
        use collectors::host::kernel::{Kernel, PerfQuery};

        let kernel = Linux::new(Path::new("/"));
        let kernel: &dyn Kernel = &kernel;
        let event = collectors::perf::events().find(|known| known.name == event);
        event.is_some_and(|event| kernel.perf(&PerfQuery { event, cpus: &[0] }, &mut |_| ()).is_ok())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = event;
        false
    }
}

/// Our exporter: the given one, or the one beside the directory of this test program.
fn exporter() -> PathBuf {
    if let Some(given) = load::variable("NODELAB_EXPORTER") {
        return PathBuf::from(given);
    }
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(2).map(|folder| folder.join("node_exporter")).unwrap_or_default()
}

/// Runs a program in mount and network namespaces of its own.
pub fn namespaces(program: &Path, arguments: &[&str]) -> io::Result<ExitStatus> {
    let mut command = Command::new(Requirement::Namespaces.path());
    command.args(["--net", "--mount", "--"]).arg(program).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).status()
}

/// A test: name, requirements, function.
pub type Test = (&'static str, &'static [Requirement], fn());

/// Runs tests with the arguments and output of the standard test runner.
pub fn run(tests: &[Test]) -> ExitCode {
    run_with(&Arguments::from_args(), tests)
}

/// Runs tests one after another, for tests that measure the whole process.
pub fn run_in_turn(tests: &[Test]) -> ExitCode {
    run_with(&Arguments { test_threads: Some(1), ..Arguments::from_args() }, tests)
}

fn run_with(arguments: &Arguments, tests: &[Test]) -> ExitCode {
    let policy = SkipPolicy::of(load::variable("CI").as_deref(), load::variable(ALLOW_SKIP).as_deref());
    let trials = tests.iter().map(|&(name, needs, test)| {
        let missing: Vec<Requirement> = needs.iter().copied().filter(|need| !need.is_available()).collect();
        let reason = missing.iter().map(|need| need.missing()).collect::<Vec<_>>().join("; ");
        match policy.as_ref().map(|policy| policy.refused(&missing)) {
            Err(problem) => failing(name, problem.clone()),
            Ok(refused) if !refused.is_empty() => failing(name, refusal(&reason, &refused)),
            Ok(_) if missing.is_empty() => trial(name, move || {
                test();
                Ok(())
            }),
            // On request only a long-running test is able to run.
            Ok(_) => {
                let is_able = missing == [Requirement::LongRunning];
                let words = reason.clone();
                let requested = move || {
                    if !is_able {
                        return Err(Failed::from(words));
                    }
                    test();
                    Ok(())
                };
                trial(name, requested).with_kind(reason).with_ignored_flag(true)
            }
        }
    });
    libtest_mimic::run(arguments, trials.collect()).exit_code()
}

fn failing(name: &str, problem: String) -> Trial {
    Trial::test(name, move || Err(Failed::from(problem)))
}

fn refusal(reason: &str, refused: &[Requirement]) -> String {
    let names: Vec<&str> = refused.iter().map(|need| need.name()).collect();
    format!("{reason}\nin CI this fails the test; install what is missing, or set {ALLOW_SKIP}={}", names.join(","))
}

/// Names the requirements that may be missing in CI, separated by commas.
const ALLOW_SKIP: &str = "NODELAB_ALLOW_SKIP";

/// Which tests may be ignored.
#[derive(Clone, PartialEq, Eq, Debug)]
struct SkipPolicy {
    is_ci: bool,
    allowed: Vec<Requirement>,
}

impl SkipPolicy {
    /// The policy of these values of `CI` and `NODELAB_ALLOW_SKIP`. The error names an unknown requirement.
    fn of(ci: Option<&str>, allow_skip: Option<&str>) -> Result<Self, String> {
        let names = allow_skip.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        let allowed = names.map(|name| {
            let found = Requirement::ALL.into_iter().find(|need| need.name() == name);
            found.ok_or_else(|| {
                let known: Vec<&str> = Requirement::ALL.iter().map(|need| need.name()).collect();
                format!("{ALLOW_SKIP}: unknown requirement `{name}`; known are {}", known.join(", "))
            })
        });
        let allowed = allowed.collect::<Result<_, _>>()?;
        Ok(Self { is_ci: ci.is_some_and(|value| !matches!(value, "" | "0" | "false")), allowed })
    }

    /// The missing requirements that fail a test. Other systems than Linux lack all of them, and long-running tests run
    /// on request only.
    fn refused(&self, missing: &[Requirement]) -> Vec<Requirement> {
        let is_refused = |need: &Requirement| *need != Requirement::LongRunning && !self.allowed.contains(need);
        if self.is_ci && cfg!(target_os = "linux") {
            missing.iter().copied().filter(is_refused).collect()
        } else {
            Vec::new()
        }
    }
}

/// A test that prints at failure how to run it again.
pub fn trial(name: &str, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    let again =
        format!("to run it again: cargo test -p harness --test {} -- --include-ignored --exact {name}", binary());
    Trial::test(name, move || {
        let result = catch_unwind(AssertUnwindSafe(test));
        let words = match result {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failed)) => failed.message().unwrap_or_default().to_owned(),
            Err(panic) => panic_words(&*panic).to_owned(),
        };
        Err(Failed::from(format!("{}\n{again}", words.trim_end())))
    })
}

/// The name of the test binary: the file name without Cargo's hash.
fn binary() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    name.rsplit_once('-').map_or(name.clone(), |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ci: Option<&str>, allow_skip: Option<&str>, refused: &[Requirement]) {
        let policy = SkipPolicy::of(ci, allow_skip).expect("known names");
        let refused = if cfg!(target_os = "linux") { refused } else { &[] };
        assert_eq!(
            policy.refused(&[Requirement::Strace, Requirement::Chromium, Requirement::LongRunning]),
            refused,
            "{ci:?} {allow_skip:?}"
        );
    }

    #[test]
    fn a_missing_tool_fails_in_ci_unless_it_is_named() {
        check(None, None, &[]);
        check(Some("false"), None, &[]);
        check(Some(""), None, &[]);
        check(Some("true"), None, &[Requirement::Strace, Requirement::Chromium]);
        check(Some("1"), Some("chromium"), &[Requirement::Strace]);
        check(Some("true"), Some(" strace , chromium,"), &[]);
    }

    #[test]
    fn an_unknown_requirement_is_refused() {
        let error = SkipPolicy::of(Some("true"), Some("strace,crome")).expect_err("no such requirement");
        assert!(
            error.starts_with("NODELAB_ALLOW_SKIP: unknown requirement `crome`; known are conformance-data, "),
            "{error}"
        );
    }

    #[test]
    fn every_requirement_has_a_name_of_its_own() {
        for (index, need) in Requirement::ALL.iter().enumerate() {
            assert!(Requirement::ALL[..index].iter().all(|other| other.name() != need.name()), "{need:?}");
        }
    }
}
