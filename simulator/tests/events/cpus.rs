//! CPU hotplug.

use super::Story;

const CPU: [(&str, &str); 2] = [("cpu", "2"), ("seconds", "60")];

#[test]
fn an_offline_cpu_is_in_no_table_and_its_times_do_not_change() {
    let story = Story::of("vm", &[], "cpu-hotplug", &CPU);
    let [before, at, away, back, later] = [-1, 0, 59, 60, 160].map(|after| story.after(after));
    for scene in [&at, &away] {
        assert_eq!(scene.text("sys/devices/system/cpu/online"), "0-1,3\n");
        assert_eq!(scene.text("sys/devices/system/cpu/offline"), "2\n");
        assert_eq!(scene.text("sys/devices/system/cpu/cpu2/online"), "0\n");
        assert_eq!(scene.find("sys/devices/system/cpu/cpu2/topology/core_id"), None);
        assert!(!scene.text("proc/cpuinfo").contains("processor\t: 2\n") && !scene.text("proc/stat").contains("cpu2 "));
        assert_eq!(scene.text("proc/net/softnet_stat").lines().count(), 3);
        assert_eq!(scene.text("proc/interrupts").lines().next().unwrap().split_whitespace().nth(2), Some("CPU3"));
        assert_eq!(scene.text("sys/devices/system/cpu/cpu3/topology/thread_siblings_list"), "3\n");
    }
    for scene in [&before, &back] {
        assert_eq!(scene.text("sys/devices/system/cpu/online"), "0-3\n");
        assert_eq!(scene.text("sys/devices/system/cpu/offline"), "\n");
        assert_eq!(scene.text("sys/devices/system/cpu/cpu3/topology/thread_siblings_list"), "2-3\n");
    }
    let spent = |scene: &super::Scene, cpu: &str| scene.row("proc/stat", cpu).iter().sum::<u64>();
    // Each of the eight columns is truncated to whole ticks.
    let close = |left: u64, right: u64| assert!(left.abs_diff(right) <= 8, "{left} {right}");
    close(spent(&back, "cpu2"), spent(&before, "cpu2") + 100);
    close(spent(&back, "cpu3"), spent(&before, "cpu3") + 6_100);
    close(spent(&later, "cpu2"), spent(&back, "cpu2") + 10_000);
}

#[test]
fn interrupts_of_an_offline_cpu_move_to_others() {
    let story = Story::of("vm", &[], "cpu-hotplug", &CPU);
    let [before, back, later] = [0, 60, 120].map(|after| story.after(after));
    let rise = |from: &super::Scene, to: &super::Scene| -> Vec<u64> {
        let [from, to] = [from, to].map(|scene| scene.row("proc/softirqs", "TIMER"));
        from.iter().zip(to).map(|(from, to)| to - from).collect()
    };
    let (away, after) = (rise(&before, &back), rise(&back, &later));
    assert!(away[2] == 0 && after[2] > 0, "{away:?} {after:?}");
    for (counts, cpus) in [(away, 3), (after, 4)] {
        let sum = counts.iter().sum::<u64>();
        assert!((counts[0] * cpus).abs_diff(sum) <= cpus, "{counts:?}: a part for each of {cpus}");
    }
}

#[test]
fn the_times_of_a_cpu_that_is_given_anew_begin_at_0() {
    let story = Story::of("vm", &[], "cpu-hotplug", &[CPU[0], CPU[1], ("counters", "anew")]);
    let [before, back] = [-1, 70].map(|after| story.after(after).row("proc/stat", "cpu2").iter().sum::<u64>());
    assert!(back <= 1_000 && back + 8 >= 1_000 && before > 100 * back, "{before} {back}");
}

#[test]
fn a_reboot_brings_all_cpus_online() {
    use simulator::{Event, Host, Machine};
    use std::time::Duration;

    let events = [("cpu-hotplug", 0, &[("seconds", "0")][..]), ("reboot", 50, &[][..])]
        .map(|(kind, after, settings)| Event::of(kind, Duration::from_secs(super::AT + after), settings).unwrap());
    let host = Host::new(Machine::vm(1).with_events(events.to_vec()).unwrap(), || Duration::ZERO);
    let online = |after| super::Scene(host.tree_at(super::AT + after)).text("sys/devices/system/cpu/online").to_owned();
    assert_eq!([online(49), online(50)], ["0,2-3\n", "0-3\n"]);
}
