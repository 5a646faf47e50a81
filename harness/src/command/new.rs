//! `nodelab new`.

use std::path::PathBuf;
use std::process::ExitCode;

use harness::load;
use harness::scaffold::{self, Plan};

use super::{Command, Failure, Flag, Given};

const READS: Flag = Flag::values("reads", "PATH", "A file that it reads: proc/foo, sys/class/foo/bar.");
const INTO: Flag = Flag::value("into", "DIR", "The workspace to write into. The one that nodelab was built from.");

pub(super) const COMMAND: Command = Command {
    name: "new",
    arguments: "NAME",
    about: "write a new collector, its test, its fixture and its generator",
    details: "NAME is what its flag is called: --collector.NAME. Written are its file, an entry of a fixture host, a file of\n\
              the simulator, and its place in every list. All of that compiles; the tests fail in the places to fill,\n\
              which are printed.\n",
    flags: &[READS, INTO],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [name] = given.words(["NAME"])?;
    let plan = Plan::new(&name.to_string_lossy(), &given.texts(READS.name)?).map_err(Failure::Usage)?;
    let workspace = given.path(INTO.name).map_or_else(load::workspace, PathBuf::from);
    let current = |path: &str| String::from_utf8(load::bytes(&workspace.join(path))?).map_err(std::io::Error::other);
    let changes = plan.changes(current).map_err(Failure::Broken)?;
    for change in &changes {
        load::write(&workspace.join(&change.path), change.content.as_bytes())?;
        say!("wrote {}", change.path);
    }
    say!("\nTo fill in, each until its test passes:");
    for place in scaffold::places(&changes) {
        say!("  {place}");
    }
    say!("\nThen accept what follows from it: CONTRIBUTING.md, step 6.");
    Ok(ExitCode::SUCCESS)
}
