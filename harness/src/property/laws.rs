//! The laws.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use collectors::kit::kernel::Kernel;
use collectors::kit::kernel::canned::Canned;
use collectors::kit::root::Roots;
use collectors::kit::root::tree::Tree;
use simulator::fault::{Injection, Plan, VirtualClock};

use super::{Case, Exporter, Opened, Resolved, Violation};
use crate::exposition::{self, Exposition};
use crate::faults::{Breakable, Question};

/// Puts every law to an exporter on the host of a case, and to another one that is not concerned. Faults are
/// resolved with what the first asks for, and given back.
pub fn check(exporter: &dyn Exporter, other: &dyn Exporter, case: &Case) -> Result<Resolved, (Violation, Resolved)> {
    let (host, clock) = case.host();
    let kernel = host.kernel();
    let nothing = Resolved { plan: Plan::default() };
    let fail = |resolved: &Resolved| {
        let resolved = resolved.clone();
        move |violation| (violation, resolved)
    };

    // Sound: what it asks for, and that a later moment has no lower counters.
    let breakable = Breakable::new(&host.roots());
    let mut opened = exporter.open(breakable.roots(), Arc::clone(&kernel));
    let sound = page(exporter, &mut opened).map_err(fail(&nothing))?;
    let asked: Vec<Question> = breakable.take_asked().into_keys().collect();
    is_declared(exporter, &sound, &asked).map_err(fail(&nothing))?;
    is_steady(exporter, &mut opened, &sound).map_err(fail(&nothing))?;
    clock.advance(Duration::from_secs(case.later_seconds));
    let later = page(exporter, &mut opened).map_err(fail(&nothing))?;
    is_rising(exporter, &sound, &later).map_err(fail(&nothing))?;

    // Broken, from here on in the later moment.
    let resolved = case.resolve(&asked);
    let broken = |roots: &Roots| Injection::new(resolved.plan.clone(), case.seed, Arc::new(clock.clone())).over(roots);
    survives(exporter, &broken(&host.roots()), &kernel).map_err(fail(&resolved))?;
    is_apart(other, &host.roots(), &broken, &kernel, &asked).map_err(fail(&resolved))?;
    Ok(resolved)
}

/// Puts the laws to an exporter on a host that does not move.
pub fn check_on(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<(), Violation> {
    let breakable = Breakable::new(roots);
    let mut opened = exporter.open(breakable.roots(), Arc::clone(kernel));
    let sound = page(exporter, &mut opened)?;
    let asked: Vec<Question> = breakable.take_asked().into_keys().collect();
    is_declared(exporter, &sound, &asked)?;
    is_steady(exporter, &mut opened, &sound)?;
    let later = page(exporter, &mut opened)?;
    is_rising(exporter, &sound, &later)
}

/// Whatever breaks, there is a well-formed page, of declared families.
pub(super) fn survives(exporter: &dyn Exporter, broken: &Roots, kernel: &Arc<dyn Kernel>) -> Result<(), Violation> {
    let mut opened = exporter.open(broken.clone(), Arc::clone(kernel));
    let text = page(exporter, &mut opened)?;
    is_declared(exporter, &text, &[])
}

/// Of a host without files, and without a kernel that answers, it tells nothing.
pub fn contained(exporter: &dyn Exporter) -> Result<(), Violation> {
    let empty = Arc::new(Tree::new());
    let mut opened = exporter.open(empty.roots(), Arc::new(Canned::default()));
    let text = page(exporter, &mut opened)?;
    let page = parsed(exporter, &text)?;
    match page.families.iter().find_map(|family| family.samples.first()) {
        Some(sample) if !exporter.asks_the_kernel() => {
            let problem = format!("`{}` comes from an empty host, so it was read past the roots", sample.text);
            Err(Violation::new("contained", exporter, problem))
        }
        _ => Ok(()),
    }
}

/// A page, or what its maker said when it panicked.
pub(super) fn page(exporter: &dyn Exporter, opened: &mut Opened) -> Result<String, Violation> {
    let made = catch_unwind(AssertUnwindSafe(opened)).map_err(|panic| {
        let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Violation::new("served", exporter, format!("it panicked: {words}"))
    })?;
    let text = String::from_utf8(made)
        .map_err(|error| Violation::new("well formed", exporter, format!("bytes that are no UTF-8: {error}")))?;
    parsed(exporter, &text)?;
    Ok(text)
}

fn parsed<'a>(exporter: &dyn Exporter, text: &'a str) -> Result<Exposition<'a>, Violation> {
    // A host that has nothing of the kind has an empty page.
    if text.is_empty() {
        return Ok(Exposition::default());
    }
    exposition::parse_as_told(text.as_bytes()).map_err(|defects| {
        let first = defects.first().map(ToString::to_string).unwrap_or_default();
        Violation::new("well formed", exporter, format!("{first}\n{text}"))
    })
}

