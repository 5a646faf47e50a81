//! One folder after the other, read by both.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use collectors::ALL;
use collectors::kit::kernel::linux::Linux;
use collectors::kit::options::FlagValues;
use collectors::kit::root::dir::Dir;
use collectors::kit::root::host::Host;
use collectors::kit::root::tree::{Node, Tree};
use collectors::kit::root::{Mount, Root, Roots};
use collectors::kit::scraper::{Scraper, Selection};
use collectors::textfile::DIRECTORY_FLAG;
use harness::difference::{self, AddedLabel, Difference, Known};
use harness::needs::Need;
use harness::peer::{self, Peer};
use harness::{conformance, exposition, host, load};

/// Flags that only one of the two knows, or that turn both away from the kernel of this machine.
pub(crate) const FOR_BOTH: &[&str] = &[
    "--no-collector.netdev.netlink",
    "--collector.stat.softirq",
    "--collector.cpu.info",
    "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys)($|/)",
    "--collector.filesystem.fs-types-exclude=^(autofs|cgroup2?|proc|sysfs)$",
];
pub(crate) const FOR_OURS: &[&str] = &["--no-collector.arp.netlink"];
/// Debian's defaults leave out what the original's do not.
pub(crate) const FOR_THEIRS: &[&str] = &["--collector.netdev.device-exclude=^$"];

/// With this collector 1.5.0 ends at once where /proc/self is no link to a process, as on two of our hosts.
const STOPS_THE_PEER: &str = "mountstats";

/// The names of the collectors that both have, and of those that are on in both if nobody says: the peer refuses to start
/// with a flag that it does not know.
pub(crate) fn of_both() -> [BTreeSet<&'static str>; 2] {
    let help = peer::help(&Need::Peer.path()).expect("the peer's help");
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_told = |name: &str, state: &str| help.contains(&format!("Enable the {name} collector (default: {state})."));
    let (mut all, mut on) = (BTreeSet::new(), BTreeSet::new());
    for declaration in ALL.iter().map(|registration| registration.declaration) {
        let is_on = is_told(declaration.name, "enabled");
        if is_on || is_told(declaration.name, "disabled") {
            all.insert(declaration.name);
        }
        if is_on && declaration.is_enabled {
            on.insert(declaration.name);
        }
    }
    assert!(all.len() > 50 && on.len() > 30, "the peer's help lists {all:?} of our collectors only");
    [all, on]
}

/// What is compared over trees.
fn over_trees() -> BTreeSet<&'static str> {
    let [mut all, _] = of_both();
    all.remove(STOPS_THE_PEER);
    all
}

/// How long a collector took, the time of day, and what is free on a disk that others write to, are nobody's to agree
/// on.
const LEFT_OUT: &[&str] = &[
    "node_scrape_collector_duration_seconds",
    "node_time_seconds",
    "node_filesystem_avail_bytes",
    "node_filesystem_files_free",
    "node_filesystem_free_bytes",
];

