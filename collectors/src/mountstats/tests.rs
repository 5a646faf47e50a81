use super::*;
use crate::host::root::Mount;
use crate::kit::testing::given;
use proptest::prelude::*;

const ROOT: &str = "device /dev/vda2 mounted on / with fstype ext4\n";
const ROOT_INFO: &str = "21 0 8:1 / / rw - ext4 /dev/vda2 rw\n";
const ROWS: &str = "\tage:\t77\n\tevents:\t1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27\n\
    \tbytes:\t1 2 3 4 5 6 7 8\n";
const TCP: &str = "\txprt:\ttcp 832 1 2 3 11 5 6 7 8 9 24 26 28\n";
const OPERATIONS: &str = "\tper-op statistics\n\t        READ: 1 2 3 4 5 6000 7 8 9 \n\n";

fn nfs(place: &str, version: &str, below: &str) -> String {
    format!("device server:/srv mounted on {place} with fstype nfs4 statvers={version}\n\topts:\trw,vers=4.2\n{below}")
}

fn info(place: &str) -> String {
    format!("50 21 0:42 / {place} rw shared:9 - nfs4 server:/srv rw,vers=4.2,clientaddr=192.0.2.1,addr=192.0.2.60\n")
}

fn tree(statistics: &str, mounts: &str) -> String {
    format!("== proc/self/mountinfo\n{ROOT_INFO}{mounts}== proc/self/mountstats\n{ROOT}{statistics}")
}

#[track_caller]
fn scrape(statistics: &str, mounts: &str) -> crate::kit::testing::Scraped {
    given(&tree(statistics, mounts)).scrape::<Mountstats>()
}

/// A sample's value, by its name without what all have in common and without the labels that it shares.
#[track_caller]
fn check_has(samples: &str, lines: &[&str]) {
    for line in lines {
        assert!(samples.contains(&format!("node_mountstats_nfs_{line}\n")), "{line} is not in\n{samples}");
    }
}

const SAMPLES: usize = 2 + 8 + 26 + 8;

#[test]
fn a_mount_is_told_by_bytes_events_operations_and_transports() {
    let scraped = scrape(&nfs("/mnt", "1.1", &format!("{ROWS}{TCP}{OPERATIONS}")), &info("/mnt"));
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    let samples = scraped.samples();
    assert_eq!(samples.lines().count(), SAMPLES + 10, "{samples}");
    let labels = "{export=\"server:/srv\",mountaddr=\"192.0.2.60\",";
    let lines = [
        ("age_seconds_total", "protocol=\"tcp\"} 77"),
        ("mountpoint_info", "mountpoint=\"/mnt\",protocol=\"tcp\"} 1"),
        ("write_pages_total", "protocol=\"tcp\"} 8"),
        ("event_vfs_file_release_total", "protocol=\"tcp\"} 18"),
        ("event_truncation_total", "protocol=\"tcp\"} 20"),
        ("event_pnfs_write_total", "protocol=\"tcp\"} 27"),
        ("operations_requests_total", "operation=\"READ\",protocol=\"tcp\"} 1"),
        ("operations_queue_time_seconds_total", "operation=\"READ\",protocol=\"tcp\"} 6"),
        ("operations_request_time_seconds_total", "operation=\"READ\",protocol=\"tcp\"} 0.008"),
        ("transport_bind_total", "protocol=\"tcp\",transport=\"0\"} 1"),
        ("transport_idle_time_seconds", "protocol=\"tcp\",transport=\"0\"} 11"),
        ("transport_pending_queue_total", "protocol=\"tcp\",transport=\"0\"} 28"),
    ];
    let lines = lines.map(|(name, rest)| format!("{name}{labels}{rest}"));
    check_has(&samples, &lines.each_ref().map(String::as_str));
}

#[track_caller]
fn check_transport(version: &str, row: &str, expected: [u64; 10]) {
    let scraped = scrape(&nfs("/mnt", version, &format!("{ROWS}\txprt:\t{row}\n{OPERATIONS}")), &info("/mnt"));
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    let transports = scraped.samples();
    let transports = transports.lines().filter(|line| line.contains("_transport_"));
    let values: Vec<u64> = transports.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    assert_eq!(values, expected, "backlog, bad, bind, connect, idle, slots, pending, receives, sending, sends");
}

#[test]
fn each_protocol_and_version_has_its_columns() {
    check_transport("1.1", "tcp 832 1 2 3 4 5 6 7 8 9 10 11 12", [9, 7, 1, 2, 4, 10, 12, 6, 11, 5]);
    check_transport("1.0", "tcp 832 1 2 3 4 5 6 7 8 9", [9, 7, 1, 2, 4, 0, 0, 6, 0, 5]);
    check_transport("1.1", "udp 832 1 5 6 7 8 9 10 11 12", [9, 7, 1, 0, 0, 10, 12, 6, 11, 5]);
    check_transport("1.0", "udp 832 1 5 6 7 8 9", [9, 7, 1, 0, 0, 0, 0, 6, 0, 5]);
    let rdma = "rdma 832 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19";
    check_transport("1.1", rdma, [9, 7, 1, 2, 4, 0, 0, 6, 0, 5]);
}

#[test]
fn a_mount_with_several_connections_is_told_once() {
    let scraped = scrape(&nfs("/mnt", "1.1", &format!("{ROWS}{TCP}{TCP}{OPERATIONS}")), &info("/mnt"));
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    assert_eq!(scraped.samples().lines().count(), SAMPLES + 20);
}

