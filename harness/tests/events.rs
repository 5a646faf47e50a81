//! Effect of each event on the pages: before it, while it lasts, and after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use collectors::host::glob;
use harness::{exposition, host};
use simulator::fault::VirtualClock;
use simulator::{Event, Host, Machine, event_kinds};

const AT: Duration = Duration::from_secs(1_700_000_000);

/// Settings of an event or a profile.
type Settings = &'static [(&'static str, &'static str)];

/// An event, its host, and the effect on its pages.
struct EventRow {
    kind: &'static str,
    settings: Settings,
    profile: &'static str,
    overrides: Settings,
    /// Times of the second and third page, in seconds after the start of the event.
    seconds: [u64; 2],
    /// Patterns of series.
    shows: &'static [(&'static str, Shows)],
}

/// Effect on the series of a pattern.
enum Shows {
    /// Number of series.
    Rows([usize; 3]),
    /// Sum of the series.
    Sums([f64; 3]),
    /// The sum on the second page is higher by this value, within a tenth of it.
    Higher(f64),
    /// The sum on the second page is lower by this value or more.
    Lower(f64),
    /// The sum on the second page is unchanged.
    Unchanged,
    /// The number of series is unchanged, but some are replaced.
    Replaced,
}

use Shows::{Higher, Lower, Replaced, Rows, Sums, Unchanged};

const SMALL_SERVER: Settings = &[("cpus", "4"), ("memory_gib", "64"), ("disks", "36")];
const MINUTE: Settings = &[("seconds", "60")];

