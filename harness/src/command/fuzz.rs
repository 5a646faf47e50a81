//! `nodelab fuzz`.

use std::process::ExitCode;

use harness::fuzz::drive::Plan;
use harness::fuzz::{Target, target, targets};
use harness::load;
use harness::panics::caught;

use super::progress::Progress;
use super::{Arguments, Command, Failure, Flag};

const CASES: Flag = Flag::value("cases", "COUNT", "Inputs per target. Default: 10000.");
const SEED: Flag = Flag::value("seed", "NUMBER", "Seed of the random inputs. Default: 1.");
const INPUT: Flag = Flag::value("input", "FILE", "Run one target on this input only.");
const CORPUS: Flag = Flag::value("corpus", "DIRECTORY", "Write the seed inputs there for libFuzzer, and run nothing.");
const LIST: Flag = Flag::switch("list", "List the targets and their laws.");

pub(super) const COMMAND: Command = Command {
    name: "fuzz",
    arguments: "[TARGET…]",
    about: "fuzz every parser of untrusted input",
    details: "A TARGET is a format, or collector-NAME; the default is all targets. Inputs are mutations of valid\n\
              ones. An input that breaks the target's law is shrunk and stored in harness/fuzz/regressions, which\n\
              later runs try first. The same seed gives the same inputs. `.ci/fuzz` runs libFuzzer, which is guided\n\
              by coverage.\n",
    flags: &[CASES, SEED, INPUT, CORPUS, LIST],
    exits: &[(1, "a law was broken")],
    run,
};

const CASES_USUAL: u64 = 10_000;

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    let chosen = chosen(given)?;
    if given.has(LIST.name) {
        for target in &chosen {
            say!("{:<32} {}", target.name, target.law);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(folder) = given.path(CORPUS.name) {
        for target in &chosen {
            let folder = folder.join(&target.name);
            load::create_folder(&folder)?;
            for (number, seed) in target.seeds()?.into_iter().enumerate() {
                load::write(&folder.join(format!("seed-{number:04}")), &seed)?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = given.path(INPUT.name) {
        let [target] = chosen.as_slice() else {
            return Err(Failure::Usage("--input needs exactly one TARGET".to_owned()));
        };
        let input = load::bytes(path)?;
        let mut attempt = target.prepare();
        caught(|| attempt(&input)).map_err(|problem| Failure::of(&target.name, problem))?;
        say!("{}: the law holds", target.name);
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan { cases: given.number(CASES)?.unwrap_or(CASES_USUAL), seed: given.number(SEED)?.unwrap_or(1) };
    drive(&chosen, plan)
}

fn chosen(given: &Arguments) -> Result<Vec<Target>, Failure> {
    let names: Vec<_> = given.all_words().collect();
    if names.is_empty() {
        return Ok(targets());
    }
    names.iter().map(|name| target(&name.to_string_lossy()).map_err(Failure::Usage)).collect()
}

fn drive(chosen: &[Target], plan: Plan) -> Result<ExitCode, Failure> {
    let progress = Progress::new("trying");
    let mut is_sound = true;
    for (number, target) in chosen.iter().enumerate() {
        progress.now(&target.name);
        progress.at(number);
        if let Err(finding) = target.drive(plan)? {
            is_sound = false;
            say!("{}", target.keep(&finding)?);
        }
    }
    drop(progress);
    say!("{} targets, {} inputs each, seed {}", chosen.len(), plan.cases, plan.seed);
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
