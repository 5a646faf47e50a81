//! `nodelab show`.

use std::process::ExitCode;
use std::sync::Arc;

use collectors::host::root::tree::KERNEL;
use collectors::host::root::{Kind, Mount, Names};
use collectors::kit::files::FILE_CAP_BYTES;
use harness::load;
use simulator::recording::replay::Replay;

use super::{Command, Failure, Flag, Given, print_bytes};

const AFTER: Flag = Flag::value("after", "TIME", "Time after the first snapshot, for recordings with two.");

pub(super) const COMMAND: Command = Command {
    name: "show",
    arguments: "FILE PATH",
    about: "print a file of a host, a listing of a directory, or an answer of its kernel",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory. PATH is a path on the host,\n\
              /proc/loadavg, or of a kernel answer in the file, kernel/uname. Links are followed.\n",
    flags: &[AFTER],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [file, path] = given.words(["FILE", "PATH"])?;
    let after = given.duration(AFTER.name)?.unwrap_or_default();
    let tree = load::any_host(file.as_ref())?;
    let replay = Replay::new(Arc::new(tree), move || after).map_err(|error| Failure::of(file.display(), error))?;
    let shown = path.display().to_string();
    let inside = shown.strip_prefix('/').unwrap_or(&shown);
    let fail = |error: &dyn std::fmt::Display| Failure::of(&shown, error);
    let placed =
        simulator::recording::archive::place(inside.as_bytes()).map_err(|error| fail(&error))?.unwrap_or_default();
    let placed = String::from_utf8_lossy(&placed).into_owned();
    let (folder, below) = placed.split_once('/').unwrap_or((&placed, ""));
    if folder == KERNEL {
        let content = replay.content(&placed);
        return content.map(|content| print_bytes(&content)).ok_or_else(|| fail(&"the host has no such kernel answer"));
    }
    let mount = Mount::ALL.into_iter().find(|mount| mount.name() == folder);
    let mount = mount.ok_or_else(|| fail(&"not a mount of a host; expected /proc, /sys or kernel/"))?;
    let roots = replay.roots();
    let root = roots.get(mount);
    let kind = root.metadata(below.as_bytes()).map_err(|error| fail(&error))?.kind;
    let mut bytes = Vec::new();
    if kind == Kind::Directory {
        let mut names = Names::new();
        root.list(below.as_bytes(), &mut names).map_err(|error| fail(&error))?;
        for (name, kind) in names.iter_kinds() {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(if kind == Kind::Directory { b"/\n" } else { b"\n" });
        }
    } else {
        root.read(below.as_bytes(), &mut bytes, FILE_CAP_BYTES).map_err(|error| fail(&error))?;
    }
    Ok(print_bytes(&bytes))
}
