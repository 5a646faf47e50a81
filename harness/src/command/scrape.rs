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

const TIMES: Flag = Flag::value("times", "NUMBER", "Number of scrapes; the last page is printed. Default: 1.");
const COLLECTOR: Flag = Flag::values("collector", "NAME", "Run only these collectors, enabled by default or not.");
const SETTING: Flag = Flag::values("set", "KEY=VALUE", "Change a setting of the profile.");
const SMALL: Flag = Flag::switch("small", "Use the small settings that tests use.");
const BELOW: Flag =
    Flag::value("below", "DIR", "Read files from this directory, as `nodelab unpack HOST DIR` writes it.");
const QUIET: Flag = Flag::switch(
    "quiet",
    "Print nothing and leave out collectors of varying cost: for counting instructions or system calls.",
);

pub(super) const COMMAND: Command = Command {
    name: "scrape",
    arguments: "HOST",
    about: "print the page of a host",
    details: "HOST is a profile of the simulator, NAME.tree of fixtures/hosts, another .tree file, a ttar, tar or\n\
              tar.zst archive, or a directory. It is held in memory at one point in time. The page is the one that\n\
              the exporter would serve, without its own metrics.\n",
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
            Failure::Usage(format!("--{}: expected an integer of at least 1, found `{text}`", TIMES.name))
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
        let advice = near.map_or("see docs/COLLECTORS.md".to_owned(), |near| format!("did you mean {near}?"));
        return Err(Failure::Usage(format!("--{}: `{unknown}` is not a collector; {advice}", COLLECTOR.name)));
    }
    for name in known().filter(|_| !names.is_empty()) {
        values.enable(name, names.contains(&name));
    }
    Ok(values)
}

/// The mounts of a host below a directory; a missing one is empty.
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
