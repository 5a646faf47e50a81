//! Batteries and mains adapters, from /sys/class/power_supply.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
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
    labels {
        InfoLabels { capacity_level, charge_type, health, manufacturer, model_name, power_supply, scope, serial_number, status, technology, r#type, usb_type }
        PerSupply { power_supply }
    }
    reads {
        CLASS: Directory Sys "class/power_supply";
        SUPPLY: Directory Sys "class/power_supply/*";
        ATTRIBUTE: File Sys "class/power_supply/*/*";
    }
    flags {
        IGNORED: Text "collector.powersupply.ignored-supplies" = "^$", "Regexp of power supplies to exclude.";
    }
    families {
        INFO: Gauge "node_power_supply_info" InfoLabels "Manufacturer, model, status and type of a power supply; always 1.";
    }
    /// The numeric attributes, sorted by name.
    table NUMBERS: (&'static [u8], Unit) => PerSupply {
        (b"authentic", Unit::Plain) => Gauge "node_power_supply_authentic" "1 if the power supply is genuine.";
        (b"calibrate", Unit::Plain) => Gauge "node_power_supply_calibrate" "1 while the battery is being calibrated.";
        (b"capacity", Unit::Plain) => Gauge "node_power_supply_capacity" "Charge level of the battery in percent.";
        (b"capacity_alert_max", Unit::Plain) => Gauge "node_power_supply_capacity_alert_max" "Charge level above which an alert is raised, in percent.";
        (b"capacity_alert_min", Unit::Plain) => Gauge "node_power_supply_capacity_alert_min" "Charge level below which an alert is raised, in percent.";
        (b"charge_control_limit", Unit::Micro) => Gauge "node_power_supply_charge_control_limit" "Current charge control limit.";
        (b"charge_control_limit_max", Unit::Micro) => Gauge "node_power_supply_charge_control_limit_max" "Maximum charge control limit.";
        (b"charge_counter", Unit::Micro) => Gauge "node_power_supply_charge_counter" "Charge counter of the fuel gauge in ampere-hours.";
        (b"charge_empty", Unit::Micro) => Gauge "node_power_supply_charge_empty" "Charge of the empty battery in ampere-hours.";
        (b"charge_empty_design", Unit::Micro) => Gauge "node_power_supply_charge_empty_design" "Design charge of the empty battery in ampere-hours.";
        (b"charge_full", Unit::Micro) => Gauge "node_power_supply_charge_full" "Charge of the full battery in ampere-hours.";
        (b"charge_full_design", Unit::Micro) => Gauge "node_power_supply_charge_full_design" "Design charge of the full battery in ampere-hours.";
        (b"charge_now", Unit::Micro) => Gauge "node_power_supply_charge_ampere" "Current charge of the battery in ampere-hours.";
        (b"charge_term_current", Unit::Micro) => Gauge "node_power_supply_charge_term_current" "Current at which charging is terminated, in amperes.";
        (b"constant_charge_current", Unit::Micro) => Gauge "node_power_supply_constant_charge_current" "Constant charge current in amperes.";
        (b"constant_charge_current_max", Unit::Micro) => Gauge "node_power_supply_constant_charge_current_max" "Maximum constant charge current in amperes.";
        (b"constant_charge_voltage", Unit::Micro) => Gauge "node_power_supply_constant_charge_voltage" "Constant charge voltage in volts.";
        (b"constant_charge_voltage_max", Unit::Micro) => Gauge "node_power_supply_constant_charge_voltage_max" "Maximum constant charge voltage in volts.";
        (b"current_boot", Unit::Micro) => Gauge "node_power_supply_current_boot" "Current at boot in amperes.";
        (b"current_max", Unit::Micro) => Gauge "node_power_supply_current_max" "Maximum current in amperes.";
        (b"current_now", Unit::Micro) => Gauge "node_power_supply_current_ampere" "Current flow in amperes.";
        (b"cycle_count", Unit::Plain) => Gauge "node_power_supply_cyclecount" "Charge cycles of the battery.";
        (b"energy_empty", Unit::Micro) => Gauge "node_power_supply_energy_empty" "Energy of the empty battery in watt-hours.";
        (b"energy_empty_design", Unit::Micro) => Gauge "node_power_supply_energy_empty_design" "Design energy of the empty battery in watt-hours.";
        (b"energy_full", Unit::Micro) => Gauge "node_power_supply_energy_full" "Energy of the full battery in watt-hours.";
        (b"energy_full_design", Unit::Micro) => Gauge "node_power_supply_energy_full_design" "Design energy of the full battery in watt-hours.";
        (b"energy_now", Unit::Micro) => Gauge "node_power_supply_energy_watthour" "Current energy of the battery in watt-hours.";
        (b"input_current_limit", Unit::Micro) => Gauge "node_power_supply_input_current_limit" "Input current limit in amperes.";
        (b"online", Unit::Plain) => Gauge "node_power_supply_online" "Supply state: 0 offline, 1 fixed voltage, 2 programmable voltage.";
        (b"power_now", Unit::Micro) => Gauge "node_power_supply_power_watt" "Power draw in watts.";
        (b"precharge_current", Unit::Micro) => Gauge "node_power_supply_precharge_current" "Precharge current in amperes.";
        (b"present", Unit::Plain) => Gauge "node_power_supply_present" "1 if the battery is present.";
        (b"temp", Unit::Tenth) => Gauge "node_power_supply_temp_celsius" "Temperature of the power supply in degrees Celsius.";
        (b"temp_alert_max", Unit::Tenth) => Gauge "node_power_supply_temp_alert_max_celsius" "Temperature above which an alert is raised, in degrees Celsius.";
        (b"temp_alert_min", Unit::Tenth) => Gauge "node_power_supply_temp_alert_min_celsius" "Temperature below which an alert is raised, in degrees Celsius.";
        (b"temp_ambient", Unit::Tenth) => Gauge "node_power_supply_temp_ambient_celsius" "Ambient temperature in degrees Celsius.";
        (b"temp_ambient_max", Unit::Tenth) => Gauge "node_power_supply_temp_ambient_max_celsius" "Maximum ambient temperature in degrees Celsius.";
        (b"temp_ambient_min", Unit::Tenth) => Gauge "node_power_supply_temp_ambient_min_celsius" "Minimum ambient temperature in degrees Celsius.";
        (b"temp_max", Unit::Tenth) => Gauge "node_power_supply_temp_max_celsius" "Maximum temperature of the power supply in degrees Celsius.";
        (b"temp_min", Unit::Tenth) => Gauge "node_power_supply_temp_min_celsius" "Minimum temperature of the power supply in degrees Celsius.";
        (b"time_to_empty_now", Unit::Plain) => Gauge "node_power_supply_time_to_empty_seconds" "Estimated time until the battery is empty, in seconds.";
        (b"time_to_full_now", Unit::Plain) => Gauge "node_power_supply_time_to_full_seconds" "Estimated time until the battery is full, in seconds.";
        (b"voltage_boot", Unit::Micro) => Gauge "node_power_supply_voltage_boot" "Voltage at boot in volts.";
        (b"voltage_max", Unit::Micro) => Gauge "node_power_supply_voltage_max" "Maximum voltage in volts.";
        (b"voltage_max_design", Unit::Micro) => Gauge "node_power_supply_voltage_max_design" "Maximum design voltage in volts.";
        (b"voltage_min", Unit::Micro) => Gauge "node_power_supply_voltage_min" "Minimum voltage in volts.";
        (b"voltage_min_design", Unit::Micro) => Gauge "node_power_supply_voltage_min_design" "Minimum design voltage in volts.";
        (b"voltage_now", Unit::Micro) => Gauge "node_power_supply_voltage_volt" "Voltage in volts.";
        (b"voltage_ocv", Unit::Micro) => Gauge "node_power_supply_voltage_ocv" "Open-circuit voltage in volts.";
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

/// The text attributes, named like the info labels.
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
        if let Some(&((_, unit), family)) = NUMBERS.iter().find(|((number, _), _)| *number == name) {
            if let Some(AnyBase(value)) = attribute::number(cx, ATTRIBUTE, [supply, name], is_unsupported) {
                cx.page.tabled(family, PerSupply { power_supply: &supply }, unit.to_base_unit(value));
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
        let [
            capacity_level,
            charge_type,
            health,
            manufacturer,
            model_name,
            scope,
            serial_number,
            status,
            technology,
            r#type,
            usb_type,
        ] = &labels;
        let labels = InfoLabels {
            capacity_level,
            charge_type,
            health,
            manufacturer,
            model_name,
            power_supply: &supply,
            scope,
            serial_number,
            status,
            technology,
            r#type,
            usb_type,
        };
        cx.page.gauge(INFO, labels, true);
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
        given("")
            .flags(&["--collector.powersupply.ignored-supplies=("])
            .is_refused::<Powersupplyclass>("ignored-supplies: expected a regular expression");
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
                .fails::<Powersupplyclass>(INFO_LINE, "BAT0/capacity: value: expected an integer in decimal");
        }
        given(&format!("{whole}== sys/class/power_supply/BAT0/status error=EIO\n"))
            .fails::<Powersupplyclass>("", "BAT0/status: input/output error");
    }

    #[test]
    fn the_tables_are_sorted() {
        assert!(NUMBERS.is_sorted_by(|a, b| a.0.0 < b.0.0));
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
