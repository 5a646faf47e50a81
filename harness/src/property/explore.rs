//! Runs of many cases, those first that were once found, and what is kept of one that is found.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::Tree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use simulator::fault::{Injection, Plan};

use super::kept::{first_line, named};
use super::laws::{check, check_on, still, survives};
use super::minimal::{Minimal, minimal};
use super::{Case, Exporter, Kept, Ours, Violation, cases};
use crate::fuzz::drive::hash;
use crate::load;

/// Where cases are kept that once broke a law of ours, from the workspace's folder on.
const FOLDER: &str = "harness/regressions";
/// The files of one: all of the case, and the least of its host that shows it, with what breaks of it.
const CASE: &str = "case.toml";
const HOST: &str = "host.tree";
const FAULTS: &str = "host.faults";

/// Exporters that the laws are put to, and the folder of the cases that once broke one.
pub struct Laws {
    exporters: Vec<Box<dyn Exporter>>,
    folder: PathBuf,
}

impl fmt::Debug for Laws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Laws({} exporters, {})", self.exporters.len(), self.folder.display())
    }
}

/// A case that breaks a law, made small, with all that is needed to see it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// What is broken.
    pub violation: Violation,
    /// The case, as a file.
    pub case: String,
    /// The least of its host that shows it, where it takes no host that moves.
    pub minimal: Option<Minimal>,
}

impl Laws {
    /// Our collectors.
    pub fn ours() -> Self {
        let exporters = Ours::all().map(|ours| -> Box<dyn Exporter> { Box::new(ours) });
        Self::new(exporters.collect(), load::workspace().join(FOLDER))
    }

    /// Anybody's exporters, at least one. The folder may not be there yet.
    pub fn new(exporters: Vec<Box<dyn Exporter>>, folder: PathBuf) -> Self {
        assert!(!exporters.is_empty(), "there is an exporter to put the laws to");
        Self { exporters, folder }
    }

    /// Who the laws are put to.
    pub fn exporters(&self) -> &[Box<dyn Exporter>] {
        &self.exporters
    }

    /// The one of a name; the error names the nearest.
    pub fn named(&self, name: &str) -> Result<&dyn Exporter, String> {
        named(&self.exporters, name)
    }

    /// Tries every case that is kept: those that still break a law, by their names.
    pub fn recall(&self) -> io::Result<Vec<(String, Violation)>> {
        let mut broken = Vec::new();
        for name in load::names_if_any(&self.folder)? {
            let result = self.recall_one(&self.folder.join(&name))?;
            broken.extend(result.err().map(|violation| (name, violation)));
        }
        Ok(broken)
    }

    /// The case, and its host as it was written down, which stays the same when the simulator makes another one.
    fn recall_one(&self, folder: &Path) -> io::Result<Result<(), Violation>> {
        let path = folder.join(CASE);
        let fail = |error: String| io::Error::other(format!("{}: {error}", path.display()));
        let kept = Kept::parse(&load::text(&path)?, None).map_err(fail)?;
        let result = kept.check(&self.exporters).map_err(fail)?;
        let host = folder.join(HOST);
        if result.is_err() || !load::exists(&host) {
            return Ok(result);
        }
        let exporter = self.named(&kept.reader).map_err(fail)?;
        check_frozen(exporter, &load::tree(&host)?, &load::text(&folder.join(FAULTS))?).map_err(fail)
    }

    /// Tries so many random cases of a seed; the first that breaks a law is shrunk.
    pub fn explore(&self, cases_count: u32, seed: u64) -> Result<(), Box<Broken>> {
        let config =
            Config { cases: cases_count, failure_persistence: None, max_shrink_iters: 1_000, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let result = runner.run(&cases(), |case| {
            self.check(&case).map_err(|(violation, _)| TestCaseError::fail(violation.to_string()))
        });
        match result {
            Ok(()) => Ok(()),
            Err(TestError::Fail(reason, case)) => {
                let broken = self.broken(&case);
                Err(Box::new(broken.unwrap_or_else(|| panic!("{case}: not broken a second time: {reason}"))))
            }
            Err(TestError::Abort(reason)) => panic!("no cases are to be had: {reason}"),
        }
    }

    fn check(&self, case: &Case) -> Result<(), (Violation, Plan)> {
        check(self.reader(case), self.other(case), &case.trial(), |asked| case.plan(asked))
    }

    fn reader(&self, case: &Case) -> &dyn Exporter {
        &**case.reader.get(&self.exporters)
    }

    fn other(&self, case: &Case) -> &dyn Exporter {
        &**case.other.get(&self.exporters)
    }

    fn broken(&self, case: &Case) -> Option<Broken> {
        let (violation, plan) = self.check(case).err()?;
        let (reader, other) = (self.reader(case), self.other(case));
        let what = violation.problem.lines().next().unwrap_or_default();
        let file = format!(
            "{}# Not {}: {what}\n{}",
            first_line(reader.name(), other.name(), case.later_seconds),
            violation.law,
            case.scenario(&plan)
        );
        let minimal = minimal(reader, &case.trial(), plan);
        Some(Broken { violation, case: file, minimal })
    }

    /// Keeps what was found where it is tried again, and says how to look at it.
    pub fn keep(&self, broken: &Broken) -> io::Result<String> {
        let Broken { violation, case, minimal } = broken;
        let name = format!("{}-not-{}", violation.exporter, violation.law.replace(' ', "-"));
        let name = format!("{name}-{:016x}", hash(case.as_bytes()));
        let folder = self.folder.join(&name);
        load::create_folder(&folder)?;
        load::write(&folder.join(CASE), case.as_bytes())?;
        if let Some(Minimal { tree, faults, .. }) = minimal {
            load::write(&folder.join(HOST), tree)?;
            load::write(&folder.join(FAULTS), faults.as_bytes())?;
        }
        let shown = folder.strip_prefix(load::workspace()).unwrap_or(&folder).display().to_string();
        let again = "cargo run -p harness -- laws";
        let mut text = format!(
            "{violation}\n  kept as {shown}: mend what is wrong, then name the folder by what it is\n  \
             to replay it: {again} --scenario {shown}/{CASE}\n"
        );
        if let Some(minimal) = minimal {
            let reader = &minimal.violation.exporter;
            let host = format!("{reader} --host {shown}/{HOST} --faults {shown}/{FAULTS}");
            let _ = write!(text, "  or its smallest host: {again} {host}\n\n{minimal}");
        }
        Ok(text)
    }
}

/// Puts the laws to an exporter on a frozen host of which something breaks. The error says what is wrong with the host
/// or the faults.
pub fn check_frozen(exporter: &dyn Exporter, tree: &Tree, faults: &str) -> Result<Result<(), Violation>, String> {
    let plan = Plan::parse(faults).map_err(|error| error.to_string())?;
    let kernel = Canned::parse(|path| tree.content(path)).map_err(|error| error.to_string())?;
    let (tree, kernel): (_, Arc<dyn Kernel>) = (Arc::new(tree.clone()), Arc::new(kernel));
    let roots = Injection::new(plan, 0, still()).over(&tree.roots());
    Ok(check_on(exporter, &tree.roots(), &kernel).and_then(|()| survives(exporter, &roots, &kernel)))
}
