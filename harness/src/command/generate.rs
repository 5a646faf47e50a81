//! `nodelab generate`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use harness::load;
use simulator::fault::VirtualClock;
use simulator::scenario::Scenario;
use simulator::span;

use super::progress::Progress;
use super::{Command, Failure, Flag, Given};

/// Default time of a host, in seconds since 1970.
const AT_SECONDS: u64 = 1_700_000_000;

const OUT: Flag = Flag::value("out", "OUT", "Output: NAME.tree, NAME.tar, or else a new directory.");
const SEED: Flag = Flag::value("seed", "N", "Seed of the host. Default: 1.");
const AT: Flag = Flag::value(
    "at",
    "WHEN",
    "Time: seconds since 1970, or +10m after the scenario's start. Default: the start, or 1700000000.",
);
const SET: Flag = Flag::values("set", "KEY=VALUE", "Change a setting of the profile; see `nodelab list PROFILE`.");
const SCENARIO: Flag = Flag::value("scenario", "FILE", "Scenario file: a host with its events and faults.");

pub(super) const COMMAND: Command = Command {
    name: "generate",
    arguments: "[PROFILE] --out OUT",
    about: "write a simulated host at a point in time",
    details: "PROFILE is a name from `nodelab list`; a scenario names its own. Faults that a file cannot express\n\
              (slowness, an error at the second read) are listed. The same seed, profile, settings and time give\n\
              the same bytes on every system. docs/SIMULATOR.md has the details.\n",
    flags: &[OUT, SEED, AT, SET, SCENARIO],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let out = given.path(OUT.name).ok_or_else(|| Failure::Usage("--out is required".to_owned()))?;
    let scenario = scenario(given)?;
    let start = scenario.start().unwrap_or(Duration::from_secs(AT_SECONDS));
    let at = at(given, start)?;
    let progress = Progress::new("files rendered");
    let host = scenario.host(start, Arc::new(VirtualClock::new(at))).map_err(|error| refused(given, &error))?;
    let sound = host.sound.tree_at(at.as_secs());
    progress.at(sound.iter().count());
    let still = scenario.faults().frozen(&sound, at.saturating_sub(start));
    progress.now("writing");
    let left_out = load::write_host(&still.tree, out)?;
    drop(progress);
    for fault in &still.left_out {
        eprintln!("not written: {fault}");
    }
    for path in left_out {
        eprintln!("not written, cannot exist on disk: {path}");
    }
    eprintln!("wrote {} entries to {}", still.tree.iter().count(), out.display());
    Ok(ExitCode::SUCCESS)
}

/// The scenario that the arguments describe.
fn scenario(given: &Given) -> Result<Scenario, Failure> {
    let words: Vec<String> = given.all_words().map(|word| word.display().to_string()).collect();
    let mut scenario = match (words.as_slice(), given.path(SCENARIO.name)) {
        ([], None) => return Err(Failure::Usage("PROFILE is missing".to_owned())),
        ([profile], None) => Scenario::of(profile).map_err(|error| Failure::Usage(error.to_string()))?,
        ([], Some(file)) => load::scenario(file)?,
        ([profile], Some(file)) => {
            let scenario = load::scenario(file)?;
            if scenario.profile() != profile {
                let problem =
                    format!("the scenario is for profile {}, not {profile}; leave out one of them", scenario.profile());
                return Err(Failure::of(file.display(), problem));
            }
            scenario
        }
        ([.., last], _) => return Err(Failure::Usage(format!("`{last}`: unexpected argument"))),
    };
    if let Some(seed) = given.texts(SEED.name)?.first() {
        let fail = || Failure::Usage(format!("--seed: expected an integer from 0 to 2^64 - 1, found `{seed}`"));
        scenario = scenario.with_seed(seed.parse().map_err(|_| fail())?);
    }
    for pair in given.texts(SET.name)? {
        let fail = || Failure::Usage(format!("--set: expected KEY=VALUE, found `{pair}`"));
        let (key, value) = pair.split_once('=').ok_or_else(fail)?;
        scenario = scenario.with_setting(key, value);
    }
    Ok(scenario)
}

fn at(given: &Given, start: Duration) -> Result<Duration, Failure> {
    let Some(text) = given.texts(AT.name)?.first().copied() else { return Ok(start) };
    let at = match text.strip_prefix('+') {
        Some(after) => span::parse(after).map(|after| start.saturating_add(after)),
        None => text.parse().ok().map(Duration::from_secs),
    };
    let fail = || Failure::Usage(format!("--at: expected seconds since 1970, or +10m, found `{text}`"));
    at.ok_or_else(fail)
}

/// A refused setting comes from the command line: those of the file were checked when it was read.
fn refused(given: &Given, error: &simulator::scenario::ScenarioError) -> Failure {
    match given.path(SCENARIO.name) {
        Some(file) if error.line.is_some() => Failure::of(file.display(), error),
        _ => Failure::Usage(error.to_string()),
    }
}
