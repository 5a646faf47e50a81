//! Descriptors kept open between scrapes do not give data of removed devices, mounts and processes. The program runs
//! itself again in namespaces of its own, where it changes them.

#![cfg_attr(
    target_os = "linux",
    expect(clippy::disallowed_methods, reason = "the test changes files and marks the inner program by an argument")
)]

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if std::env::args().any(|argument| argument == inside::MARK) {
        inside::run();
        return ExitCode::SUCCESS;
    }
    requirements::run(&[(
        "changes_of_the_host_are_seen_by_the_next_scrape",
        &[Requirement::Namespaces],
        changes_of_the_host_are_seen_by_the_next_scrape,
    )])
}

#[cfg(target_os = "linux")]
fn changes_of_the_host_are_seen_by_the_next_scrape() {
    let own = std::env::current_exe().expect("the path of this program");
    let status = harness::requirements::namespaces(&own, &[inside::MARK]).expect("unshare runs");
    assert!(status.success(), "{status}");
}

#[cfg(not(target_os = "linux"))]
fn changes_of_the_host_are_seen_by_the_next_scrape() {}

#[cfg(target_os = "linux")]
mod inside {
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;

    use collectors::host::errno::Errno;
    use collectors::host::kernel::linux::Linux;
    use collectors::host::root::kept::Kept;
    use collectors::host::root::{Mount, Names, Root, RootError, Roots};
    use collectors::kit::scraper::Scraper;

    /// Marks the program that runs in the namespaces.
    pub(crate) const MARK: &str = "--in-namespaces";