pub(crate) fn the_peer_agrees_on_every_tree() {
    let text = load::bytes(&load::workspace().join("docs/DIFFERENCES.md")).expect("docs/DIFFERENCES.md");
    let text = String::from_utf8(text).expect("Markdown is text");
    let mut known = difference::known(&text, "### Lines that differ\n").expect("a table of known differences");
    known.extend(difference::known(&text, "### Lines that it takes from its own machine").expect("a table of them"));
    let added = difference::added_labels(&text, "### Labels that 1.5.0 has not").expect("a table of labels");
    let mut seen = BTreeSet::new();
    let mut unknown = Vec::new();
    let mut trees: Vec<(String, Tree)> = Vec::new();
    for name in load::hosts().expect("fixtures/hosts") {
        let tree = load::host(&name).expect("a fixture host");
        trees.push((name, tree));
    }
    trees.push(("conformance".into(), conformance::tree(&Need::ConformanceData.path()).expect("the data")));
    for (name, mut tree) in trees {
        let compared = compare(&mut tree, &added);
        println!("{name}: {} families compared, {} lines differ", compared.families, compared.differences.len());
        assert!(compared.families > 100, "{name}: the peer's page has next to nothing in common with ours");
        for found in compared.differences {
            match known.iter().position(|known| is_explained(known, &found)) {
                Some(at) => {
                    seen.insert(at);
                }
                None => unknown.push(format!("{name}: {found}")),
            }
        }
    }
    let unseen = known.iter().enumerate().filter(|(at, _)| !seen.contains(at));
    unknown.extend(unseen.map(|(_, known)| format!("listed, but occurs no more: `{}`", known.pattern)));
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

pub(crate) fn is_explained(known: &Known, found: &Difference) -> bool {
    known.pattern.is_match(&found.line)
}

struct Compared {
    families: usize,
    differences: Vec<Difference>,
}

fn compare(tree: &mut Tree, added: &[AddedLabel]) -> Compared {
    mounts(tree);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for mount in Mount::ALL {
        // A host may lack one of them; an empty folder answers the same to both.
        let _ = tree.insert(mount.name(), Node::directory());
    }
    load::unpack(tree, folder.path()).expect("a tree on disk");
    let theirs = their_page(folder.path());
    let ours = our_page(folder.path());
    let theirs = exposition::parse(&theirs).expect("the peer's page is well formed");
    let ours = exposition::parse(ours.as_bytes()).expect("our page is well formed");
    let names: BTreeSet<&str> = ours.families.iter().map(|family| family.name).collect();
    let families = theirs.families.iter().filter(|family| names.contains(family.name)).count();
    let mut differences = difference::between(&ours, &theirs, added);
    differences.retain(|difference| !LEFT_OUT.contains(&difference.family.as_str()));
    Compared { families, differences }
}

/// The peer reads /proc/1/mounts, which tells the same as mountinfo in other columns. Each mount point gets a folder,
/// so that both ask the file system below the temporary folder for its size.
pub(crate) fn mounts(tree: &mut Tree) {
    let mountinfo = ["proc/1/mountinfo", "proc/self/mountinfo"].iter().find_map(|path| tree.content(path));
    let Some(mountinfo) = mountinfo.map(<[u8]>::to_vec) else { return };
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
            // A folder below a file, say, cannot be made; both then find nothing there.
            let _ = tree.insert(place.strip_suffix(b"/").unwrap_or(&place), Node::directory());
        }
    }
    tree.insert("proc/1/mounts", Node::file(mounts)).expect("a place for mounts");
}

pub(crate) fn flag_of(path: &str, folder: &Path, name: &str) -> String {
    format!("--path.{path}={}", folder.join(name).display())
}

fn their_page(folder: &Path) -> Vec<u8> {
    let mut arguments = vec![
        flag_of("procfs", folder, "proc"),
        flag_of("sysfs", folder, "sys"),
        flag_of("rootfs", folder, "rootfs"),
        flag_of("udev.data", folder, "udev"),
        "--collector.disable-defaults".to_owned(),
        format!("--{}={}", DIRECTORY_FLAG.name, textfiles(folder)),
    ];
    arguments.extend(FOR_BOTH.iter().chain(FOR_THEIRS).map(|&flag| flag.to_owned()));
    arguments.extend(over_trees().into_iter().map(|name| format!("--collector.{name}")));
    let peer = Peer::start(&Need::Peer.path(), &arguments).expect("the peer starts");
    peer.get("/metrics").expect("the peer's page")
}

fn textfiles(folder: &Path) -> String {
    format!("{}{}", folder.join("host").display(), host::TEXTFILE_DIRECTORY)
}

fn our_page(folder: &Path) -> String {
    let roots = Roots::new(|mount| -> Arc<dyn Root> {
        match mount {
            Mount::Host => Arc::new(Host),
            mount => Arc::new(Dir::open(folder.join(mount.name())).expect("a folder for each mount")),
        }
    });
    let both = over_trees();
    let roots = roots.with_sys_place(&folder.join("sys").display().to_string());
    let mut values = values(&both, FOR_BOTH.iter().chain(FOR_OURS).copied());
    values.give(&DIRECTORY_FLAG, &textfiles(folder)).expect("a folder");
    let kernel = Arc::new(Linux::new(&folder.join("rootfs")));
    let scraper = Scraper::build(ALL, &values, roots, kernel).expect("our collectors");
    host::scrape(&scraper, &Selection::ALL).page
}

/// Our flags with these collectors on, and as the arguments say.
pub(crate) fn values<'a>(enabled: &BTreeSet<&str>, arguments: impl Iterator<Item = &'a str>) -> FlagValues {
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    for declaration in ALL.iter().map(|registration| registration.declaration) {
        values.enable(declaration.name, enabled.contains(declaration.name));
    }
    for argument in arguments {
        let (name, value) = argument.strip_prefix("--no-").map_or((&argument[2..], "true"), |name| (name, "false"));
        let (name, value) = name.split_once('=').unwrap_or((name, value));
        let mut flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
        let flag = flags.find(|flag| flag.name == name).unwrap_or_else(|| panic!("--{name} is a flag of ours"));
        values.give(flag, value).expect("a value of the flag's kind");
    }
    values
}
