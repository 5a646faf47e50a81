//! Applies a plan to a frozen host, as far as a tree can represent faults.

use std::sync::Arc;
use std::time::Duration;

use collectors::host::root::resolve::{Last, PathBuffer, resolve};
use collectors::host::root::tree::{KERNEL, Node, Tree, What};
use collectors::host::root::{Kind as EntryKind, Mount, Names, Roots};

use super::{Fault, Kind, Plan};

/// Kernel entries with one line per subject, which can hold an error instead of an answer.
const ENTRIES_WITH_ERRORS: [&str; 4] = ["statfs", "btrfs", "wifi_networks", "wifi_stations"];
/// Time for which a hanging mount blocks in the `.tree` format.
const HANG_SECONDS: u64 = 60;

/// Frozen host with the faults of a moment applied.
#[derive(Clone, PartialEq, Debug)]
pub struct FrozenHost {
    /// Files and kernel answers.
    pub tree: Tree,
    /// Faults that a tree cannot represent, each with the reason.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Applies the faults that are active `elapsed` after the start. Faults that count operations or take time cannot be
    /// represented. `**` does not follow links, which could form a cycle.
    pub fn frozen(&self, tree: &Tree, elapsed: Duration) -> FrozenHost {
        let mut host = FrozenHost { tree: tree.clone(), left_out: Vec::new() };
        for fault in self.faults().iter().filter(|fault| fault.when.has_moment(elapsed)) {
            if let Err(reason) = host.apply(fault) {
                host.left_out.push(format!("{fault}: {reason}"));
            }
        }
        host
    }
}

impl FrozenHost {
    fn apply(&mut self, fault: &Fault) -> Result<(), &'static str> {
        if fault.when.counts_operations() {
            return Err("depends on the number of operations");
        }
        let is_kernel = fault.site.may_match_in(KERNEL);
        match fault.kind {
            Kind::Slow(_) => return Err("a tree has no delays"),
            Kind::Hanging if !is_kernel => return Err("a tree has no blocking files"),
            _ => {}
        }
        let mut answer = Ok(());
        if is_kernel && fault.kind.info().is_for_kernels {
            answer = self.apply_to_kernel(fault);
        }
        for path in self.paths(fault) {
            self.apply_at(&path, &fault.kind);
        }
        answer
    }

    /// Paths that the fault matches, as a reader requests them.
    fn paths(&self, fault: &Fault) -> Vec<Vec<u8>> {
        let mut paths = Vec::new();
        let roots = Arc::new(self.tree.clone()).roots();
        for mount in Mount::ALL.into_iter().filter(|mount| fault.site.may_match_in(mount.name())) {
            let mut found = Vec::new();
            walk(&roots, mount, &mut Vec::new(), fault, &mut found);
            paths.extend(found.into_iter().map(|path| [mount.name().as_bytes(), b"/", &path].concat()));
        }
        if paths.is_empty()
            && let Some((folder, path)) = fault.site.single().filter(|(folder, _)| folder != KERNEL.as_bytes())
        {
            paths.push([folder.as_slice(), b"/", path.as_slice()].concat());
        }
        paths
    }

    fn apply_at(&mut self, path: &[u8], kind: &Kind) {
        // Faults of an entry replace a link; faults of content apply to the link's target.
        let is_about_entry =
            matches!(kind, Kind::Missing | Kind::Vanishing(_) | Kind::Directory | Kind::Loop | Kind::Content(_));
        let target = entry(&self.tree, path, if is_about_entry { Last::Kept } else { Last::Followed });
        let before = self.tree.get(&target).cloned();
        let name = target.rsplit(|&byte| byte == b'/').next().unwrap_or_default().to_vec();
        let node = match (kind, before) {
            (Kind::Missing, _) => None,
            (Kind::Vanishing(_) | Kind::Error(_), before) => kind.error().map(|errno| {
                let is_directory = before.as_ref().is_some_and(|node| node.kind() == EntryKind::Directory);
                let node = if is_directory { Node::directory() } else { Node::file("") };
                before.filter(|node| node.kind() == EntryKind::File).unwrap_or(node).with_error(errno)
            }),
            (Kind::Directory, _) => Some(Node::directory()),
            (Kind::Loop, _) => Some(Node::link(name)),
            (_, Some(node)) => match node.what() {
                What::File(content) => {
                    let mut broken = content.clone();
                    kind.apply(&mut broken, content);
                    Some(node.with_content(broken))
                }
                What::Directory if *kind == Kind::Empty => Some(Node::directory()),
                _ => return,
            },
            (Kind::Content(_), None) => {
                let mut content = Vec::new();
                kind.apply(&mut content, b"");
                Some(Node::file(content))
            }
            (_, None) => return,
        };
        let keeps_entries = matches!(kind, Kind::Error(_) | Kind::Vanishing(_));
        if !(keeps_entries && node.as_ref().is_some_and(|node| node.kind() == EntryKind::Directory)) {
            self.tree.remove(&target);
        }
        if let Some(node) = node {
            // An impossible entry, such as a file below a file, is left out.
            let _ = self.tree.insert(&target, node);
        }
    }

    /// Applies a fault to a kernel entry, or to its lines about one subject.
    fn apply_to_kernel(&mut self, fault: &Fault) -> Result<(), &'static str> {
        let entries: Vec<(String, Vec<u8>)> = self
            .tree
            .iter()
            .filter_map(|(path, node)| {
                let name = std::str::from_utf8(path.strip_prefix(KERNEL.as_bytes())?.strip_prefix(b"/")?).ok()?;
                let What::File(content) = node.what() else { return None };
                Some((name.to_owned(), content.clone()))
            })
            .collect();
        let mut answer = Err("this host has no such kernel answer");
        for (name, content) in entries {
            let path = format!("{KERNEL}/{name}");
            if fault.site.matches(KERNEL, name.as_bytes()) && !ENTRIES_WITH_ERRORS.contains(&name.as_str()) {
                answer = if fault.kind == Kind::Missing {
                    self.tree.remove(&path);
                    Ok(())
                } else {
                    Err("a tree has no errors for this kernel answer")
                };
                continue;
            }
            let lines: Vec<&[u8]> = content.split_inclusive(|&byte| byte == b'\n').collect();
            let mut broken = Vec::new();
            let mut is_changed = false;
            for (at, line) in lines.iter().enumerate() {
                let subject = subject(line);
                let path = [name.as_bytes(), b"/", &decoded(subject)].concat();
                if !fault.site.matches(KERNEL, &path) {
                    broken.extend_from_slice(line);
                    continue;
                }
                is_changed = true;
                // Of several lines about one subject, the first gets the error.
                let is_first =
                    lines.get(..at).unwrap_or_default().iter().all(|before| self::subject(before) != subject);
                match fault.kind.error() {
                    _ if !is_first || fault.kind == Kind::Missing => {}
                    _ if !ENTRIES_WITH_ERRORS.contains(&name.as_str()) => {
                        return Err("a tree has no errors for this kernel answer");
                    }
                    Some(_) if fault.kind == Kind::Hanging && name == "statfs" => {
                        broken.extend_from_slice(&[subject, format!(" hang={HANG_SECONDS}\n").as_bytes()].concat());
                    }
                    Some(errno) => {
                        broken.extend_from_slice(&[subject, format!(" error={}\n", errno.name()).as_bytes()].concat());
                    }
                    None => {}
                }
            }
            if is_changed {
                answer = Ok(());
                self.apply_at(path.as_bytes(), &Kind::Empty);
                if let Some(content) = self.tree.content_mut(&path) {
                    *content = broken;
                }
            }
        }
        answer
    }
}

