//! Batteries and mains adapters, from /sys/class/power_supply.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
use crate::kit::family::{Family, Gauge};
use crate::kit::filter::{self, Pattern};
use crate::kit::parse::AnyBase;
use crate::kit::prelude::*;

/// The powersupplyclass collector.
#[derive(Debug)]
pub struct Powersupplyclass {
    ignored: Pattern,
    supplies: Names,
    attributes: Names,
    words: [Vec<u8>; TEXTS.len()],
}

declare! {
    Powersupplyclass: "powersupplyclass", on, "Power supplies: batteries and mains adapters.";
    reads {
        CLASS: Directory Sys "class/power_supply";
        SUPPLY: Directory Sys "class/power_supply/*";
        ATTRIBUTE: File Sys "class/power_supply/*/*";
    }
    flags {
        IGNORED: Text "collector.powersupply.ignored-supplies" = "^$", "Regexp of power supplies to exclude.";
    }
    families {
        INFO: Gauge "node_power_supply_info" [
            "capacity_level", "charge_type", "health", "manufacturer", "model_name", "power_supply", "scope",
            "serial_number", "status", "technology", "type", "usb_type"
        ] "Manufacturer, model, status and type of a power supply; always 1.";
        AUTHENTIC: Gauge "node_power_supply_authentic" ["power_supply"] "1 if the power supply is genuine.";
        CALIBRATE: Gauge "node_power_supply_calibrate" ["power_supply"] "1 while the battery is being calibrated.";
        CAPACITY: Gauge "node_power_supply_capacity" ["power_supply"] "Charge level of the battery in percent.";
        CAPACITY_ALERT_MAX: Gauge "node_power_supply_capacity_alert_max" ["power_supply"] "Charge level above which an alert is raised, in percent.";
        CAPACITY_ALERT_MIN: Gauge "node_power_supply_capacity_alert_min" ["power_supply"] "Charge level below which an alert is raised, in percent.";
        CHARGE_CONTROL_LIMIT: Gauge "node_power_supply_charge_control_limit" ["power_supply"] "Current charge control limit.";
        CHARGE_CONTROL_LIMIT_MAX: Gauge "node_power_supply_charge_control_limit_max" ["power_supply"] "Maximum charge control limit.";
        CHARGE_COUNTER: Gauge "node_power_supply_charge_counter" ["power_supply"] "Charge counter of the fuel gauge in ampere-hours.";
        CHARGE_EMPTY: Gauge "node_power_supply_charge_empty" ["power_supply"] "Charge of the empty battery in ampere-hours.";
        CHARGE_EMPTY_DESIGN: Gauge "node_power_supply_charge_empty_design" ["power_supply"] "Design charge of the empty battery in ampere-hours.";
        CHARGE_FULL: Gauge "node_power_supply_charge_full" ["power_supply"] "Charge of the full battery in ampere-hours.";
        CHARGE_FULL_DESIGN: Gauge "node_power_supply_charge_full_design" ["power_supply"] "Design charge of the full battery in ampere-hours.";
        CHARGE_NOW: Gauge "node_power_supply_charge_ampere" ["power_supply"] "Current charge of the battery in ampere-hours.";
        CHARGE_TERM_CURRENT: Gauge "node_power_supply_charge_term_current" ["power_supply"] "Current at which charging is terminated, in amperes.";
        CONSTANT_CHARGE_CURRENT: Gauge "node_power_supply_constant_charge_current" ["power_supply"] "Constant charge current in amperes.";
        CONSTANT_CHARGE_CURRENT_MAX: Gauge "node_power_supply_constant_charge_current_max" ["power_supply"] "Maximum constant charge current in amperes.";
        CONSTANT_CHARGE_VOLTAGE: Gauge "node_power_supply_constant_charge_voltage" ["power_supply"] "Constant charge voltage in volts.";
        CONSTANT_CHARGE_VOLTAGE_MAX: Gauge "node_power_supply_constant_charge_voltage_max" ["power_supply"] "Maximum constant charge voltage in volts.";
        CURRENT_BOOT: Gauge "node_power_supply_current_boot" ["power_supply"] "Current at boot in amperes.";
        CURRENT_MAX: Gauge "node_power_supply_current_max" ["power_supply"] "Maximum current in amperes.";
        CURRENT_NOW: Gauge "node_power_supply_current_ampere" ["power_supply"] "Current flow in amperes.";
        CYCLE_COUNT: Gauge "node_power_supply_cyclecount" ["power_supply"] "Charge cycles of the battery.";
        ENERGY_EMPTY: Gauge "node_power_supply_energy_empty" ["power_supply"] "Energy of the empty battery in watt-hours.";
        ENERGY_EMPTY_DESIGN: Gauge "node_power_supply_energy_empty_design" ["power_supply"] "Design energy of the empty battery in watt-hours.";
        ENERGY_FULL: Gauge "node_power_supply_energy_full" ["power_supply"] "Energy of the full battery in watt-hours.";
        ENERGY_FULL_DESIGN: Gauge "node_power_supply_energy_full_design" ["power_supply"] "Design energy of the full battery in watt-hours.";
        ENERGY_NOW: Gauge "node_power_supply_energy_watthour" ["power_supply"] "Current energy of the battery in watt-hours.";
        INPUT_CURRENT_LIMIT: Gauge "node_power_supply_input_current_limit" ["power_supply"] "Input current limit in amperes.";
        ONLINE: Gauge "node_power_supply_online" ["power_supply"] "Supply state: 0 offline, 1 fixed voltage, 2 programmable voltage.";
        POWER_NOW: Gauge "node_power_supply_power_watt" ["power_supply"] "Power draw in watts.";
        PRECHARGE_CURRENT: Gauge "node_power_supply_precharge_current" ["power_supply"] "Precharge current in amperes.";
        PRESENT: Gauge "node_power_supply_present" ["power_supply"] "1 if the battery is present.";
        TEMP: Gauge "node_power_supply_temp_celsius" ["power_supply"] "Temperature in degrees Celsius.";
        TEMP_ALERT_MAX: Gauge "node_power_supply_temp_alert_max_celsius" ["power_supply"] "Temperature above which an alert is raised, in degrees Celsius.";
        TEMP_ALERT_MIN: Gauge "node_power_supply_temp_alert_min_celsius" ["power_supply"] "Temperature below which an alert is raised, in degrees Celsius.";
        TEMP_AMBIENT: Gauge "node_power_supply_temp_ambient_celsius" ["power_supply"] "Ambient temperature in degrees Celsius.";
        TEMP_AMBIENT_MAX: Gauge "node_power_supply_temp_ambient_max_celsius" ["power_supply"] "Maximum ambient temperature in degrees Celsius.";
        TEMP_AMBIENT_MIN: Gauge "node_power_supply_temp_ambient_min_celsius" ["power_supply"] "Minimum ambient temperature in degrees Celsius.";
        TEMP_MAX: Gauge "node_power_supply_temp_max_celsius" ["power_supply"] "Maximum temperature in degrees Celsius.";
        TEMP_MIN: Gauge "node_power_supply_temp_min_celsius" ["power_supply"] "Minimum temperature in degrees Celsius.";
        TIME_TO_EMPTY: Gauge "node_power_supply_time_to_empty_seconds" ["power_supply"] "Estimated time until the battery is empty, in seconds.";
        TIME_TO_FULL: Gauge "node_power_supply_time_to_full_seconds" ["power_supply"] "Estimated time until the battery is full, in seconds.";
        VOLTAGE_BOOT: Gauge "node_power_supply_voltage_boot" ["power_supply"] "Voltage at boot in volts.";
        VOLTAGE_MAX: Gauge "node_power_supply_voltage_max" ["power_supply"] "Maximum voltage in volts.";
        VOLTAGE_MAX_DESIGN: Gauge "node_power_supply_voltage_max_design" ["power_supply"] "Maximum design voltage in volts.";
        VOLTAGE_MIN: Gauge "node_power_supply_voltage_min" ["power_supply"] "Minimum voltage in volts.";
        VOLTAGE_MIN_DESIGN: Gauge "node_power_supply_voltage_min_design" ["power_supply"] "Minimum design voltage in volts.";
        VOLTAGE_NOW: Gauge "node_power_supply_voltage_volt" ["power_supply"] "Voltage in volts.";
        VOLTAGE_OCV: Gauge "node_power_supply_voltage_ocv" ["power_supply"] "Open-circuit voltage in volts.";
    }
}

