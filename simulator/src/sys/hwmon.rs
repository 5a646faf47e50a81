//! /sys/class/hwmon and the chips that it links to

use super::relative;
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Chip, Machine, Sensor};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Monitor<'static>> {
        under: "class/hwmon",
        parts: |machine| Box::new(Monitor::each(machine)),
        path: |monitor, _| format!("hwmon{}", monitor.number).into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<Monitor<'static>> {
        under: "devices",
        parts: |machine| Box::new(Monitor::each(machine)),
        path: |monitor, _| monitor.folder().into(),
        entries: &[
            ("name", Content::File(|monitor, _, into| put_line!(into, "{}", monitor.chip.name))),
            ("subsystem", Content::Link(subsystem)),
            ("uevent", Content::File(|_, _, _| {})),
        ],
    },
    &Group::<Monitor<'static>> {
        under: "devices",
        parts: |machine| Box::new(Monitor::each(machine).filter(|monitor| monitor.chip.device.is_some())),
        path: |monitor, _| monitor.folder().into(),
        // The folder of the device is two above that of the chip.
        entries: &[("device", Content::Link(|_, _, into| put!(into, "../..")))],
    },
    &Group::<Input<'static>> {
        under: "devices",
        parts: |machine| Box::new(Input::each(machine)),
        // Power is averaged.
        path: |input, _| input.path(if input.sensor.name.starts_with("power") { "average" } else { "input" }).into(),
        entries: &[("", Content::File(|input, m, into| put_line!(into, "{}", m.sensor(input.sensor))))],
    },
    &Group::<Label<'static>> {
        under: "devices",
        parts: |machine| Box::new(Input::each(machine).filter_map(Label::of)),
        path: |Label { input, .. }, _| input.path("label").into(),
        entries: &[("", Content::File(|Label { label, .. }, _, into| put_line!(into, "{}", label)))],
    },
    &Group::<Limit<'static>> {
        under: "devices",
        parts: |machine| Box::new(Input::each(machine).flat_map(Limit::of)),
        path: |limit, _| limit.input.path(limit.name).into(),
        entries: &[("", Content::File(|limit, _, into| put_line!(into, "{}", limit.value)))],
    },
];

/// A chip with its number in /sys/class/hwmon.
#[derive(Clone, Copy)]
struct Monitor<'a> {
    chip: &'a Chip,
    number: usize,
}

impl Part for Monitor<'static> {
    type Of<'a> = Monitor<'a>;
}

impl<'a> Monitor<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.chips.iter().enumerate().map(|(number, chip)| Self { chip, number })
    }

    /// Below /sys/devices.
    fn folder(self) -> String {
        format!("{}/hwmon/hwmon{}", self.chip.device.as_deref().unwrap_or("virtual"), self.number)
    }
}

/// A sensor of a chip.
#[derive(Clone, Copy)]
struct Input<'a> {
    monitor: Monitor<'a>,
    sensor: &'a Sensor,
}

impl Part for Input<'static> {
    type Of<'a> = Input<'a>;
}

impl<'a> Input<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        Monitor::each(machine)
            .flat_map(|monitor| monitor.chip.sensors.iter().map(move |sensor| Self { monitor, sensor }))
    }

    /// The path of one of its files, whose names begin with that of the sensor.
    fn path(self, ending: &str) -> String {
        format!("{}/{}_{ending}", self.monitor.folder(), self.sensor.name)
    }
}

/// A sensor that has a label.
#[derive(Clone, Copy)]
struct Label<'a> {
    input: Input<'a>,
    label: &'a str,
}

impl Part for Label<'static> {
    type Of<'a> = Label<'a>;
}

impl<'a> Label<'a> {
    fn of(input: Input<'a>) -> Option<Self> {
        Some(Self { input, label: input.sensor.label.as_deref()? })
    }
}

/// A constant value of a sensor, such as its maximum.
#[derive(Clone, Copy)]
struct Limit<'a> {
    input: Input<'a>,
    name: &'static str,
    value: u64,
}

impl Part for Limit<'static> {
    type Of<'a> = Limit<'a>;
}

impl<'a> Limit<'a> {
    fn of(input: Input<'a>) -> impl Iterator<Item = Self> {
        input.sensor.fixed.iter().map(move |&(name, value)| Self { input, name, value })
    }
}

fn class(monitor: Monitor<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/hwmon", &format!("devices/{}", monitor.folder()), into);
}

fn subsystem(monitor: Monitor<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&format!("devices/{}", monitor.folder()), "class/hwmon", into);
}