    pub(crate) fn run() {
        let folder = std::env::temp_dir().join(format!("nodelab-kept-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        devices(&made(&folder, "sys"));
        devices_after_calm(&made(&folder, "sys-in-calm"));
        dump_and_files_agree(&made(&folder, "sys-and-dump"));
        mounts(&made(&folder, "proc"), &folder);
        processes();
        fs::remove_dir_all(&folder).expect("the folder is left empty");
    }

    fn made(folder: &Path, name: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        fs::create_dir(&path).expect("a new folder");
        path
    }

    #[track_caller]
    fn command(line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let status = Command::new(words[0]).args(&words[1..]).status().expect(line);
        assert!(status.success(), "{line}: {status}");
    }

    /// The content at the next scrape.
    fn next(root: &Kept, path: &str) -> Result<String, RootError> {
        root.begin_scrape();
        let mut bytes = Vec::new();
        // A second reader in the same scrape gets the same content.
        for _ in 0..2 {
            root.read(path.as_bytes(), &mut bytes, 1 << 20)?;
        }
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn listed(root: &Kept) -> Vec<String> {
        listed_in(root, "class/net")
    }

    fn listed_in(root: &Kept, directory: &str) -> Vec<String> {
        root.begin_scrape();
        let mut names = Names::new();
        root.list(directory.as_bytes(), &mut names).expect("a directory");
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    fn devices(sys: &Path) {
        command(&format!("mount -t sysfs sysfs {}", sys.display()));
        let root = Kept::open(sys).expect("/sys");
        assert_eq!(listed(&root), ["lo"]);
        command("ip link add a0 type veth peer name b0");
        assert_eq!(listed(&root), ["a0", "b0", "lo"]);
        for mtu in [1400, 1401] {
            command(&format!("ip link set a0 mtu {mtu}"));
            assert_eq!(next(&root, "class/net/a0/mtu"), Ok(mtu.to_string()), "a change");
        }
        assert_eq!(next(&root, "class/net/b0/mtu"), Ok("1500".to_owned()));
        command("ip link set a0 name c0");
        assert_eq!(next(&root, "class/net/a0/mtu"), Err(Errno::ENOENT.into()), "renamed");
        assert_eq!(next(&root, "class/net/c0/mtu"), Ok("1401".to_owned()), "renamed");
        command("ip link set b0 name a0");
        assert_eq!(next(&root, "class/net/a0/mtu"), Ok("1500".to_owned()), "another of that name");
        // Two devices exchange their names between two scrapes.
        for line in ["ip link set a0 name x0", "ip link set c0 name a0", "ip link set x0 name c0"] {
            command(line);
        }
        assert_eq!(next(&root, "class/net/a0/mtu"), Ok("1401".to_owned()), "exchanged");
        assert_eq!(next(&root, "class/net/c0/mtu"), Ok("1500".to_owned()), "exchanged");
        assert_eq!(listed(&root), ["a0", "c0", "lo"]);
        command("ip link delete a0");
        assert_eq!(listed(&root), ["lo"]);
        assert_eq!(next(&root, "class/net/a0/mtu"), Err(Errno::ENOENT.into()), "gone");
        command("ip link add a0 type veth peer name c0");
        assert_eq!(next(&root, "class/net/a0/mtu"), Ok("1500".to_owned()), "here again");
        command("ip link delete a0");
        command(&format!("umount -l {}", sys.display()));
    }

    /// The netclass page of the running host, from files alone or with the netlink dump.
    fn netclass(sys: &Path, is_live: bool) -> Scraper {
        let sys: Arc<dyn Root> = Arc::new(Kept::open(sys).expect("/sys"));
        let other: Arc<dyn Root> = Arc::new(collectors::host::root::host::Host);
        let roots = Roots::new(|mount| Arc::clone(if mount == Mount::Sys { &sys } else { &other }));
        let roots = if is_live { roots.live() } else { roots };
        harness::host::scraper_of_one(roots, Arc::new(Linux::new("/".as_ref())), "netclass")
    }

    /// Every state of a device looks the same by netlink as in the files of /sys.
    fn dump_and_files_agree(sys: &Path) {
        command(&format!("mount -t sysfs sysfs {}", sys.display()));
        let [files, dump] = [false, true].map(|is_live| netclass(sys, is_live));
        let page = |scraper: &Scraper| {
            harness::host::scrape(scraper, &scraper.only(&["netclass"]).expect("it is enabled")).snapshot()
        };
        let mut lines = vec!["ip link set lo up".to_owned()];
        let first = "ip link add a0 type veth peer name b0";
        let of_a0 = [
            "up",
            "mtu 1400",
            "promisc on",
            "allmulticast on",
            "promisc off",
            "alias uplink",
            "txqueuelen 77",
            "group 5",
            "arp off",
            "address 02:00:00:00:00:07",
            "multicast off",
            "down",
            "allmulticast off",
            "up",
        ];
        lines.push(first.to_owned());
        lines.push("ip link set b0 up".to_owned());
        lines.extend(of_a0.map(|change| format!("ip link set a0 {change}")));
        for line in [
            "ip link set b0 down",
            "ip link set a0 down",
            "ip link set a0 name c0",
            "ip link set c0 up",
            "ip link set b0 up",
            "ip link add link c0 name c0.5 type vlan id 5",
            "ip link delete c0",
        ] {
            lines.push(line.to_owned());
        }
        for line in &lines {
            let words: Vec<&str> = line.split(' ').collect();
            // A kernel without VLANs refuses one line.
            let _ = Command::new(words[0]).args(&words[1..]).status().expect("ip runs");
            // The first page after a change reads files, and the second one has the dump.
            let [first, second, expected] = [&dump, &dump, &files].map(page);
            assert!(expected.contains("node_network_up{device=\"lo\"}"), "{expected}");
            assert_eq!(first, expected, "{line}");
            assert_eq!(second, expected, "{line}: by the dump");
        }
        command(&format!("umount -l {}", sys.display()));
    }

    const GONE: Result<&str, RootError> = Err(RootError::Errno(Errno::ENOENT));

    /// While no kernel event arrives, directories are not looked at again. An event ends that at once.
    fn devices_after_calm(sys: &Path) {
        command(&format!("mount -t sysfs sysfs {}", sys.display()));
        let root = Kept::open(sys).expect("/sys");
        let devices = "devices/virtual/net";
        let steps = [
            ("ip link add d0 type veth peer name p0", "d0 lo p0", [Ok("1500"), GONE]),
            ("ip link set d0 mtu 1400", "d0 lo p0", [Ok("1400"), GONE]),
            ("ip link set d0 name d1", "d1 lo p0", [GONE, Ok("1400")]),
            ("ip link add d0 type veth peer name q0", "d0 d1 lo p0 q0", [Ok("1500"), Ok("1400")]),
            ("ip link delete d1", "d0 lo q0", [Ok("1500"), GONE]),
            ("ip link delete d0", "lo", [GONE, GONE]),
        ];
        for (line, expected, contents) in steps {
            // The first scrape after the settling time checks everything, and the second one relies on it.
            harness::load::wait(std::time::Duration::from_millis(2_100));
            for _ in 0..2 {
                listed_in(&root, devices);
                for name in ["d0", "d1"] {
                    next(&root, &format!("{devices}/{name}/mtu")).ok();
                }
            }
            command(line);
            assert_eq!(listed_in(&root, devices).join(" "), expected, "{line}");
            for (name, content) in ["d0", "d1"].iter().zip(contents) {
                let found = next(&root, &format!("{devices}/{name}/mtu"));
                assert_eq!(found, content.map(str::to_owned), "{line}: {name}");
            }
        }
        command(&format!("umount -l {}", sys.display()));
    }

    fn mounts(proc: &Path, folder: &Path) {
        let shown = proc.display();
        command(&format!("mount -t proc proc {shown}"));
        let root = Kept::open(proc).expect("/proc");
        let version = next(&root, "version").expect("a version");
        assert!(version.starts_with("Linux"), "{version}");
        let other = made(folder, "other");
        fs::write(other.join("version"), "other").expect("a file");
        command(&format!("mount --bind {}/version {shown}/version", other.display()));
        assert_eq!(next(&root, "version"), Ok("other".to_owned()), "a file is mounted over it");
        fs::write(other.join("version"), "another").expect("a file");
        assert_eq!(next(&root, "version"), Ok("another".to_owned()), "it is not kept");
        command(&format!("umount {shown}/version"));
        assert_eq!(next(&root, "version").as_ref(), Ok(&version), "unmounted");
        command(&format!("umount -l {shown}"));
        command(&format!("mount --bind {} {shown}", other.display()));
        assert_eq!(next(&root, "version"), Ok("another".to_owned()), "another directory in its place");
        command(&format!("umount -l {shown}"));
        command(&format!("mount -t proc proc {shown}"));
        assert_eq!(next(&root, "version").as_ref(), Ok(&version), "mounted restarted");
        command(&format!("umount -l {shown}"));
    }

    fn processes() {
        let root = Kept::open("/proc").expect("/proc");
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let path = format!("{}/comm", child.id());
        let is_there = (0..100).any(|_| {
            harness::load::wait(std::time::Duration::from_millis(10));
            next(&root, &path) == Ok("sleep".to_owned())
        });
        assert!(is_there);
        child.kill().expect("it runs");
        child.wait().expect("it has ended");
        assert_eq!(next(&root, &path), Err(Errno::ENOENT.into()));
    }
}