const ROWS: &[EventRow] = &[
    EventRow {
        kind: "attributes-refused",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[("node_network_speed_bytes{device=\"eth0\"}", Rows([1, 0, 1]))],
    },
    EventRow {
        kind: "bond-failover",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[
            ("node_bonding_slaves{master=\"bond0\"}", Sums([2.0; 3])),
            ("node_bonding_active{master=\"bond0\"}", Sums([2.0, 1.0, 2.0])),
            ("node_network_up{device=\"eth1\"}", Sums([1.0, 0.0, 1.0])),
            ("node_network_carrier_changes_total{device=\"eth1\"}", Higher(1.0)),
        ],
    },
    EventRow {
        kind: "clock-step",
        settings: &[],
        profile: "vm",
        overrides: &[],
        seconds: [0, 1],
        shows: &[("node_boot_time_seconds", Higher(3_600.0)), ("node_time_seconds", Higher(3_601.0))],
    },
    EventRow {
        kind: "clock-unsynchronised",
        settings: &[("seconds", "900")],
        profile: "vm",
        overrides: &[],
        seconds: [600, 900],
        // The alerts NodeClockNotSynchronising and NodeClockSkewDetected compare with 0, 16 and 0.05.
        shows: &[
            ("node_timex_sync_status", Sums([1.0, 0.0, 1.0])),
            ("node_timex_maxerror_seconds", Higher(15.9)),
            ("node_timex_offset_seconds", Higher(0.11)),
        ],
    },
    EventRow {
        kind: "counter-wrap",
        settings: &[],
        profile: "vm",
        overrides: &[],
        seconds: [0, 1],
        shows: &[("node_network_receive_bytes_total{device=\"eth0\"}", Lower(4e9))],
    },
    EventRow {
        kind: "cpu-hotplug",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[
            ("node_cpu_seconds_total{cpu=\"1\",*}", Rows([8, 0, 8])),
            ("node_cpu_seconds_total{*}", Rows([32, 24, 32])),
            ("node_softnet_processed_total{*}", Rows([4, 3, 4])),
        ],
    },
    EventRow {
        kind: "disk-failing",
        settings: MINUTE,
        profile: "jbod60",
        overrides: SMALL_SERVER,
        seconds: [60, 600],
        shows: &[("node_md_disks{*state=\"failed\"}", Sums([0.0, 1.0, 1.0]))],
    },
    EventRow {
        kind: "disk-hotplug",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[
            ("node_disk_reads_completed_total{device=\"vdb\"}", Rows([1, 0, 1])),
            ("node_filesystem_size_bytes{*mountpoint=\"/srv\"}", Rows([1, 0, 1])),
        ],
    },
    EventRow {
        kind: "fabric-counters-missing",
        settings: MINUTE,
        profile: "ib-hpc",
        overrides: &[("cpus", "4"), ("memory_gib", "16"), ("adapters", "1"), ("interrupts", "9")],
        seconds: [1, 60],
        shows: &[("node_infiniband_port_data_received_bytes_total{*}", Rows([1, 0, 1]))],
    },
    EventRow {
        kind: "fork-bomb",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [30, 60],
        shows: &[("node_procs_running", Higher(1_000.0)), ("node_forks_total", Higher(1_000.0))],
    },
    EventRow {
        kind: "frequency-unknown",
        settings: MINUTE,
        profile: "laptop",
        overrides: &[("cpus", "2")],
        seconds: [1, 60],
        shows: &[("node_cpu_scaling_frequency_hertz{*}", Rows([2, 0, 2]))],
    },
    EventRow {
        kind: "interrupts-beyond-32-bits",
        settings: &[("then", "wraps")],
        profile: "vm",
        overrides: &[],
        seconds: [0, 1],
        shows: &[("node_intr_total", Lower(4_294_000_000.0))],
    },
    EventRow {
        kind: "iowait-falls",
        settings: &[],
        profile: "vm",
        overrides: &[],
        seconds: [0, 1],
        // Our counter waits until the kernel's has passed it again.
        shows: &[
            ("node_cpu_seconds_total{*mode=\"iowait\"}", Unchanged),
            ("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}", Higher(3.6)),
        ],
    },
    EventRow {
        kind: "md-rebuild",
        settings: &[("seconds", "600")],
        profile: "jbod60",
        overrides: SMALL_SERVER,
        seconds: [300, 600],
        shows: &[
            ("node_md_state{*state=\"recovering\"}", Sums([0.0, 1.0, 0.0])),
            ("node_md_blocks_synced{*}", Lower(1.0)),
        ],
    },
    EventRow {
        kind: "memory-leak",
        settings: &[],
        profile: "vm",
        overrides: &[],
        seconds: [3_600, 3_601],
        shows: &[("node_memory_MemAvailable_bytes", Lower(9e8)), ("node_memory_MemTotal_bytes", Rows([1; 3]))],
    },
    EventRow {
        kind: "nic-hotplug",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[
            ("node_network_up{device=\"eth2\"}", Rows([1, 0, 1])),
            ("node_bonding_slaves{master=\"bond0\"}", Sums([2.0, 1.0, 2.0])),
        ],
    },
    EventRow {
        kind: "out-of-memory",
        settings: &[],
        profile: "vm",
        overrides: &[],
        seconds: [0, 1],
        shows: &[("node_vmstat_oom_kill", Sums([0.0, 1.0, 1.0])), ("node_memory_SwapFree_bytes", Rows([1; 3]))],
    },
    EventRow {
        kind: "pod-churn",
        settings: &[("per_hour", "3600")],
        profile: "k8s-dense",
        overrides: &[("cpus", "4"), ("memory_gib", "16"), ("pods", "7"), ("veths", "4"), ("mounts", "60")],
        seconds: [20, 21],
        shows: &[
            ("node_network_up{device=\"veth*\"}", Replaced),
            ("node_cgroups_cgroups{*subsys_name=\"memory\"}", Rows([1; 3])),
        ],
    },
    EventRow {
        kind: "reboot",
        settings: &[("kernel", "6.13.0")],
        profile: "vm",
        overrides: &[],
        seconds: [0, 1],
        shows: &[
            ("node_boot_time_seconds", Higher(8_500_000.0)),
            ("node_forks_total", Lower(1.0)),
            ("node_uname_info{*release=\"6.13.0\"*}", Rows([0, 1, 1])),
        ],
    },
    EventRow {
        kind: "unit-fails",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[
            (
                "node_systemd_unit_state{name=\"backup.service\",state=\"failed\",type=\"oneshot\"}",
                Sums([0.0, 1.0, 0.0]),
            ),
            ("node_systemd_units{state=\"failed\"}", Sums([0.0, 1.0, 0.0])),
            ("node_systemd_system_running", Sums([1.0, 0.0, 1.0])),
        ],
    },
    EventRow {
        kind: "usb-disk",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[
            ("node_disk_info{device=\"sda\"*}", Rows([0, 1, 0])),
            ("node_filesystem_size_bytes{*mountpoint=\"/media/sda\"}", Rows([0, 1, 0])),
        ],
    },
    EventRow {
        kind: "usb-nic",
        settings: MINUTE,
        profile: "vm",
        overrides: &[],
        seconds: [1, 60],
        shows: &[("node_network_up{*}", Rows([7, 8, 7]))],
    },
];

