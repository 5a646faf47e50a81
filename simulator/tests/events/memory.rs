//! Memory and processes.

use super::{Scene, Story};

fn available(scene: &Scene) -> u64 {
    scene.number("proc/meminfo", "MemAvailable")
}

fn swap_free(scene: &Scene) -> u64 {
    scene.number("proc/meminfo", "SwapFree")
}

/// Total of the line `some`, in microseconds.
fn pressure(scene: &Scene, what: &str) -> u64 {
    let line = scene.text(&format!("proc/pressure/{what}")).lines().next().unwrap();
    line.rsplit_once('=').unwrap().1.parse().unwrap()
}

#[test]
fn memory_leaks_linearly_and_then_swap_fills() {
    let story = Story::of("vm", &[], "memory-leak", &[("mebibytes_per_hour", "1024")]);
    let hours: Vec<Scene> = (0..8).map(|hour| story.after(hour * 3_600)).collect();
    // Other usage varies slightly while memory is sufficient.
    let falls = |from: usize| available(&hours[from]).saturating_sub(available(&hours[from + 1])) >> 10;
    for hour in 0..4 {
        assert!((850..1_200).contains(&falls(hour)), "{} MiB in hour {hour}", falls(hour));
    }
    assert!(swap_free(&hours[7]) * 2 < swap_free(&hours[0]), "{} of {}", swap_free(&hours[7]), swap_free(&hours[0]));
    let rise = |from: usize, to: usize| pressure(&hours[to], "memory") - pressure(&hours[from], "memory");
    assert!(rise(6, 7) > 20 * rise(0, 1), "{} {}", rise(0, 1), rise(6, 7));
    assert!(hours[7].number("proc/vmstat", "pswpout") > hours[0].number("proc/vmstat", "pswpout"));
}

#[test]
fn the_kernel_kills_a_process_when_memory_is_full() {
    let story = Story::of("vm", &[], "out-of-memory", &[("process", "cache"), ("fills_seconds", "120")]);
    let [early, full, killed] = [-121, -1, 0].map(|after| story.after(after));
    assert!(available(&full) * 4 < available(&early), "{} of {}", available(&full), available(&early));
    assert!(swap_free(&full) * 10 < swap_free(&early) && available(&killed) * 10 > available(&early) * 9);
    let kills = |scene: &Scene| scene.number("proc/vmstat", "oom_kill");
    assert_eq!([kills(&full), kills(&killed)], [0, 1]);
    let has = |scene: &Scene| {
        let processes = scene.names("proc");
        processes.iter().any(|process| scene.find(&format!("proc/{process}/comm")) == Some("cache\n"))
    };
    assert!(has(&full) && !has(&killed));
    assert!(pressure(&full, "memory") - pressure(&early, "memory") > 10_000_000);
}

#[test]
fn processes_double_until_they_are_killed() {
    let story = Story::of("vm", &[], "fork-bomb", &[("processes", "500"), ("seconds", "120")]);
    let [before, first, full, late, after] = [-1, 0, 9, 119, 120].map(|seconds| story.after(seconds));
    let running = |scene: &Scene| scene.number("proc/stat", "procs_running");
    assert!(running(&first) - running(&before) <= 12 && running(&full) > 500 && running(&after) < 20);
    let load = |scene: &Scene| scene.text("proc/loadavg").split('.').next().unwrap().parse::<u64>().unwrap();
    assert!(load(&before) < 10 && load(&late) > 400, "{} {}", load(&before), load(&late));
    let idle = |scene: &Scene| scene.row("proc/stat", "cpu")[3];
    assert_eq!(idle(&late), idle(&full), "a CPU is idle");
    assert!(pressure(&late, "cpu") - pressure(&full, "cpu") > 109_000_000);
    let forks = |scene: &Scene| scene.number("proc/stat", "processes");
    assert!(forks(&full) >= forks(&before) + 500);
    let calm = story.after(300);
    assert!(idle(&calm) > idle(&late) && forks(&calm) >= forks(&late));
}

#[test]
fn derived_values_follow_a_fork_bomb() {
    let small = [("cpus", "4"), ("nodes", "1"), ("disks", "1")];
    let story = Story::of("epyc256", &small, "fork-bomb", &[("processes", "100"), ("seconds", "120")]);
    let [before, late] = [-1, 119].map(|after| story.after(after));
    let frequency = |scene: &Scene| {
        let path = "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq";
        scene.text(path).trim().parse::<u64>().unwrap()
    };
    let most: u64 = late.text("sys/devices/system/cpu/cpu1/cpufreq/scaling_max_freq").trim().parse().unwrap();
    assert!(frequency(&late) == most && frequency(&before) < most);
    let warmest = |scene: &Scene| {
        let chips = scene.names("sys/class/hwmon");
        let chips = chips.iter().filter_map(|chip| scene.find(&format!("sys/class/hwmon/{chip}/temp1_input")));
        chips.map(|degrees| degrees.trim().parse::<u64>().unwrap()).max().unwrap()
    };
    assert!(warmest(&late) > warmest(&before) + 2_000, "{} {}", warmest(&before), warmest(&late));
}

#[test]
fn kernel_quirks_are_reproduced() {
    let story = Story::of("vm", &[], "iowait-falls", &[("ticks", "300")]);
    let [before, at] = [-1, 0].map(|after| story.after(after).row("proc/stat", "cpu0"));
    assert!(at[4] + 290 < before[4] && at[4] + 300 >= before[4] && at[3] > before[3] + 290, "{before:?} {at:?}");
    let interrupts = |then, after| {
        let story = Story::of("vm", &[], "interrupts-beyond-32-bits", &[("then", then)]);
        story.after(after).number("proc/stat", "intr")
    };
    assert!(interrupts("goes-on", -1) % (1 << 32) > (1 << 32) - 100_000 && interrupts("goes-on", 0) >= 1 << 32);
    assert!(interrupts("wraps", -1) > (1 << 32) - 100_000 && interrupts("wraps", 0) < 100_000);
    let small = [("cpus", "4"), ("nodes", "1"), ("disks", "1")];
    let story = Story::of("epyc256", &small, "frequency-unknown", &[("seconds", "60")]);
    let told = |after| story.after(after).text("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq").to_owned();
    assert!(told(0) == "<unknown>\n" && [told(-1), told(60)].iter().all(|told| told.trim().parse::<u64>().is_ok()));
}
