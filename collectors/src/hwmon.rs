//! Hardware sensors from /sys/class/hwmon.

mod names;
mod readings;
mod samples;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use names::Chip;
use readings::Readings;

/// The hwmon collector.
#[derive(Debug)]
pub struct Hwmon {
    chips: Filter,
    sensors: Filter,
    folders: Names,
    found: Vec<Chip>,
    scratch: Scratch,
}

/// Reusable memory for a chip.
#[derive(Default, Debug)]
struct Scratch {
    chip: Vec<u8>,
    path: Vec<u8>,
    text: Vec<u8>,
    files: Names,
    readings: Readings,
}

declare! {
    Hwmon: "hwmon", on, "Hardware sensors: temperatures, fans, voltages, currents, power.";
    labels {
        ChipName { chip, chip_name }
        SensorLabel { chip, label, sensor }
        PerSensor { chip, sensor }
    }
    reads {
        CLASS: Directory Sys "class/hwmon";
        CHIP: Directory Sys "class/hwmon/*";
        CHIP_LINK: Link Sys "class/hwmon/*";
        CHIP_NAME: File Sys "class/hwmon/*/name";
        SENSOR: File Sys "class/hwmon/*/*";
        DEVICE: Directory Sys "class/hwmon/*/device";
        DEVICE_LINK: Link Sys "class/hwmon/*/device";
        DEVICE_SENSOR: File Sys "class/hwmon/*/device/*";
    }
    flags {
        CHIP_INCLUDE: Text "collector.hwmon.chip-include" = "", "Regexp of chips to include; not together with chip-exclude.";
        CHIP_EXCLUDE: Text "collector.hwmon.chip-exclude" = "", "Regexp of chips to exclude; not together with chip-include.";
        SENSOR_INCLUDE: Text "collector.hwmon.sensor-include" = "", "Regexp of `chip;sensor` to include; not together with sensor-exclude.";
        SENSOR_EXCLUDE: Text "collector.hwmon.sensor-exclude" = "", "Regexp of `chip;sensor` to exclude; not together with sensor-include.";
    }
    prefixes {
        CHIP_NAMES: Gauge "node_hwmon_chip_" ChipName "Driver name of a chip ({}), always 1.";
        SENSOR_LABELS: Gauge "node_hwmon_sensor_" SensorLabel "Vendor's label of a sensor ({}), always 1.";
        VALUES: Gauge "node_hwmon_" PerSensor "Sensor reading {} of a chip.";
        ENERGIES: Counter "node_hwmon_energy_" PerSensor "Energy consumed, as sensor reading {}.";
    }
}

impl Collect for Hwmon {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            chips: Filter::from_flags(options, CHIP_INCLUDE, CHIP_EXCLUDE)?,
            sensors: Filter::from_flags(options, SENSOR_INCLUDE, SENSOR_EXCLUDE)?,
            folders: Names::new(),
            found: Vec::new(),
            scratch: Scratch::default(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { chips, sensors, folders, found, scratch } = self;
        cx.files.list(CLASS, [], folders).map_err(|error| error.or_no_data(RootError::is_missing))?;
        found.resize_with(folders.len().max(found.len()), Chip::default);
        let found = &mut found[..folders.len()];
        for (folder, chip) in folders.iter().zip(&mut *found) {
            names::find(cx, folder, chip, scratch);
        }
        for (at, folder) in folders.iter().enumerate() {
            if names::put_label(found, at, folder, &mut scratch.chip) && !chips.ignores(&scratch.chip) {
                let collected = readings::collect(cx, folder, scratch);
                if cx.problems.value(collected).is_some() {
                    samples::emit(cx, sensors, &found[at], scratch);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
