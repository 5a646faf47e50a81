//! Reboots and clock steps.

use collectors::host::kernel::Uname;
use collectors::host::kernel::timex::STATE_ERROR;

use super::{AT, Scene, Story};

fn release(scene: &Scene) -> String {
    let mut uname = Uname::default();
    scene.kernel().uname(&mut uname).unwrap();
    String::from_utf8(uname.release).unwrap()
}

#[test]
fn a_reboot_resets_everything_except_disk_content() {
    const RELEASE: &str = "6.12.43+deb13-cloud-amd64";
    let story = Story::of("vm", &[], "reboot", &[("kernel", RELEASE)]);
    let [before, at, later] = [-1, 0, 100].map(|after| story.after(after));
    assert_eq!(at.number("proc/stat", "btime"), AT);
    assert_eq!(later.text("proc/uptime").split(' ').next(), Some("100.00"));
    assert_ne!(before.text("proc/sys/kernel/random/boot_id"), at.text("proc/sys/kernel/random/boot_id"));
    assert_eq!([release(&at), at.text("proc/sys/kernel/osrelease").trim().to_owned()], [RELEASE, RELEASE]);
    assert_ne!(release(&before), RELEASE);
    for (path, name) in [("proc/stat", "ctxt"), ("proc/net/dev", "eth0"), ("proc/stat", "cpu0")] {
        assert!(later.number(path, name) * 100 < before.number(path, name), "{path} {name}");
    }
    let used = |scene: &Scene| {
        let space = scene.kernel().statfs(b"/srv").unwrap();
        space.blocks - space.blocks_free
    };
    let root = |scene: &Scene| scene.0.content(b"kernel/statfs").map(<[u8]>::to_vec);
    assert!(root(&before).is_some() && used(&later) >= used(&before), "{} {}", used(&before), used(&later));
}

#[test]
fn a_clock_step_changes_btime_only() {
    for (direction, step) in [("forward", 7_200_i64), ("back", -7_200)] {
        let story = Story::of("vm", &[], "clock-step", &[("seconds", "7200"), ("direction", direction)]);
        let [before, at] = [-1, 0].map(|after| story.after(after));
        assert_eq!(at.kernel().now().as_secs(), AT.saturating_add_signed(step));
        assert_eq!(at.number("proc/stat", "btime"), before.number("proc/stat", "btime").saturating_add_signed(step));
        let uptime = |scene: &Scene| scene.text("proc/uptime").split('.').next().unwrap().parse::<u64>().unwrap();
        assert_eq!(uptime(&at), uptime(&before) + 1);
        assert!(at.number("proc/stat", "ctxt") >= before.number("proc/stat", "ctxt"));
    }
}

#[test]
fn a_clock_without_a_reference_drifts() {
    let story = Story::of("laptop", &[], "clock-unsynchronised", &[("seconds", "6000"), ("drift_ppm", "100")]);
    let clock = |after| story.after(after).kernel().timex().unwrap();
    assert_eq!([-1, 0, 5_999, 6_000].map(|after| clock(after).state == STATE_ERROR), [false, true, true, false]);
    assert_eq!([0, 10, 600, 5_999].map(|after| clock(after).offset), [0, 1_000_000, 60_000_000, 500_000_000]);
    assert_eq!(clock(5_999).maximum_error_microseconds, 16_000_000);
    assert!(clock(6_000).offset.abs() <= 200_000);
    assert!(clock(-1).frequency.abs_diff(clock(6_000).frequency) <= 2_000, "the drift of the crystal stays");
}