/// The series of a page with their values.
type Page = BTreeMap<String, f64>;

/// The pages of a host with the event: one before it, and these seconds after its start.
fn pages(row: &EventRow) -> [Page; 3] {
    let event = Event::of(row.kind, AT, row.settings).unwrap_or_else(|error| panic!("{error}"));
    let machine = Machine::of(row.profile, 1, row.overrides).unwrap_or_else(|error| panic!("{error}"));
    let machine = machine.with_events(vec![event]).unwrap_or_else(|error| panic!("{error}"));
    let clock = VirtualClock::new(AT.saturating_sub(Duration::from_secs(1)));
    let simulated = Host::new(machine, clock.reader());
    let scraper = host::scraper_of(simulated.roots(), simulated.kernel());
    let [second, third] = row.seconds.map(|seconds| AT + Duration::from_secs(seconds));
    [clock.now(), second, third].map(|moment| {
        clock.advance(moment.saturating_sub(clock.now()));
        let page = host::scrape(&scraper, &collectors::kit::scraper::Selection::ALL).page;
        let page = exposition::parse(page.as_bytes()).unwrap_or_else(|defects| panic!("{defects:?}"));
        let samples = page.families.iter().flat_map(|family| &family.samples);
        samples.map(|sample| (sample.series().to_owned(), sample.number.0)).collect()
    })
}

/// Equality except for rounding of sums.
fn is_equal(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs()
}

/// Reports differences between the pages and a row.
fn check(row: &EventRow, wrong: &mut Vec<String>) {
    let pages = pages(row);
    for (pattern, shows) in row.shows {
        let found = pages.each_ref().map(|page| -> BTreeMap<&String, f64> {
            let is_of = |series: &String| glob::matches(pattern.as_bytes(), series.as_bytes());
            page.iter().filter(|(series, _)| is_of(series)).map(|(series, value)| (series, *value)).collect()
        });
        let rows = found.each_ref().map(BTreeMap::len);
        let sums = found.each_ref().map(|found| found.values().sum::<f64>());
        let [before, then, _] = sums;
        let is_so = match shows {
            Rows(expected) => rows == *expected,
            Sums(expected) => rows[0] > 0 && sums.iter().zip(expected).all(|(sum, expected)| is_equal(*sum, *expected)),
            Higher(by) => rows[0] > 0 && then - before >= *by && then - before <= by * 1.1,
            Lower(by) => rows[0] > 0 && before - then >= *by,
            Unchanged => rows[0] > 0 && is_equal(then, before),
            Replaced => rows[0] > 0 && rows[0] == rows[1] && !found[0].keys().eq(found[1].keys()),
        };
        if !is_so {
            wrong.push(format!("{} on {}: {pattern}: {rows:?} series, sums {sums:?}", row.kind, row.profile));
        }
    }
}

#[test]
fn events_have_the_listed_effect() {
    let mut wrong = Vec::new();
    for row in ROWS {
        check(row, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_event_is_tested() {
    let known: BTreeSet<&str> = event_kinds().iter().map(|kind| kind.name).collect();
    assert_eq!(ROWS.iter().map(|row| row.kind).collect::<BTreeSet<_>>(), known);
}