/// Unit of a numeric attribute.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Plain,
    Micro,
    Tenth,
}

impl Unit {
    fn to_base_unit(self, value: i64) -> f64 {
        value as f64
            / match self {
                Self::Plain => 1.0,
                Self::Micro => 1e6,
                Self::Tenth => 10.0,
            }
    }
}

/// The numeric attributes, sorted by name.
const NUMBERS: [(&[u8], Family<Powersupplyclass, Gauge, crate::kit::family::Unnamed<1>>, Unit); 49] = [
    (b"authentic", AUTHENTIC, Unit::Plain),
    (b"calibrate", CALIBRATE, Unit::Plain),
    (b"capacity", CAPACITY, Unit::Plain),
    (b"capacity_alert_max", CAPACITY_ALERT_MAX, Unit::Plain),
    (b"capacity_alert_min", CAPACITY_ALERT_MIN, Unit::Plain),
    (b"charge_control_limit", CHARGE_CONTROL_LIMIT, Unit::Micro),
    (b"charge_control_limit_max", CHARGE_CONTROL_LIMIT_MAX, Unit::Micro),
    (b"charge_counter", CHARGE_COUNTER, Unit::Micro),
    (b"charge_empty", CHARGE_EMPTY, Unit::Micro),
    (b"charge_empty_design", CHARGE_EMPTY_DESIGN, Unit::Micro),
    (b"charge_full", CHARGE_FULL, Unit::Micro),
    (b"charge_full_design", CHARGE_FULL_DESIGN, Unit::Micro),
    (b"charge_now", CHARGE_NOW, Unit::Micro),
    (b"charge_term_current", CHARGE_TERM_CURRENT, Unit::Micro),
    (b"constant_charge_current", CONSTANT_CHARGE_CURRENT, Unit::Micro),
    (b"constant_charge_current_max", CONSTANT_CHARGE_CURRENT_MAX, Unit::Micro),
    (b"constant_charge_voltage", CONSTANT_CHARGE_VOLTAGE, Unit::Micro),
    (b"constant_charge_voltage_max", CONSTANT_CHARGE_VOLTAGE_MAX, Unit::Micro),
    (b"current_boot", CURRENT_BOOT, Unit::Micro),
    (b"current_max", CURRENT_MAX, Unit::Micro),
    (b"current_now", CURRENT_NOW, Unit::Micro),
    (b"cycle_count", CYCLE_COUNT, Unit::Plain),
    (b"energy_empty", ENERGY_EMPTY, Unit::Micro),
    (b"energy_empty_design", ENERGY_EMPTY_DESIGN, Unit::Micro),
    (b"energy_full", ENERGY_FULL, Unit::Micro),
    (b"energy_full_design", ENERGY_FULL_DESIGN, Unit::Micro),
    (b"energy_now", ENERGY_NOW, Unit::Micro),
    (b"input_current_limit", INPUT_CURRENT_LIMIT, Unit::Micro),
    (b"online", ONLINE, Unit::Plain),
    (b"power_now", POWER_NOW, Unit::Micro),
    (b"precharge_current", PRECHARGE_CURRENT, Unit::Micro),
    (b"present", PRESENT, Unit::Plain),
    (b"temp", TEMP, Unit::Tenth),
    (b"temp_alert_max", TEMP_ALERT_MAX, Unit::Tenth),
    (b"temp_alert_min", TEMP_ALERT_MIN, Unit::Tenth),
    (b"temp_ambient", TEMP_AMBIENT, Unit::Tenth),
    (b"temp_ambient_max", TEMP_AMBIENT_MAX, Unit::Tenth),
    (b"temp_ambient_min", TEMP_AMBIENT_MIN, Unit::Tenth),
    (b"temp_max", TEMP_MAX, Unit::Tenth),
    (b"temp_min", TEMP_MIN, Unit::Tenth),
    (b"time_to_empty_now", TIME_TO_EMPTY, Unit::Plain),
    (b"time_to_full_now", TIME_TO_FULL, Unit::Plain),
    (b"voltage_boot", VOLTAGE_BOOT, Unit::Micro),
    (b"voltage_max", VOLTAGE_MAX, Unit::Micro),
    (b"voltage_max_design", VOLTAGE_MAX_DESIGN, Unit::Micro),
    (b"voltage_min", VOLTAGE_MIN, Unit::Micro),
    (b"voltage_min_design", VOLTAGE_MIN_DESIGN, Unit::Micro),
    (b"voltage_now", VOLTAGE_NOW, Unit::Micro),
    (b"voltage_ocv", VOLTAGE_OCV, Unit::Micro),
];

