use super::*;
use crate::kit::testing::given;
use proptest::prelude::*;

const ID: &str = "00010203-0405-0607-0809-0a0b0c0d0e0f";
const MOUNTINFO: &str =
    "== proc/1/mountinfo\n28 1 0:33 /@ / rw - btrfs /dev/sda1 rw\n29 28 0:33 /@home /home rw - btrfs /dev/sda1 rw\n";

/// A file system of two devices, with some files replaced by `changed`.
fn host(changed: &[(&str, &str)]) -> String {
    let mut files = vec![
        ("allocation/data/bytes_reserved", "1"),
        ("allocation/data/raid0/total_bytes", "2"),
        ("allocation/data/raid0/used_bytes", "3"),
        ("allocation/global_rsv_size", "4"),
        ("allocation/metadata/bytes_reserved", "5"),
        ("allocation/metadata/raid1/total_bytes", "6"),
        ("allocation/metadata/raid1/used_bytes", "7"),
        ("allocation/system/bytes_reserved", "8"),
        ("allocation/system/raid5/total_bytes", "9"),
        ("allocation/system/raid5/used_bytes", "10"),
        ("commit_stats", "commits 11\nlast_commit_ms 12\nmax_commit_ms 13\ntotal_commit_ms 14\n"),
        ("devices/sda1/size", "2"),
        ("devices/sdb1/size", "4"),
        ("label", "attic"),
        ("metadata_uuid", ID),
    ];
    for (name, content) in changed {
        let file = files.iter_mut().find(|(known, _)| known == name).expect("one of the files");
        file.1 = content;
    }
    let entry = |(name, content): &(&str, &str)| match *content {
        "absent" => String::new(),
        "broken" => format!("== sys/fs/btrfs/{ID}/{name} error=EIO\n"),
        content => format!("== sys/fs/btrfs/{ID}/{name}\n{}\n", content.trim_end_matches('\n')),
    };
    files.iter().map(entry).collect()
}

fn lines() -> Vec<String> {
    let group = |name: &str, group: &str, mode: &str, value: &str| {
        format!("{name}{{block_group_type=\"{group}\",mode=\"{mode}\",uuid=\"{ID}\"}} {value}\n")
    };
    let plain = |name: &str, value: &str| format!("{name}{{uuid=\"{ID}\"}} {value}\n");
    let reserved = |group: &str, value: u64| {
        format!("node_btrfs_reserved_bytes{{block_group_type=\"{group}\",uuid=\"{ID}\"}} {value}\n")
    };
    let size = |device: &str, value: u64| {
        format!("node_btrfs_device_size_bytes{{device=\"{device}\",uuid=\"{ID}\"}} {value}\n")
    };
    vec![
        group("node_btrfs_allocation_ratio", "data", "raid0", "1"),
        group("node_btrfs_allocation_ratio", "metadata", "raid1", "2"),
        group("node_btrfs_allocation_ratio", "system", "raid5", "2"),
        plain("node_btrfs_commit_seconds_total", "0.014"),
        plain("node_btrfs_commits_total", "11"),
        size("sda1", 1024),
        size("sdb1", 2048),
        plain("node_btrfs_global_rsv_size_bytes", "4"),
        format!("node_btrfs_info{{label=\"attic\",uuid=\"{ID}\"}} 1\n"),
        plain("node_btrfs_last_commit_seconds", "0.012"),
        plain("node_btrfs_max_commit_seconds", "0.013"),
        reserved("data", 1),
        reserved("metadata", 5),
        reserved("system", 8),
        group("node_btrfs_size_bytes", "data", "raid0", "2"),
        group("node_btrfs_size_bytes", "metadata", "raid1", "6"),
        group("node_btrfs_size_bytes", "system", "raid5", "9"),
        group("node_btrfs_used_bytes", "data", "raid0", "3"),
        group("node_btrfs_used_bytes", "metadata", "raid1", "7"),
        group("node_btrfs_used_bytes", "system", "raid5", "10"),
    ]
}

/// The lines without those that contain one of `lost`.
fn without(lost: &[&str]) -> String {
    lines().into_iter().filter(|line| !lost.iter().any(|lost| line.contains(lost))).collect()
}

#[test]
fn file_systems_are_exported_from_sysfs() {
    given(&format!("{MOUNTINFO}{}== sys/fs/btrfs/features/acl\n0\n", host(&[]))).emits::<Btrfs>(&without(&[]));
    given("").emits::<Btrfs>("");
    given("== sys/fs/btrfs/ error=EIO\n").fails::<Btrfs>("", "sys/fs/btrfs: input/output error");
}

