//! Runs of many cases outside of a test, and of one that was printed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::kit::kernel::Kernel;
use collectors::kit::root::tree::Tree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use simulator::fault::{Injection, Plan, VirtualClock};
use simulator::scenario::{Scenario, ScenarioError};

use super::laws::{check_on, still, survives};
use super::{Case, Exporter, Ours, Violation, cases, check, minimal};

/// When scenarios start that do not say it.
const START: Duration = Duration::from_secs(1_700_000_000);

/// A case that breaks a law, made small, and all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The case.
    pub case: Case,
    violation: Violation,
}

impl Broken {
    /// What a case breaks; nothing where it keeps every law.
    pub fn of(case: &Case) -> Option<Self> {
        let (violation, _) = check(&Ours(case.collector), &Ours(case.other), case).err()?;
        Some(Self { case: case.clone(), violation })
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, violation } = self;
        let (ours, other) = (Ours(case.collector), Ours(case.other));
        writeln!(f, "{violation}")?;
        let Err((_, resolved)) = check(&ours, &other, case) else { return Ok(()) };
        let name = &violation.exporter;
        writeln!(f, "--- to replay it, save what follows: cargo run -p harness -- laws {name} --scenario case.toml")?;
        writeln!(f, "{}", case.scenario(&resolved))?;
        if let Some(minimal) = minimal(&ours, case, &resolved) {
            writeln!(f, "--- and the least that shows it: laws {name} --host case.tree --faults case.faults")?;
            writeln!(f, "{minimal}")?;
        }
        Ok(())
    }
}

/// Tries so many cases of a seed; the first that breaks a law is shrunk.
pub fn explore(cases_count: u32, seed: u64) -> Result<(), Box<Broken>> {
    let config = Config { cases: cases_count, failure_persistence: None, max_shrink_iters: 1_000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&cases(), |case| match Broken::of(&case) {
        None => Ok(()),
        Some(broken) => Err(TestCaseError::fail(broken.violation.to_string())),
    });
    match result {
        Err(TestError::Fail(_, case)) => Broken::of(&case).map_or(Ok(()), |broken| Err(Box::new(broken))),
        Ok(()) | Err(TestError::Abort(_)) => Ok(()),
    }
}

/// Puts the laws to an exporter on the host of a scenario, at its start.
pub fn check_scenario(exporter: &dyn Exporter, scenario: &Scenario) -> Result<Result<(), Violation>, ScenarioError> {
    let start = scenario.start().unwrap_or(START);
    let host = scenario.host(start, Arc::new(VirtualClock::new(start)))?;
    let sound = host.sound;
    Ok(check_on(exporter, &sound.roots(), &sound.kernel()).and_then(|()| survives(exporter, &host.roots, &host.kernel)))
}

/// Puts the laws to an exporter on a frozen host of which something breaks. The error says what is wrong with the faults.
pub fn check_frozen(
    exporter: &dyn Exporter,
    tree: &Arc<Tree>,
    kernel: &Arc<dyn Kernel>,
    faults: &str,
) -> Result<Result<(), Violation>, String> {
    let plan = Plan::parse(faults).map_err(|error| error.to_string())?;
    let roots = Injection::new(plan, 0, still()).over(&tree.roots());
    Ok(check_on(exporter, &tree.roots(), kernel).and_then(|()| survives(exporter, &roots, kernel)))
}
