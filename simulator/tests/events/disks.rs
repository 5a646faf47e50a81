//! Disks and arrays.

use super::{Scene, Story};

const FILES: [(&str, &str); 3] = [("cpus", "4"), ("memory_gib", "64"), ("disks", "36")];

/// Columns of a disk in /proc/diskstats.
fn columns(scene: &Scene, name: &str) -> Vec<u64> {
    let line = scene.text("proc/diskstats").lines().find(|line| line.split_whitespace().nth(2) == Some(name));
    line.unwrap().split_whitespace().skip(3).map(|word| word.parse().unwrap()).collect()
}

#[test]
fn a_failing_disk_is_slow_and_then_stops() {
    let story = Story::of("vm", &[], "disk-failing", &[("device", "vdb"), ("seconds", "600")]);
    let at: Vec<Vec<u64>> = [-600, 0, 600, 1_200].map(|after| columns(&story.after(after), "vdb")).into();
    let per_request = |from: usize| {
        let rise = |column: usize| at[from + 1][column] - at[from][column];
        (rise(3) + rise(7)) * 1_000 / (rise(0) + rise(4)).max(1)
    };
    assert!(per_request(1) > 5 * per_request(0), "{} {}", per_request(0), per_request(1));
    assert!(at[2][9] - at[1][9] >= 599_000, "it has no rest");
    assert_eq!(at[2][..8], at[3][..8]);
}

#[test]
fn an_array_survives_a_failed_disk_and_is_rebuilt() {
    use simulator::{Event, Host, Machine};
    use std::time::Duration;

    let event = |kind, after, settings: &[(&str, &str)]| {
        Event::of(kind, Duration::from_secs(super::AT + after), settings).unwrap()
    };
    let events = vec![event("disk-failing", 0, &[("seconds", "60")]), event("md-rebuild", 120, &[("seconds", "1000")])];
    let machine = Machine::of("jbod60", 1, &FILES).unwrap().with_events(events).unwrap();
    let host = Host::new(machine, || Duration::ZERO);
    let scene = |after| Scene(host.tree_at(super::AT + after));
    let [whole, failed, halfway, done] = [59, 60, 620, 1_120].map(scene);
    let failing = |scene: &Scene| scene.text("proc/mdstat").matches("(F)").count();
    assert_eq!([&whole, &failed, &halfway, &done].map(failing), [0, 1, 0, 0]);
    let lacking = |scene: &Scene| scene.text("proc/mdstat").matches('_').count();
    assert!(
        lacking(&failed) == lacking(&whole) + 1
            && lacking(&halfway) == lacking(&failed)
            && lacking(&done) == lacking(&whole)
    );
    assert!(halfway.text("proc/mdstat").contains("recovery = 50.0%"), "{}", halfway.text("proc/mdstat"));
    let arrays = || halfway.names("sys/class/block").into_iter().filter(|name| name.starts_with("md"));
    let told = |scene: &Scene, file: &str| -> Vec<String> {
        arrays()
            .filter_map(|array| scene.find(&format!("sys/class/block/{array}/md/{file}")))
            .map(|t| t.trim().to_owned())
            .collect()
    };
    assert!(told(&halfway, "sync_action").contains(&"recover".to_owned()));
    assert!(!told(&done, "sync_action").contains(&"recover".to_owned()));
    let degraded =
        |scene: &Scene| told(scene, "degraded").iter().map(|count| count.parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!([&whole, &failed, &halfway, &done].map(degraded), [0, 1, 1, 0]);
}

#[test]
fn a_usb_disk_is_mounted_temporarily() {
    let story = Story::of("vm", &[], "usb-disk", &[("seconds", "60"), ("gibibytes", "8")]);
    let [before, there, gone] = [-1, 30, 60].map(|after| story.after(after));
    for scene in [&before, &gone] {
        assert!(scene.find("sys/class/block/sda/size").is_none() && !scene.text("proc/mounts").contains("/media/sda"));
    }
    assert_eq!(there.text("sys/class/block/sda/size"), "16777216\n");
    assert!(there.text("proc/mounts").contains("/dev/sda1 /media/sda vfat "));
    assert!(there.text("proc/self/mountinfo").contains(" /media/sda "));
}

#[test]
fn a_removed_disk_takes_its_stack_along_and_returns_with_zero_counters() {
    let story = Story::of("vm", &[], "disk-hotplug", &[("seconds", "60")]);
    let [before, away, back] = [-1, 59, 65].map(|after| story.after(after));
    let has = |scene: &Scene| ["vdb", "dm-0"].map(|name| scene.find(&format!("sys/class/block/{name}/size")).is_some());
    assert_eq!([has(&before), has(&away), has(&back)], [[true; 2], [false; 2], [true; 2]]);
    assert!(!away.text("proc/mounts").contains(" /srv ") && back.text("proc/mounts").contains(" /srv "));
    assert!(columns(&back, "dm-0")[6] * 1_000 < columns(&before, "dm-0")[6]);
    let paged = [&before, &away, &back].map(|scene| scene.number("proc/vmstat", "pgpgout"));
    assert!(paged.is_sorted(), "{paged:?}");
}
