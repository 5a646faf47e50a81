//! Tests with requirements, such as an installed program. Without them a test is ignored with the reason, never passed.
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
pub enum Need {
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
    Patience,
    /// `unshare`, `ip`, and permission to create mount and network namespaces.
    Namespaces,
    /// `strace` from Debian.
    Strace,
    /// `valgrind` from Debian.
    Valgrind,
}

impl Need {
    /// Its path, if it is available.
    pub fn path(self) -> PathBuf {
        match self {
            Self::ConformanceData => load::workspace().join("../shared/conformance/node_exporter-1.12.1"),
            Self::Promtool => Path::new("/usr/bin/promtool").to_owned(),
            Self::Peer => Path::new("/usr/bin/prometheus-node-exporter").to_owned(),
            Self::Prometheus => Path::new("/usr/bin/prometheus").to_owned(),
            Self::Openssl => Path::new("/usr/bin/openssl").to_owned(),
            Self::Chromium => Path::new("/usr/bin/chromium").to_owned(),
            Self::Patience => PathBuf::new(),
            Self::Namespaces => Path::new("/usr/bin/unshare").to_owned(),
            Self::Strace => Path::new("/usr/bin/strace").to_owned(),
            Self::Valgrind => Path::new("/usr/bin/valgrind").to_owned(),
        }
    }

    /// Whether it is available.
    pub fn is_here(self) -> bool {
        // Under Wine the host's programs are visible but must not be tested.
        self != Self::Patience
            && cfg!(target_os = "linux")
            && load::exists(&self.path())
            && (self != Self::Namespaces || namespaces(Path::new("ip"), &["link"]).is_ok_and(|status| status.success()))
    }

    /// What is missing and how to install it.
    pub const fn missing(self) -> &'static str {
        match self {
            Self::ConformanceData => "../shared/conformance is missing",
            Self::Promtool => "promtool is missing: apt-get install prometheus",
            Self::Peer => "node_exporter is missing: apt-get install prometheus-node-exporter",
            Self::Prometheus => "Prometheus is missing: apt-get install prometheus",
            Self::Openssl => "openssl is missing: apt-get install openssl",
            Self::Chromium => "chromium is missing: apt-get install chromium",
            Self::Patience => "long-running: run it with --ignored",
            Self::Namespaces => "namespaces cannot be created: run as root, and apt-get install iproute2 util-linux",
            Self::Strace => "strace is missing: apt-get install strace",
            Self::Valgrind => "valgrind is missing: apt-get install valgrind",
        }
    }
}

/// Runs a program in mount and network namespaces of its own.
pub fn namespaces(program: &Path, arguments: &[&str]) -> io::Result<ExitStatus> {
    let mut command = Command::new(Need::Namespaces.path());
    command.args(["--net", "--mount", "--"]).arg(program).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).status()
}

/// A test: name, requirements, function.
pub type Test = (&'static str, &'static [Need], fn());

/// Runs tests with the arguments and output of the standard test runner.
pub fn run(tests: &[Test]) -> ExitCode {
    run_with(&Arguments::from_args(), tests)
}

/// Runs tests one after another, for tests that measure the whole process.
pub fn run_in_turn(tests: &[Test]) -> ExitCode {
    run_with(&Arguments { test_threads: Some(1), ..Arguments::from_args() }, tests)
}

fn run_with(arguments: &Arguments, tests: &[Test]) -> ExitCode {
    let trials = tests.iter().map(|&(name, needs, test)| {
        let missing: Vec<&str> = needs.iter().filter(|need| !need.is_here()).map(|need| need.missing()).collect();
        let trial = trial(name, move || {
            test();
            Ok(())
        });
        if missing.is_empty() { trial } else { trial.with_kind(missing.join("; ")).with_ignored_flag(true) }
    });
    libtest_mimic::run(arguments, trials.collect()).exit_code()
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
