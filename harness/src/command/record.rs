//! `nodelab record`.

use std::process::ExitCode;
use std::time::Duration;

use collectors::ALL;
use collectors::host::root::tree::Tree;
use collectors::kit::declare::Registration;
use collectors::kit::options::FlagKind;
use harness::load;
use simulator::recording::record::{Glob, Plan};

use super::progress::Progress;
use super::{Command, Failure, Flag, Given, scrubbing};

const COLLECTOR: Flag =
    Flag::values("collector", "NAME", "Only what this collector reads. Without it, what all of them do.");
const NO_COLLECTORS: Flag = Flag::switch("no-collectors", "Only what --glob names.");
const GLOB: Flag = Flag::values(
    "glob",
    "PATTERN",
    "These files as well: /proc/net/*, '/sys/class/net/**/uevent'. * is a part of one name, ** any number of folders.",
);
const INTERVAL: Flag =
    Flag::value("interval", "TIME", "Record a second time after so long, so that the replay moves: 30s, 1m30s.");
const TIMEOUT: Flag =
    Flag::value("timeout", "TIME", "How long a file or mount may take; it is an error in the recording then. 10s.");
const TEXTFILES: Flag = Flag::value("textfile.directory", "DIR", "Where the textfile collector looks.");
const NO_SCRUB: Flag =
    Flag::switch("no-scrub", "Keep every name, address and serial. Do not hand such a file to anybody.");
const PATHS: [Flag; 4] = [
    Flag::value("path.procfs", "DIR", "Where procfs is mounted. /proc."),
    Flag::value("path.sysfs", "DIR", "Where sysfs is mounted. /sys."),
    Flag::value("path.rootfs", "DIR", "Where the host's root file system is mounted. /."),
    Flag::value("path.udev.data", "DIR", "Where udev keeps its data. /run/udev/data."),
];

pub(super) const COMMAND: Command = Command {
    name: "record",
    arguments: "OUT",
    about: "record this host (Linux) into a file that replays anywhere",
    details: "OUT is NAME.tree, NAME.tar, or else a new directory. Recorded is what the collectors read, links and errors\n\
              included, and what the kernel answers them; `node_exporter --replay OUT` serves it. Nothing is changed\n\
              on the host, and what hangs costs its timeout alone.\n\
              \nUnless told otherwise, identities are replaced (see `nodelab scrub --help`), and a recording in which\n\
              something looks like a secret is not written.\n",
    flags: &[
        COLLECTOR,
        NO_COLLECTORS,
        GLOB,
        INTERVAL,
        TIMEOUT,
        TEXTFILES,
        PATHS[0],
        PATHS[1],
        PATHS[2],
        PATHS[3],
        NO_SCRUB,
        scrubbing::KEY_FILE,
        scrubbing::ALLOW,
    ],
    exits: scrubbing::EXITS,
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let [out] = given.words(["OUT"])?;
    let registrations = registrations(given)?;
    let plan = plan(given, &registrations)?;
    let interval = given.duration(INTERVAL.name)?;
    let progress = Progress::new("files read");
    let tree = moments(given, &plan, interval, &progress)?;
    drop(progress);
    let tree = if given.has(NO_SCRUB.name) {
        eprintln!("not scrubbed: the file holds the names, addresses and serials of this host");
        tree
    } else {
        match scrubbing::scrubbed(&tree, given)? {
            Ok(tree) => tree,
            Err(status) => return Ok(status),
        }
    };
    for path in load::write_host(&tree, out.as_ref())? {
        eprintln!("left out, as it cannot be on disk: {path}");
    }
    eprintln!("wrote {} entries to {}", tree.iter().count(), out.display());
    Ok(ExitCode::SUCCESS)
}

fn registrations(given: &Given) -> Result<Vec<Registration>, Failure> {
    let names = given.texts(COLLECTOR.name)?;
    if given.has(NO_COLLECTORS.name) {
        let problem = || Failure::Usage("--no-collectors and --collector contradict each other".into());
        return if names.is_empty() { Ok(Vec::new()) } else { Err(problem()) };
    }
    let known = |name: &str| ALL.iter().any(|registration| registration.declaration.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(Failure::Usage(format!("--collector: `{unknown}` is no collector; docs/COLLECTORS.md lists them")));
    }
    let is_wanted = |registration: &&Registration| names.is_empty() || names.contains(&registration.declaration.name);
    Ok(ALL.iter().filter(is_wanted).copied().collect())
}

fn plan<'a>(given: &Given, registrations: &'a [Registration]) -> Result<Plan<'a>, Failure> {
    let mut plan = Plan::of(registrations);
    for pattern in given.texts(GLOB.name)? {
        plan.globs.push(Glob::parse(pattern).map_err(|error| Failure::Usage(format!("--glob: {error}")))?);
    }
    if let Some(timeout) = given.duration(TIMEOUT.name)? {
        plan.timeout = timeout;
    }
    for folder in given.texts(TEXTFILES.name)? {
        let flags = registrations.iter().flat_map(|registration| registration.declaration.flags);
        let is_it = |name: &str| name == "collector.textfile.directory";
        for flag in flags.filter(|flag| is_it(flag.name) && flag.kind != FlagKind::Switch) {
            plan.flags.give(flag, folder).map_err(Failure::Usage)?;
        }
    }
    Ok(plan)
}

#[cfg(target_os = "linux")]
fn moments(given: &Given, plan: &Plan<'_>, interval: Option<Duration>, progress: &Progress) -> Result<Tree, Failure> {
    use std::path::Path;
    use std::sync::Arc;

    use node_exporter::flags::Paths;
    use simulator::recording::record;

    let path = |flag: &Flag, default| given.path(flag.name).unwrap_or(Path::new(default)).to_owned();
    let [procfs, sysfs, rootfs, udev] = PATHS;
    let paths = Paths {
        procfs: path(&procfs, "/proc"),
        sysfs: path(&sysfs, "/sys"),
        rootfs: path(&rootfs, "/"),
        udev: path(&udev, "/run/udev/data"),
        is_given: true,
    };
    let host = load::live(&paths)?;
    let once = || {
        let recording = record::record(&host.roots, Arc::clone(&host.kernel), plan, &|count| progress.at(count));
        recording.map_err(Failure::Broken)
    };
    let first = once()?;
    for note in &first.notes {
        eprintln!("note: {note}");
    }
    let Some(interval) = interval else { return Ok(first.tree) };
    progress.now(&format!("files read; the second moment is {} s later", interval.as_secs_f64()));
    load::wait(interval);
    let second = once()?;
    for note in &second.notes {
        eprintln!("note at the second moment: {note}");
    }
    record::combine(&first.tree, &second.tree).map_err(|error| Failure::of("the second moment", error))
}

#[cfg(not(target_os = "linux"))]
fn moments(_: &Given, _: &Plan<'_>, _: Option<Duration>, _: &Progress) -> Result<Tree, Failure> {
    let problem = "only Linux can tell of itself; record on a Linux host, and replay the file here";
    Err(Failure::Broken(problem.to_owned()))
}
