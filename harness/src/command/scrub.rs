//! `nodelab scrub`.

use std::process::ExitCode;

use harness::load;

use super::{Command, Failure, Given, scrubbing};

pub(super) const COMMAND: Command = Command {
    name: "scrub",
    arguments: "FILE OUT",
    about: "take the identities out of a host",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory; OUT a .tree or .tar file, or a directory.\n\
              \nNames of hosts and users, MAC, IPv4 and IPv6 addresses, GUIDs, WWNs, serials, UUIDs, command lines and\n\
              the machine-id are replaced by pseudonyms of the same form, the same ones everywhere. What looks like a\n\
              secret and was not recognised is reported, and then nothing is written. docs/RECORDING.md tells more.\n",
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
                say!("left out, as it cannot be on disk: {path}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(status) => Ok(status),
    }
}
