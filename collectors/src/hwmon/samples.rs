//! Samples of the readings of a chip, with a unit per type of sensor.

use super::names::{self, Chip};
use super::readings::{Reading, Readings};
use super::{CHIP_NAMES, ChipName, ENERGIES, Hwmon, PerSensor, SENSOR_LABELS, Scratch, SensorLabel, VALUES};
use crate::kit::filter::Filter;
use crate::kit::label::Label;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;

/// Emits a chip.
pub(super) fn emit(cx: &mut Cx<'_, Hwmon>, filter: &Filter, chip: &Chip, scratch: &mut Scratch) {
    let Scratch { chip: label, path: sensor, text: clean, readings, .. } = scratch;
    if !chip.driver.is_empty() {
        cx.page.named(CHIP_NAMES, &[b"names"], ChipName { chip: label, chip_name: &chip.driver }, true);
    }
    for reading in readings.iter() {
        // The filter applies to `chip;sensor`.
        sensor.clear();
        sensor.extend_from_slice(label);
        sensor.push(b';');
        sensor.extend_from_slice(reading.kind.as_bytes());
        reading.number.write_to(sensor);
        if !filter.ignores(sensor) {
            let sensor = sensor.get(label.len() + 1..).unwrap_or_default();
            emit_reading(cx, label, sensor, reading, readings, clean);
        }
    }
}

const MILLI: f64 = 0.001;
const MICROS_IN_ONE: f64 = 1e6;

fn emit_reading(
    cx: &mut Cx<'_, Hwmon>,
    chip: &[u8],
    sensor: &[u8],
    reading: Reading<'_>,
    readings: &Readings,
    clean: &mut Vec<u8>,
) {
    let Reading { kind, number, property, value } = reading;
    if property == b"label" {
        cx.page.named(SENSOR_LABELS, &[b"label"], SensorLabel { chip: &chip, label: &value, sensor: &sensor }, true);
        return;
    }
    let parsed = f64::from_text(value);
    let mut gauge =
        |name: &[&[u8]], value: f64| cx.page.named(VALUES, name, PerSensor { chip: &chip, sensor: &sensor }, value);
    match (kind, property, parsed) {
        ("beep_enable", b"", _) => {
            gauge(&[b"beep_enabled"], f64::from(u8::from(value == b"1")));
        }
        ("vrm", b"", Some(value)) => {
            gauge(&[b"voltage_regulator_version"], value);
        }
        ("update_interval", b"", Some(value)) => {
            gauge(&[b"update_interval_seconds"], value * MILLI);
        }
        ("beep_enable" | "vrm" | "update_interval", ..) | (_, _, None) => {}
        ("freq", b"input", Some(value)) => {
            // node_exporter uses the label as the sensor, and ignores the number.
            if let Some(label) = readings.value(kind, number, b"label") {
                clean.clear();
                names::push_clean(label, clean);
                let input = input_name(readings, kind, number);
                cx.page.named(
                    VALUES,
                    &[b"freq", input, b"_freq_mhz"],
                    PerSensor { chip: &chip, sensor: clean },
                    value / MICROS_IN_ONE,
                );
            }
        }
        (_, _, Some(value)) => {
            clean.clear();
            let rest: &[u8] = match property {
                b"" => b"",
                b"input" => input_name(readings, kind, number),
                property => {
                    clean.push(b'_');
                    names::push_clean(property, clean);
                    clean
                }
            };
            let (unit, value) = in_unit(kind, property, value);
            if kind == "energy" && unit == b"_joule_total" {
                // The prefix has the `_` already.
                let mut name: [&[u8]; 3] = [rest.strip_prefix(b"_").unwrap_or(rest), unit, b""];
                if rest.is_empty() {
                    name = [b"joule_total", b"", b""];
                }
                cx.page.named(ENERGIES, &name, PerSensor { chip: &chip, sensor: &sensor }, value);
            } else {
                gauge(&[kind.as_bytes(), rest, unit], value);
            }
        }
    }
}

/// The suffix of an input: empty, unless a file without a property has that name.
fn input_name(readings: &Readings, kind: &str, number: u32) -> &'static [u8] {
    if readings.value(kind, number, b"").is_some() { b"_input" } else { b"" }
}

/// The unit suffix of a name, and the value in that unit.
fn in_unit(kind: &str, property: &[u8], value: f64) -> (&'static [u8], f64) {
    match (kind, property) {
        (_, b"fault" | b"alarm") | ("temp", b"type") => (b"", value),
        (_, b"beep") => (b"_enabled", value),
        ("in" | "cpu", _) => (b"_volts", value * MILLI),
        ("temp", _) => (b"_celsius", value * MILLI),
        ("curr", _) => (b"_amps", value * MILLI),
        ("energy", _) => (b"_joule_total", value / MICROS_IN_ONE),
        ("power", b"average_interval" | b"average_interval_min" | b"average_interval_max") => {
            (b"_seconds", value * MILLI)
        }
        ("power", b"accuracy") | ("humidity", _) => (b"", value / MICROS_IN_ONE),
        ("power", _) => (b"_watt", value / MICROS_IN_ONE),
        ("fan", b"input" | b"min" | b"max" | b"target") => (b"_rpm", value),
        _ => (b"", value),
    }
}
