//! `nodelab new`.

use std::path::PathBuf;
use std::process::ExitCode;

use harness::load;
use harness::scaffold::{self, Plan};

use super::{Command, Failure, Flag, Given};

const READS: Flag = Flag::values("reads", "PATH", "A file that it reads: proc/foo, 'sys/class/foo/*/bar'.");
const INTO: Flag = Flag::value("into", "DIR", "Workspace to write to. Default: the one that nodelab was built from.");

pub(super) const COMMAND: Command = Command {
    name: "new",
    arguments: "NAME",
    about: "write a new collector with its test, fixture and generator",
    details: "NAME is the name of the flag --collector.NAME. --reads names its files, in one or more mounts; *\n\
              stands for a name. Written are the collector, an entry of a fixture host, a generator of the\n\
              simulator, and the registration of both. All of it compiles; the tests fail until the marked lines\n\
              are completed, which are printed.\n",
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
    say!("\nTo complete, until the tests pass:");
    for place in scaffold::places(&changes) {
        say!("  {place}");
    }
    say!("\nThen run: cargo run -p harness -- accept");
    Ok(ExitCode::SUCCESS)
}
