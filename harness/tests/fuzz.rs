//! Everything that reads what others wrote, on inputs made of good ones: a bounded number, the same in every run. One
//! test for each target; `nodelab fuzz NAME` goes on from there.

use std::process::ExitCode;

use harness::fuzz::drive::Plan;
use harness::fuzz::{Target, targets};
use harness::needs::trial;
use libtest_mimic::{Arguments, Failed};

/// More would take longer than a person waits.
const PLAN: Plan = Plan { cases: 150, seed: 1 };

fn main() -> ExitCode {
    let trials = targets().into_iter().map(|target| {
        let name = target.name.clone();
        // What targets hold may stay in one thread.
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
