//! Batteries and mains adapters from /sys/class/power_supply.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
use crate::kit::family::{Family, Gauge};
use crate::kit::filter::{self, Pattern};
use crate::kit::parse::AnyBase;
use crate::kit::prelude::*;

/// What each power supply gives and holds.
#[derive(Debug)]
pub struct Powersupplyclass {
    ignored: Pattern,
    supplies: Names,
    attributes: Names,
    words: [Vec<u8>; WORDS.len()],
}

declare! {
    Powersupplyclass: "powersupplyclass", on, "What each battery and mains adapter is, gives and holds.";
    reads {
        CLASS: Directory Sys "class/power_supply";
        SUPPLY: Directory Sys "class/power_supply/*";
        ATTRIBUTE: File Sys "class/power_supply/*/*";
    }
    flags {
        IGNORED: Text "collector.powersupply.ignored-supplies" = "^$", "Regexp of power supplies to leave out.";
    }
    families {
        INFO: Gauge "node_power_supply_info" [
            "capacity_level", "charge_type", "health", "manufacturer", "model_name", "power_supply", "scope",
            "serial_number", "status", "technology", "type", "usb_type"
        ] "Always 1: what is known of a power supply beside numbers.";
        AUTHENTIC: Gauge "node_power_supply_authentic" ["power_supply"] "1 when the supply is one that the maker made.";
        CALIBRATE: Gauge "node_power_supply_calibrate" ["power_supply"] "1 while the battery is calibrated.";
        CAPACITY: Gauge "node_power_supply_capacity" ["power_supply"] "How full the battery is, out of 100.";
        CAPACITY_ALERT_MAX: Gauge "node_power_supply_capacity_alert_max" ["power_supply"] "Above this capacity there is an alert.";
        CAPACITY_ALERT_MIN: Gauge "node_power_supply_capacity_alert_min" ["power_supply"] "Below this capacity there is an alert.";
        CHARGE_CONTROL_LIMIT: Gauge "node_power_supply_charge_control_limit" ["power_supply"] "How much charging is limited now.";
        CHARGE_CONTROL_LIMIT_MAX: Gauge "node_power_supply_charge_control_limit_max" ["power_supply"] "How much charging can be limited.";
        CHARGE_COUNTER: Gauge "node_power_supply_charge_counter" ["power_supply"] "Charge that went in or out since some moment, in ampere-hours.";
        CHARGE_EMPTY: Gauge "node_power_supply_charge_empty" ["power_supply"] "Charge at which the battery counts as empty, in ampere-hours.";
        CHARGE_EMPTY_DESIGN: Gauge "node_power_supply_charge_empty_design" ["power_supply"] "Charge at which it was made to count as empty, in ampere-hours.";
        CHARGE_FULL: Gauge "node_power_supply_charge_full" ["power_supply"] "Charge at which the battery counts as full, in ampere-hours.";
        CHARGE_FULL_DESIGN: Gauge "node_power_supply_charge_full_design" ["power_supply"] "Charge at which it was made to count as full, in ampere-hours.";
        CHARGE_NOW: Gauge "node_power_supply_charge_ampere" ["power_supply"] "Charge in the battery, in ampere-hours.";
        CHARGE_TERM_CURRENT: Gauge "node_power_supply_charge_term_current" ["power_supply"] "Charging ends below this current, in amperes.";
        CONSTANT_CHARGE_CURRENT: Gauge "node_power_supply_constant_charge_current" ["power_supply"] "Current that the charger holds, in amperes.";
        CONSTANT_CHARGE_CURRENT_MAX: Gauge "node_power_supply_constant_charge_current_max" ["power_supply"] "Largest current that the charger may hold, in amperes.";
        CONSTANT_CHARGE_VOLTAGE: Gauge "node_power_supply_constant_charge_voltage" ["power_supply"] "Voltage that the charger holds, in volts.";
        CONSTANT_CHARGE_VOLTAGE_MAX: Gauge "node_power_supply_constant_charge_voltage_max" ["power_supply"] "Largest voltage that the charger may hold, in volts.";
        CURRENT_BOOT: Gauge "node_power_supply_current_boot" ["power_supply"] "Current when the host started, in amperes.";
        CURRENT_MAX: Gauge "node_power_supply_current_max" ["power_supply"] "Largest current, in amperes.";
        CURRENT_NOW: Gauge "node_power_supply_current_ampere" ["power_supply"] "Current, in amperes.";
        CYCLE_COUNT: Gauge "node_power_supply_cyclecount" ["power_supply"] "How often the battery was used up and charged.";
        ENERGY_EMPTY: Gauge "node_power_supply_energy_empty" ["power_supply"] "Energy at which the battery counts as empty, in watt-hours.";
        ENERGY_EMPTY_DESIGN: Gauge "node_power_supply_energy_empty_design" ["power_supply"] "Energy at which it was made to count as empty, in watt-hours.";
        ENERGY_FULL: Gauge "node_power_supply_energy_full" ["power_supply"] "Energy at which the battery counts as full, in watt-hours.";
        ENERGY_FULL_DESIGN: Gauge "node_power_supply_energy_full_design" ["power_supply"] "Energy at which it was made to count as full, in watt-hours.";
        ENERGY_NOW: Gauge "node_power_supply_energy_watthour" ["power_supply"] "Energy in the battery, in watt-hours.";
        INPUT_CURRENT_LIMIT: Gauge "node_power_supply_input_current_limit" ["power_supply"] "Largest current that is taken in, in amperes.";
        ONLINE: Gauge "node_power_supply_online" ["power_supply"] "1 when the supply gives power, 2 when it is one of several that could.";
        POWER_NOW: Gauge "node_power_supply_power_watt" ["power_supply"] "Power, in watts.";
        PRECHARGE_CURRENT: Gauge "node_power_supply_precharge_current" ["power_supply"] "Current before the proper charge, in amperes.";
        PRESENT: Gauge "node_power_supply_present" ["power_supply"] "1 when the battery is there.";
        TEMP: Gauge "node_power_supply_temp_celsius" ["power_supply"] "Temperature.";
        TEMP_ALERT_MAX: Gauge "node_power_supply_temp_alert_max_celsius" ["power_supply"] "Above this temperature there is an alert.";
        TEMP_ALERT_MIN: Gauge "node_power_supply_temp_alert_min_celsius" ["power_supply"] "Below this temperature there is an alert.";
        TEMP_AMBIENT: Gauge "node_power_supply_temp_ambient_celsius" ["power_supply"] "Temperature around it.";
        TEMP_AMBIENT_MAX: Gauge "node_power_supply_temp_ambient_max_celsius" ["power_supply"] "Largest temperature around it.";
        TEMP_AMBIENT_MIN: Gauge "node_power_supply_temp_ambient_min_celsius" ["power_supply"] "Smallest temperature around it.";
        TEMP_MAX: Gauge "node_power_supply_temp_max_celsius" ["power_supply"] "Largest temperature.";
        TEMP_MIN: Gauge "node_power_supply_temp_min_celsius" ["power_supply"] "Smallest temperature.";
        TIME_TO_EMPTY: Gauge "node_power_supply_time_to_empty_seconds" ["power_supply"] "Until the battery is empty.";
        TIME_TO_FULL: Gauge "node_power_supply_time_to_full_seconds" ["power_supply"] "Until the battery is full.";
        VOLTAGE_BOOT: Gauge "node_power_supply_voltage_boot" ["power_supply"] "Voltage when the host started, in volts.";
        VOLTAGE_MAX: Gauge "node_power_supply_voltage_max" ["power_supply"] "Largest voltage, in volts.";
        VOLTAGE_MAX_DESIGN: Gauge "node_power_supply_voltage_max_design" ["power_supply"] "Largest voltage that it was made for, in volts.";
        VOLTAGE_MIN: Gauge "node_power_supply_voltage_min" ["power_supply"] "Smallest voltage, in volts.";
        VOLTAGE_MIN_DESIGN: Gauge "node_power_supply_voltage_min_design" ["power_supply"] "Smallest voltage that it was made for, in volts.";
        VOLTAGE_NOW: Gauge "node_power_supply_voltage_volt" ["power_supply"] "Voltage.";
        VOLTAGE_OCV: Gauge "node_power_supply_voltage_ocv" ["power_supply"] "Voltage without a load, in volts.";
    }
}

