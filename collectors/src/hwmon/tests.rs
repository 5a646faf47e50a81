use super::*;
use crate::kit::testing::given;

/// A chip with these files.
fn chip(number: u32, device: &str, files: &[(&str, &str)]) -> String {
    let base = format!("sys/devices/{device}/hwmon/hwmon{number}");
    let own = device.rsplit('/').next().expect("a device");
    let file = |(name, value): &(&str, &str)| format!("== {base}/{name}\n{value}\n");
    format!("== sys/class/hwmon/hwmon{number} -> ../../{}\n== {base}/device -> ../../../{own}\n", &base[4..])
        + &files.iter().map(file).collect::<String>()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let lines = expected.iter().map(|line| line.replace('@', "chip=\"platform_x\"") + "\n");
    given(&chip(0, "platform/x", files)).emits::<Hwmon>(&lines.collect::<String>());
}

#[test]
fn values_have_the_unit_of_their_type() {
    check(
        &[("temp1_input", "27500"), ("temp1_crit_hyst", "90000"), ("temp1_type", "4"), ("temp1_alarm", "0")],
        &[
            "node_hwmon_temp_alarm{@,sensor=\"temp1\"} 0",
            "node_hwmon_temp_celsius{@,sensor=\"temp1\"} 27.5",
            "node_hwmon_temp_crit_hyst_celsius{@,sensor=\"temp1\"} 90",
            "node_hwmon_temp_type{@,sensor=\"temp1\"} 4",
        ],
    );
    check(
        &[("in1_input", "1200"), ("cpu0_vid", "1100"), ("curr1_max", "2500"), ("in1_beep", "1")],
        &[
            "node_hwmon_cpu_vid_volts{@,sensor=\"cpu0\"} 1.1",
            "node_hwmon_curr_max_amps{@,sensor=\"curr1\"} 2.5",
            "node_hwmon_in_beep_enabled{@,sensor=\"in1\"} 1",
            "node_hwmon_in_volts{@,sensor=\"in1\"} 1.2",
        ],
    );
    check(
        &[("power1_average", "45000000"), ("power1_accuracy", "10000"), ("power1_average_interval", "1000")],
        &[
            "node_hwmon_power_accuracy{@,sensor=\"power1\"} 0.01",
            "node_hwmon_power_average_interval_seconds{@,sensor=\"power1\"} 1",
            "node_hwmon_power_average_watt{@,sensor=\"power1\"} 45",
        ],
    );
    check(
        &[("energy1_input", "1500000"), ("energy1_max", "2000000"), ("energy1_alarm", "0")],
        &[
            "node_hwmon_energy_alarm{@,sensor=\"energy1\"} 0",
            "node_hwmon_energy_joule_total{@,sensor=\"energy1\"} 1.5",
            "node_hwmon_energy_max_joule_total{@,sensor=\"energy1\"} 2",
        ],
    );
    check(
        &[
            ("fan1_input", "2100"),
            ("fan1_div", "4"),
            ("fan1_target", "2000"),
            ("humidity1_input", "500000"),
            ("pwm1", "255"),
        ],
        &[
            "node_hwmon_fan_div{@,sensor=\"fan1\"} 4",
            "node_hwmon_fan_rpm{@,sensor=\"fan1\"} 2100",
            "node_hwmon_fan_target_rpm{@,sensor=\"fan1\"} 2000",
            "node_hwmon_humidity{@,sensor=\"humidity1\"} 0.5",
            "node_hwmon_pwm{@,sensor=\"pwm1\"} 255",
        ],
    );
}

#[test]
fn some_files_have_their_own_metrics() {
    for (value, expected) in [("1", "1"), ("0", "0"), ("2", "0"), ("on", "0")] {
        let sample = format!("node_hwmon_beep_enabled{{@,sensor=\"beep_enable0\"}} {expected}");
        check(&[("beep_enable", value)], &[&sample]);
    }
    check(
        &[("beep_enable", "1"), ("update_interval", "1500"), ("vrm", "9.0"), ("name", "Some chip")],
        &[
            "node_hwmon_beep_enabled{@,sensor=\"beep_enable0\"} 1",
            "node_hwmon_chip_names{@,chip_name=\"some_chip\"} 1",
            "node_hwmon_update_interval_seconds{@,sensor=\"update_interval0\"} 1.5",
            "node_hwmon_voltage_regulator_version{@,sensor=\"vrm0\"} 9",
        ],
    );
    check(
        &[
            ("freq1_input", "800000000"),
            ("freq1_label", "S Clk"),
            ("freq2_input", "1"),
            ("fan1", "3"),
            ("fan1_input", "4"),
        ],
        &[
            "node_hwmon_fan{@,sensor=\"fan1\"} 3",
            "node_hwmon_fan_input_rpm{@,sensor=\"fan1\"} 4",
            "node_hwmon_freq_freq_mhz{@,sensor=\"s_clk\"} 800",
            "node_hwmon_sensor_label{@,label=\"S Clk\",sensor=\"freq1\"} 1",
        ],
    );
}