/// The text attributes, in the order of the info labels, where `power_supply` is inserted.
const TEXTS: [&[u8]; 11] = [
    b"capacity_level",
    b"charge_type",
    b"health",
    b"manufacturer",
    b"model_name",
    b"scope",
    b"serial_number",
    b"status",
    b"technology",
    b"type",
    b"usb_type",
];

impl Collect for Powersupplyclass {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            ignored: filter::strict_pattern_of(options, IGNORED)?,
            supplies: Names::new(),
            attributes: Names::new(),
            words: Default::default(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { ignored, supplies, attributes, words } = self;
        cx.files.list(CLASS, [], supplies).map_err(|error| error.or_no_data(RootError::is_missing))?;
        for supply in supplies.iter().filter(|supply| !ignored.is_match(supply)) {
            let listed = cx.files.list(SUPPLY, [supply], attributes).map_err(Failure::from);
            if cx.problems.value(listed).is_some() {
                emit(cx, supply, attributes, words);
            }
        }
        Ok(())
    }
}

fn emit(cx: &mut Cx<'_, Powersupplyclass>, supply: &[u8], attributes: &Names, words: &mut [Vec<u8>; TEXTS.len()]) {
    for word in &mut *words {
        word.clear();
    }
    let mut is_whole = true;
    for (name, _) in attributes.iter_kinds().filter(|&(_, kind)| kind == Kind::File) {
        if let Some(&(_, family, unit)) = NUMBERS.iter().find(|(number, ..)| *number == name) {
            if let Some(AnyBase(value)) = attribute::number(cx, ATTRIBUTE, [supply, name], is_unsupported) {
                cx.page.gauge(family, [&supply], unit.to_base_unit(value));
            }
        } else if let Some(at) = TEXTS.iter().position(|word| *word == name) {
            let problems = cx.problems.count();
            attribute::word(cx, ATTRIBUTE, [supply, name], is_unsupported, &mut words[at]);
            is_whole &= cx.problems.count() == problems;
        }
    }
    // A sample with a label missing would be a different series.
    if is_whole {
        let labels = words.each_ref().map(|word| (!word.is_empty()).then_some(word.as_slice()));
        let [level, charge, health, maker, model, scope, serial, status, technology, kind, usb] = &labels;
        cx.page.gauge(
            INFO,
            [level, charge, health, maker, model, &supply, scope, serial, status, technology, kind, usb],
            true,
        );
    }
}