fn is_declared(exporter: &dyn Exporter, text: &str, asked: &[Question]) -> Result<(), Violation> {
    let families = exporter.families();
    let has = |name: &str| {
        families.iter().any(|family| match family.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == family,
        })
    };
    if let Some(family) = parsed(exporter, text)?.families.iter().find(|family| !has(family.name)) {
        let problem = format!("the family `{}` is not declared; declare it, or leave it out", family.name);
        return Err(Violation::new("declared", exporter, problem));
    }
    let reads = exporter.reads();
    match asked.iter().map(ToString::to_string).find(|path| !reads.iter().any(|read| leads_to(read, path))) {
        Some(path) => {
            let problem = format!("it asks for `{path}`, which it does not declare; declare it, or do not ask");
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
        Some((before, after)) => format!("two scrapes at one instant differ: `{before}`, then `{after}`"),
        None => format!("two scrapes at one instant differ: {} lines, then {}", before.len(), after.len()),
    };
    Err(Violation::new("steady", exporter, problem))
}

fn is_rising(exporter: &dyn Exporter, before: &str, after: &str) -> Result<(), Violation> {
    let (before, after) = (parsed(exporter, before)?, parsed(exporter, after)?);
    let is_counter = |name: &str, kind: &str| kind == "counter" && !exporter.levels().contains(&name);
    for family in before.families.iter().filter(|family| is_counter(family.name, family.kind)) {
        let Some(later) = after.families.iter().find(|later| later.name == family.name) else { continue };
        for sample in &family.samples {
            let now = later.samples.iter().find(|now| now.series() == sample.series());
            if let Some(now) = now.filter(|now| now.number.0 < sample.number.0) {
                let problem = format!("the counter `{}` fell to {}", sample.text, now.value);
                return Err(Violation::new("rising", exporter, problem));
            }
        }
    }
    Ok(())
}

/// Who asks for none of the broken paths has the same page as before.
fn is_apart(
    other: &dyn Exporter,
    sound: &Roots,
    broken: &dyn Fn(&Roots) -> Roots,
    kernel: &Arc<dyn Kernel>,
    concerned: &[Question],
) -> Result<(), Violation> {
    let breakable = Breakable::new(sound);
    let before = page(other, &mut other.open(breakable.roots(), Arc::clone(kernel)))?;
    let asked: BTreeSet<Question> = breakable.take_asked().into_keys().collect();
    if concerned.iter().any(|question| asked.contains(question)) {
        return Ok(());
    }
    let after = page(other, &mut other.open(broken(sound), Arc::clone(kernel)))?;
    if before == after {
        return Ok(());
    }
    let problem = "its page is another one, and it asks for none of what is broken".to_owned();
    Err(Violation::new("apart", other, problem))
}

/// Whether a path is one of a pattern, or a folder on the way to one.
fn leads_to(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    for part in pattern.split('/') {
        if part == "**" {
            return true;
        }
        match names.next() {
            None => return true,
            Some(name) if !fits(part, name) => return false,
            Some(_) => {}
        }
    }
    names.next().is_none()
}

/// Whether a name is one of a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((front, back)) => name
            .strip_prefix(front)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| fits(back, rest)))),
    }
}

/// A clock for hosts that do not move.
pub(super) fn still() -> Arc<VirtualClock> {
    Arc::new(VirtualClock::new(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_paths_and_the_folders_on_the_way() {
        for (pattern, path, expected) in [
            ("proc/stat", "proc/stat", true),
            ("proc/stat", "proc", true),
            ("proc/stat", "proc/stats", false),
            ("proc/stat", "proc/stat/x", false),
            ("sys/class/net/*/mtu", "sys/class/net/eth0/mtu", true),
            ("sys/class/net/*/mtu", "sys/class/net", true),
            ("sys/class/net/*/mtu", "sys/class/net/eth0/speed", false),
            ("sys/block/md*/md/dev-*/state", "sys/block/md0/md/dev-sda/state", true),
            ("host/**", "host/var/lib/x", true),
        ] {
            assert_eq!(leads_to(pattern, path), expected, "{pattern} {path}");
        }
    }
}
