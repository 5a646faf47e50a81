//! A recording replays to the page that was read, and does not identify the host.

use std::collections::BTreeSet;
use std::time::Duration;

use collectors::host::root::tree::Tree;
use collectors::kit::scraper::Selection;
use collectors::kit::testing::redacted;
use harness::{host, load};
use simulator::recording::scrub::{self, Key, Scrubber};

const KEY: Key = Key::new([42; 32]);

fn lines(page: &[u8]) -> Vec<String> {
    redacted(&String::from_utf8_lossy(page)).lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_same(found: &[String], expected: &[String]) {
    let (found_set, expected_set): (BTreeSet<_>, BTreeSet<_>) = (found.iter().collect(), expected.iter().collect());
    let more: Vec<_> = found_set.difference(&expected_set).take(20).collect();
    let less: Vec<_> = expected_set.difference(&found_set).take(20).collect();
    assert!(more.is_empty() && less.is_empty(), "only found: {more:#?}\nonly expected: {less:#?}");
}

/// A scrubbed host gives the page with every identity replaced.
#[track_caller]
fn check_coherent(tree: &Tree) {
    let scrubbed = scrub::scrub(tree, &KEY).expect("a tree that can be scrubbed");
    let scrubber = Scrubber::new(tree, &KEY).expect("a tree that can be scrubbed");
    let before = host::scrape(&host::scraper(tree.clone(), |roots| roots), &Selection::ALL);
    let after = host::scrape(&host::scraper(scrubbed.tree, |roots| roots), &Selection::ALL);
    let expected = scrubber.text(before.page.as_bytes());
    assert_same(&lines(after.page.as_bytes()), &lines(&expected));
    assert_eq!(before.failed.keys().collect::<Vec<_>>(), after.failed.keys().collect::<Vec<_>>());
}

#[test]
fn fixture_hosts_are_coherent_when_scrubbed() {
    for name in load::hosts().expect("fixtures/hosts") {
        check_coherent(&load::host(&name).expect("a fixture host"));
    }
}

#[test]
fn a_simulated_host_is_coherent_when_scrubbed() {
    let moment = Duration::from_secs(1_700_000_000);
    check_coherent(&simulator::embedded(simulator::Machine::vm(3), move || moment).tree_at(moment.as_secs()));
}

#[cfg(target_os = "linux")]
mod live {
    use super::*;
    use collectors::ALL;
    use collectors::host::errno::Errno;
    use collectors::host::kernel::Kernel;
    use collectors::host::root::Roots;
    use collectors::host::root::tree::{Node, What};
    use collectors::kit::options::FlagValues;
    use collectors::kit::scraper::Scraper;
    use node_exporter::flags::Paths;
    use simulator::recording::record::{Plan, Recording, combine, record};
    use simulator::recording::replay::Replay;
    use std::path::Path;
    use std::process::{Command, Output};
    use std::sync::Arc;

    fn paths(root: &Path) -> Paths {
        Paths {
            procfs: root.join("proc"),
            sysfs: root.join("sys"),
            rootfs: root.to_owned(),
            udev: root.join("run/udev/data"),
            is_given: true,
        }
    }

    /// The page of every collector without volatile families.
    fn page(roots: Roots, kernel: Arc<dyn Kernel>, flags: &FlagValues) -> Vec<String> {
        let scraper = Scraper::build(ALL, flags, roots, kernel).expect("flags at their defaults");
        let mut page = Vec::new();
        scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
        lines(&page)
    }

    fn replayed(tree: &Tree, flags: &FlagValues) -> Vec<String> {
        let replay = Replay::new(Arc::new(tree.clone()), || Duration::ZERO).expect("a tree that was written by us");
        page(replay.roots(), replay.kernel(), flags)
    }

    fn recorded() -> (Recording, FlagValues) {
        let live = load::live(&paths(Path::new("/"))).expect("this host");
        let plan = Plan::of(ALL);
        let recording = record(&live.roots, live.kernel, &plan, &|_| ()).expect("a recording of this host");
        (recording, plan.flags)
    }

    #[test]
    fn a_recording_replays_to_the_recorded_page() {
        let (recording, flags) = recorded();
        let found = replayed(&recording.tree, &flags);
        assert!(found.len() > 500, "{} lines", found.len());
        assert_same(&found, &lines(&recording.page));
        let text = collectors::host::tree_text::write(&recording.tree);
        let read = collectors::host::tree_text::parse(&text).expect("what was written");
        assert_eq!(read, recording.tree);
    }

    #[test]
    fn the_leak_report_of_this_host_is_empty() {
        let (recording, flags) = recorded();
        let scrubbed = scrub::scrub(&recording.tree, &KEY).expect("a tree that can be scrubbed");
        let leaks: Vec<String> = scrubbed.leaks.iter().map(ToString::to_string).collect();
        assert_eq!(leaks, [""; 0]);
        let scrubber = Scrubber::new(&recording.tree, &KEY).expect("a tree that can be scrubbed");
        let expected = scrubber.text(recording.page.as_slice());
        assert_same(&replayed(&scrubbed.tree, &flags), &lines(&expected));
        let name = String::from_utf8_lossy(recording.tree.content("proc/sys/kernel/hostname").unwrap_or_default())
            .trim()
            .to_owned();
        let text = String::from_utf8(collectors::host::tree_text::write(&scrubbed.tree)).expect("trees are text");
        let uname = text.lines().find(|line| line.starts_with("nodename ")).expect("a host has a name");
        assert!(name.is_empty() || uname != format!("nodename {name}"), "{uname}");
    }

    #[test]
    fn a_recording_of_two_snapshots_advances() {
        let (first, flags) = recorded();
        load::wait(Duration::from_millis(300));
        let (second, _) = recorded();
        let both = Arc::new(combine(&first.tree, &second.tree).expect("two moments"));
        let at = |elapsed: Duration| {
            let replay = Replay::new(Arc::clone(&both), move || elapsed).expect("two moments of one host");
            page(replay.roots(), replay.kernel(), &flags)
        };
        assert_same(&at(Duration::ZERO), &lines(&first.page));
        let time = |page: &[String]| page.iter().find(|line| line.starts_with("node_time_seconds ")).cloned();
        let later = at(Duration::from_secs(3600));
        assert_ne!(time(&later), time(&at(Duration::ZERO)));
        assert_same(&later, &at(Duration::from_secs(3600)));
    }

    fn nodelab(arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_nodelab")).args(arguments).output().expect("nodelab runs")
    }

    /// A host on disk with known identities, a pipe in place of a file, and the files that `more` adds.
    fn planted(more: &str) -> (tempfile::TempDir, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let tree = Tree::new()
            .with_file("proc/meminfo", "MemTotal: 1 kB\n")
            .with_file("proc/sys/kernel/hostname", "planted7\n")
            .with_file("proc/cpuinfo", "Serial\t\t: 00000000feedc0de\n")
            .with_file("sys/class/dmi/id/product_serial", "PLANT3D5\n")
            .with_file("sys/class/dmi/id/product_uuid", "123e4567-e89b-42d3-a456-426614174000\n")
            .with_file("sys/class/dmi/id/chassis_vendor", more)
            .with_file("sys/class/net/eth0/address", "52:54:00:ab:cd:ef\n")
            .with_file("sys/class/net/eth0/ifalias", "uplink of planted7, 52:54:00:AB:CD:EF, PLANT3D5\n");
        let left_out = load::write_host(&tree, folder.path()).expect("an empty folder");
        assert!(left_out.is_empty(), "{left_out:?}");
        std::fs::create_dir_all(folder.path().join("run/udev/data")).expect("a folder");
        let fifo = folder.path().join("proc/vmstat");
        let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
        assert!(made.success());
        let path = |below: &str| folder.path().join(below).display().to_string();
        let flags = vec![
            format!("--path.procfs={}", path("proc")),
            format!("--path.sysfs={}", path("sys")),
            format!("--path.udev.data={}", path("run/udev/data")),
            "--timeout=2s".to_owned(),
        ];
        (folder, flags)
    }

    #[test]
    fn the_command_records_scrubs_and_writes() {
        let (folder, flags) = planted("Burrow\n");
        let out = folder.path().join("out.tree").display().to_string();
        let arguments: Vec<&str> =
            ["record"].into_iter().chain(flags.iter().map(String::as_str)).chain([&*out]).collect();
        let output = nodelab(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
        assert!(errors.contains("replaced:") && errors.contains("MAC address"), "{errors}");
        let text = String::from_utf8(load::bytes(out.as_ref()).expect("the file")).expect("trees are text");
        for identity in ["planted7", "feedc0de", "PLANT3D5", "123e4567", "426614174000", "52:54:00", "52:54:00:AB"] {
            assert!(!text.contains(identity), "{identity} survives in\n{text}");
        }
        let tree = load::tree(out.as_ref()).expect("a tree");
        assert_eq!(tree.get("proc/vmstat").map(Node::kind), Some(collectors::host::root::Kind::Special));
        assert_eq!(tree.content("proc/meminfo"), Some(&b"MemTotal: 1 kB\n"[..]));
        let shown = nodelab(&["show", &out, "/proc/meminfo"]);
        assert_eq!((shown.status.code(), &*shown.stdout), (Some(0), &b"MemTotal: 1 kB\n"[..]));
        let listed = nodelab(&["list", &out, "proc/meminfo"]);
        assert_eq!(String::from_utf8_lossy(&listed.stdout), "file             15 proc/meminfo\n");
        let missing = nodelab(&["show", &out, "/proc/missing"]);
        let words = String::from_utf8_lossy(&missing.stderr).into_owned();
        assert!(missing.status.code() == Some(1) && words.contains(Errno::ENOENT.message()), "{words}");
    }

    /// All bytes below a path, names included.
    fn all_bytes(path: &Path, into: &mut Vec<u8>) {
        if !load::is_folder(path) {
            return into.extend(load::bytes(path).expect("a file"));
        }
        for name in load::names(path).expect("a folder") {
            into.extend_from_slice(name.as_bytes());
            all_bytes(&path.join(name), into);
        }
    }

    #[test]
    fn every_form_has_the_same_content_without_identities() {
        let (folder, flags) = planted("Burrow\n");
        let key = folder.path().join("key");
        load::write(&key, "5e".repeat(32).as_bytes()).expect("a key");
        let key = format!("--key-file={}", key.display());
        let mut trees = Vec::new();
        for form in ["out.tree", "out.tar", "out"] {
            let out = folder.path().join(form).display().to_string();
            let flags = flags.iter().map(String::as_str);
            let arguments: Vec<&str> = ["record", &key].into_iter().chain(flags).chain([&*out]).collect();
            let output = nodelab(&arguments);
            assert_eq!(output.status.code(), Some(0), "{form}: {}", String::from_utf8_lossy(&output.stderr));
            let mut bytes = Vec::new();
            all_bytes(out.as_ref(), &mut bytes);
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for identity in
                ["planted7", "feedc0de", "plant3d5", "123e4567", "426614174000", "52:54:00", "525400", "5e5e"]
            {
                assert!(!text.contains(identity), "{identity} survives in {form}");
            }
            let mut tree = load::any_host(out.as_ref()).expect("what was written");
            // Each form was recorded at another time, and a disk has no unreadable files.
            tree.remove("kernel");
            trees.push(tree);
        }
        let readable = |tree: &Tree| {
            let is_readable = |node: &Node| node.error().is_none() && matches!(node.what(), What::File(_));
            let files = tree.iter().filter(|(_, node)| is_readable(node));
            files.map(|(path, _)| (path.to_vec(), tree.content(path).map(<[u8]>::to_vec))).collect::<Vec<_>>()
        };
        let [tree, tar, directory] = &trees[..] else { panic!("three forms") };
        assert_eq!(tree, tar);
        assert!(readable(tree).len() > 5);
        assert_eq!(readable(tree), readable(directory));
    }

    #[test]
    fn a_possible_secret_prevents_writing_unless_allowed() {
        let (folder, flags) = planted("ask ann@wombat.org\n");
        let out = folder.path().join("out.tree").display().to_string();
        let arguments: Vec<&str> =
            ["record"].into_iter().chain(flags.iter().map(String::as_str)).chain([&*out]).collect();
        let output = nodelab(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{errors}");
        assert!(errors.contains("--allow email:sys/class/dmi/id/chassis_vendor"), "{errors}");
        assert!(!errors.contains("ann@wombat") && !load::exists(out.as_ref()), "{errors}");
        let allowed = [arguments.as_slice(), &["--allow", "email:sys/class/dmi/id/*"]].concat();
        let output = nodelab(&allowed);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn an_invalid_command_line_has_status_2() {
        for arguments in [&["record"][..], &["fly"], &["record", "--fly", "x"], &["record", "--interval=5", "x"], &[]] {
            let output = nodelab(arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(!output.stderr.is_empty());
        }
        for arguments in [&["--help"][..], &["help", "record"], &["record", "--help"]] {
            let output = nodelab(arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("exit status"), "{arguments:?}");
        }
    }
}
