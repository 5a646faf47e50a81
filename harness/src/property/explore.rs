//! Runs of many cases, stored ones first, and storage of new findings.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::Tree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use simulator::fault::{Injection, Plan};

use super::laws::{check, check_on, still, survives};
use super::minimize::{MinimalHost, minimize};
use super::stored_case::{first_line, named};
use super::{Case, Exporter, Ours, StoredCase, Violation, cases};
use crate::fuzz::drive::hash;
use crate::load;

/// Folder of stored cases of our exporters, relative to the workspace.
const FOLDER: &str = "harness/regressions";
/// Files of a stored case: the whole case, and its minimal host with faults.
const CASE: &str = "case.toml";
const HOST: &str = "host.tree";
const FAULTS: &str = "host.faults";

/// The exporters under test, and the folder of their stored cases.
pub struct Laws {
    exporters: Vec<Box<dyn Exporter>>,
    folder: PathBuf,
}

impl fmt::Debug for Laws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Laws({} exporters, {})", self.exporters.len(), self.folder.display())
    }
}

/// A case that breaks a law, shrunk, with everything needed to replay it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The broken law.
    pub violation: Violation,
    /// The case as a file.
    pub case: String,
    /// The minimal host that shows it, if a static host does.
    pub minimal: Option<MinimalHost>,
}

impl Laws {
    /// Our collectors.
    pub fn ours() -> Self {
        let exporters = Ours::all().map(|ours| -> Box<dyn Exporter> { Box::new(ours) });
        Self::new(exporters.collect(), load::workspace().join(FOLDER))
    }

    /// Any exporters, at least one. The folder need not exist.
    pub fn new(exporters: Vec<Box<dyn Exporter>>, folder: PathBuf) -> Self {
        assert!(!exporters.is_empty(), "expected at least one exporter");
        Self { exporters, folder }
    }

    /// The exporters under test.
    pub fn exporters(&self) -> &[Box<dyn Exporter>] {
        &self.exporters
    }

    /// Finds an exporter by name; the error suggests the nearest one.
    pub fn named(&self, name: &str) -> Result<&dyn Exporter, String> {
        named(&self.exporters, name)
    }

    /// Runs every stored case; returns those that still break a law, by name.
    pub fn recall(&self) -> io::Result<Vec<(String, Violation)>> {
        let mut broken = Vec::new();
        for name in load::names_if_any(&self.folder)? {
            let result = self.recall_one(&self.folder.join(&name))?;
            broken.extend(result.err().map(|violation| (name, violation)));
        }
        Ok(broken)
    }

    /// Runs a stored case and its stored host, which does not depend on the simulator.
    fn recall_one(&self, folder: &Path) -> io::Result<Result<(), Violation>> {
        let path = folder.join(CASE);
        let fail = |error: String| io::Error::other(format!("{}: {error}", path.display()));
        let kept = StoredCase::parse(&load::text(&path)?, None).map_err(fail)?;
        let result = kept.check(&self.exporters).map_err(fail)?;
        let host = folder.join(HOST);
        if result.is_err() || !load::exists(&host) {
            return Ok(result);
        }
        let exporter = self.named(&kept.reader).map_err(fail)?;
        check_frozen(exporter, &load::tree(&host)?, &load::text(&folder.join(FAULTS))?).map_err(fail)
    }

    /// Runs random cases of a seed; the first that breaks a law is shrunk.
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
                let broken = self.broken(&self.with_necessary_faults(&case));
                Err(Box::new(broken.unwrap_or_else(|| panic!("{case}: not reproducible: {reason}"))))
            }
            Err(TestError::Abort(reason)) => panic!("case generation failed: {reason}"),
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

    /// The case without the faults that it does not need to break a law. The runner has a limited number of attempts,
    /// and removes a fault only while it has not changed it.
    fn with_necessary_faults(&self, case: &Case) -> Case {
        match case.with_fewer_faults().find(|fewer| self.check(fewer).is_err()) {
            Some(fewer) => self.with_necessary_faults(&fewer),
            None => case.clone(),
        }
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
        let minimal = minimize(reader, &case.trial(), plan);
        Some(Broken { violation, case: file, minimal })
    }

    /// Stores a finding and returns instructions to replay it.
    pub fn keep(&self, broken: &Broken) -> io::Result<String> {
        let Broken { violation, case, minimal } = broken;
        let name = format!("{}-not-{}", violation.exporter, violation.law.replace(' ', "-"));
        let name = format!("{name}-{:016x}", hash(case.as_bytes()));
        let folder = self.folder.join(&name);
        load::create_folder(&folder)?;
        load::write(&folder.join(CASE), case.as_bytes())?;
        if let Some(MinimalHost { tree, faults, .. }) = minimal {
            load::write(&folder.join(HOST), tree)?;
            load::write(&folder.join(FAULTS), faults.as_bytes())?;
        }
        let shown = folder.strip_prefix(load::workspace()).unwrap_or(&folder).display().to_string();
        let again = "cargo run -p harness -- laws";
        let mut text = format!(
            "{violation}\n  stored as {shown}: fix the defect, then rename the folder after it\n  \
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

/// Tests the laws of an exporter on a static host with faults. The outer error is an invalid host or fault.
pub fn check_frozen(exporter: &dyn Exporter, tree: &Tree, faults: &str) -> Result<Result<(), Violation>, String> {
    let plan = Plan::parse(faults).map_err(|error| error.to_string())?;
    let kernel = Canned::parse(|path| tree.content(path)).map_err(|error| error.to_string())?;
    let (tree, kernel): (_, Arc<dyn Kernel>) = (Arc::new(tree.clone()), Arc::new(kernel));
    let roots = Injection::new(plan, 0, still()).over(&tree.roots());
    Ok(check_on(exporter, &tree.roots(), &kernel).and_then(|()| survives(exporter, &roots, &kernel)))
}
