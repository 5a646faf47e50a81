use super::*;
use crate::host::kernel::StatFs;
use crate::host::kernel::canned::{Canned, Refusal};
use crate::kit::testing::{given, scrape};
use std::sync::Arc;
use std::time::Duration;

const NUMBERS: &str = "block_size=4096 blocks=10 blocks_free=5 blocks_available=4 files=7 files_free=6";

/// The samples of these lines of mountinfo that begin with one of `families`, without that beginning of theirs.
#[track_caller]
fn check(mounts: &str, statfs: &str, flags: &[&str], families: &[&str], expected: &str) {
    let statfs = statfs.replace("OK", NUMBERS);
    let scraped =
        given(&format!("== kernel/statfs\n{statfs}== proc/1/mountinfo\n{mounts}")).flags(flags).scrape::<Filesystem>();
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    let samples = scraped.samples();
    let lines = samples.split_inclusive('\n').filter_map(|line| line.strip_prefix("node_filesystem_"));
    let found: String = lines.filter(|line| families.iter().any(|family| line.starts_with(family))).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_file_system_has_all_families() {
    let expected = r#"avail_bytes{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 16384
device_error{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 0
files{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 7
files_free{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 6
free_bytes{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 20480
mount_info{device="/dev/sda1",major="8",minor="1",mountpoint="/"} 1
purgeable_bytes{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 0
readonly{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 0
size_bytes{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="/"} 40960
"#;
    check("29 1 8:1 / / rw - ext4 /dev/sda1 rw,errors=remount-ro\n", "/ OK\n", &[], &[""], expected);
}

#[test]
fn errors_are_labels() {
    let expected = r#"device_error{device="d",device_error="permission denied",fstype="x",mountpoint="/a"} 1
device_error{device="d",device_error="stale NFS file handle",fstype="x",mountpoint="/b"} 1
readonly{device="d",device_error="permission denied",fstype="x",mountpoint="/a"} 1
readonly{device="d",device_error="stale NFS file handle",fstype="x",mountpoint="/b"} 0
"#;
    let mounts = "1 1 0:2 / /a ro - x d rw\n1 1 0:3 / /b rw - x d rw\n";
    check(mounts, "/a error=EACCES\n/b error=ESTALE\n", &[], &[""], expected);
}

#[test]
fn mounts_are_filtered_by_mount_point_and_type() {
    let mounts = "1 1 0:1 / / rw - ext4 a rw\n1 1 0:2 / /dev/shm rw - tmpfs b rw\n1 1 0:3 / /c rw - proc c rw\n\
        1 1 0:4 / /devices rw - vfat d rw\n";
    let statfs = "/ OK\n/dev/shm OK\n/c OK\n/devices OK\n";
    let check = |flags: &[&str], expected: &[(&str, &str)]| {
        let lines = expected.iter().map(|(device, place)| {
            let minor = match *device {
                "a" => 1,
                "b" => 2,
                "c" => 3,
                _ => 4,
            };
            format!("mount_info{{device=\"{device}\",major=\"0\",minor=\"{minor}\",mountpoint=\"{place}\"}} 1\n")
        });
        check(mounts, statfs, flags, &["mount_info"], &lines.collect::<String>());
    };
    let (a, b, c, d) = (("a", "/"), ("b", "/dev/shm"), ("c", "/c"), ("d", "/devices"));
    check(&[], &[a, d]);
    check(&["--collector.filesystem.mount-points-exclude=^/$"], &[b, d]);
    check(&["--collector.filesystem.mount-points-include=^/dev"], &[b, d]);
    check(&["--collector.filesystem.fs-types-exclude="], &[a, c, d]);
    check(&["--collector.filesystem.fs-types-include=^proc$"], &[c]);
    for kind in ["mount-points", "fs-types"] {
        let flags = ["include", "exclude"].map(|word| format!("--collector.filesystem.{kind}-{word}=x"));
        given("").flags(&[&flags[0], &flags[1]]).is_refused::<Filesystem>("mutually exclusive");
    }
}

#[test]
fn duplicate_mounts_are_exported_once() {
    let mounts = "1 1 0:5 / /a rw - x d ro\n1 1 0:5 /sub /a rw - x d rw\n1 1 0:6 / /a rw - x d rw\n";
    let expected = "mount_info{device=\"d\",major=\"0\",minor=\"5\",mountpoint=\"/a\"} 1\n\
        mount_info{device=\"d\",major=\"0\",minor=\"6\",mountpoint=\"/a\"} 1\n\
        readonly{device=\"d\",device_error=\"\",fstype=\"x\",mountpoint=\"/a\"} 1\n";
    check(mounts, "/a OK\n", &[], &["mount_info", "readonly"], expected);
}

#[test]
fn special_characters_of_mount_points_are_exported() {
    let mounts = "== kernel/statfs\n/old\\040menus OK\n/caf\\351 OK\n/dos\\134share OK\n\
        == proc/1/mountinfo escaped\n1 1 0:1 / /old\\\\040menus rw - x \\xe9\\xe9 rw\n1 1 0:1 / /caf\\xe9 rw - x b rw\n\
        1 1 0:1 / /dos\\\\134share rw - x c rw\n";
    let samples = given(&mounts.replace("OK", NUMBERS)).scrape::<Filesystem>().samples();
    let found: String = samples.split_inclusive('\n').filter(|line| line.contains("_size_bytes")).collect();
    let expected =
        "node_filesystem_size_bytes{device=\"b\",device_error=\"\",fstype=\"x\",mountpoint=\"/caf\u{fffd}\"} 40960
node_filesystem_size_bytes{device=\"c\",device_error=\"\",fstype=\"x\",mountpoint=\"/dos\\\\134share\"} 40960
node_filesystem_size_bytes{device=\"\u{fffd}\",device_error=\"\",fstype=\"x\",mountpoint=\"/old menus\"} 40960
";
    assert_eq!(found, expected);
}

#[test]
fn own_mounts_are_used_only_if_process_one_is_hidden() {
    let mounts = "1 1 0:1 / / rw - x a rw\n";
    let own = format!("== kernel/statfs\n/ {NUMBERS}\n== proc/self/mountinfo\n{mounts}");
    assert!(given(&own).scrape::<Filesystem>().samples().contains("mountpoint=\"/\"} 40960"));
    given(&format!("{own}== proc/1/mountinfo error=EACCES\n")).fails::<Filesystem>("", "permission denied");
    given("").fails::<Filesystem>("", "proc/self/mountinfo: no such file or directory");
}

#[test]
fn the_rootfs_prefix_is_removed_from_labels() {
    let kernel = Canned::default().with_rootfs("/host").with_statfs("/", StatFs::default());
    let kernel = kernel.with_statfs("/a", StatFs::default());
    let scraped = given(
        "== proc/1/mountinfo\n1 1 0:1 / /host rw - x a rw\n1 1 0:2 / /host/a rw - x a rw\n1 1 0:2 / /b rw - x a rw\n",
    )
    .kernel(kernel)
    .scrape::<Filesystem>();
    let samples = scraped.samples();
    let lines = samples.lines().filter_map(|line| line.strip_prefix("node_filesystem_device_error{device=\"a\","));
    let expected = [
        "device_error=\"\",fstype=\"x\",mountpoint=\"/\"} 0",
        "device_error=\"\",fstype=\"x\",mountpoint=\"/a\"} 0",
        "device_error=\"no such file or directory\",fstype=\"x\",mountpoint=\"/b\"} 1",
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn a_bad_line_costs_only_its_own_samples() {
    let text = format!(
        "== kernel/statfs\n/ {NUMBERS}\n== proc/1/mountinfo\n1 1 nope / / rw - x a rw\n1 1 0:1 / / rw - x b rw\n"
    );
    let scraped = given(&text).scrape::<Filesystem>();
    assert_eq!(scraped.complaints.len(), 1);
    assert!(scraped.complaints[0].starts_with("proc/1/mountinfo:1: major:minor"), "{:?}", scraped.complaints);
    assert!(scraped.samples().contains("device=\"b\""));
}

#[test]
fn a_host_without_statfs_has_no_data() {
    given("== proc/1/mountinfo\n1 1 0:1 / / rw - x a rw\n").fails::<Filesystem>("", "no answer to that question");
    given("== proc/1/mountinfo\n").fails::<Filesystem>("", "proc/1/mountinfo: the file: expected at least one line");
}

#[test]
fn a_stuck_mount_delays_one_scrape_and_affects_no_other_mount() {
    let forever = Refusal::Hang(Duration::from_secs(30));
    let kernel = Canned::default().with_statfs("/a", StatFs::default()).with_refused_statfs("/dead", forever);
    let kernel = Arc::new(kernel.with_statfs("/z", StatFs::default()));
    let scraper = given(
        "== proc/1/mountinfo\n1 1 0:1 / /a rw - x a rw\n1 1 0:2 / /dead ro - nfs4 a rw\n1 1 0:3 / /z rw - x z rw\n",
    )
    .flags(&["--collector.filesystem.mount-timeout=200ms", "--collector.filesystem.stat-workers=1"])
    .shared_kernel(Arc::<Canned>::clone(&kernel))
    .scraper::<Filesystem>()
    .expect("flags");
    let stuck = "device=\"a\",device_error=\"mountpoint timeout\",fstype=\"nfs4\",mountpoint=\"/dead\"}";
    for _ in 0..2 {
        let scraped = scrape(&scraper);
        assert_eq!(scraped.complaints, ["mounts that do not answer statfs: 1, the first is /dead"]);
        let samples = scraped.samples();
        for line in [
            &format!("node_filesystem_device_error{{{stuck} 1"),
            &format!("node_filesystem_readonly{{{stuck} 0"),
            "node_filesystem_device_error{device=\"a\",device_error=\"\",fstype=\"x\",mountpoint=\"/a\"} 0",
            "node_filesystem_device_error{device=\"z\",device_error=\"\",fstype=\"x\",mountpoint=\"/z\"} 0",
        ] {
            assert!(samples.lines().any(|found| found == line), "{line} is not in\n{samples}");
        }
        assert_eq!(samples.matches("/dead").count(), 2, "{samples}");
    }
    kernel.release();
    let recovered = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        scrape(&scraper).samples().contains("device_error=\"connection timed out\",fstype=\"nfs4\"")
    });
    assert!(recovered, "{}", scrape(&scraper).samples());
}

#[test]
fn a_local_file_system_is_queried_in_the_scrape_until_it_is_slow() {
    // Clearly above the limit: the clock may be a coarse one.
    let slow = Refusal::Hang(LOCAL_TIME_MAX * 3);
    let kernel = Canned::default().with_statfs("/a", StatFs::default()).with_refused_statfs("/slow", slow);
    let scraper = given("== proc/1/mountinfo\n1 1 0:1 / /a rw - ext4 a rw\n1 1 0:2 / /slow rw - xfs b rw\n")
        .flags(&["--collector.filesystem.mount-timeout=1ms", "--collector.filesystem.stat-workers=1"])
        .shared_kernel(Arc::new(kernel))
        .scraper::<Filesystem>()
        .expect("flags");
    let error = |text: &str| format!("device_error=\"{text}\",fstype=\"xfs\",mountpoint=\"/slow\"}} 1");
    let local = "device_error=\"\",fstype=\"ext4\",mountpoint=\"/a\"} 0";
    // The timeout of mounts is that of the threads.
    for expected in ["connection timed out", "mountpoint timeout"] {
        let samples = scrape(&scraper).samples();
        assert!(samples.contains(&error(expected)) && samples.contains(local), "{expected} is not in {samples}");
    }
}

#[test]
fn mounts_beyond_the_kernel_limit_are_omitted_and_reported() {
    let row = "1 1 0:2 / /a rw - proc d rw\n";
    for (count, complaint) in [
        (MOUNTS_MAX, None),
        (MOUNTS_MAX + 1, Some("mount table: more than 100000 mounts; those after them are left out")),
    ] {
        let scraped = given(&format!("== proc/1/mountinfo\n{}", row.repeat(count))).scrape::<Filesystem>();
        assert_eq!(scraped.complaints.first().map(String::as_str), complaint, "{count}");
    }
}
