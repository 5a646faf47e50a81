//! `nodelab unpack`.

use std::process::ExitCode;

use harness::load;

use super::{Command, Failure, Given};

pub(super) const COMMAND: Command = Command {
    name: "unpack",
    arguments: "FILE OUT",
    about: "convert a host to a directory, a tar archive or a .tree file",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory. OUT is NAME.tar, NAME.tree, or\n\
              else a directory, which must be new or empty, on a file system that allows `:` in names and symbolic\n\
              links. Entries that cannot exist on disk (files that fail to be read, sockets) are listed.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [file, out] = given.words(["FILE", "OUT"])?;
    let tree = load::any_host(file.as_ref())?;
    for path in load::write_host(&tree, out.as_ref())? {
        say!("not written, cannot exist on disk: {path}");
    }
    Ok(ExitCode::SUCCESS)
}
