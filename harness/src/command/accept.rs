//! `nodelab accept`.

use std::process::ExitCode;

use harness::{generated, load};

use super::{Command, Failure, Given};

pub(super) const COMMAND: Command = Command {
    name: "accept",
    arguments: "",
    about: "write the files that are derived from declarations and fixtures",
    details: "Tables in README.md and docs/, and the golden pages of fixtures/hosts. Look at the difference before\n\
              committing it: these files are what the collectors do.\n",
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
