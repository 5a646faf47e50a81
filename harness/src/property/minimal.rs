//! Reduction of a failing case to a static host with only the files that matter.

use std::fmt;
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::Tree;
use collectors::host::tree_text;
use simulator::fault::{Injection, Plan};

use super::laws::{still, survives};
use super::trial::Trial;
use super::{Exporter, Violation};

/// Maximum number of reductions that are tried.
const TRIES_MAX: usize = 4_000;

/// The minimal host that breaks a law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Minimal {
    /// The host as a `.tree` file.
    pub tree: Vec<u8>,
    /// Its faults, one per line.
    pub faults: String,
    /// The law that it breaks.
    pub violation: Violation,
}

impl fmt::Display for Minimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tree = String::from_utf8_lossy(&self.tree);
        write!(f, "{}\n--- the host\n{tree}--- what breaks\n{}", self.violation, self.faults)
    }
}

/// Reduces a case to the files and faults that break the law. `None` if the law holds on a static host.
pub(super) fn minimal(exporter: &dyn Exporter, trial: &Trial, plan: Plan) -> Option<Minimal> {
    smaller(exporter, trial.host().tree_at(trial.last_seconds()), plan)
}

/// Reduces a host.
fn smaller(exporter: &dyn Exporter, mut tree: Tree, mut plan: Plan) -> Option<Minimal> {
    let mut violation = violation(exporter, &tree, &plan)?;
    for at in (0..plan.faults().len()).rev() {
        let mut fewer = plan.faults().to_vec();
        fewer.remove(at);
        let fewer = Plan::new(fewer);
        if let Some(found) = self::violation(exporter, &tree, &fewer) {
            (plan, violation) = (fewer, found);
        }
    }
    let mut tries = 0;
    let mut chunk = tree.iter().count().max(1);
    while chunk > 0 && tries < TRIES_MAX {
        let paths: Vec<Vec<u8>> = tree.iter().map(|(path, _)| path.to_vec()).collect();
        for paths in paths.chunks(chunk) {
            let mut fewer = tree.clone();
            // A folder exists while it has entries.
            for path in paths.iter().rev() {
                fewer.remove(path);
            }
            tries += 1;
            if let Some(found) = self::violation(exporter, &fewer, &plan) {
                (tree, violation) = (fewer, found);
            }
        }
        chunk /= 2;
    }
    Some(Minimal { tree: tree_text::write(&tree), faults: plan.to_string(), violation })
}

/// The law that a static host breaks.
fn violation(exporter: &dyn Exporter, tree: &Tree, plan: &Plan) -> Option<Violation> {
    let tree = Arc::new(tree.clone());
    let kernel: Arc<dyn Kernel> = Arc::new(Canned::parse(|path| tree.content(path)).ok()?);
    let roots = Injection::new(plan.clone(), 0, still()).over(&tree.roots());
    survives(exporter, &roots, &kernel).err()
}
