//! `nodelab scrub`.

use std::process::ExitCode;

use harness::load;

use super::{Command, Failure, Given, scrubbing};

pub(super) const COMMAND: Command = Command {
    name: "scrub",
    arguments: "FILE OUT",
    about: "replace the identities in a host by pseudonyms",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory; OUT a .tree or .tar file, or a\n\
              directory.\n\
              \nHost and user names, MAC, IPv4 and IPv6 addresses, GUIDs, WWNs, serial numbers, UUIDs, command lines\n\
              and the machine-id are replaced by pseudonyms of the same form, consistently. Possible secrets that\n\
              remain are reported, and then nothing is written. docs/RECORDING.md has the details.\n",
    flags: &[scrubbing::KEY_FILE, scrubbing::ALLOW],
    exits: scrubbing::EXITS,
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [file, out] = given.words(["FILE", "OUT"])?;
    let tree = load::any_host(file.as_ref())?;
    match scrubbing::scrubbed(&tree, given)? {
        Ok(tree) => {
            for path in load::write_host(&tree, out.as_ref())? {
                say!("not written, cannot exist on disk: {path}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(status) => Ok(status),
    }
}
