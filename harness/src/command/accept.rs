//! `nodelab accept`.

use std::process::ExitCode;

use harness::{generated, load};

use super::{Command, Failure, Given};

pub(super) const COMMAND: Command = Command {
    name: "accept",
    arguments: "",
    about: "update every file that is derived from declarations and fixtures",
    details: "Tables in README.md and docs/, golden pages of fixtures/hosts, snapshots of the tests, the budget\n\
              and the fingerprints of simulated hosts. Review the diff before you commit it: these files describe\n\
              what the collectors do.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    given.words([])?;
    for file in generated::all()? {
        if !file.is_up_to_date() {
            load::write(&file.full_path(), file.content.as_bytes())?;
            say!("wrote {}", file.path);
        }
    }
    Ok(ExitCode::SUCCESS)
}
