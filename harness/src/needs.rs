//! Tests that need what not every machine has: they are shown as ignored, with what is missing, never as passed.
//!
//! A test file of this kind has `harness = false` in Cargo.toml and hands its tests to [`run`].

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use collectors::kit::failure::panic_words;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::load;

/// What a test may need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// node_exporter's test data in `../shared/conformance`, beside the checkout.
    ConformanceData,
    /// Debian's `promtool`, of the package `prometheus`.
    Promtool,
    /// Debian's `prometheus-node-exporter`.
    Peer,
    /// Prometheus itself, of Debian's package of that name.
    Prometheus,
    /// `openssl`, as Debian has it.
    Openssl,
    /// Debian's `chromium`.
    Chromium,
    /// To be asked for by `--ignored`: it takes long.
    Patience,
    /// `unshare` and `ip`, and leave to make namespaces of mounts and of the network.
    Namespaces,
    /// `strace`, as Debian has it.
    Strace,
    /// `valgrind`, as Debian has it.
    Valgrind,
}

impl Need {
    /// Where it is, if it is here.
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

    /// Whether it is here.
    pub fn is_here(self) -> bool {
        // Under Wine the disk of the machine below is in sight, but what runs there is not what is tested.
        self != Self::Patience
            && cfg!(target_os = "linux")
            && load::exists(&self.path())
            && (self != Self::Namespaces || namespaces(Path::new("ip"), &["link"]).is_ok_and(|status| status.success()))
    }

    /// What is missing, and how to get it.
    pub const fn missing(self) -> &'static str {
        match self {
            Self::ConformanceData => "../shared/conformance is missing",
            Self::Promtool => "promtool is missing: apt-get install prometheus",
            Self::Peer => "the peer is missing: apt-get install prometheus-node-exporter",
            Self::Prometheus => "Prometheus is missing: apt-get install prometheus",
            Self::Openssl => "openssl is missing: apt-get install openssl",
            Self::Chromium => "chromium is missing: apt-get install chromium",
            Self::Patience => "it takes long: name it with --ignored",
            Self::Namespaces => "no namespaces can be made: be root, and apt-get install iproute2 util-linux",
            Self::Strace => "strace is missing: apt-get install strace",
            Self::Valgrind => "valgrind is missing: apt-get install valgrind",
        }
    }
}

/// Runs a program in namespaces of mounts and of the network that are its own.
pub fn namespaces(program: &Path, arguments: &[&str]) -> io::Result<ExitStatus> {
    let mut command = Command::new(Need::Namespaces.path());
    command.args(["--net", "--mount", "--"]).arg(program).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).status()
}

/// One test: its name, what it needs, and what it does.
pub type Test = (&'static str, &'static [Need], fn());

/// Runs the tests as the standard test runner would, with its arguments and its output.
pub fn run(tests: &[Test]) -> ExitCode {
    run_with(&Arguments::from_args(), tests)
}

/// The same, one test after the other: for tests that count what the whole process does.
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

/// A test that says at its failure how to run it again, it alone.
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

/// What Cargo calls the tests that run: their program's name without the hash that it puts at the end.
fn binary() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    name.rsplit_once('-').map_or(name.clone(), |(name, _)| name.to_owned())
}