/// Whether the error means that the supply does not have an attribute of its driver.
fn is_unsupported(error: RootError) -> bool {
    error.is_missing() || error == RootError::Errno(Errno::EOPNOTSUPP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    fn supply(files: &[(&str, &str)]) -> String {
        let file = |(name, value): &(&str, &str)| format!("== sys/class/power_supply/BAT0/{name}\n{value}\n");
        let files: Vec<_> = files.iter().map(file).collect();
        files.concat()
    }

    const INFO_LINE: &str = "node_power_supply_info{power_supply=\"BAT0\",type=\"Battery\"} 1\n";

    #[test]
    fn numbers_are_converted_to_base_units() {
        given(&supply(&[
            ("capacity", "81"),
            ("energy_now", "36580000"),
            ("temp", "-35"),
            ("type", "Battery"),
            ("usb_type", ""),
        ]))
        .emits::<Powersupplyclass>(&format!(
            "node_power_supply_capacity{{power_supply=\"BAT0\"}} 81\n\
                 node_power_supply_energy_watthour{{power_supply=\"BAT0\"}} 36.58\n{INFO_LINE}\
                 node_power_supply_temp_celsius{{power_supply=\"BAT0\"}} -3.5\n"
        ));
    }

    #[test]
    fn supplies_are_excluded_by_name() {
        let host = supply(&[("online", "1")]) + "== sys/class/power_supply/AC/online\n0\n";
        given(&host).flags(&["--collector.powersupply.ignored-supplies=^BAT"]).emits::<Powersupplyclass>(
            "node_power_supply_info{power_supply=\"AC\"} 1\nnode_power_supply_online{power_supply=\"AC\"} 0\n",
        );
        given("").flags(&["--collector.powersupply.ignored-supplies=("]).is_refused::<Powersupplyclass>("no regular");
    }

    #[test]
    fn a_host_without_the_class_has_no_data() {
        given("").fails::<Powersupplyclass>("", "sys/class/power_supply: no such file");
        given("== sys/class/power_supply/\n").emits::<Powersupplyclass>("");
    }

    #[test]
    fn unsupported_attributes_are_left_out() {
        for errno in ["ENODEV", "EOPNOTSUPP", "ENOENT"] {
            let host = format!("{}== sys/class/power_supply/BAT0/temp error={errno}\n", supply(&[("type", "Battery")]));
            given(&host).emits::<Powersupplyclass>(INFO_LINE);
        }
    }

    #[test]
    fn a_bad_attribute_costs_only_its_own_samples() {
        let whole = supply(&[("type", "Battery")]);
        for bad in ["full", "", "9223372036854775808", "1.5"] {
            given(&format!("{whole}{}", supply(&[("capacity", bad)])))
                .fails::<Powersupplyclass>(INFO_LINE, "BAT0/capacity: value: expected a whole number");
        }
        given(&format!("{whole}== sys/class/power_supply/BAT0/status error=EIO\n"))
            .fails::<Powersupplyclass>("", "BAT0/status: input/output error");
    }

    #[test]
    fn the_tables_are_sorted() {
        assert!(NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(TEXTS.is_sorted());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn microvolts_round_trip(microvolts: i32) {
            let host = supply(&[("voltage_now", &microvolts.to_string())]);
            let samples = given(&host).scrape::<Powersupplyclass>().samples();
            let line = samples.lines().find(|line| line.contains("voltage_volt")).expect("a voltage");
            let volts: f64 = line.rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((volts * 1e6 - f64::from(microvolts)).abs() < 0.5, "{line}");
        }
    }
}
