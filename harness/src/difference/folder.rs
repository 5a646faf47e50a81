//! Comparison on one folder: a host is written to disk, and a peer and our collectors read it.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use collectors::ALL;
use collectors::host::kernel::linux::Linux;
use collectors::host::root::dir::Dir;
use collectors::host::root::host::Host;
use collectors::host::root::tree::{Node, Tree};
use collectors::host::root::{Mount, Root, Roots};
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::{Scraper, Selection};
use collectors::textfile::DIRECTORY_FLAG;
use node_exporter::flags::{self, Command};

use super::known::KnownDifferences;
use super::show::Comparison;
use crate::exposition::Format;
use crate::peer::{Peer, Program};
use crate::{host, load};

/// Flags that switch off sources other than files, or enable more output, for both exporters.
pub const FOR_BOTH: &[&str] = &[
    "--no-collector.netdev.netlink",
    "--no-collector.arp.netlink",
    "--collector.stat.softirq",
    "--collector.cpu.info",
    "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys)($|/)",
    "--collector.filesystem.fs-types-exclude=^(autofs|cgroup2?|proc|sysfs)$",
];

/// Debian's default excludes devices that the original default does not.
pub const FOR_THEIRS: &[&str] = &["--collector.netdev.device-exclude=^$"];

/// In this version the collector exits the process if /proc/self is not a link to a process, as on two of our hosts.
const STOPS_THE_PEER: (&str, &str) = ("1.5.0", "mountstats");

/// Families whose value does not come from files: both ask this machine, at different times. Families declared volatile
/// are excluded as well.
const LEFT_OUT: &[(&str, &str)] = &[
    ("node_time_seconds", "the time of day"),
    ("node_filesystem_avail_bytes", "other processes write to the disk"),
    ("node_filesystem_files_free", "other processes write to the disk"),
    ("node_filesystem_free_bytes", "other processes write to the disk"),
];

fn is_left_out(family: &str) -> bool {
    LEFT_OUT.iter().any(|(name, _)| *name == family) || host::is_volatile(family)
}

/// Its counters begin when each exporter opens them, and before 1.12 it needs flags where hardware events cannot be counted.
const COUNTS_OF_ITS_OWN: &str = "perf";

/// Names of the collectors of both exporters, without those whose values depend on the exporter.
pub fn of_both(program: &Program) -> BTreeSet<&'static str> {
    let names = ALL.iter().map(|registration| registration.declaration.name);
    let is_known = |name: &&str| {
        program.takes(&format!("collector.{name}"))
            && (program.version.as_str(), *name) != STOPS_THE_PEER
            && *name != COUNTS_OF_ITS_OWN
    };
    names.filter(is_known).collect()
}

/// Values of these flags, with the common collectors enabled and all other ones disabled.
pub fn values(both: &BTreeSet<&str>, arguments: &[String]) -> io::Result<FlagValues> {
    let switches = ALL
        .iter()
        .map(|registration| registration.declaration.name)
        .map(|name| if both.contains(name) { format!("--collector.{name}") } else { format!("--no-collector.{name}") });
    let all = switches.chain(arguments.iter().cloned());
    match flags::parse(ALL, all.map(Into::into)) {
        Ok(Command::Serve(settings)) => Ok(settings.values),
        Ok(_) => Err(io::Error::other("these flags do not start the server")),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Flags for the peer: the given ones that it knows, and the common collectors.
pub(super) fn for_peer(program: &Program, flags: &[&str], arguments: Vec<String>) -> Vec<String> {
    let known = flags.iter().chain(FOR_THEIRS).filter(|flag| program.takes(name_of(flag))).map(|&flag| flag.to_owned());
    let collectors = of_both(program).into_iter().map(|name| format!("--collector.{name}"));
    let own = ["--collector.disable-defaults", "--web.disable-exporter-metrics"].map(str::to_owned);
    arguments.into_iter().chain(known).chain(collectors).chain(own).collect()
}

/// The flag name of an argument such as `--no-collector.arp.netlink`.
pub fn name_of(argument: &str) -> &str {
    let name = argument.trim_start_matches("--").trim_start_matches("no-");
    name.split('=').next().unwrap_or_default()
}

/// Compares both exporters on a host.
pub fn compare<'a>(
    program: &Program,
    place: &str,
    mut tree: Tree,
    knowledge: &'a KnownDifferences,
) -> io::Result<Comparison<'a>> {
    mounts(&mut tree).map_err(io::Error::other)?;
    let folder = tempfile::tempdir()?;
    for mount in Mount::ALL {
        // A missing mount is an empty folder for both.
        let _ = tree.insert(mount.name(), Node::directory());
    }
    load::unpack(&tree, folder.path())?;
    let (theirs, ours) = (their_page(program, folder.path())?, our_page(program, folder.path())?);
    super::pages(place, ours.as_bytes(), &theirs, knowledge, |family| !is_left_out(family))
}

