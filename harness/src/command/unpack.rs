//! `nodelab unpack`.

use std::process::ExitCode;

use harness::load;

use super::{Command, Failure, Given};

pub(super) const COMMAND: Command = Command {
    name: "unpack",
    arguments: "FILE OUT",
    about: "write a host in another form: a directory, a tar archive or a .tree file",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory. OUT is what its name says: NAME.tar,\n\
              NAME.tree, or else a directory, which must be new or empty, and needs a disk that holds names with `:`\n\
              and symbolic links. What cannot stand on a disk (files that fail to be read, sockets) is named.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [file, out] = given.words(["FILE", "OUT"])?;
    let tree = load::any_host(file.as_ref())?;
    for path in load::write_host(&tree, out.as_ref())? {
        say!("left out, as it cannot be on disk: {path}");
    }
    Ok(ExitCode::SUCCESS)
}
