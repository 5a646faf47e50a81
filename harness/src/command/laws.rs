//! `nodelab laws`.

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;

use harness::load;
use harness::property::{Broken, Kept, Laws, Violation, check_frozen};

use super::progress::Progress;
use super::{Command, Failure, Flag, Given};

const CASES: Flag = Flag::value("cases", "COUNT", "Number of cases. Default: 10000.");
const SEED: Flag = Flag::value("seed", "NUMBER", "Seed of the random cases. Default: 1.");
const SCENARIO: Flag = Flag::value("scenario", "FILE", "Run the host of this scenario only.");
const HOST: Flag = Flag::value("host", "FILE", "Run this host only, a .tree file.");
const FAULTS: Flag = Flag::value("faults", "FILE", "Faults of --host, one per line.");

pub(super) const COMMAND: Command = Command {
    name: "laws",
    arguments: "[COLLECTOR]",
    about: "test laws that every exporter keeps on random hosts",
    details: "A case is a random profile, seed, size and time, events, a collector, and faults of its files. A\n\
              case that breaks a law is shrunk and stored in harness/regressions, as a scenario and as the\n\
              smallest host that shows it; later runs try stored cases first.\n\
              \nWith --scenario or --host, one COLLECTOR is tested on that host. The scenario of a stored case names\n\
              its collector.\n",
    flags: &[CASES, SEED, SCENARIO, HOST, FAULTS],
    exits: &[(1, "a law was broken")],
    run,
};

const CASES_USUAL: u64 = 10_000;

fn run(given: &Given) -> Result<ExitCode, Failure> {
    if given.path(SCENARIO.name).is_some() || given.path(HOST.name).is_some() {
        return replay(given);
    }
    let [] = given.words([])?;
    let (cases, seed) = (given.number(CASES)?.unwrap_or(CASES_USUAL), given.number(SEED)?.unwrap_or(1));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let progress = Progress::new("trying cases");
    let known = Laws::ours().recall()?;
    let share = u32::try_from(cases.div_ceil(threads as u64)).unwrap_or(u32::MAX);
    let found: Vec<Box<Broken>> = thread::scope(|scope| {
        let explore = |worker| move || Laws::ours().explore(share, seed << 16 | worker);
        let workers: Vec<_> = (0..threads as u64).map(|worker| scope.spawn(explore(worker))).collect();
        // A panic says nothing about a law.
        let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.filter_map(Result::err).collect()
    });
    drop(progress);
    for (name, violation) in &known {
        say!("{name}: {violation}");
    }
    for broken in &found {
        say!("{}", Laws::ours().keep(broken)?);
    }
    let is_kept = known.is_empty() && found.is_empty();
    say!("{cases} cases, seed {seed}: {}", if is_kept { "every law holds" } else { "a law was broken" });
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay(given: &Given) -> Result<ExitCode, Failure> {
    let word = given.all_words().next().map(|word| word.to_string_lossy().into_owned());
    if word.is_some() || given.path(SCENARIO.name).is_none() {
        let [_] = given.words(["COLLECTOR"])?;
    }
    let ours = Laws::ours();
    let (name, result) = if let Some(path) = given.path(SCENARIO.name) {
        let fail = |error: String| Failure::of(path.display(), error);
        let kept = Kept::parse(&load::text(path)?, word.as_deref()).map_err(fail)?;
        (kept.reader.clone(), kept.check(ours.exporters()).map_err(fail)?)
    } else {
        let name = word.unwrap_or_default();
        let exporter = ours.named(&name).map_err(Failure::Usage)?;
        let path = given.path(HOST.name).unwrap_or("".as_ref());
        let faults = given.path(FAULTS.name).map(load::text).transpose()?.unwrap_or_default();
        let result = check_frozen(exporter, &load::tree(path)?, &faults);
        (name, result.map_err(|error| Failure::of(path.display(), error))?)
    };
    Ok(told(&name, result))
}

fn told(name: &str, result: Result<(), Violation>) -> ExitCode {
    match result {
        Ok(()) => {
            say!("{name}: every law holds");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            say!("{violation}");
            ExitCode::FAILURE
        }
    }
}
