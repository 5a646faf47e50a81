//! Every fuzz target with a bounded number of generated inputs, the same in every run; `nodelab fuzz NAME` runs more.

use std::process::ExitCode;

use harness::fuzz::drive::Plan;
use harness::fuzz::{Target, targets};
use harness::needs::trial;
use libtest_mimic::{Arguments, Failed};

/// Kept short: this runs in every test run.
const PLAN: Plan = Plan { cases: 150, seed: 1 };

fn main() -> ExitCode {
    let trials = targets().into_iter().map(|target| {
        let name = target.name.clone();
        // A target's state is not `Send`.
        drop(target);
        trial(&name.clone(), move || drive(&harness::fuzz::target(&name)?))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn drive(target: &Target) -> Result<(), Failed> {
    match target.drive(PLAN)? {
        Ok(()) => Ok(()),
        Err(finding) => Err(target.keep(&finding)?.into()),
    }
}
