use super::*;
use crate::kit::testing::given;

const ROWS: &str = "== proc/diskstats
   8       0 sda 10 1 4 2500 20 2 8 1 3 41614592 4294967295
   8       1 sda1 1 0 0 0 0 0 0 0 0 0 0
   7       0 loop0 1 0 0 0 0 0 0 0 0 0 0
 259       0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
";

#[test]
fn every_column_is_exported() {
    let sda = "node_disk_info{device=\"sda\",major=\"8\",minor=\"0\",model=\"\",path=\"\",revision=\"\",rotational=\"1\",serial=\"\",wwn=\"\"} 1
node_disk_io_now{device=\"sda\"} 3
node_disk_io_time_seconds_total{device=\"sda\"} 41614.592000000004
node_disk_io_time_weighted_seconds_total{device=\"sda\"} 4.294967295e+06
node_disk_read_bytes_total{device=\"sda\"} 2048
node_disk_read_time_seconds_total{device=\"sda\"} 2.5
node_disk_reads_completed_total{device=\"sda\"} 10
node_disk_reads_merged_total{device=\"sda\"} 1
node_disk_write_time_seconds_total{device=\"sda\"} 0.001
node_disk_writes_completed_total{device=\"sda\"} 20
node_disk_writes_merged_total{device=\"sda\"} 2
node_disk_written_bytes_total{device=\"sda\"} 4096
";
    given(&format!("{ROWS}== sys/block/sda/queue/rotational\n1\n"))
        .flags(&["--collector.diskstats.device-include=^sda$"])
        .emits::<Diskstats>(sda);
}

#[test]
fn discards_and_flushes_of_later_kernels_are_exported() {
    let expected = "node_disk_discard_time_seconds_total{device=\"nvme0n1\"} 0.015
node_disk_discarded_sectors_total{device=\"nvme0n1\"} 14
node_disk_discards_completed_total{device=\"nvme0n1\"} 12
node_disk_discards_merged_total{device=\"nvme0n1\"} 13
node_disk_flush_requests_time_seconds_total{device=\"nvme0n1\"} 0.017
node_disk_flush_requests_total{device=\"nvme0n1\"} 16
";
    let scraped = given(ROWS).flags(&["--collector.diskstats.device-include=nvme"]).scrape::<Diskstats>();
    let samples = scraped.samples();
    let found: String =
        samples.split_inclusive('\n').filter(|line| line.contains("discard") || line.contains("flush")).collect();
    assert_eq!(found, expected);
    assert!(samples.contains("rotational=\"0\""), "{samples}");
}

#[track_caller]
fn check_devices(flags: &[&str], expected: &[&str]) {
    let samples = given(ROWS).flags(flags).scrape::<Diskstats>().samples();
    let lines = samples.lines().filter_map(|line| line.strip_prefix("node_disk_io_now{device=\""));
    let devices: Vec<_> = lines.map(|line| line.split('"').next().unwrap()).collect();
    assert_eq!(devices, expected);
}

#[test]
fn devices_are_included_or_excluded_by_name() {
    check_devices(&[], &["nvme0n1", "sda"]);
    check_devices(&["--collector.diskstats.device-exclude=^nvme"], &["loop0", "sda", "sda1"]);
    check_devices(&["--collector.diskstats.device-exclude="], &["loop0", "nvme0n1", "sda", "sda1"]);
    check_devices(&["--collector.diskstats.device-include=1$"], &["nvme0n1", "sda1"]);
    given(ROWS)
        .flags(&["--collector.diskstats.device-include=a", "--collector.diskstats.device-exclude=b"])
        .is_refused::<Diskstats>("mutually exclusive");
    given(ROWS).flags(&["--collector.diskstats.device-include=("]).is_refused::<Diskstats>("device-include");
}

const UDEV: &str = "== udev/b8:0
S:disk/x
E:ID_ATA=1
E:ID_ATA_ROTATION_RATE_RPM=7200
E:ID_ATA_WRITE_CACHE=1
E:ID_ATA_WRITE_CACHE_ENABLED=no
E:ID_FS_TYPE=crypto_LUKS
E:ID_FS_USAGE=crypto
E:ID_FS_UUID=u
E:ID_FS_VERSION=2
E:ID_MODEL=EX \"DISK\"
E:ID_PATH=pci
E:ID_REVISION=r
E:ID_SERIAL_SHORT=s
E:ID_WWN=w
== udev/b259:0
E:DM_NAME=n
E:DM_UUID=u
E:DM_VG_NAME=v
E:DM_LV_NAME=l
E:ID_ATA_WRITE_CACHE=1
";

#[test]
fn identifiers_come_from_udev() {
    let samples = given(&format!("{ROWS}{UDEV}")).scrape::<Diskstats>().samples();
    let is_told = |line: &&str| line.contains("_info") || line.contains("_ata_");
    let found: String = samples.split_inclusive('\n').filter(is_told).collect();
    let expected = r#"node_disk_ata_rotation_rate_rpm{device="sda"} 7200
node_disk_ata_write_cache{device="sda"} 1
node_disk_device_mapper_info{device="nvme0n1",lv_layer="",lv_name="l",name="n",uuid="u",vg_name="v"} 1
node_disk_filesystem_info{device="sda",type="crypto_LUKS",usage="crypto",uuid="u",version="2"} 1
node_disk_info{device="nvme0n1",major="259",minor="0",model="",path="",revision="",rotational="0",serial="",wwn=""} 1
node_disk_info{device="sda",major="8",minor="0",model="EX \"DISK\"",path="pci",revision="r",rotational="0",serial="s",wwn="w"} 1
"#;
    assert_eq!(found, expected);
}

#[test]
fn a_bad_row_costs_only_its_own_samples() {
    let rows = "== proc/diskstats\n8 0 sda 1 2 3 x 5 6 7 8 9 10 11\n8 16 sdb 1 2\n\n8 32 sdc 0 0 0 0 0 0 0 0 0 0 0\n";
    let scraped = given(rows).scrape::<Diskstats>();
    assert_eq!(scraped.complaints.len(), 1, "{:?}", scraped.complaints);
    assert!(scraped.complaints[0].starts_with("proc/diskstats:1: time reading: "), "{:?}", scraped.complaints);
    let samples = scraped.samples();
    assert!(samples.contains("device=\"sdc\"") && !samples.contains("sda") && !samples.contains("sdb"), "{samples}");
}

#[test]
fn a_file_without_a_single_row_is_reported() {
    given("== proc/diskstats\n8 1 sda1 1 2 3 4\n").fails::<Diskstats>(
        "",
        "proc/diskstats: the file: expected rows of 14 columns or more, found \"8 1 sda1 1 2 3 4\"",
    );
    given("== proc/diskstats\n").emits::<Diskstats>("");
}

#[test]
fn without_the_file_there_is_an_error() {
    given("").fails::<Diskstats>("", "proc/diskstats: no such file or directory");
}
