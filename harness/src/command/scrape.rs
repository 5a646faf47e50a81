//! `nodelab scrape`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use collectors::ALL;
use collectors::host::root::dir::Dir;
use collectors::host::root::{Mount, Root, Roots};
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::Scraper;
use harness::load;
use harness::subject::{self, Subject};
use simulator::profiles;

use super::{Command, Failure, Flag, Given, print_bytes};

const TIMES: Flag = Flag::value("times", "NUMBER", "Scrape so often, and print the last page. 1.");
const COLLECTOR: Flag = Flag::values("collector", "NAME", "Only these collectors, on by default or not.");
const SETTING: Flag = Flag::values("set", "KEY=VALUE", "A setting of the profile.");
const SMALL: Flag = Flag::switch("small", "The profile as small as tests have it.");
const BELOW: Flag =
    Flag::value("below", "DIR", "Read the files from this directory, as `nodelab unpack HOST DIR` writes it.");
const QUIET: Flag = Flag::switch(
    "quiet",
    "Print nothing, and leave out what costs more or less by chance: for whoever counts what a scrape costs.",
);

pub(super) const COMMAND: Command = Command {
    name: "scrape",
    arguments: "HOST",
    about: "print the page of a host",
    details: "HOST is a profile of the simulator, NAME.tree of fixtures/hosts, any other .tree file, a ttar, tar or tar.zst\n\
              archive, or a directory. It is frozen at one moment and held in memory; the page is the one that the\n\
              exporter would serve of it, without what it tells of itself.\n",
    flags: &[COLLECTOR, SETTING, SMALL, TIMES, BELOW, QUIET],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [host] = given.words(["HOST"])?;
    let subject = subject(given, host.as_ref())?;
    let times = match given.texts(TIMES.name)?.first() {
        None => 1,
        Some(text) => text.parse::<u32>().ok().filter(|times| *times > 0).ok_or_else(|| {
            Failure::Usage(format!("--{}: expected a whole number from 1 on, found `{text}`", TIMES.name))
        })?,
    };
    let mut roots = subject.roots();
    if let Some(folder) = given.path(BELOW.name) {
        roots = below(folder)?;
    }
    let scraper = Scraper::build(ALL, &values(given)?, roots, subject.kernel()?).map_err(Failure::Usage)?;
    let mut page = Vec::new();
    for _ in 0..times {
        subject::scrape(&scraper, &mut page);
    }
    Ok(if given.has(QUIET.name) { ExitCode::SUCCESS } else { print_bytes(&page) })
}

fn subject(given: &Given, host: &Path) -> Result<Subject, Failure> {
    let name = host.display().to_string();
    if let Some(profile) = profiles().iter().find(|profile| profile.name == name) {
        let mut settings = if given.has(SMALL.name) { profile.small.to_vec() } else { Vec::new() };
        for text in given.texts(SETTING.name)? {
            let problem = || Failure::Usage(format!("--{}: expected KEY=VALUE, found `{text}`", SETTING.name));
            settings.push(text.split_once('=').ok_or_else(problem)?);
        }
        return Subject::of(profile, &settings).map_err(|error| Failure::Usage(error.to_string()));
    }
    match name
        .strip_suffix(".tree")
        .filter(|name| load::hosts().is_ok_and(|hosts| hosts.iter().any(|host| host == name)))
    {
        Some(fixture) => Ok(Subject::fixture(fixture)?),
        None => Ok(Subject::new(&name, load::any_host(host)?)),
    }
}

fn values(given: &Given) -> Result<FlagValues, Failure> {
    let mut values = if given.has(QUIET.name) { subject::counted_values() } else { subject::values() };
    let names = given.texts(COLLECTOR.name)?;
    let known = || ALL.iter().map(|registration| registration.declaration.name);
    if let Some(unknown) = names.iter().find(|name| known().all(|known| known != **name)) {
        let near = collectors::kit::nearest::among(unknown, known());
        let advice = near.map_or("docs/COLLECTORS.md lists them".to_owned(), |near| format!("did you mean {near}?"));
        return Err(Failure::Usage(format!("--{}: `{unknown}` is no collector; {advice}", COLLECTOR.name)));
    }
    for name in known().filter(|_| !names.is_empty()) {
        values.enable(name, names.contains(&name));
    }
    Ok(values)
}

/// The folders of a host as directories; one that it lacks is empty.
fn below(folder: &Path) -> Result<Roots, Failure> {
    let mut missing = None;
    let empty: Arc<dyn Root> = Arc::new(Dir::open(folder).map_err(|error| Failure::of(folder.display(), error))?);
    let roots = Roots::new(|mount: Mount| -> Arc<dyn Root> {
        let path = folder.join(mount.name());
        match Dir::open(&path) {
            Ok(root) => Arc::new(root),
            Err(error) if error.is_missing() => Arc::clone(&empty),
            Err(error) => {
                missing = Some(Failure::of(path.display(), error));
                Arc::clone(&empty)
            }
        }
    });
    missing.map_or(Ok(roots), Err)
}
