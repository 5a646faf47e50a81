//! `nodelab audit`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use collectors::host::kernel::clock;
use harness::audit::advisory::{Snapshot, days_of, extract};
use harness::audit::{SNAPSHOT, hits, licence, locked, metadata, unknown};
use harness::load;

use super::{Arguments, Command, Failure, Flag};

const LOCK: Flag = Flag::value("lock", "FILE", "Check this Cargo.lock in place of the workspace's.");
const RENEW: Flag = Flag::value("renew", "CHECKOUT", "Write the snapshot anew from this checkout of the database.");
const DATE: Flag = Flag::value("date", "DATE", "With --renew: day of the checkout's last commit.");
const COMMIT: Flag = Flag::value("commit", "COMMIT", "With --renew: the checkout's last commit.");

pub(super) const COMMAND: Command = Command {
    name: "audit",
    arguments: "",
    about: "check the crates of Cargo.lock for advisories and licences, offline",
    details: "Advisories come from a committed extract of the RustSec database, whose age is printed. A vulnerable\n\
              version, a crate that the extract was not made for, and a licence that is not on the list of\n\
              harness/src/audit/licence.rs are errors; other advisories are printed. The number of crates and of\n\
              `unsafe` blocks, functions and implementations in their sources is printed too.\n\n\
              To renew the extract: git clone https://github.com/RustSec/advisory-db, then\n\
              nodelab audit --renew advisory-db --date $(git -C advisory-db log -1 --format=%cs)\n\
              --commit $(git -C advisory-db log -1 --format=%H).\n",
    flags: &[LOCK, RENEW, DATE, COMMIT],
    exits: &[(1, "something was found")],
    run,
};

const SECONDS_PER_DAY: u64 = 86_400;

/// Crates with the most `unsafe` that are named.
const SHOWN: usize = 8;

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    let path = given.path(LOCK.name).map_or_else(|| load::workspace().join("Cargo.lock"), Path::to_owned);
    let packages = locked(&load::text(&path)?).map_err(Failure::Broken)?;
    if let Some(checkout) = given.path(RENEW.name) {
        let names: BTreeSet<String> = packages.into_iter().map(|package| package.name).collect();
        return renew(given, checkout, names);
    }
    let snapshot: Snapshot = load::text(&load::workspace().join(SNAPSHOT))?.parse().map_err(Failure::Broken)?;
    let today = i64::try_from(clock::now().as_secs() / SECONDS_PER_DAY).unwrap_or(i64::MAX);
    let age = today - days_of(&snapshot.date).unwrap_or(today);
    say!(
        "advisories: {} of {} about {} crates; the snapshot is {age} days old ({})",
        snapshot.advisories.len(),
        snapshot.date,
        snapshot.covers.len(),
        snapshot.commit.get(..12).unwrap_or(&snapshot.commit)
    );
    let mut errors = 0;
    let mut error = |line: String| {
        errors += 1;
        say!("error: {line}");
    };
    for hit in hits(&packages, &snapshot) {
        if hit.is_vulnerable() { error(hit.to_string()) } else { say!("note: {hit}") }
    }
    for name in unknown(&packages, &snapshot) {
        error(format!("{name}: not among the crates that {SNAPSHOT} was made for; renew it (nodelab help audit)"));
    }
    say!("Cargo.lock: {} crates", packages.len());
    if given.path(LOCK.name).is_none() {
        sources(&mut error)?;
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Licences, and what is `unsafe`.
fn sources(error: &mut impl FnMut(String)) -> Result<(), Failure> {
    let packages = metadata::packages().map_err(Failure::Broken)?;
    for package in packages.iter().filter(|package| !licence::is_allowed(&package.licence)) {
        error(format!("{} {}: licence \"{}\" is not allowed", package.name, package.version, package.licence));
    }
    let mut counts = Vec::new();
    for package in &packages {
        counts.push((metadata::unsafe_count(package).map_err(Failure::Broken)?, package));
    }
    let sum = |is_counted: fn(&metadata::Package) -> bool| -> (usize, usize) {
        let counted = counts.iter().filter(|(_, package)| is_counted(package));
        counted.fold((0, 0), |(crates, uses), (count, _)| (crates + 1, uses + count))
    };
    for (what, (crates, uses)) in [
        ("of this workspace", sum(|package| package.is_own)),
        ("that the exporter is built with", sum(|package| package.is_of_exporter && !package.is_own)),
        ("of a Linux build with tests and tools", sum(|package| !package.is_own)),
    ] {
        say!("{crates:>4} crates {what}: {uses} uses of unsafe");
    }
    counts.retain(|(count, package)| *count > 0 && package.is_of_exporter);
    counts.sort_by_key(|(count, package)| (std::cmp::Reverse(*count), package.name.clone()));
    let shown: Vec<String> =
        counts.iter().take(SHOWN).map(|(count, package)| format!("{} {count}", package.name)).collect();
    say!("     most of them: {}", shown.join(", "));
    Ok(())
}

fn renew(given: &Arguments, checkout: &Path, covers: BTreeSet<String>) -> Result<ExitCode, Failure> {
    let one = |flag: Flag| match given.texts(flag.name)?.as_slice() {
        [text] => Ok((*text).to_owned()),
        _ => Err(Failure::Usage(format!("--renew needs --{}", flag.name))),
    };
    let (date, commit) = (one(DATE)?, one(COMMIT)?);
    if days_of(&date).is_none() {
        return Err(Failure::Usage(format!("--date: expected a date like 2025-12-31, found \"{date}\"")));
    }
    let advisories = extract(checkout, &covers).map_err(Failure::Broken)?;
    let snapshot = Snapshot { date, commit, covers, advisories };
    load::write(&load::workspace().join(SNAPSHOT), snapshot.to_string().as_bytes())?;
    say!("{SNAPSHOT}: {} advisories about {} crates", snapshot.advisories.len(), snapshot.covers.len());
    Ok(ExitCode::SUCCESS)
}