type Level = Family<Powersupplyclass, Gauge, crate::kit::family::Unnamed<1>>;

/// What an attribute counts in.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Plain,
    Micro,
    Tenth,
}

impl Unit {
    fn in_whole(self, value: i64) -> f64 {
        value as f64
            / match self {
                Self::Plain => 1.0,
                Self::Micro => 1e6,
                Self::Tenth => 10.0,
            }
    }
}

/// The attributes that are numbers.
const NUMBERS: [(&[u8], Level, Unit); 49] = [
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

/// The attributes that are words, in the order of the labels; the name of the supply stands between them.
const WORDS: [&[u8]; 11] = [
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

fn emit(cx: &mut Cx<'_, Powersupplyclass>, supply: &[u8], attributes: &Names, words: &mut [Vec<u8>; WORDS.len()]) {
    for word in &mut *words {
        word.clear();
    }
    let mut is_whole = true;
    for (name, _) in attributes.iter_kinds().filter(|&(_, kind)| kind == Kind::File) {
        if let Some(&(_, family, unit)) = NUMBERS.iter().find(|(number, ..)| *number == name) {
            if let Some(AnyBase(value)) = attribute::number(cx, ATTRIBUTE, [supply, name], is_not_had) {
                cx.page.gauge(family, [&supply], unit.in_whole(value));
            }
        } else if let Some(at) = WORDS.iter().position(|word| *word == name) {
            let problems = cx.problems.count();
            attribute::word(cx, ATTRIBUTE, [supply, name], is_not_had, &mut words[at]);
            is_whole &= cx.problems.count() == problems;
        }
    }
    // Without one of its labels it would be another series.
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

/// Whether the supply merely does not have what the driver lists for it.
fn is_not_had(error: RootError) -> bool {
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
    fn numbers_are_in_whole_units() {
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
    fn supplies_are_left_out_by_name() {
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
    fn what_a_battery_does_not_have_is_left_out() {
        for errno in ["ENODEV", "EOPNOTSUPP", "ENOENT"] {
            let host = format!("{}== sys/class/power_supply/BAT0/temp error={errno}\n", supply(&[("type", "Battery")]));
            given(&host).emits::<Powersupplyclass>(INFO_LINE);
        }
    }

    #[test]
    fn what_cannot_be_read_costs_itself_alone() {
        let whole = supply(&[("type", "Battery")]);
        for bad in ["full", "", "9223372036854775808", "1.5"] {
            given(&format!("{whole}{}", supply(&[("capacity", bad)])))
                .fails::<Powersupplyclass>(INFO_LINE, "BAT0/capacity: value: expected an integer in decimal");
        }
        given(&format!("{whole}== sys/class/power_supply/BAT0/status error=EIO\n"))
            .fails::<Powersupplyclass>("", "BAT0/status: input/output error");
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(WORDS.is_sorted());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn microvolts_come_back(microvolts: i32) {
            let host = supply(&[("voltage_now", &microvolts.to_string())]);
            let samples = given(&host).scrape::<Powersupplyclass>().samples();
            let line = samples.lines().find(|line| line.contains("voltage_volt")).expect("a voltage");
            let volts: f64 = line.rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((volts * 1e6 - f64::from(microvolts)).abs() < 0.5, "{line}");
        }
    }
}
