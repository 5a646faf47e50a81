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
use super::{Arguments, Command, Failure, Flag, scrub};

const COLLECTOR: Flag =
    Flag::values("collector", "NAME", "Record only what this collector reads. Default: every collector.");
const NO_COLLECTORS: Flag = Flag::switch("no-collectors", "Record only what --glob matches.");
const GLOB: Flag = Flag::values(
    "glob",
    "PATTERN",
    "Record these files too: /proc/net/*, '/sys/class/net/**/uevent'. * matches within a name, ** any directories.",
);
const INTERVAL: Flag =
    Flag::value("interval", "TIME", "Record again after this time, so that counters advance in replay: 30s, 1m30s.");
const TIMEOUT: Flag =
    Flag::value("timeout", "TIME", "Timeout for a file or mount; it is recorded as an error. Default: 10s.");
const TEXTFILES: Flag = Flag::value("textfile.directory", "DIR", "Directory of the textfile collector.");
const NO_SCRUB: Flag = Flag::switch("no-scrub", "Keep names, addresses and serial numbers. Do not share such a file.");
const PATHS: [Flag; 4] = [
    Flag::value("path.procfs", "DIR", "Mount point of procfs. Default: /proc."),
    Flag::value("path.sysfs", "DIR", "Mount point of sysfs. Default: /sys."),
    Flag::value("path.rootfs", "DIR", "Mount point of the host's root file system. Default: /."),
    Flag::value("path.udev.data", "DIR", "Directory of the udev database. Default: /run/udev/data."),
];

pub(super) const COMMAND: Command = Command {
    name: "record",
    arguments: "OUT",
    about: "record this Linux host to a file that replays on any system",
    details: "OUT is NAME.tree, NAME.tar, or else a new directory. Recorded are the files that the collectors\n\
              read, with links and errors, and the answers of the kernel; `node_exporter --replay OUT` serves\n\
              them. Nothing on the host is changed; a file that hangs costs its timeout.\n\
              \nBy default identities are replaced (see `nodelab scrub --help`), and a recording with possible\n\
              secrets is not written.\n",
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
        scrub::KEY_FILE,
        scrub::ALLOW,
    ],
    exits: scrub::EXITS,
    run,
};

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    let [out] = given.words(["OUT"])?;
    let registrations = registrations(given)?;
    let plan = plan(given, &registrations)?;
    let interval = given.duration(INTERVAL.name)?;
    let progress = Progress::new("files read");
    let tree = moments(given, &plan, interval, &progress)?;
    drop(progress);
    let tree = if given.has(NO_SCRUB.name) {
        eprintln!("not scrubbed: the file contains names, addresses and serial numbers of this host");
        tree
    } else {
        match scrub::scrubbed(&tree, given)? {
            Ok(tree) => tree,
            Err(status) => return Ok(status),
        }
    };
    for path in load::write_host(&tree, out.as_ref())? {
        eprintln!("not written, cannot exist on disk: {path}");
    }
    eprintln!("wrote {} entries to {}", tree.iter().count(), out.display());
    Ok(ExitCode::SUCCESS)
}

fn registrations(given: &Arguments) -> Result<Vec<Registration>, Failure> {
    let names = given.texts(COLLECTOR.name)?;
    if given.has(NO_COLLECTORS.name) {
        let problem = || Failure::Usage("--no-collectors and --collector exclude each other".into());
        return if names.is_empty() { Ok(Vec::new()) } else { Err(problem()) };
    }
    let known = |name: &str| ALL.iter().any(|registration| registration.declaration.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(Failure::Usage(format!("--collector: `{unknown}` is not a collector; see docs/COLLECTORS.md")));
    }
    let is_wanted = |registration: &&Registration| names.is_empty() || names.contains(&registration.declaration.name);
    Ok(ALL.iter().filter(is_wanted).copied().collect())
}

fn plan<'a>(given: &Arguments, registrations: &'a [Registration]) -> Result<Plan<'a>, Failure> {
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
fn moments(
    given: &Arguments,
    plan: &Plan<'_>,
    interval: Option<Duration>,
    progress: &Progress,
) -> Result<Tree, Failure> {
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
    progress.now(&format!("first snapshot done; the second follows {} s later", interval.as_secs_f64()));
    load::wait(interval);
    let second = once()?;
    for note in &second.notes {
        eprintln!("second snapshot: {note}");
    }
    record::combine(&first.tree, &second.tree).map_err(|error| Failure::of("the second snapshot", error))
}

#[cfg(not(target_os = "linux"))]
fn moments(_: &Arguments, _: &Plan<'_>, _: Option<Duration>, _: &Progress) -> Result<Tree, Failure> {
    let problem = "recording needs Linux; record there and replay the file here";
    Err(Failure::Broken(problem.to_owned()))
}
