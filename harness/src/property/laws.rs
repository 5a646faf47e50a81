//! The laws.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use collectors::host::glob;
use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::Roots;
use collectors::host::root::tree::Tree;
use simulator::fault::{Plan, VirtualClock};

use super::trial::Trial;
use super::{Exporter, Opened, Violation};
use crate::exposition::{self, Exposition};
use crate::faults::FaultyRoots;
use crate::meter::MountPath;
use crate::panics::caught;
use crate::pattern::leads_to;

/// Tests every law of an exporter on a host, and of another exporter that the faults must not affect. `plan` receives
/// the paths read by the first exporter and returns the faults, which are part of the error.
pub(super) fn check(
    exporter: &dyn Exporter,
    other: &dyn Exporter,
    trial: &Trial,
    plan: impl FnOnce(&[MountPath]) -> Plan,
) -> Result<(), (Violation, Plan)> {
    let fail = |plan: &Plan| {
        let plan = plan.clone();
        move |violation| (violation, plan)
    };
    let nothing = Plan::default();
    let (roots, kernel) = (trial.host().roots(), trial.host().kernel());

    // Without faults: record the paths, and check that no counter falls.
    let breakable = FaultyRoots::new(&roots);
    let mut opened = exporter.open(breakable.roots(), Arc::clone(&kernel));
    let sound = page(exporter, &mut opened).map_err(fail(&nothing))?;
    let asked: Vec<MountPath> = breakable.take_accesses().into_keys().collect();
    is_declared(exporter, &sound, &asked).map_err(fail(&nothing))?;
    is_steady(exporter, &mut opened, &sound).map_err(fail(&nothing))?;
    trial.move_on();
    let later = page(exporter, &mut opened).map_err(fail(&nothing))?;
    if !trial.may_lower_counters() {
        is_rising(exporter, &sound, &later).map_err(fail(&nothing))?;
    }

    // With faults, at the later time.
    let plan = plan(&asked);
    if plan.faults().is_empty() {
        return Ok(());
    }
    survives(exporter, &trial.broken(&plan), &kernel).map_err(fail(&plan))?;
    let broken = || trial.broken(&plan);
    is_apart(other, &roots, &broken, &kernel, &asked).map_err(fail(&plan))
}

/// Tests the laws of an exporter on a static host.
pub fn check_on(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<(), Violation> {
    let breakable = FaultyRoots::new(roots);
    let mut opened = exporter.open(breakable.roots(), Arc::clone(kernel));
    let sound = page(exporter, &mut opened)?;
    let asked: Vec<MountPath> = breakable.take_accesses().into_keys().collect();
    is_declared(exporter, &sound, &asked)?;
    is_steady(exporter, &mut opened, &sound)?;
    let later = page(exporter, &mut opened)?;
    is_rising(exporter, &sound, &later)
}

/// With any fault there is a well-formed page of declared families.
pub(super) fn survives(exporter: &dyn Exporter, broken: &Roots, kernel: &Arc<dyn Kernel>) -> Result<(), Violation> {
    let mut opened = exporter.open_broken(broken.clone(), Arc::clone(kernel));
    let text = page(exporter, &mut opened)?;
    is_declared(exporter, &text, &[])
}

/// On a host without files and kernel answers the page is empty.
pub fn contained(exporter: &dyn Exporter) -> Result<(), Violation> {
    let empty = Arc::new(Tree::new());
    let mut opened = exporter.open(empty.roots(), Arc::new(Canned::default()));
    let text = page(exporter, &mut opened)?;
    let page = parsed(exporter, &text)?;
    match page.families.iter().find_map(|family| family.samples.first()) {
        Some(sample) if !exporter.asks_the_kernel() => {
            let problem = format!("`{}` is exported on an empty host, so it was read past the roots", sample.text);
            Err(Violation::new("contained", exporter, problem))
        }
        _ => Ok(()),
    }
}

/// A page, or the panic message.
pub(super) fn page(exporter: &dyn Exporter, opened: &mut Opened) -> Result<String, Violation> {
    let made = caught(opened).map_err(|words| Violation::new("served", exporter, format!("it panicked: {words}")))?;
    let text = String::from_utf8(made)
        .map_err(|error| Violation::new("well formed", exporter, format!("invalid UTF-8: {error}")))?;
    parsed(exporter, &text)?;
    Ok(text)
}

fn parsed<'a>(exporter: &dyn Exporter, text: &'a str) -> Result<Exposition<'a>, Violation> {
    // The page is empty if the host has nothing to export.
    if text.is_empty() {
        return Ok(Exposition::default());
    }
    exposition::parse_with_negative_counters(text.as_bytes()).map_err(|defects| {
        let first = defects.first().map(ToString::to_string).unwrap_or_default();
        Violation::new("well formed", exporter, format!("{first}\n{text}"))
    })
}