#[test]
fn an_export_that_is_mounted_twice_is_counted_once() {
    let one = nfs("/mnt", "1.1", &format!("{ROWS}{TCP}{OPERATIONS}"));
    let two = nfs("/other", "1.1", &format!("{ROWS}{TCP}{OPERATIONS}"));
    let scraped = scrape(&format!("{one}{two}"), &format!("{}{}", info("/mnt"), info("/other")));
    let samples = scraped.samples();
    assert_eq!(samples.lines().count(), SAMPLES + 10 + 1, "{samples}");
    assert_eq!(samples.matches("_mountpoint_info{").count(), 2);
}

#[test]
fn without_the_files_there_is_an_error() {
    given("").fails::<Mountstats>("", "proc/self/mountstats: no such file");
    given("== proc/self/mountstats\n").fails::<Mountstats>("", "proc/self/mountinfo: no such file");
    given(&tree("no device mounted on /proc with fstype proc\n", "")).emits::<Mountstats>("");
}

#[track_caller]
fn check_cost(statistics: &str, mounts: &str, cost: usize, complaint: &str) {
    let scraped = scrape(statistics, mounts);
    let samples = scraped.samples();
    assert_eq!(samples.lines().count(), SAMPLES + 10 - cost, "{samples}");
    assert!(scraped.complaints.iter().any(|found| found.contains(complaint)), "{:?}", scraped.complaints);
}

#[test]
fn a_bad_row_costs_itself_alone() {
    let with = |from: &str, to: &str| nfs("/mnt", "1.1", &format!("{ROWS}{TCP}{OPERATIONS}").replace(from, to));
    check_cost(&with("\tage:\t77\n", ""), &info("/mnt"), 1, "age:: expected a row of that name below it");
    check_cost(&with("77", "-1"), &info("/mnt"), 1, "a column: expected an unsigned integer");
    check_cost(&with("bytes:\t1 ", "bytes:\t"), &info("/mnt"), 8, "the row: expected 8 numbers");
    check_cost(&with("events:\t1 ", "events:\t1 0 "), &info("/mnt"), 26, "the row: expected 27 numbers");
    check_cost(&with("READ: 1 2", "READ: x 2"), &info("/mnt"), 8, "a column: expected an unsigned integer");
    check_cost(&with("6000 7 8 9", "6000"), &info("/mnt"), 8, "the row: expected 8 numbers or more");
}

#[test]
fn a_bad_mount_costs_itself_alone() {
    let fine = format!("{ROWS}{TCP}{OPERATIONS}");
    let all = SAMPLES + 10;
    let check = |version: &str, transport: &str, complaint: &str| {
        check_cost(&nfs("/mnt", version, &fine.replace(TCP, transport)), &info("/mnt"), all, complaint);
    };
    check("1.2", TCP, "the version: expected statistics of version 1.0 or 1.1, found \"1.2\"");
    check("1.1", "\txprt:\tlocal 1 2\n", "the protocol: expected tcp, udp or rdma, found \"local\"");
    check("1.1", "\txprt:\ttcp 1 2\n", "the row: expected as many numbers as its protocol has");
    check("1.0", TCP, "as many numbers as its protocol has");
    let mount = nfs("/mnt", "1.1", &fine);
    check_cost(&mount, "50 21 0:42 / /mnt rw\n", all, "mountinfo:2: the mount: expected 10 columns");
    check_cost(&mount, "", all, "mountinfo: the mount: expected a line for each of mountstats");
    check_cost(&mount.replace("nfs4", "ext4"), &info("/mnt"), all, "the type: expected nfs or nfs4");
    check_cost(&mount.replace("mounted", "mount"), &info("/mnt"), all, "mounted: expected that word, found \"mount\"");
    check_cost(&format!("device x\n{mount}"), &format!("{ROOT_INFO}{}", info("/mnt")), 0, "mounted: expected a field");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_come_back(bytes: [u64; 8]) {
        let rendered: Vec<String> = bytes.iter().map(u64::to_string).collect();
        let text = nfs("/mnt", "1.1", &format!("\tbytes:\t{}\n", rendered.join(" ")));
        let text = Text::new(Mount::Proc, b"x", text.as_bytes());
        let block = block::blocks(text).next().expect("a mount").expect("a mount");
        prop_assert_eq!(block.row("bytes:", "8 numbers").ok(), Some(bytes));
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
        let text = format!("device a mounted on b with fstype nfs statvers=1.1\n{}", String::from_utf8_lossy(&bytes));
        for text in [Text::new(Mount::Proc, b"x", &bytes), Text::new(Mount::Proc, b"x", text.as_bytes())] {
            for block in block::blocks(text).filter_map(Result::ok) {
                let _ = (block.operations().count(), block.transports().count());
                let _ = block.row::<8>("bytes:", "8 numbers");
            }
            let _ = text.lines().map(block::address).count();
        }
    }
}

#[test]
fn a_file_without_a_single_mount_is_reported() {
    given("== proc/self/mountinfo\n== proc/self/mountstats\nx\n").fails::<Mountstats>(
        "",
        "proc/self/mountstats: the file: expected a line of `device`, or `no device`, for each mount, found \"x\"",
    );
}