/// Kernel answers for the devices at a mount point.
fn answer(mount_point: &str, id: &str, path: &str) -> String {
    format!(
        "{mount_point} file_system={id} device={path} uuid={id} size_bytes=4096 used_bytes=1096 write_errors=1 \
         read_errors=2 flush_errors=3 corruption_errors=4 generation_errors=5\n"
    )
}

fn asked_lines(device: &str) -> String {
    let errors = [("corruption", 4), ("flush", 3), ("generation", 5), ("read", 2), ("write", 1)].map(|(kind, count)| {
        format!("node_btrfs_device_errors_total{{btrfs_dev_uuid=\"{ID}\",device=\"{device}\",type=\"{kind}\",uuid=\"{ID}\"}} {count}\n")
    });
    let one = |name, value| format!("{name}{{btrfs_dev_uuid=\"{ID}\",device=\"{device}\",uuid=\"{ID}\"}} {value}\n");
    [&errors.concat(), &one("node_btrfs_device_size_bytes", 4096), &one("node_btrfs_device_unused_bytes", 3000)]
        .map(String::as_str)
        .concat()
}

#[track_caller]
fn check_asked(mountinfo: &str, answers: &str, expected: &str) {
    let scraped = given(&format!("== kernel/btrfs\n{answers}{mountinfo}{}", host(&[]))).scrape::<Btrfs>();
    let samples = scraped.samples();
    let devices: String = samples.split_inclusive('\n').filter(|line| line.contains("_device_")).collect();
    assert_eq!(devices, expected);
    assert_eq!(scraped.complaints, <[String; 0]>::default());
}

#[test]
fn devices_are_queried_by_ioctl() {
    check_asked(MOUNTINFO, &answer("/", ID, "/dev/sda1"), &asked_lines("sda1"));
    check_asked(MOUNTINFO, &answer("/", ID, "sda1"), &asked_lines("sda1"));
    let refused = format!("/ error=EPERM\n{}", answer("/home", ID, "/dev/mapper/attic"));
    check_asked(MOUNTINFO, &refused, &asked_lines("attic"));
    let other_source = MOUNTINFO.replace("/home rw - btrfs /dev/sda1", "/home rw - btrfs /dev/sdb1");
    let twice = format!("{}{}", answer("/", ID, "/dev/sda1"), answer("/home", ID, "/dev/sdb1"));
    check_asked(&other_source, &twice, &asked_lines("sda1"));
    let own = MOUNTINFO.replace("proc/1/", "proc/self/");
    check_asked(&own, &answer("/", ID, "/dev/sda1"), &asked_lines("sda1"));
    let zero = answer("/", ID, "/dev/sda1").replace(&format!(" uuid={ID}"), "");
    check_asked(MOUNTINFO, &zero, &asked_lines("sda1").replace(&format!("dev_uuid=\"{ID}"), "dev_uuid=\"<zero>"));
}

#[test]
fn without_ioctl_devices_are_read_from_sysfs() {
    let from_sysfs: String = lines().into_iter().filter(|line| line.contains("_device_")).collect();
    let half = format!("{}/ error=EIO\n", answer("/", ID, "/dev/sda1"));
    let scraped = given(&format!("== kernel/btrfs\n{half}{MOUNTINFO}{}", host(&[]))).scrape::<Btrfs>();
    assert_eq!(scraped.samples(), without(&[]));
    assert!(scraped.page.contains("_success{collector=\"btrfs\"} 1\n"), "{}", scraped.page);
    assert_eq!(scraped.complaints, ["/: querying the devices of the btrfs: input/output error (EIO)"]);
    for errno in ["EPERM", "EACCES", "ENOTTY", "EOPNOTSUPP"] {
        check_asked(MOUNTINFO, &half.replace("EIO", errno), &from_sysfs);
    }
    check_asked(MOUNTINFO, &answer("/", &ID.replace('f', "e"), "/dev/sda1"), &from_sysfs);
    check_asked(&MOUNTINFO.replace("btrfs", "ext4"), &answer("/", ID, "/dev/sda1"), &from_sysfs);
    let scraped = given(&format!("== kernel/btrfs\n{}{}", answer("/", ID, "/dev/sda1"), host(&[]))).scrape::<Btrfs>();
    assert_eq!((scraped.samples(), scraped.complaints.len()), (without(&[]), 1), "a lost mount table is in the log");
}