#[test]
fn values_that_are_not_numbers_are_skipped() {
    check(&[("temp1_input", "warm"), ("temp2_input", ""), ("uevent", "X=1"), ("power/control", "auto")], &[]);
    let host = chip(0, "platform/x", &[]) + "== sys/devices/platform/x/hwmon/hwmon0/fan1_input error=EAGAIN\n";
    given(&host).emits::<Hwmon>("");
}

#[test]
fn files_of_the_device_take_precedence() {
    let host = chip(0, "platform/x", &[("temp1_max", "1000"), ("temp1_input", "2000")])
        + "== sys/devices/platform/x/temp1_max\n3000\n";
    given(&host).emits::<Hwmon>(
        "node_hwmon_temp_celsius{chip=\"platform_x\",sensor=\"temp1\"} 2\n\
         node_hwmon_temp_max_celsius{chip=\"platform_x\",sensor=\"temp1\"} 3\n",
    );
}

#[track_caller]
fn check_chips(host: &str, flags: &[&str], expected: &[&str]) {
    let samples = given(host).flags(flags).scrape::<Hwmon>().samples();
    let chips: Vec<_> = samples.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(chips, expected);
}

const FAN: (&str, &str) = ("fan1_min", "1");

#[test]
fn chips_without_a_device_have_a_name_or_a_number() {
    check_chips("== sys/class/hwmon/hwmon3/fan1_min\n1\n", &[], &["hwmon3"]);
    check_chips("== sys/class/hwmon/hwmon3/name\nIt's 1\n", &[], &["it_s_1"]);
    check_chips("== sys/class/hwmon/hwmon3/device/fan1_min\n1\n", &[], &["hwmon3_device"]);
    check_chips("== sys/class/hwmon/hwmon3 -> ../gone\n== sys/class/hwmon/file\n1\n", &[], &[]);
}

#[test]
fn chips_of_one_device_have_different_names() {
    let names = |a, b| chip(1, "platform/x", &[("name", a)]) + &chip(2, "platform/x", &[("name", b)]);
    check_chips(&names("left", "right"), &[], &["platform_x_left", "platform_x_right"]);
    check_chips(&names("same", "same"), &[], &["platform_x_hwmon1", "platform_x_hwmon2"]);
    check_chips(&names("same", "same!"), &[], &["platform_x_hwmon1", "platform_x_hwmon2"]);
    let one = chip(1, "platform/x", &[FAN]) + &chip(2, "platform/x", &[("name", "right")]);
    check_chips(&one, &[], &["platform_x_right", "platform_x_hwmon1"]);
}

#[test]
fn chips_and_sensors_are_filtered_by_name() {
    let host = chip(0, "platform/x", &[FAN]) + &chip(1, "platform/y", &[FAN, ("fan2_min", "1")]);
    check_chips(&host, &["--collector.hwmon.chip-include=_y$"], &["platform_y", "platform_y"]);
    check_chips(&host, &["--collector.hwmon.chip-exclude=_y$"], &["platform_x"]);
    check_chips(&host, &["--collector.hwmon.sensor-include=^platform_y;fan2$"], &["platform_y"]);
    check_chips(&host, &["--collector.hwmon.sensor-exclude=;fan1$"], &["platform_y"]);
    given(&host)
        .flags(&["--collector.hwmon.chip-include=x", "--collector.hwmon.chip-exclude=y"])
        .is_refused::<Hwmon>("mutually exclusive");
    given(&host)
        .flags(&["--collector.hwmon.sensor-include=("])
        .is_refused::<Hwmon>("sensor-include: expected a regular expression");
}

#[test]
fn an_unreadable_chip_costs_only_its_own_samples() {
    given("").fails::<Hwmon>("", "sys/class/hwmon: no such file");
    given("== sys/class/hwmon/\n").emits::<Hwmon>("");
    let host = chip(0, "platform/x", &[FAN]) + "== sys/class/hwmon/hwmon1/ error=EIO\n";
    given(&host)
        .fails::<Hwmon>("node_hwmon_fan_min_rpm{chip=\"platform_x\",sensor=\"fan1\"} 1\n", "hwmon1: input/output");
}
