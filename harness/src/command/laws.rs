//! `nodelab laws`.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use collectors::ALL;
use collectors::kit::kernel::Kernel;
use collectors::kit::kernel::canned::Canned;
use collectors::kit::nearest;
use harness::load;
use harness::property::{Broken, Ours, check_frozen, check_scenario, explore};
use simulator::scenario::Scenario;

use super::progress::Progress;
use super::{Command, Failure, Flag, Given};

const CASES: Flag = Flag::value("cases", "COUNT", "So many cases. 10000.");
const SEED: Flag = Flag::value("seed", "NUMBER", "Another number, other cases. 1.");
const SCENARIO: Flag = Flag::value("scenario", "FILE", "Try this host, with the faults that the scenario says.");
const HOST: Flag = Flag::value("host", "FILE", "Try this host, a .tree file.");
const FAULTS: Flag = Flag::value("faults", "FILE", "What breaks of --host: a fault a line.");

pub(super) const COMMAND: Command = Command {
    name: "laws",
    arguments: "[COLLECTOR]",
    about: "put the laws of every exporter to our collectors, on random hosts",
    details: "A case is a machine of a random kind, seed, size and moment, a collector, and faults of what it reads. What\n\
              breaks a law is shrunk, machine and faults together, and printed as a scenario and as the smallest host that\n\
              shows it. With --scenario or --host one COLLECTOR is tried on that host alone.\n",
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
    let share = u32::try_from(cases.div_ceil(threads as u64)).unwrap_or(u32::MAX);
    let found: Vec<Box<Broken>> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads as u64).map(|worker| scope.spawn(move || explore(share, seed << 16 | worker))).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()?.err()).collect()
    });
    drop(progress);
    for broken in &found {
        println!("{broken}");
    }
    println!("{cases} cases, seed {seed}: {}", if found.is_empty() { "every law holds" } else { "a law was broken" });
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay(given: &Given) -> Result<ExitCode, Failure> {
    let [name] = given.words(["COLLECTOR"])?;
    let name = name.to_string_lossy();
    let declarations = || ALL.iter().map(|registration| registration.declaration);
    let ours = declarations().find(|declaration| declaration.name == name).map(Ours);
    let ours = ours.ok_or_else(|| {
        let near = nearest::among(&name, declarations().map(|declaration| declaration.name));
        Failure::Usage(match near {
            Some(near) => format!("no collector is called `{name}`; did you mean `{near}`?"),
            None => format!("no collector is called `{name}`; `nodelab list` names them"),
        })
    })?;
    let result = if let Some(path) = given.path(SCENARIO.name) {
        let text = String::from_utf8_lossy(&load::bytes(path)?).into_owned();
        let scenario = Scenario::parse(&text).map_err(|error| Failure::of(path.display(), error))?;
        check_scenario(&ours, &scenario).map_err(|error| Failure::of(path.display(), error))?
    } else {
        let path = given.path(HOST.name).unwrap_or("".as_ref());
        let tree = Arc::new(load::tree(path)?);
        let kernel = Canned::parse(|path| tree.content(path)).map_err(|error| Failure::of(path.display(), error))?;
        let faults = given.path(FAULTS.name).map(load::bytes).transpose()?.unwrap_or_default();
        let faults = String::from_utf8_lossy(&faults).into_owned();
        let kernel: Arc<dyn Kernel> = Arc::new(kernel);
        check_frozen(&ours, &tree, &kernel, &faults).map_err(Failure::Broken)?
    };
    match result {
        Ok(()) => {
            println!("{name}: every law holds");
            Ok(ExitCode::SUCCESS)
        }
        Err(violation) => {
            println!("{violation}");
            Ok(ExitCode::FAILURE)
        }
    }
}
