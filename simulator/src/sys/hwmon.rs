//! /sys/class/hwmon and the chips that it leads to

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{Chip, Sensor};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 6] = [
    Group { under: "class/hwmon", each: each_name, entries: &[("", What::Link(class))] },
    Group {
        under: "devices",
        each: each_chip,
        entries: &[
            ("name", What::File(|m, i, into| chip(m, i, |chip| put_line!(into, "{}", chip.name)))),
            ("subsystem", What::Link(|m, i, into| relative(&format!("devices/{}", folder(m, i)), "class/hwmon", into))),
            ("uevent", What::File(|_, _, _| {})),
        ],
    },
    // The folder of the device is two above.
    Group {
        under: "devices",
        each: each_chip_of_a_device,
        entries: &[("device", What::Link(|_, _, into| put!(into, "../..")))],
    },
    Group { under: "devices", each: each_input, entries: &[("", What::File(input))] },
    Group { under: "devices", each: each_label, entries: &[("", What::File(label))] },
    Group { under: "devices", each: each_fixed, entries: &[("", What::File(fixed))] },
];

/// A thing here is a number of a sensor of a chip: the chip's number times this, and so on.
const PARTS: usize = 1 << 10;

fn chip(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Chip)) {
    if let Some(chip) = moment.machine.chips.get(index) {
        write(chip);
    }
}

/// Below /sys/devices.
fn folder(moment: &Moment<'_>, index: usize) -> String {
    let device = moment.machine.chips.get(index).and_then(|chip| chip.device.as_deref());
    format!("{}/hwmon/hwmon{index}", device.unwrap_or("virtual"))
}

fn class(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    relative("class/hwmon", &format!("devices/{}", folder(moment, index)), into);
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    (0..moment.machine.chips.len()).for_each(|index| visit(index, format!("hwmon{index}").as_bytes()));
}

fn each_chip(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    (0..moment.machine.chips.len()).for_each(|index| visit(index, folder(moment, index).as_bytes()));
}

fn each_chip_of_a_device(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, chip) in moment.machine.chips.iter().enumerate() {
        if chip.device.is_some() {
            visit(index, folder(moment, index).as_bytes());
        }
    }
}

fn each_sensor(moment: &Moment<'_>, mut visit: impl FnMut(usize, &str, &Sensor)) {
    for (index, chip) in moment.machine.chips.iter().enumerate() {
        let folder = folder(moment, index);
        for (place, sensor) in chip.sensors.iter().enumerate() {
            visit(index * PARTS + place, &folder, sensor);
        }
    }
}

fn sensor<'a>(moment: &Moment<'a>, index: usize) -> Option<&'a Sensor> {
    moment.machine.chips.get(index / PARTS)?.sensors.get(index % PARTS)
}

fn each_input(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_sensor(moment, |index, folder, sensor| {
        // Only power has a mean rather than what is now.
        let ending = if sensor.name.starts_with("power") { "average" } else { "input" };
        visit(index, format!("{folder}/{}_{ending}", sensor.name).as_bytes());
    });
}

fn each_label(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_sensor(moment, |index, folder, sensor| {
        if sensor.label.is_some() {
            visit(index, format!("{folder}/{}_label", sensor.name).as_bytes());
        }
    });
}

fn each_fixed(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_sensor(moment, |index, folder, sensor| {
        for (place, (name, _)) in sensor.fixed.iter().enumerate() {
            visit(index * PARTS + place, format!("{folder}/{}_{name}", sensor.name).as_bytes());
        }
    });
}

fn input(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some(sensor) = sensor(moment, index) {
        put_line!(into, "{}", moment.sensor(sensor));
    }
}

fn label(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some(label) = sensor(moment, index).and_then(|sensor| sensor.label.as_deref()) {
        put_line!(into, "{}", label);
    }
}

fn fixed(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some((_, value)) = sensor(moment, index / PARTS).and_then(|sensor| sensor.fixed.get(index % PARTS)) {
        put_line!(into, "{}", value);
    }
}