fn is_declared(exporter: &dyn Exporter, text: &str, asked: &[MountPath]) -> Result<(), Violation> {
    let families = exporter.families();
    let is_declared = |name: &str| families.iter().any(|family| glob::matches(family.as_bytes(), name.as_bytes()));
    if let Some(family) = parsed(exporter, text)?.families.iter().find(|family| !is_declared(family.name)) {
        let problem = format!("the family `{}` is not declared; declare or remove it", family.name);
        return Err(Violation::new("declared", exporter, problem));
    }
    let reads = exporter.reads();
    match asked.iter().map(ToString::to_string).find(|path| !reads.iter().any(|read| leads_to(read, path))) {
        Some(path) => {
            let problem = format!("it reads `{path}`, which is not declared; declare it or do not read it");
            Err(Violation::new("declared", exporter, problem))
        }
        None => Ok(()),
    }
}

fn is_steady(exporter: &dyn Exporter, opened: &mut Opened, before: &str) -> Result<(), Violation> {
    let after = page(exporter, opened)?;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if before == after {
        return Ok(());
    }
    let pair = before.iter().zip(&after).find(|(before, after)| before != after);
    let problem = match pair {
        Some((before, after)) => format!("two scrapes at the same simulated time differ: `{before}`, then `{after}`"),
        None => format!("two scrapes at the same simulated time differ: {} lines, then {}", before.len(), after.len()),
    };
    Err(Violation::new("steady", exporter, problem))
}

fn is_rising(exporter: &dyn Exporter, before: &str, after: &str) -> Result<(), Violation> {
    let (before, after) = (parsed(exporter, before)?, parsed(exporter, after)?);
    let may_fall =
        |name: &str| exporter.may_fall().iter().any(|family| glob::matches(family.as_bytes(), name.as_bytes()));
    let is_counter = |name: &str, kind: &str| kind == "counter" && !may_fall(name);
    for family in before.families.iter().filter(|family| is_counter(family.name, family.kind)) {
        let Some(later) = after.families.iter().find(|later| later.name == family.name) else { continue };
        let later: HashMap<_, _> = later.samples.iter().map(|sample| (sample.series(), sample)).collect();
        for sample in &family.samples {
            if let Some(now) = later.get(&sample.series()).filter(|now| now.number.0 < sample.number.0) {
                let problem = format!("the counter `{}` fell to {}", sample.text, now.value);
                return Err(Violation::new("rising", exporter, problem));
            }
        }
    }
    Ok(())
}

/// The page of an exporter that reads none of the faulty paths is unchanged.
fn is_apart(
    other: &dyn Exporter,
    sound: &Roots,
    broken: &dyn Fn() -> Roots,
    kernel: &Arc<dyn Kernel>,
    concerned: &[MountPath],
) -> Result<(), Violation> {
    let breakable = FaultyRoots::new(sound);
    let before = page(other, &mut other.open(breakable.roots(), Arc::clone(kernel)))?;
    let asked: BTreeSet<MountPath> = breakable.take_accesses().into_keys().collect();
    if concerned.iter().any(|question| asked.contains(question)) {
        return Ok(());
    }
    let after = page(other, &mut other.open(broken(), Arc::clone(kernel)))?;
    if before == after {
        return Ok(());
    }
    let problem = "its page changed, although it reads none of the faulty paths".to_owned();
    Err(Violation::new("isolated", other, problem))
}

/// A clock for static hosts.
pub(super) fn still() -> Arc<VirtualClock> {
    Arc::new(VirtualClock::new(Duration::ZERO))
}