/// The peer reads /proc/1/mounts, derived here from mountinfo. Each mount point gets a folder, so that both query the
/// file system of the temporary folder.
pub fn mounts(tree: &mut Tree) -> Result<(), String> {
    let mountinfo = ["proc/1/mountinfo", "proc/self/mountinfo"].iter().find_map(|path| tree.content(path));
    let Some(mountinfo) = mountinfo.map(<[u8]>::to_vec) else { return Ok(()) };
    let mut mounts = Vec::new();
    for line in mountinfo.split(|&byte| byte == b'\n') {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let Some(dash) = fields.iter().position(|field| *field == b"-") else { continue };
        let (Some(point), Some(kind), Some(source)) = (fields.get(4), fields.get(dash + 1), fields.get(dash + 2))
        else {
            continue;
        };
        let options = fields.get(5).copied().unwrap_or_default();
        mounts.extend_from_slice(&[source, *point, kind, options, b"0", b"0"].join(&b' '));
        mounts.push(b'\n');
        let place = [b"rootfs", *point].concat();
        if tree.get(&place).is_none() && point.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\') {
            // A folder below a file cannot be created; both exporters then find nothing there.
            let _ = tree.insert(place.strip_suffix(b"/").unwrap_or(&place), Node::directory());
        }
    }
    let path = "proc/1/mounts";
    if tree.get(path.as_bytes()).is_some() {
        tree.remove(path);
    }
    tree.insert(path, Node::file(mounts)).map_err(|error| format!("{path}: {error}"))
}

fn their_page(program: &Program, folder: &Path) -> io::Result<Vec<u8>> {
    let path = |flag: &str, name: &str| format!("--path.{flag}={}", folder.join(name).display());
    let arguments = vec![
        path("procfs", "proc"),
        path("sysfs", "sys"),
        path("rootfs", "rootfs"),
        path("udev.data", "udev"),
        format!("--{}={}", DIRECTORY_FLAG.name, textfiles(folder)),
    ];
    let peer = Peer::start(&program.path, &for_peer(program, FOR_BOTH, arguments))?;
    Ok(peer.url().get(Format::Text)?.body)
}

fn textfiles(folder: &Path) -> String {
    format!("{}{}", folder.join("host").display(), host::TEXTFILE_DIRECTORY)
}

fn our_page(program: &Program, folder: &Path) -> io::Result<String> {
    let mut directories = Vec::new();
    for mount in Mount::ALL.into_iter().filter(|mount| *mount != Mount::Host) {
        let below = folder.join(mount.name());
        let fail = |error| io::Error::other(format!("{}: {error}", below.display()));
        let root: Arc<dyn Root> = Arc::new(Dir::open(&below).map_err(fail)?);
        directories.push((mount, root));
    }
    let anywhere: Arc<dyn Root> = Arc::new(Host);
    let roots = Roots::new(|mount| {
        let own = directories.iter().find(|(own, _)| *own == mount).map(|(_, root)| root);
        Arc::clone(own.unwrap_or(&anywhere))
    });
    let roots = roots.with_sys_place(&folder.join("sys").display().to_string());
    let mut arguments: Vec<String> = FOR_BOTH.iter().map(|&flag| flag.to_owned()).collect();
    arguments.push(format!("--{}={}", DIRECTORY_FLAG.name, textfiles(folder)));
    let kernel = Arc::new(Linux::new(&folder.join("rootfs")));
    let values = values(&of_both(program), &arguments)?;
    let scraper = Scraper::build(ALL, &values, roots, kernel).map_err(io::Error::other)?;
    Ok(host::scrape(&scraper, &Selection::ALL).page)
}