/// Subject of a line of a kernel entry: its first word.
fn subject(line: &[u8]) -> &[u8] {
    line.split(|byte| matches!(byte, b' ' | b'\n')).next().unwrap_or_default()
}

/// Decodes octal escapes.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = name;
    while let Some((&first, after)) = rest.split_first() {
        let digits =
            after.get(..3).filter(|digits| first == b'\\' && digits.iter().all(|digit| matches!(digit, b'0'..=b'7')));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        decoded.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    decoded
}

/// Path in the tree of a requested path, with the links above it followed.
fn entry(tree: &Tree, path: &[u8], last: Last) -> Vec<u8> {
    let (folder, below) = path.split_at(path.iter().position(|&byte| byte == b'/').unwrap_or(path.len()));
    let mut resolved = PathBuffer::new();
    let below = below.strip_prefix(b"/").unwrap_or(below);
    let is_found = resolved.append(folder).is_ok() && resolve(tree, below, last, &mut resolved).is_ok();
    if is_found {
        return resolved.as_bytes().to_vec();
    }
    // A missing entry belongs to the resolved directory above it.
    match below.iter().rposition(|&byte| byte == b'/') {
        None => path.to_vec(),
        Some(slash) => {
            let above = entry(tree, &path[..folder.len() + 1 + slash], Last::Followed);
            [above.as_slice(), &below[slash..]].concat()
        }
    }
}