#[test]
fn missing_files_are_zero_or_empty() {
    let shown = |changed: &[(&str, &str)]| given(&format!("{MOUNTINFO}{}", host(changed))).scrape::<Btrfs>();
    let old = shown(&[("commit_stats", "absent"), ("label", "absent"), ("metadata_uuid", "absent")]);
    assert_eq!(old.complaints, <[String; 0]>::default());
    for line in
        [format!("node_btrfs_commits_total{{uuid=\"{ID}\"}} 0\n"), format!("info{{label=\"\",uuid=\"{ID}\"}} 1\n")]
    {
        assert!(old.samples().contains(&line), "{line}");
    }
    let mixed = shown(&[
        ("allocation/data/bytes_reserved", "absent"),
        ("allocation/data/raid0/total_bytes", "absent"),
        ("allocation/data/raid0/used_bytes", "absent"),
    ]);
    assert_eq!(mixed.complaints, <[String; 0]>::default());
    let reserved = format!("node_btrfs_reserved_bytes{{block_group_type=\"data\",uuid=\"{ID}\"}} 0\n");
    assert!(mixed.samples().contains(&reserved) && !mixed.samples().contains("raid0"), "{}", mixed.samples());
}

#[test]
fn a_bad_value_costs_only_its_own_samples() {
    for (file, lost) in [
        ("allocation/data/bytes_reserved", "reserved_bytes{block_group_type=\"data\""),
        ("allocation/data/raid0/total_bytes", "btrfs_size_bytes{block_group_type=\"data\""),
        ("allocation/system/raid5/used_bytes", "used_bytes{block_group_type=\"system\""),
        ("allocation/global_rsv_size", "_global_"),
        ("devices/sdb1/size", "\"sdb1\""),
    ] {
        for (bad, complaint) in
            [("", "found nothing"), ("-1", "found \"-1\""), ("x", "value: expected "), ("broken", "input/output error")]
        {
            given(&format!("{MOUNTINFO}{}", host(&[(file, bad)]))).fails::<Btrfs>(&without(&[lost]), complaint);
        }
    }
    let sectors = [("devices/sdb1/size", "36028797018963968")];
    given(&format!("{MOUNTINFO}{}", host(&sectors))).fails::<Btrfs>(&without(&["\"sdb1\""]), "sectors below 2^55");
    given(&format!("{MOUNTINFO}{}", host(&[("label", "broken")]))).fails::<Btrfs>(&without(&["_info{"]), "/label: ");
    given(&format!("{MOUNTINFO}{}", host(&[("metadata_uuid", "x")]))).fails::<Btrfs>(&without(&[]), "expected a UUID");
    for (content, lost, complaint) in [
        ("broken", ["commit", "commit"], "input/output error"),
        ("x", ["commit", "commit"], "a name and a number"),
        (
            "commits 11\nlast_commit_ms 12 1\nmax_commit_ms 13\ntotal_commit_ms 14\n",
            ["last_commit", "last_commit"],
            ":2: ",
        ),
        ("commits 11\nlast_commit_ms 12\nx\ntotal_commit_ms -1\n", ["max_commit", "commit_seconds_total"], ":4: "),
    ] {
        given(&format!("{MOUNTINFO}{}", host(&[("commit_stats", content)]))).fails::<Btrfs>(&without(&lost), complaint);
    }
}

#[test]
fn layouts_with_parity_depend_on_the_number_of_devices() {
    for (layout, count, expected) in [
        ("single", 1, Some(1.0)),
        ("dup", 1, Some(2.0)),
        ("raid1c3", 3, Some(3.0)),
        ("raid1c4", 4, Some(4.0)),
        ("raid5", 4, Some(4.0 / 3.0)),
        ("raid6", 4, Some(2.0)),
        ("raid9", 4, Some(0.0)),
    ] {
        assert_eq!(ratio(layout.as_bytes(), Some(count)), expected, "{layout}");
    }
    assert_eq!((ratio(b"raid5", None), ratio(b"raid6", None), ratio(b"dup", None)), (None, None, Some(2.0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn commits_come_back(count: u32, last: u32) {
        let content = format!("commits {count}\nlast_commit_ms {last}\nmax_commit_ms 13\ntotal_commit_ms 14\n");
        let samples = given(&format!("{MOUNTINFO}{}", host(&[("commit_stats", &content)]))).scrape::<Btrfs>().samples();
        let value = |name: &str| -> f64 {
            let line = samples.lines().find(|line| line.starts_with(name)).expect("a line");
            line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
        };
        prop_assert_eq!(value("node_btrfs_commits_total").to_bits(), f64::from(count).to_bits());
        prop_assert_eq!(value("node_btrfs_last_commit_seconds").to_bits(), (f64::from(last) / 1000.0).to_bits());
    }

    #[test]
    fn any_sizes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = (Sectors::from_text(&bytes).is_some(), ratio(&bytes, Some(0)));
    }
}