/// Finds every path that the fault matches. Links are followed where a component of the site names them.
fn walk(roots: &Roots, mount: Mount, path: &mut Vec<u8>, fault: &Fault, found: &mut Vec<Vec<u8>>) {
    if fault.site.matches(mount.name(), path) {
        found.push(path.clone());
    }
    let mut names = Names::new();
    let kind = roots.get(mount).metadata(path).map(|metadata| metadata.kind);
    if kind != Ok(EntryKind::Directory) || roots.get(mount).list(path, &mut names).is_err() {
        return;
    }
    for (name, kind) in names.iter_kinds() {
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if fault.site.may_be_below(mount.name(), path, kind == EntryKind::Link) {
            walk(roots, mount, path, fault, found);
        }
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::tree_text;

    const HOST: &str = "\
nodelab tree 1
== kernel/links
eth0 index=2 protocol_type=1
== kernel/statfs
/ block_size=4096 blocks=9 blocks_free=9 blocks_available=9 files=9 files_free=9
/srv/a\\040b block_size=4096 blocks=9 blocks_free=9 blocks_available=9 files=9 files_free=9
== kernel/uname
sysname Linux
== proc/7/stat
7 (x)
== proc/stat
cpu 1
btime 2
== sys/class/net/eth0 -> ../../devices/eth0
== sys/devices/eth0/mtu
1500
== sys/devices/eth0/speed
1000
";

    /// Checks which lines a plan removes and adds.
    #[track_caller]
    fn check(plan: &str, gone: &[&str], new: &[&str]) {
        let tree = tree_text::parse(HOST.replace("\\\\", "\\").as_bytes()).unwrap();
        let frozen = Plan::parse(plan).unwrap().frozen(&tree, Duration::ZERO);
        let (before, after) = (tree_text::write(&tree), tree_text::write(&frozen.tree));
        let (before, after) = (String::from_utf8(before).unwrap(), String::from_utf8(after).unwrap());
        let lines = |text: &str, other: &str| -> Vec<String> {
            text.lines().filter(|line| !other.lines().any(|other| other == *line)).map(str::to_owned).collect()
        };
        assert_eq!(
            (lines(&before, &after), lines(&after, &before)),
            (gone.iter().map(|&line| line.to_owned()).collect(), new.iter().map(|&line| line.to_owned()).collect()),
            "{plan}"
        );
        assert_eq!(frozen.left_out, [""; 0]);
    }

    #[test]
    fn faults_that_depend_on_time_only_are_applied() {
        check("proc/stat cut=8\n", &["== proc/stat", "btime 2"], &["== proc/stat no-newline", "bt"]);
        check("proc/stat missing\n", &["== proc/stat", "cpu 1", "btime 2"], &[]);
        check("proc/7/** missing\n", &["== proc/7/stat", "7 (x)"], &[]);
        check("proc/stat error=EIO\n", &["== proc/stat"], &["== proc/stat error=EIO"]);
        check("proc/stat error=EIO from=1s\n", &[], &[]);
        check("proc/7 directory\n", &["== proc/7/stat", "7 (x)"], &["== proc/7/"]);
        check("proc/stat loop\n", &["== proc/stat", "cpu 1", "btime 2"], &["== proc/stat -> stat"]);
        check("proc/new content=1\n", &[], &["== proc/new", "1"]);
    }

    #[test]
    fn links_above_a_path_are_followed() {
        check("sys/class/net/eth0/mtu content=-1\n", &["1500"], &["-1"]);
        check(
            "sys/class/net/*/speed error=EINVAL\n",
            &["== sys/devices/eth0/speed"],
            &["== sys/devices/eth0/speed error=EINVAL"],
        );
        check("sys/class/net/eth0/new content=7\n", &[], &["== sys/devices/eth0/new", "7"]);
        check("sys/class/net/eth0 missing\n", &["== sys/class/net/eth0 -> ../../devices/eth0"], &["== sys/class/net/"]);
        check("sys/**/mtu empty\n", &["1500"], &[]);
    }

    #[test]
    fn faults_of_kernel_answers_are_applied_as_far_as_a_tree_allows() {
        let line = "/srv/a\\040b block_size=4096 blocks=9 blocks_free=9 blocks_available=9 files=9 files_free=9";
        check("kernel/statfs/srv/* error=ESTALE\n", &[line], &["/srv/a\\040b error=ESTALE"]);
        check("kernel/statfs/srv/a\\x20b hanging\n", &[line], &["/srv/a\\040b hang=60"]);
        check("kernel/statfs/srv/** missing\n", &[line], &[]);
        check("kernel/uname missing\n", &["== kernel/uname", "sysname Linux"], &[]);
    }

    #[test]
    fn faults_that_cannot_be_represented_are_reported() {
        let tree = tree_text::parse(HOST.as_bytes()).unwrap();
        let plan = "proc/stat cut read=2\nproc/stat slow=1s\nproc/stat hanging\nkernel/links error=EPERM\nkernel/qdiscs missing\n";
        let frozen = Plan::parse(plan).unwrap().frozen(&tree, Duration::ZERO);
        assert_eq!(frozen.tree, tree);
        let expected = [
            "proc/stat cut read=2: depends on the number of operations",
            "proc/stat slow=1s: a tree has no delays",
            "proc/stat hanging: a tree has no blocking files",
            "kernel/links error=EPERM: a tree has no errors for this kernel answer",
            "kernel/qdiscs missing: this host has no such kernel answer",
        ];
        assert_eq!(frozen.left_out, expected);
    }
}
